/* live_case: captures of our own for a live capture, that do what a script says. */
#ifndef TEST_LIVE_CASE_H
#define TEST_LIVE_CASE_H

#include "capture/capture_synth.h"
#include "core/live.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { PACKETS = 60000, SPAN_NS = 1000000000, BATCH_OF_BURSTS = 50 };

static const struct synth_prefix dark[] = {{.address = {198, 18}, .bits = 16, .ip_version = 4}};

/* What a capture does beside handing packets over. */
struct script {
    bool is_paced; /* pauses now and then, so that it lasts for more than two windows */
    bool
        is_stuck; /* does nothing at all for longer than the others wait, with packets of before; */
    const atomic_bool *until; /* or until this is so */
    unsigned missed;          /* packets it says were missed, in all */
    bool is_blind;            /* can't see what the kernel drops */
    bool is_unsure;           /* can't say every other time what was missed */
    bool steps_back;          /* some times lie before those it gave */
    int64_t jump_seconds;     /* the clock is set so far ahead when half of the packets have come */
};

struct fake {
    struct capture base;
    struct capture *packets;
    struct clock_reader clock;
    const struct script *script;
    unsigned bursts, asked; /* asked: what it dropped */
    bool is_over;
    atomic_int *left; /* captures that have packets: the last one stops all */
    atomic_int *stop;
};

static void pause_ms(unsigned ms)
{
    struct timespec left = {ms / 1000, (long)(ms % 1000) * 1000000};
    while (nanosleep(&left, &left) < 0)
        ;
}

static int64_t time_of(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* What the clock sees when the system's is set ahead. It goes on at half its speed then, the system's being as it was. */
static void clock_set_ahead(struct live_clock *c, int64_t seconds)
{
    while (atomic_flag_test_and_set_explicit(&c->is_renewed, memory_order_acquire))
        ;
    struct clock_sample s = {.monotonic_ns = time_of(CLOCK_MONOTONIC),
                             .ticks = (uint64_t)time_of(CLOCK_MONOTONIC_RAW),
                             .realtime_ns =
                                 time_of(CLOCK_REALTIME) + seconds * INT64_C(1000000000)};
#if defined(__x86_64__)
    s.ticks = c->uses_tsc ? __builtin_ia32_rdtsc() : s.ticks;
#endif
    live_clock_renew(c, &s);
    atomic_flag_clear_explicit(&c->is_renewed, memory_order_release);
}

static void stay(const struct script *s)
{
    if (!s->until)
        pause_ms(4000);
    while (s->until && !atomic_load(s->until))
        pause_ms(10);
}

static size_t fake_burst(struct capture *c, struct frame *frames, size_t max)
{
    struct fake *f = (struct fake *)c;
    if (f->is_over)
        return 0;
    if (f->script->is_paced && ++f->bursts % BATCH_OF_BURSTS == 0)
        pause_ms(2500 * BATCH_OF_BURSTS / (PACKETS / FRAME_BURST));
    if (f->script->jump_seconds && f->bursts == PACKETS / FRAME_BURST / 2)
        clock_set_ahead(f->clock.clock, f->script->jump_seconds);
    int64_t now_ns = live_clock_now(&f->clock);
    if (f->script->is_stuck && f->bursts == PACKETS / FRAME_BURST / 2)
        stay(f->script);
    size_t count = f->packets->ops->burst(f->packets, frames, max);
    for (size_t i = 0; i < count; i++)
        frames[i].ts_ns = now_ns - (f->script->steps_back && i % 5 == 3 ? 30000000 : 0);
    if (count == 0) {
        f->is_over = true;
        if (atomic_fetch_sub(f->left, 1) == 1)
            atomic_store(f->stop, 1);
    }
    return count;
}

static void fake_drops(const struct capture *c, struct capture_drops *drops)
{
    struct fake *f = (struct fake *)(uintptr_t)c;
    uint64_t missed = (uint64_t)f->script->missed * f->bursts / (PACKETS / FRAME_BURST);
    *drops = (struct capture_drops){
        .nic_missed =
            f->is_over || missed > f->script->missed ? f->script->missed : (int64_t)missed,
        .kernel = f->script->is_blind ? -1 : 0,
    };
    if (f->script->is_unsure && !f->is_over && f->asked++ % 2 == 1)
        drops->nic_missed = -1;
}

static void fake_wait(struct capture *c, int timeout_ms)
{
    (void)c;
    pause_ms((unsigned)timeout_ms);
}

static const struct capture_ops fake_ops = {
    .name = "fake", .burst = fake_burst, .drops = fake_drops, .wait = fake_wait};

static struct capture_synth_settings traffic(unsigned seed)
{
    return (struct capture_synth_settings){
        .packets = PACKETS,
        .sources = 1500,
        .start_ns = INT64_C(1767225600000000000),
        .span_ns = INT64_C(60000000000),
        .seed = seed,
        .telescope = dark,
        .telescope_count = 1,
    };
}

static inline void folder_remove(const char *dir)
{
    struct dirent **names;
    int count = scandir(dir, &names, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        char path[600];
        snprintf(path, sizeof path, "%s/%s", dir, names[i]->d_name);
        if (names[i]->d_name[0] != '.')
            unlink(path);
        free(names[i]);
    }
    free(names);
    rmdir(dir);
}

static inline void fake_open(struct fake *f, const struct script *script, unsigned seed,
                             struct live_clock *clock, atomic_int *left, atomic_int *stop)
{
    struct capture_synth_settings s = traffic(seed);
    struct fault fault;
    *f = (struct fake){.base.ops = &fake_ops, .script = script, .left = left, .stop = stop};
    clock_reader_init(&f->clock, clock);
    assert_int_equal(capture_synth_create(&f->packets, &s, &fault), 0);
}

#endif
