/* roff: text of ours as man(7) has it.
 */
#ifndef CORE_ROFF_H
#define CORE_ROFF_H

#include <stdio.h>

/* Prints text so that it reads as it stands: backslashes, a hyphen that is one of a program's (all are), a dot or a quote
 * that begins a line. `code` is bold, without the quotes. A single newline is a space, for roff fills lines itself;
 * two begin a paragraph. Lines are broken before column 80. Ends without a newline. */
void roff_text(FILE *out, const char *text);

/* The same for one line that is not filled, such as an example. */
void roff_line(FILE *out, const char *text);

/* The same in one font, 'B' or 'I', on the line that is being written. */
void roff_font(FILE *out, char font, const char *text, size_t len);

/* "list|check [DIR]", "FEED... -o DIR": what is typed as it stands is bold, what stands for something is italic. */
void roff_arguments(FILE *out, const char *arguments);

#endif
