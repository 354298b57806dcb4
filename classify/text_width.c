#include "classify/text_width.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Reads one character of at most `len` bytes (> 0); returns its bytes. */
static size_t take(const char *text, size_t len, uint32_t *character)
{
    const uint8_t *b = (const uint8_t *)text;
    size_t need = b[0] < 0xc2 ? 1 : b[0] < 0xe0 ? 2 : b[0] < 0xf0 ? 3 : b[0] < 0xf5 ? 4 : 1;
    *character = need == 1 ? b[0] : b[0] & (0xff >> (need + 1));
    for (size_t i = 1; i < need; i++) {
        if (i == len || (b[i] & 0xc0) != 0x80) {
            *character = b[0];
            return 1;
        }
        *character = *character << 6 | (b[i] & 0x3f);
    }
    return need;
}

static unsigned columns_of(uint32_t c)
{
    static const struct {
        uint32_t first, last;
        unsigned columns;
    } ranges[] = {
        {0x0300, 0x036f, 0},   {0x1100, 0x115f, 2},   {0x200b, 0x200f, 0}, {0x2e80, 0x303e, 2},
        {0x3041, 0x3098, 2},   {0x3099, 0x309a, 0},   {0x309b, 0x33ff, 2}, {0x3400, 0x4dbf, 2},
        {0x4e00, 0x9fff, 2},   {0xa000, 0xa4cf, 2},   {0xac00, 0xd7a3, 2}, {0xf900, 0xfaff, 2},
        {0xfe00, 0xfe0f, 0},   {0xfe30, 0xfe6f, 2},   {0xff00, 0xff60, 2}, {0xffe0, 0xffe6, 2},
        {0x1f300, 0x1faff, 2}, {0x20000, 0x3fffd, 2},
    };
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0] && ranges[i].first <= c; i++)
        if (c <= ranges[i].last)
            return ranges[i].columns;
    return 1;
}

size_t text_width(const char *text, size_t len)
{
    size_t columns = 0;
    uint32_t c;
    for (size_t at = 0; at < len;) {
        at += take(text + at, len - at, &c);
        columns += columns_of(c);
    }
    return columns;
}

size_t text_wrap(const char *text, size_t columns)
{
    size_t len = strlen(text), at = 0, used = 0, fits = 0;
    bool was_wide = false;
    while (at < len) {
        uint32_t c;
        size_t bytes = take(text + at, len - at, &c);
        unsigned width = columns_of(c);
        if (c == ' ' || (was_wide && width == 2))
            fits = at;
        if (used + width > columns && at > 0)
            return fits > 0 ? fits : at;
        used += width;
        at += bytes;
        was_wide = width == 2;
    }
    return len;
}
