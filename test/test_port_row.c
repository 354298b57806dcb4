#include "export/port_row.h"

#include "feed_case.h"

#include "export/record_window.h"

/* The body of a window's record. */
static size_t body_of(struct record_buffer *b, const struct window *w, const uint8_t **body)
{
    struct record_view view;
    uint32_t crc = 0;
    size_t at = 0;
    b->len = 0;
    assert_int_equal(record_pack_window(b, 1, &crc, w, rules), 0);
    while (b->data[at++] >= 0x80)
        ;
    assert_int_equal(record_view(&view, b->data + at, b->len - at), 0);
    *body = view.body;
    return view.body_len;
}

/* Each port of windows says what its row of the window does; others are not there. */
static void test_windows(void **state)
{
    struct record_buffer b = {0};
    for (unsigned seed = 0; seed < 5; seed++) {
        struct window *w = sample_window(rules, 0, 0, 50 + seed * 300, seed);
        const uint8_t *body;
        size_t len = body_of(&b, w, &body);
        for (unsigned proto = 0; proto < PORT_PROTO_COUNT; proto++)
            for (unsigned port = 0; port < 65536; port++) {
                const struct port_count *is = window_port_find(w, proto, (uint16_t)port);
                struct port_row row = {0};
                if (is == NULL && port % 97 != 0)
                    continue;
                assert_int_equal(port_row_of_window(&row, body, len, proto, (uint16_t)port),
                                 is != NULL);
                if (is == NULL)
                    continue;
                assert_int_equal(row.column[PORT_ROW_packets], is->packets);
                assert_int_equal(row.column[PORT_ROW_bytes], is->bytes);
                assert_int_equal(row.column[PORT_ROW_syn], is->syn);
                assert_int_equal(row.column[PORT_ROW_scan], is->scan);
                assert_int_equal(row.column[PORT_ROW_sources], is->sources.low);
            }
        window_destroy(w);
    }
    record_buffer_free(&b);
}

/* A Day's table: gaps, columns, categories by number. */
static void test_day(void **state)
{
    char *categories[] = {"iot", "web"};
    uint32_t gap[] = {23, 57}, category[] = {0, 1}, iot[] = {1, 0};
    uint64_t packets[] = {500, 7}, packets_ex[] = {400, 0}, sources[] = {30, 2}, ex[] = {20, 0};
    Yamiscope__DayPorts table = YAMISCOPE__DAY_PORTS__INIT, *tables[] = {&table};
    Yamiscope__Day day = YAMISCOPE__DAY__INIT;
    struct port_row row;
    struct port_row_day says;
    uint8_t bytes[512];
    table.proto = "tcp";
    table.n_gap = table.n_packets = table.n_packets_ex = table.n_sources = 2;
    table.n_sources_ex = table.n_categories = table.n_category = table.n_iot = 2;
    table.gap = gap, table.packets = packets, table.packets_ex = packets_ex;
    table.sources = sources, table.sources_ex = ex;
    table.categories = categories, table.category = category, table.iot = iot;
    day.n_ports = 1;
    day.ports = tables;
    day.exact = true;
    day.ex_absent = "why";
    size_t len = yamiscope__day__pack(&day, bytes);
    assert_true(port_row_day(&says, bytes, len));
    assert_true(says.is_exact && !says.is_complete && !says.has_ex);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(port_row_of_day(&row, bytes, len, PORT_PROTO_TCP, i == 0 ? 23 : 80), 1);
        assert_int_equal(row.column[PORT_ROW_packets], packets[i]);
        assert_int_equal(row.column[PORT_ROW_day_packets_ex], packets_ex[i]);
        assert_int_equal(row.column[PORT_ROW_day_sources], sources[i]);
        assert_int_equal(row.column[PORT_ROW_day_sources_ex], ex[i]);
        assert_int_equal(row.column[PORT_ROW_day_iot], iot[i]);
        assert_int_equal(row.category_len, 3);
        assert_memory_equal(row.category, categories[i], 3);
    }
    assert_int_equal(port_row_of_day(&row, bytes, len, PORT_PROTO_TCP, 79), 0);
    assert_int_equal(port_row_of_day(&row, bytes, len, PORT_PROTO_UDP, 23), 0);
    /* Cut anywhere it is refused, or the port is not there. */
    for (size_t cut = 0; cut < len; cut++)
        assert_true(port_row_of_day(&row, bytes, cut, PORT_PROTO_TCP, 80) <= 0);
    table.n_packets = 1;
    len = yamiscope__day__pack(&day, bytes);
    assert_int_equal(port_row_of_day(&row, bytes, len, PORT_PROTO_TCP, 80), -EBADMSG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_windows), cmocka_unit_test(test_day)};
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
