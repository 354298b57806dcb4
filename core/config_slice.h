/* config_slice: a part of a YAML text that can be read by itself and still knows its places. Pure.
 */
#ifndef CORE_CONFIG_SLICE_H
#define CORE_CONFIG_SLICE_H

#include <stddef.h>
#include <yaml.h>

/* What stands in a UTF-8 text between two of libyaml's marks, behind as many line breaks and blanks as what stands before
 * it has lines and columns: whoever reads it finds everything at its place. Caller frees; NULL with errno: EINVAL where
 * the text is none of UTF-8, or ENOMEM. */
char *config_slice(const char *bytes, size_t len, const yaml_mark_t *start, const yaml_mark_t *end);

#endif
