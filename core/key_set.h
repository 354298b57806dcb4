/* key_set: how often each of many numbers came, for answers that are counted exactly.
 *
 * Open addressing, linear probing. The hash is not keyed: for numbers that nobody else chooses. 12 bytes per
 * slot, doubled beyond 3/4. One thread.
 */
#ifndef CORE_KEY_SET_H
#define CORE_KEY_SET_H

#include "capture/random.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All zero to begin with; then a reserve comes before the first add. */
struct key_set {
    uint64_t *keys; /* 0: an empty slot */
    uint32_t *counts;
    uint64_t mask, count;
};

/* Room for `more` keys. -ENOMEM: nothing changed. */
int key_set_reserve(struct key_set *s, size_t more);
void key_set_fini(struct key_set *s);
void key_set_clear(struct key_set *s); /* its memory stays */

/* Counts a key, which is not 0; true if it was not there. There must be room. */
static inline bool key_set_add(struct key_set *s, uint64_t key)
{
    for (uint64_t at = random_mix(key);; at++) {
        uint64_t slot = at & s->mask;
        bool is_new = !s->keys[slot];
        if (!is_new && s->keys[slot] != key)
            continue;
        s->keys[slot] = key;
        s->counts[slot]++;
        s->count += is_new;
        return is_new;
    }
}

#endif
