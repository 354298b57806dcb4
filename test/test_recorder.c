/* recorder: which packet comes into which file, what is counted where nothing can be written, several receivers at
 * once (ThreadSanitizer watches where it is built in). Retention, full file systems, kill -9: test_recording.py. */
#include "capture/recorder.h"

#include "capture/capture_file.h"
#include "test/recording_case.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/resource.h>
#include <time.h>

static const int64_t second_ns = 1000000000, hour_ns = INT64_C(3600000000000);
static const int64_t noon_ns = INT64_C(1767268800000000000); /* 2026-01-01 12:00 UTC */

static char said[8][256];
static unsigned said_count;

static void say(void *context, const char *line)
{
    (void)context;
    if (said_count < 8)
        (void)snprintf(said[said_count++], sizeof said[0], "%s", line);
}

static struct recorder *open_recorder(struct recorder_settings s, unsigned receivers)
{
    struct fault fault = {0};
    struct recorder *r;
    s.dir = case_dir;
    s.say = say;
    said_count = 0;
    int rc = recorder_create(&r, &s, receivers, &fault);
    if (rc < 0)
        print_message("%s\n", fault.text);
    assert_int_equal(rc, 0);
    return r;
}

static struct recorder_counts finish(struct recorder *r, int expected)
{
    struct recorder_counts counts;
    struct fault fault = {0};
    assert_int_equal(recorder_finish(r, &fault), expected);
    assert_int_equal(fault.err, -expected);
    assert_int_equal(recorder_finish(r, &fault), 0); /* does nothing */
    recorder_counts(r, &counts);
    recorder_destroy(r);
    return counts;
}

/* Packets in a file or folder; `each` is called with every one. */
static uint64_t read_back(const char *path, void (*each)(const struct frame *f))
{
    struct capture_file_settings settings = {&path, 1, 0, NULL};
    struct frame frames[FRAME_BURST];
    struct fault fault = {0};
    struct capture *c;
    uint64_t packets = 0;
    assert_int_equal(capture_file_open(&c, &settings, &fault), 0);
    for (size_t n; (n = c->ops->burst(c, frames, FRAME_BURST)) > 0; packets += n) {
        for (size_t i = 0; i < n && each; i++)
            each(&frames[i]);
    }
    assert_int_equal(c->ops->damaged(c)->count, 0);
    c->ops->close(c);
    return packets;
}

static const struct rotation {
    const char *what;
    int64_t span_ns;
    struct {
        int64_t ts_ns; /* since noon */
        uint32_t link_type;
    } packets[8];
    size_t count;
    struct {
        const char *name;
        uint64_t packets;
    } files[5]; /* sorted by name */
} rotations[] = {
    {"one file",
     hour_ns,
     {{0, 1}, {1, 1}, {3599999999999, 1}},
     3,
     {{"recording-20260101T120000Z-0000-link1.pcap", 3}}},
    {"the next hour",
     hour_ns,
     {{-1, 1}, {0, 1}, {3599999999999, 1}, {3600000000000, 1}},
     4,
     {{"recording-20260101T115959Z-0000-link1.pcap", 1},
      {"recording-20260101T120000Z-0000-link1.pcap", 2},
      {"recording-20260101T130000Z-0000-link1.pcap", 1}}},
    {"interleaved at a cut",
     hour_ns,
     {{0, 1}, {3600000000000, 1}, {3599999000000, 1}, {3600000000001, 1}},
     4,
     {{"recording-20260101T120000Z-0000-link1.pcap", 1},
      {"recording-20260101T130000Z-0000-link1.pcap", 3}}},
    {"a clock that was ahead",
     second_ns,
     {{5000000000, 1}, {1000000000, 1}, {1000000001, 1}},
     3,
     {{"recording-20260101T120001Z-0000-link1.pcap", 2},
      {"recording-20260101T120005Z-0000-link1.pcap", 1}}},
    {"the same second again",
     second_ns,
     {{0, 1}, {5000000000, 1}, {0, 1}},
     3,
     {{"recording-20260101T120000Z-0000-link1.pcap", 1},
      {"recording-20260101T120000Z-0001-link1.pcap", 1},
      {"recording-20260101T120005Z-0000-link1.pcap", 1}}},
    {"link types",
     hour_ns,
     {{0, 1}, {1, 101}, {2, 1}, {3, 113}, {4, 101}, {5, 101}},
     6,
     {{"recording-20260101T120000Z-0000-link1.pcap", 2},
      {"recording-20260101T120000Z-0000-link101.pcap", 3},
      {"recording-20260101T120000Z-0000-link113.pcap", 1}}},
};

static void test_rotation(void **unused)
{
    static const uint8_t bytes[60];
    (void)unused;
    for (size_t i = 0; i < sizeof rotations / sizeof *rotations; i++) {
        const struct rotation *row = &rotations[i];
        struct recorder *r = open_recorder((struct recorder_settings){.span_ns = row->span_ns}, 1);
        char names[16][256], path[512];
        size_t files = 0;
        for (size_t k = 0; k < row->count; k++) {
            struct frame f = {bytes, sizeof bytes, 60, noon_ns + row->packets[k].ts_ns,
                              row->packets[k].link_type};
            recorder_add(r, 0, &f, 1);
        }
        struct recorder_counts counts = finish(r, 0);
        size_t found = case_list("", names, 16);
        for (; files < 5 && row->files[files].name; files++)
            ;
        if (found != files || counts.packets != row->count)
            print_message("%s: %zu files\n", row->what, found);
        assert_int_equal(found, files);
        assert_int_equal(counts.files, files);
        assert_int_equal(counts.packets, row->count);
        assert_int_equal(counts.skipped, 0);
        for (size_t k = 0; k < files; k++) {
            assert_string_equal(names[k], row->files[k].name);
            (void)snprintf(path, sizeof path, "%.80s/%.250s", case_dir, names[k]);
            assert_int_equal(read_back(path, NULL), row->files[k].packets);
        }
        case_empty(case_dir);
    }
}

/* Files are as full as their size lets them be. */
static void test_size(void **unused)
{
    static const uint8_t bytes[1000];
    static const uint64_t packets[] = {2064, 2064, 872}; /* of 16 + 1000 bytes in 2 MiB */
    char names[4][256], path[512];
    (void)unused;
    struct recorder *r =
        open_recorder((struct recorder_settings){.file_bytes = RECORDER_FILE_MIN}, 1);
    for (size_t i = 0; i < 5000; i++) {
        struct frame f = {bytes, sizeof bytes, sizeof bytes, noon_ns + (int64_t)i, 1};
        recorder_add(r, 0, &f, 1);
    }
    struct recorder_counts counts = finish(r, 0);
    assert_int_equal(counts.packets, 5000);
    assert_int_equal(counts.files, 3);
    assert_int_equal(case_list("", names, 4), 3);
    for (size_t i = 0; i < 3; i++) {
        (void)snprintf(path, sizeof path, "%.80s/%.250s", case_dir, names[i]);
        assert_int_equal(read_back(path, NULL), packets[i]);
    }
    case_empty(case_dir);
}

/* Times that no pcap file can say, and more link types than there is room for. */
static void test_unrecordable(void **unused)
{
    static const uint8_t bytes[60];
    static const int64_t times[] = {
        INT64_MIN, -1, 0, INT64_C(4294967295999999999), INT64_C(4294967296000000000), INT64_MAX};
    (void)unused;
    struct recorder *r = open_recorder((struct recorder_settings){0}, 1);
    for (size_t i = 0; i < 6; i++) {
        struct frame f = {bytes, 60, 60, times[i], 1};
        recorder_add(r, 0, &f, 1);
    }
    struct recorder_counts counts = finish(r, 0);
    assert_int_equal(counts.packets, 2);
    assert_int_equal(counts.skipped, 4);
    assert_int_equal(read_back(case_dir, NULL), 2);
    case_empty(case_dir);
    r = open_recorder((struct recorder_settings){0}, 1);
    for (uint32_t link = 0; link < RECORDER_LINK_TYPES + 3; link++) {
        struct frame f = {bytes, 60, 60, noon_ns, link};
        recorder_add(r, 0, &f, 1);
    }
    counts = finish(r, 0);
    assert_int_equal(counts.packets, RECORDER_LINK_TYPES);
    assert_int_equal(counts.files, RECORDER_LINK_TYPES);
    assert_int_equal(counts.skipped, 3);
    case_empty(case_dir);
}

/* Bytes of every length, cut and whole, come back as they were. */
static uint64_t checked;
static uint32_t cut_at;

static uint32_t length_of(uint64_t number)
{
    return number % 100 == 99 ? 262144 : (uint32_t)(number * 37 % 3000);
}

static void check_frame(const struct frame *f)
{
    uint32_t length = length_of(checked), caught = length < cut_at ? length : cut_at;
    assert_int_equal(f->ts_ns, noon_ns + (int64_t)checked);
    assert_int_equal(f->caplen, caught);
    assert_int_equal(f->wire_len, length + 5);
    for (uint32_t i = 0; i < caught; i += 97)
        assert_int_equal(f->data[i], (uint8_t)(i + checked));
    checked++;
}

static void test_bytes(void **unused)
{
    static uint8_t bytes[262144 + 256];
    static const struct {
        int zstd_level;
        uint32_t snaplen;
    } rows[] = {{0, 0}, {1, 0}, {0, 96}, {19, 96}};
    (void)unused;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)i;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct recorder *r =
            open_recorder((struct recorder_settings){.zstd_level = rows[i].zstd_level,
                                                     .snaplen = rows[i].snaplen},
                          1);
        for (uint64_t n = 0; n < 500; n++) {
            struct frame f = {bytes + n % 256, length_of(n), length_of(n) + 5, noon_ns + (int64_t)n,
                              1};
            recorder_add(r, 0, &f, 1);
        }
        assert_int_equal(finish(r, 0).packets, 500);
        checked = 0;
        cut_at = rows[i].snaplen ? rows[i].snaplen : RECORDER_SNAPLEN;
        assert_int_equal(read_back(case_dir, check_frame), 500);
        case_empty(case_dir);
    }
}

/* A file that may not grow beyond a limit is cut there; nothing is lost, and it is said once. */
static void test_limit(void **unused)
{
    static const uint8_t bytes[1000];
    struct rlimit before, limit;
    char names[16][256];
    (void)unused;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = before;
    limit.rlim_cur = 1500000;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    struct recorder *r = open_recorder((struct recorder_settings){0}, 1);
    for (uint64_t n = 0; n < 2000; n++) {
        struct frame f = {bytes, sizeof bytes, sizeof bytes, noon_ns + (int64_t)n, 1};
        recorder_add(r, 0, &f, 1);
    }
    struct recorder_counts counts;
    while (recorder_counts(r, &counts), counts.err != 0 || counts.packets < 2000)
        (void)nanosleep(&(struct timespec){0, 10000000}, NULL);
    counts = finish(r, 0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(counts.packets, 2000);
    assert_int_equal(counts.skipped, 0);
    assert_int_equal(case_list("", names, 16), 2);
    assert_int_equal(read_back(case_dir, NULL), 2000);
    assert_int_equal(said_count, 2);
    assert_non_null(strstr(said[0], "File too large"));
    assert_non_null(strstr(said[0], ".pcap.part"));
    assert_non_null(strstr(said[1], "recording again; 0 packets"));
    case_empty(case_dir);
}

/* Where nothing can be written at all every packet is skipped or was never in a file, to the last. */
static void test_nothing_goes(void **unused)
{
    static const uint8_t bytes[1000];
    struct rlimit before, limit;
    char names[16][256];
    (void)unused;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = before;
    limit.rlim_cur = 100;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    struct recorder *r = open_recorder((struct recorder_settings){.buffer_bytes = 1}, 2);
    for (uint64_t n = 0; n < 10000; n++) {
        struct frame f = {bytes, sizeof bytes, sizeof bytes, noon_ns + (int64_t)n, 1};
        recorder_add(r, n % 2, &f, 1);
    }
    assert_true(recorder_skipped(r, 0) > 1000 && recorder_skipped(r, 1) > 1000);
    struct recorder_counts counts = finish(r, -EFBIG);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(counts.packets, 0);
    assert_int_equal(counts.skipped, 10000);
    assert_int_equal(counts.err, EFBIG);
    assert_int_equal(said_count, 1);
    assert_int_equal(case_list("", names, 16), 0);
}

/* Complete files have no .part; a file that is being written has. */
static void test_marker(void **unused)
{
    static const uint8_t bytes[60];
    char names[16][256];
    struct frame f = {bytes, 60, 60, noon_ns, 1};
    (void)unused;
    struct recorder *r = open_recorder((struct recorder_settings){.span_ns = hour_ns}, 1);
    recorder_add(r, 0, &f, 1);
    while (case_list(".part", names, 16) != 1)
        (void)nanosleep(&(struct timespec){0, 10000000}, NULL);
    assert_string_equal(names[0], "recording-20260101T120000Z-0000-link1.pcap.part");
    f.ts_ns += hour_ns;
    recorder_add(r, 0, &f, 1);
    while (!case_has("recording-20260101T120000Z-0000-link1.pcap"))
        (void)nanosleep(&(struct timespec){0, 10000000}, NULL);
    (void)finish(r, 0);
    assert_int_equal(case_list(".part", names, 16), 0);
    assert_int_equal(case_list(".pcap", names, 16), 2);
    case_empty(case_dir);
}

/* Several receivers. */

enum { RECEIVERS = 3, EACH = 40000 };

struct receiver {
    struct recorder *recorder;
    unsigned number;
};

static void *receive(void *arg)
{
    const struct receiver *me = arg;
    uint64_t words[16][8] = {{0}};
    struct frame frames[16];
    for (uint64_t n = 0; n < EACH; n += 16) {
        for (uint64_t k = 0; k < 16; k++) {
            words[k][0] = me->number;
            words[k][1] = n + k;
            frames[k] = (struct frame){(uint8_t *)words[k], 64, 64, noon_ns + (int64_t)(n + k), 1};
        }
        recorder_add(me->recorder, me->number, frames, 16);
        memset(words, 0xff, sizeof words); /* ours again */
    }
    return NULL;
}

static uint64_t next_of[RECEIVERS], seen_of[RECEIVERS];

static void check_order(const struct frame *f)
{
    uint64_t words[2];
    memcpy(words, f->data, sizeof words);
    assert_true(words[0] < RECEIVERS);
    assert_true(words[1] >= next_of[words[0]] && words[1] < EACH);
    next_of[words[0]] = words[1] + 1;
    seen_of[words[0]]++;
}

static void test_receivers(void **unused)
{
    pthread_t threads[RECEIVERS];
    struct receiver receivers[RECEIVERS];
    struct recorder_counts counts;
    (void)unused;
    struct recorder *r = open_recorder(
        (struct recorder_settings){.file_bytes = RECORDER_FILE_MIN, .buffer_bytes = 1 << 20},
        RECEIVERS);
    for (unsigned i = 0; i < RECEIVERS; i++) {
        receivers[i] = (struct receiver){r, i};
        assert_int_equal(pthread_create(&threads[i], NULL, receive, &receivers[i]), 0);
    }
    for (unsigned i = 0; i < 100; i++) {
        recorder_counts(r, &counts);
        assert_true(counts.packets + counts.skipped <= RECEIVERS * EACH);
    }
    for (unsigned i = 0; i < RECEIVERS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    uint64_t skipped[RECEIVERS];
    for (unsigned i = 0; i < RECEIVERS; i++)
        skipped[i] = recorder_skipped(r, i);
    counts = finish(r, 0);
    assert_int_equal(counts.packets + counts.skipped, RECEIVERS * EACH);
    assert_int_equal(read_back(case_dir, check_order), counts.packets);
    for (unsigned i = 0; i < RECEIVERS; i++)
        assert_int_equal(seen_of[i] + skipped[i], EACH);
    case_empty(case_dir);
}

static void test_refused(void **unused)
{
    static const struct {
        struct recorder_settings settings;
        const char *says;
    } rows[] = {
        {{.span_ns = 999999999}, "999999999 ns"},
        {{.span_ns = INT64_MAX}, "366 days"},
        {{.span_ns = -1}, "-1 ns"},
        {{.file_bytes = RECORDER_FILE_MIN - 1}, "2097151 bytes"},
        {{.keep_ns = 1}, "1 ns"},
        {{.keep_bytes = 2147483647}, "2147483647 bytes"},
        {{.snaplen = 262145}, "262145 bytes"},
        {{.zstd_level = 20}, "zstd level 20"},
        {{.zstd_level = -1}, "zstd level -1"},
    };
    (void)unused;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct recorder_settings s = rows[i].settings;
        struct fault fault = {0};
        struct recorder *r = (void *)&fault;
        s.dir = case_dir;
        assert_int_equal(recorder_create(&r, &s, 1, &fault), -EINVAL);
        assert_null(r);
        assert_non_null(strstr(fault.text, rows[i].says));
    }
    recorder_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rotation),     cmocka_unit_test(test_unrecordable),
        cmocka_unit_test(test_bytes),        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_nothing_goes), cmocka_unit_test(test_marker),
        cmocka_unit_test(test_receivers),    cmocka_unit_test(test_refused),
        cmocka_unit_test(test_size),
    };
    return cmocka_run_group_tests(tests, case_setup, case_teardown);
}
