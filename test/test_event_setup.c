/* Which events are looked for where several receivers count by themselves. */
#include "core/event_setup.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static unsigned said;

static void say(const char *line)
{
    assert_non_null(strstr(line, "take workers"));
    said++;
}

static const struct {
    char *words[4];
    const char *types, *left, *fault; /* left NULL: refused */
    unsigned said;
} cases[] = {
    {{"--workers=0"}, "all", "infected,new_activity", NULL, 1},
    {{"--workers=0"}, "infected", "infected", NULL, 0},
    {{"--workers=0", "--events=infected,new_activity"},
     "infected,new_activity",
     "infected,new_activity",
     NULL,
     0},
    {{"--workers=0", "--events=none"}, "none", "none", NULL, 0},
    {{"--workers=0", "--events=dos"}, "dos", NULL, "--workers: 0: what is told of as 'dos'", 0},
    {{"--workers=0", "--events=all"}, "all", NULL, "'scan'", 0},
    {{"--workers=0", "--events.watched=/x"}, "all", NULL, "it takes workers", 0},
};

static void splits(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *argv[4];
        int argc = 0;
        for (; argc < 4 && cases[i].words[argc]; argc++)
            argv[argc] = cases[i].words[argc];
        struct config c;
        struct event_setup e = {0};
        struct fault fault = {0};
        uint32_t left = 0;
        if (config_init(&c, COMMAND_LIVE, argc, argv, &fault) < 0)
            fail_msg("%zu: %s", i, fault.text);
        assert_int_equal(event_types_parse(cases[i].types, &e.settings.types, &fault), 0);
        said = 0;
        int err = event_setup_split(&e, &c, say, &fault);
        assert_int_equal(err, cases[i].left ? 0 : -EINVAL);
        assert_int_equal(said, cases[i].said);
        if (!cases[i].left && !strstr(fault.text, cases[i].fault))
            fail_msg("%zu: %s", i, fault.text);
        if (cases[i].left) {
            assert_int_equal(event_types_parse(cases[i].left, &left, &fault), 0);
            assert_int_equal(e.settings.types, left);
        }
        config_fini(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(splits)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
