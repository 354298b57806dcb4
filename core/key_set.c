#include "core/key_set.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS_FIRST = 1 << 12 };

static void key_set_move(struct key_set *to, uint64_t key, uint32_t count)
{
    uint64_t slot = random_mix(key) & to->mask;
    while (to->keys[slot])
        slot = (slot + 1) & to->mask;
    to->keys[slot] = key;
    to->counts[slot] = count;
    to->count++;
}

int key_set_reserve(struct key_set *s, size_t more)
{
    uint64_t size = s->keys ? s->mask + 1 : SLOTS_FIRST;
    while (s->count + more > size / 4 * 3)
        size *= 2;
    if (s->keys && size == s->mask + 1)
        return 0;
    struct key_set larger = {.mask = size - 1};
    larger.keys = calloc(size, sizeof *larger.keys);
    larger.counts = calloc(size, sizeof *larger.counts);
    if (!larger.keys || !larger.counts) {
        key_set_fini(&larger);
        return -ENOMEM;
    }
    for (uint64_t i = 0; s->keys && i <= s->mask; i++)
        if (s->keys[i])
            key_set_move(&larger, s->keys[i], s->counts[i]);
    key_set_fini(s);
    *s = larger;
    return 0;
}

void key_set_fini(struct key_set *s)
{
    free(s->keys);
    free(s->counts);
    *s = (struct key_set){0};
}

void key_set_clear(struct key_set *s)
{
    if (!s->keys)
        return;
    memset(s->keys, 0, (s->mask + 1) * sizeof *s->keys);
    memset(s->counts, 0, (s->mask + 1) * sizeof *s->counts);
    s->count = 0;
}
