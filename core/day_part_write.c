#include "core/day_part_state.h"

#include "export/calendar.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { WRITE_BACK = 1 << 20 }; /* the disk begins with so many bytes at a time */

struct day_part_writer {
    const struct day_part_folder *folder;
    char name[DAY_PART_NAME], beside[DAY_PART_NAME + 8];
    int fd;
    uint64_t at, begun; /* the open block; of what is before it, the disk was told to write */
    uint64_t run_at, sources;
    struct day_part_id id;
    uint32_t crc;                  /* of the head */
    const struct day_bases *bases; /* or NULL */
    size_t len, size;              /* of the open block's content */
    uint8_t *block;                /* with its frame in front */
};

void day_part_name(const struct day_part_id *id, char name[DAY_PART_NAME])
{
    struct calendar_civil day = calendar_civil_of(id->date);
    (void)snprintf(name, DAY_PART_NAME, "%04" PRId32 "%02u%02u-%012" PRIu64 "-%012" PRIu64 ".part",
                   day.year, day.month, day.day, id->from, id->to);
}

bool day_part_name_parse(const char *name, struct day_part_id *id)
{
    char again[DAY_PART_NAME];
    struct calendar_civil day;
    if (sscanf(name, "%4" SCNd32 "%2" SCNu8 "%2" SCNu8 "-%20" SCNu64 "-%20" SCNu64, &day.year,
               &day.month, &day.day, &id->from, &id->to) != 5)
        return false;
    id->date = calendar_date_of(day);
    day_part_name(id, again);
    return strcmp(again, name) == 0 && id->from > 0 && id->from <= id->to;
}

static int part_fault(const struct day_part_writer *w, int err, const char *what,
                      struct fault *fault)
{
    return fault_set(fault, err, "%.150s/%s: %s: %s", w->folder->dir, w->name, what, strerror(err));
}

static int write_all(const struct day_part_writer *w, const uint8_t *bytes, size_t len, uint64_t at,
                     struct fault *fault)
{
    for (size_t done = 0; done < len;) {
        ssize_t n = pwrite(w->fd, bytes + done, len - done, (off_t)(at + done));
        if (n == 0 || (n < 0 && errno != EINTR))
            return part_fault(w, n < 0 ? errno : ENOSPC, "can't write", fault);
        done += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

/* Room for `len` bytes of content. */
static int block_reserve(struct day_part_writer *w, size_t len, struct fault *fault)
{
    if (len <= w->size)
        return 0;
    uint8_t *grown = realloc(w->block, BLOCK_FRAME + len);
    if (!grown)
        return part_fault(w, ENOMEM, "a block", fault);
    w->block = grown;
    w->size = len;
    return 0;
}

/* Writes the open block; behind it is the next. */
static int block_end(struct day_part_writer *w, struct fault *fault)
{
    uint32_t crc = block_crc(w->crc, w->at, w->block + BLOCK_FRAME, w->len);
    (void)put32(put32(w->block, (uint32_t)w->len), crc);
    int err = write_all(w, w->block, BLOCK_FRAME + w->len, w->at, fault);
    if (err < 0)
        return err;
    w->crc = w->at == 0 ? crc : w->crc;
    w->at += BLOCK_FRAME + w->len;
    w->len = 0;
    if (w->at - w->begun >=
        WRITE_BACK) { /* so that others' fdatasync has not all of it to wait for */
        (void)sync_file_range(w->fd, (off_t)w->begun, (off_t)(w->at - w->begun),
                              SYNC_FILE_RANGE_WRITE);
        w->begun = w->at;
    }
    return 0;
}

static uint8_t *put_text(uint8_t *at, const char *text)
{
    uint16_t len = (uint16_t)strlen(text), le = htole16(len);
    memcpy(at, &le, sizeof le);
    memcpy(at + sizeof le, text, len);
    return at + sizeof le + len;
}

static uint32_t bases_len(const struct day_part_writer *w)
{
    return w->bases ? (uint32_t)w->bases->len : 0;
}

static int head_write(struct day_part_writer *w, const struct day_part_id *id, struct fault *fault)
{
    uint8_t *at = w->block + BLOCK_FRAME;
    memcpy(at, DAY_PART_MAGIC, 8);
    at = put32(put32(at + 8, FOOT_SIZE + bases_len(w)), (uint32_t)id->date);
    at = put64(put64(at, id->from), id->to);
    at = put_text(put_text(at, w->folder->sensor), w->folder->timezone);
    w->len = (size_t)(at - w->block) - BLOCK_FRAME;
    return block_end(w, fault);
}

int day_part_create(struct day_part_writer **out, const struct day_part_folder *folder,
                    const struct day_part_id *id, const struct day_bases *bases,
                    struct fault *fault)
{
    struct day_part_writer *w = *out = calloc(1, sizeof *w);
    if (!w)
        return fault_set(fault, ENOMEM, "%.150s: no memory for a file", folder->dir);
    w->folder = folder;
    w->id = *id;
    w->bases = bases;
    day_part_name(id, w->name);
    (void)snprintf(w->beside, sizeof w->beside, "%s.new", w->name);
    w->fd =
        openat(folder->fd, w->beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    int err = w->fd < 0 ? part_fault(w, errno, "can't begin it", fault) : 0;
    if (err == 0)
        err = block_reserve(w, DAY_PART_BLOCK, fault);
    if (err == 0)
        err = head_write(w, id, fault);
    w->run_at = w->at;
    if (err < 0) {
        day_part_abandon(w);
        *out = NULL;
    }
    return err;
}

int day_part_append(struct day_part_writer *w, const uint8_t *record, size_t len,
                    struct fault *fault)
{
    int err = 0;
    if (w->len > 0 && w->len + len > DAY_PART_BLOCK)
        err = block_end(w, fault);
    if (err == 0)
        err = block_reserve(w, len, fault);
    if (err < 0)
        return err;
    memcpy(w->block + BLOCK_FRAME + w->len, record, len);
    w->len += len;
    w->sources++;
    return 0;
}

static void foot_pack(struct day_part_writer *w, uint64_t windows, const struct journal_sums *s)
{
    uint8_t *at = w->block + BLOCK_FRAME;
    at = put64(put64(at, windows), w->sources);
    at = put32(put32(put32(put32(at, KIND_COUNT), DROP_COUNT), DAY_MINUTE_WORDS), bases_len(w));
    for (unsigned i = 0; i < KIND_COUNT; i++)
        at = put64(put64(at, s->kinds[i].packets), s->kinds[i].bytes);
    at = put64(put64(at, s->given_up.ports), s->given_up.rules);
    at = put64(put64(at, s->given_up.sources), s->given_up.damaged);
    at = put64(put64(at, s->ledger.offered), s->ledger.observed);
    at = put64(put64(at, s->ledger.late), s->ledger.unknown);
    for (unsigned i = 0; i < DROP_COUNT; i++)
        at = put64(at, ledger_drop(&s->ledger, i));
    for (unsigned i = 0; i < DAY_MINUTE_WORDS; i++)
        at = put64(at, s->minutes[i]);
    if (bases_len(w) > 0)
        memcpy(at, w->bases->bytes, bases_len(w));
    w->len = (size_t)(at - w->block) - BLOCK_FRAME + bases_len(w);
}

/* All of it is on disk under its name, or nothing. */
static int part_settle(struct day_part_writer *w, struct fault *fault)
{
    int fd = w->fd, err = 0;
    if (fdatasync(fd) != 0)
        err = part_fault(w, errno, "can't sync", fault);
    w->fd = -1;
    if (close(fd) != 0 && err == 0)
        err = part_fault(w, errno, "can't write", fault);
    if (err == 0 && renameat(w->folder->fd, w->beside, w->folder->fd, w->name) != 0)
        err = part_fault(w, errno, "can't rename it", fault);
    if (err < 0) {
        (void)unlinkat(w->folder->fd, w->beside, 0);
        return err;
    }
    if (fsync(w->folder->fd) == 0)
        return 0;
    err = part_fault(w, errno, "can't sync its folder", fault);
    (void)unlinkat(w->folder->fd, w->name, 0);
    return err;
}

static void writer_free(struct day_part_writer *w)
{
    free(w->block);
    free(w);
}

int day_part_finish(struct day_part_writer *w, uint64_t windows, const struct journal_sums *sums,
                    struct day_part_info *info, struct fault *fault)
{
    int err = w->len > 0 ? block_end(w, fault) : 0;
    if (err == 0) {
        *info = (struct day_part_info){w->id,     windows, w->sources, *sums, w->crc,
                                       w->run_at, w->at,   {0},        false};
        if (w->bases && day_bases_merge(&info->bases, w->bases) < 0)
            err = part_fault(w, ENOMEM, "what it stands on", fault);
    }
    if (err == 0) {
        foot_pack(w, windows, sums);
        err = block_end(w, fault);
    }
    if (err < 0) {
        day_part_abandon(w);
        day_part_info_fini(info);
        return err;
    }
    err = part_settle(w, fault);
    if (err < 0)
        day_part_info_fini(info);
    writer_free(w);
    return err;
}

void day_part_abandon(struct day_part_writer *w)
{
    if (!w)
        return;
    if (w->fd >= 0) {
        (void)close(w->fd);
        (void)unlinkat(w->folder->fd, w->beside, 0);
    }
    writer_free(w);
}
