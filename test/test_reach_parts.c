/* Addresses that a source reached, told by parts of its day: what each part says holds, and all of them together are exact. */
#include "core/source_reach.h"

#include "source_day_case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { SHARD = 3, WINDOWS = 4 };

static const int64_t SECOND = INT64_C(1000000000), NOON = INT64_C(1767268800) * SECOND;

/* A window's packets, one for each letter: an address of the telescope, a capital one with the Mirai feature. `before`: so
 * many of them are counted before the window before it is packed. */
struct window_row {
    const char *to;
    unsigned before;
};

struct row {
    const char *name;
    struct window_row windows[WINDOWS];
    struct source_reach tcp, mirai; /* of the whole day */
};

static const struct row rows[] = {
    {"one window", {{"aab", 0}}, {2, 2}, {0, 0}},
    {"more in the next one", {{"a", 0}, {"bcd", 0}}, {4, 4}, {0, 0}},
    {"the next one is counted first", {{"a", 0}, {"bcdef", 5}}, {6, 6}, {0, 0}},
    {"with the feature at last", {{"ab", 0}, {"AB", 0}}, {2, 2}, {2, 2}},
    {"with the feature, counted first", {{"A", 0}, {"BCD", 3}}, {4, 4}, {4, 4}},
    {"known addresses, counted first", {{"ab", 0}, {"aabb", 4}, {"AB", 2}}, {2, 2}, {2, 2}},
    {"window by window", {{"a", 0}, {"bc", 1}, {"de", 2}, {"F", 1}}, {6, 6}, {1, 1}},
    {"as many as are counted", {{"ab", 0}, {"cdefghijklmnop", 14}}, {12, 12}, {0, 0}},
};

static void count(struct source_reach_table *t, const struct source_day *of, unsigned window,
                  const char *to, unsigned from, size_t until)
{
    uint32_t address4;
    memcpy(&address4, of->address, sizeof address4);
    for (size_t i = from; i < until; i++)
        source_reach_add(t, SHARD,
                         &(struct reach_packet){
                             .key = source_reach_key(t, address4, NULL),
                             .ts_ns = NOON + window * 60 * SECOND + (int64_t)i,
                             .dst = (uint32_t)to[i] | 0x20,
                             .ports = 40000u << 16 | 23,
                             .is_mirai = to[i] < 'a',
                         });
}

/* The part of a window: its packets alone. */
static struct source_day *part_of(struct source_reach_table *t, unsigned window, const char *to)
{
    struct source_day *d = source_day_new("192.0.2.1");
    d->date = calendar_day_of(NOON).date;
    d->first_ns = NOON + window * 60 * SECOND;
    d->last_ns = d->first_ns + (int64_t)strlen(to) - 1;
    source_day_to(d, KIND_tcp_syn, 23, strlen(to));
    source_reach_take(t, SHARD, d);
    return d;
}

static void run(const struct row *row)
{
    struct hash_key key;
    struct source_day_buffer day = {0};
    char why[100];
    hash_key_init(&key);
    struct source_reach_table *t = source_reach_create(&key);
    struct source_day *of = source_day_new("192.0.2.1");
    for (unsigned w = 0; w < WINDOWS && row->windows[w].to; w++) {
        const struct window_row *is = &row->windows[w], *next = is + 1;
        count(t, of, w, is->to, is->before, strlen(is->to));
        if (w + 1 < WINDOWS && next->to)
            count(t, of, w + 1, next->to, 0, next->before);
        struct source_day *part = part_of(t, w, is->to);
        if (!source_day_holds(part, why, sizeof why))
            fail_msg("%s, window %u: %s", row->name, w, why);
        assert_int_equal(w == 0 ? source_day_copy(&day, part) : source_day_merge(&day, part), 0);
    }
    for (unsigned i = 0; i < REACH_COUNT; i++) {
        const struct source_reach is = day.day.reach[i], should = i ? row->mirai : row->tcp;
        if (is.low != should.low || is.high != should.high)
            fail_msg("%s: %u to %u of %u, not %u to %u", row->name, is.low, is.high, i, should.low,
                     should.high);
    }
    source_day_buffer_free(&day);
    source_reach_destroy(t);
}

static void parts_hold(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        run(&rows[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(parts_hold)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
