#include "classify/utf8.h"

#include <stdint.h>
#include <string.h>

/* Bytes of the character at hand, its number in *code; 0: no UTF-8. */
static size_t decode(const unsigned char *s, size_t len, uint32_t *code)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t n = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
    if (n == 0 || n > len || s[0] > 0xf4)
        return 0;
    *code = n == 1 ? s[0] : s[0] & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        *code = *code << 6 | (s[i] & 0x3f);
    }
    bool is_good = *code >= least[n] && *code <= 0x10ffff && !(*code >= 0xd800 && *code <= 0xdfff);
    return is_good ? n : 0;
}

static bool is_hidden(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x2028 && c <= 0x202e) ||
           (c >= 0x2066 && c <= 0x2069);
}

bool utf8_is_showable(const char *text, size_t len)
{
    uint32_t code;
    for (size_t at = 0, n; at < len; at += n) {
        n = decode((const unsigned char *)text + at, len - at, &code);
        if (n == 0 || is_hidden(code))
            return false;
    }
    return true;
}

size_t utf8_clean(char *to, size_t size, const char *text, size_t len)
{
    static const char stand_in[] = "\xef\xbf\xbd"; /* U+FFFD */
    uint32_t code = 0;
    size_t used = 0;
    for (size_t at = 0, n; at < len; at += n) {
        n = decode((const unsigned char *)text + at, len - at, &code);
        bool is_good = n > 0 && !is_hidden(code);
        const char *from = is_good ? text + at : stand_in;
        size_t count = is_good ? n : sizeof stand_in - 1;
        n = n > 0 ? n : 1;
        if (used + count >= size)
            break;
        memcpy(to + used, from, count);
        used += count;
    }
    to[used] = '\0';
    return used;
}

size_t utf8_cut(const char *text, size_t len, size_t max)
{
    if (len <= max)
        return len;
    while (max > 0 && ((unsigned char)text[max] & 0xc0) == 0x80)
        max--;
    return max;
}
