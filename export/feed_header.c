#include "export/feed_header.h"

#include "export/feed_reader.h"
#include "export/unpack_budget.h"
#include "export/yamiscope.pb-c.h"

#include <errno.h>
#include <stdio.h>

int feed_header_take(struct feed_header *out, const uint8_t *body, size_t len, struct fault *fault)
{
    struct unpack_budget budget;
    unpack_budget_init(&budget);
    Yamiscope__Header *h = yamiscope__header__unpack(&budget.allocator, len, body);
    if (h == NULL)
        return fault_set(fault, EBADMSG, "is no Header");
    (void)snprintf(out->sensor, sizeof out->sensor, "%s", h->sensor);
    (void)snprintf(out->timezone, sizeof out->timezone, "%s", h->timezone);
    out->span_ns = h->window_span_ns;
    out->is_filtered = h->filtered;
    yamiscope__header__free_unpacked(h, &budget.allocator);
    return 0;
}

static int segment_read(struct feed_header *out, struct feed_reader *r, size_t segment,
                        struct fault *fault)
{
    struct feed_cursor c;
    struct record_view view;
    int err = feed_cursor_begin(&c, r, segment, fault);
    if (err == 0)
        err = feed_cursor_next(&c, &view, fault);
    if (err == 1)
        err = feed_header_take(out, view.body, view.body_len, fault);
    else if (err == 0)
        err = -ENODATA; /* nothing of it is whole */
    feed_cursor_end(&c);
    return err;
}

int feed_header_read(struct feed_header *out, const char *dir, struct fault *fault)
{
    struct feed_pool *pool = feed_pool_create(4);
    struct feed_reader *r = NULL;
    const struct feed_reader_segment *list;
    int err = pool == NULL ? fault_set(fault, ENOMEM, "%.100s: no memory", dir)
                           : feed_reader_open(&r, dir, pool, fault);
    if (err == 0) {
        err = -ENODATA;
        for (size_t i = feed_reader_segments(r, &list); err == -ENODATA && i-- > 0;)
            err = segment_read(out, r, i, fault);
        if (err == -ENODATA)
            fault_set(fault, ENODATA, "%.200s: none of its segments begins with a Header", dir);
    }
    feed_reader_close(r);
    feed_pool_destroy(pool);
    return err;
}
