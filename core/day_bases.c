#include "core/day_bases.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { TEXTS = 3 };

void day_bases_fini(struct day_bases *b)
{
    free(b->bytes);
    *b = (struct day_bases){0};
}

/* Bytes of the entry that begins at `at`; 0: there is none. */
static size_t entry_len(const uint8_t *at, size_t left)
{
    size_t len = 1;
    if (left == 0 || at[0] >= DAY_BASIS_COUNT)
        return 0;
    for (unsigned i = 0; i < TEXTS; i++) {
        const uint8_t *end = len < left ? memchr(at + len, '\0', left - len) : NULL;
        if (!end)
            return 0;
        len = (size_t)(end - at) + 1;
    }
    return len;
}

bool day_bases_hold(const uint8_t *bytes, size_t len)
{
    size_t at = 0, entry = 1;
    while (at < len && (entry = entry_len(bytes + at, len - at)) > 0)
        at += entry;
    return entry > 0 && len <= DAY_BASES_MAX;
}

static bool is_there(const struct day_bases *b, const uint8_t *entry, size_t len)
{
    size_t at = 0, own;
    for (; at < b->len; at += own) {
        own = entry_len(b->bytes + at, b->len - at);
        if (own == len && memcmp(b->bytes + at, entry, len) == 0)
            return true;
    }
    return false;
}

static int entry_add(struct day_bases *b, const uint8_t *entry, size_t len)
{
    if (b->len + len > DAY_BASES_MAX || is_there(b, entry, len))
        return 0;
    uint8_t *grown = realloc(b->bytes, b->len + len);
    if (!grown)
        return -ENOMEM;
    memcpy(grown + b->len, entry, len);
    b->bytes = grown;
    b->len += len;
    return 0;
}

int day_bases_add(struct day_bases *b, enum day_basis_kind kind, const struct day_basis *basis)
{
    const char *texts[TEXTS] = {basis->name, basis->version, basis->sha256};
    size_t len = 1;
    for (unsigned i = 0; i < TEXTS; i++)
        len += strlen(texts[i]) + 1;
    uint8_t *entry = malloc(len), *at = entry;
    if (!entry)
        return -ENOMEM;
    *at++ = (uint8_t)kind;
    for (unsigned i = 0; i < TEXTS; i++)
        at = (uint8_t *)stpcpy((char *)at, texts[i]) + 1;
    int err = entry_add(b, entry, len);
    free(entry);
    return err;
}

int day_bases_merge(struct day_bases *into, const struct day_bases *from)
{
    int err = 0;
    for (size_t at = 0, len; at < from->len && err == 0; at += len) {
        len = entry_len(from->bytes + at, from->len - at);
        err = entry_add(into, from->bytes + at, len);
    }
    return err;
}

int day_bases_tell(const struct day_bases *b, struct day_facts *facts)
{
    int err = 0;
    for (size_t at = 0, len; at < b->len && err == 0; at += len) {
        const char *name = (const char *)b->bytes + at + 1, *version = name + strlen(name) + 1;
        const char *sha256 = version + strlen(version) + 1;
        len = entry_len(b->bytes + at, b->len - at);
        err = day_facts_add_basis(facts, (enum day_basis_kind)b->bytes[at], name, version, sha256);
    }
    return err;
}
