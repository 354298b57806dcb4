/* What --from takes. */
#include "capture/capture_spec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { PCAP = CAPTURE_BACKEND_PCAP, DPDK = CAPTURE_BACKEND_DPDK };

static void test_good(void **state)
{
    (void)state;
    static const struct {
        const char *text, *target;
        unsigned backend, queues;
        bool is_vdev;
    } cases[] = {
        {"pcap:eth0", "eth0", PCAP, 0, false},
        {"pcap:eth0.7:1", "eth0.7:1", PCAP, 0, false},
        {"dpdk:0000:3b:00.0", "0000:3b:00.0", DPDK, 0, false},
        {"dpdk:0000:3b:00.0,queues=4", "0000:3b:00.0", DPDK, 4, false},
        {"dpdk:vdev=net_ring0", "net_ring0", DPDK, 0, true},
        {"dpdk:vdev=net_pcap0,rx_pcap=a.pcap,rx_pcap=b.pcap,queues=2",
         "net_pcap0,rx_pcap=a.pcap,rx_pcap=b.pcap", DPDK, 2, true},
        {"dpdk:vdev=net_null0,queues=1,size=64", "net_null0,queues=1,size=64", DPDK, 0, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct capture_spec spec;
        struct fault fault;
        if (capture_spec_parse(&spec, cases[i].text, &fault) != 0)
            fail_msg("%s: %s", cases[i].text, fault.text);
        assert_string_equal(spec.target, cases[i].target);
        assert_int_equal(spec.backend, cases[i].backend);
        assert_int_equal(spec.queues, cases[i].queues);
        assert_int_equal(spec.is_vdev, cases[i].is_vdev);
    }
}

static void test_bad(void **state)
{
    (void)state;
    static char long_one[2000];
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"", "'': expected pcap:IFACE or dpdk:PORT[,queues=N]"},
        {"eth0", "'eth0': expected pcap:IFACE"},
        {"pcap", "'pcap': expected pcap:IFACE"},
        {"pcapng:eth0", "expected pcap:IFACE"},
        {"pcap:", "'pcap:': names no interface"},
        {"pcap:a-name-of-16-byte", "names no interface"},
        {"pcap:eth0,queues=2", "names no interface"},
        {"pcap:../x", "names no interface"},
        {"dpdk:", "'dpdk:': names no port"},
        {"dpdk:,queues=2", "names no port"},
        {"dpdk:vdev=", "names no port"},
        {"dpdk:0000:3b:00.0,queues=0", "queues is not a number from 1 to 64"},
        {"dpdk:0000:3b:00.0,queues=65", "queues is not a number from 1 to 64"},
        {"dpdk:0000:3b:00.0,queues=-1", "queues is not a number from 1 to 64"},
        {"dpdk:0000:3b:00.0,queues=4x", "queues is not a number from 1 to 64"},
        {"dpdk:0000:3b:00.0,rss=1", "behind a port there is only ,queues=N"},
        {long_one, "is longer than 1023 bytes"},
    };
    memset(long_one, 'x', sizeof long_one - 1);
    memcpy(long_one, "dpdk:", 5);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct capture_spec spec;
        struct fault fault = {0};
        assert_int_not_equal(capture_spec_parse(&spec, cases[i].text, &fault), 0);
        if (!strstr(fault.text, cases[i].says))
            fail_msg("%s: %s", cases[i].text, fault.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_good), cmocka_unit_test(test_bad)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
