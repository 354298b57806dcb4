/* payload_prefix: patterns that look at a payload's first bytes alone, asked without the library.
 *
 * Most protocols are told by a few bytes at fixed places. An expression that is anchored and made of bytes, classes, dots,
 * groups with alternatives and small counts becomes a few rows of tests; all others stay with the library. Says
 * exactly what the library says (test/test_payload_rules.c holds them against each other).
 * Made once, then read by any thread.
 */
#ifndef CLASSIFY_PAYLOAD_PREFIX_H
#define CLASSIFY_PAYLOAD_PREFIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PAYLOAD_PREFIX_ROWS = 16,     /* of a pattern: its alternatives and counts, multiplied out */
    PAYLOAD_PREFIX_TESTS = 28,    /* of a row */
    PAYLOAD_PREFIX_CLASSES = 192, /* different sets of bytes */
};

struct payload_prefix {
    uint16_t len;  /* bytes that there must be; */
    bool is_whole; /* and no more */
    uint8_t test_count;
    struct {
        uint16_t at;
        uint16_t what; /* a byte, or 256 and the number of a class */
    } tests[PAYLOAD_PREFIX_TESTS];
};

struct payload_classes {
    uint64_t at[PAYLOAD_PREFIX_CLASSES][4]; /* sets of bytes */
    unsigned count;
};

/* The rows of an expression, of which one must hold; returns how many, 0: it is not of this kind, or there
 * is no room. Case counts. */
unsigned payload_prefix_make(struct payload_prefix rows[PAYLOAD_PREFIX_ROWS],
                             struct payload_classes *classes, const char *expression);

static inline bool payload_prefix_holds(const struct payload_prefix *p,
                                        const struct payload_classes *classes, const uint8_t *bytes,
                                        size_t len)
{
    if (len < p->len || (p->is_whole && len > p->len))
        return false;
    for (unsigned i = 0; i < p->test_count; i++) {
        unsigned byte = bytes[p->tests[i].at], what = p->tests[i].what;
        bool holds =
            what < 256 ? byte == what : classes->at[what - 256][byte / 64] >> byte % 64 & 1;
        if (!holds)
            return false;
    }
    return true;
}

#endif
