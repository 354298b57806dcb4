/* record_dir: names of files, whose folder it may be, what a dead process left, retention. */
#include "test/recording_case.h"

#include <errno.h>
#include <stddef.h>
#include <sys/file.h>

static const struct {
    const char *text;
    struct record_name name; /* where it is one */
    bool is_one;
} names[] = {
    {"recording-20261121T164211Z-0000-link1.pcap",
     {1795279331, 0, 1, false, RECORD_COMPLETE},
     true},
    {"recording-20261121T164211Z-0007-link113.pcap.zst",
     {1795279331, 7, 113, true, RECORD_COMPLETE},
     true},
    {"recording-20261121T164211Z-9999-link276.pcap.part",
     {1795279331, 9999, 276, false, RECORD_PART},
     true},
    {"recording-20261121T164211Z-0000-link1.pcap.zst.torn",
     {1795279331, 0, 1, true, RECORD_TORN},
     true},
    {"recording-19700101T000000Z-0000-link0.pcap", {0, 0, 0, false, RECORD_COMPLETE}, true},
    {"recording-21060207T062815Z-0000-link4294967295.pcap",
     {4294967295, 0, 4294967295, false, RECORD_COMPLETE},
     true},
    {"recording-21060207T062816Z-0000-link1.pcap", {0}, false}, /* what no pcap file can say */
    {"recording-19691231T235959Z-0000-link1.pcap", {0}, false},
    {"recording-20261321T164211Z-0000-link1.pcap", {0}, false},
    {"recording-20260230T164211Z-0000-link1.pcap", {0}, false},
    {"recording-20261121T164261Z-0000-link1.pcap", {0}, false},
    {"recording-20261121T164211Z-00000-link1.pcap", {0}, false},
    {"recording-20261121T164211Z-0000-link01.pcap", {0}, false},
    {"recording-20261121T164211Z-0000-link-1.pcap", {0}, false},
    {"recording-20261121T164211Z- 000-link1.pcap", {0}, false},
    {"recording-20261121T164211Z-0000-link1.pcap.gz", {0}, false},
    {"recording-20261121T164211Z-0000-link1.pcap.zst.zst", {0}, false},
    {"recording-20261121T164211Z-0000-link1.pcapng", {0}, false},
    {"recording-20261121T164211Z-0000-link1.pcap ", {0}, false},
    {"x-recording-20261121T164211Z-0000-link1.pcap", {0}, false},
    {"recording-", {0}, false},
    {"", {0}, false},
    {"recording-20261121T164211Z-0000-link1.pcap.part.part.part.part.part.part.part.part",
     {0},
     false},
};

static void test_names(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct record_name n;
        char text[RECORD_NAME_MAX];
        if (record_name_parse(names[i].text, &n) != names[i].is_one)
            print_message("%s\n", names[i].text);
        assert_int_equal(record_name_parse(names[i].text, &n), names[i].is_one);
        if (!names[i].is_one)
            continue;
        assert_int_equal(n.second, names[i].name.second);
        assert_int_equal(n.number, names[i].name.number);
        assert_int_equal(n.link_type, names[i].name.link_type);
        assert_int_equal(n.is_zstd, names[i].name.is_zstd);
        assert_int_equal(n.state, names[i].name.state);
        record_name_format(&names[i].name, text);
        assert_string_equal(text, names[i].text);
    }
}

static mode_t mode_of(const char *path)
{
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    return st.st_mode & 07777;
}

static void check_refused(int err, const char *says)
{
    struct record_dir d;
    struct fault fault = {0};
    assert_int_equal(record_dir_open(&d, case_dir, &fault), -err);
    assert_int_equal(d.fd, -1);
    if (!strstr(fault.text, says) || !strstr(fault.text, case_dir))
        print_message("%s\n", fault.text);
    assert_non_null(strstr(fault.text, says));
    assert_non_null(strstr(fault.text, case_dir));
}

static void check_opens(void)
{
    struct record_dir d;
    struct fault fault = {0};
    assert_int_equal(record_dir_open(&d, case_dir, &fault), 0);
    record_dir_close(&d);
}

static void test_whose_folder(void **unused)
{
    struct record_dir d, second;
    struct fault fault = {0};
    (void)unused;
    mode_t mask = umask(0277);
    assert_int_equal(record_dir_open(&d, case_dir, &fault), 0); /* made */
    (void)umask(mask);
    assert_int_equal(mode_of(case_dir), 0700);
    assert_int_equal(record_dir_open(&second, case_dir, &fault), -EBUSY);
    assert_non_null(strstr(fault.text, "another process"));
    record_dir_close(&d);
    record_dir_close(&d);
    check_opens();
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(chmod(case_dir, (const mode_t[]){0755, 0750, 0701, 01700}[i]), 0);
        check_refused(EPERM, "chmod 700");
    }
    assert_int_equal(chmod(case_dir, 0700), 0);
    if (geteuid() == 0) {
        assert_int_equal(chown(case_dir, 4242, 0), 0);
        check_refused(EPERM, "belongs to user 4242");
        assert_int_equal(chown(case_dir, 0, 0), 0);
    } else {
        print_message("not run: a folder of another owner, which takes root\n");
    }
    char path[128];
    (void)snprintf(path, sizeof path, "%s/lost+found", case_dir);
    assert_int_equal(mkdir(path, 0700), 0);
    check_opens();
    case_put("notes.txt", 3, 1000, 0);
    check_refused(EEXIST, "notes.txt");
    case_put("recording-20261121T164211Z-0000-link1.pcap", 3, 1000, 0);
    check_opens(); /* a note beside recordings stops nobody */
    assert_int_equal(rmdir(path), 0);
    case_empty(case_dir);
    assert_int_equal(rmdir(case_dir), 0);
    int fd = open(case_dir, O_WRONLY | O_CREAT, 0600);
    assert_int_equal(close(fd), 0);
    check_refused(ENOTDIR, "Not a directory");
    assert_int_equal(unlink(case_dir), 0);
    (void)strcat(case_dir, "/below");
    check_refused(ENOENT, "No such file");
    case_dir[strlen(case_dir) - strlen("/below")] = '\0';
}

static void test_leftovers(void **unused)
{
    (void)unused;
    check_opens();
    case_put("recording-20261121T164211Z-0000-link1.pcap.part", 10, 1000, 0);
    case_put("recording-20261121T164212Z-0000-link1.pcap.zst.part", 10, 1000, 0);
    case_put("recording-20261121T164213Z-0000-link1.pcap.part", 0, 1000, 0);
    case_put("other.part", 10, 1000, 0);
    check_opens();
    assert_true(case_has("recording-20261121T164211Z-0000-link1.pcap.torn"));
    assert_true(case_has("recording-20261121T164212Z-0000-link1.pcap.zst.torn"));
    assert_true(case_has("other.part"));
    char found[8][256];
    assert_int_equal(case_list("", found, 8), 3);
    case_empty(case_dir);
}

static const struct {
    const char *name;
    size_t size;
    int64_t age_s;
    bool is_ours;
} stock[] = {
    {"recording-20260101T000000Z-0000-link1.pcap", 100, 500, true},
    {"recording-20260101T000000Z-0001-link1.pcap.zst", 100, 400, true},
    {"recording-20260101T010000Z-0000-link1.pcap.torn", 100, 300, true},
    {"recording-20260101T020000Z-0000-link1.pcap", 100, 200, true},
    {"recording-20260101T030000Z-0000-link1.pcap", 100, 100, true},
    {"recording-20260101T000000Z-0002-link1.pcap.part", 100, 900, false}, /* being written */
    {"recording-20260101T000000Z-0003-link1.pcap.bak", 100, 900, false},
    {"aaa.pcap", 100, 900, false},
};

static void test_trim(void **unused)
{
    static const struct {
        int64_t keep_s;
        uint64_t keep_bytes;
        int removed; /* the first so many of ours */
    } rows[] = {
        {0, 0, 0},     {0, 500, 0}, {0, 499, 1},   {0, 400, 1},   {0, 399, 2},   {0, 1, 5},
        {1000, 0, 0},  {450, 0, 1}, {350, 0, 2},   {1, 0, 5},     {350, 499, 2}, {450, 250, 3},
        {1000, 99, 5}, {50, 0, 5},  {150, 450, 4}, {500, 500, 0},
    };
    (void)unused;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct record_dir d;
        struct fault fault = {0};
        uint64_t left = 0;
        assert_int_equal(record_dir_open(&d, case_dir, &fault), 0);
        for (size_t k = 0; k < sizeof stock / sizeof *stock; k++)
            case_put(stock[k].name, stock[k].size, 100000, stock[k].age_s);
        int n = record_dir_trim(&d, rows[i].keep_s * 1000000000, rows[i].keep_bytes,
                                INT64_C(100000000000000), 0, &left, &fault);
        if (n != rows[i].removed)
            print_message("row %zu\n", i);
        assert_int_equal(n, rows[i].removed);
        assert_int_equal(left, 100 * (5 - rows[i].removed));
        for (size_t k = 0; k < sizeof stock / sizeof *stock; k++)
            assert_int_equal(case_has(stock[k].name),
                             !stock[k].is_ours || (int)k >= rows[i].removed);
        record_dir_close(&d);
        case_empty(case_dir);
    }
}

/* A clock that is set far ahead deletes nothing before it was lived with. Five files, written at these days and hours; kept for 30 days. */
static void test_far(void **unused)
{
    enum { HOUR = 3600, DAY = 24 * HOUR };
    static const struct {
        const char *what;
        int64_t written_s[5], now_s, lived_s;
        int removed;
    } rows[] = {
        {"day by day", {0, 6 * DAY, 12 * DAY, 18 * DAY, 24 * DAY}, 31 * DAY, 0, 1},
        {"a step of a week", {0, 7 * DAY, 14 * DAY, 21 * DAY, 28 * DAY}, 35 * DAY, 0, 1},
        {"a step since", {0, DAY, 2 * DAY, 3 * DAY, 4 * DAY}, 4000 * DAY, 0, 0},
        {"lived with", {0, DAY, 2 * DAY, 3 * DAY, 4 * DAY}, 4000 * DAY, DAY, 5},
        {"lived with for less", {0, DAY, 2 * DAY, 3 * DAY, 4 * DAY}, 4000 * DAY, DAY - 1, 0},
        {"a step between", {0, DAY, 2 * DAY, 4000 * DAY, 4000 * DAY + 9}, 4000 * DAY + 99, 0, 0},
        {"a day of files behind it",
         {0, DAY, 2 * DAY, 4000 * DAY, 4000 * DAY + 23 * HOUR},
         4001 * DAY,
         0,
         3},
        {"back again", {0, DAY, 2 * DAY, 4000 * DAY, 3 * DAY}, 3 * DAY + HOUR, 0, 0},
        {"back again, later", {0, DAY, 5 * DAY, 4000 * DAY, 10 * DAY}, 32 * DAY, DAY, 2},
        {"two steps", {0, DAY, 400 * DAY, 400 * DAY + HOUR, 4000 * DAY}, 4000 * DAY, 0, 0},
    };
    (void)unused;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct record_dir d;
        struct fault fault = {0};
        uint64_t left = 0;
        assert_int_equal(record_dir_open(&d, case_dir, &fault), 0);
        for (size_t k = 0; k < 5; k++)
            case_put(stock[k].name, 1, 100000 + rows[i].written_s[k], 0);
        int n = record_dir_trim(&d, INT64_C(30) * DAY * 1000000000, 0,
                                (100000 + rows[i].now_s) * 1000000000, rows[i].lived_s * 1000000000,
                                &left, &fault);
        if (n != rows[i].removed)
            fail_msg("%s: %d", rows[i].what, n);
        record_dir_close(&d);
        case_empty(case_dir);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),     cmocka_unit_test(test_whose_folder),
        cmocka_unit_test(test_leftovers), cmocka_unit_test(test_trim),
        cmocka_unit_test(test_far),
    };
    return cmocka_run_group_tests(tests, case_setup, case_teardown);
}
