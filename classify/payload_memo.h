/* payload_memo: what was found for payloads that come again and again, byte for byte: a scanner's probe.
 *
 * Direct-mapped; a payload is kept when it comes twice in a row for its place, so that those with random
 * numbers in them neither cost a copy nor drive out others. The bytes are compared, so an answer is never another
 * payload's. One thread.
 */
#ifndef CLASSIFY_PAYLOAD_MEMO_H
#define CLASSIFY_PAYLOAD_MEMO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { PAYLOAD_MEMO_PLACES = 256, PAYLOAD_MEMO_BYTES = 256 };

struct payload_memo_place {
    uint64_t kept, seen; /* hashes: of what is kept; of what came last and is not */
    uint16_t rule, len;
    uint8_t bytes[PAYLOAD_MEMO_BYTES];
};

struct payload_memo {
    struct payload_memo_place at[PAYLOAD_MEMO_PLACES]; /* begins as all zero */
};

/* Of the question: where (protocol and port as one number) and bytes; never 0. Needs no key: whoever aims for a
 * place only makes it useless. */
static inline uint64_t payload_memo_hash(uint32_t where, const uint8_t *bytes, size_t len)
{
    const uint64_t odd = UINT64_C(0x9e3779b97f4a7c15);
    uint64_t hash = (where | (uint64_t)len << 32) * odd, word;
    size_t i = 0;
    for (; i + 8 <= len; i += 8) {
        memcpy(&word, bytes + i, 8);
        hash = (hash ^ word) * odd;
        hash ^= hash >> 29;
    }
    word = 0;
    memcpy(&word, bytes + i, len - i);
    hash = (hash ^ word) * odd;
    return (hash ^ hash >> 32) | 1;
}

/* Whether it is known; *rule then. */
static inline bool payload_memo_find(const struct payload_memo *m, uint64_t hash,
                                     const uint8_t *bytes, size_t len, uint16_t *rule)
{
    const struct payload_memo_place *p = &m->at[hash >> 8 & (PAYLOAD_MEMO_PLACES - 1)];
    *rule = p->rule;
    return p->kept == hash && p->len == len && memcmp(p->bytes, bytes, len) == 0;
}

/* What was found for a payload that is not known. */
static inline void payload_memo_add(struct payload_memo *m, uint64_t hash, const uint8_t *bytes,
                                    size_t len, uint16_t rule)
{
    struct payload_memo_place *p = &m->at[hash >> 8 & (PAYLOAD_MEMO_PLACES - 1)];
    bool is_again = p->seen == hash;
    p->seen = hash;
    if (!is_again || len > PAYLOAD_MEMO_BYTES)
        return;
    p->kept = hash;
    p->rule = rule;
    p->len = (uint16_t)len;
    memcpy(p->bytes, bytes, len);
}

#endif
