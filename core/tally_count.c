/* The packet path of the tally: what goes as an observation, and batches. */
#include "core/tally.h"

#include "core/tally_cap.h"
#include "core/tally_source.h"

enum { OTHERS = 64 }; /* observations at a time */

static inline unsigned header_set(const struct observation *o)
{
    static const uint8_t transports[256] = {
        [IPPROTO_NR_TCP] = TRANSPORT_tcp,
        [IPPROTO_NR_UDP] = TRANSPORT_udp,
        [IPPROTO_NR_ICMP] = TRANSPORT_icmp,
        [IPPROTO_NR_ICMPV6] = TRANSPORT_icmp,
    };
    static const uint8_t flags[TCP_ACK + TCP_RST + TCP_SYN + TCP_FIN + 1] = {
        [TCP_SYN] = FLAGS_syn,
        [TCP_SYN | TCP_ACK] = FLAGS_synack,
        [TCP_RST] = FLAGS_rst,
        [TCP_RST | TCP_FIN] = FLAGS_rst,
        [TCP_RST | TCP_SYN] = FLAGS_rst,
        [TCP_RST | TCP_SYN | TCP_FIN] = FLAGS_rst,
        [TCP_RST | TCP_ACK] = FLAGS_rst,
        [TCP_RST | TCP_ACK | TCP_FIN] = FLAGS_rst,
        [TCP_RST | TCP_ACK | TCP_SYN] = FLAGS_rst,
        [TCP_RST | TCP_ACK | TCP_SYN | TCP_FIN] = FLAGS_rst,
    };
    unsigned is_there = (o->state & OBSERVATION_TRANSPORT) != 0;
    return o->ip_version >> 1 | (unsigned)transports[o->ip_proto] * is_there << 2 |
           (unsigned)flags[o->tcp_flags & (TCP_ACK | TCP_RST | TCP_SYN | TCP_FIN)] << 4;
}

/* Counts that need no source. */
static inline void count_packet(struct tally_slot *ts, const struct observation *o,
                                const struct label *label)
{
    struct count *kind = &ts->window->kinds[label->kind];
    ts->headers[header_set(o)]++;
    for (unsigned left = label->marks; left; left &= left - 1)
        ts->marks[__builtin_ctz(left)]++;
    ts->snapped += (o->state & OBSERVATION_SNAPPED) != 0;
    kind->packets++;
    kind->bytes += o->wire_len;
    if (label->payload_rule != RULE_NONE)
        window_payload_rule(ts->window, label, &(struct count){1, o->wire_len});
}

static inline void count_out(struct tally_slot *ts, const struct source *s,
                             const struct label *label)
{
    unsigned out = label->marks & SHARE_MARKS & -(s->outs >> (ts->basis.turn & 1) & 1u);
    for (; out; out &= out - 1)
        ts->marks_out[__builtin_ctz(out)]++;
}

static inline void count_port(struct tally *t, struct source_table *shard, uint32_t number,
                              const struct observation *o, bool is_scan)
{
    const struct source *s = source_at(shard, number);
    struct tally_slot *ts = &t->slots[o->slot];
    struct port_count *row = count_port_packet(ts, o, is_scan);
    if (s->outs & SOURCE_NO_PORTS) {
        tally_cap_port(t, row, proto_of(o));
        ts->loss.given_up.ports++;
        return;
    }
    unsigned version = s->kinds_ever & SOURCE_IS_IPV6 ? PAIR_IPV6 : 0;
    uint64_t key = pair_key(s->id, (proto_of(o) + PAIR_TCP) | version, o->dst_port);
    struct pair *pair = find_pair(t, shard, key, number);
    if (day_is_aside(t, (unsigned)(shard - t->shards)))
        day_pair_touch(t, (unsigned)(shard - t->shards), pair, number);
    row->sources.low += count_pair(t, pair, o->slot, is_scan);
}

/* The day of an observation; in a window of two days it says so itself. */
static struct tally_day *day_of_observation(struct tally *t, const struct tally_slot *ts,
                                            const struct observation *o)
{
    return ts->is_two_days ? tally_day_of(t, o->ts_ns) : ts->day;
}

static void count_alone(struct tally_day *day, const struct observation *o,
                        const struct label *label)
{
    struct count *kind = &day->lone_kinds[label->kind];
    kind->packets++;
    kind->bytes += o->wire_len;
}

void tally_observation(struct tally *t, unsigned shard_number, uint64_t hash, uint32_t guess,
                       const struct observation *o, const struct label *label)
{
    struct source_table *shard = &t->shards[shard_number];
    struct tally_slot *ts = &t->slots[o->slot];
    struct tally_day *day = t->has_days ? day_of_observation(t, ts, o) : NULL;
    count_packet(ts, o, label);
    if (!(o->state & OBSERVATION_IP)) {
        if (day)
            count_alone(day, o, label);
        return;
    }
    uint32_t before = shard->source_count;
    uint32_t number = source_find(shard, hash, guess, o);
    if (__builtin_expect(number == SOURCE_NOT_KEPT, 0)) {
        tally_cap_lone(t, ts, o, label, day);
        return;
    }
    source_may_be_new(t, shard, number, before);
    count_out(ts, source_at(shard, number), label);
    if (t->has_days)
        day_observe(t, day, shard_number, number, o, label);
    struct mark_sums sums = {0};
    count_source(t, source_at(shard, number), o->slot, label->kind, label->marks, &sums);
    mark_sums_add(t, ts, &sums);
    if (o->state & OBSERVATION_PORTS)
        count_port(t, shard, number, o, kind_is_scan(label->kind));
}

/* Some of a batch's observations. */
static void others_count(struct tally *t, const struct batch *b, unsigned from, unsigned count,
                         struct label *labels)
{
    struct source_table *shard = &t->shards[b->shard];
    uint32_t guess[OTHERS];

    for (unsigned i = 0; i < count; i++)
        source_prefetch_slot(shard, b->hash[from + i]);
    classify_dated(t->rules, t->telescope, &b->at[from], count, b->payload, t->scratch, labels);
    for (unsigned i = 0; i < count; i++) {
        const struct observation *o = &b->at[from + i];
        guess[i] = source_guess(shard, b->hash[from + i]);
        if (o->state & OBSERVATION_PORTS) {
            bool is_udp = o->ip_proto != IPPROTO_NR_TCP;
            uint64_t key = pair_key(address4(o->src), PAIR_TCP + is_udp, o->dst_port);
            __builtin_prefetch(pair_home(shard, key), 1); /* of IPv4 */
        }
    }
    for (unsigned i = 0; i < count; i++)
        tally_observation(t, b->shard, b->hash[from + i], guess[i], &b->at[from + i], &labels[i]);
}

void tally_batch_labels(struct tally *t, const struct batch *b, struct label *labels)
{
    struct label here[OTHERS];
    if (t->verdict_sets < b->verdict_count)
        tally_verdicts(t, b);
    if (b->brief_count > 0)
        tally_briefs(t, b);
    for (unsigned from = 0; from < b->count; from += OTHERS)
        others_count(t, b, from, b->count - from < OTHERS ? b->count - from : OTHERS,
                     labels ? labels + from : here);
}

void tally_batch(struct tally *t, const struct batch *b) { tally_batch_labels(t, b, NULL); }
