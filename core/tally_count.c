/* The packet path of the tally: what is done for every observation. */
#include "core/tally.h"

#include "core/tally_cap.h"
#include "core/tally_source.h"

/* Briefs per stage. Four stages are on their way at once: pairs of one come in while the
 * one before is counted, sketches of the one before that come in, and the first shows what is new of its sources. With so few,
 * what is asked of memory fits the processor's queue (a dozen lines and more). */
enum { STAGE = 16, STAGES = 4 };

/* Briefs come from the cache of another core: they are asked for so many ahead (behind the last lies the batch). */
enum { BRIEFS_AHEAD = 32 };

/* Briefs of new pairs, and observations, at a time. */
enum { LATE = 32, OTHERS = 64 };

/* What is counted by set holds so many packets and one more batch. */
static const uint64_t UNDRAINED_MAX = (UINT64_C(1) << (64 - SET_BYTE_BITS)) - 1 - BATCH_MAX;

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

/* ---- a source and its pairs: both paths ---- */

/* Counts the pair's packet; returns whether it is its first in the window. */
static inline bool count_pair(struct tally *t, struct pair *p, unsigned slot, bool is_scan)
{
    uint64_t state = pair_caught_up(p->state, &t->open);
    bool is_new = !(state >> (PAIR_WINDOWS + slot) & 1);
    p->state = state | UINT64_C(1) << (PAIR_WINDOWS + slot) | (uint64_t)is_scan << PAIR_IS_SCAN;
    return is_new;
}

/* Where the source was added: it was not there when there were `before`. */
static inline void source_may_be_new(const struct tally *t, struct source_table *shard,
                                     uint32_t number, uint32_t before)
{
    if (number < before || !t->survey)
        return;
    survey_source_add(t->survey, shard, number);
    if (t->lists[0] || t->lists[1])
        survey_lists_apply(t->lists, shard, number);
}

/* Finds the pair of a source or adds it. */
static struct pair *find_pair(struct tally *t, struct source_table *shard, uint64_t key,
                              uint32_t number)
{
    bool is_new;
    struct pair *p = pair_search(shard, key, &is_new);
    if (is_new) {
        if (pair_proto(key) == PAIR_ICMP)
            t->icmp_pairs++;
        else
            t->port_sources[pair_proto(key) - PAIR_TCP][pair_port(key)]++;
        pair_set_source(p, number);
        survey_pair_add(source_at(shard, number), p);
    }
    return p;
}

/* ---- briefs ---- */

/* A stage: some of a batch's briefs. No pair moves while a batch has stages: new ones wait for its
 * end. */
struct stage {
    const struct brief *briefs;
    unsigned count, odd_count;
    uint8_t odd[STAGE]; /* those that show something new of their source or pair */
    uint64_t key[STAGE];
    struct pair *home[STAGE]; /* the pair's group */
    struct pair *pair[STAGE]; /* NULL: not at home: new, or to be searched for */
    uint32_t number[STAGE];   /* of the pair's source, where days are counted */
};

/* What all stages of a batch have to do with. */
struct run {
    struct tally *tally;
    struct source_table *shard;
    struct tally_slot *ts;
    unsigned slot;
    uint64_t here;    /* of a pair's state: newest opening and slot */
    unsigned out_bit; /* of a pair's state: taken out of _ex_survey */
    bool has_survey;
    struct day_run day;
};

/* Briefs of a batch that wait for its end. */
struct late {
    unsigned count;
    const struct brief *briefs[BATCH_MAX];
};

/* The port and, from bit 16 on, the set. */
static inline uint32_t brief_port_set(const struct brief *b)
{
    static_assert(offsetof(struct brief, set) == offsetof(struct brief, port) + 2, "one number");
    uint32_t both;
    memcpy(&both, &b->port, sizeof both);
    return both;
}

/* Where in struct rows it is counted. */
static inline uint32_t brief_row(const struct brief *b)
{
    return brief_port_set(b) % ((uint32_t)BRIEF_WHATS << 16);
}

static inline uint64_t brief_key(const struct brief *b)
{
    static_assert((int)BRIEF_TCP == PAIR_TCP && (int)BRIEF_UDP_OTHER == PAIR_UDP &&
                      (int)BRIEF_ICMP - (int)BRIEF_ASKS == PAIR_ICMP,
                  "what a brief is says what its pair is");
    return b->src | (uint64_t)(brief_port_set(b) % ((uint32_t)BRIEF_ASKS << 16)) << 32;
}

/* What the pair of a brief has shown of it, in its state. */
static inline uint64_t brief_shows(const struct run *r, const struct brief *b)
{
    return (uint64_t)r->tally->set_shows[b->set % BRIEF_SETS] << PAIR_BRIEFS;
}

/* Says which pair a brief names, and brings it in. */
static inline void brief_look(const struct run *r, struct stage *s, unsigned k)
{
    const struct brief *b = &s->briefs[k];
    uint64_t key = brief_key(b);
    struct pair *home = pair_home(r->shard, key);
    __builtin_prefetch(home, 1);
    __builtin_prefetch(&r->ts->rows->at[brief_row(b)], 1);
    s->key[k] = key;
    s->home[k] = home;
}

/* Picks it out if it shows something new. */
static inline void brief_sift(const struct run *r, struct stage *s, unsigned k)
{
    const uint64_t same = (PAIR_SERIALS - 1) | UINT64_C(7) << PAIR_SLOT;
    int place = pair_place(s->home[k], s->key[k]);
    struct pair *pair = pair_at(s->home[k], place < 0 ? 0 : place);
    uint64_t news =
        ((pair->state ^ r->here) & same) | (brief_shows(r, &s->briefs[k]) & ~pair->state);
    s->pair[k] = place < 0 ? NULL : pair;
    s->odd[s->odd_count] = (uint8_t)k;
    s->odd_count += (place < 0) | (news != 0);
}

/* The pairs of one stage come in while those of the one before are sifted: what is asked of memory
 * is spread over the work. */
static inline void stages_look_and_sift(const struct run *r, struct stage *look, struct stage *sift)
{
    sift->odd_count = 0;
    if (look->count == STAGE && sift->count == STAGE) {
        for (unsigned k = 0; k < STAGE; k++) {
            brief_look(r, look, k);
            brief_sift(r, sift, k);
        }
    } else {
        for (unsigned k = 0; k < look->count; k++)
            brief_look(r, look, k);
        for (unsigned k = 0; k < sift->count; k++)
            brief_sift(r, sift, k);
    }
    for (unsigned i = 0; i < sift->odd_count; i++) {
        const struct pair *pair = sift->pair[sift->odd[i]];
        if (pair)
            __builtin_prefetch(source_at(r->shard, pair_source_number(r->shard, pair)), 1);
    }
}

/* Counts what needs no source. */
static inline void stage_count(const struct run *r, const struct stage *s)
{
    struct rows *rows = r->ts->rows;
    uint64_t *sets = r->ts->briefs;
    for (unsigned k = 0; k < s->count; k++) {
        const struct brief *b = &s->briefs[k];
        struct row *row = &rows->at[brief_row(b)];
        if (row->packets == 0)
            row_use(rows, brief_row(b));
        row->packets++;
        row->bytes += brief_wire_len(b);
        sets[b->set % BRIEF_SETS] += UINT64_C(1) << SET_BYTE_BITS | brief_wire_len(b);
    }
}

/* What comes behind a seal finds what the window before has counted, and is about to be packed. Before any of the stage is counted:
 * the pairs catch up when that is done (they show something new), and then it would take what they count since for theirs. */
static void stage_touch(const struct run *r, const struct stage *s)
{
    struct tally *t = r->tally;
    unsigned shard = (unsigned)(r->shard - t->shards);
    const struct source_times *times = r->shard->times;
    int64_t end_ns = t->asides[shard].end_ns;
    for (unsigned k = 0; k < s->count; k++) {
        if (!s->pair[k])
            continue;
        if ((s->pair[k]->state ^ t->open.newest) % PAIR_SERIALS != 0)
            day_pair_touch(t, shard, s->pair[k], s->number[k]);
        if (times[s->number[k]].last_ns < end_ns)
            day_times_touch(t, shard, s->number[k]);
    }
}

/* Brings in what days want of those that have their pair at home. */
static inline void stage_look_day(const struct run *r, struct stage *s)
{
    for (unsigned k = 0; k < s->count; k++) {
        if (!s->pair[k])
            continue;
        s->number[k] = pair_source_number(r->shard, s->pair[k]);
        __builtin_prefetch(&r->shard->times[s->number[k]], 1);
        if (r->shard->lasts && brief_has_evidence(r->day.evidence, &s->briefs[k]))
            __builtin_prefetch(&r->shard->lasts[s->number[k]], 1);
    }
}

/* What is taken out of _ex_survey: half of all packets may be, in any order. */
static inline void brief_out(const struct run *r, const struct brief *b, const struct pair *pair)
{
    r->ts->briefs_out[b->set % BRIEF_SETS] += pair->state >> r->out_bit & 1;
}

/* Counts them; an instance for each. */
static inline void stage_count_day_if(const struct run *r, const struct stage *s, bool has_survey)
{
    for (unsigned k = 0; k < s->count; k++) {
        if (!s->pair[k])
            continue;
        if (has_survey)
            brief_out(r, &s->briefs[k], s->pair[k]);
        day_count(&r->day, &s->briefs[k], s->pair[k], s->number[k]);
    }
}

static inline void stage_count_day(const struct run *r, const struct stage *s)
{
    if (r->has_survey)
        stage_count_day_if(r, s, true);
    else
        stage_count_day_if(r, s, false);
}

/* What a brief of a known source and pair shows that is new. */
static inline void brief_show(const struct run *r, const struct brief *b, uint32_t number,
                              struct pair *pair, struct mark_sums *sums)
{
    struct source *source = source_at(r->shard, number);
    const uint64_t shown = UINT64_C(0x7ff) << PAIR_BRIEFS; /* PAIR_TOOLS and PAIR_SLOT, too */
    enum brief_what what = set_what(b->set);
    bool is_scan = what == BRIEF_SYN || what == BRIEF_UDP;
    bool is_udp = (what | BRIEF_ASKS) == BRIEF_UDP;
    uint64_t kept = ~((uint64_t)(is_udp ? PAIR_UDP_MORE : 0) << PAIR_BRIEFS);

    count_source(r->tally, source, r->slot, set_kind(r->tally, b),
                 r->tally->set_marks[b->set % BRIEF_SETS], sums);
    r->ts->rows->at[brief_row(b)].sources += count_pair(r->tally, pair, r->slot, is_scan);
    uint64_t is_moved = (pair->state >> PAIR_SLOT & 7) != r->slot;
    pair->state = (pair->state & ~(-is_moved & shown)) | (uint64_t)r->slot << PAIR_SLOT |
                  (brief_shows(r, b) & kept);
}

/* Brings in where sources that show something new stand in the sketches. */
static inline void stage_look_sketches(const struct run *r, const struct stage *s)
{
    for (unsigned i = 0; i < s->odd_count; i++) {
        const struct pair *pair = s->pair[s->odd[i]];
        if (!pair)
            continue;
        const struct source *source = source_at(r->shard, pair_source_number(r->shard, pair));
        __builtin_prefetch(&r->ts->sketches->at[source->sketch_index], 1);
    }
}

/* Those whose pair is known; the others are put off to the batch's end. */
static inline void stage_finish(const struct run *r, const struct stage *s, struct late *late)
{
    struct mark_sums sums = {0};
    for (unsigned i = 0; i < s->odd_count; i++) {
        struct pair *pair = s->pair[s->odd[i]];
        const struct brief *b = &s->briefs[s->odd[i]];
        if (pair)
            brief_show(r, b, pair_source_number(r->shard, pair), pair, &sums);
        else
            late->briefs[late->count++] = b;
    }
    mark_sums_add(r->tally, r->ts, &sums);
}

/* Counts a brief for which there is to be no pair. */
static inline bool late_is_given_up(const struct run *r, const struct brief *b, uint32_t number)
{
    struct tally *t = r->tally;
    if (__builtin_expect(number == SOURCE_NOT_KEPT, 0)) {
        tally_cap_lone_brief(t, r->ts, b, r->day.day);
        return true;
    }
    struct source *source = source_at(r->shard, number);
    if (!(source->outs & SOURCE_NO_PORTS) || set_what(b->set) == BRIEF_ICMP)
        return false;
    struct mark_sums sums = {0};
    count_source(t, source, r->slot, set_kind(t, b), t->set_marks[b->set % BRIEF_SETS], &sums);
    mark_sums_add(t, r->ts, &sums);
    tally_cap_brief(t, r->ts, r->shard, number, b, &r->day);
    return true;
}

static void late_touch(const struct run *r, struct pair *pair, uint32_t number)
{
    unsigned shard = (unsigned)(r->shard - r->tally->shards);
    if (!r->day.day || !day_is_aside(r->tally, shard))
        return;
    day_pair_touch(r->tally, shard, pair, number);
    day_times_touch(r->tally, shard, number);
}

/* Briefs whose pair did not stand at home: it stands behind, or it is new. */
static void late_search(const struct run *r, const struct brief **briefs, unsigned count)
{
    struct mark_sums sums = {0};
    struct tally *t = r->tally;
    struct source_table *shard = r->shard;
    uint32_t guess[LATE];
    unsigned new_count = 0;

    for (unsigned i = 0; i < count; i++)
        __builtin_prefetch(pair_home(shard, brief_key(briefs[i])) + GROUP, 1);
    for (unsigned i = 0; i < count; i++) {
        const struct brief *b = briefs[i];
        struct pair *pair = pair_find_on(shard, brief_key(b));
        if (pair) {
            uint32_t number = pair_source_number(shard, pair);
            late_touch(r, pair, number);
            brief_show(r, b, number, pair, &sums);
            brief_out(r, b, pair);
            if (r->day.day)
                day_count(&r->day, b, pair, number);
            continue;
        }
        briefs[new_count++] = b;
        source_prefetch_slot(shard, hash_u64(t->key, b->src));
        __builtin_prefetch(
            &t->port_sources[(b->set | BRIEF_ASKS) % BRIEF_WHATS == BRIEF_UDP][b->port], 1);
    }
    for (unsigned i = 0; i < new_count; i++)
        guess[i] = source_guess(shard, hash_u64(t->key, briefs[i]->src));
    for (unsigned i = 0; i < new_count; i++) {
        const struct brief *b = briefs[i];
        struct observation o = {.ip_version = 4};
        memcpy(o.src, &b->src, sizeof b->src);
        uint32_t before = shard->source_count;
        uint32_t number = source_find(shard, hash_u64(t->key, b->src), guess[i], &o);
        if (late_is_given_up(r, b, number))
            continue;
        source_may_be_new(t, shard, number, before);
        struct pair *pair = find_pair(t, shard, brief_key(b), number);
        late_touch(r, pair, number);
        brief_show(r, b, number, pair, &sums);
        brief_out(r, b, pair);
        if (r->day.day)
            day_count(&r->day, b, pair, number);
    }
    mark_sums_add(t, r->ts, &sums);
}

/* ---- everything else ---- */

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

/* ---- batches ---- */

/* Brings in the line of a brief, or what lies behind the last one. */
static inline void briefs_prefetch(const struct batch *b, size_t brief)
{
    static_assert(offsetof(struct batch, payload) >
                      sizeof b->briefs + 2 * BRIEFS_AHEAD * sizeof *b->briefs,
                  "so far ahead there is still the batch");
    __builtin_prefetch((const char *)b + offsetof(struct batch, briefs) +
                       brief * sizeof *b->briefs);
}

void tally_batch_ahead(const struct batch *b)
{
    __builtin_prefetch(b);
    for (size_t brief = 0; brief < BRIEFS_AHEAD; brief += 4)
        briefs_prefetch(b, brief);
}

/* A batch's briefs, in four stages at once. */
static void briefs_count(struct tally *t, const struct batch *b)
{
    struct tally_slot *ts = &t->slots[b->brief_slot];
    const struct run r = {
        .tally = t,
        .shard = &t->shards[b->shard],
        .ts = ts,
        .slot = b->brief_slot,
        .here = t->open.newest % PAIR_SERIALS | (uint64_t)b->brief_slot << PAIR_SLOT,
        .out_bit = PAIR_OUTS + (ts->basis.turn & 1),
        .has_survey = t->survey != NULL,
        .day = {.tally = t,
                .shard = &t->shards[b->shard],
                .day = ts->day,
                .is_current = ts->day == t->current,
                .base_ns = b->brief_base_ns,
                .combos = &t->combos,
                .evidence = &t->evidence},
    };
    struct stage stages[STAGES];
    struct stage *look = &stages[0], *sift = &stages[1], *wait = &stages[2], *finish = &stages[3];
    struct late late;

    late.count = 0;
    sift->count = wait->count = wait->odd_count = finish->count = finish->odd_count = 0;
    for (unsigned from = 0; from < b->brief_count || sift->count || wait->count || finish->count;) {
        look->briefs = &b->briefs[from];
        look->count = b->brief_count - from < STAGE ? b->brief_count - from : STAGE;
        from += look->count;
        for (unsigned line = 0; line < STAGE / 4; line++)
            briefs_prefetch(b, from + BRIEFS_AHEAD + 4 * line);
        stages_look_and_sift(&r, look, sift);
        stage_count(&r, sift);
        if (r.day.day) {
            stage_look_day(&r, sift);
            if (day_is_aside(t, b->shard))
                stage_touch(&r, finish);
            stage_count_day(&r, finish);
        }
        stage_look_sketches(&r, wait);
        stage_finish(&r, finish, &late);
        struct stage *free = finish;
        finish = wait, wait = sift, sift = look, look = free;
    }
    for (unsigned from = 0; from < late.count; from += LATE)
        late_search(&r, &late.briefs[from], late.count - from < LATE ? late.count - from : LATE);
    ts->undrained += b->brief_count;
    if (ts->undrained > UNDRAINED_MAX)
        tally_rows_drain(ts), tally_briefs_drain(t, ts);
}

void tally_batch_labels(struct tally *t, const struct batch *b, struct label *labels)
{
    struct label here[OTHERS];
    if (t->verdict_sets < b->verdict_count)
        tally_verdicts(t, b);
    if (b->brief_count > 0)
        briefs_count(t, b);
    for (unsigned from = 0; from < b->count; from += OTHERS)
        others_count(t, b, from, b->count - from < OTHERS ? b->count - from : OTHERS,
                     labels ? labels + from : here);
}

void tally_batch(struct tally *t, const struct batch *b) { tally_batch_labels(t, b, NULL); }
