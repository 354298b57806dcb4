/* tally_source: what a packet shows of its source in a window, without a branch. Part of the tally; nobody else
 * includes it. */
#ifndef CORE_TALLY_SOURCE_H
#define CORE_TALLY_SOURCE_H

#include "core/tally_state.h"

enum { SHARE_MARKS = (1 << SHARE_MARK_COUNT) - 1 };

/* 0xff for each mark of the set. */
static inline sketch_row row_of_marks(unsigned marks)
{
    const sketch_row bits = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
#ifdef __AVX2__
    const __m128i bytes = _mm_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1);
    sketch_row spread = (sketch_row)_mm_shuffle_epi8(_mm_cvtsi32_si128((int)marks), bytes);
#else
    typedef uint64_t two __attribute__((vector_size(16)));
    const uint64_t each = UINT64_C(0x0101010101010101);
    sketch_row spread = (sketch_row)(two){(marks & 0xff) * each, (marks >> 8) * each};
#endif
    return (sketch_row)((spread & bits) == bits);
}

static inline void count_each(mark_counts *counts, sketch_row row)
{
    *counts += __builtin_convertvector(row, mark_counts);
}

/* Distinct sources by mark that few briefs add: at most 255. */
struct mark_sums {
    sketch_row sources, out;
};

static inline void mark_sums_add(const struct tally *t, struct tally_slot *ts,
                                 const struct mark_sums *sums)
{
    count_each(&ts->sources, sums->sources);
    if (t->survey)
        count_each(&ts->sources_out, sums->out);
}

/* Marks that the source has not had in this window yet; there may be none. Where it had its first in another tally (tally_share.h), it is
 * in the sketch of all sources here, too: so what is not in that one is in none. */
static inline void source_mark(const struct tally *t, struct tally_slot *ts, const struct source *s,
                               unsigned fresh, struct mark_sums *sums)
{
    sketch_row fresh_row = row_of_marks(fresh);
    sums->sources -= fresh_row; /* -1 each */
    if (t->survey) {
        unsigned out = fresh & SHARE_MARKS & -(s->outs >> (ts->basis.turn & 1) & 1u);
        sums->out -= row_of_marks(out);
    }
    struct sketches *sketches = ts->sketches;
    sketch_row *row = &sketches->at[s->sketch_index];
    sketch_row is_shown = row_of_marks(fresh | (unsigned)(fresh != 0) << MARK_total);
    sketch_row is_less = (sketch_row)(*row < s->sketch_rank) & is_shown;
    sketches->used[sketches->used_count] = s->sketch_index;
    sketches->used_count += ((*row)[MARK_total] == 0) & (fresh != 0);
    *row = (*row & ~is_less) | (is_less & s->sketch_rank);
}

/* No branches: whether a source is old, new in the window, or has a mark more is anybody's guess. */
static inline void count_source(struct tally *t, struct source *s, unsigned slot, unsigned kind,
                                unsigned marks, struct mark_sums *sums)
{
    struct serial_age age = serial_age_at(&t->ages, &t->open, t->open.newest - s->serial);
    unsigned shift = slot % 4 * 16, other = slot / 4 ^ 1;
    uint64_t here = s->marks[slot / 4] & ~age.marks[slot / 4];
    unsigned fresh = marks & ~(unsigned)(here >> shift);
    s->marks[slot / 4] = here | (uint64_t)fresh << shift;
    s->marks[other] &= ~age.marks[other];
    s->serial = t->open.newest;
    s->marks_ever |= (uint16_t)fresh;
    s->kinds_ever |= (uint16_t)(1u << kind);
    source_mark(t, &t->slots[slot], s, fresh, sums);
}

/* The state of a pair that has a packet in the window of this slot; *is_new: its first there. */
static inline uint64_t pair_counted(const struct tally *t, uint64_t state, unsigned slot,
                                    uint64_t is_scan, bool *is_new)
{
    struct serial_age age = serial_age_at(&t->ages, &t->open, pair_age(state, &t->open));
    state = (state & ~age.pair) | t->open.newest % PAIR_SERIALS;
    *is_new = !(state >> (PAIR_WINDOWS + slot) & 1);
    return state | UINT64_C(1) << (PAIR_WINDOWS + slot) | is_scan << PAIR_IS_SCAN;
}

/* Counts the pair's packet; returns whether it is its first in the window. */
static inline bool count_pair(struct tally *t, struct pair *p, unsigned slot, bool is_scan)
{
    bool is_new;
    p->state = pair_counted(t, p->state, slot, is_scan, &is_new);
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
static inline struct pair *find_pair(struct tally *t, struct source_table *shard, uint64_t key,
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

#endif
