#include "classify/payload_text.h"

#include <string.h>

static int hex_of(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c ? strchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c) : NULL;
    return at ? (int)(at - digits) : -1;
}

static int read_byte(const char **text, bool is_class)
{
    static const char names[] = "nrt", bytes[] = "\n\r\t";
    const char *t = *text;
    char c = *t;
    if (c == '\0')
        return -1;
    if (c != '\\') {
        if (!is_class && strchr("^$.[]|()?*+{}", c))
            return -1;
        ++*text;
        return (unsigned char)c;
    }
    c = t[1];
    if (c == 'x') {
        int high = hex_of(t[2]), low = high < 0 ? -1 : hex_of(t[3]);
        *text += low < 0 ? 0 : 4;
        return low < 0 ? -1 : high << 4 | low;
    }
    const char *at = c ? strchr(names, c) : NULL;
    bool is_plain = c && strchr("\\^$.[]|()?*+{}-/\"'<>=:;,#&@!%~` _", c);
    *text += at || is_plain ? 2 : 0;
    return at ? bytes[at - names] : is_plain ? (unsigned char)c : -1;
}

int payload_text_byte(const char **text) { return read_byte(text, false); }

bool payload_text_class(const char **text, uint64_t set[4])
{
    memset(set, 0, 4 * sizeof *set);
    if (**text != '[')
        return false;
    ++*text;
    bool is_not = **text == '^';
    *text += is_not;
    while (**text != ']') {
        int first = **text == '[' ? -1 : read_byte(text, true), last = first;
        if (first >= 0 && (*text)[0] == '-' && (*text)[1] != ']') {
            ++*text;
            last = read_byte(text, true);
        }
        if (first < 0 || last < first)
            return false;
        for (int byte = first; byte <= last; byte++)
            set[byte / 64] |= UINT64_C(1) << byte % 64;
    }
    ++*text;
    if ((set[0] | set[1] | set[2] | set[3]) == 0)
        return false; /* a bracket that stands first is a byte */
    for (unsigned i = 0; i < 4 && is_not; i++)
        set[i] = ~set[i];
    return true;
}
