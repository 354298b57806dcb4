/* A journal's file of arbitrary bytes. By the first byte: the bytes as they are; or under right checksums, as a forger would write
 * them: as a head, as blocks of the run, as a foot, each among sound others; or as the folder's names. What is read must ascend, be of the date,
 * and be the record that its key says. What is mended of it holds. */
#include "core/day_part_mend.h"
#include "core/day_part_merge.h"
#include "core/day_part_state.h"
#include "export/record_bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { DATE = 20778, MOST = 1 << 16 };

/* The file under construction. */
static struct {
    uint8_t bytes[2 * MOST];
    size_t len;
    uint32_t crc; /* of its head */
} file;

static void block_add(const uint8_t *content, size_t len)
{
    uint8_t *at = file.bytes + file.len;
    uint32_t crc = block_crc(file.len == 0 ? 0 : file.crc, file.len, content, len);
    at = put32(put32(at, (uint32_t)len), crc);
    if (len > 0)
        memcpy(at, content, len);
    file.crc = file.len == 0 ? crc : file.crc;
    file.len += BLOCK_FRAME + len;
}

static void head_add(void)
{
    uint8_t head[HEAD_MAX] = DAY_PART_MAGIC, *at = head + 8;
    at = put64(put64(put32(put32(at, FOOT_SIZE), DATE), 1), 1);
    *at = 1; /* "s", "z" */
    at[2] = 's';
    at[3] = 1;
    at[5] = 'z';
    block_add(head, HEAD_FIXED + 6);
}

static void foot_add(void)
{
    uint8_t foot[FOOT_SIZE] = {0};
    (void)put32(put32(put32(put64(put64(foot, 1), 0), KIND_COUNT), DROP_COUNT), DAY_MINUTE_WORDS);
    block_add(foot, sizeof foot);
}

/* The blocks that the input says: two bytes of length, content. */
static void blocks_add(const uint8_t *data, size_t size)
{
    while (size > 2 && file.len < MOST) {
        size_t len = data[0] | (size_t)data[1] << 8;
        len = len < size - 2 ? len : size - 2;
        block_add(data + 2, len);
        data += 2 + len;
        size -= 2 + len;
    }
}

/* A block of records that begin as they should: of the date, of ascending addresses. The input is the rest of each: a byte of
 * length and whether the next address is the same, content. */
static void records_add(const uint8_t *data, size_t size)
{
    static uint8_t block[MOST];
    size_t at = 0;
    uint32_t address = 0;
    while (size > 1 && at + 256 < MOST) {
        size_t len = data[0] & 0x7f;
        len = len < size - 1 ? len : size - 1;
        uint8_t body[160] = {1 << 3, 0xd4, 0xc4, 0x02, 2 << 3 | 2, 4};
        address += !(data[0] & 0x80);
        (void)put32(body + 6, htobe32(address));
        memcpy(body + 10, data + 1, len);
        len += 10;
        uint8_t record[192] = {1 << 3, 1, RECORD_source_day << 3 | 2}, *end = record + 3;
        end += varint_put(end, len);
        memcpy(end, body, len);
        end += len;
        *end++ = RECORD_CRC_TAG;
        end = put32(end, 0);
        at += varint_put(block + at, (uint64_t)(end - record));
        memcpy(block + at, record, (size_t)(end - record));
        at += (size_t)(end - record);
        data += len - 10 + 1;
        size -= len - 10 + 1;
    }
    if (at > 0)
        block_add(block, at);
}

static int take(void *context, struct source_day *d)
{
    struct source_day *last = context;
    if (d->date != last->date || (last->ip_version != 0 && source_day_order(last, d) >= 0) ||
        !source_day_holds(d, NULL, 0))
        abort();
    last->ip_version = d->ip_version;
    memcpy(last->address, d->address, sizeof last->address);
    return 0;
}

/* Merges the file with itself, so that all is both handed out as it is and merged. */
static void run_read(const char *path, const struct day_part_info *info, uint32_t count)
{
    struct file_pool *pool = file_pool_create(2);
    struct day_part_reader readers[2];
    struct source_day last = {.date = info->id.date};
    struct day_part_merge m;
    struct fault fault = {0};
    for (uint32_t i = 0; i < count; i++)
        day_part_reader_init(&readers[i], pool, path, info);
    int err = day_part_merge_begin(&m, readers, count, &fault);
    if (err == 0)
        err = day_part_merge_take(&m, take, &last, &fault);
    if (err < 0 && (err != -EBADMSG || !strstr(fault.text, ": byte ")))
        abort();
    day_part_merge_end(&m);
    for (uint32_t i = 0; i < count; i++)
        day_part_reader_fini(&readers[i]);
    file_pool_destroy(pool);
}

static char folder[48], path[64];

static void path_remove(void)
{
    (void)unlink(path);
    (void)rmdir(folder);
}

/* What is whole of it stands in a file of its own, which holds. */
static void file_mend(const struct day_part_info *info)
{
    char name[DAY_PART_NAME], mended_path[160];
    struct day_part_info mended, again = {0};
    struct day_part_loss loss;
    struct fault fault = {0};
    day_part_name(&info->id, name);
    if (!day_part_name_parse(name, &(struct day_part_id){0}))
        return;
    (void)snprintf(mended_path, sizeof mended_path, "%s/%s", folder, name);
    int fd = open(folder, O_RDONLY | O_DIRECTORY);
    const struct day_part_folder to = {folder, fd, "s", "z"};
    if (fd < 0 || day_part_mend(&to, path, info, &mended, &loss, NULL, &fault) < 0)
        abort();
    if (loss.places > 0 && (day_part_look(mended_path, "s", "z", &again, &fault) < 0 ||
                            day_part_check(mended_path, &mended, NULL, &fault) < 0 ||
                            again.sources != mended.sources || loss.packets == 0 ||
                            again.sums.given_up.damaged < loss.packets))
        abort();
    (void)unlink(mended_path);
    day_part_info_fini(&mended);
    day_part_info_fini(&again);
    (void)close(fd);
}

static void file_read(void)
{
    static int fd = -1;
    struct day_part_info info;
    struct fault fault = {0};
    if (fd < 0) {
        (void)snprintf(folder, sizeof folder, "%s/fuzz_day_journal.XXXXXX",
                       access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
        if (!mkdtemp(folder))
            abort();
        (void)snprintf(path, sizeof path, "%s/file", folder);
        (void)atexit(path_remove);
        fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    }
    if (fd < 0 || ftruncate(fd, 0) != 0 || pwrite(fd, file.bytes, file.len, 0) != (ssize_t)file.len)
        abort();
    int err = day_part_look(path, "s", "z", &info, &fault);
    if (err < 0 && err != -EBADMSG && err != -EINVAL)
        abort();
    for (uint32_t count = 1; count <= 2 && err == 0; count++)
        run_read(path, &info, count);
    if (err == -EBADMSG) {
        day_part_info_fini(&info);
        err = day_part_guess(path, &(struct day_part_id){DATE, 1, 1}, &info, &fault);
    }
    if (err == 0)
        file_mend(&info);
    day_part_info_fini(&info);
}

static void name_try(const uint8_t *data, size_t size)
{
    char name[DAY_PART_NAME], again[DAY_PART_NAME];
    struct day_part_id id;
    size_t len = size < sizeof name - 1 ? size : sizeof name - 1;
    memcpy(name, data, len);
    name[len] = '\0';
    if (!day_part_name_parse(name, &id))
        return;
    day_part_name(&id, again);
    if (strcmp(name, again) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > MOST)
        return 0;
    unsigned what = data[0] % 8;
    data++, size--;
    file.len = 0;
    if (what == 0) {
        name_try(data, size);
        return 0;
    }
    if (what == 1) {
        memcpy(file.bytes, data, size);
        file.len = size;
    } else {
        if (what == 2)
            block_add(data, size < HEAD_MAX ? size : HEAD_MAX);
        else
            head_add();
        if (what == 4)
            blocks_add(data, size);
        if (what > 4)
            records_add(data, size);
        if (what == 3)
            block_add(data, size < FOOT_SIZE ? size : FOOT_SIZE);
        else
            foot_add();
    }
    file_read();
    return 0;
}
