#include "core/day_store.h"

#include "core/channel.h"
#include "core/day_make.h"
#include "core/day_runs.h"
#include "core/event_infected.h"
#include "core/memory.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* A date's counts beside its source days. */
struct sums {
    struct calendar_day of;
    struct count kinds[KIND_COUNT];
    struct day_given_up given_up;
};

struct day_store {
    const struct day_store_settings *settings;
    struct day_runs *runs;
    pthread_mutex_t lock; /* of the sums: */
    struct sums *sums;    /* sorted */
    size_t sum_count;
};

struct day_store *day_store_create(const struct day_store_settings *settings)
{
    struct day_store *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->settings = settings;
    s->runs = day_runs_create(settings->dir);
    if (!s->runs) {
        free(s);
        return NULL;
    }
    (void)pthread_mutex_init(&s->lock, NULL);
    return s;
}

void day_store_destroy(struct day_store *s)
{
    if (!s)
        return;
    day_runs_destroy(s->runs);
    (void)pthread_mutex_destroy(&s->lock);
    free(s->sums);
    free(s);
}

static struct sums *sums_of(struct day_store *s, const struct calendar_day *of)
{
    size_t from = 0, to = s->sum_count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (s->sums[middle].of.date < of->date)
            from = middle + 1;
        else
            to = middle;
    }
    if (from < s->sum_count && s->sums[from].of.date == of->date)
        return &s->sums[from];
    s->sums = memory_must(realloc(s->sums, (s->sum_count + 1) * sizeof *s->sums));
    memmove(&s->sums[from + 1], &s->sums[from], (s->sum_count - from) * sizeof *s->sums);
    s->sum_count++;
    s->sums[from] = (struct sums){.of = *of};
    return &s->sums[from];
}

static void kinds_add(struct sums *sums, const struct count kinds[KIND_COUNT])
{
    for (unsigned k = 0; k < KIND_COUNT; k++) {
        sums->kinds[k].packets += kinds[k].packets;
        sums->kinds[k].bytes += kinds[k].bytes;
    }
}

void day_store_add_lone(struct day_store *s, struct tally_day *day)
{
    (void)pthread_mutex_lock(&s->lock);
    struct sums *sums = sums_of(s, &day->of);
    kinds_add(sums, day->lone_kinds);
    sums->given_up.sources += day->given_up_sources;
    (void)pthread_mutex_unlock(&s->lock);
    day->given_up_sources = 0;
    memset(day->lone_kinds, 0, sizeof day->lone_kinds);
}

/* What a shard's day becomes. */
struct packing {
    const struct origins *origins;
    struct record_buffer bytes;
    struct count kinds[KIND_COUNT];
    struct day_given_up given_up;
};

/* ---- packing ---- */

static int pack_one(void *context, struct source_day *d)
{
    struct packing *p = context;
    struct origin origin;
    uint32_t crc = 0;
    day_make_origin(p->origins, d, &origin);
    for (unsigned k = 0; k < KIND_COUNT; k++) {
        p->kinds[k].packets += d->kinds[k].packets;
        p->kinds[k].bytes += d->kinds[k].bytes;
    }
    return record_pack_source_day(&p->bytes, 1, &crc, d);
}

/* What was packed goes to the date's runs and sums. */
static int packed_add(struct day_store *s, const struct calendar_day *of, unsigned shard,
                      struct packing *p, struct fault *fault)
{
    (void)pthread_mutex_lock(&s->lock);
    struct sums *sums = sums_of(s, of);
    kinds_add(sums, p->kinds);
    sums->given_up.ports += p->given_up.ports;
    sums->given_up.rules += p->given_up.rules;
    (void)pthread_mutex_unlock(&s->lock);
    uint8_t *bytes = p->bytes.data, *fitted = realloc(bytes, p->bytes.len);
    p->bytes.data = NULL;
    return day_runs_add(s->runs, of->date, shard, fitted ? fitted : bytes, p->bytes.len, fault);
}

int day_store_judge(struct day_store *s, int32_t date, unsigned shard, struct survey_judge *judge,
                    struct fault *fault)
{
    struct day_merge *m;
    struct day_merged of = {0};
    const struct source_day *d = &of.whole.day;
    int err = day_merge_begin(&m, s->runs, date, shard, fault);
    while (err == 0 && day_merge_next(m, &of))
        survey_judge_take(judge, source_number(judge->shard, d->address, d->ip_version), d,
                          day_make_is_attacker(s->settings->day.rules, d));
    day_merge_end(m);
    source_day_buffer_free(&of.whole);
    return err;
}

int day_store_pack(struct day_store *s, const struct tally *t, struct tally_day *day,
                   unsigned shard, bool is_current, struct survey_judge *judge, struct fault *fault)
{
    struct packing p = {.origins = s->settings->origins};
    bool is_begun_anew = judge && day_runs_has(s->runs, day->of.date, shard);
    int err = day_pack(t, day, shard, is_current, is_begun_anew ? NULL : judge, &p.given_up,
                       pack_one, &p);
    if (err < 0)
        fault_set(fault, -err, "packing source days: %s", strerror(-err));
    else if (p.bytes.len > 0)
        err = packed_add(s, &day->of, shard, &p, fault);
    if (err == 0 && is_begun_anew)
        err = day_store_judge(s, day->of.date, shard, judge, fault);
    record_buffer_free(&p.bytes);
    return err;
}

/* ---- days ---- */

/* Two threads finish a date: one merges and unpacks, the other counts and writes; what one does for a source costs about as
 * much as what the other does. Between them some batches go round. */
enum { BATCHES = 4, BATCH_SOURCES = 64, SOURCES_AHEAD = 4 };

struct source_batch {
    unsigned count; /* less than BATCH_SOURCES: the last one */
    struct day_merged sources[BATCH_SOURCES];
};

struct merging {
    struct day_merge *merge;
    struct channel *full, *empty; /* batches */
    atomic_bool is_ended;         /* the rest is not wanted */
    struct source_batch batches[BATCHES];
};

static void *merging_main(void *context)
{
    struct merging *m = context;
    for (bool is_more = true; is_more;) {
        struct source_batch *b = channel_pop(m->empty);
        b->count = 0;
        while (b->count < BATCH_SOURCES && !atomic_load(&m->is_ended) &&
               day_merge_next(m->merge, &b->sources[b->count]))
            b->count++;
        is_more = b->count == BATCH_SOURCES;
        channel_push(m->full, b);
    }
    return NULL;
}

/* A source, counted and written. */
static int source_take(struct day_store *s, const struct day_merged *of, struct day *day,
                       struct feed_log *feed, struct fault *fault)
{
    const struct source_day *d = &of->whole.day;
    int err = day_add(day, d, fault);
    if (err == 0 && feed)
        err = feed_log_append_packed(feed, d, of->body, of->body_len, fault);
    if (err == 0 && feed && s->settings->infected)
        err = event_infected_add(s->settings->infected, d, fault);
    return err;
}

/* All of them, in order, each once. */
static int batches_take(struct day_store *s, struct merging *m, struct day *day,
                        struct feed_log *feed, struct fault *fault)
{
    int err = 0;
    for (bool is_more = true; is_more;) {
        struct source_batch *b = channel_pop(m->full);
        for (unsigned i = 0; i < SOURCES_AHEAD && i < b->count; i++)
            day_ahead(day, &b->sources[i].whole.day);
        for (unsigned i = 0; i < b->count && err == 0; i++) {
            if (i + SOURCES_AHEAD < b->count)
                day_ahead(day, &b->sources[i + SOURCES_AHEAD].whole.day);
            err = source_take(s, &b->sources[i], day, feed, fault);
        }
        if (err < 0)
            atomic_store(&m->is_ended, true);
        is_more = b->count == BATCH_SOURCES;
        channel_push(m->empty, b);
    }
    return err;
}

/* All sources of a date. */
static int sources_take(struct day_store *s, int32_t date, struct day *day, struct feed_log *feed,
                        struct fault *fault)
{
    struct merging *m = memory_must(calloc(1, sizeof *m));
    pthread_t thread;
    m->full = memory_must(channel_create(BATCHES, NULL));
    m->empty = memory_must(channel_create(BATCHES, NULL));
    for (unsigned i = 0; i < BATCHES; i++)
        channel_push(m->empty, &m->batches[i]);
    int err = day_merge_begin(&m->merge, s->runs, date, SHARDS, fault);
    if (err == 0 && (err = -pthread_create(&thread, NULL, merging_main, m)) < 0)
        fault_set(fault, -err, "a thread to merge source days: %s", strerror(-err));
    if (err == 0) {
        err = batches_take(s, m, day, feed, fault);
        (void)pthread_join(thread, NULL);
    }
    day_merge_end(m->merge);
    for (unsigned i = 0; i < BATCHES; i++)
        for (unsigned k = 0; k < BATCH_SOURCES; k++)
            source_day_buffer_free(&m->batches[i].sources[k].whole);
    channel_destroy(m->full);
    channel_destroy(m->empty);
    free(m);
    return err;
}

static const struct watched_day *watched_of(const struct day_minutes *watch, int32_t date)
{
    for (uint32_t i = 0; i < watch->count; i++)
        if (watch->days[i].of.date == date)
            return &watch->days[i];
    return NULL;
}

static void sums_fill(struct journal_sums *all, const struct sums *sums,
                      const struct watched_day *watched)
{
    *all = (struct journal_sums){.given_up = sums->given_up};
    memcpy(all->kinds, sums->kinds, sizeof all->kinds);
    for (unsigned k = 0; k < KIND_COUNT; k++)
        all->ledger.observed += sums->kinds[k].packets;
    all->ledger.filtered = watched ? watched->filtered : 0;
    all->ledger.offered = all->ledger.observed + all->ledger.filtered;
    if (watched)
        memcpy(all->minutes, watched->minutes, sizeof all->minutes);
}

int day_store_finish(struct day_store *s, const struct day_minutes *watch, struct feed_log *feed,
                     int (*take)(void *context, const struct day_result *day), void *context,
                     struct fault *fault)
{
    struct day *day = memory_must(day_create(&s->settings->day));
    int err = 0;
    for (uint32_t i = 0; i < watch->count; i++) /* also those of which a filter left nothing */
        (void)sums_of(s, &watch->days[i].of);
    for (size_t i = 0; i < s->sum_count && err == 0; i++) {
        const struct sums *sums = &s->sums[i];
        const struct day_result *result;
        struct day_facts facts = {0};
        struct journal_sums all;
        sums_fill(&all, sums, watched_of(watch, sums->of.date));
        err = day_make_facts(&facts, s->settings, &sums->of, &all, 1, fault);
        if (err == 0)
            day_make_basis(&facts, s->settings);
        if (err == 0)
            err = day_begin(day, &facts, fault);
        if (err == 0 && feed)
            err = feed_log_day_begin(feed, &facts, &s->settings->day, fault);
        if (err == 0 && s->settings->infected)
            event_infected_begin(s->settings->infected, s->settings->day.rules, &facts,
                                 &s->settings->day.survey);
        if (err == 0)
            err = sources_take(s, sums->of.date, day, feed, fault);
        if (err == 0)
            err = day_end(day, &result, fault);
        if (err == 0 && feed)
            err = feed_log_append_day(feed, result, fault);
        if (err == 0 && feed && s->settings->infected)
            err = event_infected_end(s->settings->infected, feed, fault);
        if (err == 0 && take)
            err = take(context, result);
        day_facts_fini(&facts);
    }
    day_destroy(day);
    return err;
}
