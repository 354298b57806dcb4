/* What other threads ask of a follower. Part of http_follow. */
#include "export/http_follow_state.h"

#include <errno.h>
#include <time.h>

#define NS INT64_C(1000000000)

int64_t http_follow_clock_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * NS + t.tv_nsec;
}

bool http_follow_wait(struct http_follow *f, int64_t end_ns)
{
    struct timespec t = {end_ns / NS, end_ns % NS};
    return pthread_cond_timedwait(&f->came, &f->lock, &t) != ETIMEDOUT;
}

bool http_follow_ready(struct http_follow *f, int timeout_ms)
{
    int64_t end_ns = http_follow_clock_ns() + timeout_ms * INT64_C(1000000);
    pthread_mutex_lock(&f->lock);
    while (!f->is_ready && !f->is_stopping && http_follow_wait(f, end_ns))
        ;
    bool ready = f->is_ready;
    pthread_mutex_unlock(&f->lock);
    return ready;
}

int http_follow_event(struct http_follow *f, uint64_t *index, int timeout_ms,
                      struct http_body **out)
{
    int64_t end_ns = http_follow_clock_ns() + timeout_ms * INT64_C(1000000);
    int found = 0;
    pthread_mutex_lock(&f->lock);
    while (!f->is_stopping && *index >= f->event_count && http_follow_wait(f, end_ns))
        ;
    if (f->is_stopping)
        found = -ESHUTDOWN;
    else if (f->event_count > HTTP_EVENTS && *index < f->event_count - HTTP_EVENTS)
        found = -ESTALE;
    else if (*index < f->event_count) {
        *out = http_body_take(f->events[(*index)++ % HTTP_EVENTS]);
        found = 1;
    }
    pthread_mutex_unlock(&f->lock);
    return found;
}

uint64_t http_follow_index(struct http_follow *f, uint64_t seq, uint64_t *lost)
{
    pthread_mutex_lock(&f->lock);
    *lost = seq != UINT64_MAX && f->lost_seq > seq ? f->lost_seq : 0;
    uint64_t kept = f->event_count < HTTP_EVENTS ? f->event_count : HTTP_EVENTS;
    uint64_t index = f->event_count;
    while (seq != UINT64_MAX && kept > 0 && f->events[(index - 1) % HTTP_EVENTS]->seq > seq) {
        index--;
        kept--;
    }
    pthread_mutex_unlock(&f->lock);
    return index;
}

int64_t http_follow_event_ns(struct http_follow *f, uint64_t index)
{
    int64_t at_ns = INT64_MAX;
    pthread_mutex_lock(&f->lock);
    if (index < f->event_count)
        at_ns = f->event_count - index > HTTP_EVENTS ? INT64_MIN
                                                     : f->events[index % HTTP_EVENTS]->at_ns;
    pthread_mutex_unlock(&f->lock);
    return at_ns;
}

unsigned http_follow_dates(struct http_follow *f, int32_t dates[2])
{
    unsigned count = 0;
    pthread_mutex_lock(&f->lock);
    for (unsigned i = 0; i < 2; i++)
        if (f->views[i] != NULL)
            dates[count++] = http_view_day(f->views[i])->date;
    pthread_mutex_unlock(&f->lock);
    return count;
}

static bool is_printed(const struct printed *p, const struct printed *as)
{
    return p->body != NULL && p->date == as->date && p->seq == as->seq &&
           p->before_seq == as->before_seq && p->top == as->top &&
           p->has_previous == as->has_previous && p->previous == as->previous &&
           p->has_next == as->has_next && p->next == as->next;
}

/* Under the lock: a print takes some milliseconds. */
static int view_print(struct http_follow *f, struct http_view *v,
                      const struct http_view_frame *frame, struct http_body **out)
{
    struct http_memory m;
    struct printed p = {.date = http_view_day(v)->date,
                        .seq = http_view_seq(v),
                        .before_seq = frame->before == NULL ? 0 : http_view_seq(frame->before),
                        .top = frame->top,
                        .has_previous = frame->has_previous,
                        .previous = frame->previous,
                        .has_next = frame->has_next,
                        .next = frame->next};
    for (unsigned i = 0; i < HTTP_PRINTED; i++)
        if (is_printed(&f->printed[i], &p)) {
            *out = http_body_take(f->printed[i].body);
            return 0;
        }
    int err = http_memory_begin(&m);
    if (err < 0)
        return err;
    err = http_view_print(m.out, v, frame);
    p.body = http_memory_end(&m);
    if (err < 0 || p.body == NULL) {
        http_body_release(p.body);
        return -ENOMEM;
    }
    p.body->seq = p.seq;
    struct printed *at = &f->printed[f->printed_next++ % HTTP_PRINTED];
    http_body_release(at->body);
    *at = p;
    *out = http_body_take(p.body);
    return 0;
}

int http_follow_day(struct http_follow *f, int32_t date, const struct http_view_frame *frame,
                    struct http_body **out)
{
    struct http_view_frame full = *frame;
    int err = -ENOENT;
    *out = NULL;
    pthread_mutex_lock(&f->lock);
    full.sensor = f->counts.sensor;
    full.min_sources = f->s.min_sources;
    full.gaps = &f->gaps;
    for (unsigned i = 0; i < 2 && err == -ENOENT; i++) {
        struct http_view *v = f->views[i];
        if (v == NULL || http_view_day(v)->date != date)
            continue;
        full.before = i == 0 ? f->views[1] : frame->before;
        err = view_print(f, v, &full, out);
    }
    pthread_mutex_unlock(&f->lock);
    return err;
}

void http_follow_count(struct http_follow *f, struct http_follow_counts *to)
{
    pthread_mutex_lock(&f->lock);
    *to = f->counts;
    pthread_mutex_unlock(&f->lock);
}
