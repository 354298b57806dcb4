/* Text as man(7) has it. */
#include "core/roff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void check(void (*print)(FILE *out, const char *text), const char *text,
                  const char *expected)
{
    char *is = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&is, &len);
    assert_non_null(out);
    print(out, text);
    fclose(out);
    assert_string_equal(is, expected);
    free(is);
}

static void test_text(void **state)
{
    (void)state;
    static const struct {
        const char *text, *is;
    } cases[] = {
        {"", ""},
        {"plain words", "plain words"},
        {"--json, -o", "\\-\\-json, \\-o"},
        {"a\\b", "a\\eb"},
        {"it's ~ ^", "it\\(aqs \\(ti \\(ha"},
        {".TH is no macro here", "\\&.TH is no macro here"},
        {"one\n.two", "one .two"},
        {"one\ntwo\n", "one two"},
        {"one\n\n.two\n", "one\n.PP\n\\&.two"},
        {"one  two ", "one two"},
        {"of `rules list`, and", "of \\fBrules list\\fR, and"},
        {"`replay --json`", "\\fBreplay \\-\\-json\\fR"},
        {"a ` alone", "a \\(ga alone"},
        {"`code` and ` alone", "\\fBcode\\fR and \\(ga alone"},
        {"1234567890 1234567890 1234567890 1234567890 1234567890 1234567890 1234567890 .90",
         "1234567890 1234567890 1234567890 1234567890 1234567890 1234567890 1234567890\n\\&.90"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(roff_text, cases[i].text, cases[i].is);
}

static void test_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *is;
    } cases[] = {
        {"yamiscope replay --filter \"tcp port 23\" -o a.pcap",
         "yamiscope replay \\-\\-filter \"tcp port 23\" \\-o a.pcap"},
        {"./a  b", "\\&./a  b"},
        {"1234567890 1234567890 1234567890 1234567890 1234567890 1234567890 1234567890 123",
         "1234567890 1234567890 1234567890 1234567890 1234567890 1234567890 1234567890 123"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(roff_line, cases[i].text, cases[i].is);
}

static void test_arguments(void **state)
{
    (void)state;
    static const struct {
        const char *text, *is;
    } cases[] = {
        {"PATH...", "\\fIPATH...\\fR"},
        {"FEED... -o DIR", "\\fIFEED...\\fR \\fB\\-o\\fR \\fIDIR\\fR"},
        {"list|check [DIR]", "\\fBlist|check\\fR \\fI[DIR]\\fR"},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(roff_arguments, cases[i].text, cases[i].is);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_line),
        cmocka_unit_test(test_arguments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
