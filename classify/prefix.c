#include "classify/prefix.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

unsigned __int128 prefix_number(const uint8_t address[16], unsigned ip_version)
{
    unsigned __int128 n = 0;
    for (unsigned i = 0; i < (ip_version == 6 ? 16 : 4); i++)
        n = n << 8 | address[i];
    return n;
}

/* All ones behind a prefix of that length. */
static unsigned __int128 host_bits(unsigned length, unsigned ip_version)
{
    unsigned width = ip_version == 6 ? 128 : 32;
    if (length == 0)
        return ~(unsigned __int128)0 >> (128 - width);
    return ((unsigned __int128)1 << (width - length)) - 1;
}

unsigned __int128 prefix_last(const struct prefix *p)
{
    return prefix_number(p->address, p->ip_version) | host_bits(p->length, p->ip_version);
}

/* Digits without sign or leading zero; -1 for anything else. */
static int read_length(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 3 || text[digits] != '\0' || (digits > 1 && text[0] == '0'))
        return -1;
    return atoi(text);
}

/* Takes out the bits behind the length; whether there were any. */
static bool mask(struct prefix *p)
{
    bool has_bits = false;
    for (unsigned i = 0; i < (p->ip_version == 6 ? 16u : 4u); i++) {
        unsigned kept = p->length > i * 8 ? p->length - i * 8 : 0;
        uint8_t ones = kept >= 8 ? 0xff : (uint8_t)(0xff00 >> kept);
        has_bits |= (p->address[i] & (uint8_t)~ones) != 0;
        p->address[i] &= ones;
    }
    return has_bits;
}

enum prefix_fault prefix_parse(struct prefix *p, const char *word)
{
    char address[INET6_ADDRSTRLEN + 1];
    size_t len = strcspn(word, "/");
    struct prefix read = {.ip_version = memchr(word, ':', len) ? 6 : 4};
    bool is_ip6 = read.ip_version == 6;

    if (len >= sizeof address)
        return PREFIX_NO_ADDRESS;
    memcpy(address, word, len);
    address[len] = '\0';
    if (inet_pton(is_ip6 ? AF_INET6 : AF_INET, address, read.address) != 1)
        return PREFIX_NO_ADDRESS;
    int width = is_ip6 ? 128 : 32, length = word[len] ? read_length(word + len + 1) : width;
    if (length < 0 || length > width)
        return is_ip6 ? PREFIX_LENGTH_IPV6 : PREFIX_LENGTH_IPV4;
    read.length = (uint8_t)length;
    bool has_bits = mask(&read);
    *p = read;
    return has_bits ? PREFIX_HOST_BITS : PREFIX_GOOD;
}

const char *prefix_fault_text(enum prefix_fault fault)
{
    switch (fault) {
    case PREFIX_GOOD:
        break;
    case PREFIX_NO_ADDRESS:
        return "not an IPv4 or IPv6 prefix";
    case PREFIX_LENGTH_IPV4:
        return "prefix length is not 0 to 32";
    case PREFIX_LENGTH_IPV6:
        return "prefix length is not 0 to 128";
    case PREFIX_HOST_BITS:
        return "bits behind the prefix length are set";
    }
    return "";
}

const char *prefix_text(const struct prefix *p, char text[PREFIX_TEXT])
{
    char address[INET6_ADDRSTRLEN];
    inet_ntop(p->ip_version == 6 ? AF_INET6 : AF_INET, p->address, address, sizeof address);
    snprintf(text, PREFIX_TEXT, "%s/%u", address, p->length);
    return text;
}

int prefix_compare(const void *a, const void *b)
{
    const struct prefix *x = a, *y = b;
    if (x->ip_version != y->ip_version)
        return x->ip_version < y->ip_version ? -1 : 1;
    int order = memcmp(x->address, y->address, sizeof x->address);
    return order ? order : (int)x->length - (int)y->length;
}

size_t prefix_list_unique(struct prefix *prefixes, size_t count)
{
    size_t kept = 0;
    if (count == 0)
        return 0;
    qsort(prefixes, count, sizeof *prefixes, prefix_compare);
    for (size_t i = 1; i < count; i++)
        if (prefix_compare(&prefixes[kept], &prefixes[i]) != 0)
            prefixes[++kept] = prefixes[i];
    return kept + 1;
}

unsigned __int128 prefix_list_size(const struct prefix *prefixes, size_t count, unsigned ip_version)
{
    unsigned __int128 size = 0, last = 0;
    bool has_last = false;
    for (size_t i = 0; i < count; i++) {
        if (prefixes[i].ip_version != ip_version)
            continue;
        unsigned __int128 first = prefix_number(prefixes[i].address, ip_version);
        if (has_last && first <= last)
            continue; /* below one that stood before: prefixes nest or are apart */
        last = prefix_last(&prefixes[i]);
        has_last = true;
        size += last - first + 1;
    }
    return size;
}
