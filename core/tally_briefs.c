/* The packet path of the tally: what is done for every brief. */
#include "core/tally.h"

#include "core/tally_cap.h"
#include "core/tally_source.h"

/* Briefs per stage. Four stages are on their way at once: pairs of one come in while the
 * one before is counted, sketches of the one before that come in, and the first shows what is new of its sources. With so few,
 * what is asked of memory fits the processor's queue (a dozen lines and more). */
enum { STAGE = 16, STAGES = 4 };

/* Briefs come from the cache of another core: they are asked for so many ahead (behind the last lies the batch). */
enum { BRIEFS_AHEAD = 32 };

enum { LATE = 32 }; /* briefs whose pair is not at home, at a time */

/* What is counted by set holds so many packets and one more batch. */
static const uint64_t UNDRAINED_MAX = (UINT64_C(1) << (64 - SET_BYTE_BITS)) - 1 - BATCH_MAX;

/* A stage: some of a batch's briefs. No pair moves while a batch has stages: new ones wait for its
 * end. */
struct stage {
    const struct brief *briefs;
    unsigned count, odd_count;
    uint8_t odd[STAGE + 1];       /* those that show something new of their pair, */
    struct source *source[STAGE]; /* and their sources */
    uint64_t top[STAGE];          /* pair_top() */
    struct pair *home[STAGE];     /* the pair's group */
    struct pair *pair[STAGE];     /* not at home: run's away; it is new, or to be searched for */
    uint32_t number[STAGE];       /* of the pair's source, where days are counted */
};

/* What all stages of a batch have to do with. */
struct run {
    struct tally *tally;
    struct source_table *shard;
    struct tally_slot *ts;
    unsigned slot;
    uint64_t here;     /* of a pair's state: newest opening and slot */
    struct pair *away; /* stands for a pair that is not at home; has shown everything */
    unsigned out_bit;  /* of a pair's state: taken out of _ex_survey */
    bool has_survey;
    struct day_run day;
};

/* Briefs of a batch that wait for its end: their pair is not at home. */
struct late {
    unsigned count;
    const struct brief
        *briefs[BATCH_MAX + 1]; /* one more, which is written whether it counts or not */
};

/* How many were picked out. */
struct sifted {
    struct late *late;
    unsigned away, odd;
    uint32_t used; /* rows */
};

/* The source, from bit 32 on the port, from bit 48 on the set. */
static inline uint64_t brief_word(const struct brief *b)
{
    static_assert(offsetof(struct brief, port) == 4 && offsetof(struct brief, set) == 6,
                  "one number");
    uint64_t word;
    memcpy(&word, b, sizeof word);
    return word;
}

/* Where in struct rows it is counted. */
static inline uint32_t word_row(uint64_t word) { return (uint32_t)(word >> 32) % ROWS; }

static inline unsigned word_set(uint64_t word) { return (word >> 48) % BRIEF_SETS; }

static inline uint64_t word_key(uint64_t word)
{
    static_assert((int)BRIEF_TCP == PAIR_TCP && (int)BRIEF_UDP_OTHER == PAIR_UDP &&
                      (int)BRIEF_ICMP - (int)BRIEF_ASKS == PAIR_ICMP,
                  "what a brief is says what its pair is");
    return word % ((uint64_t)BRIEF_ASKS << 48);
}
static inline uint64_t brief_key(const struct brief *b) { return word_key(brief_word(b)); }

/* What the pair of a brief has shown of it, in its state. */
static inline uint64_t word_shows(const struct tally *t, uint64_t word)
{
    return (uint64_t)t->set_shows[word_set(word)] << PAIR_BRIEFS;
}

/* Says which pair a brief names, and brings it in. */
static inline void brief_look(const struct run *r, struct stage *s, unsigned k)
{
    uint64_t word = brief_word(&s->briefs[k]), key = word_key(word);
    struct pair *home = pair_home(r->shard, key);
    __builtin_prefetch(home, 1);
    __builtin_prefetch(&r->ts->rows->at[word_row(word)], 1);
    s->top[k] = pair_top(key);
    s->home[k] = home;
}

/* Picks it out if its pair is not at home, or it shows something new of it. No branch. */
static inline void brief_sift(const struct run *r, struct stage *s, unsigned k, struct sifted *n)
{
    const uint64_t same = (PAIR_SERIALS - 1) | UINT64_C(7) << PAIR_SLOT;
    const struct brief *b = &s->briefs[k];
    unsigned match = pair_match(s->home[k], s->top[k]);
    struct pair *at = pair_at(s->home[k], pair_place_in(match)), *pair = match ? at : r->away;
    uint64_t shown = pair->state, shows = word_shows(r->tally, brief_word(b));
    uint64_t news = ((shown ^ r->here) & same) | (shows & ~shown);
    s->pair[k] = pair;
    s->odd[n->odd] = (uint8_t)k;
    n->odd += news != 0;
    n->late->briefs[n->away] = b;
    n->away += match == 0;
}

/* Counts what needs no source. */
static inline void brief_count(const struct run *r, const struct brief *b, struct sifted *n)
{
    struct rows *rows = r->ts->rows;
    uint64_t word = brief_word(b);
    uint32_t number = word_row(word), len = brief_wire_len(b);
    struct row *row = &rows->at[number];
    rows->used[n->used] = number;
    n->used += row->packets == 0;
    row->packets++;
    row->bytes += len;
    r->ts->briefs[word_set(word)] += UINT64_C(1) << SET_BYTE_BITS | len;
}

/* The pairs of one stage come in while those of the one before are sifted: what is asked of memory
 * is spread over the work. */
static inline void stages_look_and_sift(const struct run *r, struct stage *look, struct stage *sift,
                                        struct late *late)
{
    struct sifted n = {.late = late, .away = late->count, .used = r->ts->rows->used_count};
    if (look->count == STAGE && sift->count == STAGE) {
        for (unsigned k = 0; k < STAGE; k++) {
            brief_look(r, look, k);
            brief_sift(r, sift, k, &n);
            brief_count(r, &sift->briefs[k], &n);
        }
    } else {
        for (unsigned k = 0; k < look->count; k++)
            brief_look(r, look, k);
        for (unsigned k = 0; k < sift->count; k++) {
            brief_sift(r, sift, k, &n);
            brief_count(r, &sift->briefs[k], &n);
        }
    }
    sift->odd_count = n.odd;
    late->count = n.away;
    r->ts->rows->used_count = n.used;
    for (unsigned i = 0; i < n.odd; i++) {
        const struct pair *pair = sift->pair[sift->odd[i]];
        struct source *source = source_at(r->shard, pair_source_number(r->shard, pair));
        __builtin_prefetch(source, 1);
        sift->source[i] = source;
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
        if (s->pair[k] == r->away)
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
        if (s->pair[k] == r->away)
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
        if (s->pair[k] == r->away)
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
static inline void brief_show(const struct run *r, const struct brief *b, struct source *source,
                              struct pair *pair, struct mark_sums *sums)
{
    const uint64_t shown = UINT64_C(0x7ff) << PAIR_BRIEFS; /* PAIR_TOOLS and PAIR_SLOT, too */
    enum { SCANS = 1 << BRIEF_SYN | 1 << BRIEF_UDP, UDP = 1 << BRIEF_UDP | 1 << BRIEF_UDP_OTHER };
    uint64_t word = brief_word(b), here = (uint64_t)r->slot << PAIR_SLOT;
    unsigned what = set_what(word_set(word));
    uint64_t more = (uint64_t)(UDP >> what & 1) * PAIR_UDP_MORE << PAIR_BRIEFS;
    bool is_new;

    count_source(r->tally, source, r->slot, set_kind(r->tally, b),
                 r->tally->set_marks[word_set(word)], sums);
    uint64_t state = pair_counted(r->tally, pair->state, r->slot, SCANS >> what & 1, &is_new);
    r->ts->rows->at[word_row(word)].sources += is_new;
    uint64_t is_moved = ((state ^ here) >> PAIR_SLOT & 7) != 0;
    pair->state = (state & ~(-is_moved & shown)) | here | (word_shows(r->tally, word) & ~more);
}

/* Brings in where a source stands in the sketches. */
static inline void sketch_prefetch(const struct run *r, const struct source *source)
{
    __builtin_prefetch(&r->ts->sketches->at[source->sketch_index], 1);
}

/* Of those that show something new. */
static inline void stage_look_sketches(const struct run *r, const struct stage *s)
{
    for (unsigned i = 0; i < s->odd_count; i++)
        sketch_prefetch(r, s->source[i]);
}

static inline void stage_finish(const struct run *r, const struct stage *s)
{
    struct mark_sums sums = {0};
    for (unsigned i = 0; i < s->odd_count; i++)
        brief_show(r, &s->briefs[s->odd[i]], s->source[i], s->pair[s->odd[i]], &sums);
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

static inline void late_count(const struct run *r, const struct brief *b, struct pair *pair,
                              uint32_t number, struct mark_sums *sums)
{
    late_touch(r, pair, number);
    brief_show(r, b, source_at(r->shard, number), pair, sums);
    brief_out(r, b, pair);
    if (r->day.day)
        day_count(&r->day, b, pair, number);
}

/* Counts those whose pair stands behind its home group; returns how many are left, which are new. */
static unsigned late_known(const struct run *r, const struct brief **briefs, unsigned count,
                           struct mark_sums *sums)
{
    const struct brief *known[LATE];
    struct pair *pair[LATE];
    unsigned known_count = 0, left = 0;
    for (unsigned i = 0; i < count; i++)
        __builtin_prefetch(pair_home(r->shard, brief_key(briefs[i])) + GROUP, 1);
    for (unsigned i = 0; i < count; i++) {
        const struct brief *b = briefs[i];
        pair[known_count] = pair_find_on(r->shard, brief_key(b));
        if (!pair[known_count]) {
            briefs[left++] = b;
            continue;
        }
        uint32_t number = pair_source_number(r->shard, pair[known_count]);
        __builtin_prefetch(source_at(r->shard, number), 1);
        known[known_count++] = b;
    }
    for (unsigned i = 0; i < known_count; i++)
        sketch_prefetch(r, source_at(r->shard, pair_source_number(r->shard, pair[i])));
    for (unsigned i = 0; i < known_count; i++)
        late_count(r, known[i], pair[i], pair_source_number(r->shard, pair[i]), sums);
    return left;
}

/* Finds a brief's source, or makes it. */
static inline uint32_t late_source(const struct run *r, const struct brief *b, uint32_t guess)
{
    struct observation o = {.ip_version = 4};
    memcpy(o.src, &b->src, sizeof b->src);
    uint32_t before = r->shard->source_count;
    uint32_t number = source_find(r->shard, hash_u64(r->tally->key, b->src), guess, &o);
    if (number == SOURCE_NOT_KEPT)
        return number;
    source_may_be_new(r->tally, r->shard, number, before);
    sketch_prefetch(r, source_at(r->shard, number));
    return number;
}

/* Briefs whose pair did not stand at home: it stands behind, or it is new. */
static void late_search(const struct run *r, const struct brief **briefs, unsigned count)
{
    struct mark_sums sums = {0};
    struct tally *t = r->tally;
    struct source_table *shard = r->shard;
    uint32_t number[LATE];
    count = late_known(r, briefs, count, &sums);
    for (unsigned i = 0; i < count; i++) {
        const struct brief *b = briefs[i];
        source_prefetch_slot(shard, hash_u64(t->key, b->src));
        __builtin_prefetch(
            &t->port_sources[(b->set | BRIEF_ASKS) % BRIEF_WHATS == BRIEF_UDP][b->port], 1);
    }
    for (unsigned i = 0; i < count; i++)
        number[i] = source_guess(shard, hash_u64(t->key, briefs[i]->src));
    for (unsigned i = 0; i < count; i++)
        number[i] = late_source(r, briefs[i], number[i]);
    for (unsigned i = 0; i < count; i++) {
        const struct brief *b = briefs[i];
        if (!late_is_given_up(r, b, number[i]))
            late_count(r, b, find_pair(t, shard, brief_key(b), number[i]), number[i], &sums);
    }
    mark_sums_add(t, r->ts, &sums);
}

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
void tally_briefs(struct tally *t, const struct batch *b)
{
    struct tally_slot *ts = &t->slots[b->brief_slot];
    uint64_t here = t->open.newest % PAIR_SERIALS | (uint64_t)b->brief_slot << PAIR_SLOT;
    struct pair away = {.state = here | UINT64_C(0xff) << PAIR_BRIEFS};
    const struct run r = {
        .tally = t,
        .shard = &t->shards[b->shard],
        .ts = ts,
        .slot = b->brief_slot,
        .here = here,
        .away = &away,
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
        stages_look_and_sift(&r, look, sift, &late);
        if (r.day.day) {
            stage_look_day(&r, sift);
            if (day_is_aside(t, b->shard))
                stage_touch(&r, finish);
            stage_count_day(&r, finish);
        }
        stage_look_sketches(&r, wait);
        stage_finish(&r, finish);
        struct stage *free = finish;
        finish = wait, wait = sift, sift = look, look = free;
    }
    for (unsigned from = 0; from < late.count; from += LATE)
        late_search(&r, &late.briefs[from], late.count - from < LATE ? late.count - from : LATE);
    ts->undrained += b->brief_count;
    if (ts->undrained > UNDRAINED_MAX)
        tally_rows_drain(ts), tally_briefs_drain(t, ts);
}
