/* What a command's help says of its options. */
#include "core/config_options.h"

#include <string.h>

enum { NUMBER_SHOWN = 65536 };

/* Prints `text` from column 30, broken at spaces before column 100. */
static void print_wrapped(FILE *out, const char *text)
{
    enum { LEFT = 30, WIDTH = 70 };
    while (strlen(text) > WIDTH) {
        int len = WIDTH;
        while (len > 0 && text[len] != ' ')
            len--;
        fprintf(out, "%.*s\n%*s", len, text, LEFT, "");
        text += len + 1;
    }
    fprintf(out, "%s", text);
}

void config_option_text(const struct option *o, char to[OPTION_TEXT_MAX])
{
    bool has_limits = o->type == OPTION_COUNT && o->max <= NUMBER_SHOWN;
    bool has_default = o->initial && strcmp(o->initial, "0") != 0;
    char limits[64] = "";

    if (has_limits)
        snprintf(limits, sizeof limits, "%llu to %llu", (unsigned long long)o->min,
                 (unsigned long long)o->max);
    snprintf(to, OPTION_TEXT_MAX, "%s%s%s%s%s%s%s", o->help, has_limits || has_default ? " (" : "",
             limits, has_limits && has_default ? "; " : "", has_default ? "default: " : "",
             has_default ? o->initial : "", has_limits || has_default ? ")" : "");
}

void config_print_options(FILE *out, enum command_bit command)
{
    for (size_t i = 0; i < config_option_count; i++) {
        const struct option *o = &config_options[i];
        if (!(o->commands & command))
            continue;
        char left[64], text[OPTION_TEXT_MAX];
        snprintf(left, sizeof left, "%c%c%s--%s %s", o->letter ? '-' : ' ',
                 o->letter ? o->letter : ' ', o->letter ? ", " : "  ", o->name,
                 o->argument ? o->argument : "");
        fprintf(out, "  %-27s ", left);
        if (strlen(left) > 27)
            fprintf(out, "\n%30s", "");
        config_option_text(o, text);
        print_wrapped(out, text);
        fputc('\n', out);
    }
}
