/* Channels between threads that wake each other in every rhythm: nothing is lost, nothing is out of order,
 * nobody sleeps on. A lost wake-up hangs, and the test's time limit says so. */
#include "core/channel.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

enum { ROUNDS = 200, ITEMS = 4000, ROOM = 5 };

struct pair {
    struct channel *there, *back;
    uint64_t seed;
};

static uint32_t pick(uint64_t *state, uint32_t below)
{
    *state ^= *state << 13, *state ^= *state >> 7, *state ^= *state << 17;
    return (uint32_t)(*state >> 33) % below;
}

/* Mostly nothing, sometimes long enough that the other side has gone to sleep. */
static void dawdle(uint64_t *state)
{
    struct timespec moment = {0, (long)pick(state, 60000)};
    if (pick(state, 400) == 0)
        nanosleep(&moment, NULL);
    for (volatile uint32_t i = pick(state, 8) ? 0 : pick(state, 2000); i > 0; i--)
        ;
}

/* Sends back what it gets; an odd number ends it. */
static void *echo(void *arg)
{
    struct pair *p = arg;
    uint64_t state = p->seed + 1;
    for (;;) {
        void *item = channel_pop(p->there);
        dawdle(&state);
        channel_push(p->back, item);
        if ((uintptr_t)item & 1)
            return NULL;
    }
}

static void test_stress(void **unused)
{
    (void)unused;
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct pair p = {channel_create(ROOM, NULL), channel_create(ROOM, NULL),
                         round * 2654435761u + 99};
        pthread_t thread;
        uint64_t state = p.seed;
        uintptr_t sent = 0, got = 0;
        assert_non_null(p.there);
        assert_non_null(p.back);
        assert_int_equal(pthread_create(&thread, NULL, echo, &p), 0);
        while (got < ITEMS) {
            unsigned burst = 1 + pick(&state, ROOM);
            for (; burst > 0 && sent - got < ROOM && sent < ITEMS; burst--, sent++)
                channel_push(p.there, (void *)(2 * sent + 2 + (sent + 1 == ITEMS)));
            dawdle(&state);
            bool is_patient = pick(&state, 2);
            for (;;) {
                void *item =
                    is_patient && sent > got ? channel_pop(p.back) : channel_try_pop(p.back);
                if (!item)
                    break;
                assert_int_equal((uintptr_t)item / 2, got + 1);
                got++;
                is_patient = false;
            }
        }
        assert_int_equal(pthread_join(thread, NULL), 0);
        assert_null(channel_try_pop(p.there));
        channel_destroy(p.there);
        channel_destroy(p.back);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_stress)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
