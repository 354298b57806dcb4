/* The answers against what decode and classify make of the packets, the files against libpcap,
 * the telescope option's texts. */
#include "capture/decode.h"
#include "classify/classify.h"
#include "core/synth.h"
#include "core/synth_answers.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <pcap/pcap.h>

#include <cmocka.h>

static struct ruleset *rules;

static int load_rules(void **state)
{
    (void)state;
    return ruleset_create(&rules, NULL, NULL);
}

static int unload_rules(void **state)
{
    (void)state;
    ruleset_destroy(rules);
    return 0;
}

static struct synth_prefix *prefixes;

static struct capture *open_synth(uint64_t packets, uint64_t sources, uint64_t seed, uint32_t ports)
{
    struct capture_synth_settings s = {.packets = packets,
                                       .sources = sources,
                                       .seed = seed,
                                       .ports_per_source = ports,
                                       .start_ns = SYNTH_START_NS,
                                       .span_ns = INT64_C(3600000000000)};
    struct fault fault = {0};
    struct capture *c;
    free(prefixes);
    if (synth_telescope_parse(SYNTH_TELESCOPE, &prefixes, &s.telescope_count, &fault))
        fail_msg("%s", fault.text);
    s.telescope = prefixes;
    if (capture_synth_create(&c, &s, &fault))
        fail_msg("%s", fault.text);
    return c;
}

/* Counts of one packet, as classify sees it. */
static void count_label(struct synth_totals *t, const struct observation *o, const struct label *l)
{
    t->packets++;
    t->bytes += o->wire_len;
    t->kinds[l->kind]++;
    for (unsigned m = 0; m < MARK_COUNT; m++)
        t->marks[m] += l->marks >> m & 1;
    if (!(o->state & OBSERVATION_TRANSPORT) ||
        (o->ip_proto != IPPROTO_NR_TCP && o->ip_proto != IPPROTO_NR_UDP))
        return;
    struct synth_port *row =
        &t->ports[o->ip_proto == IPPROTO_NR_TCP ? PORT_PROTO_TCP : PORT_PROTO_UDP][o->dst_port];
    row->packets++;
    row->bytes += o->wire_len;
    row->syn += l->kind == KIND_tcp_syn;
    row->scan += kind_is_scan((enum kind)l->kind);
}

static void test_answers(void **state)
{
    (void)state;
    static const struct {
        uint64_t packets, sources, seed;
        uint32_t ports;
    } cases[] = {{100000, 10000, 1, 0}, {50000, 500, 2, 0}, {50000, 10000, 3, 2}};
    for (size_t n = 0; n < sizeof cases / sizeof cases[0]; n++) {
        struct capture *c =
            open_synth(cases[n].packets, cases[n].sources, cases[n].seed, cases[n].ports);
        struct synth_answers *answers;
        struct synth_totals *ours = calloc(1, sizeof *ours);
        struct frame frames[FRAME_BURST];
        struct observation o[FRAME_BURST];
        struct label labels[FRAME_BURST];
        assert_int_equal(synth_answers_create(&answers, rules, cases[n].sources,
                                              capture_synth_destinations(c), NULL),
                         0);
        for (size_t count; (count = c->ops->burst(c, frames, FRAME_BURST)) > 0;) {
            assert_int_equal(synth_answers_add(answers, capture_synth_intents(c), count, NULL), 0);
            for (size_t i = 0; i < count; i++)
                decode(&frames[i], 0, &o[i]);
            for (size_t i = 0; i < count; i++) {
                classify_batch(rules, NULL, &o[i], 1, frames[i].data, NULL, &labels[i]);
                count_label(ours, &o[i], &labels[i]);
            }
        }
        const struct synth_totals *t = synth_answers_totals(answers);
        assert_int_equal(t->packets, ours->packets);
        assert_int_equal(t->bytes, ours->bytes);
        assert_int_equal(t->sources, cases[n].sources);
        assert_memory_equal(t->kinds, ours->kinds, sizeof t->kinds);
        assert_memory_equal(t->marks, ours->marks, sizeof t->marks);
        uint64_t pairs = 0;
        for (unsigned proto = 0; proto < PORT_PROTO_COUNT; proto++) {
            for (unsigned port = 0; port < 65536; port++) {
                pairs += t->ports[proto][port].sources;
                ours->ports[proto][port].sources = t->ports[proto][port].sources;
            }
        }
        assert_memory_equal(t->ports, ours->ports, sizeof t->ports);
        assert_int_equal(t->pairs, pairs);
        if (cases[n].ports)
            assert_int_equal(pairs, cases[n].sources * cases[n].ports);
        assert_true(t->marks[MARK_iot_bot] > 0);
        synth_answers_destroy(answers);
        c->ops->close(c);
        free(ours);
    }
}

/* A believable hour: what darknet reports say, within generous bounds. */
static void test_believable(void **state)
{
    (void)state;
    struct capture *c = open_synth(600000, 4000, 1, 0);
    struct synth_answers *answers;
    struct frame frames[FRAME_BURST];
    assert_int_equal(
        synth_answers_create(&answers, rules, 4000, capture_synth_destinations(c), NULL), 0);
    for (size_t count; (count = c->ops->burst(c, frames, FRAME_BURST)) > 0;)
        assert_int_equal(synth_answers_add(answers, capture_synth_intents(c), count, NULL), 0);
    const struct synth_totals *t = synth_answers_totals(answers);
    assert_in_range(t->tcp_syn, t->packets * 6 / 10, t->packets * 9 / 10);
    assert_in_range(t->bytes / t->packets, 58, 80);
    const struct synth_port *telnet = &t->ports[PORT_PROTO_TCP][23];
    for (unsigned port = 0; port < 65536; port++)
        assert_true(port == 23 || t->ports[PORT_PROTO_TCP][port].packets < telnet->packets);
    assert_in_range(t->marks[MARK_tool_mirai], t->packets / 100, t->packets / 8);
    synth_answers_destroy(answers);
    c->ops->close(c);
}

/* The file, read by libpcap, holds the generator's frames; what can't be written is said. */
static void test_files(void **state)
{
    (void)state;
    char folder[] = "/tmp/test_synth_XXXXXX", path[64], answers[80], why[PCAP_ERRBUF_SIZE];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/a.pcap", folder);
    snprintf(answers, sizeof answers, "%s.answers.json", path);
    struct synth_settings s = {
        .out = path,
        .rules = rules,
        .traffic = {.packets = 100000,
                    .sources = 300,
                    .seed = 9,
                    .start_ns = SYNTH_START_NS,
                    .span_ns = INT64_C(3600000000000)},
    };
    struct fault fault = {0};
    if (synth_run(&s, &fault))
        fail_msg("%s", fault.text);

    pcap_t *in = pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, why);
    if (!in)
        fail_msg("%s", why);
    assert_int_equal(pcap_datalink(in), DLT_EN10MB);
    struct capture *c = open_synth(100000, 300, 9, 0);
    struct frame frames[FRAME_BURST];
    for (size_t count; (count = c->ops->burst(c, frames, FRAME_BURST)) > 0;) {
        for (size_t i = 0; i < count; i++) {
            struct pcap_pkthdr *h;
            const unsigned char *data;
            assert_int_equal(pcap_next_ex(in, &h, &data), 1);
            assert_int_equal(h->ts.tv_sec * INT64_C(1000000000) + h->ts.tv_usec, frames[i].ts_ns);
            assert_int_equal(h->caplen, frames[i].caplen);
            assert_int_equal(h->len, frames[i].wire_len);
            assert_memory_equal(data, frames[i].data, h->caplen);
        }
    }
    struct pcap_pkthdr *h;
    const unsigned char *data;
    assert_int_equal(pcap_next_ex(in, &h, &data), PCAP_ERROR_BREAK);
    pcap_close(in);
    c->ops->close(c);
    assert_int_equal(access(answers, R_OK), 0);

    s.rules = NULL;
    assert_int_equal(synth_run(&s, &fault), 0);
    assert_int_equal(access(answers, R_OK), -1);
    unlink(path);

    snprintf(path, sizeof path, "%s/none/a.pcap", folder);
    assert_int_equal(synth_run(&s, &fault), -ENOENT);
    assert_non_null(strstr(fault.text, "none/a.pcap: No such file"));
    rmdir(folder);
    s.out = "/dev/full";
    assert_int_equal(synth_run(&s, &fault), -ENOSPC);
    assert_non_null(strstr(fault.text, "/dev/full: No space left"));
    s.out = "/dev/null";
    s.traffic.start_ns = INT64_C(4294967295) * 1000000000;
    assert_int_equal(synth_run(&s, &fault), -ERANGE);
}

static void test_telescope(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t count; /* 0: refused */
    } cases[] = {
        {"198.18.0.0/16,2001:db8::/32", 2},
        {"192.0.2.1", 1},
        {"192.0.2.0/24, 2001:db8::1\n198.51.100.128/25", 3},
        {"0.0.0.0/0", 1}, /* for the generator to refuse */
        {"192.0.2.1/24", 0},
        {"2001:db8::1/64", 0},
        {"192.0.2.0/33", 0},
        {"192.0.2.0/", 0},
        {"192.0.2.0/-1", 0},
        {"192.0.2.0/ 8", 0},
        {"192.0.2/24", 0},
        {"2001:db8::/129", 0},
        {"no/such/file", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct synth_prefix *list;
        struct fault fault;
        size_t count;
        int err = synth_telescope_parse(cases[i].text, &list, &count, &fault);
        if (count != cases[i].count || (err == 0) != (count > 0) || (list != NULL) != (count > 0))
            fail_msg("'%s': %d, %zu prefixes", cases[i].text, err, count);
        free(list);
    }

    char path[] = "/tmp/test_synth_XXXXXX";
    int fd = mkstemp(path);
    static const char text[] = "# ours\n198.18.0.0/15 # both\n\n2001:db8::/32\n";
    assert_int_equal(write(fd, text, sizeof text - 1), sizeof text - 1);
    close(fd);
    struct synth_prefix *list;
    size_t count;
    assert_int_equal(synth_telescope_parse(path, &list, &count, NULL), 0);
    unlink(path);
    assert_int_equal(count, 2);
    assert_int_equal(list[0].bits, 15);
    assert_int_equal(list[1].ip_version, 6);
    free(list);
}

static int drop_prefixes(void **state)
{
    free(prefixes);
    return unload_rules(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_believable),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_telescope),
    };
    return cmocka_run_group_tests(tests, load_rules, drop_prefixes);
}
