/* The status line: its words, when it comes, and that nobody waits for it. */
#include "core/status.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cmocka.h>

static const int64_t SECOND = 1000000000;

static void test_text(void **state)
{
    (void)state;
    static const struct {
        struct status_counts now, before;
        int64_t elapsed_ns;
        const char *text;
    } cases[] = {
        {{.record_skipped = STATUS_UNKNOWN}, {0}, 0, "0 packets, 0 dropped, 0 sources, 0 windows"},
        {{.offered = 1,
          .sources = 1,
          .windows = 1,
          .record_skipped = 0,
          .receivers_silent = 1,
          .prefixes_silent = 1},
         {0},
         0,
         "1 packet, 0 dropped, 1 source, 1 window, 1 receiver silent, 1 prefix silent"},
        {{.offered = 999, .record_skipped = 0},
         {0},
         0,
         "999 packets, 0 dropped, 0 sources, 0 windows"},
        {{.offered = 3000000,
          .bytes = 180000000,
          .dropped = 1234,
          .has_unknown_drops = true,
          .sources = 400000,
          .windows = 1440},
         {.offered = 1000000, .bytes = 60000000},
         2000000000,
         "1.0 M packets/s, 480.0 M bit/s, 3.0 M packets, 1,234 dropped and unknown, 400.0 k "
         "sources, 1,440 windows"},
        {{.offered = 999950,
          .windows_held = 3,
          .record_skipped = 7,
          .links_down = 1,
          .receivers_silent = 2,
          .prefixes_silent = 4},
         {0},
         0,
         "1.0 M packets, 0 dropped, 0 sources, 0 windows, 3 not on disk, 7 not recorded, 1 without "
         "a "
         "link, 2 receivers silent, 4 prefixes silent"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[STATUS_TEXT];
        assert_string_equal(status_text(&cases[i].now, &cases[i].before, cases[i].elapsed_ns, text),
                            cases[i].text);
    }
    const struct status_counts most = {INT64_MAX,  INT64_MAX,  INT64_MAX, true,
                                       INT64_MAX,  INT64_MAX,  INT64_MAX, INT64_MAX,
                                       UINT32_MAX, UINT32_MAX, UINT32_MAX};
    char text[STATUS_TEXT];
    assert_true(strlen(status_text(&most, &cases[0].before, 1, text)) < STATUS_TEXT - 1);
}

static size_t take(int fd, char *bytes, size_t size)
{
    ssize_t len = read(fd, bytes, size - 1);
    bytes[len > 0 ? len : 0] = '\0';
    return len > 0 ? (size_t)len : 0;
}

/* One line each interval; what was missed is not made up for. */
static void test_lines(void **state)
{
    (void)state;
    int fds[2];
    char bytes[1000];
    struct status s;
    struct status_counts counts = {.offered = 0};
    assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
    status_init(&s, fds[1], 60 * SECOND, 0);
    assert_false(s.is_terminal);
    assert_false(status_tick(&s, &counts, 59 * SECOND));
    counts.offered = 120;
    assert_true(status_tick(&s, &counts, 60 * SECOND));
    take(fds[0], bytes, sizeof bytes);
    assert_string_equal(bytes,
                        "2 packets/s, 0 bit/s, 120 packets, 0 dropped, 0 sources, 0 windows\n");
    assert_true(status_tick(&s, &counts, 200 * SECOND));
    assert_false(status_tick(&s, &counts, 239 * SECOND));
    assert_true(status_tick(&s, &counts, 240 * SECOND));
    status_init(&s, fds[1], 0, 0);
    assert_false(status_tick(&s, &counts, 500 * SECOND));
    close(fds[0]);
    close(fds[1]);
}

/* A pipe that nobody reads: lines are left out. */
static void test_full(void **state)
{
    (void)state;
    int fds[2];
    struct status s;
    struct status_counts counts = {.offered = 0};
    assert_int_equal(pipe2(fds, 0), 0);
    status_init(&s, fds[1], SECOND, 0);
    for (int64_t i = 1; i < 5000; i++)
        assert_true(status_tick(&s, &counts, i * SECOND));
    close(fds[0]);
    close(fds[1]);
}

static void test_terminal(void **state)
{
    (void)state;
    char bytes[1000];
    struct status s;
    struct status_counts counts = {.offered = 5};
    struct winsize size = {.ws_col = 30, .ws_row = 5};
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    assert_true(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
    int fd = open(ptsname(master), O_RDWR | O_NOCTTY);
    assert_true(fd >= 0 && ioctl(fd, TIOCSWINSZ, &size) == 0);
    status_init(&s, fd, 60 * SECOND, 0);
    assert_true(s.is_terminal);
    assert_false(status_tick(&s, &counts, STATUS_REWRITE_NS - 1));
    assert_true(status_tick(&s, &counts, STATUS_REWRITE_NS));
    take(master, bytes, sizeof bytes);
    assert_string_equal(bytes, "\r\033[K25 packets/s, 0 bit/s, 5 pack");
    status_wipe(&s);
    take(master, bytes, sizeof bytes);
    assert_string_equal(bytes, "\r\033[K");
    status_wipe(&s); /* there is nothing to wipe */
    close(fd);
    close(master);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_text), cmocka_unit_test(test_lines),
                                       cmocka_unit_test(test_full),
                                       cmocka_unit_test(test_terminal)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
