/* sample_window: windows that hold, of seeded random packets, and a small rule set.
 *
 * A tally as plain as can be, sharing no line with the real one: every packet is counted
 * where it belongs, distinct sources by a bit per source.
 */
#ifndef TEST_SAMPLE_WINDOW_H
#define TEST_SAMPLE_WINDOW_H

#include "classify/ruleset.h"
#include "export/window.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLE_SOURCES = 256 };

static inline uint64_t sample_random(uint64_t *state)
{
    uint64_t x = *state += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

/* tcp/23 strict; tcp/80 shared and web; tcp/22 ssh; udp/1900 shared. */
static inline struct ruleset *sample_ruleset(void)
{
    static struct rule rules[] = {
        {.id = "iot-telnet",
         .category = "iot",
         .breadth = BREADTH_strict,
         .device_en = "Webcams (Telnet)",
         .device_ja = "Webカメラ等のIoT機器",
         .ports = "tcp/23"},
        {.id = "iot-web",
         .category = "iot",
         .breadth = BREADTH_shared,
         .device_en = "Admin pages",
         .device_ja = "管理画面",
         .ports = "tcp/80"},
        {.id = "iot-ssdp",
         .category = "iot",
         .breadth = BREADTH_shared,
         .device_en = "Home routers (SSDP)",
         .device_ja = "ホームルータ",
         .ports = "udp/1900"},
        {.id = "ssh",
         .category = "ssh",
         .device_en = "SSH servers",
         .device_ja = "SSHサーバ",
         .ports = "tcp/22"},
        {.id = "web",
         .category = "web",
         .device_en = "Web servers",
         .device_ja = "Webサーバ",
         .ports = "tcp/80"},
    };
    const uint32_t strict = 1u << MARK_iot_strict, broad = 1u << MARK_iot_broad;
    struct ruleset *set = calloc(1, sizeof *set);
    assert(set != NULL);
    set->rules = rules;
    set->rule_count = 5;
    set->classes[0] = (struct port_class){{RULE_NONE, RULE_NONE}, 0};
    set->classes[1] = (struct port_class){{0, RULE_NONE}, strict | broad};
    set->classes[2] = (struct port_class){{1, 4}, broad};
    set->classes[3] = (struct port_class){{RULE_NONE, 3}, 0};
    set->classes[4] = (struct port_class){{2, RULE_NONE}, broad};
    set->port_class[PORT_PROTO_TCP][23] = 1;
    set->port_class[PORT_PROTO_TCP][80] = 2;
    set->port_class[PORT_PROTO_TCP][22] = 3;
    set->port_class[PORT_PROTO_UDP][1900] = 4;
    strcpy(set->name, "sample");
    strcpy(set->version, "1");
    memset(set->sha256, 'a', 64);
    return set;
}

/* A bit per source: has it been seen? */
struct sample_seen {
    uint64_t ports[PORT_PROTO_COUNT][65536][SAMPLE_SOURCES / 64];
    uint64_t marks[MARK_COUNT][SAMPLE_SOURCES / 64];
    uint64_t out[SHARE_MARK_COUNT][SAMPLE_SOURCES / 64];
};

static inline void sample_source(uint64_t seen[SAMPLE_SOURCES / 64], unsigned source,
                                 struct source_count *count)
{
    uint64_t bit = UINT64_C(1) << source % 64;
    if (seen[source / 64] & bit)
        return;
    seen[source / 64] |= bit;
    count->low++;
    count->high++;
}

static inline void sample_packet(struct window *w, struct sample_seen *seen,
                                 const struct ruleset *rules, uint64_t *state, unsigned source)
{
    static const uint16_t usual[] = {23, 80, 22, 1900, 2323, 53, 65535, 0};
    uint64_t dice = sample_random(state);
    uint64_t bytes = 40 + dice % 60;
    bool is_usual = (dice >> 8) % 4 != 0, is_udp = (dice >> 16) % 5 == 0,
         is_icmp = (dice >> 20) % 9 == 0;
    uint16_t port = is_usual ? usual[(dice >> 24) % 8] : (uint16_t)(dice >> 32);
    bool is_answer = !is_udp && (dice >> 48) % 6 == 0, is_mirai = !is_udp && (dice >> 52) % 3 == 0;
    enum kind kind = is_icmp     ? KIND_icmp
                     : is_udp    ? KIND_udp
                     : is_answer ? KIND_backscatter_tcp
                                 : KIND_tcp_syn;
    unsigned proto = is_udp ? PORT_PROTO_UDP : PORT_PROTO_TCP;
    uint32_t marks = 1u << MARK_total;
    int64_t ts_ns;
    if (__builtin_add_overflow(w->start_ns, sample_random(state) % (uint64_t)w->span_ns, &ts_ns))
        ts_ns = INT64_MAX; /* of the last window of all */

    if (w->totals.packets == 0 || ts_ns < w->totals.first_ns)
        w->totals.first_ns = ts_ns;
    if (w->totals.packets == 0 || ts_ns > w->totals.last_ns)
        w->totals.last_ns = ts_ns;
    w->ledger.offered++;
    w->ledger.observed++;
    w->totals.packets++;
    w->totals.bytes += bytes;
    w->totals.ip4++;
    w->totals.icmp += is_icmp;
    w->kinds[kind].packets++;
    w->kinds[kind].bytes += bytes;
    if (!is_icmp) {
        const struct port_class *class = &rules->classes[rules->port_class[proto][port]];
        struct port_count *row = window_port(w, proto, port);
        bool is_scan = kind_is_scan(kind);
        *(is_udp ? &w->totals.udp : &w->totals.tcp) += 1;
        w->totals.tcp_syn += kind == KIND_tcp_syn;
        w->totals.tcp_synack += is_answer;
        row->packets++;
        row->bytes += bytes;
        row->syn += kind == KIND_tcp_syn;
        row->scan += is_scan;
        sample_source(seen->ports[proto][port], source, &row->sources);
        if (is_scan)
            marks |= 1u << MARK_scan | class->marks;
        for (unsigned i = 0; is_scan && i < 2; i++) {
            if (class->rules[i] == RULE_NONE)
                continue;
            w->rules[class->rules[i]][EVIDENCE_port].packets++;
            w->rules[class->rules[i]][EVIDENCE_port].bytes += bytes;
        }
        if (kind == KIND_tcp_syn && is_mirai)
            marks |=
                1u << MARK_tool_mirai |
                (marks & 1u << MARK_iot_broad ? 1u << MARK_iot_bot | 1u << MARK_iot_confirmed : 0);
    }
    for (unsigned mark = 0; mark < MARK_COUNT; mark++) {
        if (!(marks & 1u << mark))
            continue;
        w->mark_packets[mark]++;
        sample_source(seen->marks[mark], source, &w->mark_sources[mark]);
        hll_add(&w->hll[mark], hll_hash(&source, sizeof source));
        if (mark < SHARE_MARK_COUNT && w->basis.has_ex && source % 3 == 0) {
            w->mark_packets_out[mark]++;
            sample_source(seen->out[mark], source, &w->mark_sources_out[mark]);
        }
    }
}

/* Fills a cleared window with `packets` packets of `sources` sources from number `source` on. */
static inline void sample_fill(struct window *w, const struct ruleset *rules, uint64_t seed,
                               unsigned packets, unsigned source, unsigned sources)
{
    struct sample_seen *seen = calloc(1, sizeof *seen);
    assert(seen != NULL && source + sources <= SAMPLE_SOURCES);
    for (unsigned i = 0; i < packets; i++)
        sample_packet(w, seen, rules, &seed, source + (unsigned)(sample_random(&seed) % sources));
    free(seen);
}

/* Every fifth seed does not count what is taken out, every third knows no day. */
static inline struct window_basis sample_basis(uint64_t seed)
{
    bool has_ex = seed % 5 != 4, has_survey = has_ex && seed % 3 != 1;
    int32_t date = has_survey ? (int32_t)(seed % 7) - 3 : 0;
    return (struct window_basis){
        .has_ex = has_ex,
        .lacks_ex = !has_ex,
        .has_survey = has_survey,
        .lacks_survey = has_ex && !has_survey,
        .first = date,
        .last = date,
    };
}

/* A window of a minute with `packets` packets; caller destroys. */
static inline struct window *sample_window(const struct ruleset *rules, int64_t start_ns,
                                           uint32_t part, unsigned packets, uint64_t seed)
{
    struct window *w = window_create();
    assert(w != NULL);
    w->start_ns = start_ns;
    w->span_ns = INT64_C(60000000000);
    w->part = part;
    w->basis = sample_basis(seed);
    sample_fill(w, rules, seed, packets, 0, SAMPLE_SOURCES);
    return w;
}

#endif
