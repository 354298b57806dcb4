#include "export/record_split.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* seq 1, an empty close, a crc. */
#define RECORD "\x08\x01\x22\x00\x7d\x01\x02\x03\x04"

static void cases(void **state)
{
    (void)state;
    static const struct {
        const char *name, *bytes;
        size_t len;
        int found;
        size_t used;
    } rows[] = {
        {"nothing", "", 0, 0, 1},
        {"a length cut", "\x80", 1, 0, 2},
        {"only its length", "\x09", 1, 0, 10},
        {"cut by one", "\x09" RECORD, 9, 0, 10},
        {"whole", "\x09" RECORD, 10, 1, 10},
        {"more behind it", "\x09" RECORD "\x09", 11, 1, 10},
        {"a long form of its length", "\x89\x00" RECORD, 11, 1, 11},
        {"too short for a crc", "\x05" RECORD, 10, -EBADMSG, 0},
        {"of length 0", "\x00", 1, -EBADMSG, 0},
        {"greater than any", "\x81\x80\x80\x20", 4, -EBADMSG, 0},
        {"the greatest there may be", "\x80\x80\x80\x20", 4, 0, (64 << 20) + 4},
        {"a length without end", "\xff\xff\xff\xff\xff\xff", 6, -EBADMSG, 0},
        {"no Record", "\x09\xff\xff\xff\xff\xff\xff\xff\xff\xff", 10, -EBADMSG, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct record_view view;
        struct fault fault;
        size_t used;
        uint8_t *exact = malloc(rows[i].len + 1); /* its end is the sanitizer's to watch */
        memcpy(exact, rows[i].bytes, rows[i].len);
        exact = realloc(exact, rows[i].len > 0 ? rows[i].len : 1);
        int found = record_split(exact, rows[i].len, &view, &used, &fault);
        if (found != rows[i].found || (found >= 0 && used != rows[i].used))
            fail_msg("%s: %d, %zu bytes", rows[i].name, found, used);
        if (found == 1) {
            assert_int_equal(view.seq, 1);
            assert_int_equal(view.body_kind, RECORD_close);
        }
        free(exact);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(cases)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
