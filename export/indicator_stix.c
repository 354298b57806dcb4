#include "export/indicator_stix.h"

#include "classify/indicator.h"
#include "export/stix.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct bundled {
    const char *kind, *role; /* literals */
    char value[EVENT_TEXT], rule[EVENT_NAME];
    int64_t first_ns, last_ns;
    uint64_t packets;
};

struct indicator_bundle {
    struct bundled *at;
    size_t count, room;
    int64_t time_ns; /* told last */
};

struct indicator_bundle *indicator_bundle_create(void)
{
    return calloc(1, sizeof(struct indicator_bundle));
}

void indicator_bundle_destroy(struct indicator_bundle *b)
{
    if (b != NULL)
        free(b->at);
    free(b);
}

static enum indicator_kind kind_of(const char *kind)
{
    return strcmp(kind, "host") == 0  ? INDICATOR_HOST
           : strcmp(kind, "url") == 0 ? INDICATOR_URL
                                      : INDICATOR_LOGIN;
}

int indicator_bundle_add(struct indicator_bundle *b, const struct event *e)
{
    if (e->type != EVENT_indicator ||
        indicator_is_private(kind_of(e->indicator.kind), e->indicator.value))
        return 0;
    if (b->count == b->room) {
        size_t room = b->room > 0 ? 2 * b->room : 64;
        struct bundled *grown = realloc(b->at, room * sizeof *grown);
        if (grown == NULL)
            return -ENOMEM;
        b->at = grown;
        b->room = room;
    }
    struct bundled *to = &b->at[b->count++];
    *to = (struct bundled){.kind = e->indicator.kind,
                           .role = e->indicator.role,
                           .first_ns = e->first_ns,
                           .last_ns = e->last_ns,
                           .packets = e->packets};
    memcpy(to->value, e->indicator.value, sizeof to->value);
    memcpy(to->rule, e->indicator.rule, sizeof to->rule);
    b->time_ns = b->count == 1 || e->time_ns > b->time_ns ? e->time_ns : b->time_ns;
    return 0;
}

/* ---- one of each ---- */

static int name_order(const struct bundled *x, const struct bundled *y)
{
    int order = strcmp(x->kind, y->kind);
    if (order == 0)
        order = strcmp(x->role, y->role);
    return order != 0 ? order : strcmp(x->value, y->value);
}

static int order(const void *a, const void *b)
{
    const struct bundled *x = a, *y = b;
    int by_name = name_order(x, y);
    return by_name != 0 ? by_name : (x->first_ns > y->first_ns) - (x->first_ns < y->first_ns);
}

/* Those of several dates become one, with the rule of the first. */
static void join(struct indicator_bundle *b)
{
    size_t count = 0;
    if (b->count > 1)
        qsort(b->at, b->count, sizeof *b->at, order);
    for (size_t i = 0; i < b->count; i++) {
        struct bundled *last = count > 0 ? &b->at[count - 1] : NULL;
        if (last == NULL || name_order(last, &b->at[i]) != 0) {
            b->at[count++] = b->at[i];
            continue;
        }
        last->last_ns = b->at[i].last_ns > last->last_ns ? b->at[i].last_ns : last->last_ns;
        last->packets += b->at[i].packets;
    }
    b->count = count;
}

/* ---- objects ---- */

/* Takes the escapes of what is printable out again; other bytes keep theirs. */
static void unescape(char *text)
{
    char *to = text;
    for (const char *at = text; *at != 0; at++) {
        bool is_escaped = strncmp(at, "\\x5c", 4) == 0 || strncmp(at, "\\x3a", 4) == 0;
        *to++ = !is_escaped ? *at : at[2] == '5' ? '\\' : ':';
        at += is_escaped ? 3 : 0;
    }
    *to = 0;
}

/* A login's value: what stands behind the first ':', which the user's name has none of. */
static void login_split(const char *value, char user[EVENT_TEXT], char password[EVENT_TEXT])
{
    size_t len = strcspn(value, ":");
    memcpy(user, value, len);
    user[len] = 0;
    snprintf(password, EVENT_TEXT, "%s", value[len] == ':' ? value + len + 1 : "");
    unescape(user);
    unescape(password);
}

static void pattern_write(const struct bundled *i, char to[STIX_VALUE])
{
    char plain[EVENT_TEXT], password[EVENT_TEXT], quoted[2 * EVENT_TEXT], other[2 * EVENT_TEXT];
    uint8_t address[16];
    enum indicator_kind kind = kind_of(i->kind);
    if (kind == INDICATOR_LOGIN) {
        login_split(i->value, plain, password);
        stix_quote(quoted, sizeof quoted, plain);
        stix_quote(other, sizeof other, password);
        if (plain[0] == 0)
            snprintf(to, STIX_VALUE, "[user-account:credential = '%.500s']", other);
        else
            snprintf(to, STIX_VALUE,
                     "[user-account:account_login = '%.450s' AND user-account:credential = "
                     "'%.450s']",
                     quoted, other);
        return;
    }
    indicator_refang(plain, sizeof plain, kind, i->value);
    const char *what = kind == INDICATOR_URL                      ? "url"
                       : inet_pton(AF_INET, plain, address) == 1  ? "ipv4-addr"
                       : inet_pton(AF_INET6, plain, address) == 1 ? "ipv6-addr"
                                                                  : "domain-name";
    snprintf(to, STIX_VALUE, "[%s:value = '%.900s']", what,
             stix_quote(quoted, sizeof quoted, plain));
}

static void indicator_write(struct stix *s, const struct bundled *i, const char *sensor)
{
    static const char *const names[] = {"loader", "c2", "login"},
                             *const words[] = {
                                 "An exploit's payload has devices fetch a program there",
                                 "An exploit's payload has devices call there",
                                 "A login that was tried"};
    char name[STIX_VALUE], id[STIX_ID], other[STIX_ID], pattern[STIX_VALUE];
    unsigned role = 0;
    while (role < 2 && strcmp(i->role, names[role]) != 0)
        role++;
    snprintf(name, sizeof name, "%.600s %s %s %.255s", sensor, i->kind, i->role, i->value);
    pattern_write(i, pattern);
    stix_open(s, "indicator", stix_id(id, "indicator", name, false), false);
    snprintf(name, sizeof name, "%s %s %.255s", i->role, i->kind, i->value);
    stix_text(s, "name", role == 2 ? name + sizeof "login" : name);
    snprintf(name, sizeof name, "%s (rule %.63s). A candidate: taken from payloads, not asked for.",
             words[role], i->rule);
    stix_text(s, "description", name);
    fputs(",\"indicator_types\":[\"malicious-activity\"],\"pattern_type\":\"stix\","
          "\"pattern_version\":\"2.1\"",
          s->out);
    stix_text(s, "pattern", pattern);
    stix_time(s, "valid_from", i->first_ns);
    stix_close(s);
    snprintf(name, sizeof name, "%.600s %s %s %.255s %" PRId64, sensor, i->kind, i->role, i->value,
             i->last_ns);
    stix_open(s, "sighting", stix_id(other, "sighting", name, false), false);
    stix_time(s, "first_seen", i->first_ns);
    stix_time(s, "last_seen", i->last_ns);
    fprintf(s->out,
            ",\"count\":%" PRIu64 ",\"sighting_of_ref\":\"%s\",\"where_sighted_refs\":[\"%s\"]",
            i->packets < 999999999 ? i->packets : 999999999, id, s->creator);
    stix_close(s);
}

void indicator_bundle_print(struct indicator_bundle *b, FILE *out, const char *sensor)
{
    struct stix s;
    char what[64];
    join(b);
    snprintf(what, sizeof what, "indicators %zu %" PRId64, b->count, b->time_ns);
    stix_begin(&s, out, sensor, what, b->time_ns);
    for (size_t i = 0; i < b->count; i++)
        indicator_write(&s, &b->at[i], sensor);
    stix_end(&s);
}
