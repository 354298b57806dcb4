/* utf8: where the characters of a stranger's text end, and which of them do something to who shows it.
 *
 * Pure functions.
 */
#ifndef EXPORT_UTF8_H
#define EXPORT_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes of the UTF-8 character at `s`, 0 where there is none (RFC 3629: no surrogates, no
 * overlong forms, nothing beyond U+10FFFF). `s` is NUL-terminated. */
size_t utf8_length(const unsigned char *s);

/* Whether the character of `len` bytes is no text: C0, DEL, C1, and marks that are not seen or turn the
 * writing direction. */
bool utf8_is_control(const unsigned char *s, size_t len);

#endif
