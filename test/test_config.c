/* Options from the command line and from files. */
#include "core/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static int read_words(enum command_bit command, const char *line, struct config *c,
                      struct fault *fault, char *copy)
{
    char *argv[16];
    int argc = 0;
    strcpy(copy, line);
    for (char *word = strtok(copy, " "); word; word = strtok(NULL, " "))
        argv[argc++] = word;
    return config_init(c, command, argc, argv, fault);
}

static int read_line(const char *line, struct config *c, struct fault *fault, char *copy)
{
    return read_words(COMMAND_REPLAY, line, c, fault, copy);
}

static void test_good(void **state)
{
    (void)state;
    struct config c;
    struct fault fault;
    char copy[256];
    assert_int_equal(
        read_line("replay -j3 --window=5m a.pcap -o feed --json - -- --b", &c, &fault, copy), 0);
    assert_int_equal(c.workers, 3);
    assert_int_equal(c.window_ns, 300000000000);
    assert_int_equal(c.lateness_ns, c.window_ns);
    assert_string_equal(c.out, "feed");
    assert_true(c.is_json);
    assert_int_equal(c.path_count, 3);
    assert_string_equal(c.paths[1], "-");
    assert_string_equal(c.paths[2], "--b");
    config_fini(&c);
}

static void test_bad(void **state)
{
    (void)state;
    static const struct {
        const char *line, *says;
    } cases[] = {
        {"replay --nonsense", "--nonsense: no such option"},
        {"replay --packets 3", "no such option for replay"},
        {"replay -j", "--workers: needs a value"},
        {"replay -j 65", "--workers: '65' is not a number from 0 to 64"},
        {"replay -j -1", "--workers: '-1'"},
        {"replay --window 7s", "--window: 7s does not divide an hour"},
        {"replay --window 0", "--window: '0' is not a span from 1s to 1h, such as 60s"},
        {"replay --window 2h", "--window: '2h' is not a span from 1s to 1h, such as 60s"},
        {"replay --lateness 2d", "--lateness: '2d' is not a span from 0s to 1d, such as 60s"},
        {"replay --window 99999999999999999999s", "is not a span"},
        {"replay --json=yes", "--json: takes no value"},
        {"replay --batch 1025", "--batch: '1025'"},
        {"replay --config /nonexistent.yaml", "/nonexistent.yaml: No such file"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct config c;
        struct fault fault;
        char copy[256];
        assert_int_not_equal(read_line(cases[i].line, &c, &fault, copy), 0);
        if (!strstr(fault.text, cases[i].says))
            fail_msg("%s: %s", cases[i].line, fault.text);
        config_fini(&c);
    }
}

static int read_file(const char *text, struct config *c, struct fault *fault)
{
    char path[] = "/tmp/config.XXXXXX", line[128], copy[128];
    int fd = mkstemp(path);
    assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
    snprintf(line, sizeof line, "replay --config %s --batch 7", path);
    int err = read_line(line, c, fault, copy);
    unlink(path);
    return err;
}

static void test_file(void **state)
{
    (void)state;
    struct config c;
    struct fault fault;
    assert_int_equal(
        read_file("workers: 2\nbatch: 9\ndecap: [gre, vxlan]\njson: true\n", &c, &fault), 0);
    assert_int_equal(c.workers, 2);
    assert_int_equal(c.batch, 7);
    assert_string_equal(c.decap, "gre,vxlan");
    assert_true(c.is_json);
    config_fini(&c);

    static const struct {
        const char *text, *says;
    } cases[] = {
        {"workers: 2\n nonsense: 1\n", ":2:"},
        {"a: b\n", ":1:1: unknown key 'a'"},
        {"workers: 1\nworkerz: 2\n", ":2:1: unknown key 'workerz'"},
        {"workers: many\n", ":1:1: workers: 'many' is not a number"},
        {"workers: [1, 2]\n", "must be a single value"},
        {"- a\n", "must be a mapping"},
        {"json: maybe\n", "'maybe' is neither true nor false"},
        {"json: yes\n", ":1:1: json: 'yes' is neither true nor false, the only words for it"},
        {"batch: 1\nworkers: 2\nbatch: 3\n", ":3:1: key 'batch' a second time"},
        {"workers: 2\nwindow: 7s\n", ":2:1: window: 7s does not divide an hour"},
        {"help: true\n", "unknown key"},
    };
    static char deep[200001]; /* libyaml alone takes minutes to make a document of it */
    memset(deep, '[', sizeof deep - 1);
    memcpy(deep, "lists: ", 7);
    assert_int_not_equal(read_file(deep, &c, &fault), 0);
    assert_non_null(strstr(fault.text, ":1:15: values nest deeper than any option's"));
    config_fini(&c);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_not_equal(read_file(cases[i].text, &c, &fault), 0);
        if (!strstr(fault.text, cases[i].says))
            fail_msg("%s: %s", cases[i].text, fault.text);
        config_fini(&c);
    }
}

/* Where a value came from: the command line, the file that it outdoes, or neither. */
static void test_subjects(void **state)
{
    (void)state;
    struct config c;
    struct fault fault;
    assert_int_equal(read_file("sensor: a\n\ntimezone: UTC\nbatch: 9\n", &c, &fault), 0);
    assert_string_equal(config_subject(&c, "batch"), "--batch");
    assert_string_equal(config_subject(&c, "color"), "--color");
    assert_non_null(strstr(config_subject(&c, "sensor"), ":1:1: sensor"));
    assert_non_null(strstr(config_subject(&c, "timezone"), ":3:1: timezone"));
    config_fini(&c);

    /* Keys of other commands may stand there: one file serves all. */
    assert_int_equal(read_file("packets: 10\nsensor: a\nout: x\n", &c, &fault), 0);
    assert_int_equal(c.packets, 10);
    assert_string_equal(c.out, "x");
    assert_non_null(strstr(config_subject(&c, "out"), ":3:1: out"));
    config_fini(&c);
}

/* The help says each command's own meaning, and the limits. */
static void test_help(void **state)
{
    (void)state;
    static const struct {
        enum command_bit command;
        const char *says, *not ;
    } cases[] = {
        {COMMAND_REPLAY, "--out DIR", "--out FILE"},
        {COMMAND_SYNTH, "--out FILE", "--out DIR"},
        {COMMAND_REPLAY, "one JSON object in place", "per packet"},
        {COMMAND_EXPLAIN, "one JSON object per packet", "one JSON object in place"},
        {COMMAND_VERIFY, "one JSON object per feed", "per packet"},
        {COMMAND_REPLAY, "(0 to 64)", NULL},
        {COMMAND_REPLAY, "(1 to 1024; default: 1024)", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = NULL, joined[8192] = "";
        size_t size;
        FILE *out = open_memstream(&text, &size);
        config_print_options(out, cases[i].command);
        fclose(out);
        for (char *word = strtok(text, " \n"); word; word = strtok(NULL, " \n"))
            strcat(strcat(joined, word), " ");
        if (!strstr(joined, cases[i].says) || (cases[i].not &&strstr(joined, cases[i].not )))
            fail_msg("row %zu: %s", i, joined);
        free(text);
    }
}

static void file_write(char *path, const char *text)
{
    int fd = mkstemp(path);
    assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

/* Values that stand several times: in the order given, the command line in place of the file. */
static void test_each(void **state)
{
    (void)state;
    static const struct {
        const char *file, *words, *from[4];
    } cases[] = {
        {"", "", {NULL}},
        {"", "--from pcap:a --from=dpdk:b,queues=2", {"pcap:a", "dpdk:b,queues=2"}},
        {"from: pcap:a\n", "", {"pcap:a"}},
        {"from: [pcap:a, \"dpdk:vdev=x,y\", pcap:a]\n", "", {"pcap:a", "dpdk:vdev=x,y", "pcap:a"}},
        {"from: [pcap:a, pcap:b]\n", "--from pcap:c --from pcap:d", {"pcap:c", "pcap:d"}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char path[] = "/tmp/config.XXXXXX", line[256], copy[256];
        struct config c;
        struct fault fault;
        size_t count = 0;
        file_write(path, cases[i].file);
        snprintf(line, sizeof line, "live --config %s --eal --no-huge %s", path, cases[i].words);
        if (read_words(COMMAND_LIVE, line, &c, &fault, copy) != 0)
            fail_msg("%s", fault.text);
        unlink(path);
        for (; cases[i].from[count]; count++)
            assert_string_equal(c.from.at[count], cases[i].from[count]);
        assert_int_equal(c.from.count, count);
        assert_int_equal(c.eal.count, 1);
        assert_string_equal(c.eal.at[0], "--no-huge");
        config_fini(&c);
    }
}

/* Entries keep their places in the file, whatever stands before them. */
static void test_entries(void **state)
{
    (void)state;
    static const struct {
        const char *file, *telescope; /* NULL: no entries */
    } cases[] = {
        {"telescope: [192.0.2.0/24, 192.0.3.0/24]\n", NULL},
        {"telescope: 192.0.2.0/24\n", NULL},
        {"json: true\ntelescope:\n  - prefix: 192.0.2.0/24\n    from: 2026-01-01\nbatch: 3\n",
         "          \n          \n  - prefix: 192.0.2.0/24\n    from: 2026-01-01\n"},
        {"# \xc3\xbc\ntelescope: [{prefix: 192.0.2.0/24}]\n",
         "   \n           [{prefix: 192.0.2.0/24}]"},
        {"\xef\xbb\xbftelescope: [{prefix: 192.0.2.0/24}]\n",
         "           [{prefix: 192.0.2.0/24}]"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char path[] = "/tmp/config.XXXXXX", line[128], copy[128];
        struct config c;
        struct fault fault;
        file_write(path, cases[i].file);
        snprintf(line, sizeof line, "replay --config %s", path);
        if (read_line(line, &c, &fault, copy) != 0)
            fail_msg("%s", fault.text);
        assert_int_equal(c.telescope_is_yaml, cases[i].telescope != NULL);
        if (cases[i].telescope)
            assert_string_equal(c.telescope, cases[i].telescope);
        config_fini(&c);
        strcat(line, " --telescope 192.0.2.1");
        assert_int_equal(read_line(line, &c, &fault, copy), 0);
        assert_false(c.telescope_is_yaml);
        assert_string_equal(c.telescope, "192.0.2.1");
        config_fini(&c);
        unlink(path);
    }
}

static void finding_take(void *context, const char *key, const struct fault *fault)
{
    strcat(strcat(context, strrchr(fault->text, '/') + 14), "\n");
}

static void test_check(void **state)
{
    (void)state;
    char path[] = "/tmp/config.XXXXXX", found[1000] = "";
    struct config c;
    file_write(path, "workers: many\nbatch: 7\nnonsense: 1\nwindow: 7s\nbatch: 8\n"
                     "from: {a: b}\neal: []\ntelescope: {a: b}\n");
    assert_int_equal(config_check(&c, COMMAND_LIVE, path, finding_take, found), 7);
    assert_string_equal(found, ":1:1: workers: 'many' is not a number from 0 to 64\n"
                               ":3:1: unknown key 'nonsense'\n"
                               ":5:1: key 'batch' a second time\n"
                               ":6:1: from: must be a value or a list of values\n"
                               ":7:1: eal: must be a value or a list of values\n"
                               ":8:1: telescope: must be a value or a list of values\n"
                               ":4:1: window: 7s does not divide an hour\n");
    assert_int_equal(c.batch, 7);
    assert_string_equal(config_subject(&c, "batch") + strlen(path), ":2:1: batch");
    config_fini(&c);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each),     cmocka_unit_test(test_entries),
        cmocka_unit_test(test_check),    cmocka_unit_test(test_good),
        cmocka_unit_test(test_bad),      cmocka_unit_test(test_file),
        cmocka_unit_test(test_subjects), cmocka_unit_test(test_help)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
