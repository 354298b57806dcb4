#include "core/day_turn.h"

static bool holds(const struct day_turn *t, int64_t ts_ns)
{
    return calendar_holds(t->of.start_ns, t->of.end_ns, ts_ns);
}

/* Whether a window of the current day is open that is not late, but for the one in `but`. */
static bool is_open(const struct day_turn *t, const struct open_window *windows, unsigned but)
{
    for (unsigned slot = 0; slot < WINDOW_SLOTS; slot++) {
        const struct open_window *w = &windows[slot];
        bool reaches_in = w->start_ns < t->of.start_ns &&
                          (uint64_t)t->of.start_ns - (uint64_t)w->start_ns < (uint64_t)t->span_ns;
        if (slot != but && w->is_open && !w->is_late && (holds(t, w->start_ns) || reaches_in))
            return true;
    }
    return false;
}

bool day_turn_open(struct day_turn *t, const struct open_window *windows, unsigned but,
                   int64_t start_ns)
{
    if (t->is_begun && (holds(t, start_ns) || is_open(t, windows, but)))
        return false;
    bool is_turn = t->is_begun;
    t->of = calendar_day_of(start_ns);
    t->is_begun = true;
    return is_turn;
}

bool day_turn_seal(struct day_turn *t, const struct open_window *windows, unsigned but,
                   int64_t *start_ns)
{
    const struct open_window *newest = NULL;
    for (unsigned i = 0; i < WINDOW_SLOTS; i++)
        if (i != but && windows[i].is_open && !windows[i].is_late &&
            (!newest || windows[i].serial > newest->serial))
            newest = &windows[i];
    if (!newest)
        return false;
    *start_ns = newest->start_ns;
    return day_turn_open(t, windows, but, newest->start_ns);
}

bool day_turn_splits(const struct day_turn *t, int64_t start_ns)
{
    struct calendar_day day = holds(t, start_ns) ? t->of : calendar_day_of(start_ns);
    return calendar_splits(&day, start_ns, t->span_ns);
}
