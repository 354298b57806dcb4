#include "export/render_page.h"

#include <inttypes.h>

static void label_print(const struct page *p, const char *label)
{
    fprintf(p->text.out, "%*s", PAGE_INDENT, "");
    unsigned used = text_print(&p->text, TEXT_DIM, label, PAGE_LABEL);
    fprintf(p->text.out, "%*s", (int)(PAGE_LABEL - used), "");
}

void page_line(const struct page *p, const char *label, enum text_style style, const char *words)
{
    label_print(p, label);
    text_paragraph(&p->text, style, words, PAGE_INDENT + PAGE_LABEL);
}

void page_name(const struct page *p, const char *label, enum text_style style, const char *name)
{
    label_print(p, label);
    text_print(&p->text, style, name, p->text.width - PAGE_INDENT - PAGE_LABEL);
    fputc('\n', p->text.out);
}

void page_note(const struct page *p, const char *words)
{
    fprintf(p->text.out, "%*s", PAGE_INDENT, "");
    text_paragraph(&p->text, TEXT_DIM, words, PAGE_INDENT);
}

void page_span(uint64_t ns, char to[64])
{
    uint64_t s = ns / 1000000000;
    if (s < 60)
        snprintf(to, 64, "%.3f s", (double)ns / 1e9);
    else if (s < 3600)
        snprintf(to, 64, "%" PRIu64 " min %02" PRIu64 " s", s / 60, s % 60);
    else if (s < 86400)
        snprintf(to, 64, "%" PRIu64 " h %02" PRIu64 " min %02" PRIu64 " s", s / 3600, s / 60 % 60,
                 s % 60);
    else
        snprintf(to, 64, "%" PRIu64 " d %02" PRIu64 " h %02" PRIu64 " min", s / 86400,
                 s / 3600 % 24, s / 60 % 60);
}
