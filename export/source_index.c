#include "export/record_bytes.h"
#include "export/source_index_format.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHUNK = INDEX_CHUNK, POSTING_MAX = 4 * 10, NAMES_BYTES_MAX = 16 << 20 };

struct source_index {
    struct index_header header;
    int fd;
    uint64_t size;
    char *names;       /* all of them, one behind the other */
    const char **name; /* by number */
};

/* ---- the form ---- */

void index_header_put(const struct index_header *h, uint8_t to[INDEX_HEADER])
{
    memset(to, 0, INDEX_HEADER);
    memcpy(to, INDEX_MAGIC, 8);
    uint8_t *at = index_put(to + 8, h->of.size);
    at = index_put(at, h->of.seq);
    at = index_put(at, h->of.crc);
    at = index_put(at, h->sources);
    at = index_put(at, h->terms_at);
    at = index_put(at, h->term_count);
    at = index_put(at, h->names_at);
    at = index_put(at, h->names_bytes);
    at = index_put(at, (uint64_t)h->name_count << 32 | h->names_crc);
    uint32_t crc = htole32(record_crc(0, to, INDEX_HEADER - INDEX_CRC));
    memcpy(to + INDEX_HEADER - INDEX_CRC, &crc, sizeof crc);
}

static bool crc_holds(const uint8_t *bytes, size_t len)
{
    uint32_t crc;
    memcpy(&crc, bytes + len - INDEX_CRC, sizeof crc);
    return record_crc(0, bytes, len - INDEX_CRC) == le32toh(crc);
}

bool index_header_get(struct index_header *h, const uint8_t from[INDEX_HEADER])
{
    const uint8_t *at = from + 8;
    if (memcmp(from, INDEX_MAGIC, 8) != 0 || !crc_holds(from, INDEX_HEADER))
        return false;
    h->of.size = index_get(&at);
    h->of.seq = index_get(&at);
    h->of.crc = (uint32_t)index_get(&at);
    h->sources = index_get(&at);
    h->terms_at = index_get(&at);
    h->term_count = index_get(&at);
    h->names_at = index_get(&at);
    h->names_bytes = index_get(&at);
    uint64_t both = index_get(&at);
    h->name_count = (uint32_t)(both >> 32);
    h->names_crc = (uint32_t)both;
    return true;
}

void index_term_put(const struct index_term *t, uint8_t to[INDEX_TERM])
{
    uint8_t *at = index_put(to, t->key);
    at = index_put(at, t->at);
    at = index_put(at, t->bytes);
    at = index_put(at, t->packets);
    at = index_put(at, t->sources);
    uint32_t crc = htole32(t->crc);
    memcpy(at, &crc, sizeof crc);
    crc = htole32(record_crc(0, to, INDEX_TERM - INDEX_CRC));
    memcpy(at + sizeof crc, &crc, sizeof crc);
}

bool index_term_get(struct index_term *t, const uint8_t from[INDEX_TERM])
{
    const uint8_t *at = from;
    if (!crc_holds(from, INDEX_TERM))
        return false;
    t->key = index_get(&at);
    t->at = index_get(&at);
    t->bytes = index_get(&at);
    t->packets = index_get(&at);
    t->sources = index_get(&at);
    memcpy(&t->crc, at, sizeof t->crc);
    t->crc = le32toh(t->crc);
    return true;
}

bool source_index_path(const char *segment, char path[FEED_PATH])
{
    static const char end[] = ".yami";
    size_t len = strlen(segment);
    if (len < sizeof end || strcmp(segment + len - sizeof end + 1, end) != 0 ||
        len + sizeof ".index" > FEED_PATH)
        return false;
    memcpy(path, segment, len - sizeof end + 1);
    strcpy(path + len - sizeof end + 1, ".index");
    return true;
}

int index_of_segment(const struct feed_reader *r, size_t segment, struct source_index_of *of)
{
    char path[FEED_PATH];
    uint8_t begin[16];
    struct stat s;
    *of = (struct source_index_of){0};
    int fd = open(feed_reader_path(r, segment, path), O_RDONLY | O_CLOEXEC);
    bool is_read = fd >= 0 && fstat(fd, &s) == 0 && S_ISREG(s.st_mode) &&
                   s.st_size > (off_t)sizeof begin &&
                   pread(fd, begin, sizeof begin, 0) == (ssize_t)sizeof begin &&
                   pread(fd, &of->crc, sizeof of->crc, s.st_size - (off_t)sizeof of->crc) ==
                       (ssize_t)sizeof of->crc;
    if (fd >= 0)
        close(fd);
    if (!is_read)
        return -EAGAIN;
    const uint8_t *at = begin, *end = begin + sizeof begin;
    uint64_t len;
    of->size = (uint64_t)s.st_size;
    of->crc = le32toh(of->crc);
    if (!varint_get(&at, end, &len) || at == end || *at++ != 1 << 3 ||
        !varint_get(&at, end, &of->seq))
        return -EAGAIN;
    return 0;
}

/* ---- opening ---- */

/* 0; -EBADMSG: it ends before; -EIO. */
static int bytes_read(const struct source_index *ix, void *to, size_t len, uint64_t at)
{
    if (at > ix->size || len > ix->size - at)
        return -EBADMSG;
    for (size_t have = 0; have < len;) {
        ssize_t got = pread(ix->fd, (char *)to + have, len - have, (off_t)(at + have));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got == 0 ? -EBADMSG : -EIO;
        have += (size_t)got;
    }
    return 0;
}

static int names_read(struct source_index *ix)
{
    const struct index_header *h = &ix->header;
    if (h->names_bytes > NAMES_BYTES_MAX || h->name_count > INDEX_NAMES_MAX)
        return -EBADMSG;
    ix->names = malloc(h->names_bytes + 1);
    ix->name = malloc((h->name_count + 1) * sizeof *ix->name);
    if (ix->names == NULL || ix->name == NULL)
        return -ENOMEM;
    int err = bytes_read(ix, ix->names, h->names_bytes, h->names_at);
    if (err != 0)
        return err;
    if (record_crc(0, ix->names, h->names_bytes) != h->names_crc)
        return -EBADMSG;
    size_t at = 0;
    for (uint32_t i = 0; i < h->name_count; i++) {
        const char *end =
            at < h->names_bytes ? memchr(ix->names + at, 0, h->names_bytes - at) : NULL;
        if (end == NULL)
            return -EBADMSG;
        ix->name[i] = ix->names + at;
        at = (size_t)(end - ix->names) + 1;
    }
    return 0;
}

int source_index_open_file(struct source_index **out, const char *path,
                           const struct source_index_of *of)
{
    struct source_index *ix = calloc(1, sizeof *ix);
    uint8_t header[INDEX_HEADER];
    struct stat s;
    *out = NULL;
    if (ix == NULL)
        return -ENOMEM;
    ix->fd = open(path, O_RDONLY | O_CLOEXEC);
    int err = ix->fd < 0 || fstat(ix->fd, &s) < 0 ? -EBADMSG : 0;
    ix->size = err == 0 && s.st_size > 0 ? (uint64_t)s.st_size : 0;
    err = err == 0 ? bytes_read(ix, header, sizeof header, 0) : err;
    const struct index_header *h = &ix->header;
    if (err == 0 &&
        (!index_header_get(&ix->header, header) || h->of.size != of->size || h->of.seq != of->seq ||
         h->of.crc != of->crc || h->term_count > INDEX_TERMS_MAX || h->terms_at > ix->size ||
         h->term_count * INDEX_TERM != ix->size - h->terms_at))
        err = -EBADMSG;
    err = err == 0 ? names_read(ix) : err;
    if (err == 0) {
        *out = ix;
        return 1;
    }
    source_index_close(ix);
    return err == -ENOMEM ? err : 0;
}

int source_index_open(struct source_index **out, const struct feed_reader *r, size_t segment)
{
    char path[FEED_PATH], index[FEED_PATH];
    struct source_index_of of;
    *out = NULL;
    if (index_of_segment(r, segment, &of) != 0 ||
        !source_index_path(feed_reader_path(r, segment, path), index))
        return 0;
    return source_index_open_file(out, index, &of);
}

void source_index_close(struct source_index *ix)
{
    if (ix == NULL)
        return;
    if (ix->fd >= 0)
        close(ix->fd);
    free(ix->names);
    free(ix->name);
    free(ix);
}

/* ---- terms ---- */

/* The first term whose key is `key` or behind it, from number `*number` on. 1; 0: there is none. */
static int term_seek(const struct source_index *ix, uint64_t key, uint64_t *number,
                     struct index_term *t)
{
    uint64_t low = 0, high = ix->header.term_count;
    uint8_t bytes[INDEX_TERM];
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        int err = bytes_read(ix, bytes, sizeof bytes, ix->header.terms_at + middle * INDEX_TERM);
        if (err != 0 || !index_term_get(t, bytes))
            return err != 0 ? err : -EBADMSG;
        if (t->key < key)
            low = middle + 1;
        else
            high = middle;
    }
    *number = low;
    if (low == ix->header.term_count)
        return 0;
    int err = bytes_read(ix, bytes, sizeof bytes, ix->header.terms_at + low * INDEX_TERM);
    if (err != 0 || !index_term_get(t, bytes))
        return err != 0 ? err : -EBADMSG;
    return 1;
}

static int term_find(const struct source_index *ix, uint64_t key, struct index_term *t)
{
    uint64_t number;
    int found = term_seek(ix, key, &number, t);
    return found > 0 && t->key != key ? 0 : found;
}

/* ---- postings ---- */

/* Begins with a term's postings, whose checksum is held to first: what is given afterwards is what was written. */
static int list_begin(struct source_index_list *l, struct source_index *ix,
                      const struct index_term *t)
{
    uint32_t crc = 0;
    l->index = ix;
    l->bytes = malloc(CHUNK);
    if (l->bytes == NULL)
        return -ENOMEM;
    if (t->at > ix->size || t->bytes > ix->size - t->at)
        return -EBADMSG;
    for (uint64_t at = t->at, end = t->at + t->bytes; at < end;) {
        size_t len = end - at < CHUNK ? (size_t)(end - at) : CHUNK;
        int err = bytes_read(ix, l->bytes, len, at);
        if (err != 0)
            return err;
        crc = record_crc(crc, l->bytes, len);
        at += len;
    }
    if (crc != t->crc)
        return -EBADMSG;
    l->at = t->at;
    l->end = t->at + t->bytes;
    l->sources = t->sources;
    return 1;
}

/* Makes sure that a whole posting is at hand, or all that is left. */
static int list_fill(struct source_index_list *l)
{
    if (l->len - l->used >= POSTING_MAX || l->at == l->end)
        return 0;
    memmove(l->bytes, l->bytes + l->used, l->len - l->used);
    l->len -= l->used;
    l->used = 0;
    size_t more = CHUNK - l->len;
    more = l->end - l->at < more ? (size_t)(l->end - l->at) : more;
    int err = bytes_read(l->index, l->bytes + l->len, more, l->at);
    l->at += err == 0 ? more : 0;
    l->len += err == 0 ? more : 0;
    return err;
}

/* The next posting of `count` numbers: 1; 0: there is none. */
static int list_next(struct source_index_list *l, uint64_t *numbers, unsigned count)
{
    int err = list_fill(l);
    if (err != 0 || l->used == l->len)
        return err != 0 ? err : l->sources == 0 ? 0 : -EBADMSG;
    const uint8_t *at = l->bytes + l->used, *end = l->bytes + l->len;
    for (unsigned i = 0; i < count; i++)
        if (!varint_get(&at, end, &numbers[i]))
            return -EBADMSG;
    l->used = (size_t)(at - l->bytes);
    if (l->sources-- == 0 || numbers[0] == 0 ||
        __builtin_add_overflow(l->record, numbers[0], &l->record))
        return -EBADMSG;
    return 1;
}

void source_index_end(struct source_index_list *l)
{
    free(l->bytes);
    *l = (struct source_index_list){0};
}

int source_index_as(struct source_index *ix, uint32_t asn, struct source_index_list *l)
{
    struct index_term t;
    *l = (struct source_index_list){0};
    int found = term_find(ix, index_key_as(asn), &t);
    return found <= 0 ? found : list_begin(l, ix, &t);
}

int source_index_next(struct source_index_list *l, uint64_t *at)
{
    uint64_t gap;
    int found = l->bytes == NULL ? 0 : list_next(l, &gap, 1);
    *at = l->record;
    return found;
}

static int rules_read(struct source_index *ix, unsigned proto, uint16_t port, struct port_facets *f)
{
    uint64_t first = index_key_rule(proto, port, 0, 0), number;
    struct index_term t;
    uint8_t bytes[INDEX_TERM];
    int found = term_seek(ix, first, &number, &t);
    while (found > 0 && t.key >> 32 == first >> 32) {
        uint32_t name = t.key & 0xffffff, evidence = t.key >> 24 & 0xff;
        if (name >= ix->header.name_count || evidence >= EVIDENCE_COUNT)
            return -EBADMSG;
        if (evidence == EVIDENCE_port)
            f->shown += t.sources;
        else if (facets_rule_add(f, ix->name[name], evidence, t.packets, t.sources) != 0)
            return -ENOMEM;
        if (++number == ix->header.term_count)
            break;
        found = bytes_read(ix, bytes, sizeof bytes, ix->header.terms_at + number * INDEX_TERM);
        if (found != 0 || !index_term_get(&t, bytes))
            return found != 0 ? found : -EBADMSG;
        found = 1;
    }
    return found < 0 ? found : 0;
}

int source_index_port(struct source_index *ix, unsigned proto, uint16_t port, struct port_facets *f)
{
    enum { AT, PACKETS, COUNTRY, TOOLS, NUMBERS };
    struct index_term t;
    struct source_index_list l = {0};
    uint64_t n[NUMBERS];
    int found = term_find(ix, index_key_port(proto, port), &t);
    if (found <= 0)
        return found;
    found = list_begin(&l, ix, &t);
    while (found > 0 && (found = list_next(&l, n, NUMBERS)) > 0)
        facets_count(f, l.record, n[PACKETS], (unsigned)(n[COUNTRY] % SOURCE_COUNTRIES),
                     (uint32_t)n[TOOLS]);
    source_index_end(&l);
    if (found == 0 && (f->all.packets != t.packets || f->all.sources != t.sources))
        found = -EBADMSG;
    if (found == 0)
        found = rules_read(ix, proto, port, f);
    port_facets_end(f);
    return found == 0 ? 1 : found;
}
