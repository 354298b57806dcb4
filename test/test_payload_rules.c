/* Every payload rule of the default set has a packet that shows it and one that nearly does. */
#include "classify/payload.h"
#include "test/payload_rows_exploit.h"
#include "test/payload_rows_iot.h"
#include "test/payload_rows_more.h"
#include "test/payload_rows_other.h"
#include "test/payload_rows_wild.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TABLE(rows) rows, sizeof(rows) / sizeof(rows)[0]

static struct ruleset *rules;
static struct payload_scratch *scratch;
static bool has_hit[RULES_MAX], has_miss[RULES_MAX];

static int set_up(void **state)
{
    static const struct payload_settings settings = {.cache_dir = ""};
    struct fault fault;
    if (ruleset_create(&rules, NULL, &fault) != 0 || payload_load(rules, &settings, &fault) != 0)
        return -1;
    scratch = payload_scratch_create(rules);
    return scratch ? 0 : -1;
}

static int tear_down(void **state)
{
    payload_scratch_destroy(scratch);
    ruleset_destroy(rules);
    return 0;
}

/* In memory of its own, so that a sanitizer sees a read behind its end. */
static const char *match(const struct payload_row *row)
{
    uint8_t *bytes = malloc(row->len);
    memcpy(bytes, row->bytes, row->len);
    uint16_t found = payload_match(rules, scratch, row->proto, row->port, bytes, row->len);
    free(bytes);
    return found == RULE_NONE ? "" : rules->rules[found].id;
}

static unsigned check(const struct payload_row *rows, size_t count)
{
    unsigned wrong = 0;
    for (size_t i = 0; i < count; i++) {
        const struct payload_row *row = &rows[i];
        size_t rule = 0;
        while (rule < rules->rule_count && strcmp(rules->rules[rule].id, row->rule) != 0)
            rule++;
        if (rule == rules->rule_count)
            fail_msg("row %zu: there is no rule %s", i, row->rule);
        (row->holds ? has_hit : has_miss)[rule] = true;
        const char *found = match(row);
        bool is_wanted = payload_wanted(rules, row->proto, row->port, (uint32_t)row->len);
        if ((strcmp(found, row->rule) == 0) != row->holds || (row->holds && !is_wanted)) {
            print_error("row %zu of %s: \"%.60s\": found '%s', %s\n", i, row->rule, row->bytes,
                        found, row->holds ? "expected it" : "a near miss");
            wrong++;
        }
    }
    return wrong;
}

static void test_rows(void **state)
{
    if (!payload_is_built)
        skip();
    unsigned wrong = check(TABLE(payload_rows_iot)) + check(TABLE(payload_rows_exploit)) +
                     check(TABLE(payload_rows_other)) + check(TABLE(payload_rows_wild)) +
                     check(TABLE(payload_rows_more));
    for (size_t i = 0; i < rules->rule_count; i++)
        if (rules->rules[i].payload && !(has_hit[i] && has_miss[i])) {
            print_error("%s has no %s\n", rules->rules[i].id, has_hit[i] ? "near miss" : "packet");
            wrong++;
        }
    assert_int_equal(wrong, 0);
}

static uint64_t random_state = 11;

static uint32_t pick(uint32_t below)
{
    random_state ^= random_state << 13, random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 33) % below;
}

/* What first bytes tell is what the library says: rows with bytes changed, cut or added. */
static unsigned compare(const struct payload_row *rows, size_t count)
{
    enum { ROUNDS = 400, MORE = 12 };
    unsigned found = 0;
    for (size_t i = 0; i < count * ROUNDS; i++) {
        const struct payload_row *row = &rows[i / ROUNDS];
        size_t len = pick(3)   ? row->len
                     : pick(3) ? pick((uint32_t)row->len + 1)
                               : row->len + pick(MORE);
        uint8_t *bytes = calloc(len + 1, 1);
        memcpy(bytes, row->bytes, len < row->len ? len : row->len);
        for (unsigned changes = pick(3); changes > 0 && len > 0; changes--)
            bytes[pick(2) ? pick((uint32_t)len) : pick(len < 12 ? (uint32_t)len : 12)] ^=
                (uint8_t)(pick(2) ? 1u << pick(8) : pick(256));
        uint16_t rule = payload_match(rules, scratch, row->proto, row->port, bytes, len);
        if (rule != payload_scan(rules, scratch, row->proto, row->port, bytes, len))
            fail_msg("row %zu of %s: first bytes say another rule than all", i / ROUNDS, row->rule);
        found += rule != RULE_NONE;
        free(bytes);
    }
    return found;
}

static void test_first_bytes(void **state)
{
    if (!payload_is_built)
        skip();
    assert_true(compare(TABLE(payload_rows_iot)) > 0);
    assert_true(compare(TABLE(payload_rows_exploit)) > 0);
    assert_true(compare(TABLE(payload_rows_other)) > 0);
    assert_true(compare(TABLE(payload_rows_wild)) > 0);
    assert_true(compare(TABLE(payload_rows_more)) > 0);
}

/* What everybody sends shows no rule at all. */
static void test_ordinary(void **state)
{
    static const struct payload_row rows[] = {
        PAYLOAD_ROW("", TCP, 80, false, "GET / HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n") PAYLOAD_ROW(
            "", TCP, 80, false, "GET /favicon.ico HTTP/1.1\r\nUser-Agent: Mozilla/5.0\r\n\r\n")
            PAYLOAD_ROW("", TCP, 8080, false,
                        "POST /login HTTP/1.1\r\n\r\nusername=admin&password=admin")
                PAYLOAD_ROW("", TCP, 23, false, "root\r\n") PAYLOAD_ROW("", TCP, 23, false,
                                                                        "\377\375\001\377\375\003")
                    PAYLOAD_ROW("", TCP, 22, false, "SSH-2.0-Go\r\n") PAYLOAD_ROW(
                        "", TCP, 443, false, "\026\003\001\002\000\001\000\001\374\003\003")
                        PAYLOAD_ROW("", TCP, 25, false, "EHLO example.org\r\n")
                            PAYLOAD_ROW("", TCP, 40000, false,
                                        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>")
                                PAYLOAD_ROW("", UDP, 53, false,
                                            "\022\064\001\000\000\001\000\000\000\000\000\000\007ex"
                                            "ample\003org\000\000\001\000\001")
                                    PAYLOAD_ROW("", UDP, 65000, false, "AAAAAAAA")
                                        PAYLOAD_ROW("", UDP, 1900, false, "\000")};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (match(&rows[i])[0] != '\0')
            fail_msg("row %zu: '%s'", i, match(&rows[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_ordinary),
        cmocka_unit_test(test_first_bytes),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
