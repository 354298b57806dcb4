/* Which events a filter takes, and the words it is made of. */
#include "export/event_filter.h"

#include "event_case.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static void words(void **state)
{
    static const struct {
        int (*read)(struct event_filter *f, const char *word, struct fault *fault);
        const char *word;
        bool is_taken;
    } cases[] = {
        {event_filter_types, "scan", true},
        {event_filter_types, "scan,dos,amplification,watched,infected,indicator,new_activity",
         true},
        {event_filter_types, "", false},
        {event_filter_types, "scan,", false},
        {event_filter_types, ",scan", false},
        {event_filter_types, "scans", false},
        {event_filter_types, "Scan", false},
        {event_filter_types, "a-word-that-is-longer-than-any-name-of-a-type", false},
        {event_filter_phases, "begin,end", true},
        {event_filter_phases, "open", true},
        {event_filter_phases, "closed", false},
        {event_filter_network, "198.51.100.0/24", true},
        {event_filter_network, "2001:db8::1", true},
        {event_filter_network, "198.51.100.1/24", false},
        {event_filter_network, "example.net", false},
        {event_filter_port, "23", true},
        {event_filter_port, "tcp/23", true},
        {event_filter_port, "udp/65535", true},
        {event_filter_port, "udp/65536", false},
        {event_filter_port, "icmp/8", false},
        {event_filter_port, "tcp/", false},
        {event_filter_port, "", false},
        {event_filter_port, "-1", false},
        {event_filter_port, "23 ", false},
        {event_filter_port, "000000023", false},
        {event_filter_rate, "10", true},
        {event_filter_rate, "0.5", true},
        {event_filter_rate, "1e3", true},
        {event_filter_rate, "-1", false},
        {event_filter_rate, "inf", false},
        {event_filter_rate, "nan", false},
        {event_filter_rate, "0x10", false},
        {event_filter_rate, "10pps", false},
        {event_filter_rate, "", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct event_filter f = {0};
        struct fault fault = {0};
        int err = cases[i].read(&f, cases[i].word, &fault);
        if (err != (cases[i].is_taken ? 0 : -EINVAL))
            fail_msg("'%s': %d", cases[i].word, err);
        if (err != 0)
            assert_non_null(strchr(fault.text, '\''));
    }
}

static void takes(void **state)
{
    /* Of a scan from 203.0.113.n, tcp/23, from 1000 to 1999, 120.5 packets a second; not over. */
    static const struct {
        const char *network, *port, *types, *phases;
        int64_t since_ns, until_ns; /* 0: none */
        double rate;
        bool is_taken;
    } cases[] = {
        {.is_taken = true},
        {.types = "scan", .is_taken = true},
        {.types = "dos"},
        {.types = "dos,scan", .is_taken = true},
        {.phases = "begin", .is_taken = true},
        {.phases = "open", .is_taken = true},
        {.phases = "end"},
        {.network = "203.0.113.0/24", .is_taken = true},
        {.network = "203.0.112.0/23", .is_taken = true},
        {.network = "203.0.112.0/24"},
        {.network = "0.0.0.0/0", .is_taken = true},
        {.network = "::/0"},
        {.port = "23", .is_taken = true},
        {.port = "tcp/23", .is_taken = true},
        {.port = "udp/23"},
        {.port = "24"},
        {.since_ns = 1999, .is_taken = true},
        {.since_ns = 2000},
        {.until_ns = 1001, .is_taken = true},
        {.until_ns = 1000},
        {.rate = 120.5, .is_taken = true},
        {.rate = 121},
        {.types = "scan", .network = "203.0.113.0/24", .port = "23", .rate = 1, .is_taken = true},
        {.types = "scan", .network = "203.0.113.0/24", .port = "22", .rate = 1},
    };
    const struct event e = event_case(EVENT_scan, 1, 1000, 2000, 0, EVENT_BEGINS);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct event_filter f = {.has_since = cases[i].since_ns != 0,
                                 .since_ns = cases[i].since_ns,
                                 .has_until = cases[i].until_ns != 0,
                                 .until_ns = cases[i].until_ns,
                                 .min_rate = cases[i].rate};
        struct fault fault;
        if (cases[i].network != NULL)
            assert_int_equal(event_filter_network(&f, cases[i].network, &fault), 0);
        if (cases[i].port != NULL)
            assert_int_equal(event_filter_port(&f, cases[i].port, &fault), 0);
        if (cases[i].types != NULL)
            assert_int_equal(event_filter_types(&f, cases[i].types, &fault), 0);
        if (cases[i].phases != NULL)
            assert_int_equal(event_filter_phases(&f, cases[i].phases, &fault), 0);
        if (event_filter_takes(&f, &e) != cases[i].is_taken)
            fail_msg("case %zu", i);
    }
}

/* Ports of an attack, of the evidence of a host; events that name no port, no address, no rate. */
static void types_differ(void **state)
{
    struct event_filter port = {.has_port = true, .proto = EVENT_TCP, .port = 443};
    struct event_filter evidence = {.has_port = true, .port = 23};
    struct event_filter all = {.has_prefix = true, .prefix = {.ip_version = 4}};
    struct event_filter rate = {.min_rate = 0.001};
    struct event dos = event_case(EVENT_dos, 1, 0, 9, 0, EVENT_BEGINS);
    struct event infected = event_case(EVENT_infected, 1, 0, 9, 0, EVENT_ENDS);
    struct event indicator = event_case(EVENT_indicator, 1, 0, 9, 0, EVENT_ENDS);
    assert_true(event_filter_takes(&port, &dos));
    assert_false(event_filter_takes(&evidence, &dos));
    assert_true(event_filter_takes(&evidence, &infected));
    assert_false(event_filter_takes(&port, &indicator));
    assert_true(event_filter_takes(&all, &dos));
    assert_false(event_filter_takes(&all, &indicator));
    assert_false(event_filter_takes(&rate, &dos));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words),
        cmocka_unit_test(takes),
        cmocka_unit_test(types_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
