#include "core/synth_day.h"

#include "core/synth.h"
#include "export/json_string.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <time.h>

static const char *const set_names[DAY_SETS] = {
#define SET_NAME(name) #name,
    SYNTH_DAY_SETS(SET_NAME)};

static const char *const role_names[DAY_ROLES] = {"survey", "acknowledged", "bogon",
                                                  "survey_conflict"};

static void print_address(FILE *out, const uint8_t address[16], unsigned ip_version)
{
    char text[INET6_ADDRSTRLEN];
    inet_ntop(ip_version == 4 ? AF_INET : AF_INET6, address, text, sizeof text);
    fprintf(out, "\"%s%s\"", text, ip_version == 64 ? "/64" : "");
}

static void print_pair(FILE *out, const char *name, uint64_t num, uint64_t den)
{
    fprintf(out, "\"%s\": {\"num\": %" PRIu64 ", \"den\": %" PRIu64 "}", name, num, den);
}

static void print_count(FILE *out, uint64_t packets, uint64_t sources, uint64_t sources64,
                        bool has_sources64)
{
    fprintf(out, "{\"packets\": %" PRIu64 ", \"sources\": %" PRIu64, packets, sources);
    if (has_sources64)
        fprintf(out, ", \"sources64\": %" PRIu64, sources64);
    fputs("}", out);
}

/* Packets and sources of each set, whole and `_ex_survey`. */
static void print_counts(FILE *out, const struct synth_day_result *r, bool is_day)
{
    fputs("\"counts\": {", out);
    for (unsigned set = 0; set < DAY_SETS; set++) {
        const struct synth_day_count *c = &r->sets[set];
        fprintf(out, "%s\n      \"%s\": ", set ? "," : "", set_names[set]);
        print_count(out, c->packets, c->sources, c->sources64, is_day);
        fprintf(out, ", \"%s_ex_survey\": ", set_names[set]);
        print_count(out, c->packets_ex, c->sources_ex, c->sources64_ex, is_day);
    }
    fputs("},\n    ", out);
}

/* Every numerator over every denominator, in the form of `replay --json`. */
static void print_shares(FILE *out, const struct synth_day_result *r)
{
    fputs("\"shares\": {", out);
    for (unsigned n = DAY_DENOMINATORS; n < DAY_SETS; n++) {
        const struct synth_day_count *num = &r->sets[n];
        fprintf(out, "%s\n      \"%s\": {", n > DAY_DENOMINATORS ? "," : "", set_names[n]);
        for (unsigned d = 0; d < DAY_DENOMINATORS; d++) {
            const struct synth_day_count *den = &r->sets[d];
            fprintf(out, "%s\"%s\": {", d ? ", " : "", set_names[d]);
            print_pair(out, "packets", num->packets, den->packets);
            fputs(", ", out);
            print_pair(out, "sources", num->sources, den->sources);
            fprintf(out, "}, \"%s_ex_survey\": {", set_names[d]);
            print_pair(out, "packets", num->packets_ex, den->packets_ex);
            fputs(", ", out);
            print_pair(out, "sources", num->sources_ex, den->sources_ex);
            fputs("}", out);
        }
        fputs("}", out);
    }
    fputs("},\n    ", out);
}

static void print_roles(FILE *out, const struct synth_day_result *r, bool has_sources)
{
    fputs("\"origins\": {", out);
    for (unsigned role = 0; role < DAY_ROLES; role++) {
        fprintf(out, "%s\"%s\": {\"packets\": %" PRIu64, role ? ", " : "", role_names[role],
                r->roles[role].packets);
        if (has_sources)
            fprintf(out, ", \"sources\": %" PRIu64, r->roles[role].sources);
        fputs("}", out);
    }
    fputs("},\n    ", out);
}

/* The addresses of each role. */
static void print_lists(FILE *out, const struct synth_day_result *r)
{
    for (unsigned role = 0; role <= DAY_ROLES; role++) {
        bool is_subnets = role == DAY_ROLES, any = false;
        fprintf(out, "\"%s\": [", is_subnets ? "survey64" : role_names[role]);
        for (size_t i = 0; i < r->source_count; i++) {
            const struct synth_day_source *s = &r->sources[i];
            bool has = is_subnets ? s->role : s->role == 1u << role;
            if (!has || is_subnets != (s->ip_version == 64))
                continue;
            if (any)
                fputs(", ", out);
            print_address(out, s->address, s->ip_version);
            any = true;
        }
        fputs("],\n    ", out);
    }
}

static void print_sources(FILE *out, const struct synth_day_result *r,
                          const struct synth_cast *cast)
{
    bool any = false;
    fputs("\"by_source\": {", out);
    for (size_t i = 0; i < r->source_count; i++) {
        const struct synth_day_source *s = &r->sources[i];
        if (s->ip_version == 64)
            continue;
        fputs(any ? ",\n      " : "\n      ", out);
        print_address(out, s->address, s->ip_version);
        fprintf(out,
                ": {\"group\": \"%s\", \"packets\": %" PRIu64 ", \"scan\": %" PRIu64
                ", \"syn_udp\": %" PRIu64 ", \"ports\": %" PRIu32 "}",
                cast->groups[s->group].name, s->packets[DAY_total], s->packets[DAY_scan],
                s->syn_udp, s->ports);
        any = true;
    }
    fputs("},\n    ", out);
}

static void print_ports(FILE *out, const struct synth_day_result *r, bool has_sources)
{
    fputs("\"ports\": [", out);
    for (size_t i = 0; i < r->port_count; i++) {
        const struct synth_day_port *p = &r->ports[i];
        fprintf(out,
                "%s\n      {\"kind\": \"%s\", \"port\": %u, \"packets\": %" PRIu64
                ", \"packets_ex_survey\": %" PRIu64,
                i ? "," : "", kind_name((enum kind)p->kind), p->port, p->packets, p->packets_ex);
        if (has_sources)
            fprintf(out, ", \"sources\": %" PRIu64 ", \"sources_ex_survey\": %" PRIu64, p->sources,
                    p->sources_ex);
        fputs("}", out);
    }
    fputs("],\n    ", out);
}

static void print_groups(FILE *out, const struct synth_day_result *r, const struct synth_cast *cast)
{
    fputs("\"groups\": {", out);
    for (size_t g = 0; g < cast->group_count; g++)
        fprintf(out, "%s\"%s\": %" PRIu64, g ? ", " : "", cast->groups[g].name,
                r->group_packets[g]);
    fputs("},\n    ", out);
}

/* What a day and all days together have. */
static void print_result(FILE *out, const struct synth_day_result *r, const struct synth_cast *cast,
                         uint64_t addresses, bool is_day)
{
    fprintf(out,
            "\"packets\": %" PRIu64 ", \"bytes\": %" PRIu64 ", \"late\": %" PRIu64
            ", \"amplification_request\": %" PRIu64 ",\n    \"kinds\": {",
            r->packets, r->bytes, r->late, r->amplification);
    for (unsigned k = 0; k < KIND_COUNT; k++)
        fprintf(out, "%s\"%s\": %" PRIu64, k ? ", " : "", kind_name((enum kind)k), r->kinds[k]);
    fputs("},\n    \"tools\": {", out);
    for (unsigned t = 0; t < TOOL_COUNT; t++)
        fprintf(out, "%s\"%s\": %" PRIu64, t ? ", " : "", tool_name((enum tool)t), r->tools[t]);
    fputs("},\n    ", out);
    print_pair(out, "packets_per_address", r->ip4, addresses);
    fputs(", ", out);
    print_pair(out, "survey_share", r->roles[0].packets, r->sets[DAY_total].packets);
    fputs(",\n    ", out);
    print_groups(out, r, cast);
    print_counts(out, r, is_day);
    print_shares(out, r);
}

static void print_day(FILE *out, const struct synth_days *a, const struct synth_days_facts *f,
                      size_t day, const struct synth_cast *cast)
{
    const struct synth_day_result *r = synth_days_of(a, day);
    const int64_t *starts = f->traffic->starts_ns;
    time_t midnight = ((time_t)f->date + (time_t)day) * 86400;
    char date[16];
    struct tm tm;
    strftime(date, sizeof date, "%Y-%m-%d", gmtime_r(&midnight, &tm));
    fprintf(out,
            "%s\n    {\"date\": \"%s\", \"start_ns\": %" PRId64 ", \"end_ns\": %" PRId64 ",\n    ",
            day ? "," : "", date, starts[day], starts[day + 1]);
    print_result(out, r, cast, f->addresses, true);
    print_roles(out, r, true);
    print_lists(out, r);
    if (!f->traffic->year) {
        print_sources(out, r, cast);
        print_ports(out, r, true);
    }
    fprintf(out, "\"subnets6\": %" PRIu64 ", \"survey_subnets6\": %" PRIu64 "}", r->subnets,
            r->survey_subnets);
}

static void print_share_of_year(FILE *out, const char *name, unsigned share, bool is_assumed)
{
    fprintf(out, ", \"%s\": {\"percent\": %u.%02u, \"is_assumed\": %s}", name, share / 100,
            share % 100, is_assumed ? "true" : "false");
}

static void print_year(FILE *out, const struct synth_nicter *y, uint64_t scale)
{
    fprintf(out,
            "  \"published\": {\"year\": %u, \"packets_per_address\": %" PRIu32
            ", \"scale\": %" PRIu64,
            y->year, y->packets_per_address, scale);
    print_share_of_year(out, "survey_of_total", y->survey, false);
    print_share_of_year(out, "iot_strict", y->iot_strict, y->assumed & ASSUMED_STRICT);
    print_share_of_year(out, "iot_broad", y->iot_broad, y->assumed & ASSUMED_BROAD);
    print_share_of_year(out, "tcp/23", y->tcp23, y->assumed & ASSUMED_TCP23);
    print_share_of_year(out, "tcp/22", y->tcp22, y->assumed & ASSUMED_TCP22);
    print_share_of_year(out, "tcp/445", y->tcp445, y->assumed & ASSUMED_TCP445);
    print_share_of_year(out, "tcp/80", y->tcp80, y->assumed & ASSUMED_TCP80);
    fputs(",\n    \"denominator\": \"scan_ex_survey\", \"edition\": ", out);
    json_string(out, y->edition);
    fputs(", \"notes\": ", out);
    json_string(out, y->notes);
    fputs("},\n", out);
}

void synth_days_print(const struct synth_days *a, const struct synth_days_facts *f, FILE *out)
{
    const struct capture_cast_settings *t = f->traffic;
    const struct synth_cast *cast = f->cast;
    fprintf(out, "{\n  \"profile\": \"");
    if (t->year)
        fprintf(out, "nicter-%u\",\n", t->year->year);
    else
        fputs("days\",\n", out);
    fprintf(out,
            "  \"seed\": %" PRIu64 ", \"vlan\": %u, \"timezone\": \"%s\", \"addresses\": %" PRIu64
            ", \"telescope\": \"",
            t->seed, t->vlan, f->timezone, f->addresses);
    synth_telescope_print(out, t->telescope, t->telescope_count);
    fprintf(out, "\",\n  \"rules\": {\"sha256\": \"%s\"},\n", f->rules->sha256);
    fprintf(out,
            "  \"survey\": {\"min_ports\": %d, \"packets\": %" PRIu64
            ", \"min_ports6\": %d, \"packets6\": %d},\n",
            SYNTH_SURVEY_PORTS, synth_survey_packets(cast->address), SYNTH_SURVEY_PORTS,
            SYNTH_SURVEY_PACKETS);
    if (t->year)
        print_year(out, t->year, t->scale);
    fputs("  \"acknowledged_prefixes\": [", out);
    for (size_t i = 0; i < cast->listed_count; i++) {
        char text[INET6_ADDRSTRLEN];
        const struct synth_listed *l = &cast->listed[i];
        inet_ntop(l->ip_version == 4 ? AF_INET : AF_INET6, l->address, text, sizeof text);
        fprintf(out, "%s\"%s/%u\"", i ? ", " : "", text, l->bits);
    }
    fputs("],\n  \"total\": {", out);
    print_result(out, synth_days_total(a), cast, f->addresses, false);
    print_roles(out, synth_days_total(a), false);
    print_ports(out, synth_days_total(a), false);
    fprintf(out, "\"days\": %zu},\n  \"days\": [", t->days);
    for (size_t day = 0; day < t->days; day++)
        print_day(out, a, f, day, cast);
    fputs("\n  ]\n}\n", out);
}
