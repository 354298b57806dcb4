/* Making the index of a segment, which is read once. */
#include "export/record_bytes.h"
#include "export/saturate.h"
#include "export/source_index_format.h"
#include "export/source_terms.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct building {
    struct source_terms terms;
    int64_t *numbers; /* of the terms of the source at hand */
    size_t number_size;
    char *names;
    size_t name_count, names_bytes, names_size;
    uint64_t sources;
    const atomic_bool *is_stopped; /* or NULL */
    struct source_day_buffer source;
    struct source_targets targets;
};

/* ---- a source ---- */

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

static int numbers_reserve(struct building *b, size_t count)
{
    if (count <= b->number_size)
        return 0;
    int64_t *grown = realloc(b->numbers, count * 2 * sizeof *grown);
    if (grown == NULL)
        return -ENOMEM;
    b->numbers = grown;
    b->number_size = count * 2;
    return 0;
}

/* First all terms are found, so that they are at hand when they are posted to. */
static int ports_post(struct building *b, uint64_t at)
{
    const struct source_day *s = &b->source.day;
    const struct source_targets *targets = &b->targets;
    const uint64_t country = source_country(s->origin.country), tools = source_targets_tools(s);
    int err = numbers_reserve(b, targets->count);
    for (size_t i = 0; err == 0 && i < targets->count; i++) {
        b->numbers[i] = source_terms_port(&b->terms, targets->at[i].proto, targets->at[i].port);
        if (b->numbers[i] < 0)
            return (int)b->numbers[i];
        source_terms_expect(&b->terms, b->numbers[i]);
    }
    for (size_t i = 0; err == 0 && i < targets->count; i++) {
        const uint64_t numbers[] = {at, targets->at[i].packets, country, tools};
        err = source_terms_post(&b->terms, b->numbers[i], numbers, 4);
    }
    return err;
}

static int hits_count(struct building *b)
{
    for (size_t i = 0; i < b->targets.hit_count; i++) {
        const struct source_hit *hit = &b->targets.hits[i];
        int name = name_of(b, hit->rule);
        if (name < 0)
            return name;
        int64_t number = source_terms_number(
            &b->terms, index_key_rule(hit->proto, hit->port, hit->evidence, (unsigned)name));
        if (number < 0)
            return (int)number;
        source_terms_count(&b->terms, number, hit->packets);
    }
    return 0;
}

static int shown_count(struct building *b)
{
    for (size_t i = 0; i < b->targets.hit_count;) {
        const struct source_hit *hit = &b->targets.hits[i];
        const struct source_target *target =
            source_targets_find(&b->targets, hit->proto, hit->port);
        uint64_t shown = source_targets_shown(&b->targets, &i);
        if (shown == 0 || target == NULL || shown < target->packets)
            continue;
        int name = name_of(b, INDEX_SHOWN_NAME);
        if (name < 0)
            return name;
        int64_t number = source_terms_number(
            &b->terms, index_key_rule(hit->proto, hit->port, EVIDENCE_port, (unsigned)name));
        if (number < 0)
            return (int)number;
        source_terms_count(&b->terms, number, shown);
    }
    return 0;
}

/* -ENOMEM, -E2BIG; else -errno of a file. */
static int source_add(struct building *b, uint64_t at)
{
    int err = source_targets_fill(&b->targets, &b->source.day);
    err = err < 0 ? err : ports_post(b, at);
    if (err < 0)
        return err;
    int64_t as = source_terms_number(&b->terms, index_key_as(b->source.day.origin.asn));
    if (as < 0)
        return (int)as;
    err = source_terms_post(&b->terms, as, &at, 1);
    b->sources++;
    err = err < 0 ? err : hits_count(b);
    return err < 0 ? err : shown_count(b);
}

static bool is_stopped(const struct building *b)
{
    return b->is_stopped != NULL && atomic_load_explicit(b->is_stopped, memory_order_relaxed);
}

/* Reads the segment through. 1; 0: it is damaged; -E2BIG; -errno and a fault. */
static int segment_read(struct building *b, struct feed_reader *r, size_t segment,
                        struct fault *fault)
{
    struct feed_cursor c;
    struct record_view view;
    struct fault why;
    int found = feed_cursor_begin(&c, r, segment, fault);
    while (found >= 0 && (found = feed_cursor_next(&c, &view, fault)) > 0) {
        if (view.body_kind != RECORD_source_day)
            continue;
        int err = record_unpack_source_day(&b->source, view.body, view.body_len, &why);
        if (err == -EBADMSG && feed_cursor_refuse(&c, why.text) == 0) {
            found = 0;
            break;
        }
        found = err == 0 ? source_add(b, c.at) : -ENOMEM;
        if (found == 0 && is_stopped(b))
            found = -ECANCELED;
        if (found < 0 && found != -E2BIG)
            fault_set(fault, -found, "%.100s: index: %s", feed_reader_name(r), strerror(-found));
    }
    found = found < 0 ? found : c.is_closed && !c.is_damaged;
    feed_cursor_end(&c);
    return found;
}

/* ---- the file ---- */

static uint32_t postings_crc(const uint8_t *at, uint64_t bytes)
{
    uint32_t crc = 0;
    for (uint64_t done = 0; done < bytes; done += INDEX_CHUNK)
        crc = record_crc(crc, at + done, bytes - done < INDEX_CHUNK ? bytes - done : INDEX_CHUNK);
    return crc;
}

static void tables_write(struct building *b, uint8_t *map, const struct source_index_of *of,
                         struct index_header *h)
{
    *h = (struct index_header){.of = *of,
                               .sources = b->sources,
                               .terms_at = h->terms_at,
                               .term_count = b->terms.count,
                               .names_at = h->names_at,
                               .names_bytes = b->names_bytes,
                               .name_count = (uint32_t)b->name_count,
                               .names_crc = record_crc(0, b->names, b->names_bytes)};
    if (b->names_bytes > 0)
        memcpy(map + h->names_at, b->names, b->names_bytes);
    for (uint32_t i = 0; i < b->terms.count; i++) {
        const struct source_term *t = source_terms_by_key(&b->terms, i);
        struct index_term out = {t->key,     t->at,      t->bytes,
                                 t->packets, t->sources, postings_crc(map + t->at, t->bytes)};
        index_term_put(&out, map + h->terms_at + (uint64_t)i * INDEX_TERM);
    }
    index_header_put(h, map);
}

/* Fills the open file. 0, or -errno. */
static int file_fill(struct building *b, int fd, const struct source_index_of *of)
{
    struct index_header h = {.names_at = source_terms_place(&b->terms, INDEX_HEADER)};
    if (h.names_at == 0)
        return -ENOMEM;
    h.terms_at = h.names_at + b->names_bytes;
    uint64_t size = h.terms_at + (uint64_t)b->terms.count * INDEX_TERM;
    int err = posix_fallocate(fd, 0, (off_t)size); /* a page that can't be written would kill us */
    if (err != 0)
        return -err;
    uint8_t *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED)
        return -errno;
    err = source_terms_write(&b->terms, map);
    if (err == 0)
        tables_write(b, map, of, &h);
    munmap(map, size);
    return err;
}

/* Under another name until it is whole. Retention that took the segment meanwhile looked for no index of it. */
static int file_write(struct building *b, struct feed_reader *r, size_t segment, const char *index,
                      const struct source_index_of *of, struct fault *fault)
{
    char part[FEED_PATH + 8], path[FEED_PATH];
    struct stat s = {0};
    feed_reader_path(r, segment, path);
    (void)stat(path, &s); /* who may read the segment may read this */
    snprintf(part, sizeof part, "%s.XXXXXX", index);
    int fd = mkostemp(part, O_CLOEXEC);
    if (fd < 0)
        return fault_set(fault, errno, "%.200s: %s", index, strerror(errno));
    int err = file_fill(b, fd, of);
    if (err == 0 && (fchmod(fd, s.st_mode & 0666) < 0 || rename(part, index) < 0))
        err = -errno;
    close(fd);
    if (err < 0)
        unlink(part);
    else if (access(path, F_OK) < 0)
        unlink(index);
    return err < 0 ? fault_set(fault, -err, "%.200s: %s", index, strerror(-err)) : 1;
}

int source_index_build(struct feed_reader *r, size_t segment, const atomic_bool *is_stopped,
                       struct fault *fault)
{
    struct building b = {.is_stopped = is_stopped};
    char path[FEED_PATH], index[FEED_PATH], dir[FEED_PATH];
    struct source_index_of of, now;
    if (index_of_segment(r, segment, &of) != 0 ||
        !source_index_path(feed_reader_path(r, segment, path), index))
        return 0;
    snprintf(dir, sizeof dir, "%s", path);
    char *slash = strrchr(dir, '/');
    if (slash != NULL)
        *slash = '\0';
    int found = source_terms_open(&b.terms, slash == NULL ? "." : dir);
    if (found < 0)
        fault_set(fault, -found, "%.200s: %s", index, strerror(-found));
    found = found < 0 ? found : segment_read(&b, r, segment, fault);
    if (found > 0 && (index_of_segment(r, segment, &now) != 0 || now.size != of.size ||
                      now.crc != of.crc || now.seq != of.seq))
        found = fault_set(fault, EAGAIN, "%.200s: it changed while it was read", path);
    if (found > 0)
        found = file_write(&b, r, segment, index, &of, fault);
    else if (found == -E2BIG)
        found = 0;
    source_day_buffer_free(&b.source);
    source_targets_fini(&b.targets);
    source_terms_fini(&b.terms);
    free(b.numbers);
    free(b.names);
    return found;
}
