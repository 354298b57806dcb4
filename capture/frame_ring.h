/* frame_ring: copies of frames from one thread to one other.
 *
 * A ring of bytes with one writer and one reader, no locks: each side has a cache line of its own and looks at
 * the other's only when it runs out (the scheme of Lee, Bu and Chandranmenon, "A lock-free, cache-efficient
 * shared ring buffer", ANCS 2009). The writer never waits. Frames take their length and 24 bytes, in units of 8;
 * one never wraps: what is left at the end of the ring is jumped over.
 */
#ifndef CAPTURE_FRAME_RING_H
#define CAPTURE_FRAME_RING_H

#include "capture/capture.h"

struct frame_ring;

enum { FRAME_RING_MIN = 1 << 20 };

/* `bytes` is rounded up to a power of two, at least FRAME_RING_MIN; all of it is touched. NULL: no memory. */
struct frame_ring *frame_ring_create(uint64_t bytes);
void frame_ring_destroy(struct frame_ring *r); /* accepts NULL */

/* Writer: copies frames in, each cut to `snaplen` (at most a quarter of the ring). Returns how many there was
 * room for; the others are as if they had not been. */
size_t frame_ring_push(struct frame_ring *r, const struct frame *frames, size_t count,
                       uint32_t snaplen);

/* Reader: the oldest frame that was not taken; false where there is none. Its bytes lie in the ring until
 * frame_ring_release(). */
bool frame_ring_peek(struct frame_ring *r, struct frame *f);
/* Reader: takes the frame that was peeked at last. */
void frame_ring_take(struct frame_ring *r);
/* Reader: gives the writer the room of all frames that were taken. */
void frame_ring_release(struct frame_ring *r);

#endif
