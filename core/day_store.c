#include "core/day_store.h"

#include "core/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MEMORY_MAX = 256 << 20 }; /* bytes of runs in memory */

struct run {
    int32_t date;
    uint8_t *bytes; /* NULL: in the file, from `at` on */
    size_t len, at;
};

/* A date's counts beside its source days. */
struct sums {
    struct calendar_day of;
    struct count kinds[KIND_COUNT];
    struct day_given_up given_up;
};

struct day_store {
    const struct day_store_settings *settings;
    pthread_mutex_t lock;
    struct run *runs;
    size_t run_count, run_room;
    struct sums *sums;
    size_t sum_count;
    size_t in_memory, in_file;
    int fd;        /* -1: none yet */
    uint8_t *file; /* mapped when all is there */
};

struct day_store *day_store_create(const struct day_store_settings *settings)
{
    struct day_store *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->settings = settings;
    s->fd = -1;
    (void)pthread_mutex_init(&s->lock, NULL);
    return s;
}

void day_store_destroy(struct day_store *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->run_count; i++)
        free(s->runs[i].bytes);
    if (s->file)
        (void)munmap(s->file, s->in_file);
    if (s->fd >= 0)
        (void)close(s->fd);
    (void)pthread_mutex_destroy(&s->lock);
    free(s->runs);
    free(s->sums);
    free(s);
}

static struct sums *sums_of(struct day_store *s, const struct calendar_day *of)
{
    for (size_t i = 0; i < s->sum_count; i++)
        if (s->sums[i].of.date == of->date)
            return &s->sums[i];
    s->sums = memory_must(realloc(s->sums, (s->sum_count + 1) * sizeof *s->sums));
    s->sums[s->sum_count] = (struct sums){.of = *of};
    return &s->sums[s->sum_count++];
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

static int file_write(struct day_store *s, const struct run *run, struct fault *fault)
{
    const char *dir = s->settings->dir;
    if (s->fd < 0)
        s->fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (s->fd < 0)
        return fault_set(fault, errno, "%s: a file for source days: %s", dir, strerror(errno));
    for (size_t done = 0; done < run->len;) {
        ssize_t n = pwrite(s->fd, run->bytes + done, run->len - done, (off_t)(s->in_file + done));
        if (n < 0 && errno != EINTR)
            return fault_set(fault, errno, "%s: writing source days: %s", dir, strerror(errno));
        done += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

/* What a shard's day becomes. */
struct packing {
    struct record_buffer bytes;
    struct count kinds[KIND_COUNT];
    struct day_given_up given_up;
};

/* Takes the bytes over. */
static int run_add(struct day_store *s, struct run run, const struct calendar_day *of,
                   const struct packing *p, struct fault *fault)
{
    int err = 0;
    (void)pthread_mutex_lock(&s->lock);
    struct sums *sums = sums_of(s, of);
    kinds_add(sums, p->kinds);
    sums->given_up.ports += p->given_up.ports;
    sums->given_up.rules += p->given_up.rules;
    if (s->in_memory + run.len > MEMORY_MAX) {
        err = file_write(s, &run, fault);
        run.at = s->in_file;
        s->in_file += err == 0 ? run.len : 0;
        free(run.bytes);
        run.bytes = NULL;
    } else {
        s->in_memory += run.len;
    }
    if (err == 0) {
        if (s->run_count == s->run_room) {
            s->run_room = s->run_room ? s->run_room * 2 : SHARDS;
            s->runs = memory_must(realloc(s->runs, s->run_room * sizeof *s->runs));
        }
        s->runs[s->run_count++] = run;
    }
    (void)pthread_mutex_unlock(&s->lock);
    return err;
}

/* ---- packing ---- */

static int pack_one(void *context, const struct source_day *d)
{
    struct packing *p = context;
    uint32_t crc = 0;
    for (unsigned k = 0; k < KIND_COUNT; k++) {
        p->kinds[k].packets += d->kinds[k].packets;
        p->kinds[k].bytes += d->kinds[k].bytes;
    }
    return record_pack_source_day(&p->bytes, 1, &crc, d);
}

int day_store_pack(struct day_store *s, const struct tally *t, struct tally_day *day,
                   unsigned shard, bool is_current, struct survey_judge *judge, struct fault *fault)
{
    struct packing p = {0};
    int err = day_pack(t, day, shard, is_current, judge, &p.given_up, pack_one, &p);
    if (err < 0) {
        fault_set(fault, -err, "packing source days: %s", strerror(-err));
    } else if (p.bytes.len > 0) {
        struct run run = {.date = day->of.date, .bytes = p.bytes.data, .len = p.bytes.len};
        p.bytes.data = NULL;
        err = run_add(s, run, &day->of, &p, fault);
    }
    record_buffer_free(&p.bytes);
    return err;
}

/* ---- merging ---- */

/* A run being read: its next source day. */
struct run_cursor {
    const uint8_t *at, *end;
    struct source_day_buffer next;
};

struct merge {
    struct run_cursor *cursors;
    uint32_t *heap; /* numbers of cursors, that with the least next one first */
    uint32_t count, left;
};

/* Reads the next one; false: there is none. These bytes are our own. */
static bool cursor_next(struct run_cursor *c)
{
    uint64_t len = 0;
    struct record_view view;
    if (c->at == c->end)
        return false;
    for (unsigned shift = 0;; shift += 7) {
        len |= (uint64_t)(*c->at & 0x7f) << shift;
        if (!(*c->at++ & 0x80))
            break;
    }
    int err = record_view(&view, c->at, len);
    struct fault fault;
    if (err == 0)
        err = record_unpack_source_day(&c->next, view.body, view.body_len, &fault);
    if (err == -ENOMEM)
        memory_ended();
    assert(err == 0);
    c->at += len;
    return true;
}

static bool is_before(const struct merge *m, uint32_t a, uint32_t b)
{
    return source_day_order(&m->cursors[a].next.day, &m->cursors[b].next.day) < 0;
}

/* The heap holds but for place i. */
static void heap_sink(struct merge *m, uint32_t i)
{
    uint32_t moved = m->heap[i];
    for (uint32_t child; (child = 2 * i + 1) < m->left; i = child) {
        if (child + 1 < m->left && is_before(m, m->heap[child + 1], m->heap[child]))
            child++;
        if (!is_before(m, m->heap[child], moved))
            break;
        m->heap[i] = m->heap[child];
    }
    m->heap[i] = moved;
}

static void heap_turn(struct merge *m)
{
    if (!cursor_next(&m->cursors[m->heap[0]]))
        m->heap[0] = m->heap[--m->left];
    if (m->left > 0)
        heap_sink(m, 0);
}

static void merge_begin(struct merge *m, const struct day_store *s, int32_t date)
{
    *m = (struct merge){
        .cursors = memory_must(calloc(s->run_count + 1, sizeof *m->cursors)),
        .heap = memory_must(calloc(s->run_count + 1, sizeof *m->heap)),
    };
    for (size_t i = 0; i < s->run_count; i++) {
        const struct run *run = &s->runs[i];
        if (run->date != date)
            continue;
        struct run_cursor *c = &m->cursors[m->count];
        c->at = run->bytes ? run->bytes : s->file + run->at;
        c->end = c->at + run->len;
        if (cursor_next(c))
            m->heap[m->left++] = m->count;
        m->count++;
    }
    for (uint32_t i = m->left; i-- > 0;)
        heap_sink(m, i);
}

static void merge_end(struct merge *m)
{
    for (uint32_t i = 0; i < m->count; i++)
        source_day_buffer_free(&m->cursors[i].next);
    free(m->cursors);
    free(m->heap);
}

/* ---- days ---- */

static void facts_basis(struct day_facts *f, const struct day_store_settings *s)
{
    const struct ruleset *rules = s->day.rules;
    int err = day_facts_add_basis(f, DAY_RULES, rules->name, rules->version, rules->sha256);
    for (size_t i = 0; i < s->list_count && err == 0; i++)
        err = day_facts_add_basis(f, DAY_LISTS, s->lists[i].name, s->lists[i].version,
                                  s->lists[i].sha256);
    for (size_t i = 0; i < s->database_count && err == 0; i++)
        err = day_facts_add_basis(f, DAY_DATABASES, s->databases[i].name, s->databases[i].version,
                                  s->databases[i].sha256);
    if (err < 0)
        memory_ended();
}

static int facts_fill(struct day_facts *f, const struct day_store *s, const struct sums *sums,
                      const struct watched_day *watched, struct fault *fault)
{
    const struct day_store_settings *set = s->settings;
    struct day_telescope *telescope;
    int err = day_facts_init(f, sums->of.date, sums->of.start_ns, sums->of.end_ns, set->timezone);
    if (err < 0)
        return fault_set(fault, -err, "a day of zone %s: %s", set->timezone, strerror(-err));
    f->revision = 1;
    f->given_up = sums->given_up;
    memcpy(f->kinds, sums->kinds, sizeof f->kinds);
    for (unsigned k = 0; k < KIND_COUNT; k++)
        f->ledger.observed += sums->kinds[k].packets;
    f->ledger.filtered = watched ? watched->filtered : 0;
    f->ledger.offered = f->ledger.observed + f->ledger.filtered;
    facts_basis(f, set);
    if (day_facts_add_sensor(f, set->sensor) < 0)
        memory_ended();
    err = day_facts_add_telescope(f, set->telescope_id, set->telescope_configured,
                                  set->telescope_ipv4, &telescope, fault);
    if (err == 0 && watched)
        memcpy(telescope->minutes, watched->minutes, sizeof telescope->minutes);
    return err;
}

/* Who a source is; texts belong to the origins. */
static void origin_fill(const struct origins *origins, struct source_day *d, struct origin *found)
{
    origins_find(origins, d->address, d->ip_version, found);
    struct source_day_origin *o = &d->origin;
    *o = (struct source_day_origin){.acknowledged = "", .bogon = "", .as_name = ""};
    if (found->class == ORIGIN_acknowledged)
        o->acknowledged = origins_organisation(origins, found->organisation)->name;
    if (found->bogon)
        o->bogon = found->bogon->prefix;
    memcpy(o->country, found->country, sizeof o->country);
    o->asn = found->as.number;
    o->as_name = found->as.name;
}

/* All sources of a date, in order, each once. */
static int sources_take(struct day_store *s, int32_t date, struct day *day, struct feed_log *feed,
                        struct fault *fault)
{
    struct merge m;
    struct source_day_buffer whole = {0};
    int err = 0;
    merge_begin(&m, s, date);
    while (m.left > 0 && err == 0) {
        struct origin origin;
        struct source_day *d = &m.cursors[m.heap[0]].next.day;
        bool is_split = false;
        for (uint32_t child = 1; child < 3 && child < m.left; child++)
            is_split |= source_day_order(d, &m.cursors[m.heap[child]].next.day) == 0;
        if (is_split) {
            if (source_day_copy(&whole, d) < 0)
                memory_ended();
            d = &whole.day;
            heap_turn(&m);
            while (m.left > 0 && source_day_order(d, &m.cursors[m.heap[0]].next.day) == 0) {
                if (source_day_merge(&whole, &m.cursors[m.heap[0]].next.day) < 0)
                    memory_ended();
                heap_turn(&m);
            }
        }
        origin_fill(s->settings->origins, d, &origin);
        err = day_add(day, d, fault);
        if (err == 0 && feed)
            err = feed_log_append_source_day(feed, d, fault);
        if (!is_split)
            heap_turn(&m);
    }
    merge_end(&m);
    source_day_buffer_free(&whole);
    return err;
}

static int compare_sums(const void *a, const void *b)
{
    int32_t x = ((const struct sums *)a)->of.date, y = ((const struct sums *)b)->of.date;
    return x < y ? -1 : x > y;
}

static const struct watched_day *watched_of(const struct day_minutes *watch, int32_t date)
{
    for (uint32_t i = 0; i < watch->count; i++)
        if (watch->days[i].of.date == date)
            return &watch->days[i];
    return NULL;
}

int day_store_finish(struct day_store *s, const struct day_minutes *watch, struct feed_log *feed,
                     int (*take)(void *context, const struct day_result *day), void *context,
                     struct fault *fault)
{
    struct day *day = memory_must(day_create(&s->settings->day));
    int err = 0;
    for (uint32_t i = 0; i < watch->count; i++) /* also those of which a filter left nothing */
        (void)sums_of(s, &watch->days[i].of);
    if (s->sum_count > 1) /* none: there is no array */
        qsort(s->sums, s->sum_count, sizeof *s->sums, compare_sums);
    if (s->in_file > 0) {
        s->file = mmap(NULL, s->in_file, PROT_READ, MAP_SHARED, s->fd, 0);
        if (s->file == MAP_FAILED) {
            s->file = NULL;
            err = fault_set(fault, errno, "%s: mapping source days: %s", s->settings->dir,
                            strerror(errno));
        }
    }
    for (size_t i = 0; i < s->sum_count && err == 0; i++) {
        const struct sums *sums = &s->sums[i];
        const struct day_result *result;
        struct day_facts facts = {0};
        err = facts_fill(&facts, s, sums, watched_of(watch, sums->of.date), fault);
        if (err == 0)
            err = day_begin(day, &facts, fault);
        if (err == 0 && feed)
            err = feed_log_day_begin(feed, &facts, &s->settings->day, fault);
        if (err == 0)
            err = sources_take(s, sums->of.date, day, feed, fault);
        if (err == 0)
            err = day_end(day, &result, fault);
        if (err == 0 && feed)
            err = feed_log_append_day(feed, result, fault);
        if (err == 0 && take)
            err = take(context, result);
        day_facts_fini(&facts);
    }
    day_destroy(day);
    return err;
}
