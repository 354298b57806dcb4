#include "test/udp_form_check.h"
#include "test/udp_form_rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

enum { ELSEWHERE = 61234 }; /* a port without rows */

static enum udp_form_id form_of(const struct form_row *row, const uint8_t *bytes, uint32_t caught,
                                uint32_t len)
{
    bool asks = udp_forms[row->id].class == UDP_ASKS;
    uint16_t src = asks ? ELSEWHERE : row->port, dst = asks ? row->port : ELSEWHERE;
    struct udp_payload p = {bytes, caught, len};
    const char *broken = udp_form_check(src, dst, &p);
    if (broken)
        fail_msg("%s: %s", udp_forms[row->id].name, broken);
    return udp_form_of(src, dst, &p);
}

static void test_rows(void **state)
{
    bool seen[UDP_FORM_COUNT] = {false};
    for (size_t i = 0; i < FORM_ROWS; i++) {
        const struct form_row *row = &form_rows[i];
        uint8_t bytes[FORM_BYTES];
        uint32_t len = form_payload(row, bytes);
        const char *name = udp_forms[row->id].name;
        seen[row->id] = true;
        if (form_of(row, bytes, len, len) != row->id)
            fail_msg("row %zu: no %s, but %d", i, name, form_of(row, bytes, len, len));
        bool is_anything = row->id == UDP_asks_qotd || row->id == UDP_asks_chargen;
        bytes[row->miss_at] = row->miss;
        if (!is_anything && form_of(row, bytes, len, len) == row->id)
            fail_msg("row %zu: still a %s with byte %u changed", i, name, row->miss_at);
    }
    for (unsigned id = 1; id < UDP_FORM_COUNT; id++)
        if (!seen[id])
            fail_msg("no row for %s", udp_forms[id].name);
}

/* From another port, and to another port, neither an answer nor a request is one. */
static void test_ports(void **state)
{
    for (size_t i = 0; i < FORM_ROWS; i++) {
        uint8_t bytes[FORM_BYTES];
        uint32_t len = form_payload(&form_rows[i], bytes);
        struct udp_payload p = {bytes, len, len};
        enum udp_form_id id = udp_form_of(ELSEWHERE, ELSEWHERE, &p);
        bool is_stray = udp_forms[form_rows[i].id].class == UDP_STRAY;
        assert_int_equal(id, is_stray ? form_rows[i].id : UDP_FORM_NONE);
    }
}

/* Forms of any bytes, or of printable ones as far as they were caught. */
static bool is_open(enum udp_form_id id)
{
    return id == UDP_asks_qotd || id == UDP_asks_chargen || id == UDP_answer_qotd;
}

/* In memory of exactly what was caught: a cut payload has its form or none; none where the byte that makes
 * it another was cut off. */
static void test_cut(void **state)
{
    for (size_t i = 0; i < FORM_ROWS; i++) {
        uint8_t bytes[FORM_BYTES];
        uint32_t len = form_payload(&form_rows[i], bytes);
        for (uint32_t caught = 0; caught <= len; caught++) {
            uint8_t *exact = malloc(caught + 1);
            assert_non_null(exact);
            memcpy(exact, bytes, caught);
            enum udp_form_id id = form_of(&form_rows[i], exact, caught, len);
            if (id != UDP_FORM_NONE && id != form_rows[i].id)
                fail_msg("%s cut at %u is a %s", udp_forms[form_rows[i].id].name, caught,
                         udp_forms[id].name);
            if (id != UDP_FORM_NONE && caught > 0 && caught <= form_rows[i].miss_at && !is_open(id))
                fail_msg("%s cut at %u still is one, whatever byte %u is", udp_forms[id].name,
                         caught, form_rows[i].miss_at);
            free(exact);
        }
    }
}

static uint64_t random_state = 11;

static uint32_t pick(uint32_t below)
{
    random_state ^= random_state << 13, random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 33) % below;
}

/* Rows with bytes changed, and noise, between all kinds of ports. */
static void test_changed(void **state)
{
    for (unsigned round = 0; round < 400000; round++) {
        uint8_t bytes[FORM_BYTES];
        const struct form_row *row = &form_rows[pick(FORM_ROWS)];
        uint32_t len = form_payload(row, bytes);
        if (pick(4) == 0)
            for (uint32_t i = 0; i < len; i++)
                bytes[i] = (uint8_t)pick(256);
        for (unsigned n = pick(4); n > 0; n--)
            bytes[pick(len)] = (uint8_t)(pick(2) ? pick(256) : 1u << pick(8));
        if (pick(4) == 0)
            len = pick(len + 1);
        uint16_t ports[2];
        for (unsigned i = 0; i < 2; i++)
            ports[i] = pick(3) ? (pick(3) ? row->port : form_rows[pick(FORM_ROWS)].port)
                               : (uint16_t)pick(65536);
        struct udp_payload p = {bytes, pick(4) ? len : pick(len + 1), len};
        const char *broken = udp_form_check(ports[0], ports[1], &p);
        if (broken)
            fail_msg("%s", broken);
    }
}

static void test_tables(void **state)
{
    for (unsigned id = 1; id < UDP_FORM_COUNT; id++) {
        const struct udp_form *form = &udp_forms[id];
        unsigned from = 0, to = 0;
        for (unsigned port = 0; port < 65536; port++)
            from += udp_answer_from[port] == id, to += udp_request_to[port] == id;
        assert_non_null(form->name);
        assert_non_null(form->what);
        assert_non_null(form->source);
        assert_int_equal(from > 0, form->class == UDP_ANSWER);
        assert_int_equal(to > 0, form->class == UDP_ASKS);
        assert_true((udp_firsts[id].value & ~udp_firsts[id].mask) == 0);
    }
}

static void test_groups(void **state)
{
#define LINK "link-local group but ff02::c"
    static const struct {
        const char *name; /* NULL: none */
        struct observation o;
    } rows[] = {
        {"local network control", {.ip_version = 4, .dst = {224, 0, 0, 251}, .dst_port = 5353}},
        {NULL, {.ip_version = 4, .dst = {224, 0, 1, 1}, .dst_port = 123}},
        {NULL, {.ip_version = 4, .dst = {239, 255, 255, 250}, .dst_port = 1900}},
        {NULL, {.ip_version = 4, .dst = {239, 255, 255, 250}, .dst_port = 3702}},
        {"DHCP broadcast", {.ip_version = 4, .dst = {255, 255, 255, 255}, .dst_port = 67}},
        {"DHCP broadcast", {.ip_version = 4, .dst = {255, 255, 255, 255}, .dst_port = 68}},
        {NULL, {.ip_version = 4, .dst = {255, 255, 255, 255}, .dst_port = 10001}},
        {NULL, {.ip_version = 4, .dst = {255, 255, 255, 254}, .dst_port = 67}},
        {"interface-local group", {.ip_version = 6, .dst = {0xff, 1, [15] = 1}}},
        {LINK, {.ip_version = 6, .dst = {0xff, 2, [15] = 0xfb}, .dst_port = 5353}},
        {LINK, {.ip_version = 6, .dst = {0xff, 2, [5] = 1, [15] = 12}, .dst_port = 1900}},
        {NULL, {.ip_version = 6, .dst = {0xff, 2, [15] = 12}, .dst_port = 1900}},
        {NULL, {.ip_version = 6, .dst = {0xff, 0x0e, [15] = 0xfb}, .dst_port = 5353}},
        {NULL, {.ip_version = 6, .dst = {0xff, 5, [15] = 12}, .dst_port = 1900}},
        {NULL, {.ip_version = 6, .dst = {224, 0, 0, 251}, .dst_port = 5353}},
#undef LINK
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct observation o = rows[i].o;
        o.state = OBSERVATION_IP | OBSERVATION_TRANSPORT | OBSERVATION_PORTS;
        const struct udp_group *g = udp_group_of(&o);
        if ((g != NULL) != (rows[i].name != NULL) || (g && strcmp(g->name, rows[i].name) != 0))
            fail_msg("row %zu: %s, expected %s", i, g ? g->name : "none",
                     rows[i].name ? rows[i].name : "none");
        assert_true(!g || udp_group_wants(o.dst[0]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),   cmocka_unit_test(test_ports),
        cmocka_unit_test(test_cut),    cmocka_unit_test(test_changed),
        cmocka_unit_test(test_tables), cmocka_unit_test(test_groups),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
