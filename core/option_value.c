#include "core/option_value.h"

#include <ctype.h>
#include <string.h>

enum option_value option_value(const struct option *o)
{
    if (o->type == OPTION_FLAG)
        return VALUE_NONE;
    if (o->words)
        return o->type == OPTION_LIST ? VALUE_WORDS : VALUE_WORD;
    if (strstr(o->argument, "DIR"))
        return VALUE_FOLDER;
    return strstr(o->argument, "FILE") || strstr(o->argument, "PATH") ? VALUE_FILE : VALUE_ANY;
}

void argument_words(const char *arguments, char to[ARGUMENT_WORDS])
{
    size_t len = strcspn(arguments, " ");
    to[0] = '\0';
    if (!islower((unsigned char)arguments[0]) || len >= ARGUMENT_WORDS)
        return;
    memcpy(to, arguments, len);
    to[len] = '\0';
    for (char *bar = to; (bar = strchr(bar, '|'));)
        *bar = ' ';
}

bool argument_has_files(const char *arguments)
{
    static const char *const names[] = {"PATH", "FILE", "FEED", "DIR", "CONFIG"};
    bool is_value = false;
    for (const char *at = arguments; *at;) {
        size_t len = strcspn(at, " ");
        bool is_option = at[0] == '-' || (at[0] == '[' && at[1] == '-');
        for (size_t i = 0; !is_option && !is_value && i < sizeof names / sizeof *names; i++)
            if (memmem(at, len, names[i], strlen(names[i])))
                return true;
        is_value = is_option;
        at += len + (at[len] == ' ');
    }
    return false;
}
