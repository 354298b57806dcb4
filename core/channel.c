#include "core/channel.h"

#include <errno.h>
#include <linux/futex.h>
#include <rte_ring.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* A few microseconds: less than a sleep and a wake-up cost. */
enum { SPINS = 1024 };

struct bell {
    _Alignas(64) atomic_uint is_asleep; /* set by the reader before it sleeps; the futex word */
};

struct channel {
    struct rte_ring *ring;
    struct bell *bell, *own;
};

static void futex(atomic_uint *word, int what, unsigned value, const struct timespec *timeout)
{
    (void)syscall(SYS_futex, word, what | FUTEX_PRIVATE_FLAG, value, timeout, NULL, 0);
}

struct bell *bell_create(void)
{
    struct bell *b = aligned_alloc(64, sizeof *b);
    if (b)
        atomic_init(&b->is_asleep, 0);
    return b;
}

void bell_destroy(struct bell *b) { free(b); }

void bell_ring(struct bell *b)
{
    /* Pairs with the fence of who waits: either it sees what was done before, or we see it asleep. */
    atomic_thread_fence(memory_order_seq_cst);
    if (atomic_load_explicit(&b->is_asleep, memory_order_relaxed)) {
        atomic_store_explicit(&b->is_asleep, 0, memory_order_relaxed);
        futex(&b->is_asleep, FUTEX_WAKE, 1, NULL);
    }
}

void bell_wait(struct bell *b, int timeout_ms, bool (*is_there)(void *context), void *context)
{
    struct timespec timeout = {timeout_ms / 1000, timeout_ms % 1000 * 1000000L};
    atomic_store_explicit(&b->is_asleep, 1, memory_order_relaxed);
    atomic_thread_fence(memory_order_seq_cst);
    if (!is_there(context))
        futex(&b->is_asleep, FUTEX_WAIT, 1, timeout_ms < 0 ? NULL : &timeout);
    atomic_store_explicit(&b->is_asleep, 0, memory_order_relaxed);
}

struct channel *channel_create(unsigned room, struct bell *bell)
{
    unsigned slots = 2; /* a ring holds one less than its power of two */
    while (slots <= room)
        slots *= 2;
    struct channel *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->own = bell ? NULL : bell_create();
    c->bell = bell ? bell : c->own;
    c->ring = aligned_alloc(64, (size_t)rte_ring_get_memsize(slots));
    if (!c->bell || !c->ring ||
        rte_ring_init(c->ring, "channel", slots, RING_F_SP_ENQ | RING_F_SC_DEQ) < 0) {
        channel_destroy(c);
        errno = ENOMEM;
        return NULL;
    }
    return c;
}

void channel_destroy(struct channel *c)
{
    if (!c)
        return;
    bell_destroy(c->own);
    free(c->ring);
    free(c);
}

void channel_push(struct channel *c, void *item)
{
    if (rte_ring_sp_enqueue(c->ring, item) != 0)
        abort(); /* our arithmetic of what circulates is wrong */
    bell_ring(c->bell);
}

static bool holds(void *channel) { return channel_count(channel) > 0; }

void *channel_pop(struct channel *c)
{
    void *item;
    for (unsigned i = 0; i < SPINS; i++) {
        if (rte_ring_sc_dequeue(c->ring, &item) == 0)
            return item;
        rte_pause();
    }
    while (rte_ring_sc_dequeue(c->ring, &item) != 0)
        bell_wait(c->bell, -1, holds, c);
    return item;
}

void *channel_try_pop(struct channel *c)
{
    void *item;
    return rte_ring_sc_dequeue(c->ring, &item) == 0 ? item : NULL;
}

/* rte_ring_count() reads plainly what others write. */
unsigned channel_count(const struct channel *c)
{
    uint32_t out = __atomic_load_n(&c->ring->cons.tail, __ATOMIC_ACQUIRE);
    uint32_t in = __atomic_load_n(&c->ring->prod.tail, __ATOMIC_ACQUIRE);
    return (in - out) & c->ring->mask;
}
