#include "export/redis_url.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const struct taken {
    const char *text, *name;
    const char *host, *user, *password;
    unsigned hosts, port, db;
} taken[] = {
    {"redis://h", "redis://h:6379", "h", "", "", 1, 6379, 0},
    {"redis://h/", "redis://h:6379", "h", "", "", 1, 6379, 0},
    {"redis://h:1", "redis://h:1", "h", "", "", 1, 1, 0},
    {"redis://h:65535/15", "redis://h:65535/15", "h", "", "", 1, 65535, 15},
    {"redis://[::1]:7000/2", "redis://[::1]:7000/2", "::1", "", "", 1, 7000, 2},
    {"redis://[fe80::1]", "redis://[fe80::1]:6379", "fe80::1", "", "", 1, 6379, 0},
    {"redis://u@h", "redis://u@h:6379", "h", "u", "", 1, 6379, 0},
    {"redis://u:p@h", "redis://u@h:6379", "h", "u", "p", 1, 6379, 0},
    {"redis://:p@h", "redis://h:6379", "h", "", "p", 1, 6379, 0},
    {"redis://u:p%40%2f%3A@h", "redis://u@h:6379", "h", "u", "p@/:", 1, 6379, 0},
    {"redis://u:a@b@h", "redis://u@h:6379", "h", "u", "a@b", 1, 6379, 0},
    {"redis://a,b:1,[::2]", "redis://a:6379,b:1,[::2]:6379", "a", "", "", 3, 6379, 0},
    {"unix:///run/r.sock", "unix:///run/r.sock", "/run/r.sock", "", "", 1, 0, 0},
    {"unix://u:p@/run/r@x?db=3", "unix://u@/run/r@x?db=3", "/run/r@x", "u", "p", 1, 0, 3},
    {"unix:///a%20b?db=1", "unix:///a b?db=1", "/a b", "", "", 1, 0, 1},
};

static void takes(void **state)
{
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) {
        const struct taken *t = &taken[i];
        struct redis_url url;
        struct fault fault;
        char name[REDIS_NAME];
        if (redis_url_parse(&url, t->text, &fault) != 0)
            fail_msg("%s: %s", t->text, fault.text);
        assert_string_equal(redis_url_name(&url, name), t->name);
        assert_string_equal(url.hosts[0].name, t->host);
        assert_int_equal(url.hosts[0].port, t->port);
        assert_string_equal(url.user, t->user);
        assert_string_equal(url.password, t->password);
        assert_int_equal(url.host_count, t->hosts);
        assert_int_equal(url.db, t->db);
        assert_int_equal(url.has_password_in_text, t->password[0] != 0);
    }
}

static const struct refused {
    const char *text, *word;
    int err;
} refused[] = {
    {"", "none of", EINVAL},
    {"http://h", "none of", EINVAL},
    {"redis:/h", "none of", EINVAL},
    {"redis://", "no host", EINVAL},
    {"redis://:1", "no host", EINVAL},
    {"redis://a,,b", "no host", EINVAL},
    {"redis://u@", "no host", EINVAL},
    {"redis://h:0", "port", EINVAL},
    {"redis://h:65536", "port", EINVAL},
    {"redis://h:1x", "port", EINVAL},
    {"redis://h:", "port", EINVAL},
    {"redis://[::1", "brackets", EINVAL},
    {"redis://[::1]x", "brackets", EINVAL},
    {"redis://h/-1", "database", EINVAL},
    {"redis://h/1/2", "database", EINVAL},
    {"redis://h/99999999999999999999", "database", EINVAL},
    {"redis://a,b,c,d,e,f,g,h,i", "more than 8", EINVAL},
    {"redis://h%0", "host", EINVAL},
    {"redis://h%00", "host", EINVAL},
    {"redis://u:secret%zz@h", "password", EINVAL},
    {"redis://h?x", "no value", EINVAL},
    {"redis://h?x=1", "'x' is none of its options: db, password_file,", EINVAL},
    {"redis://h?db=a", "db", EINVAL},
    {"redis://h?timeout=0", "timeout", EINVAL},
    {"redis://h?keep_windows=1w", "keep_windows", EINVAL},
    {"redis://h?keep_hours=99999999999d", "keep_hours", EINVAL},
    {"redis://h?password_file=/nonexistent/secret", "/nonexistent/secret", ENOENT},
    {"unix://h", "no socket", EINVAL},
    {"unix://", "no socket", EINVAL},
    {"unix:///", "no socket", EINVAL},
#ifndef HAVE_HIREDIS_SSL
    {"rediss://h", "hiredis_ssl", ENOTSUP},
#endif
};

static void refuses(void **state)
{
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct redis_url url;
        struct fault fault;
        assert_int_equal(redis_url_parse(&url, refused[i].text, &fault), -refused[i].err);
        if (strstr(fault.text, refused[i].word) == NULL)
            fail_msg("%s: %s", refused[i].text, fault.text);
        assert_null(strstr(fault.text, "secret%"));
        if ((strchr(fault.text, ')') != NULL) != (strchr(fault.text, '(') != NULL))
            fail_msg("%s: a bracket without its other: %s", refused[i].text, fault.text);
    }
}

static void options(void **state)
{
    struct redis_url url;
    struct fault fault;
    char file[] = "/tmp/redis_url.XXXXXX", text[256];
    int fd = mkstemp(file);
    assert_int_equal(write(fd, "hunter 2\r\nmore\n", 15), 15);
    snprintf(text, sizeof text,
             "redis://u@h?password_file=%s&timeout=2&keep_windows=90m&keep_days=7d&keep_hours=6h&"
             "ca=/c%%26a",
             file);
    assert_int_equal(redis_url_parse(&url, text, &fault), 0);
    assert_string_equal(url.password, "hunter 2");
    assert_false(url.has_password_in_text);
    assert_string_equal(url.ca, "/c&a");
    assert_int_equal(url.timeout_ms, 2000);
    assert_int_equal(url.keep_windows_s, 5400);
    assert_int_equal(url.keep_days_s, 7 * 86400);
    assert_int_equal(url.keep_hours_s, 6 * 3600);
    assert_int_equal(ftruncate(fd, 0), 0);
    assert_int_equal(redis_url_parse(&url, text, &fault), -EINVAL);
    close(fd);
    unlink(file);
    assert_int_equal(setenv("YAMISCOPE_REDIS_PASSWORD", "from outside", 1), 0);
    assert_int_equal(redis_url_parse(&url, "redis://h", &fault), 0);
    assert_string_equal(url.password, "from outside");
    assert_int_equal(redis_url_parse(&url, "redis://u:own@h", &fault), 0);
    assert_string_equal(url.password, "own");
    unsetenv("YAMISCOPE_REDIS_PASSWORD");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes),
        cmocka_unit_test(refuses),
        cmocka_unit_test(options),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
