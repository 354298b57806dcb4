/* Where memory ends, the program ends with a message, not by a signal. */
#include "core/memory.h"

#include "core/address_set.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define HAS_SANITIZER
#elif defined __has_feature /* clang's way to say it */
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HAS_SANITIZER
#endif
#endif

/* Runs `what` in a child; its exit status (negative: a signal), and what it said on stderr. */
static int in_child(void (*what)(void), char said[200])
{
    int ends[2], status;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)dup2(ends[1], STDERR_FILENO);
        printf("not to be seen"); /* is in the buffer, and stays there */
        what();
        _exit(99);
    }
    close(ends[1]);
    ssize_t len = 0, n;
    while (len < 199 && (n = read(ends[0], said + len, (size_t)(199 - len))) > 0)
        len += n;
    said[len] = '\0';
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void must_have_nothing(void) { memory_must(NULL); }

static void must_have_something(void)
{
    char byte;
    _exit(memory_must(&byte) == &byte ? 0 : 98);
}

static void test_the_end(void **state)
{
    (void)state;
    char said[200];
    assert_int_equal(in_child(memory_ended, said), 1);
    assert_string_equal(said, "yamiscope: memory has ended\n");
    assert_int_equal(in_child(must_have_nothing, said), 1);
    assert_string_equal(said, "yamiscope: memory has ended\n");
    assert_int_equal(in_child(must_have_something, said), 0);
    assert_string_equal(said, "");
}

/* A table that grows until there is no more. */
__attribute__((unused)) static void fill_addresses(void)
{
    struct rlimit limit;
    struct address_set *set = address_set_create();
    if (!set || getrlimit(RLIMIT_AS, &limit) != 0)
        _exit(97);
    limit.rlim_cur = 256 << 20;
    if (setrlimit(RLIMIT_AS, &limit) != 0)
        _exit(96);
    for (uint32_t i = 0; i < 1 << 28; i++) {
        uint8_t address[16] = {0x20, 0x01};
        memcpy(address + 8, &i, sizeof i);
        address_set_add(set, address, 6);
    }
}

static void test_a_table_without_memory(void **state)
{
    (void)state;
#ifdef HAS_SANITIZER
    print_message("not run: a sanitizer has its own end of memory\n");
#else
    char said[200];
    assert_int_equal(in_child(fill_addresses, said), 1);
    assert_string_equal(said, "yamiscope: memory has ended\n");
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_the_end),
                                       cmocka_unit_test(test_a_table_without_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
