/* What shells complete behind an option and a command. */
#include "core/option_value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct option *find(enum command_bit command, const char *name)
{
    for (size_t i = 0; i < config_option_count; i++)
        if (config_options[i].commands & command && !strcmp(config_options[i].name, name))
            return &config_options[i];
    fail_msg("no option %s", name);
    return NULL;
}

static void test_values(void **state)
{
    (void)state;
    static const struct {
        enum command_bit command;
        const char *name;
        enum option_value is;
    } cases[] = {
        {COMMAND_REPLAY, "json", VALUE_NONE},      {COMMAND_REPLAY, "help", VALUE_NONE},
        {COMMAND_REPLAY, "lang", VALUE_WORD},      {COMMAND_REPORT, "per", VALUE_WORD},
        {COMMAND_SYNTH, "profile", VALUE_WORD},    {COMMAND_LIVE, "from", VALUE_WORD},
        {COMMAND_REPLAY, "decap", VALUE_WORDS},    {COMMAND_EXPLAIN, "spoof-tests", VALUE_WORDS},
        {COMMAND_REPLAY, "out", VALUE_FOLDER},     {COMMAND_SYNTH, "out", VALUE_FILE},
        {COMMAND_REPLAY, "rules", VALUE_FOLDER},   {COMMAND_LIVE, "record", VALUE_FOLDER},
        {COMMAND_REPLAY, "telescope", VALUE_FILE}, {COMMAND_EXPORT, "anonymise", VALUE_FILE},
        {COMMAND_REPLAY, "lists", VALUE_FILE},     {COMMAND_REPLAY, "config", VALUE_FILE},
        {COMMAND_REPLAY, "top", VALUE_ANY},        {COMMAND_REPLAY, "filter", VALUE_ANY},
        {COMMAND_LIVE, "listen", VALUE_ANY},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (option_value(find(cases[i].command, cases[i].name)) != cases[i].is)
            fail_msg("%s", cases[i].name);
}

/* A value that is typed by its word must be one that the table's own default is of. */
static void test_defaults(void **state)
{
    (void)state;
    for (size_t i = 0; i < config_option_count; i++) {
        const struct option *o = &config_options[i];
        if (!o->words || !o->initial)
            continue;
        char words[512], initial[64];
        snprintf(words, sizeof words, " %s ", o->words);
        snprintf(initial, sizeof initial, " %s ", o->initial);
        if (!strstr(words, initial))
            fail_msg("--%s: its default %s is none of: %s", o->name, o->initial, o->words);
    }
}

static void test_arguments(void **state)
{
    (void)state;
    static const struct {
        const char *arguments, *words;
        bool has_files;
    } cases[] = {
        {"PATH...", "", true},
        {"FEED... -o DIR", "", true},
        {"-o FILE", "", false},
        {"--from SPEC [-o DIR]", "", false},
        {"list|check [DIR]", "list check", true},
        {"import|show PATH...", "import show", true},
        {"ADDR|PREFIX|AS FEED...", "", true},
        {"PROTO/N FEED...", "", true},
        {"CONFIG", "", true},
        {"NAME", "", false},
        {"", "", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char words[ARGUMENT_WORDS];
        argument_words(cases[i].arguments, words);
        assert_string_equal(words, cases[i].words);
        if (argument_has_files(cases[i].arguments) != cases[i].has_files)
            fail_msg("%s", cases[i].arguments);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_arguments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
