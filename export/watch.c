#include "export/watch.h"

#include "export/feed_header.h"
#include "export/record.h"
#include "export/saturate.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_NS (86400 * INT64_C(1000000000))

struct watch *watch_create(const struct ruleset *rules)
{
    struct watch *w = calloc(1, sizeof *w);
    if (w == NULL)
        return NULL;
    w->rules = rules;
    w->unpacker = record_window_create();
    w->window = window_create();
    if (w->unpacker == NULL || w->window == NULL || rule_names_init(&w->names, rules) < 0) {
        watch_destroy(w);
        errno = ENOMEM;
        return NULL;
    }
    record_window_expect_any(w->unpacker);
    return w;
}

void watch_clear(struct watch *w)
{
    for (unsigned i = 0; i < 2; i++) {
        http_view_destroy(w->views[i]);
        w->views[i] = NULL;
    }
    w->window_count = 0;
    w->taken = w->damaged = w->ahead = 0;
    w->is_closed = false;
    w->damage[0] = '\0';
    record_window_expect_any(w->unpacker);
}

void watch_destroy(struct watch *w)
{
    if (w == NULL)
        return;
    for (unsigned i = 0; i < 2; i++)
        http_view_destroy(w->views[i]);
    rule_names_fini(&w->names);
    window_destroy(w->window);
    record_window_destroy(w->unpacker);
    free(w);
}

const struct watch_window *watch_newest(const struct watch *w)
{
    return w->window_count == 0 ? NULL : &w->windows[w->window_count - 1];
}

static void damage_say(struct watch *w, uint64_t seq, const char *why)
{
    w->damaged++;
    snprintf(w->damage, sizeof w->damage, "record %llu: %.200s", (unsigned long long)seq, why);
}

/* ---- the two days */

/* The view of a date, made where the date is newer than those at hand, or between. NULL: it is older, or memory ended. */
static struct http_view *view_find(struct watch *w, int32_t date)
{
    struct http_view **v = w->views;
    for (unsigned i = 0; i < 2; i++)
        if (v[i] != NULL && http_view_day(v[i])->date == date)
            return v[i];
    bool is_newest = v[0] == NULL || http_view_day(v[0])->date < date;
    if (!is_newest && v[1] != NULL && http_view_day(v[1])->date > date)
        return NULL;
    struct calendar_day day = calendar_day_at(date);
    struct http_view *made = http_view_create(&day, w->rules);
    if (made == NULL)
        return NULL;
    http_view_destroy(v[1]);
    v[1] = is_newest ? v[0] : made;
    v[0] = is_newest ? made : v[0];
    return made;
}

/* ---- the last windows */

static void window_sum(struct watch_window *to, const struct window *w)
{
    bool has_ex = window_has_ex(w);
    saturate_add(&to->packets, w->totals.packets);
    saturate_add(&to->bytes, w->totals.bytes);
    saturate_add(&to->lost, ledger_lost(&w->ledger));
    for (unsigned i = 0; i < SHARE_MARK_COUNT; i++) {
        saturate_add(&to->marks[i], w->mark_packets[i]);
        if (has_ex)
            saturate_add(&to->marks_ex[i], w->mark_packets[i] - w->mark_packets_out[i]);
    }
    to->has_ex &= has_ex;
    to->is_partial |= w->is_partial;
}

static void window_keep(struct watch *w, const struct window *from)
{
    unsigned at = w->window_count;
    while (at > 0 && w->windows[at - 1].start_ns > from->start_ns)
        at--;
    if (at > 0 && w->windows[at - 1].start_ns == from->start_ns) {
        window_sum(&w->windows[at - 1], from);
        return;
    }
    if (w->window_count == WATCH_WINDOWS) {
        if (at == 0)
            return;
        memmove(w->windows, w->windows + 1, (--at) * sizeof *w->windows);
    } else {
        memmove(w->windows + at + 1, w->windows + at, (w->window_count - at) * sizeof *w->windows);
        w->window_count++;
    }
    w->windows[at] =
        (struct watch_window){.start_ns = from->start_ns, .span_ns = from->span_ns, .has_ex = true};
    window_sum(&w->windows[at], from);
}

/* Whether a time lies so far ahead that a broken clock said it. */
static bool is_ahead(struct watch *w, int64_t at_ns, int64_t most_ns)
{
    int64_t limit;
    if (__builtin_add_overflow(w->now_ns, most_ns, &limit) || at_ns <= limit)
        return false;
    w->ahead++;
    return true;
}

static void window_take(struct watch *w, uint64_t seq, const uint8_t *body, size_t len)
{
    struct fault why;
    window_clear(w->window);
    if (record_unpack_window(w->unpacker, w->window, &w->names, body, len, &why) < 0) {
        damage_say(w, seq, why.text);
        return;
    }
    if (is_ahead(w, w->window->start_ns, DAY_NS))
        return;
    w->taken++;
    w->is_closed = false;
    window_keep(w, w->window);
    struct http_view *v = view_find(w, calendar_day_of(w->window->start_ns).date);
    if (v != NULL && http_view_add(v, w->window, seq) < 0)
        damage_say(w, seq, "no memory for a window");
}

static void day_take(struct watch *w, uint64_t seq, const uint8_t *body, size_t len)
{
    struct fault why;
    struct day_result *day;
    if (record_unpack_day(&day, body, len, &why) < 0) {
        damage_say(w, seq, why.text);
        return;
    }
    int32_t date = day->facts->date;
    int64_t end_ns = day->facts->end_ns;
    /* Windows say which day is the newest; a Day alone does where there are none. */
    bool is_wanted = w->views[0] == NULL || date <= http_view_day(w->views[0])->date ||
                     http_view_revision(w->views[0]) > 0;
    day_result_destroy(day);
    if (is_ahead(w, end_ns, 2 * DAY_NS))
        return;
    struct http_view *v = is_wanted ? view_find(w, date) : NULL;
    if (v != NULL && http_view_final(v, body, len, seq, &why) < 0)
        damage_say(w, seq, why.text);
}

static void header_take(struct watch *w, uint64_t seq, const uint8_t *body, size_t len)
{
    struct feed_header h;
    struct fault why;
    if (feed_header_take(&h, body, len, &why) < 0) {
        damage_say(w, seq, why.text);
        return;
    }
    record_window_expect(w->unpacker, h.span_ns, h.is_filtered);
    snprintf(w->sensor, sizeof w->sensor, "%.*s", (int)sizeof w->sensor - 1, h.sensor);
}

void watch_take(struct watch *w, uint32_t kind, uint64_t seq, const uint8_t *body, size_t len)
{
    if (kind == RECORD_header)
        header_take(w, seq, body, len);
    else if (kind == RECORD_window)
        window_take(w, seq, body, len);
    else if (kind == RECORD_day)
        day_take(w, seq, body, len);
    else if (kind == RECORD_close) /* Close { records = 1, finished = 2 } */
        w->is_closed = len >= 2 && memcmp(body + len - 2, "\x10\x01", 2) == 0;
}
