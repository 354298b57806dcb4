/* Events of several feeds, behind the windows of the merged one. */
#include "export/feed_merge_state.h"
#include "export/record_event.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool is_left_out(const struct feed_merge *m, const struct event *e)
{
    return m->settings.anonymiser != NULL &&
           (e->type == EVENT_watched || e->type == EVENT_indicator);
}

/* As it will be in the merged feed. */
static void event_finish(const struct feed_merge *m, struct event *e)
{
    if (m->settings.anonymiser == NULL)
        return;
    crypto_pan_event_id(m->settings.anonymiser, e->id);
    if (e->ip_version != 0)
        crypto_pan_address(m->settings.anonymiser, e->address, e->ip_version);
}

int merge_event_note(struct feed_merge *m, size_t feed, const struct feed_cursor *c,
                     const struct record_view *view, struct fault *fault)
{
    struct event e;
    struct fault why;
    int err = record_unpack_event(&e, view->body, view->body_len, &why);
    if (err != 0)
        return err == -ENOMEM ? merge_no_memory(fault) : merge_refuse(c, why.text, fault);
    m->summary.events_read++;
    if (is_left_out(m, &e)) {
        m->summary.events_left_out++;
        return 0;
    }
    event_finish(m, &e);
    if (m->event_count == m->event_size) {
        size_t size = m->event_size == 0 ? 256 : m->event_size * 2;
        struct merge_event *grown = realloc(m->events, size * sizeof *grown);
        if (grown == NULL)
            return merge_no_memory(fault);
        m->events = grown;
        m->event_size = size;
    }
    struct merge_event *to = &m->events[m->event_count++];
    *to = (struct merge_event){.time_ns = e.time_ns,
                               .type = (uint8_t)e.type,
                               .update = e.update,
                               .feed = (uint32_t)feed,
                               .segment = (uint32_t)c->segment,
                               .crc = record_crc(0, view->body, view->body_len),
                               .packets = e.packets,
                               .at = c->at};
    memcpy(to->id, e.id, sizeof to->id);
    return 0;
}

/* ---- of one id in several feeds */

static int by_id(const void *a, const void *b)
{
    const struct merge_event *x = a, *y = b;
    int order = memcmp(x->id, y->id, sizeof x->id);
    if (order == 0)
        order = (x->feed > y->feed) - (x->feed < y->feed);
    return order != 0 ? order : (x->update > y->update) - (x->update < y->update);
}

/* Which of two last records is the later one. */
static int later(const struct merge_event *x, const struct merge_event *y)
{
    if (x->update != y->update)
        return x->update < y->update ? -1 : 1;
    if (x->time_ns != y->time_ns)
        return x->time_ns < y->time_ns ? -1 : 1;
    if (x->packets != y->packets)
        return x->packets < y->packets ? -1 : 1;
    return (x->crc > y->crc) - (x->crc < y->crc);
}

/* What one feed tells of an id. */
struct telling {
    const struct merge_event *at;
    size_t count;
};

/* Which of two is to stay; 0: they are the same. Of two that end alike the one that tells more, whatever the order of feeds. */
static int better(const struct telling *x, const struct telling *y)
{
    int order = later(&x->at[x->count - 1], &y->at[y->count - 1]);
    if (order == 0)
        order = (x->count > y->count) - (x->count < y->count);
    for (size_t i = 0; order == 0 && i < x->count; i++)
        order = later(&x->at[i], &y->at[i]);
    return order;
}

/* Of the records [from, to) of one id those of one feed stay. */
static void id_settle(struct merge_event *from, struct merge_event *to)
{
    struct telling best = {from, 0};
    for (struct merge_event *e = from, *end; e < to; e = end) {
        for (end = e + 1; end < to && end->feed == e->feed;)
            end++;
        const struct telling one = {e, (size_t)(end - e)};
        if (best.count == 0 || better(&one, &best) > 0)
            best = one;
    }
    for (struct merge_event *e = from; e < to; e++)
        e->is_dropped = e->feed != best.at->feed;
}

static int by_order(const void *a, const void *b)
{
    const struct merge_event *x = a, *y = b;
    if (x->time_ns != y->time_ns)
        return x->time_ns < y->time_ns ? -1 : 1;
    if (x->type != y->type)
        return x->type < y->type ? -1 : 1;
    int order = memcmp(x->id, y->id, sizeof x->id);
    return order != 0 ? order : (x->update > y->update) - (x->update < y->update);
}

int merge_events_sort(struct feed_merge *m, struct fault *fault)
{
    size_t kept = 0;
    m->event_next = 0;
    if (m->event_count == 0)
        return 0;
    m->event_cursors = calloc(m->feed_count, sizeof *m->event_cursors);
    if (m->event_cursors == NULL)
        return merge_no_memory(fault);
    qsort(m->events, m->event_count, sizeof *m->events, by_id);
    for (size_t i = 0, end; i < m->event_count; i = end) {
        for (end = i + 1; end < m->event_count &&
                          memcmp(m->events[i].id, m->events[end].id, sizeof m->events->id) == 0;)
            end++;
        id_settle(&m->events[i], &m->events[end]);
    }
    for (size_t i = 0; i < m->event_count; i++)
        if (!m->events[i].is_dropped)
            m->events[kept++] = m->events[i];
    m->event_count = kept;
    qsort(m->events, m->event_count, sizeof *m->events, by_order);
    return 0;
}

/* ---- written */

/* The cursor of an event's feed, in its segment. */
static int cursor_at(struct feed_merge *m, const struct merge_event *e, struct fault *fault)
{
    struct feed_cursor *c = &m->event_cursors[e->feed];
    int err = 0;
    if (c->reader == NULL || c->segment != e->segment) {
        feed_cursor_end(c);
        err = feed_cursor_begin(c, m->readers[e->feed], e->segment, fault);
    }
    return err == 0 ? feed_cursor_stand(c, e->at, fault) : err;
}

static int event_write(struct feed_merge *m, const struct merge_event *at, struct fault *fault)
{
    struct feed_cursor *c = &m->event_cursors[at->feed];
    struct record_view view;
    struct fault why;
    struct event e;
    int err = cursor_at(m, at, fault);
    if (err == 0)
        err = feed_cursor_next(c, &view, fault);
    if (err < 0)
        return err;
    if (err == 0 || view.body_kind != RECORD_event)
        return merge_refuse(c, "the feed changed while it was read", fault);
    err = record_unpack_event(&e, view.body, view.body_len, &why);
    if (err != 0)
        return err == -ENOMEM ? merge_no_memory(fault) : merge_refuse(c, why.text, fault);
    event_finish(m, &e);
    return feed_log_append_event(m->log, &e, fault);
}

int merge_events_write(struct feed_merge *m, int64_t up_to_ns, struct fault *fault)
{
    int err = 0;
    while (err == 0 && m->event_next < m->event_count &&
           m->events[m->event_next].time_ns <= up_to_ns) {
        err = event_write(m, &m->events[m->event_next], fault);
        m->event_next += err == 0;
        m->summary.events += err == 0;
    }
    return err;
}

void merge_events_fini(struct feed_merge *m)
{
    for (size_t i = 0; m->event_cursors != NULL && i < m->feed_count; i++)
        feed_cursor_end(&m->event_cursors[i]);
    free(m->event_cursors);
    free(m->events);
}
