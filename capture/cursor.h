/* cursor: the one place that decides whether packet bytes may be read.
 *
 * It walks a frame from the front. Two ends bound it: `caught`, behind which no
 * byte exists in memory, and `wire`, where the current layer ended on the wire.
 * Each layer that states a length draws both in (cursor_limit), so that a
 * trailer is never taken for payload.
 */
#ifndef CAPTURE_CURSOR_H
#define CAPTURE_CURSOR_H

#include <stddef.h>
#include <stdint.h>

/* at <= caught <= wire, always; offsets from `bytes`. */
struct cursor {
    const uint8_t *bytes;
    uint32_t at;
    uint32_t caught;
    uint32_t wire;
};

static inline uint32_t cursor_caught(const struct cursor *c) { return c->caught - c->at; }

static inline uint32_t cursor_on_wire(const struct cursor *c) { return c->wire - c->at; }

/* The next n bytes without moving; NULL where fewer were caught. */
static inline const uint8_t *cursor_peek(const struct cursor *c, uint32_t n)
{
    return n <= cursor_caught(c) ? c->bytes + c->at : NULL;
}

/* The next n bytes, moving behind them; NULL, without moving, where fewer were
 * caught. */
static inline const uint8_t *cursor_take(struct cursor *c, uint32_t n)
{
    const uint8_t *bytes = cursor_peek(c, n);
    if (bytes)
        c->at += n;
    return bytes;
}

/* The layer has n bytes from here; more than there are changes nothing. */
static inline void cursor_limit(struct cursor *c, uint32_t n)
{
    if (n < cursor_on_wire(c)) {
        c->wire = c->at + n;
        if (c->caught > c->wire)
            c->caught = c->wire;
    }
}

static inline uint16_t read_be16(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static inline uint32_t read_be32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

#endif
