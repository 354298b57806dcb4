#include "export/utf8.h"

#include <stdint.h>

size_t utf8_length(const unsigned char *s)
{
    if (s[0] < 0x80)
        return 1;
    if (s[0] < 0xc2 || s[0] > 0xf4 || (s[1] & 0xc0) != 0x80)
        return 0;
    if (s[0] < 0xe0)
        return 2;
    if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
        (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f) || (s[2] & 0xc0) != 0x80)
        return 0;
    if (s[0] < 0xf0)
        return 3;
    return (s[3] & 0xc0) == 0x80 ? 4 : 0;
}

bool utf8_is_control(const unsigned char *s, size_t len)
{
    uint32_t c = len == 1   ? s[0]
                 : len == 2 ? (s[0] & 0x1fu) << 6 | (s[1] & 0x3fu)
                 : len == 3 ? (s[0] & 0x0fu) << 12 | (s[1] & 0x3fu) << 6 | (s[2] & 0x3fu)
                            : 0x10000;
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x200b && c <= 0x200f) ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}
