/* What of live capture needs no interface: sums behind counters that begin anew, what the kernel says of interfaces,
 * what is refused. Packets: test_live_pcap.py. */
#include "capture/capture_pcap.h"
#include "capture/interface.h"
#include "capture/running_sum.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void test_sums(void **unused)
{
    static const struct {
        bool restarts; /* at the first value */
        uint64_t values[4];
        uint64_t sum;
    } rows[] = {
        {false, {0, 5, 5, 9}, 9},
        {false, {7, 7, 7, 7}, 7},
        {true, {1000, 1003, 1003, 1004}, 4},
        {true, {1000, 1100, 20, 30}, 130}, /* a driver was loaded anew */
        {false, {0xffffffff, 0x100000000, 0x1ffffffff, 0x200000001}, 0x200000001},
    };
    (void)unused;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct running_sum s = {0};
        if (rows[i].restarts)
            running_sum_restart(&s, rows[i].values[0]);
        for (size_t k = 0; k < 4; k++)
            running_sum_add(&s, rows[i].values[k]);
        if (s.sum != rows[i].sum)
            print_message("row %zu\n", i);
        assert_int_equal(s.sum, rows[i].sum);
    }
}

/* An interface that was replaced: the new one's past is not ours. */
static void test_sum_over_interfaces(void **unused)
{
    struct running_sum s = {0};
    (void)unused;
    running_sum_restart(&s, 1000000);
    running_sum_add(&s, 1000100);
    running_sum_restart(&s, 0);
    running_sum_add(&s, 11);
    running_sum_restart(&s, 5000);
    running_sum_add(&s, 5000);
    assert_int_equal(s.sum, 111);
}

static void test_interface(void **unused)
{
    struct interface_state state = {0}, same = {0};
    char names[256], few[4];
    (void)unused;
    int fd = interface_socket();
    assert_true(fd >= 0);
    assert_int_equal(interface_read(fd, 0, "lo", &state), 0);
    assert_true(state.index > 0);
    assert_int_equal(interface_read(fd, state.index, NULL, &same), 0);
    assert_int_equal(same.index, state.index);
    assert_int_equal(interface_read(fd, 0, "no-such-0", &state), -ENODEV);
    assert_int_equal(interface_read(fd, 0, "a name that is too long for one", &state), -ENODEV);
    assert_int_equal(interface_read(fd, 0x7ffffff0, NULL, &state), -ENODEV);
    assert_int_equal(close(fd), 0);
    interface_names(names, sizeof names);
    assert_non_null(strstr(names, "lo"));
    interface_names(few, sizeof few);
    assert_true(strlen(few) < sizeof few);
    assert_false(interface_merges("no-such-0"));
}

static void test_refused(void **unused)
{
    static const struct {
        struct capture_pcap_settings settings;
        int err;
        const char *says;
    } rows[] = {
        {{.interface = ""}, ENODEV, "no interface is named"},
        {{.interface = "lo", .snaplen = CAPTURE_PCAP_SNAPLEN_MAX + 1},
         EINVAL,
         "lo: snap length of 262145 bytes"},
        {{.interface = "lo", .buffer_bytes = UINT64_C(1) << 31},
         EINVAL,
         "lo: buffer of 2147483648 bytes"},
        {{.interface = "lo", .filter = "port and"}, EINVAL, "port and"},
        {{.interface = "no-such-0"}, ENODEV, "no-such-0"},
    };
    (void)unused;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fault fault = {0};
        struct capture *c = (void *)&fault;
        int rc = capture_pcap_open(&c, &rows[i].settings, &fault);
        assert_true(rc < 0);
        assert_null(c);
        assert_int_equal(rc, -fault.err);
        /* Who may not capture at all is told that and nothing else. */
        assert_true(rc == -rows[i].err || (rc == -EPERM && geteuid() != 0));
        if (rc == -rows[i].err)
            assert_non_null(strstr(fault.text, rows[i].says));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sums),
        cmocka_unit_test(test_sum_over_interfaces),
        cmocka_unit_test(test_interface),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
