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
};

enum { OPTIONS_MAX = 128 };

extern const struct option config_options[];
extern const size_t config_option_count; /* at most OPTIONS_MAX */

#endif
