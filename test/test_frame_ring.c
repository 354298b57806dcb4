/* frame_ring: what goes in comes out, in order and whole, for every size and around the end of the ring; and
 * between two threads (ThreadSanitizer watches where it is built in). */
#include "capture/frame_ring.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { LARGEST = FRAME_RING_MIN / 4, FRAMES = 200000 };

static uint8_t bytes[LARGEST + 256];

static uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13, *state ^= *state >> 17, *state ^= *state << 5;
    return *state;
}

/* The frame of a number. */
static struct frame frame_of(uint64_t number)
{
    uint32_t state = (uint32_t)number * 2654435761u + 1, pick = next_random(&state) % 100;
    uint32_t caplen = pick == 0   ? next_random(&state) % (LARGEST + 1)
                      : pick < 10 ? next_random(&state) % 1600
                                  : next_random(&state) % 100;
    return (struct frame){bytes + number % 256, caplen, caplen + (uint32_t)(number % 3),
                          (int64_t)number, (uint32_t)(number % 7)};
}

static void check(const struct frame *f, uint64_t number)
{
    struct frame e = frame_of(number);
    assert_int_equal(f->ts_ns, e.ts_ns);
    assert_int_equal(f->caplen, e.caplen);
    assert_int_equal(f->wire_len, e.wire_len);
    assert_int_equal(f->link_type, e.link_type);
    assert_memory_equal(f->data, e.data, e.caplen);
}

static void fill_bytes(void)
{
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 7 + i / 251);
}

static void test_one_thread(void **unused)
{
    (void)unused;
    struct frame_ring *r = frame_ring_create(1);
    uint64_t in = 0, out = 0;
    uint32_t state = 5;
    struct frame f;
    assert_non_null(r);
    assert_false(frame_ring_peek(r, &f));
    while (out < 20000) {
        for (unsigned n = next_random(&state) % 40; n > 0; n--) {
            f = frame_of(in);
            in += frame_ring_push(r, &f, 1, LARGEST);
        }
        for (unsigned n = next_random(&state) % 40; n > 0 && frame_ring_peek(r, &f); n--) {
            check(&f, out++);
            frame_ring_take(r);
        }
        frame_ring_release(r);
    }
    frame_ring_destroy(r);
    frame_ring_destroy(NULL);
}

/* A full ring takes what fits, none of the rest, and goes on as if that had not been. */
static void test_full(void **unused)
{
    static const uint32_t lengths[] = {0, 1, 8, 60, 1500, LARGEST};
    (void)unused;
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        struct frame_ring *r = frame_ring_create(FRAME_RING_MIN);
        uint64_t size = (24 + (uint64_t)lengths[i] + 7) / 8 * 8, room = FRAME_RING_MIN / size;
        struct frame f = {bytes, lengths[i], lengths[i], 0, 1}, got;
        uint64_t n = 0;
        for (unsigned round = 0; round < 3; round++) {
            for (n = 0; frame_ring_push(r, &f, 1, LARGEST) == 1; n++)
                assert_true(n < room);
            assert_in_range(n, room - 1, room);
            assert_int_equal(frame_ring_push(r, &f, 1, LARGEST), 0);
            for (uint64_t k = 0; k < n; k++) {
                assert_true(frame_ring_peek(r, &got));
                assert_int_equal(got.caplen, lengths[i]);
                frame_ring_take(r);
            }
            assert_false(frame_ring_peek(r, &got));
            frame_ring_release(r);
        }
        frame_ring_destroy(r);
    }
}

static void test_cut(void **unused)
{
    (void)unused;
    struct frame_ring *r = frame_ring_create(0);
    struct frame frames[2] = {{bytes, 100, 1000, 1, 1}, {bytes + 1, 20, 20, 2, 1}}, got;
    assert_int_equal(frame_ring_push(r, frames, 2, 64), 2);
    assert_true(frame_ring_peek(r, &got));
    assert_int_equal(got.caplen, 64);
    assert_int_equal(got.wire_len, 1000);
    frame_ring_take(r);
    assert_true(frame_ring_peek(r, &got));
    assert_int_equal(got.caplen, 20);
    assert_memory_equal(got.data, bytes + 1, 20);
    frame_ring_destroy(r);
}

static void *push_all(void *arg)
{
    struct frame_ring *r = arg;
    struct frame frames[32];
    for (uint64_t in = 0; in < FRAMES;) {
        size_t count = 0;
        for (; count < 32 && in + count < FRAMES; count++)
            frames[count] = frame_of(in + count);
        size_t n = frame_ring_push(r, frames, count, LARGEST);
        in += n;
        if (n == 0)
            sched_yield();
    }
    return NULL;
}

static void test_two_threads(void **unused)
{
    (void)unused;
    struct frame_ring *r = frame_ring_create(FRAME_RING_MIN);
    pthread_t writer;
    struct frame f;
    assert_int_equal(pthread_create(&writer, NULL, push_all, r), 0);
    for (uint64_t out = 0; out < FRAMES;) {
        if (!frame_ring_peek(r, &f)) {
            frame_ring_release(r);
            sched_yield();
            continue;
        }
        check(&f, out++);
        frame_ring_take(r);
        if (out % 16 == 0)
            frame_ring_release(r);
    }
    assert_int_equal(pthread_join(writer, NULL), 0);
    assert_false(frame_ring_peek(r, &f));
    frame_ring_destroy(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_thread),
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_two_threads),
    };
    fill_bytes();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
