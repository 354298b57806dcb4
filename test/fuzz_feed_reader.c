/* A feed of arbitrary bytes, read as merge reads it. The first byte says what the segment is (windows, source days, a
 * Day), whether it stands alone, and whether its bytes are cut into records that get right lengths and
 * checksums (as in fuzz_feed.c). What is given must unpack or be refused; what was looked at must be what is read. */
#include "export/feed_reader.h"

#include "export/merge_identity.h"
#include "export/record_window.h"

#include "forge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PATH = 128 };

static struct {
    char dir[32];
    struct feed_pool *pool;
    struct record_window *unpacker;
    struct window *window;
    struct source_day_buffer source;
} s;

static void state_make(void)
{
    if (s.pool != NULL)
        return;
    strcpy(s.dir, "/tmp/fuzz_feed.XXXXXX");
    s.pool = feed_pool_create(2);
    s.unpacker = record_window_create();
    s.window = window_create();
    if (mkdtemp(s.dir) == NULL || s.pool == NULL || s.unpacker == NULL || s.window == NULL)
        abort();
    record_window_expect(s.unpacker, INT64_C(60000000000), true);
}

static void header_try(const struct record_view *v)
{
    struct merge_identity identity = {0};
    struct fault fault;
    Yamiscope__Header *h = yamiscope__header__unpack(NULL, v->body_len, v->body);
    if (h != NULL && merge_identity_add(&identity, h, "feed", &fault) == 0 &&
        merge_identity_add(&identity, h, "again", &fault) == 0)
        merge_identity_finish(&identity, &fault);
    if (h != NULL)
        yamiscope__header__free_unpacked(h, NULL);
    merge_identity_fini(&identity);
}

static void record_try(const struct record_view *v)
{
    struct fault fault;
    struct rule_names names;
    if (v->body_kind == RECORD_header) {
        header_try(v);
    } else if (v->body_kind == RECORD_window) {
        int64_t start_ns;
        if (rule_names_init(&names, NULL) != 0)
            abort();
        window_clear(s.window);
        int err = record_unpack_window(s.unpacker, s.window, &names, v->body, v->body_len, &fault);
        if (err == 0 && rule_names_sort(&names, s.window) != 0)
            abort();
        record_window_start(v->body, v->body_len, &start_ns);
        rule_names_fini(&names);
    } else if (v->body_kind == RECORD_source_day) {
        record_unpack_source_day(&s.source, v->body, v->body_len, &fault);
    }
}

static void feed_try(const char *path)
{
    struct feed_reader *r;
    struct fault fault;
    if (feed_reader_open(&r, path, s.pool, &fault) != 0)
        return;
    struct feed_cursor c, seen;
    struct record_view view, shown;
    size_t body_shown;
    if (feed_cursor_begin(&c, r, 0, &fault) != 0 || feed_cursor_begin(&seen, r, 0, &fault) != 0)
        abort();
    for (;;) {
        int looked = feed_cursor_peek(&seen, &shown, &body_shown, &fault);
        int given = feed_cursor_next(&c, &view, &fault);
        if (given <= 0)
            break;
        if (looked <= 0 || (shown.body_kind != 0 &&
                            (shown.body_kind != view.body_kind || shown.body_len != view.body_len)))
            abort();
        record_try(&view);
        feed_cursor_skip(&seen);
    }
    feed_cursor_end(&c);
    feed_cursor_end(&seen);
    feed_reader_close(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"19700101T000000Z-000001.yami",
                                        "19700101-sources-000001.yami", "19700101-day-000001.yami",
                                        "19700101-day-000002.yami"};
    struct forge forge = {0};
    char path[PATH];
    if (size < 2)
        return 0;
    state_make();
    uint8_t how = *data++;
    size--;
    for (size_t at = 0; how & 1 && at + 2 <= size;) {
        size_t len = data[at] | (size_t)data[at + 1] << 8;
        at += 2;
        if (len > size - at)
            len = size - at;
        forge_bytes(&forge, data + at, len);
        at += len;
    }
    snprintf(path, sizeof path, "%s/%s", s.dir, names[how >> 1 & 3]);
    FILE *f = fopen(path, "wb");
    if (f == NULL)
        abort();
    fwrite(how & 1 ? forge.data : data, 1, how & 1 ? forge.len : size, f);
    fclose(f);
    free(forge.data);
    feed_try(how & 8 ? path : s.dir);
    unlink(path);
    return 0;
}
