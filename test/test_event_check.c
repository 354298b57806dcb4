/* The order that events of a feed are held to. */
#include "export/event_check.h"

#include "event_case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

enum step_is { EVENT, WINDOW, BETWEEN, HOLE };

/* A step per record; `seed` tells one event from another. */
struct step {
    enum step_is is;
    uint64_t seed;
    int64_t time_ns;
    uint32_t update;
    enum event_phase phase;
    int64_t first_ns;
};

enum { STEPS = 6 };

static const struct {
    struct step steps[STEPS];
    size_t count;
    const char *wrong; /* of the last step; NULL: all hold */
} cases[] = {
    {{{WINDOW, .time_ns = 60},
      {EVENT, 1, 60, 0, EVENT_BEGINS},
      {WINDOW, .time_ns = 120},
      {EVENT, 1, 120, 1, EVENT_GOES_ON},
      {EVENT, 2, 120, 0, EVENT_ENDS}},
     4,
     NULL},
    {{{WINDOW, .time_ns = 60},
      {EVENT, 1, 60, 0, EVENT_BEGINS},
      {BETWEEN},
      {EVENT, 1, 60, 1, EVENT_ENDS},
      {BETWEEN},
      {EVENT, 1, 60, 0, EVENT_BEGINS}}, /* ended is forgotten */
     6,
     NULL},
    {{{EVENT, 1, 60, 0, EVENT_BEGINS}}, 1, "before the window"},
    {{{WINDOW, .time_ns = 60}, {EVENT, 1, 61, 0, EVENT_BEGINS}}, 2, "before the window"},
    {{{HOLE}, {EVENT, 1, 60, 3, EVENT_GOES_ON}, {EVENT, 1, 61, 4, EVENT_ENDS}}, 3, NULL},
    {{{WINDOW, .time_ns = 60}, {EVENT, 1, 60, 1, EVENT_GOES_ON}}, 2, "did not begin"},
    {{{WINDOW, .time_ns = 60}, {EVENT, 1, 60, 0, EVENT_BEGINS}, {EVENT, 1, 60, 2, EVENT_GOES_ON}},
     3,
     "does not follow"},
    {{{WINDOW, .time_ns = 60}, {EVENT, 1, 60, 0, EVENT_BEGINS}, {EVENT, 1, 60, 0, EVENT_BEGINS}},
     3,
     "out of order"},
    {{{WINDOW, .time_ns = 60},
      {EVENT, 1, 60, 0, EVENT_BEGINS},
      {BETWEEN},
      {EVENT, 1, 60, 0, EVENT_BEGINS}},
     4,
     "does not follow"},
    {{{WINDOW, .time_ns = 60}, {EVENT, 1, 60, 0, EVENT_BEGINS}, {EVENT, 1, 59, 1, EVENT_ENDS}},
     3,
     "out of order"},
    {{{WINDOW, .time_ns = 60},
      {EVENT, 1, 60, 0, EVENT_BEGINS},
      {BETWEEN},
      {EVENT, 1, 59, 1, EVENT_ENDS}},
     4,
     "told before"},
    {{{WINDOW, .time_ns = 60},
      {EVENT, 1, 60, 0, EVENT_BEGINS},
      {BETWEEN},
      {EVENT, 1, 60, 1, EVENT_ENDS, 7}},
     4,
     "another type or begin"},
    {{{WINDOW, .time_ns = 60},
      {EVENT, 1, 60, 0, EVENT_ENDS},
      {BETWEEN},
      {EVENT, 1, 60, 1, EVENT_ENDS}},
     4,
     "has ended"},
};

static void sequences(void **state)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct event_check *c = event_check_create();
        for (size_t k = 0; k < cases[i].count; k++) {
            const struct step *s = &cases[i].steps[k];
            const char *wrong = NULL;
            bool is_out;
            struct event e = event_case(EVENT_scan, s->seed, 0, s->time_ns, s->update, s->phase);
            e.first_ns = s->first_ns;
            if (s->is == WINDOW) {
                event_check_between(c);
                event_check_window(c, s->time_ns);
            } else if (s->is == BETWEEN) {
                event_check_between(c);
            } else if (s->is == HOLE) {
                event_check_hole(c);
            } else {
                wrong = event_check_take(c, &e, &is_out);
            }
            const char *asked = k + 1 == cases[i].count ? cases[i].wrong : NULL;
            if ((wrong == NULL) != (asked == NULL) ||
                (wrong != NULL && strstr(wrong, asked) == NULL))
                fail_msg("case %zu, step %zu: %s", i, k, wrong == NULL ? "holds" : wrong);
        }
        event_check_destroy(c);
    }
}

/* Many events that begin and end in any order, against an array. */
static void many(void **state)
{
    enum { EVENTS = 3000, TURNS = 40000 };
    static uint32_t next[EVENTS];
    struct event_check *c = event_check_create();
    size_t open = 0;
    uint64_t random = 1;
    event_check_window(c, TURNS);
    memset(next, 0, sizeof next);
    for (int64_t turn = 0; turn < TURNS; turn++) {
        uint64_t seed = sample_random(&random) % EVENTS;
        bool is_end = sample_random(&random) % 3 == 0, is_out;
        struct event e = event_case(EVENT_scan, 1, (int64_t)seed, turn, next[seed],
                                    is_end            ? EVENT_ENDS
                                    : next[seed] == 0 ? EVENT_BEGINS
                                                      : EVENT_GOES_ON);
        open -= is_end && next[seed] > 0;
        open += !is_end && next[seed] == 0;
        next[seed] = is_end ? 0 : next[seed] + 1;
        assert_null(event_check_take(c, &e, &is_out));
        assert_int_equal(event_check_open(c), open);
    }
    event_check_destroy(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(sequences), cmocka_unit_test(many)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
