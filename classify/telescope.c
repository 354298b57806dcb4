#include "classify/telescope.h"

#include <stddef.h>
#include <string.h>

/* Forms of IPv6 addresses with an IPv4 address in them. */
static const struct {
    uint8_t from, len; /* what the form is known by: these bytes */
    uint8_t bytes[12];
    uint8_t at;   /* of the IPv4 address, */
    uint8_t flip; /* each of whose bytes is changed by this */
} forms[] = {
    {0, 12, {0}, 12, 0},
    {0, 12, {[10] = 0xff, 0xff}, 12, 0},
    {0, 12, {[8] = 0xff, 0xff}, 12, 0},
    {0, 12, {0, 0x64, 0xff, 0x9b}, 12, 0},
    {0, 2, {0x20, 0x02}, 2, 0},
    {0, 4, {0x20, 0x01}, 4, 0},
    {0, 4, {0x20, 0x01}, 12, 0xff},
    {8, 4, {0, 0, 0x5e, 0xfe}, 12, 0},
    {8, 4, {2, 0, 0x5e, 0xfe}, 12, 0},
};

bool telescope_covers6(const struct prefix_set *telescope, const uint8_t address[16])
{
    if (prefix_set_holds6(telescope, address))
        return true;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        uint8_t ipv4[16] = {0};
        if (memcmp(address + forms[i].from, forms[i].bytes, forms[i].len) != 0)
            continue;
        for (unsigned byte = 0; byte < 4; byte++)
            ipv4[byte] = address[forms[i].at + byte] ^ forms[i].flip;
        if (prefix_set_holds(telescope, ipv4, 4))
            return true;
    }
    return false;
}

void telescope_hide_source(const struct prefix_set *telescope, struct observation *o)
{
    if (!(o->state & OBSERVATION_IP) || !telescope_covers(telescope, o->src, o->ip_version))
        return;
    bool is_self = memcmp(o->src, o->dst, sizeof o->src) == 0;
    o->state |= (uint16_t)(OBSERVATION_DARK_SOURCE | (is_self ? OBSERVATION_SELF : 0));
    memset(o->src, 0, sizeof o->src);
}
