#include "core/synth_day.h"

#include "core/key_set.h"
#include "core/synth_answers.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { SUBNET = 64 };

/* Sources by address: an array, and open addressing over its indexes. */
struct book {
    struct synth_day_source *at;
    size_t count, room;
    uint32_t *slots; /* index + 1; 0: empty */
    uint32_t mask;
};

/* A day that may still grow. */
struct open_day {
    bool is_open;
    size_t day;
    struct book book;
    struct key_set ports;   /* (entry, kind, port): packets */
    struct key_set subnets; /* (entry of a /64, protocol, port) */
};

struct synth_days {
    struct synth_day_settings settings;
    struct open_day open[2];
    struct book run; /* all days: packets[set] is 1 where the source had it, ... */
    uint8_t *run_ex; /* by index: ... and on a day it was not taken out; set of 1 << set */
    size_t run_room;
    uint64_t (*port_total)[65536][2]; /* by scan kind: packets, packets_ex */
    struct synth_day_result *results; /* days, and one more for all together */
};

static const struct {
    uint8_t bit;
    uint8_t tool;
} tools[] = {
    {SYNTH_MIRAI, TOOL_mirai}, {SYNTH_ZMAP, TOOL_zmap},   {SYNTH_MASSCAN, TOOL_masscan},
    {SYNTH_NMAP, TOOL_nmap},   {SYNTH_ZMAP4, TOOL_zmap4}, {SYNTH_HAJIME, TOOL_hajime},
};

/* ---- sources ---- */

static uint32_t address_hash(const uint8_t address[16], unsigned ip_version)
{
    uint64_t halves[2];
    memcpy(halves, address, sizeof halves);
    return (uint32_t)random_mix(random_mix(halves[0] + ip_version) ^ halves[1]);
}

static int book_grow(struct book *b)
{
    size_t room = b->room ? b->room * 2 : 1024;
    struct synth_day_source *at = realloc(b->at, room * sizeof *at);
    if (!at)
        return -ENOMEM;
    b->at = at;
    uint32_t *slots = calloc(room * 2, sizeof *slots);
    if (!slots)
        return -ENOMEM;
    free(b->slots);
    b->slots = slots;
    b->room = room;
    b->mask = (uint32_t)(room * 2 - 1);
    for (size_t i = 0; i < b->count; i++) {
        uint32_t slot = address_hash(at[i].address, at[i].ip_version) & b->mask;
        while (slots[slot])
            slot = (slot + 1) & b->mask;
        slots[slot] = (uint32_t)i + 1;
    }
    return 0;
}

/* Index of the entry, new or old; -ENOMEM. */
static int64_t book_find(struct book *b, const uint8_t address[16], unsigned ip_version)
{
    if (b->count == b->room && book_grow(b))
        return -ENOMEM;
    uint32_t slot = address_hash(address, ip_version) & b->mask;
    for (; b->slots[slot]; slot = (slot + 1) & b->mask) {
        const struct synth_day_source *s = &b->at[b->slots[slot] - 1];
        if (s->ip_version == ip_version && !memcmp(s->address, address, 16))
            return b->slots[slot] - 1;
    }
    struct synth_day_source *s = &b->at[b->count];
    memset(s, 0, sizeof *s);
    memcpy(s->address, address, 16);
    s->ip_version = (uint8_t)ip_version;
    b->slots[slot] = (uint32_t)++b->count;
    return (int64_t)b->count - 1;
}

static void book_clear(struct book *b)
{
    b->count = 0;
    if (b->slots)
        memset(b->slots, 0, ((size_t)b->mask + 1) * sizeof *b->slots);
}

static void book_fini(struct book *b)
{
    free(b->at);
    free(b->slots);
}

/* ---- packets ---- */

static unsigned sets_of(const struct ruleset *rules, const struct synth_intent *i, enum kind kind)
{
    unsigned sets = 1u << DAY_total;
    if (!kind_is_scan(kind))
        return sets;
    unsigned proto = kind == KIND_udp ? PORT_PROTO_UDP : PORT_PROTO_TCP;
    uint32_t marks = rules->classes[rules->port_class[proto][i->dst_port]].marks;
    bool is_payload = i->meant & SYNTH_MEANT_IOT;
    bool is_strict = is_payload || marks & 1u << MARK_iot_strict;
    bool is_broad = is_strict || marks & 1u << MARK_iot_broad;
    bool is_bot = is_broad && kind == KIND_tcp_syn && i->tools & SYNTH_MIRAI;
    sets |= 1u << DAY_scan | (unsigned)is_strict << DAY_iot_strict |
            (unsigned)is_broad << DAY_iot_broad | (unsigned)is_payload << DAY_iot_payload |
            (unsigned)is_bot << DAY_iot_bot | (unsigned)(is_payload || is_bot) << DAY_iot_confirmed;
    return sets;
}

static uint64_t port_key(uint64_t entry, enum kind kind, uint16_t port)
{
    unsigned column = kind == KIND_tcp_syn ? 0 : kind == KIND_tcp_data ? 1 : 2;
    return (entry << 18 | (uint64_t)column << 16 | port) + 1;
}

static enum kind port_key_kind(uint64_t key)
{
    static const enum kind kinds[] = {KIND_tcp_syn, KIND_tcp_data, KIND_udp};
    return kinds[(key - 1) >> 16 & 3];
}

static void source_count(struct open_day *d, struct synth_day_source *s, uint32_t entry,
                         const struct cast_intent *i, enum kind kind, unsigned sets)
{
    for (unsigned set = 0; set < DAY_SETS; set++)
        s->packets[set] += sets >> set & 1;
    s->has_evidence |= (i->packet.meant & SYNTH_MEANT_EXPLOIT) ||
                       (kind == KIND_tcp_syn && i->packet.tools & SYNTH_MIRAI);
    if (!kind_is_scan(kind))
        return;
    uint64_t key = port_key(entry, kind, i->packet.dst_port);
    bool is_new = key_set_add(&d->ports, key), counts = kind != KIND_tcp_data;
    s->syn_udp += counts;
    s->ports += counts && is_new;
    if (s->ip_version == 6 && counts) {
        struct synth_day_source *subnet = &d->book.at[s->subnet];
        subnet->syn_udp++;
        subnet->ports += key_set_add(&d->subnets, port_key(s->subnet, kind, i->packet.dst_port));
    }
}

static int packet_count(struct synth_days *a, struct open_day *d, const struct cast_intent *i)
{
    const struct synth_group *g = &a->settings.cast->groups[i->group];
    struct synth_day_result *r = &a->results[i->day];
    enum kind kind = synth_kind_by_sort[i->packet.sort];
    int64_t subnet = 0, entry;
    if (g->ip_version == 6) {
        uint8_t prefix[16] = {0};
        memcpy(prefix, i->src, 8);
        subnet = book_find(&d->book, prefix, SUBNET);
        if (subnet < 0)
            return -ENOMEM;
    }
    entry = book_find(&d->book, i->src, g->ip_version);
    if (entry < 0)
        return -ENOMEM;
    struct synth_day_source *s = &d->book.at[entry];
    s->subnet = (uint32_t)subnet;
    s->origin = g->origin;
    s->group = i->group;
    source_count(d, s, (uint32_t)entry, i, kind, sets_of(a->settings.rules, &i->packet, kind));
    r->packets++;
    r->ip4 += g->ip_version == 4;
    r->bytes += i->packet.wire_len;
    r->kinds[kind]++;
    r->late += i->is_late;
    r->amplification += !!(i->packet.meant & SYNTH_MEANT_AMPLIFY);
    r->group_packets[i->group]++;
    for (size_t t = 0; t < sizeof tools / sizeof *tools; t++)
        r->tools[tools[t].tool] += !!(i->packet.tools & tools[t].bit);
    return 0;
}

/* ---- the day's end ---- */

static void role_decide(const struct synth_days *a, const struct book *b,
                        struct synth_day_source *s)
{
    const struct synth_day_source *who = s->ip_version == 6 ? &b->at[s->subnet] : s;
    uint64_t least =
        s->ip_version == 4 ? synth_survey_packets(a->settings.cast->address) : SYNTH_SURVEY_PACKETS;
    if (s->origin & SYNTH_BOGON)
        s->role = ROLE_bogon;
    else if (s->origin & SYNTH_ACKNOWLEDGED)
        s->role = ROLE_acknowledged;
    else if (who->ports >= SYNTH_SURVEY_PORTS && who->syn_udp >= least)
        s->role = ROLE_survey;
    if (s->role && s->has_evidence)
        s->role = ROLE_conflict;
}

static bool is_out(const struct synth_day_source *s) { return s->role && s->role != ROLE_conflict; }

static int run_count(struct synth_days *a, const struct synth_day_source *s)
{
    int64_t at = book_find(&a->run, s->address, s->ip_version);
    if (at < 0)
        return -ENOMEM;
    if (a->run.room > a->run_room) {
        uint8_t *ex = realloc(a->run_ex, a->run.room);
        if (!ex)
            return -ENOMEM;
        memset(ex + a->run_room, 0, a->run.room - a->run_room);
        a->run_ex = ex;
        a->run_room = a->run.room;
    }
    struct synth_day_count *sums = a->results[a->settings.days].sets;
    struct synth_day_source *all = &a->run.at[at];
    for (unsigned set = 0; set < DAY_SETS; set++) {
        if (!s->packets[set])
            continue;
        bool is_new_ex = !is_out(s) && !(a->run_ex[at] >> set & 1);
        sums[set].sources += !all->packets[set];
        sums[set].sources_ex += is_new_ex;
        all->packets[set] = 1;
        a->run_ex[at] |= (uint8_t)(is_new_ex << set);
    }
    return 0;
}

static void source_sum(struct synth_day_result *r, const struct synth_day_source *s)
{
    uint64_t in = !is_out(s);
    for (unsigned set = 0; set < DAY_SETS; set++) {
        struct synth_day_count *c = &r->sets[set];
        c->packets += s->packets[set];
        c->packets_ex += in * s->packets[set];
        c->sources += s->packets[set] > 0;
        c->sources_ex += in && s->packets[set] > 0;
    }
    for (unsigned role = 0; role < DAY_ROLES; role++) {
        if (s->role != 1u << role)
            continue;
        r->roles[role].packets += s->packets[DAY_total];
        r->roles[role].sources++;
    }
}

/* `entry` is a source that is alone by itself (IPv4), or a /64, of which the kept sets are known. */
static void sum64(struct synth_day_result *r, const struct synth_day_source *entry)
{
    for (unsigned set = 0; set < DAY_SETS; set++) {
        r->sets[set].sources64 += entry->packets[set] > 0;
        r->sets[set].sources64_ex += entry->kept >> set & 1;
    }
}

static int source_order(const void *left, const void *right)
{
    const struct synth_day_source *a = left, *b = right;
    if (a->ip_version != b->ip_version)
        return a->ip_version < b->ip_version ? -1 : 1;
    return memcmp(a->address, b->address, 16);
}

/* Rows from the pairs of source and port. Entries of the book must still have their indexes. */
static int ports_sum(struct synth_days *a, const struct open_day *d, struct synth_day_result *r)
{
    size_t count = 0;
    struct synth_day_port(*table)[65536] = calloc(3, sizeof *table);
    if (!table)
        return -ENOMEM;
    for (uint64_t n = 0; d->ports.keys && n <= d->ports.mask; n++) {
        uint64_t key = d->ports.keys[n];
        if (!key)
            continue;
        unsigned column = (key - 1) >> 16 & 3, port = (key - 1) & 0xffff;
        struct synth_day_port *row = &table[column][port];
        uint64_t packets = d->ports.counts[n], in = !is_out(&d->book.at[(key - 1) >> 18]);
        count += !row->packets;
        *row = (struct synth_day_port){
            (uint8_t)port_key_kind(key),    (uint16_t)port,   row->packets + packets,
            row->packets_ex + in * packets, row->sources + 1, row->sources_ex + in};
        a->port_total[column][port][0] += packets;
        a->port_total[column][port][1] += in * packets;
    }
    if (a->settings.is_detailed && count) {
        r->ports = calloc(count, sizeof *r->ports);
        for (size_t n = 0; r->ports && n < 3 * (size_t)65536; n++)
            if (table[n >> 16][n & 0xffff].packets)
                r->ports[r->port_count++] = table[n >> 16][n & 0xffff];
    }
    free(table);
    return r->port_count || !a->settings.is_detailed || !count ? 0 : -ENOMEM;
}

static int day_close(struct synth_days *a, struct open_day *d)
{
    struct synth_day_result *r = &a->results[d->day];
    struct book *b = &d->book;
    int err = 0;
    for (size_t i = 0; i < b->count && !err; i++) {
        struct synth_day_source *s = &b->at[i];
        if (s->ip_version == SUBNET)
            continue;
        role_decide(a, b, s);
        source_sum(r, s);
        struct synth_day_source *whole = s->ip_version == 6 ? &b->at[s->subnet] : s;
        for (unsigned set = 0; set < DAY_SETS; set++) {
            whole->kept |= (uint8_t)((s->packets[set] && !is_out(s)) << set);
            whole->packets[set] += whole == s ? 0 : s->packets[set];
        }
        err = run_count(a, s);
    }
    for (size_t i = 0; i < b->count; i++) {
        struct synth_day_source *s = &b->at[i];
        if (s->ip_version != 6)
            sum64(r, s);
        if (s->ip_version != SUBNET)
            continue;
        bool is_survey = s->ports >= SYNTH_SURVEY_PORTS && s->syn_udp >= SYNTH_SURVEY_PACKETS;
        s->role = is_survey ? ROLE_survey : 0;
        r->subnets++;
        r->survey_subnets += is_survey;
    }
    if (!err)
        err = ports_sum(a, d, r);
    r->sources = calloc(b->count + 1, sizeof *r->sources);
    if (err || !r->sources)
        return -ENOMEM;
    for (size_t i = 0; i < b->count; i++)
        if (b->at[i].role || (a->settings.is_detailed && b->at[i].ip_version != SUBNET))
            r->sources[r->source_count++] = b->at[i];
    qsort(r->sources, r->source_count, sizeof *r->sources, source_order);
    book_clear(b);
    key_set_clear(&d->ports);
    key_set_clear(&d->subnets);
    d->is_open = false;
    return 0;
}

int synth_days_add(struct synth_days *a, const struct cast_intent *intents, size_t count,
                   struct fault *fault)
{
    int err = 0;
    for (size_t i = 0; i < count && !err; i++) {
        struct open_day *d = &a->open[intents[i].day & 1];
        if (d->is_open && d->day != intents[i].day)
            err = day_close(a, d);
        d->is_open = true;
        d->day = intents[i].day;
        if (!err)
            err = key_set_reserve(&d->ports, 1);
        if (!err)
            err = key_set_reserve(&d->subnets, 1);
        if (!err)
            err = packet_count(a, d, &intents[i]);
    }
    return err ? fault_set(fault, ENOMEM, "answers: no memory for a day's sources") : 0;
}

/* ---- whole ---- */

static void total_add(struct synth_day_result *t, const struct synth_day_result *r)
{
    t->packets += r->packets;
    t->ip4 += r->ip4;
    t->bytes += r->bytes;
    t->late += r->late;
    t->amplification += r->amplification;
    for (unsigned k = 0; k < KIND_COUNT; k++)
        t->kinds[k] += r->kinds[k];
    for (unsigned n = 0; n < TOOL_COUNT; n++)
        t->tools[n] += r->tools[n];
    for (unsigned g = 0; g < SYNTH_GROUPS_MAX; g++)
        t->group_packets[g] += r->group_packets[g];
    for (unsigned set = 0; set < DAY_SETS; set++) {
        t->sets[set].packets += r->sets[set].packets;
        t->sets[set].packets_ex += r->sets[set].packets_ex;
    }
    for (unsigned role = 0; role < DAY_ROLES; role++)
        t->roles[role].packets += r->roles[role].packets;
}

static int ports_total(const struct synth_days *a, struct synth_day_result *t)
{
    static const enum kind kinds[] = {KIND_tcp_syn, KIND_tcp_data, KIND_udp};
    for (int pass = 0; pass < 2; pass++) {
        t->port_count = 0;
        for (unsigned n = 0; n < 3 * 65536; n++) {
            const uint64_t *packets = a->port_total[n >> 16][n & 0xffff];
            if (!packets[0])
                continue;
            if (pass)
                t->ports[t->port_count] = (struct synth_day_port){.kind = (uint8_t)kinds[n >> 16],
                                                                  .port = (uint16_t)n,
                                                                  .packets = packets[0],
                                                                  .packets_ex = packets[1]};
            t->port_count++;
        }
        if (!pass && !(t->ports = calloc(t->port_count + 1, sizeof *t->ports)))
            return -ENOMEM;
    }
    return 0;
}

int synth_days_end(struct synth_days *a, struct fault *fault)
{
    struct synth_day_result *total = &a->results[a->settings.days];
    int err = 0;
    for (unsigned i = 0; i < 2 && !err; i++)
        if (a->open[i].is_open)
            err = day_close(a, &a->open[i]);
    for (size_t day = 0; day < a->settings.days; day++)
        total_add(total, &a->results[day]);
    if (!err)
        err = ports_total(a, total);
    return err ? fault_set(fault, ENOMEM, "answers: no memory for a day's sources") : 0;
}

int synth_days_create(struct synth_days **out, const struct synth_day_settings *settings,
                      struct fault *fault)
{
    *out = NULL;
    struct synth_days *a = calloc(1, sizeof *a);
    if (a) {
        a->settings = *settings;
        a->results = calloc(settings->days + 1, sizeof *a->results);
        a->port_total = calloc(3, sizeof *a->port_total);
    }
    if (!a || !a->results || !a->port_total) {
        synth_days_destroy(a);
        return fault_set(fault, ENOMEM, "answers: no memory for %zu days", settings->days);
    }
    *out = a;
    return 0;
}

void synth_days_destroy(struct synth_days *a)
{
    if (!a)
        return;
    for (unsigned i = 0; i < 2; i++) {
        book_fini(&a->open[i].book);
        key_set_fini(&a->open[i].ports);
        key_set_fini(&a->open[i].subnets);
    }
    for (size_t day = 0; a->results && day <= a->settings.days; day++) {
        free(a->results[day].sources);
        free(a->results[day].ports);
    }
    book_fini(&a->run);
    free(a->run_ex);
    free(a->port_total);
    free(a->results);
    free(a);
}

const struct synth_day_result *synth_days_of(const struct synth_days *a, size_t day)
{
    return &a->results[day];
}

const struct synth_day_result *synth_days_total(const struct synth_days *a)
{
    return &a->results[a->settings.days];
}
