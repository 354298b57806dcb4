/* damage_text: what is wrong with inputs, in the words of summaries and messages. */
#ifndef EXPORT_DAMAGE_TEXT_H
#define EXPORT_DAMAGE_TEXT_H

#include "capture/capture.h"

#include <stddef.h>

/* "damaged", "foreign", "unread": for programs. */
const char *damage_kind_name(enum damage_kind kind);

/* "damaged", "no capture", "not read": for people. */
const char *damage_kind_label(enum damage_kind kind);

enum { DAMAGE_PLACE = 96 };

/* "byte 1048576: ", "bytes 0 to 70000: " of a compressed file; "" where no place helps to find it. Returns `text`. */
const char *damage_place(const struct damage *d, char text[DAMAGE_PLACE]);

/* "1 damaged, 19 no captures": how many inputs; "none damaged". An input with two kinds of damage
 * stands in both. `list` may be NULL. Returns the length, as snprintf does. */
int damage_count_text(const struct damage_list *list, char *text, size_t size);

#endif
