#include "capture/archive.h"
#include "capture/block_queue.h"

#include "test/packed.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* Bytes that compress, but not to nothing, and differ everywhere. */
static uint8_t *make_data(size_t len)
{
    uint8_t *data = malloc(len + 8);
    assert_non_null(data);
    uint32_t state = 1;
    for (size_t i = 0; i < len; i += 8) {
        state = state * 1664525 + 1013904223;
        uint32_t words[2] = {(uint32_t)i, state >> 20};
        memcpy(data + i, words, sizeof words);
    }
    return data;
}

/* Reads the archive to its end, leaving `keep` bytes unconsumed each time, and holds every span to the data
 * (NULL: spoiled, whatever comes).
 * Returns what the last fill said; *got: bytes seen. */
static int64_t read_all(struct archive *a, const uint8_t *data, size_t len, size_t keep,
                        size_t *got, struct fault *fault)
{
    size_t have = 0;
    *got = 0;
    for (;;) {
        const uint8_t *span;
        int64_t n = archive_fill(a, &span, have, fault);
        if (n < 0) {
            if (data)
                assert_memory_equal(span, data + *got - have, have);
            return n;
        }
        size_t fresh = (size_t)n - have;
        assert_true(*got + fresh <= len);
        if (data)
            assert_memory_equal(span, data + *got - have, (size_t)n);
        *got += fresh;
        if (fresh == 0)
            return 0;
        have = keep < (size_t)n ? keep : (size_t)n;
    }
}

static void test_every_format_gives_its_bytes_back(void **state)
{
    static const size_t sizes[] = {1, 1000, BLOCK_SIZE - 1, BLOCK_SIZE, BLOCK_SIZE + 1, 5000000};
    static const size_t keeps[] = {0, 1, 77, BLOCK_HEADROOM, BLOCK_HEADROOM + 1, 3000000};
    (void)state;
    uint8_t *data = make_data(5000000);
    for (int f = 0; f < PACKED_FORMATS; f++) {
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
            size_t len, got;
            uint8_t *packed = packed_make(packed_formats[f], data, sizes[s], &len);
            char path[64];
            packed_file(path, packed, len);
            for (size_t k = 0; k < sizeof keeps / sizeof *keeps; k++) {
                struct archive *a;
                struct fault fault = {0};
                assert_int_equal(archive_open(&a, path, &fault), 0);
                assert_int_equal(read_all(a, data, sizes[s], keeps[k], &got, &fault), 0);
                assert_int_equal(got, sizes[s]);
                assert_string_equal(archive_format(a), packed_formats[f]);
                archive_close(a);
            }
            unlink(path);
            free(packed);
        }
    }
    free(data);
}

/* What stands behind the first member, or is cut off, or is spoiled. */
static const struct {
    const char *format;
    enum { TWICE, ZEROS, GARBAGE, CUT_LAST, CUT_HALF, SPOIL_HALF } what;
    int64_t rc;
    const char *says;
} odd[] = {
    {"gzip", TWICE, 0, NULL},
    {"zstd", TWICE, 0, NULL},
    {"xz", TWICE, 0, NULL},
    {"bzip2", TWICE, 0, NULL},
    {"lz4", TWICE, 0, NULL},
    {"gzip", ZEROS, 0, NULL},
    {"xz", ZEROS, 0, NULL},
    {"gzip", GARBAGE, -EBADMSG, "what follows the last gzip member is no gzip data"},
    {"zstd", GARBAGE, -EBADMSG, "zstd stream is damaged"},
    {"xz", GARBAGE, -EBADMSG, "no xz stream follows it"},
    {"bzip2", GARBAGE, -EBADMSG, "bzip2 stream is damaged: what follows is no bzip2 stream"},
    {"lz4", GARBAGE, -EBADMSG, "lz4 stream is damaged"},
    {"gzip", CUT_LAST, -EBADMSG, "the gzip stream is cut short"},
    {"zstd", CUT_LAST, -EBADMSG, "the zstd stream is cut short"},
    {"xz", CUT_LAST, -EBADMSG, "the xz stream is cut short"},
    {"bzip2", CUT_LAST, -EBADMSG, "the bzip2 stream is cut short"},
    {"lz4", CUT_LAST, -EBADMSG, "the lz4 stream is cut short"},
    {"gzip", CUT_HALF, -EBADMSG, "the gzip stream is cut short"},
    {"zstd", CUT_HALF, -EBADMSG, "the zstd stream is cut short"},
    {"xz", CUT_HALF, -EBADMSG, "the xz stream is cut short"},
    {"bzip2", CUT_HALF, -EBADMSG, "the bzip2 stream is cut short"},
    {"lz4", CUT_HALF, -EBADMSG, "the lz4 stream is cut short"},
    {"bzip2", SPOIL_HALF, -EBADMSG, "bzip2 stream is damaged"},
    {"xz", SPOIL_HALF, -EBADMSG, "xz stream is damaged"},
};

static void test_streams_that_go_on_or_break_off(void **state)
{
    enum { LEN = 2500000 };
    (void)state;
    uint8_t *data = make_data(LEN);
    uint8_t *twice = malloc(2 * LEN);
    assert_non_null(twice);
    memcpy(twice, data, LEN);
    memcpy(twice + LEN, data, LEN);
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        size_t len, got;
        uint8_t *packed = packed_make(odd[i].format, data, LEN, &len);
        uint8_t *stored = calloc(2, len + 512);
        assert_non_null(stored);
        memcpy(stored, packed, len);
        size_t stored_len = len, expected = LEN;
        switch (odd[i].what) {
        case TWICE:
            memcpy(stored + len, packed, len);
            stored_len = 2 * len;
            expected = 2 * LEN;
            break;
        case ZEROS:
            stored_len = len + 512;
            break;
        case GARBAGE:
            memcpy(stored + len, "garbage garbage", 16);
            stored_len = len + 16;
            break;
        case CUT_LAST:
            stored_len = len - 1;
            break;
        case CUT_HALF:
            stored_len = len / 2;
            break;
        case SPOIL_HALF:
            memset(stored + len / 2, 0x55, 64);
            break;
        }
        char path[64];
        packed_file(path, stored, stored_len);
        struct archive *a;
        struct fault fault = {0};
        assert_int_equal(archive_open(&a, path, &fault), 0);
        assert_int_equal(
            read_all(a, odd[i].what == SPOIL_HALF ? NULL : twice, 2 * LEN, 5, &got, &fault),
            odd[i].rc);
        if (odd[i].says)
            assert_non_null(strstr(fault.text, odd[i].says));
        if (odd[i].what < CUT_LAST)
            assert_int_equal(got, expected);
        if (odd[i].what == CUT_HALF || odd[i].what == CUT_LAST)
            assert_int_equal(archive_stored_at(a), stored_len);
        archive_close(a);
        unlink(path);
        free(stored);
        free(packed);
    }
    free(twice);
    free(data);
}

/* Two members, and the checksum of the second spoiled: the error lies in that one, as far as it was
 * read. Of xz the streams are not told apart. What is only cut short is wrong nowhere else. */
static void test_where_an_error_lies(void **state)
{
    enum { LEN = 2500000 };
    static const struct {
        const char *format, *says;
        size_t checksum_at; /* bytes before the end; 0: spoiled in the middle */
        bool is_one;
    } cases[] = {
        {"gzip", "its data is corrupt: the member's checksum or length does not match", 8, false},
        {"zstd", "its data is corrupt: the frame's checksum does not match", 4, false},
        {"lz4", "its data is corrupt: the frame's checksum does not match", 4, false},
        {"bzip2", "its data is corrupt: it fits no code or no checksum", 0, false},
        {"xz", "its data is corrupt (it fits no code or no checksum)", 0, true},
    };
    (void)state;
    uint8_t *data = make_data(LEN);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (int is_cut = 0; is_cut < 2; is_cut++) {
            size_t len, got;
            uint8_t *packed = packed_make(cases[i].format, data, LEN, &len);
            uint8_t *stored = malloc(2 * len);
            assert_non_null(stored);
            memcpy(stored, packed, len);
            memcpy(stored + len, packed, len);
            size_t stored_len = 2 * len - (is_cut ? 3 : 0);
            size_t spoiled = cases[i].checksum_at ? 2 * len - cases[i].checksum_at : len + len / 2;
            if (!is_cut)
                stored[spoiled] ^= 0x55;
            char path[64];
            packed_file(path, stored, stored_len);
            struct archive *a;
            struct fault fault = {0};
            uint64_t from, to;
            assert_int_equal(archive_open(&a, path, &fault), 0);
            assert_false(archive_is_corrupt(a));
            assert_int_equal(read_all(a, NULL, 2 * LEN, 5, &got, &fault), -EBADMSG);
            if (cases[i].checksum_at && !is_cut) /* all of it was there */
                assert_int_equal(got, 2 * LEN);
            archive_stored_range(a, &from, &to);
            assert_non_null(strstr(fault.text, is_cut ? "is cut short" : cases[i].says));
            assert_int_equal(archive_is_corrupt(a), !is_cut);
            assert_int_equal(from, is_cut ? stored_len : cases[i].is_one ? 0 : len);
            assert_true(to <= stored_len && (is_cut ? to == from : to > spoiled));
            archive_close(a);
            unlink(path);
            free(stored);
            free(packed);
        }
    }
    free(data);
}

/* A member with an extra field and a name of `name_len` letters in its header, as bgzip's and gzip's
 * have; returns its length. */
static size_t make_member(uint8_t *out, const uint8_t *packed, size_t len, size_t name_len)
{
    static const uint8_t extra[] = {6, 0, 'B', 'C', 2, 0, 0, 0};
    size_t n = 10;
    memcpy(out, packed, n);
    out[3] = 4 | 8;
    memcpy(out + n, extra, sizeof extra);
    n += sizeof extra;
    memset(out + n, 'n', name_len);
    n += name_len;
    out[n++] = 0;
    memcpy(out + n, packed + 10, len - 10);
    return n + len - 10;
}

/* The stored bytes are read in pieces: whatever a piece ends in, header, data or trailer. */
static void test_small_members_across_every_seam(void **state)
{
    enum { MEMBERS = 9000, LEN = 50, NAMES = 45 };
    (void)state;
    uint8_t *data = make_data(LEN), *all = malloc((size_t)MEMBERS * LEN);
    size_t len;
    uint8_t *packed = packed_make("gzip", data, LEN, &len);
    uint8_t *stored = malloc((size_t)MEMBERS * (len + 100));
    assert_non_null(all);
    assert_non_null(stored);
    for (size_t i = 0; i < MEMBERS; i++)
        memcpy(all + i * LEN, data, LEN);
    for (size_t name_len = 0; name_len < NAMES; name_len++) { /* of the first: shifts the others */
        size_t stored_len = make_member(stored, packed, len, name_len), got;
        for (size_t i = 1; i < MEMBERS; i++)
            stored_len += make_member(stored + stored_len, packed, len, 4);
        char path[64];
        packed_file(path, stored, stored_len);
        struct archive *a;
        struct fault fault = {0};
        assert_int_equal(archive_open(&a, path, &fault), 0);
        assert_int_equal(read_all(a, all, (size_t)MEMBERS * LEN, 0, &got, &fault), 0);
        assert_int_equal(got, (size_t)MEMBERS * LEN);
        archive_close(a);
        unlink(path);
    }
    free(stored);
    free(packed);
    free(all);
    free(data);
}

struct pipe_writer {
    int fd;
    const uint8_t *bytes;
    size_t len, step;
};

static void *write_pipe(void *argument)
{
    struct pipe_writer *w = argument;
    for (size_t done = 0; done < w->len;) {
        size_t n = w->len - done < w->step ? w->len - done : w->step;
        ssize_t written = write(w->fd, w->bytes + done, n);
        if (written <= 0)
            break;
        done += (size_t)written;
    }
    close(w->fd);
    return NULL;
}

static void test_pipes_are_told_by_their_first_bytes(void **state)
{
    enum { LEN = 1500000 };
    (void)state;
    uint8_t *data = make_data(LEN);
    for (int f = 0; f < PACKED_FORMATS; f++) {
        int ends[2];
        assert_int_equal(pipe(ends), 0);
        size_t len, got;
        uint8_t *packed = packed_make(packed_formats[f], data, LEN, &len);
        struct pipe_writer writer = {ends[1], packed, len, 1 + (size_t)f * 777};
        char path[64];
        (void)snprintf(path, sizeof path, "/proc/self/fd/%d", ends[0]);
        struct archive *a;
        struct fault fault = {0};
        assert_int_equal(archive_open(&a, path, &fault), 0);
        writer.step = f == 0 ? 4096 : writer.step;
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, write_pipe, &writer), 0);
        assert_int_equal(read_all(a, data, LEN, 3, &got, &fault), 0);
        assert_int_equal(got, LEN);
        assert_string_equal(archive_format(a), packed_formats[f]);
        pthread_join(thread, NULL);
        archive_close(a);
        close(ends[0]);
        free(packed);
    }
    free(data);
}

static void test_close_does_not_wait(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", ends[0]);
    struct archive *a;
    struct fault fault = {0};
    assert_int_equal(archive_open(&a, path, &fault), 0);
    archive_close(a); /* nobody ever writes */
    close(ends[0]);
    close(ends[1]);

    /* Nor for data that nobody takes. */
    size_t len, size = (size_t)(BLOCKS_IN_FLIGHT + 4) * BLOCK_SIZE;
    uint8_t *data = make_data(size), *packed = packed_make("zstd", data, size, &len);
    packed_file(path, packed, len);
    assert_int_equal(archive_open(&a, path, &fault), 0);
    const uint8_t *span;
    assert_int_equal(archive_fill(a, &span, 0, &fault), BLOCK_SIZE);
    archive_close(a);
    unlink(path);
    free(packed);
    free(data);
    archive_close(NULL);
}

static void test_what_cannot_be_opened(void **state)
{
    static const struct {
        const char *path;
        int rc;
    } cases[] = {{"/nonexistent/a.pcap", -ENOENT}, {"/tmp", -EISDIR}, {"", -ENOENT}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct archive *a;
        struct fault fault = {0};
        assert_int_equal(archive_open(&a, cases[i].path, &fault), cases[i].rc);
        assert_null(a);
        assert_true(fault.text[0] != 0);
    }
}

static void test_a_file_that_shrinks_just_ends(void **state)
{
    (void)state;
    uint8_t *data = make_data(3 * BLOCK_SIZE);
    char path[64];
    packed_file(path, data, 3 * BLOCK_SIZE);
    struct archive *a;
    struct fault fault = {0};
    assert_int_equal(archive_open(&a, path, &fault), 0);
    const uint8_t *span;
    int64_t len = archive_fill(a, &span, 0, &fault);
    assert_in_range(len, 1000, 2 * BLOCK_SIZE);
    assert_int_equal(truncate(path, 1000), 0);
    assert_memory_equal(span, data, len);
    assert_int_equal(archive_fill(a, &span, 10, &fault), 10);
    assert_memory_equal(span, data + len - 10, 10);
    archive_close(a);
    unlink(path);
    free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_format_gives_its_bytes_back),
        cmocka_unit_test(test_streams_that_go_on_or_break_off),
        cmocka_unit_test(test_where_an_error_lies),
        cmocka_unit_test(test_small_members_across_every_seam),
        cmocka_unit_test(test_pipes_are_told_by_their_first_bytes),
        cmocka_unit_test(test_close_does_not_wait),
        cmocka_unit_test(test_what_cannot_be_opened),
        cmocka_unit_test(test_a_file_that_shrinks_just_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
