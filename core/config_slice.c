#include "core/config_slice.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of the character that begins with `byte`. */
static size_t width(unsigned char byte)
{
    return byte < 0x80 ? 1 : byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
}

/* YAML 1.1 breaks lines at LF, CR, NEL, LS and PS. */
static size_t is_break(const char *at, size_t len)
{
    static const char *const breaks[] = {"\n", "\r", "\xc2\x85", "\xe2\x80\xa8", "\xe2\x80\xa9"};
    for (size_t i = 0; i < sizeof breaks / sizeof *breaks; i++) {
        size_t size = strlen(breaks[i]);
        if (size <= len && memcmp(at, breaks[i], size) == 0)
            return size;
    }
    return 0;
}

char *config_slice(const char *bytes, size_t len, const yaml_mark_t *start, const yaml_mark_t *end)
{
    static const char bom[] = "\xef\xbb\xbf";
    if (len >= 2 && (memcmp(bytes, "\xff\xfe", 2) == 0 || memcmp(bytes, "\xfe\xff", 2) == 0)) {
        errno = EINVAL;
        return NULL;
    }
    char *slice = malloc(len + 1);
    if (!slice)
        return NULL;
    size_t at = len >= 3 && memcmp(bytes, bom, 3) == 0 ? 3 : 0, kept = 0;
    for (size_t i = 0; at < len && i < end->index; i++) { /* marks count characters */
        size_t size = width((unsigned char)bytes[at]);
        size = size < len - at ? size : len - at;
        if (i >= start->index || is_break(bytes + at, len - at) > 0) {
            memcpy(slice + kept, bytes + at, size);
            kept += size;
        } else {
            slice[kept++] = ' ';
        }
        at += size;
    }
    slice[kept] = '\0';
    return slice;
}
