/* A feed of arbitrary bytes, followed. The first byte says how many of the bytes are there at first, whether they are cut into
 * records that get right lengths and checksums, and whether the tail begins anew in the middle. Whatever is given
 * continues what was given before; two tails see the same. A writer that continues it finds an end, and what it leaves
 * is read to it. */
#include "export/feed_log.h"
#include "export/feed_tail.h"

#include "forge.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char dir[] = "/tmp/fuzz_tail.XXXXXX";

static void file_write(const char *name, const uint8_t *data, size_t size)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "wb");
    if (f == NULL || fwrite(data, 1, size, f) != size)
        abort();
    fclose(f);
}

/* Reads what there is; the seq of the last. */
static uint64_t drain(struct feed_tail *t)
{
    struct feed_tail_record r;
    struct fault fault;
    uint64_t seq = feed_tail_position(t)->seq;
    while (feed_tail_next(t, &r, &fault) > 0) {
        if (r.seq <= seq && seq != 0)
            abort();
        if (r.body + r.body_len > r.delimited + r.delimited_len)
            abort();
        seq = r.seq;
    }
    return seq;
}

/* In place of the C library's: nothing here outlives a power cut. */
int fsync(int fd) { return 0; }
int fdatasync(int fd) { return 0; }

static void go_on(void)
{
    static struct ruleset rules;
    const struct feed_identity identity = {
        .sensor = "", .timezone = "", .window_span_ns = 60, .rules = &rules};
    struct feed_resume resume;
    struct feed_log *log;
    struct feed_tail *t;
    struct fault fault;
    uint32_t base;
    if (feed_log_continue(&log, &resume, dir, &identity, &fault) != 0)
        return;
    feed_log_part_base(log, 0, &base, &fault);
    if (feed_log_finish(log, &fault) != 0 || feed_tail_open(&t, dir, NULL, &fault) != 0)
        abort();
    drain(t);
    if (resume.damaged_file[0] == '\0' && resume.is_begun && !feed_tail_is_finished(t))
        abort();
    feed_tail_close(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"19700101T000000Z-000001.yami", "19700101-day-000002.yami"};
    struct forge forge = {0};
    struct feed_tail *t, *again;
    struct feed_position at;
    struct fault fault;
    if (size < 3)
        return 0;
    if (strstr(dir, "XXXXXX") != NULL && mkdtemp(dir) == NULL)
        abort();
    uint8_t how = data[0];
    size_t part = data[1];
    data += 2;
    size -= 2;
    for (size_t i = 0; how & 1 && i + 1 <= size;) {
        size_t len = data[i++];
        len = len > size - i ? size - i : len;
        forge_bytes(&forge, data + i, len);
        i += len;
    }
    const uint8_t *bytes = how & 1 ? forge.data : data;
    size_t len = how & 1 ? forge.len : size, first = len * part / 255;
    file_write(names[0], bytes, how & 2 ? first : len);
    if (feed_tail_open(&t, dir, NULL, &fault) != 0)
        abort();
    drain(t);
    file_write(names[how & 2 ? 1 : 0], bytes + (how & 2 ? first : 0), len - (how & 2 ? first : 0));
    drain(t);
    at = *feed_tail_position(t);
    if (feed_tail_open(&again, dir, how & 4 ? &at : NULL, &fault) == 0) {
        uint64_t seq = drain(again);
        if (how & 4 && seq != at.seq && at.seq != 0 && drain(t) != seq)
            abort();
        feed_tail_close(again);
    }
    feed_tail_close(t);
    free(forge.data);
    if (how & 8)
        go_on();
    DIR *entries = opendir(dir);
    for (const struct dirent *e; (e = readdir(entries)) != NULL;)
        unlinkat(dirfd(entries), e->d_name, 0);
    closedir(entries);
    return 0;
}
