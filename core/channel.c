#include "core/channel.h"

#include <errno.h>
#include <linux/futex.h>
#include <rte_ring.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A few microseconds: less than a sleep and a wake-up cost. */
enum { SPINS = 1024 };

struct channel {
    struct rte_ring *ring;
    _Alignas(64) atomic_uint is_asleep; /* set by the reader before it sleeps; the futex word */
};

struct channel *channel_create(unsigned room)
{
    unsigned slots = 2; /* a ring holds one less than its power of two */
    while (slots <= room)
        slots *= 2;
    struct channel *c = aligned_alloc(64, sizeof *c);
    if (!c)
        return NULL;
    c->ring = aligned_alloc(64, (size_t)rte_ring_get_memsize(slots));
    if (!c->ring || rte_ring_init(c->ring, "channel", slots, RING_F_SP_ENQ | RING_F_SC_DEQ) < 0) {
        channel_destroy(c);
        errno = ENOMEM;
        return NULL;
    }
    atomic_init(&c->is_asleep, 0);
    return c;
}

void channel_destroy(struct channel *c)
{
    if (!c)
        return;
    free(c->ring);
    free(c);
}

static void futex(atomic_uint *word, int what, unsigned value)
{
    (void)syscall(SYS_futex, word, what | FUTEX_PRIVATE_FLAG, value, NULL, NULL, 0);
}

void channel_push(struct channel *c, void *item)
{
    if (rte_ring_sp_enqueue(c->ring, item) != 0)
        abort(); /* our arithmetic of what circulates is wrong */
    /* Pairs with the fence of the reader: either it sees the item, or we see it asleep. */
    atomic_thread_fence(memory_order_seq_cst);
    if (atomic_load_explicit(&c->is_asleep, memory_order_relaxed)) {
        atomic_store_explicit(&c->is_asleep, 0, memory_order_relaxed);
        futex(&c->is_asleep, FUTEX_WAKE, 1);
    }
}

void *channel_pop(struct channel *c)
{
    void *item;
    for (unsigned i = 0; i < SPINS; i++) {
        if (rte_ring_sc_dequeue(c->ring, &item) == 0)
            return item;
        rte_pause();
    }
    for (;;) {
        atomic_store_explicit(&c->is_asleep, 1, memory_order_relaxed);
        atomic_thread_fence(memory_order_seq_cst);
        if (rte_ring_sc_dequeue(c->ring, &item) == 0) {
            atomic_store_explicit(&c->is_asleep, 0, memory_order_relaxed);
            return item;
        }
        futex(&c->is_asleep, FUTEX_WAIT, 1);
    }
}

void *channel_try_pop(struct channel *c)
{
    void *item;
    return rte_ring_sc_dequeue(c->ring, &item) == 0 ? item : NULL;
}
