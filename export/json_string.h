/* json_string: text of anybody's as a JSON string.
 *
 * Pure but for the stream, whose errors are the caller's to check.
 */
#ifndef EXPORT_JSON_STRING_H
#define EXPORT_JSON_STRING_H

#include <stdio.h>

/* Writes `text` with its quotes; bytes that are no UTF-8 (file names may hold any) become U+FFFD. */
void json_string(FILE *out, const char *text);

#endif
