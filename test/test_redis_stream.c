#include "export/redis_stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ID    "$4\r\n15-2\r\n"
#define PB    "*2\r\n$2\r\npb\r\n$3\r\nabc\r\n"
#define ENTRY "*2\r\n" ID PB
#define KEY   "$1\r\nk\r\n"

/* What was taken, as text: "k 15-2 abc;". */
static void entry_note(void *context, const struct redis_entry *e)
{
    char id[FEED_ID_TEXT], *to = context;
    size_t len = strlen(to);
    snprintf(to + len, 256 - len, "%s %s %.*s;", e->key == NULL ? "-" : e->key,
             feed_id_text(e->id, id), (int)e->len, e->pb == NULL ? "" : (const char *)e->pb);
}

static void answers(void **state)
{
    (void)state;
    static const struct {
        const char *name, *bytes;
        bool is_read; /* of XREAD, else of XRANGE */
        bool holds;
        const char *taken;
    } rows[] = {
        {"nothing came", "*-1\r\n", true, true, ""},
        {"nothing came, as text", "$-1\r\n", true, true, ""},
        {"one", "*1\r\n*2\r\n" KEY "*1\r\n" ENTRY, true, true, "k 15-2 abc;"},
        {"two", "*1\r\n*2\r\n" KEY "*2\r\n" ENTRY ENTRY, true, true, "k 15-2 abc;k 15-2 abc;"},
        {"two streams", "*2\r\n*2\r\n" KEY "*1\r\n" ENTRY "*2\r\n$1\r\nl\r\n*1\r\n" ENTRY, true,
         true, "k 15-2 abc;l 15-2 abc;"},
        {"no entries", "*1\r\n*2\r\n" KEY "*0\r\n", true, true, ""},
        {"other fields",
         "*1\r\n*2\r\n" KEY "*1\r\n*2\r\n" ID "*4\r\n$1\r\na\r\n$1\r\nb\r\n$2\r\npb\r\n$1\r\nc\r\n",
         true, true, "k 15-2 c;"},
        {"without a message", "*1\r\n*2\r\n" KEY "*1\r\n*2\r\n" ID "*0\r\n", true, true,
         "k 15-2 ;"},
        {"an odd field", "*1\r\n*2\r\n" KEY "*1\r\n*2\r\n" ID "*1\r\n$2\r\npb\r\n", true, true,
         "k 15-2 ;"},
        {"a message that is a number",
         "*1\r\n*2\r\n" KEY "*1\r\n*2\r\n" ID "*2\r\n$2\r\npb\r\n:1\r\n", true, true, "k 15-2 ;"},
        {"no id", "*1\r\n*2\r\n" KEY "*1\r\n*2\r\n$1\r\nx\r\n" PB, true, true, ""},
        {"an entry that is a number", "*1\r\n*2\r\n" KEY "*1\r\n:1\r\n", true, true, ""},
        {"an entry of three", "*1\r\n*2\r\n" KEY "*1\r\n*3\r\n" ID PB ":1\r\n", true, true, ""},
        {"a stream that is a number", "*1\r\n:1\r\n", true, false, ""},
        {"a stream without a name", "*1\r\n*2\r\n:1\r\n*0\r\n", true, false, ""},
        {"entries that are a number", "*1\r\n*2\r\n" KEY ":1\r\n", true, false, ""},
        {"a number", ":1\r\n", true, false, ""},
        {"a range", "*1\r\n" ENTRY, false, true, "- 15-2 abc;"},
        {"an empty range", "*0\r\n", false, true, ""},
        {"no range", "+OK\r\n", false, false, ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        redisReader *reader = redisReaderCreate();
        void *reply = NULL;
        char taken[256] = "";
        redisReaderFeed(reader, rows[i].bytes, strlen(rows[i].bytes));
        assert_int_equal(redisReaderGetReply(reader, &reply), REDIS_OK);
        bool holds =
            (rows[i].is_read ? redis_stream_read : redis_stream_range)(reply, entry_note, taken);
        if (holds != rows[i].holds || strcmp(taken, rows[i].taken) != 0)
            fail_msg("%s: %d '%s'", rows[i].name, holds, taken);
        freeReplyObject(reply);
        redisReaderFree(reader);
    }
}

static void sensors(void **state)
{
    (void)state;
    static const struct {
        const char *key, *sensor; /* NULL: none */
    } rows[] = {
        {"yamiscope:{s}:windows", "s"},
        {"yamiscope:{a b}:windows", "a b"},
        {"yamiscope:{}:windows", NULL},
        {"yamiscope:{a}:days", NULL},
        {"yamiscope:{a}b}:windows", NULL},
        {"x:yamiscope:{s}:windows", NULL},
        {"yamiscope:{s}:windows:x", NULL},
        {"", NULL},
        {"yamiscope:{1234567}:windows", "1234567"},
        {"yamiscope:{12345678}:windows", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char sensor[8] = "";
        bool found = redis_stream_sensor(rows[i].key, strlen(rows[i].key), sensor, sizeof sensor);
        if (found != (rows[i].sensor != NULL) || (found && strcmp(sensor, rows[i].sensor) != 0))
            fail_msg("%s: %d '%s'", rows[i].key, found, sensor);
    }
    char sensor[8];
    assert_false(redis_stream_sensor("yamiscope:{a\0b}:windows", 23, sensor, sizeof sensor));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(answers), cmocka_unit_test(sensors)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
