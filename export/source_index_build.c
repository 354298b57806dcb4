/* Making the index of a segment: read once to measure the postings of each term, then again to put them in their places. */
#include "export/record_bytes.h"
#include "export/saturate.h"
#include "export/source_index_format.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { POSTING_MAX = 4 * 10, TABLE_FIRST = 1 << 12 };

struct term {
    uint64_t key;    /* 0: free */
    uint64_t bytes;  /* of its postings; written so far in the second reading */
    uint64_t at;     /* where they begin */
    uint64_t room;   /* and how many bytes they have, in the second reading */
    uint64_t record; /* of the last posting */
    uint64_t packets, sources;
};

struct building {
    struct term *terms;  /* open addressing */
    size_t count, size;  /* size: a power of two */
    struct term **order; /* by key; made between the readings */
    uint8_t *map;        /* the file in the second reading */
    char *names;
    size_t name_count, names_bytes, names_size;
    uint64_t sources;
    struct source_day_buffer source;
    struct source_targets targets;
};

/* ---- terms ---- */

static uint64_t mixed(uint64_t key)
{
    key = (key ^ key >> 32) * UINT64_C(0x9e3779b97f4a7c15);
    return key ^ key >> 29;
}

static struct term *place_of(struct term *terms, size_t size, uint64_t key)
{
    size_t at = mixed(key) & (size - 1);
    while (terms[at].key != 0 && terms[at].key != key)
        at = (at + 1) & (size - 1);
    return &terms[at];
}

static int table_grow(struct building *b)
{
    size_t size = b->size == 0 ? TABLE_FIRST : b->size * 2;
    struct term *terms = calloc(size, sizeof *terms);
    if (terms == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < b->size; i++)
        if (b->terms[i].key != 0)
            *place_of(terms, size, b->terms[i].key) = b->terms[i];
    free(b->terms);
    b->terms = terms;
    b->size = size;
    return 0;
}

static int key_order(const void *a, const void *b)
{
    const struct term *x = *(struct term *const *)a, *y = *(struct term *const *)b;
    return x->key < y->key ? -1 : x->key > y->key;
}

/* The term of a key, made in the first reading where it is missing. -ENOMEM, -E2BIG; -EAGAIN: the segment changed. */
static int term_of(struct building *b, uint64_t key, struct term **out)
{
    if (b->order != NULL) {
        *out = place_of(b->terms, b->size, key);
        return (*out)->key == 0 ? -EAGAIN : 0;
    }
    if (b->count * 2 >= b->size && table_grow(b) != 0)
        return -ENOMEM;
    *out = place_of(b->terms, b->size, key);
    if ((*out)->key == 0) {
        if (b->count == INDEX_TERMS_MAX)
            return -E2BIG;
        (*out)->key = key;
        b->count++;
    }
    return 0;
}

/* Number of a rule's id; few different ones exist. -ENOMEM, -E2BIG. */
static int name_of(struct building *b, const char *name)
{
    size_t at = 0, len = strlen(name) + 1;
    for (size_t i = 0; i < b->name_count; i++) {
        if (strcmp(b->names + at, name) == 0)
            return (int)i;
        at += strlen(b->names + at) + 1;
    }
    if (b->name_count == INDEX_NAMES_MAX)
        return -E2BIG;
    if (b->names_bytes + len > b->names_size) {
        size_t size = b->names_size == 0 ? 4096 : b->names_size * 2;
        size = size < b->names_bytes + len ? b->names_bytes + len : size;
        char *grown = realloc(b->names, size);
        if (grown == NULL)
            return -ENOMEM;
        b->names = grown;
        b->names_size = size;
    }
    memcpy(b->names + b->names_bytes, name, len);
    b->names_bytes += len;
    return (int)b->name_count++;
}

/* ---- postings ---- */

/* Measures a posting of `count` numbers, or writes it. `numbers[0]` is the record's byte. */
static int posting_add(struct building *b, uint64_t key, const uint64_t *numbers, unsigned count)
{
    uint8_t bytes[POSTING_MAX];
    struct term *t;
    int err = term_of(b, key, &t);
    if (err != 0)
        return err;
    size_t len = varint_put(bytes, numbers[0] - t->record);
    for (unsigned i = 1; i < count; i++)
        len += varint_put(bytes + len, numbers[i]);
    t->record = numbers[0];
    if (b->map != NULL) {
        if (t->bytes + len > t->room)
            return -EAGAIN; /* the segment changed: there is more of it than in the first reading */
        memcpy(b->map + t->at + t->bytes, bytes, len);
    } else {
        saturate_add(&t->packets, count > 1 ? numbers[1] : 0);
        t->sources++;
    }
    t->bytes += len;
    return 0;
}

static int source_add(struct building *b, uint64_t at)
{
    const struct source_day *s = &b->source.day;
    const uint64_t country = source_country(s->origin.country), tools = source_targets_tools(s);
    int err = source_targets_fill(&b->targets, s);
    for (size_t i = 0; err == 0 && i < b->targets.count; i++) {
        const struct source_target *t = &b->targets.at[i];
        const uint64_t numbers[] = {at, t->packets, country, tools};
        err = posting_add(b, index_key_port(t->proto, t->port), numbers, 4);
    }
    if (err == 0)
        err = posting_add(b, index_key_as(s->origin.asn), &at, 1);
    for (size_t i = 0; err == 0 && b->map == NULL && i < b->targets.hit_count; i++) {
        const struct source_hit *hit = &b->targets.hits[i];
        int name = name_of(b, hit->rule);
        struct term *t;
        err = name < 0
                  ? name
                  : term_of(b, index_key_rule(hit->proto, hit->port, hit->evidence, (unsigned)name),
                            &t);
        if (err == 0) {
            saturate_add(&t->packets, hit->packets);
            t->sources++;
        }
    }
    b->sources++;
    return err;
}

/* Reads the segment through. 1; 0: it is damaged; -E2BIG, -EAGAIN; -errno and a fault. */
static int segment_read(struct building *b, struct feed_reader *r, size_t segment,
                        struct fault *fault)
{
    struct feed_cursor c;
    struct record_view view;
    struct fault why;
    int found = feed_cursor_begin(&c, r, segment, fault);
    b->sources = 0;
    while (found >= 0 && (found = feed_cursor_next(&c, &view, fault)) > 0) {
        if (view.body_kind != RECORD_source_day)
            continue;
        int err = record_unpack_source_day(&b->source, view.body, view.body_len, &why);
        if (err == -EBADMSG && feed_cursor_refuse(&c, why.text) == 0) {
            found = 0;
            break;
        }
        found = err == 0 ? source_add(b, c.at) : -ENOMEM;
        if (found == -ENOMEM)
            fault_set(fault, ENOMEM, "%.100s: no memory", feed_reader_name(r));
    }
    found = found < 0 ? found : c.is_closed && !c.is_damaged;
    feed_cursor_end(&c);
    return found;
}

/* ---- the file ---- */

/* Sorts the terms and gives each its place. Where the postings end; 0: no memory. */
static uint64_t terms_place(struct building *b)
{
    size_t kept = 0;
    uint64_t at = INDEX_HEADER;
    b->order = malloc((b->count + 1) * sizeof *b->order);
    if (b->order == NULL)
        return 0;
    for (size_t i = 0; i < b->size; i++)
        if (b->terms[i].key != 0)
            b->order[kept++] = &b->terms[i];
    if (kept > 0)
        qsort(b->order, kept, sizeof *b->order, key_order);
    for (size_t i = 0; i < kept; i++) {
        struct term *t = b->order[i];
        t->at = at;
        t->room = t->bytes;
        at += t->bytes;
        t->bytes = t->record = 0;
    }
    return at;
}

static uint32_t postings_crc(const uint8_t *at, uint64_t bytes)
{
    uint32_t crc = 0;
    for (uint64_t done = 0; done < bytes; done += INDEX_CHUNK)
        crc = record_crc(crc, at + done, bytes - done < INDEX_CHUNK ? bytes - done : INDEX_CHUNK);
    return crc;
}

static void tables_write(struct building *b, const struct source_index_of *of,
                         struct index_header *h)
{
    *h = (struct index_header){.of = *of,
                               .sources = b->sources,
                               .terms_at = h->terms_at,
                               .term_count = b->count,
                               .names_at = h->names_at,
                               .names_bytes = b->names_bytes,
                               .name_count = (uint32_t)b->name_count,
                               .names_crc = record_crc(0, b->names, b->names_bytes)};
    if (b->names_bytes > 0)
        memcpy(b->map + h->names_at, b->names, b->names_bytes);
    for (size_t i = 0; i < b->count; i++) {
        const struct term *t = b->order[i];
        struct index_term out = {t->key,     t->at,      t->bytes,
                                 t->packets, t->sources, postings_crc(b->map + t->at, t->bytes)};
        index_term_put(&out, b->map + h->terms_at + i * INDEX_TERM);
    }
    index_header_put(h, b->map);
}

/* Fills the open file. As segment_read; -errno without a fault. */
static int file_fill(struct building *b, int fd, struct feed_reader *r, size_t segment,
                     const struct source_index_of *of, struct fault *fault)
{
    struct index_header h = {.names_at = terms_place(b)};
    if (h.names_at == 0)
        return -ENOMEM;
    h.terms_at = h.names_at + b->names_bytes;
    uint64_t size = h.terms_at + (uint64_t)b->count * INDEX_TERM;
    struct source_index_of now;
    int err = posix_fallocate(fd, 0, (off_t)size); /* a page that can't be written would kill us */
    if (err != 0)
        return -err;
    b->map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (b->map == MAP_FAILED) {
        b->map = NULL;
        return -errno;
    }
    uint64_t sources = b->sources;
    int found = segment_read(b, r, segment, fault);
    if (found > 0 && (b->sources != sources || index_of_segment(r, segment, &now) != 0 ||
                      now.size != of->size || now.crc != of->crc || now.seq != of->seq))
        found = -EAGAIN;
    if (found > 0)
        tables_write(b, of, &h);
    munmap(b->map, size);
    b->map = NULL;
    return found;
}

/* Under another name until it is whole. */
static int file_write(struct building *b, struct feed_reader *r, size_t segment, const char *index,
                      const struct source_index_of *of, struct fault *fault)
{
    char part[FEED_PATH + 8];
    struct stat s = {0};
    (void)stat(feed_reader_path(r, segment, part), &s); /* who may read the segment may read this */
    snprintf(part, sizeof part, "%s.XXXXXX", index);
    int fd = mkstemp(part);
    if (fd < 0)
        return fault_set(fault, errno, "%.200s: %s", index, strerror(errno));
    fault->text[0] = '\0';
    int found = file_fill(b, fd, r, segment, of, fault);
    if (found > 0 && (fchmod(fd, s.st_mode & 0666) < 0 || rename(part, index) < 0))
        found = -errno;
    close(fd);
    if (found <= 0)
        unlink(part);
    if (found < 0 && fault->text[0] == '\0')
        fault_set(fault, -found, "%.200s: %s", index, strerror(-found));
    return found;
}

int source_index_build(struct feed_reader *r, size_t segment, struct fault *fault)
{
    struct building b = {0};
    char path[FEED_PATH], index[FEED_PATH];
    struct source_index_of of;
    if (index_of_segment(r, segment, &of) != 0 ||
        !source_index_path(feed_reader_path(r, segment, path), index))
        return 0;
    int found = segment_read(&b, r, segment, fault);
    if (found > 0)
        found = file_write(&b, r, segment, index, &of, fault);
    else if (found == -E2BIG)
        found = 0;
    source_day_buffer_free(&b.source);
    source_targets_fini(&b.targets);
    free(b.terms);
    free(b.order);
    free(b.names);
    return found;
}
