/* journal_case: parts of a journal, each a function of its date and window, and what they come to when merged plainly. */
#ifndef TEST_JOURNAL_CASE_H
#define TEST_JOURNAL_CASE_H

#include "core/day_journal.h"
#include "export/record.h"
#include "source_day_case.h"

#include <assert.h>
#include <stdlib.h>

enum { POOL_MAX = 600 };

/* Sources that parts draw from: `v4` addresses of IPv4, then `v6` of IPv6; each is in a part with one chance in `rare`. */
struct journal_pool {
    unsigned v4, v6, rare;
};

/* The i-th in order. */
static inline struct source_day *pool_source(const struct journal_pool *p, unsigned i,
                                             struct random_stream *r, int32_t date)
{
    char address[40];
    if (i < p->v4)
        (void)snprintf(address, sizeof address, "%u.%u.%u.1", 1 + i / 200, i % 200, i * 7 % 251);
    else
        (void)snprintf(address, sizeof address, "%08x%024x", 0x20010db8 + i / 300, i);
    struct source_day *s = source_day_random(r, address);
    s->date = date;
    return s;
}

static inline void journal_random_init(struct random_stream *r, int32_t date, uint64_t number)
{
    random_init(r, (uint64_t)(uint32_t)date * 100003 + number);
}

/* The part's next source; false: it has no more. *i begins as 0. */
static inline bool pool_next(const struct journal_pool *p, struct random_stream *r, unsigned *i,
                             int32_t date, struct source_day **out)
{
    while (*i < p->v4 + p->v6) {
        unsigned at = (*i)++;
        if (case_random(r, p->rare) == 0) {
            *out = pool_source(p, at, r, date);
            return true;
        }
    }
    return false;
}

static inline void journal_sums_make(struct journal_sums *s, struct random_stream *r,
                                     uint64_t number)
{
    *s = (struct journal_sums){0};
    for (unsigned k = 0; k < KIND_COUNT; k++)
        s->kinds[k] = (struct count){case_random(r, 100), case_random(r, 9999)};
    s->given_up.ports = case_random(r, 5);
    s->given_up.sources = case_random(r, 5);
    s->ledger.observed = case_random(r, 1000);
    s->ledger.kernel = case_random(r, 3);
    s->ledger.offered = s->ledger.observed + s->ledger.kernel;
    s->ledger.unknown = 1u << case_random(r, DROP_COUNT);
    s->minutes[number / 64 % DAY_MINUTE_WORDS] = UINT64_C(1) << number % 64;
}

/* Rules change every 20 windows, lists every 30. */
static inline void journal_bases_make(struct day_bases *b, uint64_t number)
{
    char rules[65], list[65];
    (void)snprintf(rules, sizeof rules, "%064d", (int)(number / 20));
    (void)snprintf(list, sizeof list, "%064d", (int)(number / 30));
    const struct day_basis row[] = {{"rules", "1", rules}, {"list", "", list}};
    *b = (struct day_bases){0};
    if (day_bases_add(b, DAY_RULES, &row[0]) < 0 || day_bases_add(b, DAY_LISTS, &row[1]) < 0)
        abort();
}

struct journal_made {
    struct journal_part part;
    struct record_buffer shard[SHARDS];
};

static inline void journal_make(struct journal_made *m, const struct journal_pool *p, int32_t date,
                                uint64_t number)
{
    struct random_stream r;
    struct source_day *s;
    unsigned i = 0;
    day_bases_fini(&m->part.bases);
    m->part = (struct journal_part){.date = date, .number = number};
    for (unsigned k = 0; k < SHARDS; k++)
        m->shard[k].len = 0;
    journal_random_init(&r, date, number);
    journal_sums_make(&m->part.sums, &r, number);
    journal_bases_make(&m->part.bases, number);
    while (pool_next(p, &r, &i, date, &s)) {
        uint32_t crc = 0;
        struct record_buffer *b = &m->shard[(i * 2654435761u >> 7) % SHARDS];
        if (record_pack_source_day(b, 1, &crc, s) < 0)
            abort();
    }
    for (unsigned k = 0; k < SHARDS; k++) {
        m->part.runs[k] = m->shard[k].data;
        m->part.lens[k] = m->shard[k].len;
    }
}

static inline void journal_made_free(struct journal_made *m)
{
    for (unsigned k = 0; k < SHARDS; k++)
        record_buffer_free(&m->shard[k]);
    day_bases_fini(&m->part.bases);
}

/* The plain merge: a place for every source there can be. */
struct journal_plain {
    struct source_day_buffer at[POOL_MAX];
    struct journal_sums sums;
    bool is_any;
};

static inline void journal_plain_add(struct journal_plain *t, const struct journal_pool *p,
                                     int32_t date, uint64_t number)
{
    struct random_stream r;
    struct journal_sums sums;
    struct source_day *s;
    unsigned i = 0;
    assert(p->v4 + p->v6 <= POOL_MAX);
    journal_random_init(&r, date, number);
    journal_sums_make(&sums, &r, number);
    journal_sums_add(&t->sums, &sums);
    t->is_any = true;
    while (pool_next(p, &r, &i, date, &s)) {
        struct source_day_buffer *b = &t->at[i - 1];
        int err = b->day.ip_version == 0 ? source_day_copy(b, s) : source_day_merge(b, s);
        if (err < 0)
            abort();
    }
}

static inline void journal_plain_free(struct journal_plain *t)
{
    for (unsigned i = 0; i < POOL_MAX; i++)
        source_day_buffer_free(&t->at[i]);
    t->sums = (struct journal_sums){0};
    t->is_any = false;
}

#endif
