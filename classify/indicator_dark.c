#include "classify/indicator_dark.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 1024 };

/* ---- one address ---- */

static bool dark4(const struct indicator_from *from, const uint8_t four[4])
{
    uint8_t address[16] = {0};
    memcpy(address, four, 4);
    return (from->ip_version == 4 && memcmp(from->dst, four, 4) == 0) ||
           (from->is_dark != NULL && from->is_dark(from->context, address, 4));
}

bool dark_is(const struct indicator_from *from, const uint8_t address[16], unsigned ip_version)
{
    if (ip_version == 4)
        return dark4(from, address);
    if ((from->ip_version == 6 && memcmp(from->dst, address, 16) == 0) ||
        (from->is_dark != NULL && from->is_dark(from->context, address, 6)))
        return true;
    /* Mapped, translated, 6to4, ISATAP: its last four bytes, or those behind the first two. */
    return dark4(from, address + 12) || dark4(from, address + 2);
}

/* Either way round. */
static bool dark_number(const struct indicator_from *from, uint32_t value)
{
    const uint8_t there[4] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8),
                              (uint8_t)value};
    const uint8_t back[4] = {there[3], there[2], there[1], there[0]};
    return dark4(from, there) || dark4(from, back);
}

/* ---- numbers in texts ---- */

/* A number as C writes it, below 2^32; *len: its digits, 0: none. */
static uint64_t number_read(const char *text, size_t *len)
{
    char *end;
    unsigned long long value;
    *len = 0;
    if (!isdigit((unsigned char)text[0]))
        return 0;
    value = strtoull(text, &end, 0);
    if (value > UINT32_MAX)
        return 0;
    *len = (size_t)(end - text);
    return value;
}

unsigned dark_parse4(const char *text, char separator, unsigned parts_min, uint8_t address[4],
                     size_t *len)
{
    uint64_t parts[4];
    unsigned count = 0;
    size_t at = 0, digits, end = 0;
    while (count < 4) {
        parts[count] = number_read(text + at, &digits);
        if (digits == 0)
            break;
        count++;
        end = at + digits;
        if (text[end] != separator)
            break;
        at = end + 1;
    }
    if (count < parts_min || count == 0)
        return 0;
    uint32_t value = 0;
    for (unsigned i = 0; i + 1 < count; i++) {
        if (parts[i] > 255)
            return 0;
        value |= (uint32_t)parts[i] << (24 - 8 * i);
    }
    if (count > 1 && parts[count - 1] >> (8 * (5 - count)) != 0)
        return 0;
    value |= (uint32_t)parts[count - 1];
    for (unsigned i = 0; i < 4; i++)
        address[i] = (uint8_t)(value >> (24 - 8 * i));
    *len = end;
    return count;
}

/* Four parts with any of the separators, read either way; fewer with dots alone. At a place where a number begins. */
static bool mentions_parts(const char *at, const struct indicator_from *from)
{
    static const char separators[] = ".-_";
    uint8_t address[4];
    size_t len;
    for (unsigned i = 0; separators[i] != 0; i++) {
        if (dark_parse4(at, separators[i], separators[i] == '.' ? 2 : 4, address, &len) == 0)
            continue;
        if (dark_number(from, (uint32_t)address[0] << 24 | (uint32_t)address[1] << 16 |
                                  (uint32_t)address[2] << 8 | address[3]))
            return true;
    }
    /* Leading zeros may be meant as decimal. */
    unsigned p[4];
    int read = 0;
    for (unsigned i = 0; separators[i] != 0; i++) {
        char format[32];
        snprintf(format, sizeof format, "%%3u%c%%3u%c%%3u%c%%3u%%n", separators[i], separators[i],
                 separators[i]);
        if (sscanf(at, format, &p[0], &p[1], &p[2], &p[3], &read) == 4 && p[0] < 256 &&
            p[1] < 256 && p[2] < 256 && p[3] < 256 &&
            dark_number(from, p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3]))
            return true;
    }
    return false;
}

/* A run of digits as one number. */
static bool mentions_decimal(const char *at, const struct indicator_from *from)
{
    size_t len = strspn(at, "0123456789");
    unsigned long long value = len > 10 ? UINT64_MAX : strtoull(at, NULL, 10);
    return len >= 7 && value <= UINT32_MAX && dark_number(from, (uint32_t)value);
}

static unsigned nibble(char c)
{
    return c <= '9' ? (unsigned)(c - '0') : (unsigned)(tolower((unsigned char)c) - 'a' + 10);
}

/* Any eight digits of a run of hex, and any 32. */
static bool mentions_hex(const char *at, size_t len, const struct indicator_from *from)
{
    for (size_t i = 0; i + 8 <= len; i++) {
        uint32_t value = 0;
        for (size_t k = 0; k < 8; k++)
            value = value << 4 | nibble(at[i + k]);
        if (dark_number(from, value))
            return true;
    }
    for (size_t i = 0; i + 32 <= len; i++) {
        uint8_t address[16];
        for (size_t k = 0; k < 16; k++)
            address[k] = (uint8_t)(nibble(at[i + 2 * k]) << 4 | nibble(at[i + 2 * k + 1]));
        if (dark_is(from, address, 6))
            return true;
    }
    return false;
}

/* IPv6 as text, of any length up to `run`; `-` may stand for `:` as in names of hosts. */
static bool mentions6(const char *at, size_t run, const struct indicator_from *from)
{
    char text[INET6_ADDRSTRLEN];
    uint8_t address[16];
    unsigned joints = 0;
    if (run >= sizeof text)
        run = sizeof text - 1;
    for (size_t i = 0; i < run; i++) {
        text[i] = at[i] == '-' ? ':' : at[i];
        joints += text[i] == ':';
    }
    for (size_t len = run; joints >= 2 && len >= 3; len--) {
        text[len] = 0;
        if (inet_pton(AF_INET6, text, address) == 1 && dark_is(from, address, 6))
            return true;
    }
    return false;
}

/* ---- base64 ---- */

/* Digits that bytes have wherever they begin in a text; without what also depends on the neighbours. */
static size_t base64(const uint8_t *bytes, size_t len, unsigned shift, char *to)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t count = 0, first = (shift * 8 + 5) / 6, last = (shift + len) * 8 / 6;
    for (size_t d = first; d < last; d++) {
        unsigned value = 0;
        for (unsigned bit = 0; bit < 6; bit++) {
            size_t at = d * 6 + bit - shift * 8;
            value = value << 1 | (bytes[at / 8] >> (7 - at % 8) & 1);
        }
        to[count++] = digits[value];
    }
    to[count] = 0;
    return count;
}

static bool mentions_base64(const char *text, const struct indicator_from *from)
{
    char dotted[INET6_ADDRSTRLEN], coded[96];
    size_t bytes = from->ip_version == 6 ? 16 : 4;
    if (inet_ntop(from->ip_version == 6 ? AF_INET6 : AF_INET, from->dst, dotted, sizeof dotted) ==
        NULL)
        return false;
    for (unsigned shift = 0; shift < 3; shift++) {
        if (base64((const uint8_t *)dotted, strlen(dotted), shift, coded) >= 6 &&
            strstr(text, coded) != NULL)
            return true;
        if (base64(from->dst, bytes, shift, coded) >= 4 && strstr(text, coded) != NULL)
            return true;
    }
    return false;
}

/* ---- whole ---- */

/* Decoded once more where it is percent-encoded; at most size - 1 bytes. */
static void percent_decode(char *to, size_t size, const char *from)
{
    size_t len = 0;
    for (; *from != 0 && len + 1 < size; from++) {
        if (from[0] == '%' && isxdigit((unsigned char)from[1]) &&
            isxdigit((unsigned char)from[2])) {
            char c = (char)(nibble(from[1]) << 4 | nibble(from[2]));
            to[len++] = c != 0 ? c : ' ';
            from += 2;
        } else {
            to[len++] = *from;
        }
    }
    to[len] = 0;
}

static bool mentions(const char *text, const struct indicator_from *from)
{
    for (const char *at = text; *at != 0; at++) {
        char before = at == text ? ' ' : at[-1];
        size_t hex = strspn(at, "0123456789abcdefABCDEF");
        if (isdigit((unsigned char)*at) && !isdigit((unsigned char)before) &&
            (mentions_parts(at, from) || mentions_decimal(at, from)))
            return true;
        if (hex >= 8 && !isxdigit((unsigned char)before) && mentions_hex(at, hex, from))
            return true;
        size_t six = strspn(at, "0123456789abcdefABCDEF:.");
        size_t dashed = strspn(at, "0123456789abcdefABCDEF-");
        if ((isxdigit((unsigned char)*at) || *at == ':') &&
            (mentions6(at, six, from) || mentions6(at, dashed, from)))
            return true;
    }
    return from->ip_version != 0 && mentions_base64(text, from);
}

bool indicator_mentions_dark(const char *text, const struct indicator_from *from)
{
    char once[TEXT_MAX], twice[TEXT_MAX];
    if (strlen(text) >= TEXT_MAX)
        return true;
    percent_decode(once, sizeof once, text);
    percent_decode(twice, sizeof twice, once);
    return mentions(text, from) || mentions(once, from) || mentions(twice, from);
}
