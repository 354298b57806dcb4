/* Events of what a look-up asks about. Part of lookup. */
#include "export/calendar.h"
#include "export/event_list.h"
#include "export/event_print.h"
#include "export/event_walk.h"
#include "export/lookup_state.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct finding {
    struct lookup_events *out;
    size_t top;
    uint32_t asn; /* 0: any */
};

void lookup_events_clear(struct lookup_events *e)
{
    free(e->at);
    *e = (struct lookup_events){0};
}

/* The newest take the places of the oldest, in a ring. */
static int event_keep(void *context, const struct event *e, const struct record_view *record)
{
    struct finding *f = context;
    (void)record;
    if (f->asn == 0 || e->asn == f->asn)
        f->out->at[f->out->total++ % f->top] = *e;
    return 0;
}

static void swap(struct event *at, size_t from, size_t to)
{
    for (; from + 1 < to; from++) {
        struct event e = at[from];
        at[from] = at[--to];
        at[to] = e;
    }
}

/* The oldest to the front: two turns, then one of the whole. */
static void ring_straighten(struct lookup_events *e, size_t top)
{
    size_t first = e->total > top ? (size_t)(e->total % top) : 0;
    e->count = e->total < top ? (size_t)e->total : top;
    if (first == 0)
        return;
    swap(e->at, 0, first);
    swap(e->at, first, e->count);
    swap(e->at, 0, e->count);
}

int lookup_events_find(struct lookup *l, const struct event_filter *filter, uint32_t asn,
                       struct lookup_events *out, struct fault *fault)
{
    struct event_filter dated = *filter;
    const struct event_walk walk = {
        .filter = &dated, .until_seq = UINT64_MAX, .told_until_ns = INT64_MAX};
    struct finding f = {.out = out, .top = l->settings.top, .asn = asn};
    struct feed_reader *const *readers;
    size_t count = report_feeds_readers(l->feeds, &readers);
    int err = 0;
    lookup_events_clear(out);
    if (f.top == 0)
        return 0;
    if (l->settings.has_span) {
        dated.has_since = dated.has_until = true;
        dated.since_ns = calendar_day_at(l->settings.from).start_ns;
        dated.until_ns = calendar_day_at(l->settings.to).end_ns;
    }
    out->at = calloc(f.top, sizeof *out->at);
    if (out->at == NULL)
        return lookup_no_memory(fault);
    for (size_t i = 0; i < count && err == 0; i++)
        err = event_walk_run(&walk, readers[i], event_keep, &f, fault);
    ring_straighten(out, f.top);
    return err;
}

void lookup_events_json(FILE *out, const struct lookup_events *e)
{
    fputs(",\n  \"events\": [", out);
    for (size_t i = 0; i < e->count; i++) {
        fputs(i > 0 ? ",\n    " : "\n    ", out);
        event_json(out, &e->at[i]);
    }
    fprintf(out, "],\n  \"events_total\": %" PRIu64, e->total);
}

int lookup_events_text(const struct text *text, const struct lookup_events *e, bool is_japanese)
{
    char more[TEXT_COUNTED];
    if (e->count == 0)
        return 0;
    struct event_list *t = event_list_create(e->count);
    if (t == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < e->count; i++)
        event_list_add(t, &e->at[i]);
    event_list_print(t, text, is_japanese ? "イベント" : "Events");
    if (e->total > e->count)
        fprintf(text->out, "  %s %s\n", is_japanese ? "これより前:" : "before these:",
                text_counted(e->total - e->count, "event", "events", more));
    event_list_destroy(t);
    return 0;
}
