/* text_width: how many terminal columns UTF-8 text takes, and where to wrap it.
 *
 * East Asian wide and fullwidth characters take two columns (Unicode Standard Annex 11, the blocks
 * that hold them), combining marks none. Bytes that are no UTF-8 count one each. Pure functions.
 */
#ifndef CLASSIFY_TEXT_WIDTH_H
#define CLASSIFY_TEXT_WIDTH_H

#include <stddef.h>

/* Columns of the first `len` bytes. */
size_t text_width(const char *text, size_t len);

/* Bytes of `text` that fit into `columns`: all of it, or up to a blank (not counted) or between
 * two wide characters, or, where there is no such place, as many characters as fit; at least one
 * where the text is not empty. The blanks that follow are the caller's to skip. */
size_t text_wrap(const char *text, size_t columns);

#endif
