#include "export/feed_durable.h"

#include <limits.h>
#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

void feed_durable_wake(struct feed_durable *d)
{
    atomic_fetch_add(&d->turn, 1);
    syscall(SYS_futex, &d->turn, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

void feed_durable_set(struct feed_durable *d, uint64_t seq)
{
    atomic_store(&d->seq, seq);
    feed_durable_wake(d);
}

void feed_durable_wait(struct feed_durable *d, uint32_t turn, int timeout_ms)
{
    struct timespec timeout = {timeout_ms / 1000, timeout_ms % 1000 * 1000000L};
    syscall(SYS_futex, &d->turn, FUTEX_WAIT_PRIVATE, turn, timeout_ms < 0 ? NULL : &timeout, NULL,
            0);
}
