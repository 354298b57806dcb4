#include "export/record.h"

#include "capture/decode.h"
#include "export/yamiscope.pb-c.h"
#include "sample_window.h"

#include <endian.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct ruleset *rules;

/* One bit at a time: shares nothing with ISA-L. */
static uint32_t plain_crc(const uint8_t *bytes, size_t len, uint32_t crc)
{
    for (size_t i = 0; i < len; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
    }
    return crc;
}

static void test_crc(void **state)
{
    static const uint8_t text[] = "123456789";
    assert_int_equal(~plain_crc(text, 9, ~0u), 0xe3069283);
    /* The check value of CRC-32C: the first four bytes stand in as the crc before. */
    uint32_t before;
    memcpy(&before, text, 4);
    assert_int_equal(record_crc(le32toh(before), text + 4, 5), 0xe3069283);
}

/* Takes the record at *at apart: holds length and crc, returns it unpacked. */
static Yamiscope__Record *record_take(const struct record_buffer *b, size_t *at, uint32_t *crc)
{
    uint64_t len = 0;
    unsigned shift = 0;
    do {
        assert_true(*at < b->len);
        len |= (uint64_t)(b->data[*at] & 0x7f) << shift;
        shift += 7;
    } while (b->data[(*at)++] >= 0x80);
    assert_true(*at + len <= b->len && len > 5);
    const uint8_t *record = b->data + *at;
    uint32_t before = htole32(*crc), said;
    *crc = ~plain_crc(record, len - 5, plain_crc((const uint8_t *)&before, 4, ~0u));
    assert_int_equal(record[len - 5], 0x7d);
    memcpy(&said, record + len - 4, 4);
    assert_int_equal(le32toh(said), *crc);
    Yamiscope__Record *r = yamiscope__record__unpack(NULL, len, record);
    assert_non_null(r);
    assert_int_equal(r->crc, *crc);
    *at += len;
    return r;
}

static void test_header_and_close(void **state)
{
    const struct feed_identity identity = {.sensor = "dark1",
                                           .telescope_id = "lab",
                                           .timezone = "Asia/Tokyo",
                                           .filter = "tcp",
                                           .filtered = true,
                                           .telescope_configured = true,
                                           .telescope_ipv4 = 4096,
                                           .window_span_ns = 60,
                                           .lateness_ns = 6,
                                           .decap = DECAP_GRE | DECAP_IPIP,
                                           .rules = rules};
    struct record_buffer b = {0};
    uint32_t crc = 0, check = 0;
    size_t at = 0;

    assert_int_equal(record_pack_header(&b, 1, &crc, &identity, 3, FEED_BEGIN_TIME), 0);
    assert_int_equal(record_pack_close(&b, 2, &crc, 2, true, false), 0);
    Yamiscope__Record *r = record_take(&b, &at, &check);
    assert_int_equal(r->seq, 1);
    assert_int_equal(r->body_case, YAMISCOPE__RECORD__BODY_HEADER);
    assert_int_equal(r->header->format, 1);
    assert_string_equal(r->header->sensor, "dark1");
    assert_string_equal(r->header->telescope_id, "lab");
    assert_string_equal(r->header->timezone, "Asia/Tokyo");
    assert_string_equal(r->header->filter, "tcp");
    assert_true(r->header->filtered);
    assert_int_equal(r->header->telescope_ipv4, 4096);
    assert_true(r->header->telescope_configured);
    assert_int_equal(r->header->window_span_ns, 60);
    assert_int_equal(r->header->lateness_ns, 6);
    assert_int_equal(r->header->n_decap, 2);
    assert_string_equal(r->header->decap[0], "gre");
    assert_string_equal(r->header->decap[1], "ipip");
    assert_string_equal(r->header->rules->name, "sample");
    assert_int_equal(r->header->segment, 3);
    yamiscope__record__free_unpacked(r, NULL);
    r = record_take(&b, &at, &check);
    assert_int_equal(r->body_case, YAMISCOPE__RECORD__BODY_CLOSE);
    assert_int_equal(r->close->records, 2);
    assert_true(r->close->finished);
    yamiscope__record__free_unpacked(r, NULL);
    assert_int_equal(at, b.len);
    assert_int_equal(crc, check);
    record_buffer_free(&b);
    record_buffer_free(&b);
}

static void assert_hll(const Yamiscope__Hll *from, const struct hll *expected)
{
    struct hll h = {0};
    if (from != NULL && from->dense.len > 0) {
        assert_int_equal(from->dense.len, HLL_DENSE);
        assert_int_equal(from->n_index + from->value.len, 0);
        hll_from_dense(&h, from->dense.data);
    } else if (from != NULL) {
        uint32_t index = 0;
        assert_int_equal(from->n_index, from->value.len);
        for (size_t i = 0; i < from->n_index; i++)
            h.at[index += from->index[i]] = from->value.data[i];
    }
    assert_memory_equal(&h, expected, sizeof h);
}

static void assert_ports(const Yamiscope__PortTable *t, const struct window *w, unsigned proto,
                         bool is_merged)
{
    size_t rows = w->port_used[proto];
    uint32_t port = 0;
    assert_string_equal(t->proto, window_proto_name(proto));
    assert_int_equal(t->n_gap, rows);
    assert_int_equal(t->n_packets, rows);
    assert_int_equal(t->n_bytes, rows);
    assert_int_equal(t->n_syn, proto == PORT_PROTO_TCP ? rows : 0);
    assert_int_equal(t->n_scan, rows);
    assert_int_equal(t->n_sources, rows);
    assert_int_equal(t->n_sources_high, is_merged ? rows : 0);
    for (size_t i = 0; i < rows; i++) {
        port += t->gap[i];
        const struct port_count *row = window_port_find((struct window *)w, proto, (uint16_t)port);
        assert_non_null(row);
        assert_true(i == 0 || t->gap[i] > 0);
        assert_int_equal(t->packets[i], row->packets);
        assert_int_equal(t->bytes[i], row->bytes);
        assert_int_equal(t->n_syn > 0 ? t->syn[i] : 0, row->syn);
        assert_int_equal(t->scan[i], row->scan);
        assert_int_equal(t->sources[i], row->sources.low);
        if (is_merged)
            assert_int_equal(t->sources_high[i], row->sources.high);
    }
}

static void assert_out(const Yamiscope__MarkCount *row, const struct window *w, unsigned mark)
{
    bool is_there = mark < SHARE_MARK_COUNT && window_has_ex(w) && w->mark_packets_out[mark] > 0;
    assert_int_equal(row->packets_out, is_there ? w->mark_packets_out[mark] : 0);
    assert_int_equal(row->sources_out != NULL, is_there);
    if (!is_there)
        return;
    assert_int_equal(row->sources_out->low, w->mark_sources_out[mark].low);
    assert_int_equal(row->sources_out->high, w->mark_sources_out[mark].high);
    assert_null(row->sources_out->hll);
}

static void assert_basis(const Yamiscope__SurveyBasis *b, const struct window *w)
{
    assert_int_equal(b != NULL, window_has_ex(w));
    if (b == NULL)
        return;
    assert_int_equal(b->first, w->basis.first);
    assert_int_equal(b->last, w->basis.last);
    assert_int_equal(b->some, w->basis.has_survey);
    assert_int_equal(b->without, w->basis.lacks_survey);
}

static void assert_window(const Yamiscope__Window *r, const struct window *w, bool is_merged)
{
    assert_int_equal(r->start_ns, w->start_ns);
    assert_int_equal(r->span_ns, w->span_ns);
    assert_int_equal(r->part, w->part);
    assert_basis(r->survey_basis, w);
    assert_int_equal(r->ledger->offered, w->ledger.offered);
    assert_int_equal(r->totals->packets, w->totals.packets);
    assert_int_equal(r->totals->first_ns, w->totals.first_ns);
    assert_int_equal(r->totals->last_ns, w->totals.last_ns);
    size_t at = 0;
    for (unsigned kind = 0; kind < KIND_COUNT; kind++) {
        if (w->kinds[kind].packets == 0)
            continue;
        assert_true(at < r->n_kinds);
        assert_string_equal(r->kinds[at]->kind, kind_name(kind));
        assert_int_equal(r->kinds[at]->packets, w->kinds[kind].packets);
        assert_int_equal(r->kinds[at++]->bytes, w->kinds[kind].bytes);
    }
    assert_int_equal(at, r->n_kinds);
    at = 0;
    for (unsigned mark = 0; mark < MARK_COUNT; mark++) {
        if (mark >= SHARE_MARK_COUNT && w->mark_packets[mark] == 0)
            continue;
        assert_true(at < r->n_marks);
        assert_string_equal(r->marks[at]->mark, mark_name(mark));
        assert_int_equal(r->marks[at]->tool, mark >= SHARE_MARK_COUNT);
        assert_int_equal(r->marks[at]->packets, w->mark_packets[mark]);
        assert_int_equal(r->marks[at]->sources->low, w->mark_sources[mark].low);
        assert_int_equal(r->marks[at]->sources->high, w->mark_sources[mark].high);
        assert_out(r->marks[at], w, mark);
        assert_hll(r->marks[at++]->sources->hll, &w->hll[mark]);
    }
    assert_int_equal(at, r->n_marks);
    at = 0;
    for (unsigned rule = 0; rule < rules->rule_count; rule++) {
        if (w->rules[rule][EVIDENCE_port].packets == 0)
            continue;
        assert_true(at < r->n_rules);
        assert_string_equal(r->rules[at]->rule, rules->rules[rule].id);
        assert_string_equal(r->rules[at]->evidence, "port");
        assert_int_equal(r->rules[at++]->packets, w->rules[rule][EVIDENCE_port].packets);
    }
    assert_int_equal(at, r->n_rules);
    at = 0;
    for (unsigned proto = 0; proto < PORT_PROTO_COUNT; proto++)
        if (w->port_used[proto] > 0)
            assert_ports(r->ports[at++], w, proto, is_merged);
    assert_int_equal(at, r->n_ports);
}

static void pack_and_check(const struct window *w, bool is_merged)
{
    struct record_buffer b = {0};
    uint32_t crc = 12345, check = 12345;
    size_t at = 0;
    assert_int_equal(record_pack_window(&b, 77, &crc, w, rules), 0);
    Yamiscope__Record *r = record_take(&b, &at, &check);
    assert_int_equal(at, b.len);
    assert_int_equal(r->seq, 77);
    assert_window(r->window, w, is_merged);
    yamiscope__record__free_unpacked(r, NULL);
    record_buffer_free(&b);
}

static void test_windows(void **state)
{
    static const struct {
        int64_t start_ns;
        uint32_t part;
        unsigned packets;
    } cases[] = {{0, 0, 0},
                 {-60000000000, 0, 1},
                 {60000000000, 2, 37},
                 {1767225600000000000, 0, 5000},
                 {0, 0, 500}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct window *w =
            sample_window(rules, cases[i].start_ns, cases[i].part, cases[i].packets, i);
        pack_and_check(w, false);
        window_destroy(w);
    }
}

/* Counts of each width, on each side of where it grows; ports at the ends. */
static void test_counts_of_all_widths(void **state)
{
    struct window *w = sample_window(rules, 0, 0, 10, 3);
    for (unsigned proto = 0; proto < PORT_PROTO_COUNT; proto++)
        for (unsigned bit = 0; bit <= 64; bit++) {
            uint64_t over = bit < 64 ? UINT64_C(1) << bit : 0;
            struct port_count *row = window_port(w, proto, (uint16_t)(65535 - 1000 * bit));
            row->packets = row->sources.low = row->sources.high = over;
            row->bytes = over - 1;
            row->syn = proto == PORT_PROTO_UDP ? 0 : bit % 2 ? over - 1 : over;
            row->scan = bit % 2 ? over : over - 1;
            window_port(w, proto, 0)->packets = UINT64_MAX;
        }
    pack_and_check(w, false);
    for (unsigned proto = 0; proto < PORT_PROTO_COUNT; proto++)
        for (unsigned bit = 0; bit < 64; bit++)
            window_port(w, proto, (uint16_t)(65535 - 1000 * bit))->sources.high = UINT64_MAX >> bit;
    pack_and_check(w, true);
    window_destroy(w);
}

static void test_merged_window_has_both_bounds(void **state)
{
    struct window *w = sample_window(rules, 0, 0, 500, 1);
    struct window *late = sample_window(rules, 0, 1, 500, 2);
    window_merge(w, late, WINDOW_SPANS);
    pack_and_check(w, true);
    window_destroy(w);
    window_destroy(late);
}

/* Sparse up to where dense is smaller, and both say the same. */
static void test_sketch_takes_the_smaller_form(void **state)
{
    static const struct {
        unsigned registers;
        bool is_dense;
    } cases[] = {{1, false}, {100, false}, {6143, false}, {6144, true}, {16384, true}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct window *w = sample_window(rules, 0, 0, 0, 0);
        struct record_buffer b = {0};
        uint32_t crc = 0, check = 0;
        size_t at = 0;
        for (unsigned n = 0; n < cases[i].registers; n++)
            w->hll[MARK_total].at[n] = w->hll[MARK_scan].at[n] = (uint8_t)(1 + n % 51);
        w->mark_sources[MARK_total] = w->mark_sources[MARK_scan] =
            (struct source_count){cases[i].registers, cases[i].registers};
        assert_int_equal(record_pack_window(&b, 1, &crc, w, rules), 0);
        Yamiscope__Record *r = record_take(&b, &at, &check);
        const Yamiscope__Hll *hll = r->window->marks[MARK_scan]->sources->hll;
        assert_non_null(hll);
        assert_null(r->window->marks[MARK_iot_strict]->sources->hll);
        assert_int_equal(hll->dense.len > 0, cases[i].is_dense);
        assert_hll(hll, &w->hll[MARK_scan]);
        yamiscope__record__free_unpacked(r, NULL);
        record_buffer_free(&b);
        window_destroy(w);
    }
}

/* The same window, its rows of ports in the other order. */
static struct window *turned(const struct window *w)
{
    struct window *t = window_create();
    memcpy(t, w, sizeof *t);
    memset(t->port_used, 0, sizeof t->port_used);
    for (unsigned proto = 0; proto < PORT_PROTO_COUNT; proto++)
        for (uint32_t i = w->port_used[proto]; i-- > 0;)
            *window_port(t, proto, w->ports[proto][i].port) = w->ports[proto][i];
    return t;
}

/* Bytes are a function of the content: not of the rows' order, nor of what the buffer held. */
static void test_bytes_by_content_alone(void **state)
{
    struct window *w = sample_window(rules, 0, 0, 3000, 9),
                  *other = sample_window(rules, 0, 0, 50, 8), *t = turned(w);
    struct record_buffer fresh = {0}, used = {0};
    uint32_t a = 0, b = 0, c = 0;
    assert_int_equal(record_pack_window(&fresh, 5, &a, w, rules), 0);
    assert_int_equal(record_pack_window(&used, 4, &c, other, rules), 0);
    used.len = 0;
    assert_int_equal(record_pack_window(&used, 5, &b, t, rules), 0);
    assert_int_equal(a, b);
    assert_int_equal(fresh.len, used.len);
    assert_memory_equal(fresh.data, used.data, used.len);
    record_buffer_free(&fresh);
    record_buffer_free(&used);
    window_destroy(w);
    window_destroy(other);
    window_destroy(t);
}

/* Every port of both protocols with the largest counts there are. */
static void test_fullest_window(void **state)
{
    struct window *w = sample_window(rules, INT64_MIN, UINT32_MAX, 0, 0);
    for (unsigned proto = 0; proto < PORT_PROTO_COUNT; proto++) {
        for (unsigned port = 0; port < 65536; port++) {
            struct port_count *row = window_port(w, proto, (uint16_t)port);
            memset(row, 0xff, offsetof(struct port_count, port));
            if (proto != PORT_PROTO_TCP)
                row->syn = 0;
        }
    }
    for (unsigned mark = 0; mark < MARK_COUNT; mark++) {
        memset(w->hll[mark].at, 51, sizeof w->hll[mark].at);
        w->mark_sources[mark] = (struct source_count){HLL_REGISTERS, HLL_REGISTERS};
    }
    pack_and_check(w, false);
    window_destroy(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_crc),
        cmocka_unit_test(test_header_and_close),
        cmocka_unit_test(test_windows),
        cmocka_unit_test(test_counts_of_all_widths),
        cmocka_unit_test(test_merged_window_has_both_bounds),
        cmocka_unit_test(test_sketch_takes_the_smaller_form),
        cmocka_unit_test(test_bytes_by_content_alone),
        cmocka_unit_test(test_fullest_window),
    };
    rules = sample_ruleset();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    free(rules);
    return failed;
}
