#include "export/source_index.h"

#include "walk_case.h"

#include "export/source_walk.h"

static int index_setup(void **state)
{
    int err = scratch_make(state);
    walk_make();
    return err;
}

static int index_teardown(void **state)
{
    feed_pool_destroy(walk_pool);
    return scratch_remove(state);
}

struct target_row {
    uint8_t proto;
    uint16_t port;
    uint64_t packets;
};

/* Rows of kinds, and what evidence shows beyond them, as (protocol, port). */
static void test_targets(void **state)
{
    struct source_targets t = {0};
    struct source_day *s = source_day_new("192.0.2.1");
    source_day_to(s, KIND_tcp_syn, 23, 5);
    source_day_to(s, KIND_tcp_syn, 80, 7);
    source_day_to(s, KIND_tcp_data, 22, 2);
    source_day_to(s, KIND_tcp_data, 80, 3);
    source_day_to(s, KIND_udp, 23, 9);
    const struct target_row plain[] = {{0, 22, 2}, {0, 23, 5}, {0, 80, 10}, {1, 23, 9}};
    for (unsigned round = 0; round < 2; round++) {
        assert_int_equal(source_targets_fill(&t, s), 0);
        assert_int_equal(t.count, 4);
        for (unsigned i = 0; i < 4; i++) {
            uint64_t more =
                round == 1 && i == 1 ? 3 : 0; /* 8 packets with evidence, of which 5 are listed */
            assert_int_equal(t.at[i].proto, plain[i].proto);
            assert_int_equal(t.at[i].port, plain[i].port);
            assert_int_equal(t.at[i].packets, plain[i].packets + more);
            assert_ptr_equal(source_targets_find(&t, plain[i].proto, plain[i].port), &t.at[i]);
        }
        assert_null(source_targets_find(&t, PORT_PROTO_UDP, 80));
        source_day_shows(s, EVIDENCE_bot, "mirai", KIND_tcp_syn, 23, 8);
        source_day_shows(s, EVIDENCE_payload, "a", KIND_tcp_syn, 80, 1);
        source_day_shows(s, EVIDENCE_payload, "a", KIND_tcp_data, 80, 2);
    }
    assert_int_equal(t.hit_count, 2);
    assert_string_equal(t.hits[1].rule, "a");
    assert_int_equal(t.hits[1].packets, 3);
    source_targets_fini(&t);
    for (unsigned n = 0; n < SOURCE_COUNTRIES; n++) {
        char country[3];
        source_country_text(n, country);
        assert_int_equal(source_country(country), n);
    }
    assert_int_equal(source_country("JP"), 9 * 26 + 15 + 1);
}

/* What an index must say, from the source days. */
static void facets_scan(struct feed_reader *r, unsigned proto, uint16_t port, struct port_facets *f)
{
    struct source_walk w;
    struct record_view view;
    struct source_day_buffer source = {0};
    struct source_targets t = {0};
    struct fault fault;
    assert_int_equal(port_facets_init(f, 5), 0);
    assert_int_equal(source_walk_begin(&w, r, 0, &fault), 0);
    assert_int_equal(source_walk_seek(&w, (uint8_t[SOURCE_KEY]){0}, &fault), 0);
    while (source_walk_next(&w, &view, &fault) > 0) {
        assert_int_equal(record_unpack_source_day(&source, view.body, view.body_len, &fault), 0);
        assert_int_equal(source_targets_fill(&t, &source.day), 0);
        assert_int_equal(port_facets_add(f, proto, port, w.cursor.at, &source.day, &t), 0);
    }
    port_facets_end(f);
    source_walk_end(&w);
    source_day_buffer_free(&source);
    source_targets_fini(&t);
}

static void assert_facets(const struct port_facets *a, const struct port_facets *b)
{
    assert_memory_equal(&a->all, &b->all, sizeof a->all);
    assert_memory_equal(a->countries, b->countries, sizeof a->countries);
    assert_memory_equal(a->tools, b->tools, sizeof a->tools);
    assert_int_equal(a->top_count, b->top_count);
    assert_memory_equal(a->top, b->top, a->top_count * sizeof *a->top);
    assert_int_equal(a->rule_count, b->rule_count);
    for (size_t i = 0; i < a->rule_count; i++) {
        assert_string_equal(a->rules[i].rule, b->rules[i].rule);
        assert_int_equal(a->rules[i].evidence, b->rules[i].evidence);
        assert_memory_equal(&a->rules[i].count, &b->rules[i].count, sizeof a->rules[i].count);
    }
}

static void test_ports(void **state)
{
    static const struct target_row ports[] = {{0, 23, 0},    {1, 23, 0},   {0, 9023, 0},
                                              {1, 36023, 0}, {0, 0, 0},    {0, 9999, 0},
                                              {0, 10000, 0}, {1, 65535, 0}};
    struct feed_reader *r = walk_open();
    struct source_index *ix;
    struct fault fault;
    assert_int_equal(source_index_open(&ix, r, 0), 0);
    assert_int_equal(source_index_build(r, 0, NULL, &fault), 1);
    assert_int_equal(source_index_open(&ix, r, 0), 1);
    for (size_t i = 0; i < sizeof ports / sizeof *ports; i++) {
        struct port_facets scanned, found;
        facets_scan(r, ports[i].proto, ports[i].port, &scanned);
        assert_int_equal(port_facets_init(&found, 5), 0);
        assert_int_equal(source_index_port(ix, ports[i].proto, ports[i].port, &found),
                         scanned.all.sources > 0);
        assert_facets(&scanned, &found);
        port_facets_fini(&scanned);
        port_facets_fini(&found);
    }
    source_index_close(ix);
    feed_reader_close(r);
}

static void test_as(void **state)
{
    struct feed_reader *r = walk_open();
    struct source_index *ix;
    struct source_walk w;
    struct record_view view;
    struct source_day_buffer source = {0};
    struct fault fault;
    unsigned all = 0;
    assert_int_equal(source_index_open(&ix, r, 0), 1);
    assert_int_equal(source_walk_begin(&w, r, 0, &fault), 0);
    for (uint32_t asn = 0; asn < 4; asn++) {
        struct source_index_list list;
        uint64_t at;
        int found = source_index_as(ix, asn, &list);
        assert_int_equal(found, asn < 3);
        while (source_index_next(&list, &at) > 0) {
            assert_int_equal(source_walk_at(&w, at, &view, &fault), 1);
            assert_int_equal(record_unpack_source_day(&source, view.body, view.body_len, &fault),
                             0);
            assert_int_equal(source.day.origin.asn, asn);
            all++;
        }
        source_index_end(&list);
    }
    assert_int_equal(all, WALK_SOURCES);
    source_walk_end(&w);
    source_day_buffer_free(&source);
    source_index_close(ix);
    feed_reader_close(r);
}

/* An index of another segment, and one of which a byte changed: it is not opened, or says that it is wrong, or what it
 * says of the port is right. */
static void test_wrong(void **state)
{
    char path[FEED_PATH], other[FEED_PATH];
    size_t len;
    struct random_stream random;
    struct feed_reader *r = walk_open();
    struct port_facets scanned;
    assert_true(source_index_path(walk_path, path));
    assert_false(source_index_path("x.pcap", other));
    uint8_t *bytes = file_read(path, &len);
    random_init(&random, 5);
    facets_scan(r, PORT_PROTO_TCP, 23, &scanned);
    for (unsigned round = 0; round < 400; round++) {
        size_t at = round % 2 ? case_random(&random, len) : case_random(&random, 200);
        uint8_t was = bytes[at];
        struct source_index *ix;
        bytes[at] ^= (uint8_t)(1 << case_random(&random, 8));
        file_write(path, bytes, round % 5 == 4 ? at : len);
        if (source_index_open(&ix, r, 0) > 0) {
            struct port_facets found;
            assert_int_equal(port_facets_init(&found, 5), 0);
            int says = source_index_port(ix, PORT_PROTO_TCP, 23, &found);
            if (says > 0)
                assert_facets(&scanned, &found);
            else
                assert_int_equal(says, -EBADMSG);
            port_facets_fini(&found);
        }
        source_index_close(ix);
        bytes[at] = was;
    }
    file_write(path, bytes, len);
    free(bytes);
    port_facets_fini(&scanned);
    struct source_index *ix;
    assert_int_equal(source_index_open(&ix, r, 1), 0); /* of the Day's segment there is none */
    feed_reader_close(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_targets), cmocka_unit_test(test_ports),
                                       cmocka_unit_test(test_as), cmocka_unit_test(test_wrong)};
    return cmocka_run_group_tests(tests, index_setup, index_teardown);
}
