/* terminal: how stdout shows text.
 *
 * Reads the process's environment; main thread.
 */
#ifndef CORE_TERMINAL_H
#define CORE_TERMINAL_H

#include <stdbool.h>

/* Columns of the terminal; elsewhere what COLUMNS says, as other tools do; 0: neither is known. */
unsigned terminal_width(void);

/* `when`: "auto", "always", "never". Automatic colours are for a terminal whose user has not set NO_COLOR. */
bool terminal_has_color(const char *when);

/* Sets the locale for characters as the environment has it, and says whether it is UTF-8. */
bool terminal_is_utf8(void);

#endif
