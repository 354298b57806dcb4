/* What --from dpdk:SPEC and --eal may say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "capture/dpdk_spec.h"

#include <string.h>

static const struct {
    const char *text;
    enum dpdk_spec_kind kind;
    const char *device, *devargs;
    unsigned queues, mtu, mbufs;
} specs[] = {
    {"0000:03:00.1", DPDK_PCI, "0000:03:00.1", "", 1, 0, 0},
    {"3:0.0", DPDK_PCI, "0000:03:00.0", "", 1, 0, 0},
    {"0001:AF:1f.7,queues=8", DPDK_PCI, "0001:af:1f.7", "", 8, 0, 0},
    {"03:00.0,mprq_en=1,queues=2,rxq_cqe_comp_en=0", DPDK_PCI, "0000:03:00.0",
     "mprq_en=1,rxq_cqe_comp_en=0", 2, 0, 0},
    {"03:20.0", DPDK_NAMED, "03:20.0", "", 1, 0, 0}, /* a device number beyond 31 */
    {"eth0", DPDK_NAMED, "eth0", "", 1, 0, 0},
    {"net_ring0,queues=128,mtu=9000,mbufs=70000", DPDK_NAMED, "net_ring0", "", 128, 9000, 70000},
    {"000d3a12-3456-7890-abcd-000d3a123456", DPDK_NAMED, "000d3a12-3456-7890-abcd-000d3a123456", "",
     1, 0, 0},
    {"vdev=net_null0", DPDK_VDEV, "net_null0", "", 1, 0, 0},
    {"vdev=net_pcap0,rx_pcap=a.pcap,rx_pcap=b.pcap,infinite_rx=1,queues=2", DPDK_VDEV, "net_pcap0",
     "rx_pcap=a.pcap,rx_pcap=b.pcap,infinite_rx=1", 2, 0, 0},
    {"vdev=net_pcap0,rx_pcap=a,rx_iface=b,rx_pcap=c", DPDK_VDEV, "net_pcap0",
     "rx_pcap=a,rx_iface=b,rx_pcap=c", 3, 0, 0},
    {"vdev=eth_pcap7,rx_pcap=a,tx_pcap=b", DPDK_VDEV, "eth_pcap7", "rx_pcap=a,tx_pcap=b", 1, 0, 0},
    {"vdev=net_af_packet0,iface=eth1,qpairs=4", DPDK_VDEV, "net_af_packet0", "iface=eth1,qpairs=4",
     4, 0, 0},
    {"vdev=net_af_packet0,xqpairs=4", DPDK_VDEV, "net_af_packet0", "xqpairs=4", 1, 0, 0},
    {"vdev=net_af_packet0,qpairs=999", DPDK_VDEV, "net_af_packet0", "qpairs=999", 1, 0, 0},
    {"vdev=net_virtio_user0,device.queues=2,path=/dev/vhost-net", DPDK_VDEV, "net_virtio_user0",
     "queues=2,path=/dev/vhost-net", 2, 0, 0},
    {"vdev=net_null0,no-rx,size=", DPDK_VDEV, "net_null0", "no-rx,size=", 1, 0, 0},
};

static void test_specs(void **state)
{
    for (size_t i = 0; i < sizeof specs / sizeof *specs; i++) {
        struct dpdk_spec s;
        struct fault fault = {0};
        if (dpdk_spec_parse(&s, specs[i].text, &fault) != 0)
            fail_msg("%s: %s", specs[i].text, fault.text);
        assert_int_equal(s.kind, specs[i].kind);
        assert_string_equal(s.device, specs[i].device);
        assert_string_equal(s.devargs, specs[i].devargs);
        assert_int_equal(s.queues, specs[i].queues);
        assert_int_equal(s.mtu, specs[i].mtu);
        assert_int_equal(s.mbufs, specs[i].mbufs);
    }
}

static const struct {
    const char *text, *place;
} bad_specs[] = {
    {"", "character 1: a port"},
    {",queues=2", "character 1: a port"},
    {"vdev=", "character 6: a port"},
    {"eth 0", "character 4: a port's name"},
    {"-eth0", "character 1: a port's name"},
    {"vdev=net/null", "character 9: a port's name"},
    {"eth0,", "character 6: an item"},
    {"eth0,,queues=1", "character 6: an item"},
    {"eth0,=1", "character 6: an item begins"},
    {"eth0,queues", "character 12: queues is"},
    {"eth0,queues=", "character 13: queues is"},
    {"eth0,queues=0", "character 13: queues is"},
    {"eth0,queues=129", "character 13: queues is"},
    {"eth0,queues=1x", "character 13: queues is"},
    {"eth0,queues=-1", "character 13: queues is"},
    {"eth0,queues=18446744073709551617", "character 13: queues is"},
    {"eth0,queues=2,queues=2", "character 15: said twice"},
    {"eth0,mtu=67", "character 10: mtu is"},
    {"eth0,mbufs=255", "character 12: mbufs is"},
    {"eth0,iface=x", "character 6: only queues=, mtu= and mbufs="},
    {"vdev=net_null0,a=b c", "character 19: a space"},
    {"vdev=net_null0,device.=1,size=\t", "character 31: a space"},
    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "character 64: a port's"},
};

static void test_bad_specs(void **state)
{
    for (size_t i = 0; i < sizeof bad_specs / sizeof *bad_specs; i++) {
        struct dpdk_spec s;
        struct fault fault = {0};
        assert_int_equal(dpdk_spec_parse(&s, bad_specs[i].text, &fault), -22);
        if (!strstr(fault.text, bad_specs[i].place))
            fail_msg("%s: %s", bad_specs[i].text, fault.text);
    }
}

static void test_long_devargs(void **state)
{
    char text[1100] = "vdev=net_null0,";
    struct dpdk_spec s;
    struct fault fault;
    memset(text + 15, 'a', 1023);
    assert_int_equal(dpdk_spec_parse(&s, text, &fault), -22);
    text[15 + 1022] = '\0';
    assert_int_equal(dpdk_spec_parse(&s, text, &fault), 0);
    assert_int_equal(strlen(s.devargs), 1022);
}

static const struct {
    const char *text;
    const char *words[6];
} arguments[] = {
    {NULL, {NULL}},
    {"", {NULL}},
    {"  -l 0-3  -n4 ", {"-l", "0-3", "-n4"}},
    {"--vdev \"net_pcap0,rx_pcap=a b.pcap\" --no-huge",
     {"--vdev", "net_pcap0,rx_pcap=a b.pcap", "--no-huge"}},
    {"--file-prefix='a'b --huge-unlink", {"--file-prefix=ab", "--huge-unlink"}},
    {"-m ''", {"-m", ""}},
    {"-l --no-huge", {"-l", "--no-huge"}},
};

static void test_arguments(void **state)
{
    for (size_t i = 0; i < sizeof arguments / sizeof *arguments; i++) {
        struct dpdk_arguments a;
        struct fault fault = {0};
        if (dpdk_arguments_parse(&a, arguments[i].text, &fault) != 0)
            fail_msg("%s: %s", arguments[i].text, fault.text);
        unsigned count = 0;
        for (; arguments[i].words[count]; count++) {
            assert_true(count < a.count);
            assert_string_equal(a.word[count], arguments[i].words[count]);
        }
        assert_int_equal(a.count, count);
    }
}

static const struct {
    const char *text, *expected;
} bad_arguments[] = {
    {"--nohuge", "--nohuge: no argument that EAL knows"},
    {"stray", "stray: no argument"},
    {"-", "-: no argument"},
    {"''", "no argument"},
    {"-q", "-q: no argument"},
    {"--l 1", "--l: no argument"},
    {"--no-huge=1", "--no-huge=1: takes no value"},
    {"--no-huge --vdev", "--vdev: its value is missing"},
    {"-l", "-l: its value is missing"},
    {"--vdev 'net_null0", "character 18: a quote"},
    {"--help", "--help: can't be had here"},
    {"--proc-type=secondary", "can't be had here"},
    {"-h", "can't be had here"},
    {"--log-level=help", "can't be had here"},
    {"-- -l 1", "can't be had here"},
};

static void test_bad_arguments(void **state)
{
    for (size_t i = 0; i < sizeof bad_arguments / sizeof *bad_arguments; i++) {
        struct dpdk_arguments a;
        struct fault fault = {0};
        assert_int_equal(dpdk_arguments_parse(&a, bad_arguments[i].text, &fault), -22);
        if (!strstr(fault.text, bad_arguments[i].expected))
            fail_msg("%s: %s", bad_arguments[i].text, fault.text);
    }
    char many[2000];
    struct dpdk_arguments a;
    struct fault fault;
    for (size_t i = 0; i < sizeof many - 3; i += 3)
        memcpy(many + i, "-v ", 4);
    assert_int_equal(dpdk_arguments_parse(&a, many, &fault), -7);
}

static void test_have(void **state)
{
    struct dpdk_arguments a;
    assert_int_equal(dpdk_arguments_parse(&a, "-l --no-huge -m64 --vdev=net_null0", NULL), 0);
    assert_true(dpdk_arguments_have(&a, "l"));
    assert_true(dpdk_arguments_have(&a, "m"));
    assert_true(dpdk_arguments_have(&a, "vdev"));
    assert_false(dpdk_arguments_have(&a, "no-huge")); /* the value of -l */
    assert_false(dpdk_arguments_have(&a, "lcores"));
}

static void test_blame(void **state)
{
    static const struct {
        const char *complaint, *expected;
    } rows[] = {
        {"EAL: invalid core list syntax", "-l 0-x"},
        {"EAL: invalid parameters for --socket-mem", "--socket-mem=q"},
        {"EAL: something else", "-l 0-x --socket-mem=q --vdev net_no0"},
        {"EAL: vdev: --vdev", "--vdev net_no0"},
    };
    struct dpdk_arguments a;
    assert_int_equal(dpdk_arguments_parse(&a, "-l 0-x --socket-mem=q --vdev net_no0", NULL), 0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char out[128];
        dpdk_arguments_blame(&a, rows[i].complaint, out, sizeof out);
        assert_string_equal(out, rows[i].expected);
        dpdk_arguments_blame(&a, rows[i].complaint, out, 5);
        assert_true(strlen(out) <= 4);
    }
}

static void test_value(void **state)
{
    (void)state;
    static const struct {
        const char *spec, *value; /* NULL: none, or too long */
    } rows[] = {
        {"vdev=net_af_packet0,iface=eth1,queues=2", "eth1"},
        {"vdev=net_pcap0,rx_iface=a,rx_iface=b,iface=c,iface=d", "c"},
        {"vdev=net_tap0,iface=", ""},
        {"vdev=net_pcap0,rx_iface=eth1", NULL},
        {"vdev=net_null0,iface", NULL},
        {"vdev=net_af_packet0,iface=0123456789abcdef", NULL},
        {"vdev=net_af_packet0,iface=0123456789abcde", "0123456789abcde"},
        {"0000:03:00.0", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct dpdk_spec s;
        char value[16] = "?";
        assert_int_equal(dpdk_spec_parse(&s, rows[i].spec, NULL), 0);
        assert_int_equal(dpdk_spec_value(&s, "iface", value, sizeof value), rows[i].value != NULL);
        assert_string_equal(value, rows[i].value ? rows[i].value : "?");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_specs),         cmocka_unit_test(test_bad_specs),
        cmocka_unit_test(test_long_devargs),  cmocka_unit_test(test_arguments),
        cmocka_unit_test(test_bad_arguments), cmocka_unit_test(test_have),
        cmocka_unit_test(test_blame),         cmocka_unit_test(test_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
