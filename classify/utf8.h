/* utf8: a stranger's text, which may be no text: whether it may be shown, and what can be shown of it.
 *
 * Pure.
 */
#ifndef CLASSIFY_UTF8_H
#define CLASSIFY_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Whether `len` bytes are UTF-8 (shortest forms, no surrogates, up to U+10FFFF; RFC 3629) without control
 * characters (C0, DEL, C1), line and paragraph separators, or the marks that turn a line's direction
 * (U+202A to U+202E, U+2066 to U+2069). */
bool utf8_is_showable(const char *text, size_t len);

/* Copies a text into `size` bytes (at least 1), ended by a zero byte, so that utf8_is_showable holds: each byte
 * that belongs to no UTF-8, and each character that is not shown, becomes U+FFFD. What does not fit is cut behind a
 * whole character. Returns the length. */
size_t utf8_clean(char *to, size_t size, const char *text, size_t len);

/* The greatest length up to `max` that cuts no character of a text that is UTF-8. */
size_t utf8_cut(const char *text, size_t len, size_t max);

#endif
