/* config.h has the manual: where values were given, for messages. */
#include "core/config_options.h"

#include <string.h>

const char *config_subject_find(const struct config *c, const char *text)
{
    for (size_t i = 0; i < config_option_count; i++) {
        const char *subject = c->said_at[i];
        bool is_given = c->given[i / 64] >> i % 64 & 1;
        if (is_given && subject && !strncmp(text, subject, strlen(subject)) &&
            !strncmp(text + strlen(subject), ": ", 2))
            return config_options[i].name;
    }
    return NULL;
}

const char *config_subject(const struct config *c, const char *option)
{
    const char *found = NULL;
    for (size_t i = 0; i < config_option_count; i++) {
        bool is_given = c->given[i / 64] >> i % 64 & 1;
        if (!strcmp(config_options[i].name, option) && c->said_at[i] && (!found || is_given))
            found = c->said_at[i];
    }
    return found ? found : option;
}

bool config_is_given(const struct config *c, const char *option)
{
    for (size_t i = 0; i < config_option_count; i++)
        if (!strcmp(config_options[i].name, option) && c->given[i / 64] >> i % 64 & 1)
            return true;
    return false;
}
