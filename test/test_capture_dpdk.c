/* EAL and ports of vdevs, in this process: what is left as it was, what is refused, whose the frames are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "capture/capture_dpdk.h"
#include "capture/dpdk_eal.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <rte_mbuf.h>
#include <rte_ring.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* EAL keeps some bytes of an argument that it refused. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) { return "leak:librte_eal"; }

static struct live_clock live;
static char said[256];

static void say(void *context, const char *line) { (void)snprintf(said, sizeof said, "%s", line); }

static void handler(int signal) {}

/* All signals that one of this process's other threads would take. */
static unsigned takers(void)
{
    unsigned count = 0;
    DIR *tasks = opendir("/proc/self/task");
    struct dirent *entry;
    assert_non_null(tasks);
    while ((entry = readdir(tasks))) {
        char path[300], line[128];
        unsigned long long blocked = 0;
        (void)snprintf(path, sizeof path, "/proc/self/task/%s/status", entry->d_name);
        FILE *f =
            entry->d_name[0] != '.' && atoi(entry->d_name) != getpid() ? fopen(path, "r") : NULL;
        if (!f)
            continue;
        while (fgets(line, sizeof line, f))
            if (sscanf(line, "SigBlk: %llx", &blocked) == 1)
                count += !(blocked >> (SIGTERM - 1) & 1) || !(blocked >> (SIGINT - 1) & 1);
        (void)fclose(f);
    }
    closedir(tasks);
    return count;
}

static int start_eal(void **state)
{
    static struct dpdk_spec specs[2];
    struct fault fault = {0};
    struct dpdk_eal_info info;
    struct sigaction mine = {.sa_handler = handler}, old[NSIG], found;
    cpu_set_t before, after;
    sigset_t mask_before, mask_after;
    assert_int_equal(dpdk_spec_parse(&specs[0], "vdev=net_null0,queues=3", &fault), 0);
    assert_int_equal(dpdk_spec_parse(&specs[1], "vdev=net_null1", &fault), 0);
    struct dpdk_eal_settings s = {.eal = "--bad", .specs = specs, .spec_count = 2, .say = say};

    unsigned threads = takers(); /* a sanitizer may have one */
    sigaction(SIGTERM, &mine, NULL);
    sigaction(SIGUSR1, &mine, NULL);
    for (int i = 1; i < NSIG; i++)
        sigaction(i, NULL, &old[i]);
    sched_getaffinity(0, sizeof before, &before);
    pthread_sigmask(SIG_SETMASK, NULL, &mask_before);

    assert_int_equal(dpdk_eal_init(&s, &info, &fault), -EINVAL);
    assert_string_equal(fault.text, "--eal: --bad: no argument that EAL knows");
    s.eal = "-l 0-x";
    assert_int_equal(dpdk_eal_init(&s, &info, &fault), -EINVAL);
    assert_non_null(strstr(fault.text, "--eal: -l 0-x: EAL: "));
    s.eal = NULL; /* a bad argument can be mended */
    if (dpdk_eal_init(&s, &info, &fault) != 0) {
        print_error("%s\n", fault.text);
        return -1;
    }
    assert_int_equal(dpdk_eal_init(&s, &info, &fault), -EALREADY);
    assert_true(info.has_hugepages ? info.page_bytes && !info.why[0] && !info.memory_bytes
                                   : !info.page_bytes && info.why[0] && info.memory_bytes);
    assert_true(info.has_hugepages || info.memory_bytes > dpdk_eal_need(&specs[0], 4096));

    for (int i = 1; i < NSIG; i++)
        if (sigaction(i, NULL, &found) == 0)
            assert_true(found.sa_handler == old[i].sa_handler);
    sched_getaffinity(0, sizeof after, &after);
    assert_true(CPU_EQUAL(&before, &after));
    pthread_sigmask(SIG_SETMASK, NULL, &mask_after);
    assert_int_equal(sigismember(&mask_after, SIGTERM), sigismember(&mask_before, SIGTERM));
    assert_int_equal(takers(), threads);
    live_clock_init(&live);
    return dpdk_thread_enter(&fault);
}

static int stop_eal(void **state)
{
    dpdk_thread_leave();
    dpdk_eal_fini();
    return 0;
}

static void open_port(const char *text, struct capture **captures)
{
    struct dpdk_spec spec;
    struct fault fault = {0};
    if (dpdk_spec_parse(&spec, text, &fault) != 0 ||
        capture_dpdk_open(captures, &spec, &live, &fault) != 0)
        fail_msg("%s: %s", text, fault.text);
}

static void test_bursts(void **state)
{
    struct capture *c[3];
    struct frame frames[FRAME_BURST];
    struct capture_dpdk_counts counts;
    struct capture_drops drops;
    uint64_t done, total;
    open_port("vdev=net_null0,size=60,queues=3", c);
    assert_int_equal(dpdk_port_info(capture_dpdk_port(c[2]))->queues, 3);
    int64_t before = 0;
    for (int i = 0; i < 3000; i++) { /* more than there are buffers: all come back */
        size_t max = i % 3 ? FRAME_BURST : 5;
        assert_int_equal(c[1]->ops->burst(c[1], frames, max), max);
        for (size_t k = 0; k < max; k++) {
            assert_int_equal(frames[k].caplen, 60);
            assert_int_equal(frames[k].wire_len, 60);
            assert_int_equal(frames[k].link_type, 1);
            assert_int_equal(frames[k].ts_ns, frames[0].ts_ns);
        }
        assert_true(frames[0].ts_ns >= before);
        before = frames[0].ts_ns;
    }
    capture_dpdk_counts(c[1], &counts);
    assert_int_equal(counts.packets, 2000 * FRAME_BURST + 1000 * 5);
    assert_int_equal(counts.bytes, counts.packets * 60);
    assert_int_equal(counts.bursts, 3000);
    assert_int_equal(counts.full_bursts, 3000);
    assert_int_equal(counts.copied + counts.bad_sums, 0);
    c[1]->ops->progress(c[1], &done, &total);
    assert_int_equal(done, counts.bytes);
    assert_int_equal(total, 0);
    capture_dpdk_counts(c[0], &counts);
    assert_int_equal(counts.packets, 0);
    for (int i = 0; i < 3; i++) {
        c[i]->ops->drops(c[i], &drops);
        assert_int_equal(drops.nic_missed | drops.nic_nombuf | drops.nic_error | drops.kernel, 0);
        assert_int_equal(c[i]->ops->damaged(c[i])->count, 0);
    }
    c[1]->ops->close(c[1]); /* in any order */
    assert_int_equal(c[2]->ops->burst(c[2], frames, 1000), FRAME_BURST);
    c[0]->ops->close(c[0]);
    c[2]->ops->close(c[2]);
}

/* Frames as some NICs give them, put on the ring of a net_ring. */
static void test_rare(void **state)
{
    static const struct {
        unsigned parts; /* buffers of 100 bytes, byte i of the frame is i */
        uint64_t flags;
        uint32_t length;
        bool is_copied, is_tagged, is_bad;
    } rows[] = {
        {1, 0, 100, false, false, false},
        {1, RTE_MBUF_F_RX_VLAN, 100, false, false, false},
        {1, RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD, 100, false, false, false},
        {1, RTE_MBUF_F_RX_IP_CKSUM_NONE | RTE_MBUF_F_RX_L4_CKSUM_NONE, 100, false, false, false},
        {1, RTE_MBUF_F_RX_IP_CKSUM_BAD, 100, false, false, true},
        {1, RTE_MBUF_F_RX_L4_CKSUM_BAD | RTE_MBUF_F_RX_IP_CKSUM_GOOD, 100, false, false, true},
        {2, 0, 200, true, false, false},
        {40, RTE_MBUF_F_RX_L4_CKSUM_BAD, 4000, true, false, true},
        {1, RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED, 104, true, true, false},
        {3, RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED, 304, true, true, false},
    };
    enum { ROWS = sizeof rows / sizeof *rows };
    struct capture *c[1];
    struct frame frames[FRAME_BURST];
    struct capture_dpdk_counts counts;
    uint64_t bytes = 0, copied = 0, bad = 0;
    struct rte_mempool *pool = rte_pktmbuf_pool_create("rare", 255, 0, 0, 512, SOCKET_ID_ANY);
    open_port("vdev=net_ring5", c);
    struct rte_ring *ring = rte_ring_lookup("ETH_RXTX0_net_ring5");
    assert_non_null(pool);
    assert_non_null(ring);
    for (size_t i = 0; i < ROWS; i++) {
        struct rte_mbuf *head = NULL;
        for (unsigned part = 0; part < rows[i].parts; part++) {
            struct rte_mbuf *m = rte_pktmbuf_alloc(pool);
            uint8_t *to = (uint8_t *)rte_pktmbuf_append(m, 100);
            for (unsigned k = 0; k < 100; k++)
                to[k] = (uint8_t)(part * 100 + k);
            if (!head)
                head = m;
            else
                assert_int_equal(rte_pktmbuf_chain(head, m), 0);
        }
        head->ol_flags |= rows[i].flags;
        head->vlan_tci = 0x2123;
        assert_int_equal(rte_ring_enqueue(ring, head), 0);
    }
    assert_int_equal(c[0]->ops->burst(c[0], frames, FRAME_BURST), ROWS);
    for (size_t i = 0; i < ROWS; i++) {
        static const uint8_t tag[4] = {0x81, 0x00, 0x21, 0x23};
        assert_int_equal(frames[i].caplen, rows[i].length);
        assert_int_equal(frames[i].wire_len, rows[i].length);
        for (uint32_t k = 0; k < rows[i].length; k++) {
            uint32_t from = rows[i].is_tagged && k >= 16 ? k - 4 : k;
            bool is_tag = rows[i].is_tagged && k >= 12 && k < 16;
            assert_int_equal(frames[i].data[k], is_tag ? tag[k - 12] : (uint8_t)from);
        }
        bytes += rows[i].length;
        copied += rows[i].is_copied;
        bad += rows[i].is_bad;
    }
    capture_dpdk_counts(c[0], &counts);
    assert_int_equal(counts.bytes, bytes);
    assert_int_equal(counts.copied, copied);
    assert_int_equal(counts.bad_sums, bad);
    c[0]->ops->close(c[0]);
    assert_int_equal(rte_mempool_in_use_count(pool), 0); /* all went back */
    rte_mempool_free(pool);
}

static void test_again(void **state)
{
    for (int i = 0; i < 20; i++) { /* a port that is closed leaves nothing */
        struct capture *a[2], *b[1];
        struct frame frames[FRAME_BURST];
        open_port("vdev=net_null0,queues=2", a);
        open_port("vdev=net_null1,mbufs=300", b);
        assert_int_equal(b[0]->ops->burst(b[0], frames, FRAME_BURST), FRAME_BURST);
        for (int k = 0; k < 2; k++)
            a[k]->ops->close(a[k]);
        b[0]->ops->close(b[0]);
    }
}

static void test_refused(void **state)
{
    static const struct {
        const char *spec;
        int err;
        const char *text;
    } rows[] = {
        {"eth0", -ENODEV, "dpdk:eth0: DPDK has no port of this name"},
        {"00:1f.7", -ENODEV, "dpdk:0000:00:1f.7: no driver of DPDK has it"},
        {"vdev=net_null0", -EBUSY, "dpdk:net_null0: a device of this name is there already"},
        {"net_null0", -EBUSY, "dpdk:net_null0: in use already"},
        {"vdev=net_ring1,queues=17", -EINVAL, "queues=17: it has 16"},
        {"vdev=net_pcap0,rx_pcap=/no/such.pcap", 0, "/no/such.pcap"},
        {"vdev=net_nosuch0", 0, "net_nosuch0"},
        {"vdev=net_null2,mbufs=60000000", -ENOMEM, "no memory for 60000000 buffers"},
    };
    struct capture *open[1], *c[DPDK_QUEUES_MAX];
    struct frame frames[FRAME_BURST];
    open_port("vdev=net_null0", open);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct dpdk_spec spec;
        struct fault fault = {0};
        assert_int_equal(dpdk_spec_parse(&spec, rows[i].spec, &fault), 0);
        int err = capture_dpdk_open(c, &spec, &live, &fault);
        if (!err || !strstr(fault.text, rows[i].text) || (rows[i].err && err != rows[i].err))
            fail_msg("%s: %d: %s", rows[i].spec, err, fault.text);
        assert_true(fault.err == -err && !c[0]);
    }
    /* What was refused did the one that is open no harm. */
    assert_int_equal(open[0]->ops->burst(open[0], frames, FRAME_BURST), FRAME_BURST);
    open[0]->ops->close(open[0]);
    assert_string_equal(said, "");
}

static void test_counts(void **state)
{
    static const struct {
        const char *driver;
        bool reads_files;
        struct capture_drops
            expected; /* of 3 missed, 5 without buffer, 7 errors, 9 of the sockets */
    } rows[] = {{"net_pcap", true, {0, 5, -1, 0}},   {"net_pcap", false, {-1, 5, -1, 3}},
                {"net_null", false, {0, 0, 0, 0}},   {"net_af_packet", true, {-1, 0, -1, 9}},
                {"net_tap", false, {-1, 5, 7, -1}},  {"net_ice", false, {3, 0, 7, 0}},
                {"mlx5_pci", false, {3, -1, 7, 0}},  {"net_of_tomorrow", false, {3, 5, 7, 0}},
                {"net_memif", false, {-1, 0, -1, 0}}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct capture_drops found;
        dpdk_counts_drops(dpdk_counts_of(rows[i].driver, rows[i].reads_files), 3, 5, 7, 9, &found);
        if (memcmp(&found, &rows[i].expected, sizeof found) != 0)
            fail_msg("%s: %lld %lld %lld %lld", rows[i].driver, (long long)found.nic_missed,
                     (long long)found.nic_nombuf, (long long)found.nic_error,
                     (long long)found.kernel);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts), cmocka_unit_test(test_bursts),  cmocka_unit_test(test_rare),
        cmocka_unit_test(test_again),  cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, start_eal, stop_eal);
}
