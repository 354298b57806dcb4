/* option_value: what the value of an option is, for those who complete it: shells. Told by the option table alone.
 */
#ifndef CORE_OPTION_VALUE_H
#define CORE_OPTION_VALUE_H

#include "core/config_options.h"

enum option_value {
    VALUE_NONE,   /* a flag takes none */
    VALUE_WORD,   /* one of o->words */
    VALUE_WORDS,  /* several of o->words, joined by commas */
    VALUE_FOLDER, /* its argument names a DIR */
    VALUE_FILE,   /* or a FILE or a PATH, be it among others: "PREFIX,...|FILE" */
    VALUE_ANY
};

enum option_value option_value(const struct option *o);

/* The words of what follows a command: "list|check [DIR]" begins with the word list or check; then, and everywhere else,
 * files and folders. Copies "list check" to `to`, or "". */
enum { ARGUMENT_WORDS = 64 };
void argument_words(const char *arguments, char to[ARGUMENT_WORDS]);

/* Whether files may follow a command: its arguments name a PATH, FILE, FEED, DIR or CONFIG that is no option's. */
bool argument_has_files(const char *arguments);

#endif
