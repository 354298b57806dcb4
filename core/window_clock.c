#include "core/window_clock.h"

#include "core/start_map.h"

#include <stdlib.h>

struct window_clock {
    struct window_clock_fast fast; /* first: see window_clock_slot */
    int64_t span_ns, lateness_ns;
    bool has_watermark, has_before;
    int64_t before_ns;   /* the packet before, while there is no watermark */
    uint32_t jump_run;   /* packets in a row that lie a day ahead */
    int64_t jump_min_ns; /* earliest timestamp among them */
    uint32_t serial;
    struct open_window windows[WINDOW_SLOTS];
    struct start_map *parts; /* start -> records so far */
    const struct window_clock_ops *ops;
    void *context;
};

struct window_clock *window_clock_create(int64_t span_ns, int64_t lateness_ns,
                                         const struct window_clock_ops *ops, void *context)
{
    struct window_clock *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->parts = start_map_create();
    if (!c->parts) {
        free(c);
        return NULL;
    }
    c->span_ns = span_ns;
    c->lateness_ns = lateness_ns;
    c->ops = ops;
    c->context = context;
    return c;
}

void window_clock_destroy(struct window_clock *c)
{
    if (!c)
        return;
    start_map_destroy(c->parts);
    free(c);
}

struct open_window *window_clock_windows(struct window_clock *c) { return c->windows; }

int64_t window_clock_watermark(const struct window_clock *c)
{
    return c->has_watermark ? c->fast.watermark_ns : INT64_MIN;
}

/* a + b with b >= 0, held at the type's end. */
static int64_t add_capped(int64_t a, int64_t b) { return a > INT64_MAX - b ? INT64_MAX : a + b; }

/* The grid is the epoch's. At the far past end of the type the first window is cut short. */
static int64_t start_of(const struct window_clock *c, int64_t ts_ns)
{
    int64_t rest = ts_ns % c->span_ns;
    if (rest < 0)
        rest += c->span_ns;
    return ts_ns < INT64_MIN + rest ? INT64_MIN : ts_ns - rest;
}

/* Reached its end plus lateness. */
static bool is_over(const struct window_clock *c, int64_t start_ns)
{
    return c->has_watermark &&
           c->fast.watermark_ns >= add_capped(add_capped(start_ns, c->span_ns), c->lateness_ns);
}

static void seal(struct window_clock *c, unsigned slot)
{
    c->ops->seal(c->context, slot, &c->windows[slot]);
    c->windows[slot].is_open = false;
}

/* Of two open windows: the one that stands earlier in the feed when both are due. */
static bool is_before(const struct open_window *a, const struct open_window *b)
{
    return a->start_ns != b->start_ns ? a->start_ns < b->start_ns : a->part < b->part;
}

/* Seals all open windows, or only those that the watermark has passed, earliest first. */
static void seal_due(struct window_clock *c, bool all)
{
    for (;;) {
        int first = -1;
        for (int i = 0; i < WINDOW_SLOTS; i++) {
            const struct open_window *w = &c->windows[i];
            bool is_due = w->is_open && (all || (!w->is_late && is_over(c, w->start_ns)));
            if (is_due && (first < 0 || is_before(w, &c->windows[first])))
                first = i;
        }
        if (first < 0)
            return;
        seal(c, (unsigned)first);
    }
}

static void watermark_set(struct window_clock *c, int64_t ts_ns)
{
    c->has_watermark = true;
    c->fast.watermark_ns = ts_ns;
    seal_due(c, false);
}

/* One packet alone may have a broken clock; two in a row that lie near each other have not. */
static void watermark_begin(struct window_clock *c, int64_t ts_ns)
{
    int64_t earlier_ns = c->before_ns < ts_ns ? c->before_ns : ts_ns;
    int64_t later_ns = c->before_ns < ts_ns ? ts_ns : c->before_ns;
    if (c->has_before && later_ns <= add_capped(earlier_ns, WINDOW_JUMP_NS)) {
        watermark_set(c, later_ns);
        return;
    }
    c->has_before = true;
    c->before_ns = ts_ns;
}

static bool is_jump(const struct window_clock *c, int64_t ts_ns)
{
    return ts_ns > add_capped(c->fast.watermark_ns, WINDOW_JUMP_NS);
}

/* A jump ahead of more than a day waits for agreement, and then goes to the earliest of those
 * that agree: the others may be broken clocks, the last one too. Everything else counts at once. */
static void watermark_advance(struct window_clock *c, int64_t ts_ns)
{
    if (!c->has_watermark) {
        watermark_begin(c, ts_ns);
        return;
    }
    if (!is_jump(c, ts_ns)) {
        c->jump_run = 0;
        if (ts_ns > c->fast.watermark_ns)
            watermark_set(c, ts_ns);
        return;
    }
    if (c->jump_run == 0 || ts_ns < c->jump_min_ns)
        c->jump_min_ns = ts_ns;
    if (++c->jump_run == WINDOW_JUMP_AGREE) {
        watermark_set(c, c->jump_min_ns);
        c->jump_run = is_jump(c, ts_ns);
        c->jump_min_ns = ts_ns;
    }
}

/* A free slot; the least recently opened window makes room where there is none. */
static unsigned slot_take(struct window_clock *c)
{
    unsigned oldest = 0;
    for (unsigned i = 0; i < WINDOW_SLOTS; i++) {
        if (!c->windows[i].is_open)
            return i;
        if (c->windows[i].serial < c->windows[oldest].serial)
            oldest = i;
    }
    seal(c, oldest);
    return oldest;
}

static unsigned slot_open(struct window_clock *c, int64_t start_ns)
{
    unsigned slot = slot_take(c);
    struct open_window *w = &c->windows[slot];
    uint32_t part = start_map_next(c->parts, start_ns);
    *w = (struct open_window){
        .start_ns = start_ns,
        .part = part,
        .serial = ++c->serial,
        .first_ns = INT64_MAX,
        .last_ns = INT64_MIN,
        .is_open = true,
        .is_late = part > 0 || is_over(c, start_ns),
    };
    c->ops->open(c->context, slot, w);
    return slot;
}

/* From here to the window's end nothing can change but the watermark: not while there is none or a
 * jump is pending, and not from where the watermark would seal another window. */
static void fast_set(struct window_clock *c, unsigned slot)
{
    const struct open_window *w = &c->windows[slot];
    c->fast.slot = slot;
    c->fast.from_ns = c->fast.to_ns = 0;
    if (!c->has_watermark || c->jump_run > 0)
        return;
    c->fast.from_ns = w->start_ns;
    c->fast.to_ns = add_capped(w->start_ns, c->span_ns);
    for (unsigned i = 0; i < WINDOW_SLOTS; i++) {
        const struct open_window *other = &c->windows[i];
        int64_t due_ns = add_capped(add_capped(other->start_ns, c->span_ns), c->lateness_ns);
        if (other->is_open && !other->is_late && due_ns < c->fast.to_ns)
            c->fast.to_ns = due_ns;
    }
}

unsigned window_clock_slot_slow(struct window_clock *c, int64_t ts_ns)
{
    watermark_advance(c, ts_ns);

    int64_t start_ns = start_of(c, ts_ns);
    int slot = -1;
    for (int i = 0; i < WINDOW_SLOTS && slot < 0; i++)
        if (c->windows[i].is_open && c->windows[i].start_ns == start_ns)
            slot = i;
    if (slot < 0)
        slot = (int)slot_open(c, start_ns);
    fast_set(c, (unsigned)slot);
    return (unsigned)slot;
}

void window_clock_finish(struct window_clock *c)
{
    seal_due(c, true);
    c->fast.from_ns = c->fast.to_ns = 0;
}
