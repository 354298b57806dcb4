/* http_past_state: what the files of http_past share. Nobody else includes it. */
#ifndef EXPORT_HTTP_PAST_STATE_H
#define EXPORT_HTTP_PAST_STATE_H

#include "export/feed_reader.h"
#include "export/http_past.h"
#include "export/outages.h"
#include "export/record_window.h"

#include <pthread.h>

enum { PAST_ANSWERS = 16 };

struct past_line { /* of a list of days */
    int32_t date;
    uint32_t segment;
    struct http_body *body;
};

struct past_answer { /* a day */
    int32_t date;
    size_t top;
    unsigned min_sources;
    uint64_t changes;
    int32_t previous, next;
    bool has_previous, has_next;
    struct http_body *body;
};

struct http_past {
    const char *feed, *program, *timezone;
    const struct ruleset *rules;
    int64_t (*now_ns)(void *context);
    void *context;
    pthread_mutex_t lock; /* over all below: one question at a time */
    struct record_window *unpacker;
    struct window *window;
    struct rule_names names;
    struct past_line *lines; /* by date */
    size_t line_count, line_size;
    struct past_answer answers[PAST_ANSWERS];
    unsigned answer_next;
};

/* The feed as it is now. */
struct past_feed {
    struct feed_pool *pool;
    struct feed_reader *reader;
    const struct feed_reader_segment *segments;
    size_t segment_count;
    size_t begin; /* what stands in segments before this one is not asked for (past_after) */
    uint64_t seq; /* the last record that these readers may see */
    struct outages
        *gaps; /* takes the gaps that past_windows comes by; NULL: they are passed over */
};
int past_feed_open(struct past_feed *f, struct http_past *p, const struct http_audience *a,
                   struct fault *fault);
void past_feed_close(struct past_feed *f);

/* As http_past_after, of the open feed. */
int past_after(struct past_feed *f, uint64_t seq, const struct http_audience *a,
               struct fault *fault);

/* Whether these readers may see what ended at `end_ns`. */
bool past_is_due(const struct http_past *p, const struct http_audience *a, int64_t end_ns);

/* Where a window ends, at most INT64_MAX. */
static inline int64_t past_end_ns(const struct window *w)
{
    int64_t end_ns;
    return __builtin_add_overflow(w->start_ns, w->span_ns, &end_ns) ? INT64_MAX : end_ns;
}

/* Windows that start in [since, until), in the feed's order; `take` ends it by any value but 0, which is returned. The view is
 * of the record, whole. */
typedef int (*past_take)(void *context, const struct record_view *view);
int past_windows(struct http_past *p, struct past_feed *f, int64_t since_ns, int64_t until_ns,
                 uint64_t after, past_take take, void *context, struct fault *fault);

/* varint length + Record, as it stands in the feed. */
void past_record_print(FILE *out, const struct record_view *view);

#endif
