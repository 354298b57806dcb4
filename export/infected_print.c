#include "export/infected_print.h"

#include "export/calendar.h"
#include "export/json_string.h"
#include "export/rfc3339.h"
#include "export/stix.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

const char *infected_address(const struct infected_host *h, char to[INFECTED_ADDRESS])
{
    if (inet_ntop(h->ip_version == 6 ? AF_INET6 : AF_INET, h->address, to, INFECTED_ADDRESS) ==
        NULL)
        to[0] = 0;
    return to;
}

const char *infected_lack_words(enum infected_lack lack)
{
    static const char *const words[INFECTED_LACKS] = {
        [INFECTED_UNDECIDED] = INFECTED_LOWER_BOUND,
        [INFECTED_UNCOUNTED] = INFECTED_NOT_COUNTED,
        [INFECTED_GIVEN_UP] = INFECTED_GAVE_UP,
        [INFECTED_DAMAGED] = INFECTED_DAMAGE,
    };
    return words[lack];
}

/* Their names, each between two quotes where JSON is written; how many. */
static unsigned lacks_print(FILE *out, const struct infected_list *list, const char *quote,
                            const char *between)
{
    unsigned count = 0;
    for (unsigned lack = 0; lack < INFECTED_LACKS; lack++)
        if (infected_lacks(list, lack))
            fprintf(out, "%s%s%s%s", count++ > 0 ? between : "", quote, infected_lack_name(lack),
                    quote);
    return count;
}

static bool is_meant(const struct infected_view *v, const struct infected_host *h)
{
    return !v->has_asn || h->asn == v->asn;
}

static const char *proto_name(const struct infected_host *h)
{
    static const char *const names[] = {"", "tcp", "udp"};
    return names[h->proto];
}

static const char *infection(const struct infected_host *h)
{
    static const char *const names[] = {"mirai", "iot-exploit", "iot-suspected"};
    return names[h->reason];
}

static const char *family(const struct infected_host *h)
{
    return h->reason == INFECTED_MIRAI ? "mirai" : h->rule_count > 0 ? h->rules[0].id : "";
}

/* ---- CSV ---- */

/* Columns that are ours to fill have a number, others are empty. */
enum column {
    C_NONE,
    C_timestamp,
    C_protocol,
    C_src_ip,
    C_src_port,
    C_src_asn,
    C_src_geo,
    C_severity,
    C_dst_port,
    C_source,
    C_infection,
    C_family,
    C_tag,
    C_count,
    C_first,
    C_last,
    C_reached,
    C_change,
    C_exact,
    C_lacks
};

static const struct {
    const char *name;
    enum column what;
} columns[] = {
    {"timestamp", C_timestamp},
    {"protocol", C_protocol},
    {"src_ip", C_src_ip},
    {"src_port", C_src_port},
    {"src_asn", C_src_asn},
    {"src_geo", C_src_geo},
    {"src_region", C_NONE},
    {"src_city", C_NONE},
    {"src_hostname", C_NONE},
    {"src_naics", C_NONE},
    {"src_sector", C_NONE},
    {"device_vendor", C_NONE},
    {"device_type", C_NONE},
    {"device_model", C_NONE},
    {"severity", C_severity},
    {"dst_ip", C_NONE},
    {"dst_port", C_dst_port},
    {"dst_asn", C_NONE},
    {"dst_geo", C_NONE},
    {"dst_region", C_NONE},
    {"dst_city", C_NONE},
    {"dst_hostname", C_NONE},
    {"dst_naics", C_NONE},
    {"dst_sector", C_NONE},
    {"public_source", C_source},
    {"infection", C_infection},
    {"family", C_family},
    {"tag", C_tag},
    {"application", C_NONE},
    {"version", C_NONE},
    {"event_id", C_NONE},
    {"count", C_count},
    {"first_seen", C_first},
    {"last_seen", C_last},
    {"addresses_reached", C_reached},
    {"change", C_change},
    {"addresses_exact", C_exact},
    {"list_lacks", C_lacks},
};
enum { COLUMNS = sizeof columns / sizeof *columns };

/* In quotes, doubled within; what begins like a formula gets a ' before it, since spreadsheets believe it. */
static void csv_text(FILE *out, const char *text)
{
    fputc('"', out);
    if (text[0] != 0 && strchr("=+-@\t\r", text[0]) != NULL)
        fputc('\'', out);
    for (; *text != 0; text++) {
        if (*text == '"')
            fputc('"', out);
        fputc(*text, out);
    }
    fputc('"', out);
}

static void csv_time(FILE *out, int64_t ns)
{
    char text[RFC3339_TEXT];
    csv_text(out, rfc3339_text(ns, 6, text));
}

static void csv_cell(FILE *out, const struct infected_view *v, const struct infected_host *h,
                     enum column what)
{
    char text[INFECTED_ADDRESS];
    switch (what) {
    case C_NONE:
        break;
    case C_timestamp:
        if (h->has_evidence)
            csv_time(out, h->evidence_ns);
        break;
    case C_protocol:
        csv_text(out, proto_name(h));
        break;
    case C_src_ip:
        csv_text(out, infected_address(h, text));
        break;
    case C_src_port:
    case C_dst_port:
        if (h->has_evidence)
            fprintf(out, "%u", what == C_src_port ? h->src_port : h->dst_port);
        break;
    case C_src_asn:
        fprintf(out, "%" PRIu32, h->asn);
        break;
    case C_src_geo:
        csv_text(out, h->country);
        break;
    case C_severity:
        csv_text(out, infected_is_confirmed(h) ? "high" : "medium");
        break;
    case C_source:
        csv_text(out, v->sensor);
        break;
    case C_infection:
        csv_text(out, infection(h));
        break;
    case C_family:
        csv_text(out, family(h));
        break;
    case C_tag:
        fprintf(out, "\"%s%s%s\"", infected_reason_name(h->reason), h->change ? ";" : "",
                infected_change_name(h->change));
        break;
    case C_count:
        fprintf(out, "%" PRIu64, h->packets);
        break;
    case C_first:
        csv_time(out, h->first_ns);
        break;
    case C_last:
        csv_time(out, h->last_ns);
        break;
    case C_reached:
        fprintf(out, "%u", h->reach.low);
        break;
    case C_change:
        csv_text(out, infected_change_name(h->change));
        break;
    case C_exact:
        csv_text(out, infected_is_exact(h) ? "true" : "false");
        break;
    case C_lacks:
        fputc('"', out);
        (void)lacks_print(out, v->list, "", ";");
        fputc('"', out);
        break;
    }
}

void infected_csv(FILE *out, const struct infected_view *v)
{
    for (unsigned c = 0; c < COLUMNS; c++)
        fprintf(out, "%s\"%s\"", c == 0 ? "" : ",", columns[c].name);
    fputs("\r\n", out); /* RFC 4180 */
    for (size_t n = 0; n < v->list->count; n++) {
        if (!is_meant(v, &v->list->hosts[n]))
            continue;
        for (unsigned c = 0; c < COLUMNS; c++) {
            if (c > 0)
                fputc(',', out);
            csv_cell(out, v, &v->list->hosts[n], columns[c].what);
        }
        fputs("\r\n", out);
    }
}

/* ---- JSON ---- */

static void json_time(FILE *out, const char *key, int64_t ns)
{
    char text[RFC3339_TEXT];
    fprintf(out, ",\"%s\":\"%s\"", key, rfc3339_text(ns, 6, text));
}

static void json_host(FILE *out, const struct infected_host *h, int32_t date,
                      enum infected_change change)
{
    char text[INFECTED_ADDRESS], day[CALENDAR_DATE];
    fprintf(out, "{\"date\":\"%s\",\"address\":\"%s\",\"state\":\"%s\",\"reason\":\"%s\"",
            calendar_text(date, day), infected_address(h, text),
            infected_is_confirmed(h) ? "confirmed" : "suspected", infected_reason_name(h->reason));
    if (h->rule_count > 0) {
        fputs(",\"rule\":", out);
        json_string(out, h->rules[0].id);
        for (unsigned n = 0; n < h->rule_count; n++) {
            fputs(n == 0 ? ",\"rules\":[{\"rule\":" : ",{\"rule\":", out);
            json_string(out, h->rules[n].id);
            fprintf(out, ",\"packets\":%" PRIu64 "}", h->rules[n].packets);
        }
        fputc(']', out);
    }
    fprintf(out, ",\"change\":%s%s%s", change ? "\"" : "",
            change ? infected_change_name(change) : "null", change ? "\"" : "");
    json_time(out, "first", h->first_ns);
    json_time(out, "last", h->last_ns);
    if (h->has_evidence) {
        json_time(out, "evidence_time", h->evidence_ns);
        fprintf(out, ",\"src_port\":%u,\"dst_port\":%u,\"protocol\":\"%s\"", h->src_port,
                h->dst_port, proto_name(h));
    }
    fprintf(out,
            ",\"packets\":%" PRIu64 ",\"evidence_packets\":%" PRIu64
            ",\"addresses_reached\":%u,\"addresses_exact\":%s,\"country\":",
            h->packets, h->evidence, h->reach.low, infected_is_exact(h) ? "true" : "false");
    json_string(out, h->country);
    fprintf(out, ",\"asn\":%" PRIu32 ",\"as_name\":", h->asn);
    json_string(out, h->as_name);
    fputs("}\n", out);
}

struct infected_counts infected_count(const struct infected_view *v)
{
    struct infected_counts c = {0};
    for (size_t n = 0; n < v->list->count; n++) {
        const struct infected_host *h = &v->list->hosts[n];
        if (!is_meant(v, h))
            continue;
        c.hosts++;
        c.confirmed += infected_is_confirmed(h);
        c.fresh += h->change == INFECTED_NEW;
        c.continuing += h->change == INFECTED_CONTINUING;
    }
    for (size_t n = 0; n < v->gone_count; n++)
        c.gone += is_meant(v, &v->before->hosts[v->gone[n]]);
    return c;
}

static void json_lacks(FILE *out, const struct infected_view *v)
{
    const struct day_given_up *g = &v->list->given_up;
    fprintf(out, ",\"exact\":%s,\"lacks\":[", infected_list_is_exact(v->list) ? "true" : "false");
    (void)lacks_print(out, v->list, "\"", ",");
    fprintf(out,
            "],\"given_up\":{\"ports\":%" PRIu64 ",\"rules\":%" PRIu64 ",\"sources\":%" PRIu64
            ",\"damaged\":%" PRIu64 "},\"damaged\":%" PRIu64 ",\"before_exact\":%s",
            g->ports, g->rules, g->sources, g->damaged, v->list->damaged,
            v->before == NULL          ? "null"
            : infected_before_lacks(v) ? "false"
                                       : "true");
}

void infected_json(FILE *out, const struct infected_view *v)
{
    struct infected_counts c = infected_count(v);
    char day[CALENDAR_DATE];
    fprintf(out, "{\"heading\":\"%s\",\"date\":\"%s\",\"sensor\":", INFECTED_HEADING,
            calendar_text(v->list->date, day));
    json_string(out, v->sensor);
    fputs(",\"timezone\":", out);
    json_string(out, v->timezone);
    fprintf(out, ",\"hosts\":%" PRIu64 ",\"confirmed\":%" PRIu64 ",\"suspected\":%" PRIu64, c.hosts,
            c.confirmed, c.hosts - c.confirmed);
    if (v->before != NULL)
        fprintf(out, ",\"new\":%" PRIu64 ",\"continuing\":%" PRIu64 ",\"gone\":%" PRIu64, c.fresh,
                c.continuing, c.gone);
    else
        fputs(",\"new\":null,\"continuing\":null,\"gone\":null", out);
    fprintf(out,
            ",\"undecided\":%" PRIu64 ",\"lower_bound\":%s,\"uncounted\":%" PRIu64
            ",\"survey_known\":%s",
            v->list->undecided, v->list->undecided > 0 ? "true" : "false", v->list->uncounted,
            v->list->has_survey ? "true" : "false");
    json_lacks(out, v);
    fputs("}\n", out);
    for (size_t n = 0; n < v->list->count; n++)
        if (is_meant(v, &v->list->hosts[n]))
            json_host(out, &v->list->hosts[n], v->list->date, v->list->hosts[n].change);
    for (size_t n = 0; n < v->gone_count; n++) {
        const struct infected_host *h = &v->before->hosts[v->gone[n]];
        if (is_meant(v, h))
            json_host(out, h, v->before->date, INFECTED_GONE);
    }
}

/* ---- STIX ---- */

static int compare_as(const void *a, const void *b)
{
    const struct infected_host *x = *(const struct infected_host *const *)a,
                               *y = *(const struct infected_host *const *)b;
    return x->asn < y->asn ? -1 : x->asn > y->asn;
}

/* Each AS once; where memory is short, none has a name: an address names its AS by a reference that must stand in the bundle, so 0. */
static bool stix_all_as(struct stix *s, const struct infected_view *v)
{
    const struct infected_host **by_as = malloc((v->list->count + 1) * sizeof *by_as);
    size_t used = 0;
    if (by_as == NULL)
        return false;
    for (size_t n = 0; n < v->list->count; n++)
        if (is_meant(v, &v->list->hosts[n]) && v->list->hosts[n].asn != 0)
            by_as[used++] = &v->list->hosts[n];
    qsort(by_as, used, sizeof *by_as, compare_as);
    for (size_t n = 0; n < used; n++)
        if (n == 0 || by_as[n]->asn != by_as[n - 1]->asn)
            stix_as(s, by_as[n]->asn, by_as[n]->as_name);
    free(by_as);
    return true;
}

/* The last evidence packet; its destination is the telescope's, and is not there. */
static void stix_traffic(struct stix *s, const struct infected_host *h, const char *address_id,
                         char id[STIX_ID])
{
    const char *ip = h->ip_version == 6 ? "ipv6" : "ipv4", *proto = h->proto == 2 ? "udp" : "tcp";
    char name[512], time[RFC3339_TEXT];
    rfc3339_utc(h->evidence_ns, 3, time);
    snprintf(name, sizeof name,
             "{\"dst_port\":%u,\"protocols\":[\"%s\",\"%s\"],\"src_port\":%u,\"src_ref\":\"%s\","
             "\"start\":\"%s\"}",
             h->dst_port, ip, proto, h->src_port, address_id, time);
    stix_open(s, "network-traffic", stix_id(id, "network-traffic", name, true), true);
    fprintf(s->out,
            ",\"start\":\"%s\",\"src_ref\":\"%s\",\"src_port\":%u,\"dst_port\":%u,\"protocols\":["
            "\"%s\",\"%s\"]",
            time, address_id, h->src_port, h->dst_port, ip, proto);
    stix_close(s);
}

static const char *observed_id(char id[STIX_ID], const struct infected_view *v,
                               const struct infected_host *h)
{
    char name[STIX_VALUE], text[INFECTED_ADDRESS];
    snprintf(name, sizeof name, "%.900s %d %s", v->sensor, v->list->date,
             infected_address(h, text));
    return stix_id(id, "observed-data", name, false);
}

static void stix_host(struct stix *s, const struct infected_view *v, const struct infected_host *h,
                      bool has_as)
{
    enum { NUMBER_MAX = 999999999 }; /* the standard's */
    char address[INFECTED_ADDRESS], address_id[STIX_ID], traffic_id[STIX_ID], id[STIX_ID];
    stix_address(s, h->ip_version, infected_address(h, address), has_as ? h->asn : 0, address_id);
    if (h->has_evidence)
        stix_traffic(s, h, address_id, traffic_id);
    stix_open(s, "observed-data", observed_id(id, v, h), false);
    stix_time(s, "first_observed", h->first_ns);
    stix_time(s, "last_observed", h->last_ns);
    fprintf(s->out, ",\"number_observed\":%" PRIu64 ",\"object_refs\":[\"%s\"",
            h->packets > NUMBER_MAX ? NUMBER_MAX : h->packets, address_id);
    if (h->has_evidence)
        fprintf(s->out, ",\"%s\"", traffic_id);
    fprintf(s->out, "],\"labels\":[\"%s\",\"%s\"",
            infected_is_confirmed(h) ? "confirmed" : "suspected", infected_reason_name(h->reason));
    if (h->change)
        fprintf(s->out, ",\"%s\"", infected_change_name(h->change));
    if (h->reach.high > 0)
        fprintf(s->out, ",\"addresses-reached:%u%s\"", h->reach.low,
                infected_is_exact(h) ? "" : "-or-more");
    fputc(']', s->out);
    stix_close(s);
}

/* What the list lacks, of whoever made it; nothing where it is exact. */
static void stix_lacks(struct stix *s, const struct infected_view *v)
{
    char id[STIX_ID], name[STIX_VALUE];
    const char *between = "";
    if (infected_list_is_exact(v->list) && !infected_before_lacks(v))
        return;
    snprintf(name, sizeof name, "%.900s %d %d %" PRIu32 " lacks", v->sensor, v->list->date,
             v->has_asn, v->asn);
    stix_open(s, "note", stix_id(id, "note", name, false), false);
    fputs(",\"content\":\"", s->out);
    for (unsigned lack = 0; lack < INFECTED_LACKS; lack++) {
        if (!infected_lacks(v->list, lack))
            continue;
        fprintf(s->out, "%s%s", between, infected_lack_words(lack));
        between = " ";
    }
    if (infected_before_lacks(v))
        fprintf(s->out, "%s%s", between, INFECTED_BEFORE);
    fprintf(s->out, "\",\"object_refs\":[\"%s\"],\"labels\":[", s->creator);
    unsigned count = lacks_print(s->out, v->list, "\"", ",");
    if (infected_before_lacks(v))
        fprintf(s->out, "%s\"before\"", count > 0 ? "," : "");
    fputc(']', s->out);
    stix_close(s);
}

/* What confirmed hosts of one reason run, and that it was seen. */
static void stix_malware(struct stix *s, const struct infected_view *v, enum infected_reason reason)
{
    static const char *const names[] = {"Mirai and its kin", "a bot that sends exploits over TCP"};
    char malware[STIX_ID], id[STIX_ID], name[STIX_VALUE];
    uint64_t count = 0;
    int64_t first = 0, last = 0;
    for (size_t n = 0; n < v->list->count; n++) {
        const struct infected_host *h = &v->list->hosts[n];
        if (h->reason != reason || !is_meant(v, h))
            continue;
        first = count == 0 || h->first_ns < first ? h->first_ns : first;
        last = count == 0 || h->last_ns > last ? h->last_ns : last;
        count++;
    }
    if (count == 0)
        return;
    stix_open(s, "malware", stix_id(malware, "malware", names[reason], false), false);
    stix_text(s, "name", names[reason]);
    fputs(",\"is_family\":true,\"malware_types\":[\"bot\"]", s->out);
    stix_close(s);
    snprintf(name, sizeof name, "%.900s %d %d %" PRIu32 " %d", v->sensor, v->list->date, v->has_asn,
             v->asn, (int)reason);
    stix_open(s, "sighting", stix_id(id, "sighting", name, false), false);
    stix_time(s, "first_seen", first);
    stix_time(s, "last_seen", last);
    fprintf(s->out, ",\"count\":%" PRIu64 ",\"sighting_of_ref\":\"%s\"", count, malware);
    fprintf(s->out, ",\"where_sighted_refs\":[\"%s\"],\"description\":\"%s\"", s->creator,
            INFECTED_HEADING);
    fputs(",\"observed_data_refs\":[", s->out);
    count = 0;
    for (size_t n = 0; n < v->list->count; n++)
        if (v->list->hosts[n].reason == reason && is_meant(v, &v->list->hosts[n]))
            fprintf(s->out, "%s\"%s\"", count++ == 0 ? "" : ",",
                    observed_id(id, v, &v->list->hosts[n]));
    fputc(']', s->out);
    stix_close(s);
}

void infected_stix(FILE *out, const struct infected_view *v)
{
    struct stix s;
    char what[64];
    snprintf(what, sizeof what, "infected %d %d %" PRIu32, v->list->date, v->has_asn, v->asn);
    stix_begin(&s, out, v->sensor, what, v->end_ns);
    bool has_as = stix_all_as(&s, v);
    for (size_t n = 0; n < v->list->count; n++)
        if (is_meant(v, &v->list->hosts[n]))
            stix_host(&s, v, &v->list->hosts[n], has_as);
    stix_lacks(&s, v);
    stix_malware(&s, v, INFECTED_MIRAI);
    stix_malware(&s, v, INFECTED_PAYLOAD);
    stix_end(&s);
}
