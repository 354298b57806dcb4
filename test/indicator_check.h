/* indicator_check: what must hold of all that indicators_find() gives, for tests and the fuzz target. */
#ifndef TEST_INDICATOR_CHECK_H
#define TEST_INDICATOR_CHECK_H

#include "classify/indicator.h"

#include <stdio.h>
#include <string.h>

/* The telescope of these tests: 203.0.112.0/23 (its second half, TEST-NET-3, aside), 198.51.96.0/20, 2001:db8:dead::/48. */
static inline bool check_is_dark(const void *context, const uint8_t address[16], unsigned version)
{
    static const uint8_t six[] = {0x20, 0x01, 0x0d, 0xb8, 0xde, 0xad};
    if (version == 6)
        return memcmp(address, six, sizeof six) == 0;
    return (address[0] == 203 && address[1] == 0 && (address[2] & 0xfe) == 112) ||
           (address[0] == 198 && address[1] == 51 && (address[2] & 0xf0) == 96);
}

/* NULL, or what does not hold. */
static inline const char *indicator_check(const uint8_t *payload, size_t len,
                                          const struct indicator_from *from)
{
    static struct indicators found, again;
    indicators_find(&found, payload, len, from);
    indicators_find(&again, payload, len, from);
    if (found.count > INDICATORS_MAX || found.count != again.count ||
        found.withheld != again.withheld)
        return "another answer to the same";
    for (unsigned i = 0; i < found.count; i++) {
        const struct indicator *one = &found.at[i];
        char plain[INDICATOR_VALUE];
        size_t value = strnlen(one->value, INDICATOR_VALUE);
        if (value == 0 || value == INDICATOR_VALUE || one->kind >= INDICATOR_KINDS ||
            one->role >= INDICATOR_ROLES)
            return "an indicator that is none";
        for (size_t c = 0; c < value; c++)
            if (one->value[c] < ' ' || one->value[c] > '~')
                return "a byte that is no text";
        indicator_refang(plain, sizeof plain, (enum indicator_kind)one->kind, one->value);
        if (one->kind == INDICATOR_URL && strncmp(one->value, "http", 4) == 0)
            return "a URL that can be clicked";
        if (indicator_mentions_dark(plain, from))
            return "an address of the telescope";
        for (unsigned k = 0; k < i; k++)
            if (found.at[k].kind == one->kind && found.at[k].role == one->role &&
                strcmp(found.at[k].value, one->value) == 0)
                return "a value twice";
    }
    return NULL;
}

#endif
