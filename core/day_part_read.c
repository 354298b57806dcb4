#include "core/day_part_state.h"

#include "export/source_key.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int damaged(const char *path, uint64_t at, const char *what, struct fault *fault)
{
    return fault_set(fault, EBADMSG, "%.180s: byte %" PRIu64 ": %s", path, at, what);
}

/* ---- head and foot ---- */

static int read_all(int fd, const char *path, uint8_t *to, size_t len, uint64_t at,
                    struct fault *fault)
{
    for (size_t done = 0; done < len;) {
        ssize_t n = pread(fd, to + done, len - done, (off_t)(at + done));
        if (n < 0 && errno != EINTR)
            return fault_set(fault, errno, "%.180s: %s", path, strerror(errno));
        if (n == 0)
            return damaged(path, at + done, "ends here", fault);
        done += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

/* Reads the block at `at`, of `least` to `most` bytes of content, from a file that has `file_len`. */
static int block_read(int fd, const char *path, uint64_t at, uint64_t file_len, uint32_t head_crc,
                      size_t least, size_t most, uint8_t *content, size_t *len, struct fault *fault)
{
    uint8_t frame[BLOCK_FRAME];
    const uint8_t *frame_at = frame;
    int err = read_all(fd, path, frame, sizeof frame, at, fault);
    if (err < 0)
        return err;
    *len = get32(&frame_at);
    if (*len < least || *len > most || *len > file_len - at - BLOCK_FRAME)
        return damaged(path, at, "a block of an impossible length", fault);
    err = read_all(fd, path, content, *len, at + BLOCK_FRAME, fault);
    if (err == 0 && block_crc(head_crc, at, content, *len) != get32(&frame_at))
        err = damaged(path, at, "a block whose checksum does not hold", fault);
    return err;
}

/* Whether the next text is this one. False also where there is none, then *at is NULL. */
static bool text_is(const uint8_t **at, const uint8_t *end, const char *text)
{
    uint16_t len;
    if (!*at || end - *at < (ptrdiff_t)sizeof len) {
        *at = NULL;
        return false;
    }
    memcpy(&len, *at, sizeof len);
    len = le16toh(len);
    const uint8_t *bytes = *at + sizeof len;
    *at = len <= end - bytes ? bytes + len : NULL;
    return *at && len == strlen(text) && memcmp(bytes, text, len) == 0;
}

static int head_look(int fd, const char *path, uint64_t file_len, const char *sensor,
                     const char *timezone, struct day_part_info *info, struct fault *fault)
{
    uint8_t head[HEAD_MAX];
    size_t len;
    int err = block_read(fd, path, 0, file_len, 0, HEAD_FIXED, sizeof head, head, &len, fault);
    if (err < 0)
        return err;
    const uint8_t *at = head + 8, *end = head + len;
    if (memcmp(head, DAY_PART_MAGIC, 8) != 0)
        return fault_set(fault, EINVAL, "%.180s: no file of a journal that this version knows",
                         path);
    info->crc = block_crc(0, 0, head, len);
    info->run_at = BLOCK_FRAME + len;
    uint64_t foot_len = get32(&at) + (uint64_t)BLOCK_FRAME;
    info->id.date = (int32_t)get32(&at);
    info->id.from = get64(&at);
    info->id.to = get64(&at);
    bool is_sensor = text_is(&at, end, sensor), is_zone = text_is(&at, end, timezone);
    if (at != end || info->id.from > info->id.to)
        return damaged(path, BLOCK_FRAME, "a head that does not hold", fault);
    if (!is_sensor || !is_zone)
        return fault_set(fault, EINVAL, "%.100s: is of another %s than %.60s", path,
                         is_sensor ? "time zone" : "sensor", is_sensor ? timezone : sensor);
    if (foot_len > file_len - info->run_at)
        return damaged(path, file_len, "ends before its foot", fault);
    info->foot_at = file_len - foot_len;
    return 0;
}

void day_part_info_fini(struct day_part_info *info) { day_bases_fini(&info->bases); }

/* `count` numbers, of which we know `known`; false: one of the others is not 0. */
static bool numbers_get(const uint8_t **at, uint32_t count, uint32_t known, uint64_t *to)
{
    bool is_known = true;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t value = get64(at);
        if (i < known)
            to[i] = value;
        else
            is_known &= value == 0;
    }
    return is_known;
}

/* *bases: where those begin, up to the foot's end. */
static bool foot_unpack(const uint8_t *at, size_t len, struct day_part_info *info,
                        const uint8_t **bases)
{
    uint64_t kinds[2 * KIND_COUNT] = {0}, given_up[GIVEN_UP_COUNT], ledger[LEDGER_COUNT];
    uint64_t drops[DROP_COUNT] = {0};
    struct journal_sums *s = &info->sums;
    info->windows = get64(&at);
    info->sources = get64(&at);
    uint32_t kind_count = get32(&at), drop_count = get32(&at), words = get32(&at);
    uint32_t bases_len = get32(&at);
    if (kind_count > FOOT_NUMBERS_MAX || drop_count > FOOT_NUMBERS_MAX ||
        words > FOOT_NUMBERS_MAX || bases_len > DAY_BASES_MAX ||
        len !=
            FOOT_FIXED + bases_len +
                8 * (2 * (size_t)kind_count + GIVEN_UP_COUNT + LEDGER_COUNT + drop_count + words))
        return false;
    bool is_known = numbers_get(&at, 2 * kind_count, 2 * KIND_COUNT, kinds);
    is_known &= numbers_get(&at, GIVEN_UP_COUNT, GIVEN_UP_COUNT, given_up);
    is_known &= numbers_get(&at, LEDGER_COUNT, LEDGER_COUNT, ledger);
    is_known &= numbers_get(&at, drop_count, DROP_COUNT, drops);
    is_known &= numbers_get(&at, words, DAY_MINUTE_WORDS, s->minutes);
    for (unsigned i = 0; i < KIND_COUNT; i++)
        s->kinds[i] = (struct count){kinds[2 * i], kinds[2 * i + 1]};
    s->given_up = (struct day_given_up){given_up[0], given_up[1], given_up[2], given_up[3]};
    s->ledger =
        (struct window_ledger){.offered = ledger[0], .observed = ledger[1], .late = ledger[2]};
    s->ledger.unknown = (uint32_t)ledger[3];
    for (unsigned i = 0; i < DROP_COUNT; i++)
        ledger_drop_set(&s->ledger, i, drops[i]);
    *bases = at;
    return is_known && ledger[3] < 1u << DROP_COUNT && info->windows > 0 &&
           day_bases_hold(at, bases_len);
}

static int foot_take(const char *path, const uint8_t *foot, size_t len, struct day_part_info *info,
                     struct fault *fault)
{
    const uint8_t *bases;
    if (!foot_unpack(foot, len, info, &bases))
        return fault_set(fault, EINVAL, "%.180s: a foot that this version does not know", path);
    size_t bases_len = (size_t)(foot + len - bases);
    const struct day_bases own = {(uint8_t *)bases, bases_len};
    if (day_bases_merge(&info->bases, &own) < 0)
        return fault_set(fault, ENOMEM, "%.180s: no memory for its foot", path);
    return 0;
}

/* Reads the foot of an open file. */
static int foot_look(int fd, const char *path, uint64_t file_len, struct day_part_info *info,
                     struct fault *fault)
{
    size_t len;
    uint8_t *foot = malloc(FOOT_MAX);
    if (!foot)
        return fault_set(fault, ENOMEM, "%.180s: no memory for its foot", path);
    int err = block_read(fd, path, info->foot_at, file_len, info->crc, FOOT_FIXED, FOOT_MAX, foot,
                         &len, fault);
    if (err == 0 && info->foot_at + BLOCK_FRAME + len != file_len)
        err = damaged(path, info->foot_at, "a foot that does not hold", fault);
    if (err == 0)
        err = foot_take(path, foot, len, info, fault);
    free(foot);
    return err;
}

int day_part_look(const char *path, const char *sensor, const char *timezone,
                  struct day_part_info *info, struct fault *fault)
{
    struct stat is;
    *info = (struct day_part_info){0};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
    if (fd < 0)
        return fault_set(fault, errno, "%.180s: %s", path, strerror(errno));
    int err = 0;
    if (fstat(fd, &is) != 0)
        err = fault_set(fault, errno, "%.180s: %s", path, strerror(errno));
    else if (!S_ISREG(is.st_mode))
        err = damaged(path, 0, "no regular file", fault);
    if (err == 0)
        err = head_look(fd, path, (uint64_t)is.st_size, sensor, timezone, info, fault);
    if (err == 0)
        err = foot_look(fd, path, (uint64_t)is.st_size, info, fault);
    (void)close(fd);
    return err;
}

/* The head's frame has the checksum that those of the blocks begin with, also where the head's content was damaged. */
int day_part_guess(const char *path, const struct day_part_id *id, struct day_part_info *info,
                   struct fault *fault)
{
    struct stat is;
    uint8_t frame[BLOCK_FRAME] = {0};
    const uint8_t *at = frame;
    *info = (struct day_part_info){
        .id = *id, .windows = id->from == id->to ? 1 : DAY_JOURNAL_FAN, .is_guess = true};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
    if (fd < 0)
        return fault_set(fault, errno, "%.180s: %s", path, strerror(errno));
    int err = fstat(fd, &is) != 0    ? fault_set(fault, errno, "%.180s: %s", path, strerror(errno))
              : !S_ISREG(is.st_mode) ? damaged(path, 0, "no regular file", fault)
                                     : 0;
    uint64_t size = err == 0 ? (uint64_t)is.st_size : 0;
    if (size > BLOCK_FRAME)
        err = read_all(fd, path, frame, sizeof frame, 0, fault);
    (void)close(fd);
    size_t len = get32(&at);
    bool has_head = len >= HEAD_FIXED && len <= HEAD_MAX && BLOCK_FRAME + len <= size;
    info->crc = get32(&at);
    info->foot_at = size;
    info->run_at = has_head ? BLOCK_FRAME + len : size > BLOCK_FRAME ? BLOCK_FRAME : size;
    return err;
}

/* ---- the run ---- */

/* A source day's first field is its date, which is not there where it is 0. */
static void date_set(struct day_part_reader *r, int32_t date)
{
    enum { DATE_TAG = 1 << 3 };
    uint32_t rest = (uint32_t)date << 1 ^ (uint32_t)(date >> 31);
    r->date = date;
    if (rest == 0)
        return;
    r->date_field[r->date_len++] = DATE_TAG;
    for (; rest >= 0x80; rest >>= 7)
        r->date_field[r->date_len++] = (uint8_t)(rest | 0x80);
    r->date_field[r->date_len++] = (uint8_t)rest;
}

void day_part_reader_init(struct day_part_reader *r, struct file_pool *pool, const char *path,
                          const struct day_part_info *info)
{
    *r = (struct day_part_reader){
        .path = path, .pool = pool, .at = info->run_at, .foot_at = info->foot_at, .crc = info->crc};
    date_set(r, info->id.date);
}

void day_part_reader_init_memory(struct day_part_reader *r, const char *name, int32_t date,
                                 const uint8_t *bytes, size_t len)
{
    *r = (struct day_part_reader){
        .path = name, .content = bytes, .next = bytes, .end = len > 0 ? bytes + len : bytes};
    date_set(r, date);
}

void day_part_reader_fini(struct day_part_reader *r)
{
    if (r->pool)
        file_pool_release(r->pool, &r->file);
    free(r->bytes);
    *r = (struct day_part_reader){0};
}

static int pool_fault(const struct day_part_reader *r, int err, uint64_t at, struct fault *fault)
{
    if (err == -ENODATA)
        return damaged(r->path, at, "ends here", fault);
    return fault_set(fault, -err, "%.180s: byte %" PRIu64 ": %s", r->path, at, strerror(-err));
}

/* Makes the buffer hold a frame and `len` bytes. */
static int bytes_reserve(struct day_part_reader *r, size_t len, struct fault *fault)
{
    if (BLOCK_FRAME + len <= r->size)
        return 0;
    uint8_t *grown = realloc(r->bytes, BLOCK_FRAME + len);
    if (!grown)
        return pool_fault(r, -ENOMEM, r->at, fault);
    r->bytes = grown;
    r->size = BLOCK_FRAME + len;
    return 0;
}

/* Reads the next block; there is one. Nearly all come with one read. */
static int block_next(struct day_part_reader *r, struct fault *fault)
{
    uint64_t left = r->foot_at - r->at;
    size_t ahead = left < BLOCK_FRAME + DAY_PART_BLOCK ? left : BLOCK_FRAME + DAY_PART_BLOCK;
    if (left <= BLOCK_FRAME)
        return damaged(r->path, r->at, "a block cut short", fault);
    int err = bytes_reserve(r, ahead - BLOCK_FRAME, fault);
    if (err < 0)
        return err;
    err = file_pool_read(r->pool, &r->file, r->path, r->bytes, ahead, r->at);
    if (err == -EIO) { /* what can't be read may lie behind the block */
        ahead = BLOCK_FRAME;
        err = file_pool_read(r->pool, &r->file, r->path, r->bytes, ahead, r->at);
    }
    if (err < 0)
        return pool_fault(r, err, r->at, fault);
    const uint8_t *frame = r->bytes;
    size_t len = get32(&frame);
    if (len == 0 || len > BLOCK_MAX || len > left - BLOCK_FRAME)
        return damaged(r->path, r->at, "a block of an impossible length", fault);
    if (BLOCK_FRAME + len > ahead) {
        err = bytes_reserve(r, len, fault);
        if (err < 0)
            return err;
        err = file_pool_read(r->pool, &r->file, r->path, r->bytes + ahead,
                             BLOCK_FRAME + len - ahead, r->at + ahead);
        if (err < 0)
            return pool_fault(r, err, r->at + ahead, fault);
    }
    frame = r->bytes + 4;
    if (block_crc(r->crc, r->at, r->bytes + BLOCK_FRAME, len) != get32(&frame))
        return damaged(r->path, r->at, "a block whose checksum does not hold", fault);
    r->content = r->next = r->bytes + BLOCK_FRAME;
    r->end = r->next + len;
    r->content_at = r->at + BLOCK_FRAME;
    r->at += BLOCK_FRAME + len;
    return 0;
}

/* Whether a block of usual size holds there. */
static bool block_holds(const struct day_part_reader *r, const uint8_t *frame, uint64_t at,
                        size_t have)
{
    const uint8_t *crc_at = frame + 4, *len_at = frame;
    size_t len = get32(&len_at);
    return len > 0 && len <= DAY_PART_BLOCK && BLOCK_FRAME + len <= have &&
           BLOCK_FRAME + len <= r->foot_at - at &&
           block_crc(r->crc, at, frame + BLOCK_FRAME, len) == get32(&crc_at);
}

/* What can't be read is zeros: no block holds there. */
static void bytes_find(struct day_part_reader *r, uint8_t *bytes, size_t have, uint64_t at)
{
    enum { PAGE = 4096 };
    if (file_pool_read(r->pool, &r->file, r->path, bytes, have, at) == 0)
        return;
    for (size_t done = 0, some; done < have; done += some) {
        some = PAGE - (at + done) % PAGE;
        some = some < have - done ? some : have - done;
        if (file_pool_read(r->pool, &r->file, r->path, bytes + done, some, at + done) < 0)
            memset(bytes + done, 0, some);
    }
}

/* The first place from `at` on where such a block begins; the run's end: there is none. */
static uint64_t block_find(struct day_part_reader *r, uint64_t at)
{
    enum { STEP = BLOCK_FRAME + DAY_PART_BLOCK, ROOM = 2 * STEP };
    uint8_t *bytes = malloc(ROOM);
    uint64_t found = r->foot_at;
    for (; bytes && found == r->foot_at && r->foot_at - at > BLOCK_FRAME; at += STEP) {
        size_t have = r->foot_at - at < ROOM ? (size_t)(r->foot_at - at) : ROOM;
        size_t places = have < STEP ? have : STEP;
        bytes_find(r, bytes, have, at);
        for (size_t i = 0; i < places && i + BLOCK_FRAME < have && found == r->foot_at; i++)
            if (block_holds(r, bytes + i, at + i, have - i))
                found = at + i;
        if (r->foot_at - at <= STEP)
            break;
    }
    free(bytes);
    return found;
}

void day_part_reader_skip(struct day_part_reader *r)
{
    if (r->next != r->end) /* a record whose block holds: the rest of it is not to be believed */
        r->next = r->end;
    else
        r->at = block_find(r, r->at + 1);
}

/* The record's length in front of it; false: there is none. */
static inline bool length_get(const uint8_t **at, const uint8_t *end, uint64_t *len)
{
    *len = 0;
    for (unsigned shift = 0; shift < 35 && *at < end; shift += 7) {
        uint8_t byte = *(*at)++;
        *len |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return *len <= (uint64_t)(end - *at) && *len <= RECORD_MAX;
    }
    return false;
}

static int record_damaged(const struct day_part_reader *r, const char *what, struct fault *fault)
{
    return damaged(r->path, r->content_at + (uint64_t)(r->record - r->content), what, fault);
}

/* What it stands by in the order; false: it is not of the date. */
static inline bool key_get(const struct day_part_reader *r, const struct record_view *view,
                           uint8_t key[SOURCE_KEY])
{
    return view->body_len > r->date_len && memcmp(view->body, r->date_field, r->date_len) == 0 &&
           source_key_parse(view->body, view->body_len, key);
}

int day_part_reader_next(struct day_part_reader *r, struct fault *fault)
{
    uint8_t key[SOURCE_KEY];
    struct record_view view;
    uint64_t len, high, low;
    if (r->next == r->end) {
        if (r->at == r->foot_at)
            return 0;
        int err = block_next(r, fault);
        if (err < 0)
            return err;
    }
    const uint8_t *at = r->record = r->next;
    if (!length_get(&at, r->end, &len) || record_view(&view, at, len) != 0 ||
        view.body_kind != RECORD_source_day || !key_get(r, &view, key))
        return record_damaged(r, "no record of a source day of that date", fault);
    memcpy(&high, key + 1, sizeof high);
    memcpy(&low, key + 1 + sizeof high, sizeof low);
    unsigned __int128 number = (unsigned __int128)be64toh(high) << 64 | be64toh(low);
    if (key[0] < r->version || (key[0] == r->version && number <= r->number))
        return record_damaged(r, "a source out of order", fault);
    r->version = key[0];
    r->number = number;
    r->body = view.body;
    r->body_len = view.body_len;
    r->next = at + len;
    r->record_len = (size_t)(r->next - r->record);
    return 1;
}

int day_part_reader_unpack(const struct day_part_reader *r, struct source_day_buffer *to,
                           struct fault *fault)
{
    struct fault why;
    int err = record_unpack_source_day(to, r->body, r->body_len, &why);
    if (err == -ENOMEM)
        return pool_fault(r, err, r->content_at, fault);
    if (err < 0)
        return record_damaged(r, why.text, fault);
    /* With the date 0, another one could stand where the address was not looked for. */
    return to->day.date == r->date ? 0 : record_damaged(r, "of another date", fault);
}
