#include "capture/frame_ring.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { UNIT = 8 };

struct slot {
    int64_t ts_ns;
    uint32_t caplen, wire_len, link_type;
    uint32_t size; /* of slot and bytes, a multiple of UNIT; 0: the rest of the ring is empty */
};
static_assert(sizeof(struct slot) == 24, "what the header says of it");

/* Positions count bytes since the beginning and never wrap: 64 bits are enough for centuries. */
struct frame_ring {
    uint8_t *bytes;
    uint64_t size;
    _Alignas(64) _Atomic uint64_t head; /* the writer's: up to here there are frames */
    uint64_t known_tail;                /* `tail` when the writer looked last */
    _Alignas(64) _Atomic uint64_t tail; /* the reader's: from here on the room is in use */
    uint64_t next;                      /* the frame that comes next */
    uint64_t known_head;                /* `head` when the reader looked last */
};

struct frame_ring *frame_ring_create(uint64_t bytes)
{
    uint64_t size = FRAME_RING_MIN;
    while (size < bytes && size < UINT64_C(1) << 62)
        size *= 2;
    struct frame_ring *r = aligned_alloc(64, sizeof *r);
    if (!r)
        return NULL;
    memset(r, 0, sizeof *r);
    r->size = size;
    /* First touch costs: not while packets wait. */
    r->bytes =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (r->bytes == MAP_FAILED) {
        free(r);
        return NULL;
    }
    return r;
}

void frame_ring_destroy(struct frame_ring *r)
{
    if (!r)
        return;
    (void)munmap(r->bytes, r->size);
    free(r);
}

/* Room for `size` bytes in one piece at *head, which steps over the end of the ring where they don't fit
 * before it. NULL: there is none. */
static uint8_t *find_room(struct frame_ring *r, uint64_t *head, uint32_t size)
{
    uint64_t at = *head & (r->size - 1), rest = r->size - at;
    uint64_t jump = rest < size ? rest : 0;
    if (r->size - (*head - r->known_tail) < jump + size) {
        /* Pairs with the release of frame_ring_release: the bytes were read. */
        r->known_tail = atomic_load_explicit(&r->tail, memory_order_acquire);
        if (r->size - (*head - r->known_tail) < jump + size)
            return NULL;
    }
    if (jump == 0)
        return r->bytes + at;
    if (rest >= sizeof(struct slot)) {
        const struct slot empty = {0};
        memcpy(r->bytes + at, &empty, sizeof empty);
    }
    *head += jump;
    return r->bytes;
}

size_t frame_ring_push(struct frame_ring *r, const struct frame *frames, size_t count,
                       uint32_t snaplen)
{
    uint64_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
    size_t done = 0;
    for (; done < count; done++) {
        const struct frame *f = &frames[done];
        uint32_t caplen = f->caplen < snaplen ? f->caplen : snaplen;
        uint32_t size = (uint32_t)(sizeof(struct slot) + caplen + UNIT - 1) / UNIT * UNIT;
        uint8_t *at = find_room(r, &head, size);
        if (!at)
            break;
        const struct slot slot = {f->ts_ns, caplen, f->wire_len, f->link_type, size};
        memcpy(at, &slot, sizeof slot);
        memcpy(at + sizeof slot, f->data, caplen);
        head += size;
    }
    /* Pairs with the acquire of frame_ring_peek: the frames are there. */
    atomic_store_explicit(&r->head, head, memory_order_release);
    return done;
}

bool frame_ring_peek(struct frame_ring *r, struct frame *f)
{
    struct slot slot;
    for (;;) {
        if (r->next == r->known_head) {
            r->known_head = atomic_load_explicit(&r->head, memory_order_acquire);
            if (r->next == r->known_head)
                return false;
        }
        uint64_t at = r->next & (r->size - 1), rest = r->size - at;
        if (rest >= sizeof slot) {
            memcpy(&slot, r->bytes + at, sizeof slot);
            if (slot.size != 0) {
                *f = (struct frame){r->bytes + at + sizeof slot, slot.caplen, slot.wire_len,
                                    slot.ts_ns, slot.link_type};
                return true;
            }
        }
        r->next += rest;
    }
}

void frame_ring_take(struct frame_ring *r)
{
    struct slot slot;
    memcpy(&slot, r->bytes + (r->next & (r->size - 1)), sizeof slot);
    r->next += slot.size;
}

void frame_ring_release(struct frame_ring *r)
{
    atomic_store_explicit(&r->tail, r->next, memory_order_release);
}
