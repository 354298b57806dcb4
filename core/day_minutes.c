#include "core/day_minutes.h"

#include "core/memory.h"

#include <stdlib.h>
#include <string.h>

static const int64_t MINUTE_NS = INT64_C(60000000000);

void day_minutes_fini(struct day_minutes *w)
{
    free(w->days);
    *w = (struct day_minutes){0};
}

static bool holds(const struct watched_day *day, int64_t ts_ns)
{
    return calendar_holds(day->of.start_ns, day->of.end_ns, ts_ns);
}

struct watched_day *day_minutes_find(struct day_minutes *w, int64_t ts_ns)
{
    if (w->last < w->count && holds(&w->days[w->last], ts_ns))
        return &w->days[w->last];
    uint32_t from = 0, to = w->count; /* the first day that ends behind it */
    while (from < to) {
        uint32_t middle = from + (to - from) / 2;
        if (w->days[middle].of.start_ns <= ts_ns && !holds(&w->days[middle], ts_ns))
            from = middle + 1;
        else
            to = middle;
    }
    w->last = from;
    if (from < w->count && holds(&w->days[from], ts_ns))
        return &w->days[from];
    w->days = memory_must(realloc(w->days, (w->count + 1) * sizeof *w->days));
    memmove(&w->days[from + 1], &w->days[from], (w->count++ - from) * sizeof *w->days);
    w->days[from] = (struct watched_day){.of = calendar_day_of(ts_ns)};
    return &w->days[from];
}

void day_minutes_mark_slow(struct day_minutes *w, int64_t ts_ns)
{
    struct watched_day *day = day_minutes_find(w, ts_ns);
    uint64_t minute = ((uint64_t)ts_ns - (uint64_t)day->of.start_ns) / (uint64_t)MINUTE_NS;
    if (minute < DAY_MINUTES)
        day->minutes[minute / 64] |= UINT64_C(1) << minute % 64;
    w->from_ns = day->of.start_ns + (int64_t)minute * MINUTE_NS;
    if (__builtin_add_overflow(w->from_ns, MINUTE_NS, &w->to_ns) || w->to_ns > day->of.end_ns)
        w->to_ns = day->of.end_ns;
}
