#include "export/http_query.h"
#include "export/http_token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_routes(void **state)
{
    static const struct {
        const char *path;
        enum http_route_id id;
        const char *problem; /* a word of why it can't be read */
    } cases[] = {
        {"/", HTTP_ROUTE_page},
        {"", HTTP_ROUTE_none},
        {"/index.html", HTTP_ROUTE_none},
        {"//", HTTP_ROUTE_none},
        {"/api/v1/windows", HTTP_ROUTE_windows},
        {"/api/v1/windows/", HTTP_ROUTE_none},
        {"/api/v1/days", HTTP_ROUTE_days},
        {"/api/v1/days/", HTTP_ROUTE_none},
        {"/api/v1/days/today", HTTP_ROUTE_day},
        {"/api/v1/days/2026-02-28", HTTP_ROUTE_day},
        {"/api/v1/days/2026-02-29", HTTP_ROUTE_day, "date"},
        {"/api/v1/days/2026-2-8", HTTP_ROUTE_day, "date"},
        {"/api/v1/days/../windows", HTTP_ROUTE_day, "date"},
        {"/api/v1/ports/tcp/23", HTTP_ROUTE_port},
        {"/api/v1/ports/udp/65535", HTTP_ROUTE_port},
        {"/api/v1/ports/udp/65536", HTTP_ROUTE_port, "port"},
        {"/api/v1/ports/tcp/", HTTP_ROUTE_port, "port"},
        {"/api/v1/ports/tc/23", HTTP_ROUTE_port, "port"},
        {"/api/v1/ports/tcp/-1", HTTP_ROUTE_port, "port"},
        {"/api/v1/sources/198.51.100.7", HTTP_ROUTE_source},
        {"/api/v1/sources/2001:db8::/32", HTTP_ROUTE_source},
        {"/api/v1/sources/AS64500", HTTP_ROUTE_source},
        {"/api/v1/sources/", HTTP_ROUTE_none},
        {"/api/v1/sources/<script>", HTTP_ROUTE_source, "address"},
        {"/api/v1/events", HTTP_ROUTE_events},
        {"/api/v1/events/", HTTP_ROUTE_none},
        {"/metrics", HTTP_ROUTE_metrics},
        {"/metrics?", HTTP_ROUTE_none},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct http_route of = http_route_of(cases[i].path);
        assert_int_equal(of.id, cases[i].id);
        assert_int_equal(of.problem != NULL, cases[i].problem != NULL);
        if (cases[i].problem != NULL)
            assert_non_null(strstr(of.problem, cases[i].problem));
    }
    struct http_route r = http_route_of("/api/v1/ports/udp/5060");
    assert_int_equal(r.proto, 1);
    assert_int_equal(r.port, 5060);
    assert_int_equal(http_route_of("/api/v1/days/1970-01-02").date, 1);
    assert_true(http_route_of("/api/v1/days/today").is_today);
}

static void test_times(void **state)
{
    static const struct {
        const char *text;
        int64_t ns; /* -1: refused */
    } cases[] = {
        {"0", 0},
        {"1.5", 1500000000},
        {"1.000000001", 1000000001},
        {"1.0000000001", -1},
        {"1.", -1},
        {".5", -1},
        {"-1", -1},
        {"", -1},
        {"1e9", -1},
        {"9223372036", -1}, /* its nanoseconds fit no 64 bits */
        {"99999999999999999999999", -1},
        {"1970-01-01", 0},
        {"1970-01-01T00:00:01Z", 1000000000},
        {"1970-01-01T24:00:00Z", -1},
        {"1970-01-01T00:00:01", -1},
        {"1970-01-01 00:00:01Z", -1},
        {"1970-13-01", -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t ns = -1;
        assert_int_equal(http_time(cases[i].text, &ns), cases[i].ns >= 0);
        if (cases[i].ns >= 0)
            assert_int_equal(ns, cases[i].ns);
    }
}

static void test_headers(void **state)
{
    assert_false(http_wants_protobuf(NULL));
    assert_false(http_wants_protobuf("*/*"));
    assert_false(http_wants_protobuf("text/html, application/json"));
    assert_true(http_wants_protobuf("application/x-protobuf"));
    assert_true(http_wants_protobuf("application/json;q=0.5, application/protobuf"));
    assert_false(http_wants_protobuf("application/json, application/protobuf;q=0.5"));
    assert_false(http_wants_protobuf("application/x-protobuf;q=0"));
    assert_true(http_wants_gzip("deflate, gzip;q=0.1, br"));
    assert_false(http_wants_gzip("gzip;q=0"));
    assert_false(http_wants_gzip("xgzip, gzipped"));
    assert_false(http_wants_gzip(NULL));
    assert_true(http_has_tag("W/\"a\", \"b\"", "\"b\""));
    assert_true(http_has_tag("W/\"a\"", "\"a\""));
    assert_false(http_has_tag("\"ab\"", "\"a\""));
    assert_false(http_has_tag(NULL, "\"a\""));
}

static void test_hosts(void **state)
{
    static const struct {
        const char *host;
        bool is_plain;
    } cases[] = {
        {"localhost", true},
        {"LOCALHOST:80", true},
        {"127.0.0.1:8470", true},
        {"[::1]", true},
        {"[::1]:80", true},
        {"evil.example", false},
        {"localhost.evil", false},
        {"127.0.0.1.evil", false},
        {"[::1", false},
        {"localhost:x", false},
        {"", false},
        {"::1", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(http_host_is_plain(cases[i].host), cases[i].is_plain);
    assert_false(http_host_is_plain(NULL));
    char host[HTTP_HOST];
    uint16_t port;
    assert_true(http_listen("8470", host, &port));
    assert_string_equal(host, "127.0.0.1");
    assert_true(http_listen("[::]:443", host, &port));
    assert_string_equal(host, "::");
    assert_int_equal(port, 443);
    assert_false(http_listen("localhost:80", host, &port));
    assert_false(http_listen("::1:80", host, &port));
    assert_false(http_listen("[:80", host, &port));
    assert_false(http_listen("1.2.3.4:65536", host, &port));
}

static void test_authorization(void **state)
{
    char token[HTTP_TOKEN];
    assert_int_equal(http_authorization(NULL, token), HTTP_AUTHORIZATION_NONE);
    assert_int_equal(http_authorization("Bearer abc", token), HTTP_AUTHORIZATION_TOKEN);
    assert_string_equal(token, "abc");
    assert_int_equal(http_authorization("basic dTphYmM=", token), HTTP_AUTHORIZATION_TOKEN);
    assert_string_equal(token, "abc");
    assert_int_equal(http_authorization("Basic dTphOmM=", token), HTTP_AUTHORIZATION_TOKEN);
    assert_string_equal(token, "a:c");
    static const char *const bad[] = {"",         "Bearer",          "Bearer ",
                                      "Basic !",  "Basic dTo=",      "Basic YWJj",
                                      "Digest x", "Basic dTphYmM=x", "Basic dTphAGI="};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(http_authorization(bad[i], token), HTTP_AUTHORIZATION_BAD);
    char lots[2 * HTTP_TOKEN] = "Bearer ";
    memset(lots + 7, 'x', HTTP_TOKEN);
    assert_int_equal(http_authorization(lots, token), HTTP_AUTHORIZATION_BAD);
}

static void test_tokens(void **state)
{
    static const struct {
        const char *text, *why; /* why NULL: taken */
    } cases[] = {
        {"# who\n\npublic 0123456789abcdef\r\n  operator\tABCDEFGHIJKLMNOP  \n", NULL},
        {"", "holds no token"},
        {"public short\n", ":1: a token has 16 to 127"},
        {"x 0123456789abcdef\n", ":1: begins with none"},
        {"public 0123456789abcdef\npublic 0123456789abcdeX\n", ":2: a second token"},
        {"public 0123456789abcdef\nanalyst 0123456789abcdef\n", "the same token"},
        {"public 0123456789 abcdef\n", "visible ASCII"},
    };
    struct http_tokens t;
    struct fault fault;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int err = http_tokens_parse(&t, cases[i].text, strlen(cases[i].text), "f", &fault);
        assert_int_equal(err == 0, cases[i].why == NULL);
        if (cases[i].why != NULL)
            assert_non_null(strstr(fault.text, cases[i].why));
    }
    assert_int_equal(http_tokens_parse(&t, cases[0].text, strlen(cases[0].text), "f", &fault), 0);
    char token[HTTP_TOKEN] = "ABCDEFGHIJKLMNOP";
    assert_int_equal(http_tokens_find(&t, token), HTTP_OPERATOR);
    token[3] = 'x';
    assert_int_equal(http_tokens_find(&t, token), HTTP_NOBODY);
    memset(token, 0, sizeof token); /* analyst has none: nothing is none */
    assert_int_equal(http_tokens_find(&t, token), HTTP_NOBODY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_routes),        cmocka_unit_test(test_times),
        cmocka_unit_test(test_headers),       cmocka_unit_test(test_hosts),
        cmocka_unit_test(test_authorization), cmocka_unit_test(test_tokens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
