#include "test/feed_case.h"

static void test_empty_feed(void **state)
{
    char dir[PATH_LEN], paths[8][PATH_LEN];
    struct feed_check check;
    struct fault fault;
    feed_write(folder_name(dir), NULL, 0);
    assert_int_equal(segment_list(dir, paths), 1);
    assert_string_equal(strrchr(paths[0], '/') + 1, "19700101T000000Z-000001.yami");
    assert_int_equal(feed_log_verify(dir, &check, &fault), 0);
    assert_int_equal(check.records, 2);
    assert_int_equal(check.windows, 0);
    assert_int_equal(feed_log_finish(NULL, &fault), 0);
}

static void test_refuses_a_feed(void **state)
{
    char dir[PATH_LEN], file[PATH_LEN + 8];
    struct feed_log *log;
    struct feed_check check;
    struct fault fault;
    feed_write(folder_name(dir), NULL, 0);
    assert_int_equal(feed_log_create(&log, dir, &identity, &fault), -EEXIST);
    assert_null(log);
    assert_non_null(strstr(fault.text, "holds a feed already"));
    snprintf(file, sizeof file, "%s/x", folder_name(dir));
    *strrchr(dir, '/') = '\0';
    assert_int_equal(mkdir(dir, 0777), 0);
    strcat(dir, "/plain");
    file_write(dir, (const uint8_t *)"x", 1);
    assert_int_equal(feed_log_create(&log, dir, &identity, &fault), -ENOTDIR);
    assert_int_equal(feed_log_verify("/nonexistent", &check, &fault), -ENOENT);
    *strrchr(dir, '/') = '\0';
    assert_int_equal(feed_log_verify(dir, &check, &fault), -ENOENT);
}

/* A small feed of two segments. */
static void small_feed(char dir[PATH_LEN])
{
    static const struct window_case windows[] = {{0, 0, 6}, {1, 0, 3}, {60, 0, 5}, {0, 1, 2}};
    feed_write(folder_name(dir), windows, 4);
}

static void test_every_altered_byte_is_found(void **state)
{
    char dir[PATH_LEN], paths[8][PATH_LEN];
    struct fault fault;
    small_feed(dir);
    assert_int_equal(segment_list(dir, paths), 2);
    for (size_t segment = 0; segment < 2; segment++) {
        size_t len;
        uint8_t *bytes = file_read(paths[segment], &len);
        int fd = open(paths[segment], O_WRONLY);
        assert_true(fd >= 0 && len > 100);
        for (size_t at = 0; at < len; at++) {
            uint8_t altered = bytes[at] ^ (uint8_t)(at % 3 == 2 ? 0xff : 1 << at % 8);
            assert_int_equal(pwrite(fd, &altered, 1, (off_t)at), 1);
            assert_broken(dir, "an altered byte");
            assert_int_equal(pwrite(fd, &bytes[at], 1, (off_t)at), 1);
        }
        close(fd);
        free(bytes);
        assert_int_equal(verify(dir, &fault), 0);
    }
}

static void test_every_cut_is_found(void **state)
{
    char dir[PATH_LEN], paths[8][PATH_LEN];
    struct fault fault;
    small_feed(dir);
    segment_list(dir, paths);
    for (size_t segment = 0; segment < 2; segment++) {
        size_t len;
        uint8_t *bytes = file_read(paths[segment], &len);
        for (size_t at = len; at-- > 0;) {
            assert_int_equal(truncate(paths[segment], (off_t)at), 0);
            assert_broken(dir, "a cut");
        }
        file_write(paths[segment], bytes, len);
        bytes[len] = 0;
        file_write(paths[segment], bytes, len + 1);
        assert_broken(dir, "a byte more");
        file_write(paths[segment], bytes, len);
        free(bytes);
        assert_int_equal(verify(dir, &fault), 0);
    }
}

/* A feed that a crash left without its end says so by an error of its own. */
static void test_unfinished_feed(void **state)
{
    static const struct window_case windows[] = {{0, 0, 6}, {60, 0, 5}};
    char dir[PATH_LEN], paths[8][PATH_LEN];
    struct feed_check check;
    struct fault fault;
    size_t len, at = 0, end = 0;
    feed_write(folder_name(dir), windows, 2);
    segment_list(dir, paths);
    uint8_t *bytes = file_read(paths[1], &len);
    while (at < len) {
        end = at;
        yamiscope__record__free_unpacked(forge_take(bytes, &at), NULL);
    }
    assert_int_equal(truncate(paths[1], (off_t)end), 0);
    assert_int_equal(feed_log_verify(dir, &check, &fault), -ENODATA);
    assert_int_equal(check.packets, 11);
    assert_false(check.closed);
    assert_int_equal(unlink(paths[1]), 0);
    assert_int_equal(feed_log_verify(dir, &check, &fault), -ENODATA);
    assert_int_equal(check.packets, 6);
    free(bytes);
}

/* ---- counts altered under right checksums */

#define TCP(w)        ((w)->ports[0])
#define MARK(w, mark) ((w)->marks[MARK_##mark])

static void unknown_set(Yamiscope__Ledger *l, unsigned first, unsigned second)
{
    l->unknown = calloc(2, sizeof *l->unknown);
    l->n_unknown = 2;
    l->unknown[0] = (Yamiscope__Drop)first;
    l->unknown[1] = (Yamiscope__Drop)second;
}

#define ALTERATIONS(X)                                                                  \
    X(ledger_offered, w->ledger->offered++)                                             \
    X(ledger_observed, w->ledger->observed++)                                           \
    X(ledger_both, w->ledger->offered++; w->ledger->observed++)                         \
    X(ledger_filtered, w->ledger->filtered++)                                           \
    X(ledger_unasked, w->ledger->offered++; w->ledger->filtered++)                      \
    X(ledger_ring_full, w->ledger->ring_full++)                                         \
    X(ledger_nic, w->ledger->nic_missed++)                                              \
    X(ledger_nombuf, w->ledger->nic_nombuf++)                                           \
    X(ledger_error, w->ledger->nic_error++)                                             \
    X(ledger_kernel, w->ledger->kernel++)                                               \
    X(ledger_unknown, unknown_set(w->ledger, 6, 0))                                     \
    X(ledger_unknown_order, unknown_set(w->ledger, 1, 0))                               \
    X(given_up_nothing, w->given_up = calloc(1, sizeof *w->given_up);                   \
      yamiscope__given_up__init(w->given_up))                                           \
    X(ledger_late, w->ledger->late = w->ledger->observed + 1)                           \
    X(ledger_overflow, w->ledger->filtered = UINT64_MAX)                                \
    X(ledger_gone, yamiscope__ledger__free_unpacked(w->ledger, NULL); w->ledger = NULL) \
    X(totals_gone, yamiscope__totals__free_unpacked(w->totals, NULL); w->totals = NULL) \
    X(totals_packets, w->totals->packets++)                                             \
    X(totals_bytes, w->totals->bytes--)                                                 \
    X(totals_ip4, w->totals->ip4++)                                                     \
    X(totals_ip6, w->totals->ip6++)                                                     \
    X(totals_tcp, w->totals->tcp++)                                                     \
    X(totals_udp, w->totals->udp--)                                                     \
    X(totals_icmp, w->totals->icmp++)                                                   \
    X(totals_syn, w->totals->tcp_syn--)                                                 \
    X(totals_synack, w->totals->tcp_synack += w->totals->tcp)                           \
    X(totals_snapped, w->totals->snapped = w->totals->packets + 1)                      \
    X(totals_first, w->totals->first_ns = w->start_ns - 1)                              \
    X(totals_last, w->totals->last_ns = w->start_ns + w->span_ns)                       \
    X(totals_order, w->totals->first_ns = w->totals->last_ns + 1)                       \
    X(start, w->start_ns += minute_ns)                                                  \
    X(start_grid, w->start_ns -= 1)                                                     \
    X(span, w->span_ns++)                                                               \
    X(span_negative, w->span_ns = -w->span_ns)                                          \
    X(part, w->part++)                                                                  \
    X(kind_packets, w->kinds[0]->packets++)                                             \
    X(kind_bytes, w->kinds[0]->bytes++)                                                 \
    X(kind_moved, w->kinds[0]->packets++; w->kinds[1]->packets--)                       \
    X(kind_order, Yamiscope__KindCount *k = w->kinds[0]; w->kinds[0] = w->kinds[1];     \
      w->kinds[1] = k)                                                                  \
    X(kind_name, w->kinds[0]->kind[0] = 'x')                                            \
    X(mark_total, MARK(w, total)->packets++)                                            \
    X(mark_scan, MARK(w, scan)->packets--)                                              \
    X(mark_strict, MARK(w, iot_strict)->packets++)                                      \
    X(mark_broad, MARK(w, iot_broad)->packets--)                                        \
    X(mark_bot, MARK(w, iot_bot)->packets += 1000)                                      \
    X(mark_low, MARK(w, scan)->sources->low++)                                          \
    X(mark_high, MARK(w, scan)->sources->high = MARK(w, scan)->packets + 1)             \
    X(mark_tool, w->marks[SHARE_MARK_COUNT]->tool = 0)                                  \
    X(mark_name, w->marks[1]->mark[0] = 'x')                                            \
    X(mark_gone, yamiscope__mark_count__free_unpacked(w->marks[--w->n_marks], NULL))    \
    X(hll_index, MARK(w, scan)->sources->hll->index[0] += HLL_REGISTERS)                \
    X(hll_value, MARK(w, scan)->sources->hll->value.data[0] = 52)                       \
    X(hll_length, MARK(w, scan)->sources->hll->value.len--)                             \
    X(hll_empty, MARK(w, scan)->sources->hll->n_index = 0;                              \
      MARK(w, scan)->sources->hll->value.len = 0)                                       \
    X(hll_superset, MARK(w, iot_strict)->sources->hll->value.data[0] = 51)              \
    X(rule_packets, w->rules[0]->packets++)                                             \
    X(rule_name, w->rules[0]->rule[0] = 'x')                                            \
    X(rule_order, Yamiscope__RuleCount *r = w->rules[0]; w->rules[0] = w->rules[1];     \
      w->rules[1] = r)                                                                  \
    X(rule_evidence, w->rules[0]->evidence[0] = 'x')                                    \
    X(rule_gone, yamiscope__rule_count__free_unpacked(w->rules[--w->n_rules], NULL))    \
    X(port_packets, TCP(w)->packets[0]++)                                               \
    X(port_bytes, TCP(w)->bytes[0] = w->totals->bytes + 1)                              \
    X(port_syn, TCP(w)->syn[0]++)                                                       \
    X(port_scan, TCP(w)->scan[0]++)                                                     \
    X(port_scan_moved, TCP(w)->scan[1]--; TCP(w)->scan[2]++)                            \
    X(port_sources, TCP(w)->sources[0] = TCP(w)->packets[0] + 1)                        \
    X(port_gap, TCP(w)->gap[0] += 65536)                                                \
    X(port_twice, TCP(w)->gap[1] = 0)                                                   \
    X(port_number, TCP(w)->gap[1] += 1)                                                 \
    X(port_row, TCP(w)->n_gap--)                                                        \
    X(port_column, TCP(w)->n_scan--)                                                    \
    X(port_proto, TCP(w)->proto[0] = 'u')                                               \
    X(port_table, yamiscope__port_table__free_unpacked(w->ports[--w->n_ports], NULL))

#define ALTER_FUNCTION(name, statement) \
    static void alter_##name(Yamiscope__Window *w) { statement; }
ALTERATIONS(ALTER_FUNCTION)

#define ALTER_ROW(name, statement) {#name, alter_##name},
static const struct {
    const char *name;
    void (*alter)(Yamiscope__Window *w);
} alterations[] = {ALTERATIONS(ALTER_ROW)};

/* Writes the first window's segment again with `alter` applied to the window. */
static void forge_window(const char *path, const uint8_t *bytes, size_t len,
                         void (*alter)(Yamiscope__Window *w))
{
    struct forge forge = {0};
    for (size_t at = 0; at < len;) {
        Yamiscope__Record *r = forge_take(bytes, &at);
        if (r->body_case == YAMISCOPE__RECORD__BODY_WINDOW && alter != NULL)
            alter(r->window);
        forge_record(&forge, r);
        yamiscope__record__free_unpacked(r, NULL);
    }
    file_write(path, forge.data, forge.len);
    free(forge.data);
}

static void test_altered_counts_under_right_checksums(void **state)
{
    static const struct window_case windows[] = {{0, 0, 400}};
    char dir[PATH_LEN], paths[8][PATH_LEN];
    struct fault fault;
    size_t len;
    feed_write(folder_name(dir), windows, 1);
    segment_list(dir, paths);
    uint8_t *bytes = file_read(paths[0], &len);
    forge_window(paths[0], bytes, len, NULL);
    assert_int_equal(verify(dir, &fault), 0);
    for (size_t i = 0; i < sizeof alterations / sizeof alterations[0]; i++) {
        forge_window(paths[0], bytes, len, alterations[i].alter);
        assert_broken(dir, alterations[i].name);
    }
    free(bytes);
}

/* What a filter took out is counted only where the Header says that there was one: by its flag, or
 * by its text, as headers did at first. */
static void test_filtered_packets_need_a_filter(void **state)
{
    static const struct window_case windows[] = {{0, 0, 400}};
    static const struct {
        bool filtered;
        const char *filter;
    } cases[] = {{false, ""}, {true, ""}, {false, "tcp"}, {true, "tcp"}};
    (void)state;
    const struct feed_identity whole = identity;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char dir[PATH_LEN], paths[8][PATH_LEN];
        struct fault fault;
        size_t len;
        identity.filtered = cases[i].filtered;
        identity.filter = cases[i].filter;
        feed_write(folder_name(dir), windows, 1);
        segment_list(dir, paths);
        uint8_t *bytes = file_read(paths[0], &len);
        assert_int_equal(verify(dir, &fault), 0);
        forge_window(paths[0], bytes, len, alter_ledger_unasked);
        assert_int_equal(verify(dir, &fault), i == 0 ? -EBADMSG : 0);
        free(bytes);
    }
    identity = whole;
}

/* ---- records altered under right checksums */

static void alter_seq(Yamiscope__Record *r) { r->seq += r->close != NULL; }
static void alter_format(Yamiscope__Record *r)
{
    if (r->body_case == YAMISCOPE__RECORD__BODY_HEADER)
        r->header->format++;
}
static void alter_segment(Yamiscope__Record *r)
{
    if (r->body_case == YAMISCOPE__RECORD__BODY_HEADER)
        r->header->segment++;
}
static void alter_header_span(Yamiscope__Record *r)
{
    if (r->body_case == YAMISCOPE__RECORD__BODY_HEADER)
        r->header->window_span_ns++;
}
static void alter_close(Yamiscope__Record *r)
{
    if (r->body_case == YAMISCOPE__RECORD__BODY_CLOSE)
        r->close->records++;
}
static void alter_finished(Yamiscope__Record *r)
{
    if (r->body_case == YAMISCOPE__RECORD__BODY_CLOSE)
        r->close->finished = 0;
}

static void test_altered_records_under_right_checksums(void **state)
{
    static const struct {
        const char *name;
        void (*alter)(Yamiscope__Record *r);
    } cases[] = {{"seq", alter_seq},         {"format", alter_format},
                 {"segment", alter_segment}, {"span", alter_header_span},
                 {"close", alter_close},     {"finished", alter_finished}};
    static const struct window_case windows[] = {{0, 0, 4}, {1, 0, 4}};
    char dir[PATH_LEN], paths[8][PATH_LEN];
    size_t len;
    feed_write(folder_name(dir), windows, 2);
    segment_list(dir, paths);
    uint8_t *bytes = file_read(paths[0], &len);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct forge forge = {0};
        for (size_t at = 0; at < len;) {
            Yamiscope__Record *r = forge_take(bytes, &at);
            cases[i].alter(r);
            forge_record(&forge, r);
            yamiscope__record__free_unpacked(r, NULL);
        }
        file_write(paths[0], forge.data, forge.len);
        free(forge.data);
        assert_broken(dir, cases[i].name);
    }
    free(bytes);
}

/* Records left out, doubled and exchanged: each line is the order of the new segment. */
static void test_reordered_records(void **state)
{
    static const char *const orders[] = {"0134",  "0234",  "01223", "0124", "1234", "012340",
                                         "02134", "00123", "3",     "",     "34"};
    static const struct window_case windows[] = {{0, 0, 4}, {0, 1, 4}, {1, 0, 4}};
    char dir[PATH_LEN], paths[8][PATH_LEN];
    size_t len;
    feed_write(folder_name(dir), windows, 3);
    segment_list(dir, paths);
    uint8_t *bytes = file_read(paths[0], &len);
    Yamiscope__Record *records[5];
    size_t at = 0;
    for (size_t i = 0; i < 5; i++)
        records[i] = forge_take(bytes, &at);
    assert_int_equal(at, len);
    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
        struct forge forge = {0};
        for (const char *c = orders[i]; *c != '\0'; c++) {
            records[*c - '0']->seq = (uint64_t)(c - orders[i]) + 1;
            forge_record(&forge, records[*c - '0']);
        }
        file_write(paths[0], forge.data == NULL ? (const uint8_t *)"" : forge.data, forge.len);
        free(forge.data);
        /* "01223" lacks Close, "0124" counts wrong, "0234" lacks a part, ... */
        assert_broken(dir, orders[i]);
    }
    for (size_t i = 0; i < 5; i++)
        yamiscope__record__free_unpacked(records[i], NULL);
    free(bytes);
}

static void test_hostile_segments(void **state)
{
    static const struct {
        const char *name;
        uint8_t bytes[16];
        size_t len;
    } cases[] = {
        {"empty", {0}, 0},
        {"zero length", {0}, 8},
        {"no end of a length",
         {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
         11},
        {"a huge length", {0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01}, 7},
        {"a length of more than 64 MiB", {0x81, 0x80, 0x80, 0x20}, 4},
        {"a length of more than is there", {0x80, 0x80, 0x80, 0x20, 1, 2, 3}, 7},
        {"a long form of a length", {0x86, 0x00, 1, 2, 3, 4, 5, 6}, 8},
        {"half a length", {0x80}, 1},
        {"less than a crc", {0x05, 0x7d, 0, 0, 0, 0}, 6},
    };
    char dir[PATH_LEN], paths[8][PATH_LEN];
    feed_write(folder_name(dir), NULL, 0);
    segment_list(dir, paths);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        file_write(paths[0], cases[i].bytes, cases[i].len);
        assert_broken(dir, cases[i].name);
    }
}

/* Ten million empty messages are 20 MB in a record and more than 1 GB unpacked. */
static void test_a_small_record_cannot_fill_the_memory(void **state)
{
    char dir[PATH_LEN], paths[8][PATH_LEN];
    struct forge forge = {0};
    enum { EMPTY = 10000000 };
    size_t len = 0;
    uint8_t *record = malloc(2 * EMPTY + 16);
    feed_write(folder_name(dir), NULL, 0);
    segment_list(dir, paths);
    record[len++] = 3 << 3 | 2; /* window */
    for (uint32_t left = 2 * EMPTY;; left >>= 7) {
        record[len++] = (uint8_t)(left & 0x7f) | (left >= 0x80 ? 0x80 : 0);
        if (left < 0x80)
            break;
    }
    for (size_t i = 0; i < EMPTY; i++) {
        record[len++] = 6 << 3 | 2; /* an empty KindCount */
        record[len++] = 0;
    }
    forge_bytes(&forge, record, len);
    file_write(paths[0], forge.data, forge.len);
    assert_broken(dir, "ten million empty messages");
    free(forge.data);
    free(record);
}

/* A full disk: nothing of the window stays, the same window goes in later, and the feed is the one
 * that a disk with room would hold. */
static void test_full_disk(void **state)
{
    static const struct window_case windows[] = {
        {0, 0, 300}, {1, 0, 300}, {60, 0, 300}, {61, 0, 300}};
    char good[PATH_LEN], dir[PATH_LEN], good_paths[8][PATH_LEN], paths[8][PATH_LEN];
    struct rlimit was, small;
    struct feed_log *log;
    struct fault fault;
    unsigned refused = 0;

    feed_write(folder_name(good), windows, 4);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
    assert_int_equal(feed_log_create(&log, folder_name(dir), &identity, &fault), 0);
    for (size_t i = 0; i < 4; i++) {
        struct window *w = sample_window(rules, windows[i].minute * minute_ns, 0, 300, i + 1);
        for (unsigned limit = 0; limit < 40000; limit += 3000) {
            small = was;
            small.rlim_cur = limit;
            assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
            int err = feed_log_append(log, w, &fault);
            assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
            if (err == 0)
                break;
            assert_int_equal(err, -EFBIG);
            assert_non_null(strstr(fault.text, ".yami: can't write"));
            struct feed_check check;
            int seen = feed_log_verify_rules(dir, rules, &check, &fault);
            assert_int_equal(seen, i == 0 ? -ENOENT : -ENODATA);
            assert_int_equal(check.windows, i);
            refused++;
        }
        window_destroy(w);
    }
    assert_int_equal(feed_log_finish(log, &fault), 0);
    assert_true(refused >= 4);
    assert_int_equal(segment_list(good, good_paths), 2);
    assert_int_equal(segment_list(dir, paths), 2);
    for (size_t i = 0; i < 2; i++) {
        size_t good_len, len;
        uint8_t *good_bytes = file_read(good_paths[i], &good_len),
                *bytes = file_read(paths[i], &len);
        assert_int_equal(len, good_len);
        assert_memory_equal(bytes, good_bytes, len);
        free(good_bytes);
        free(bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty_feed),
        cmocka_unit_test(test_refuses_a_feed),
        cmocka_unit_test(test_every_altered_byte_is_found),
        cmocka_unit_test(test_every_cut_is_found),
        cmocka_unit_test(test_unfinished_feed),
        cmocka_unit_test(test_filtered_packets_need_a_filter),
        cmocka_unit_test(test_altered_counts_under_right_checksums),
        cmocka_unit_test(test_altered_records_under_right_checksums),
        cmocka_unit_test(test_reordered_records),
        cmocka_unit_test(test_hostile_segments),
        cmocka_unit_test(test_a_small_record_cannot_fill_the_memory),
        cmocka_unit_test(test_full_disk),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
