/* day_turn: which calendar day is the current one of a run, decided by the one thread that sees all windows open
 * and close.
 *
 * The first window's day is. Another takes its place when a window of it is open and none of the current
 * one is any more: in a capture in the order of time at midnight, behind the lateness. Windows whose packets are all
 * late do not count as open: they stay so for as long as there is room. Time is the packets'.
 */
#ifndef CORE_DAY_TURN_H
#define CORE_DAY_TURN_H

#include "core/window_clock.h"
#include "export/calendar.h"

struct day_turn {
    struct calendar_day of; /* the current day */
    bool is_begun;
    int64_t span_ns; /* of windows; the caller's to set */
};

/* A window of `windows` (WINDOW_SLOTS) opens at `start_ns`; `but`: its slot. Whether the current day is another
 * one now, and there was one before. */
bool day_turn_open(struct day_turn *t, const struct open_window *windows, unsigned but,
                   int64_t start_ns);

/* The window in slot `but` is over. Likewise; *start_ns is then a window of the new current day. */
bool day_turn_seal(struct day_turn *t, const struct open_window *windows, unsigned but,
                   int64_t *start_ns);

/* Whether a window that begins at `start_ns` lies in two days. */
bool day_turn_splits(const struct day_turn *t, int64_t start_ns);

#endif
