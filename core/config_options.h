/* config_options: the option table, which makes command lines, config files, help and defaults. Part of config.
 *
 * A name may stand several times, for different commands.
 */
#ifndef CORE_CONFIG_OPTIONS_H
#define CORE_CONFIG_OPTIONS_H

#include "core/config.h"

#include <stddef.h>
#include <stdint.h>

enum option_type {
    OPTION_FLAG,
    OPTION_TEXT,
    OPTION_LIST,    /* values joined by commas, in a file a sequence, too */
    OPTION_ENTRIES, /* the same; in a file also a sequence of mappings: the telescope alone */
    OPTION_EACH,    /* a struct config_list */
    OPTION_COUNT,
    OPTION_SPAN,
    OPTION_MILLI
};

struct option {
    const char *name;
    char letter; /* 0: none */
    const char *argument;
    const char *help;
    const char *initial; /* as it would be given; NULL: none */
    uint64_t min, max;   /* counts and spans (ns) */
    size_t at;           /* offset in struct config */
    enum option_type type;
    unsigned commands;
    const char *
        words; /* the values that there are, parted by spaces: "en ja"; one that ends in : or / only begins
                          a value. NULL: any */
};

enum { OPTIONS_MAX = 256, OPTION_TEXT_MAX = 640 };

extern const struct option config_options[];
extern const size_t config_option_count; /* at most OPTIONS_MAX */

/* What an option does, its limits and its default where these say something: one paragraph in `to`. */
void config_option_text(const struct option *o, char to[OPTION_TEXT_MAX]);

#endif
