/* manual: man pages, made from the tables of commands and options, so that nothing is said twice.
 *
 * Dated by the version (core/version.py), never by a clock.
 */
#ifndef CORE_MANUAL_H
#define CORE_MANUAL_H

#include <stdio.h>

/* Prints a page as man(7) has it: of the program ("yamiscope"), the config file ("yamiscope-config") or a command
 * ("yamiscope-replay"). -ENOENT: there is no such page; nothing was printed then. */
int manual_print(FILE *out, const char *page);

#endif
