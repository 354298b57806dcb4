#include "capture/hash.h"

#include <stdlib.h>
#include <sys/random.h>

void hash_key_init(struct hash_key *key)
{
    if (getrandom(key, sizeof *key, 0) != (ssize_t)sizeof *key)
        abort(); /* cannot happen for 24 bytes; an unkeyed table must not run */
    key->a |= 1;
    key->b |= 1;
    key->c |= 1;
}
