/* completion: what shells complete of our command lines, made from the tables of commands and options.
 *
 * Commands, their options, values where these are words that are known, joined by commas where several may be given,
 * files and folders elsewhere.
 */
#ifndef CORE_COMPLETION_H
#define CORE_COMPLETION_H

#include <stdio.h>

/* Prints the script of a shell: "bash", "zsh", "fish". -ENOENT: another one; nothing was printed then. */
int completion_print(FILE *out, const char *shell);

#endif
