#include "export/page_embedded.h"

#include "export/json_string.h"
#include "export/ledger.h"
#include "export/utf8.h"
#include "export/words.h"

#include <string.h>

static void html_text(FILE *out, const char *text)
{
    static const struct {
        char of;
        const char *as;
    } marks[] = {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}, {'\'', "&#39;"}};
    for (const unsigned char *s = (const unsigned char *)text; *s != '\0';) {
        size_t len = utf8_length(s), at = 0;
        while (at < sizeof marks / sizeof *marks && marks[at].of != (char)*s)
            at++;
        if (len == 0 || (*s != '\n' && utf8_is_control(s, len)))
            fputs("\xef\xbf\xbd", out);
        else if (at < sizeof marks / sizeof *marks)
            fputs(marks[at].as, out);
        else
            fwrite(s, 1, len, out);
        s += len == 0 ? 1 : len;
    }
}

/* In a script element nothing is escaped but by JSON itself: no `<` of a name may end it. A line separator ends a line of
 * script, and other marks that are not seen or turn the writing direction are no text. */
static void json_block(FILE *out, const char *json)
{
    for (const unsigned char *s = (const unsigned char *)json; *s != '\0';) {
        size_t len = utf8_length(s);
        if (len == 0 || (len > 1 && utf8_is_control(s, len)))
            fputs("\\ufffd", out);
        else if (*s == '<' || *s == '>' || *s == '&')
            fprintf(out, "\\u%04x", *s);
        else
            fwrite(s, 1, len, out);
        s += len == 0 ? 1 : len;
    }
}

/* ---- words */

static void pair_print(FILE *out, const char *before, const char *name, const char *en,
                       const char *ja)
{
    fprintf(out, "%s\"%s\":[", before, name);
    json_string(out, en);
    fputc(',', out);
    json_string(out, ja);
    fputc(']', out);
}

/* Definitions, in both languages, from where the text has them. Nothing in them ends a script element. */
static void words_print(FILE *out)
{
    fputs("{\"numerators\":{", out);
    for (unsigned i = DENOMINATOR_COUNT; i < SHARE_MARK_COUNT; i++)
        pair_print(out, i > DENOMINATOR_COUNT ? "," : "", mark_name(i), word_numerator(i, false),
                   word_numerator(i, true));
    fputs("},\"denominators\":{", out);
    for (unsigned i = 0; i < SHARE_OVER_COUNT; i++)
        pair_print(out, i > 0 ? "," : "", share_over_name(i), word_denominator(i, false),
                   word_denominator(i, true));
    fputs("},\"kinds\":{", out);
    for (unsigned i = 0; i < KIND_COUNT; i++)
        pair_print(out, i > 0 ? "," : "", kind_name(i), word_kind(i, false), word_kind(i, true));
    fputs("},\"drops\":{", out);
#define X(name, en, ja) pair_print(out, DROP_##name > 0 ? "," : "", #name, en, ja);
    LEDGER_DROPS(X)
#undef X
    fputs("},\"words\":{", out);
    for (unsigned i = 0; i < WORD_COUNT; i++)
        pair_print(out, i > 0 ? "," : "", word_name(i), word(i, false), word(i, true));
    fputs("}}", out);
}

/* ---- marks */

static void bytes(FILE *out, const unsigned char *at, size_t len) { fwrite(at, 1, len, out); }

static void head_print(FILE *out, const struct html_page *p)
{
    if (p->data == NULL) {
        fputs("<link rel=\"stylesheet\" href=\"/page.css\">\n<script src=\"/chart.js\" "
              "defer></script>\n<script src=\"/page.js\" defer></script>",
              out);
        return;
    }
    fprintf(out,
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
            "'%s'; script-src '%s' '%s'; img-src data:; base-uri 'none'; form-action 'none'\">\n"
            "<style>",
            page_style_policy, page_chart_policy, page_script_policy);
    bytes(out, page_style, page_style_len);
    fputs("</style>", out);
}

static void noscript_print(FILE *out, const struct html_page *p)
{
    if (p->text == NULL) {
        fputs("<p class=\"notes\">This page needs JavaScript; <a href=\"/api/v1/days/today\">its "
              "numbers</a> do not. / このページの表示には JavaScript が必要です。<a "
              "href=\"/api/v1/days/today\">数値</a>はそのまま読めます。</p>",
              out);
        return;
    }
    fputs("<p class=\"notes\">", out);
    html_text(out, word(WORD_chart_needs, p->is_japanese));
    fputs("</p>\n<div class=\"scroll\"><pre>", out);
    html_text(out, p->text);
    fputs("</pre></div>", out);
}

static void scripts_print(FILE *out, const struct html_page *p)
{
    if (p->data == NULL)
        return;
    fputs("<script type=\"application/json\" id=\"data\">", out);
    json_block(out, p->data);
    fputs("</script>\n<script>", out);
    bytes(out, page_chart, page_chart_len);
    fputs("</script>\n<script>", out);
    bytes(out, page_script, page_script_len);
    fputs("</script>", out);
}

static void lang_print(FILE *out, const struct html_page *p)
{
    fputs(p->is_japanese ? "ja" : "en", out);
}

static void title_print(FILE *out, const struct html_page *p)
{
    html_text(out, p->title == NULL ? "yamiscope" : p->title);
}

static void words_mark(FILE *out, const struct html_page *p)
{
    (void)p;
    words_print(out);
}

static const struct {
    const char *mark;
    void (*print)(FILE *out, const struct html_page *p);
} marks[] = {{"@LANG@", lang_print},  {"@HEAD@", head_print},         {"@TITLE@", title_print},
             {"@WORDS@", words_mark}, {"@NOSCRIPT@", noscript_print}, {"@SCRIPTS@", scripts_print}};

void html_page_print(FILE *out, const struct html_page *p)
{
    const char *at = (const char *)page_html, *end = at + page_html_len;
    while (at < end) {
        const char *next = memchr(at, '@', (size_t)(end - at));
        size_t i = 0, count = sizeof marks / sizeof *marks;
        next = next == NULL ? end : next;
        fwrite(at, 1, (size_t)(next - at), out);
        while (next < end && i < count && strncmp(next, marks[i].mark, strlen(marks[i].mark)) != 0)
            i++;
        if (next < end && i < count)
            marks[i].print(out, p);
        else if (next < end)
            fputc('@', out);
        at = next == end ? end : next + (i < count ? strlen(marks[i].mark) : 1);
    }
}
