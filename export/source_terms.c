#include "export/source_terms.h"

#include "export/record_bytes.h"
#include "export/saturate.h"
#include "export/source_index_format.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    POSTING_MAX = 4 * 10,
    FIRST = 1 << 12,
    SPILL_BUFFER = 1 << 20,
    PIECES = 64 /* put into their places together */
};

/* All of one size, so that those that follow can be looked at ahead. */
struct piece {
    uint32_t number;
    uint8_t len;
    uint8_t postings[SOURCE_TERM_HELD];
};

/* A file without a name, or one whose name is gone: nothing is left behind, however this ends. */
static FILE *spill_open(const char *dir)
{
    char path[FEED_PATH];
    int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0) {
        snprintf(path, sizeof path, "%s/.index-XXXXXX", dir);
        fd = mkostemp(path, O_CLOEXEC);
        if (fd >= 0)
            (void)unlink(path);
    }
    FILE *f = fd < 0 ? NULL : fdopen(fd, "w+");
    if (f == NULL && fd >= 0)
        (void)close(fd);
    if (f != NULL)
        (void)setvbuf(f, NULL, _IOFBF, SPILL_BUFFER);
    return f;
}

int source_terms_open(struct source_terms *t, const char *dir)
{
    *t = (struct source_terms){0};
    t->ports = calloc(SOURCE_PORTS, sizeof *t->ports);
    if (t->ports == NULL)
        return -ENOMEM;
    t->spill = spill_open(dir);
    return t->spill == NULL ? -errno : 0;
}

void source_terms_fini(struct source_terms *t)
{
    if (t->spill != NULL)
        (void)fclose(t->spill);
    free(t->at);
    free(t->found);
    free(t->ports);
    free(t->order);
    *t = (struct source_terms){0};
}

/* ---- finding ---- */

static uint64_t mixed(uint64_t key)
{
    key = (key ^ key >> 32) * UINT64_C(0x9e3779b97f4a7c15);
    return key ^ key >> 29;
}

static uint32_t *place_of(const struct source_terms *t, uint64_t key)
{
    uint32_t at = (uint32_t)mixed(key) & (t->found_size - 1);
    while (t->found[at] != 0 && t->at[t->found[at] - 1].key != key)
        at = (at + 1) & (t->found_size - 1);
    return &t->found[at];
}

static int found_grow(struct source_terms *t)
{
    uint32_t size = t->found_size == 0 ? FIRST : t->found_size * 2;
    uint32_t *old = t->found, old_size = t->found_size;
    uint32_t *grown = calloc(size, sizeof *grown);
    if (grown == NULL)
        return -ENOMEM;
    t->found = grown;
    t->found_size = size;
    for (uint32_t i = 0; i < old_size; i++)
        if (old[i] != 0)
            *place_of(t, t->at[old[i] - 1].key) = old[i];
    free(old);
    return 0;
}

static int64_t term_add(struct source_terms *t, uint64_t key)
{
    if (t->count == INDEX_TERMS_MAX)
        return -E2BIG;
    if (t->count == t->size) {
        uint32_t size = t->size == 0 ? FIRST : t->size * 2;
        struct source_term *grown = aligned_alloc(SOURCE_TERM, (size_t)size * sizeof *grown);
        if (grown == NULL)
            return -ENOMEM;
        if (t->count > 0)
            memcpy(grown, t->at, t->count * sizeof *grown);
        free(t->at);
        t->at = grown;
        t->size = size;
    }
    t->at[t->count] = (struct source_term){.key = key};
    return t->count++;
}

int64_t source_terms_number(struct source_terms *t, uint64_t key)
{
    if ((uint64_t)t->count * 2 >= t->found_size && found_grow(t) != 0)
        return -ENOMEM;
    uint32_t *place = place_of(t, key);
    if (*place != 0)
        return *place - 1;
    int64_t number = term_add(t, key);
    if (number >= 0)
        *place = (uint32_t)number + 1;
    return number;
}

int64_t source_terms_port(struct source_terms *t, unsigned proto, uint16_t port)
{
    uint32_t *place = &t->ports[proto << 16 | port];
    if (*place != 0)
        return *place - 1;
    int64_t number = term_add(t, index_key_port(proto, port));
    if (number >= 0)
        *place = (uint32_t)number + 1;
    return number;
}

/* ---- postings ---- */

static int spill(struct source_terms *t, struct source_term *term)
{
    struct piece piece = {.number = (uint32_t)(term - t->at), .len = term->held};
    memcpy(piece.postings, term->postings, sizeof piece.postings);
    if (fwrite_unlocked(&piece, sizeof piece, 1, t->spill) != 1)
        return errno > 0 ? -errno : -EIO;
    t->spilled++;
    term->held = 0;
    return 0;
}

int source_terms_post(struct source_terms *t, int64_t number, const uint64_t *numbers,
                      unsigned count)
{
    struct source_term *term = &t->at[number];
    uint8_t bytes[POSTING_MAX];
    size_t len = varint_put(bytes, numbers[0] - term->record);
    for (unsigned i = 1; i < count; i++)
        len += varint_put(bytes + len, numbers[i]);
    if (term->held + len > SOURCE_TERM_HELD) {
        int err = spill(t, term);
        if (err < 0)
            return err;
    }
    memcpy(term->postings + term->held, bytes, len);
    term->held = (uint8_t)(term->held + len);
    term->bytes += len;
    term->record = numbers[0];
    saturate_add(&term->packets, count > 1 ? numbers[1] : 0);
    term->sources++;
    return 0;
}

void source_terms_count(struct source_terms *t, int64_t number, uint64_t packets)
{
    saturate_add(&t->at[number].packets, packets);
    t->at[number].sources++;
}

/* ---- places ---- */

static int key_order(const void *a, const void *b, void *context)
{
    const struct source_term *at = context;
    uint64_t x = at[*(const uint32_t *)a].key, y = at[*(const uint32_t *)b].key;
    return x < y ? -1 : x > y;
}

uint64_t source_terms_place(struct source_terms *t, uint64_t at)
{
    t->order = malloc(((size_t)t->count + 1) * sizeof *t->order);
    if (t->order == NULL)
        return 0;
    for (uint32_t i = 0; i < t->count; i++)
        t->order[i] = i;
    if (t->count > 0)
        qsort_r(t->order, t->count, sizeof *t->order, key_order, t->at);
    for (uint32_t i = 0; i < t->count; i++) {
        struct source_term *term = &t->at[t->order[i]];
        term->at = at;
        term->record = 0;
        at += term->bytes;
    }
    return at;
}

/* Pieces of one term stand in their order. False: a disk gave back something else. */
static bool pieces_write(struct source_terms *t, uint8_t *map, const struct piece *pieces,
                         size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (pieces[i].number >= t->count || pieces[i].len > SOURCE_TERM_HELD)
            return false;
        source_terms_expect(t, pieces[i].number);
    }
    for (size_t i = 0; i < count; i++) {
        const struct source_term *term = &t->at[pieces[i].number];
        __builtin_prefetch(map + term->at + term->record, 1);
    }
    for (size_t i = 0; i < count; i++) {
        struct source_term *term = &t->at[pieces[i].number];
        if (term->record + pieces[i].len + term->held > term->bytes)
            return false;
        memcpy(map + term->at + term->record, pieces[i].postings, pieces[i].len);
        term->record += pieces[i].len;
    }
    return true;
}

int source_terms_write(struct source_terms *t, uint8_t *map)
{
    struct piece pieces[PIECES];
    if (fflush(t->spill) != 0 || fseeko(t->spill, 0, SEEK_SET) != 0)
        return -errno;
    for (uint64_t i = 0; i < t->spilled; i += PIECES) {
        size_t count = t->spilled - i < PIECES ? (size_t)(t->spilled - i) : PIECES;
        if (fread_unlocked(pieces, sizeof *pieces, count, t->spill) != count ||
            !pieces_write(t, map, pieces, count))
            return -EIO;
    }
    for (uint32_t i = 0; i < t->count; i++) {
        struct source_term *term = &t->at[i];
        if (term->record + term->held != term->bytes)
            return -EIO;
        memcpy(map + term->at + term->record, term->postings, term->held);
    }
    return 0;
}
