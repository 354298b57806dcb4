/* Commands as bytes; what a server's errors mean; redirections; sketches in Redis's form. */
#include "export/redis_batch.h"
#include "export/redis_link.h"
#include "export/sink_redis_keys.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void commands(void **state)
{
    struct redis_batch b = {0}, c = {0};
    char text[REDIS_COMMAND_TEXT];
    redis_batch_words(&b, "PING", NULL);
    redis_batch_begin(&b, 3);
    redis_batch_text(&b, "SET");
    redis_batch_bytes(&b, "a\0b", 3);
    redis_batch_number(&b, UINT64_MAX);
    redis_batch_words(&b, "AUTH", "user", "secret", NULL);
    assert_true(redis_batch_holds(&b));
    assert_int_equal(b.count, 3);
    static const char bytes[] = "*1\r\n$4\r\nPING\r\n*3\r\n$3\r\nSET\r\n$3\r\na\0b\r\n$20\r\n"
                                "18446744073709551615\r\n*3\r\n$4\r\nAUTH\r\n";
    assert_memory_equal(b.bytes, bytes, sizeof bytes - 1);
    assert_string_equal(redis_batch_describe(&b, 0, text), "PING");
    assert_string_equal(redis_batch_describe(&b, 1, text), "SET a");
    assert_string_equal(redis_batch_describe(&b, 2, text), "AUTH");
    redis_batch_words(&c, "ASKING", NULL);
    redis_batch_copy(&c, &b, 1);
    assert_int_equal(c.count, 2);
    assert_int_equal(c.commands[1].len, b.commands[1].len);
    assert_memory_equal(c.bytes + c.commands[1].at, b.bytes + b.commands[1].at, c.commands[1].len);
    redis_batch_reset(&b);
    assert_int_equal(b.count + b.len, 0);
    redis_batch_free(&b);
    redis_batch_free(&c);
}

static void errors(void **state)
{
    static const struct {
        const char *text;
        int err;
    } rows[] = {
        {"MOVED 1 127.0.0.1:7000", -ERESTART},
        {"ASK 1 127.0.0.1:7000", -EXDEV},
        {"LOADING Redis is loading the dataset in memory", -EAGAIN},
        {"CLUSTERDOWN Hash slot not served", -EAGAIN},
        {"READONLY You can't write against a read only replica.", -EROFS},
        {"MISCONF Redis is configured to save RDB snapshots", -EROFS},
        {"OOM command not allowed when used memory > 'maxmemory'.", -ENOSPC},
        {"NOAUTH Authentication required.", -EACCES},
        {"WRONGPASS invalid username-password pair or user is disabled.", -EACCES},
        {"NOPERM this user has no permissions", -EACCES},
        {"WRONGTYPE Operation against a key", -EINVAL},
        {"ERR syntax error", -ENOTSUP},
        {"ERR The ID specified in XADD is equal or smaller", -ERESTART},
        {"ERR max number of clients reached", -EIO},
        {"", -EIO},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(redis_error(rows[i].text), rows[i].err);
}

static void redirects(void **state)
{
    static const struct {
        const char *text, *name;
        unsigned port; /* 0: is none */
    } rows[] = {
        {"MOVED 3999 127.0.0.1:6381", "127.0.0.1", 6381},
        {"ASK 3999 127.0.0.1:6381", "127.0.0.1", 6381},
        {"MOVED 3999 ::1:6381", "::1", 6381},
        {"MOVED 3999 node.example:1", "node.example", 1},
        {"MOVED 3999 :6381", "here", 6381},
        {"MOVED 3999 ?:6381", "here", 6381},
        {"MOVED 3999", "", 0},
        {"MOVED", "", 0},
        {"MOVED 1 h", "", 0},
        {"MOVED 1 h:", "", 0},
        {"MOVED 1 h:0", "", 0},
        {"MOVED 1 h:65536", "", 0},
        {"MOVED 1 h:1x", "", 0},
        {"MOVED 1 h:-1", "", 0},
        {"ASKED 1 h:1", "", 0},
    };
    const struct redis_host here = {"here", 7000}, socket = {"/run/socket", 0};
    struct redis_host to;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(redis_redirect(rows[i].text, &here, &to), rows[i].port > 0);
        if (rows[i].port == 0)
            continue;
        assert_string_equal(to.name, rows[i].name);
        assert_int_equal(to.port, rows[i].port);
    }
    assert_false(redis_redirect("MOVED 1 :1", &socket, &to));
    char text[600] = "MOVED 1 ";
    memset(text + 8, 'x', 500);
    memcpy(text + 508, ":1", 3);
    assert_false(redis_redirect(text, &here, &to));
}

static void sensors(void **state)
{
    static const struct {
        const char *name;
        int err;
    } rows[] = {{"s", 0},         {"tokyo-1,osaka", 0}, {"", -EINVAL},    {"a b", -EINVAL},
                {"a}b", -EINVAL}, {"{", -EINVAL},       {"a\n", -EINVAL}, {"\xe6\xbc\x82", 0}};
    struct redis_url url = {.keep_windows_s = 1};
    struct redis_keys k;
    struct fault fault;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(redis_keys_init(&k, rows[i].name, &url, &fault), rows[i].err);
    assert_int_equal(redis_keys_init(&k, "s", &url, &fault), 0);
    assert_string_equal(k.streams[SINK_WINDOWS], "yamiscope:{s}:windows");
    assert_string_equal(k.streams[SINK_DAYS], "yamiscope:{s}:days");
    assert_string_equal(k.live, "yamiscope:{s}:live");
}

static void sketch(void **state)
{
    struct hll h = {0};
    uint8_t out[REDIS_HLL];
    h.at[0] = 1;
    h.at[1] = 51;
    redis_hll(&h, out);
    static const uint8_t head[] = {'H', 'Y', 'L', 'L', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80};
    assert_memory_equal(out, head, sizeof head);
    assert_int_equal(out[16], 1 | (51 & 3) << 6);
    assert_int_equal(out[17], 51 >> 2);
    assert_int_equal(sizeof out, 12304);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands), cmocka_unit_test(errors), cmocka_unit_test(redirects),
        cmocka_unit_test(sensors),  cmocka_unit_test(sketch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
