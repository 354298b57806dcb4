/* What names a receiver of events: a case per line. */
#include "export/courier_state.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define SCAN_DOS (1u << EVENT_scan | 1u << EVENT_dos)

static void specs(void **state)
{
    static const struct {
        const char *spec, *target, *name; /* target NULL: refused; name: a word of the fault then */
        uint32_t types, phases;           /* 0: all */
        uint64_t timeout_ms;
        unsigned tries;
        const char *cursor, *organisation;
        bool has_shell;
    } cases[] = {
        {"webhook:http://a/b", "http://a/b", "webhook:http://a", 0, 0, 10000, 5, "", "", false},
        {"webhook:HTTPS://a:8/b?token=x", "HTTPS://a:8/b?token=x", "webhook:HTTPS://a:8", 0, 0,
         10000, 5, "", "", false},
        {"webhook:https://a?token=x", "https://a?token=x", "webhook:https://a", 0, 0, 10000, 5, "",
         "", false},
        {"webhook:https://[::1]:9/x#types=scan,dos&phases=end&timeout=3s&cursor=/c",
         "https://[::1]:9/x", "webhook:https://[::1]:9", SCAN_DOS, 1u << EVENT_ENDS, 3000, 5, "/c",
         "", false},
        {"webhook:https://a/#organisation=Example & Sons", NULL, "no option"},
        {"webhook:https://a/#organisation=例大学", "https://a/", "webhook:https://a", 0, 0, 10000,
         5, "", "例大学", false},
        {"command:/bin/true", "/bin/true", "command:/bin/true", 0, 0, 10000, 5, "", "", false},
        {"command:/x#tries=1000&shell=yes", "/x", "command:/x", 0, 0, 10000, 1000, "", "", true},
        {"command:mail -s x#shell=yes", "mail -s x", "command:mail -s x", 0, 0, 10000, 5, "", "",
         true},
        {"webhook:", NULL, "http://"},
        {"webhook:ftp://a/", NULL, "http://"},
        {"webhook:file:///etc/passwd", NULL, "http://"},
        {"webhook:http:///x", NULL, "no host"},
        {"webhook:http://?x", NULL, "no host"},
        {"webhook:https://user:pw@a/", NULL, "secret_file"},
        {"command:", NULL, "whole path"},
        {"command:true", NULL, "whole path"},
        {"command:#shell=yes", NULL, "whole path"}, /* nothing would succeed with each event */
        {"redis://a", NULL, "names no webhook"},
        {"", NULL, "names no webhook"},
        {"webhook:http://a/#", NULL, "no option"},
        {"webhook:http://a/#types", NULL, "no option"},
        {"webhook:http://a/#types=", NULL, "no type"},
        {"webhook:http://a/#types=scan,", NULL, "no type"},
        {"webhook:http://a/#types=open", NULL, "no type"},
        {"webhook:http://a/#phases=goes", NULL, "no type or phase"},
        {"webhook:http://a/#timeout=0s", NULL, "timeout"},
        {"webhook:http://a/#timeout=3601s", NULL, "timeout"},
        {"webhook:http://a/#timeout=-1s", NULL, "timeout"},
        {"webhook:http://a/#timeout=10", NULL, "timeout"},
        {"webhook:http://a/#timeout=99999999999999999999s", NULL, "timeout"},
        {"webhook:http://a/#tries=3", NULL, "tries"},
        {"webhook:http://a/#shell=yes", NULL, "shell"},
        {"webhook:http://a/#cursor=", NULL, "cursor"},
        {"webhook:http://a/#organisation=", NULL, "organisation"},
        {"webhook:http://a/#secret_file=/nowhere/at/all", NULL, "/nowhere/at/all"},
        {"webhook:http://a/#secret_file=/", NULL, "no file"},
        {"command:/x#secret_file=/y", NULL, "secret_file"},
        {"command:/x#tries=0", NULL, "tries"},
        {"command:/x#tries=1001", NULL, "tries"},
        {"command:/x#shell=no", NULL, "shell"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct courier_spec s;
        struct fault fault = {0};
        int err = courier_spec_read(&s, cases[i].spec, &fault);
        if (cases[i].target == NULL) {
            if (err == 0 || strstr(fault.text, cases[i].name) == NULL)
                fail_msg("'%s': %d, '%s'", cases[i].spec, err, fault.text);
            continue;
        }
        if (err != 0)
            fail_msg("'%s': %s", cases[i].spec, fault.text);
        assert_string_equal(s.target, cases[i].target);
        assert_string_equal(s.name, cases[i].name);
        assert_int_equal(s.types, cases[i].types ? cases[i].types : UINT32_MAX);
        assert_int_equal(s.phases, cases[i].phases ? cases[i].phases : UINT32_MAX);
        assert_int_equal(s.timeout_ms, cases[i].timeout_ms);
        assert_int_equal(s.tries, cases[i].tries);
        assert_string_equal(s.cursor, cases[i].cursor);
        assert_string_equal(s.organisation, cases[i].organisation);
        assert_int_equal(s.has_shell, cases[i].has_shell);
        assert_int_equal(s.secret_len, 0);
    }
}

/* Beyond what there is room for: refused, never cut. */
static void long_ones(void **state)
{
    static char spec[3 * COURIER_TEXT] = "webhook:http://";
    struct courier_spec s;
    struct fault fault;
    memset(spec + 15, 'a', sizeof spec - 16);
    assert_int_equal(courier_spec_read(&s, spec, &fault), -EINVAL);
    spec[900] = 0;
    assert_int_equal(courier_spec_read(&s, spec, &fault), 0);
    assert_string_equal(s.target, spec + 8);
}

static void secrets(void **state)
{
    static const struct {
        const char *text;
        size_t len;
        mode_t mode;
        size_t taken; /* 0: refused */
    } cases[] = {
        {"key\n", 4, 0600, 3}, {"key\r\n", 5, 0400, 3}, {"a\0b", 3, 0600, 3}, {"key", 3, 0600, 3},
        {"key", 3, 0640, 0},   {"key", 3, 0604, 0},     {"\n", 1, 0600, 0},   {"", 0, 0600, 0},
    };
    char dir[] = "/tmp/courier-spec.XXXXXX", path[64], spec[128];
    struct courier_spec s;
    struct fault fault;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/key", dir);
    snprintf(spec, sizeof spec, "webhook:https://a/#secret_file=%s", path);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        FILE *f = fopen(path, "wb");
        assert_int_equal(fwrite(cases[i].text, 1, cases[i].len, f), cases[i].len);
        assert_int_equal(fclose(f), 0);
        assert_int_equal(chmod(path, cases[i].mode), 0);
        int err = courier_spec_read(&s, spec, &fault);
        if ((err == 0) != (cases[i].taken > 0) || s.secret_len != cases[i].taken)
            fail_msg("secret %zu: %d, %zu bytes", i, err, s.secret_len);
        if (err == 0)
            assert_memory_equal(s.secret, cases[i].text, cases[i].taken);
        unlink(path);
    }
    rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(specs),
        cmocka_unit_test(long_ones),
        cmocka_unit_test(secrets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
