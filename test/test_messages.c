/* Lines on stderr: nobody waits for who reads them, and none of them is torn or lost without a word. */
#include "core/messages.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static size_t take(int fd, char *bytes, size_t size)
{
    ssize_t len = read(fd, bytes, size - 1);
    bytes[len > 0 ? len : 0] = '\0';
    return len > 0 ? (size_t)len : 0;
}

/* Takes all room that a pipe has. Returns how much that was. */
static size_t fill(int fd)
{
    static const char noise[4096];
    size_t sum = 0;
    ssize_t len;
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    while ((len = write(fd, noise, sizeof noise)) > 0)
        sum += (size_t)len;
    assert_int_equal(fcntl(fd, F_SETFL, 0), 0);
    return sum;
}

static void empty(int fd, size_t size)
{
    static char bytes[4097];
    for (size_t left = size; left > 0;)
        left -= take(fd, bytes, left < 4096 ? left + 1 : 4097);
}

static void test_goes(void **state)
{
    (void)state;
    static struct messages m;
    char bytes[4096], line[2000];
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    m = (struct messages)MESSAGES_INIT(fds[1]);
    messages_say(&m, "one");
    messages_say(&m, "two");
    assert_false(messages_wait(&m));
    assert_true(messages_flush(&m));
    take(fds[0], bytes, sizeof bytes);
    assert_string_equal(bytes, "one\ntwo\n");
    memset(line, 'x', sizeof line);
    line[sizeof line - 1] = '\0';
    messages_say(&m, line);
    assert_int_equal(take(fds[0], bytes, sizeof bytes), MESSAGES_LINE - 1);
    assert_int_equal(bytes[MESSAGES_LINE - 2], '\n');
    close(fds[0]);
    close(fds[1]);
}

/* Lines wait in their order; those beyond are counted. */
static void test_waits(void **state)
{
    (void)state;
    static struct messages m;
    static char bytes[65536];
    char line[32];
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    m = (struct messages)MESSAGES_INIT(fds[1]);
    size_t filled = fill(fds[1]);
    for (unsigned i = 0; i < MESSAGES_WAITING + 5; i++) {
        snprintf(line, sizeof line, "line %u", i);
        messages_say(&m, line);
    }
    assert_true(messages_wait(&m));
    assert_false(messages_flush(&m));
    empty(fds[0], filled);
    messages_say(&m, "the last");
    assert_false(messages_wait(&m));
    take(fds[0], bytes, sizeof bytes);
    const char *at = bytes;
    for (unsigned i = 0; i < MESSAGES_WAITING; i++) {
        size_t len = (size_t)snprintf(line, sizeof line, "line %u\n", i);
        assert_memory_equal(at, line, len);
        at += len;
    }
    assert_string_equal(at, "yamiscope: 5 messages are left out here\nthe last\n");
    close(fds[0]);
    close(fds[1]);
}

/* Whoever read has gone: nothing is kept for nobody. */
static void test_gone(void **state)
{
    (void)state;
    static struct messages m;
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    m = (struct messages)MESSAGES_INIT(fds[1]);
    size_t filled = fill(fds[1]);
    assert_true(filled > 0);
    messages_say(&m, "one");
    assert_true(messages_wait(&m));
    close(fds[0]);
    assert_true(messages_flush(&m));
    m = (struct messages)MESSAGES_INIT(-1);
    close(fds[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_goes),
        cmocka_unit_test(test_waits),
        cmocka_unit_test(test_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
