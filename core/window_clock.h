/* window_clock: which window a packet belongs to, and when a window is over.
 *
 * Run by the one thread that sees all packets of a replay in their order, so that its decisions
 * depend on nothing but that order: not on workers, batches or speed. No clock is read; time
 * is the packets'.
 *
 * A packet belongs to the window of its own timestamp. The watermark is the greatest
 * timestamp delivered, but one broken clock poisons nothing: there is no watermark until two
 * packets in a row lie within a day of each other (it is the later of the two then), and a jump
 * ahead of more than a day counts only once 1,000 packets in a row agree with it (lie more than a day
 * ahead too); the watermark is the earliest of them then.
 * A window is sealed when the watermark reaches its end plus `lateness`, and before where its
 * slot is needed: eight are open, and a ninth begins. A packet is late when its window was sealed, or
 * would have been had there been one; it opens a further part of it (part 0 where there was none), which stays
 * open until its slot is needed, or the end. So all packets of a part > 0 are late.
 */
#ifndef CORE_WINDOW_CLOCK_H
#define CORE_WINDOW_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WINDOW_SLOTS = 8 };

static const int64_t WINDOW_JUMP_NS = INT64_C(86400) * 1000000000;
enum { WINDOW_JUMP_AGREE = 1000 };

struct generation;

/* One open window. */
struct open_window {
    int64_t start_ns;
    uint32_t part;             /* > 0: is_late */
    uint32_t serial;           /* 1, 2, 3, ... by opening */
    uint64_t dropped[6];       /* packets that were not counted, by reason; the caller's */
    uint32_t unknown;          /* reasons that can't be seen; likewise */
    uint64_t unrecorded;       /* packets that a recorder did without; likewise */
    int64_t first_ns, last_ns; /* the earliest and the latest packet's time, as the caller says */
    bool is_open;
    bool is_late;              /* all its packets are late; the watermark does not seal it */
    bool is_partial;           /* not all of its span was watched; the caller's */
    bool ends_day;             /* live: the next one is of another day; likewise */
    int64_t next_ns;           /* live: where the next one begins; likewise */
    struct generation *oldest; /* live: of rules that are still used; likewise */
};

struct window_clock_ops {
    /* The window in `slot` begins (after this its packets come). */
    void (*open)(void *context, unsigned slot, const struct open_window *w);
    /* The window in `slot` is over: no packet of it comes after this. */
    void (*seal)(void *context, unsigned slot, const struct open_window *w);
};

struct window_clock;

/* `span_ns` > 0, `lateness_ns` >= 0. NULL with errno. */
struct window_clock *window_clock_create(int64_t span_ns, int64_t lateness_ns,
                                         const struct window_clock_ops *ops, void *context);
void window_clock_destroy(struct window_clock *c); /* accepts NULL */

/* The slot of a packet's window; opens and seals windows as needed, before it returns. */
unsigned window_clock_slot_slow(struct window_clock *c, int64_t ts_ns);

/* Seals what is open, in the order of start and part. */
void window_clock_finish(struct window_clock *c);

/* The open windows, WINDOW_SLOTS of them; the caller may add to filtered. */
struct open_window *window_clock_windows(struct window_clock *c);

/* How far time has come: a seal is due by it, or was needed. INT64_MIN: it is not known yet. */
int64_t window_clock_watermark(const struct window_clock *c);

/* The span in which the answer is already known: a packet of [from, to) belongs to `slot` and
 * changes nothing but the watermark. Public for the inline call only. */
struct window_clock_fast {
    int64_t from_ns, to_ns;
    int64_t watermark_ns;
    unsigned slot;
};

static inline unsigned window_clock_slot(struct window_clock *c, int64_t ts_ns)
{
    struct window_clock_fast *fast = (struct window_clock_fast *)c;
    if (ts_ns >= fast->from_ns && ts_ns < fast->to_ns) {
        if (ts_ns > fast->watermark_ns)
            fast->watermark_ns = ts_ns;
        return fast->slot;
    }
    return window_clock_slot_slow(c, ts_ns);
}

/* The slot of all packets of some that lie from `first_ns` to `last_ns`; -1: they are to be asked for
 * one by one. */
static inline int window_clock_slot_of_all(struct window_clock *c, int64_t first_ns,
                                           int64_t last_ns)
{
    struct window_clock_fast *fast = (struct window_clock_fast *)c;
    if (first_ns < fast->from_ns || last_ns >= fast->to_ns)
        return -1;
    if (last_ns > fast->watermark_ns)
        fast->watermark_ns = last_ns;
    return (int)fast->slot;
}

/* The window has packets from `first_ns` to `last_ns`. */
static inline void open_window_holds(struct open_window *w, int64_t first_ns, int64_t last_ns)
{
    w->first_ns = w->first_ns < first_ns ? w->first_ns : first_ns;
    w->last_ns = w->last_ns > last_ns ? w->last_ns : last_ns;
}

#endif
