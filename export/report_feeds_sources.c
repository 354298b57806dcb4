/* The source days of a span, merged by address over its dates. */
#include "export/day_span.h"
#include "export/report_feeds_state.h"
#include "export/source_key.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A date's source days, the next one's key at hand. The record itself is read when its turn comes, so
 * that hundreds of dates hold no rows. */
struct stream {
    struct feed_cursor cursor;
    struct day_span_date date;
    uint8_t key[SOURCE_KEY];
    bool is_judged; /* which /64 were survey scanners is known */
};

struct streams {
    struct report_feeds *feeds;
    struct stream *at;
    size_t count;
    size_t *heap; /* the least key on top; of one key the earlier date */
    size_t heap_count;
    bool is_broken; /* something is damaged: no exact numbers */
};

static bool is_less(const struct streams *s, size_t a, size_t b)
{
    int order = memcmp(s->at[a].key, s->at[b].key, SOURCE_KEY);
    return order < 0 || (order == 0 && a < b);
}

static void heap_down(struct streams *s, size_t at)
{
    for (;;) {
        size_t least = 2 * at + 1;
        if (least >= s->heap_count)
            return;
        if (least + 1 < s->heap_count && is_less(s, s->heap[least + 1], s->heap[least]))
            least++;
        if (is_less(s, s->heap[at], s->heap[least]))
            return;
        size_t moved = s->heap[at];
        s->heap[at] = s->heap[least];
        s->heap[least] = moved;
        at = least;
    }
}

/* Looks at the next source day: 1; 0: there is none, the segment has ended or is damaged. */
static int stream_peek(struct streams *s, struct stream *stream, struct fault *fault)
{
    struct record_view view;
    size_t shown;
    int found = feed_cursor_peek(&stream->cursor, &view, &shown, fault);
    if (found > 0 && view.body_kind == RECORD_source_day &&
        source_key_parse(view.body, shown, stream->key))
        return 1;
    if (found > 0) /* Close, or something wrong */
        found = feed_cursor_next(&stream->cursor, &view, fault);
    if (found < 0)
        return found;
    s->is_broken |= !stream->cursor.is_closed || stream->cursor.is_damaged;
    return 0;
}

/* Reads a source day into the feeds' buffer. 1; 0: it is damaged. */
static int stream_read(struct streams *s, struct stream *stream, struct fault *fault)
{
    struct record_view view;
    struct fault why;
    int found = feed_cursor_next(&stream->cursor, &view, fault);
    if (found > 0 && view.body_kind != RECORD_source_day)
        return 0;
    if (found > 0) {
        int err = record_unpack_source_day(&s->feeds->source, view.body, view.body_len, &why);
        if (err == -ENOMEM)
            return report_no_memory(fault);
        if (err < 0)
            return feed_cursor_refuse(&stream->cursor, why.text) < 0 ? report_no_memory(fault) : 0;
    }
    return found;
}

/* Reads the date's IPv6 sources beforehand: a /64 is judged as a whole. The stream stands where it stood. */
static int stream_judge(struct streams *s, struct stream *stream, struct day *tables,
                        struct fault *fault)
{
    uint64_t at = 0;
    int found = 1, err = 0;
    for (bool is_first = true; found > 0 && err == 0; is_first = false) {
        found = stream_read(s, stream, fault);
        if (is_first)
            at = stream->cursor.at;
        if (found > 0)
            err = day_span_judge(tables, &stream->date, &s->feeds->source.day, fault);
    }
    if (found < 0)
        return found;
    if (err == 0)
        err = day_span_judged(tables, &stream->date, fault);
    if (err == -EINVAL) {
        s->is_broken = true;
        return 0;
    }
    s->is_broken |= !stream->cursor.is_closed || stream->cursor.is_damaged;
    feed_cursor_seek(&stream->cursor, at);
    stream->is_judged = true;
    return err;
}

/* Opens a date's segment: its settings, its first key. */
static int stream_begin(struct streams *s, const struct report_date *d, struct fault *fault)
{
    struct stream *stream = &s->at[s->count];
    struct record_view view;
    struct fault why;
    struct day_facts facts = {0};
    struct day_settings settings = {0};
    struct day_basis rules;
    int found = feed_cursor_begin(&stream->cursor, d->reader, d->at.sources, fault);
    s->count++;
    if (found < 0)
        return found;
    while ((found = feed_cursor_next(&stream->cursor, &view, fault)) > 0)
        if (view.body_kind == RECORD_day_begin)
            break;
    if (found <= 0) {
        s->is_broken = true;
        return found;
    }
    int err = record_unpack_day_begin(&facts, &settings, &rules, view.body, view.body_len, &why);
    if (err == 0) {
        const char *unknown;
        uint64_t ipv4;
        bool has_ex = day_facts_ipv4(&facts, &ipv4, &unknown);
        day_span_date_init(&stream->date, d->at.date, &settings.survey, has_ex, ipv4);
    }
    day_facts_fini(&facts);
    if (err < 0) {
        s->is_broken = true;
        return err == -ENOMEM ? report_no_memory(fault) : 0;
    }
    found = stream_peek(s, stream, fault);
    if (found > 0)
        s->heap[s->heap_count++] = s->count - 1;
    return found < 0 ? found : 0;
}

static int streams_run(struct streams *s, struct day *tables, struct fault *fault)
{
    int err = day_span_begin(tables, fault);
    for (size_t i = s->heap_count; i-- > 0;)
        heap_down(s, i);
    while (err == 0 && s->heap_count > 0 && !s->is_broken) {
        struct stream *stream = &s->at[s->heap[0]];
        if (stream->key[0] == 6 && !stream->is_judged) {
            err = stream_judge(s, stream, tables, fault);
            continue;
        }
        int found = stream_read(s, stream, fault);
        if (found < 0)
            return found;
        struct fault why;
        if (found > 0)
            err = day_span_add(tables, &stream->date, &s->feeds->source.day, &why);
        if (err < 0 && err != -ENOMEM)
            found = err = feed_cursor_refuse(&stream->cursor, why.text);
        if (err < 0)
            return report_no_memory(fault);
        s->is_broken |= found == 0;
        found = s->is_broken ? 0 : stream_peek(s, stream, fault);
        if (found < 0)
            return found;
        if (found == 0)
            s->heap[0] = s->heap[--s->heap_count];
        heap_down(s, 0);
    }
    return err;
}

int report_feeds_sources(struct report_feeds *f, struct span *span, size_t from, size_t to,
                         struct fault *fault)
{
    size_t count = to - from;
    struct streams s = {.feeds = f};
    const struct day_result *sums;
    struct fault why;
    int err = 0;

    if (count < 2)
        return 0; /* exact as it is */
    s.is_broken = f->is_labelled_mixed;
    for (size_t i = from; i < to; i++)
        s.is_broken |= f->dates[i].at.sources == FEED_NO_SEGMENT;
    s.at = s.is_broken ? NULL : calloc(count, sizeof *s.at);
    s.heap = s.is_broken ? NULL : calloc(count, sizeof *s.heap);
    struct day *tables = s.is_broken ? NULL : report_feeds_tables(f);
    if (!s.is_broken && (s.at == NULL || s.heap == NULL || tables == NULL))
        err = report_no_memory(fault);
    for (size_t i = from; err == 0 && !s.is_broken && i < to; i++)
        err = stream_begin(&s, &f->dates[i], fault);
    if (err == 0 && !s.is_broken)
        err = streams_run(&s, tables, fault);
    if (err == 0 && !s.is_broken)
        err = day_span_end(tables, &sums, fault);
    if (err == 0 && !s.is_broken && span_add_sources(span, sums, f->rules, &why) < 0)
        s.is_broken = true;
    for (size_t i = 0; i < s.count; i++) {
        f->dates[from + i].is_read |= s.at[i].cursor.is_closed;
        feed_cursor_end(&s.at[i].cursor);
        day_span_date_fini(&s.at[i].date);
    }
    free(s.at);
    free(s.heap);
    f->bounds += err == 0 && (s.is_broken || !span->has_sources);
    return err;
}
