#include "capture/synth_cast.h"

#include "capture/synth_packet.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct block {
    uint8_t address[16], bits;
};

/* From IANA's IPv4 and IPv6 Special-Purpose Address Registries: rows that are not globally reachable. */
static const struct block bogons4[] = {
    {{10}, 8},        {{100, 64}, 10},   {{127}, 8}, {{169, 254}, 16}, {{172, 16}, 12},
    {{192, 168}, 16}, {{192, 0, 2}, 24}, {{240}, 4}, {{0}, 8},         {{203, 0, 113}, 24},
};
static const struct block bogons6[] = {{{0xfc}, 7}, {{0x01, 0x00}, 64}};
static const struct block nobodys = {{198, 51, 100}, 28};

int synth_cast_init(struct synth_cast *cast, struct synth_address *address, uint64_t period_days)
{
    memset(cast, 0, sizeof *cast);
    cast->address = address;
    cast->period_days = period_days;
    if (address->public_count < 2u << 24)
        return -EINVAL;
    address->public_count -= 1u << 24;
    return 0;
}

void synth_cast_fini(struct synth_cast *cast)
{
    free(cast->sources);
    cast->sources = NULL;
}

static bool is_dark(const struct synth_cast *cast, const uint8_t address[16], unsigned ip_version)
{
    for (size_t i = 0; i < cast->address->dark_count; i++) {
        const struct synth_prefix *p = &cast->address->dark[i].prefix;
        unsigned bits = p->bits, whole = bits / 8;
        if (p->ip_version == ip_version && !memcmp(p->address, address, whole) &&
            (bits % 8 == 0 || !((p->address[whole] ^ address[whole]) >> (8 - bits % 8))))
            return true;
    }
    return false;
}

/* Its last octet says neither network nor broadcast: some take those for signs of spoofing. */
static void public_take(struct synth_cast *cast, uint8_t address[16])
{
    do
        synth_address_source(cast->address, cast->public_next++, 4, address);
    while (address[3] == 0 || address[3] == 255);
}

/* Another block each, then the next host in it. */
static void bogon_take(struct synth_cast *cast, unsigned ip_version, uint8_t address[16])
{
    bool six = ip_version == 6;
    uint32_t i = cast->bogon_next[six]++;
    const struct block *blocks = six ? bogons6 : bogons4;
    uint32_t count = six ? sizeof bogons6 / sizeof *bogons6 : sizeof bogons4 / sizeof *bogons4;
    for (uint32_t skip = 0;; skip++) {
        memset(address, 0, 16);
        memcpy(address, blocks[(i + skip) % count].address, 16);
        unsigned last = six ? 15 : 3;
        address[last] = (uint8_t)(7 + i / count);
        if (skip == count || !is_dark(cast, address, ip_version))
            return;
    }
}

static const struct synth_listed *listed_add(struct synth_cast *cast, const uint8_t address[16],
                                             uint8_t bits, uint8_t ip_version)
{
    struct synth_listed *l = &cast->listed[cast->listed_count++];
    memcpy(l->address, address, 16);
    l->bits = bits;
    l->ip_version = ip_version;
    return l;
}

/* A prefix of its own for each group of acknowledged scanners: a /24 under the first octet that is
 * kept for them, or a /48. */
static const struct synth_listed *listed_for(struct synth_cast *cast, enum synth_pool pool)
{
    uint8_t address[16] = {0};
    const struct synth_address *a = cast->address;
    if (pool == POOL_ACKNOWLEDGED_NONE)
        return listed_add(cast, nobodys.address, nobodys.bits, 4);
    if (pool == POOL_ACKNOWLEDGED6) {
        synth_address_source(a, cast->public_next++, 6, address);
        memset(address + 6, 0, 10);
        return listed_add(cast, address, 48, 6);
    }
    address[0] = a->public_first[a->public_count >> 24];
    address[1] = (uint8_t)(a->round_key[0] >> 8);
    address[2] = (uint8_t)cast->listed_count;
    return listed_add(cast, address, 24, 4);
}

static void source_fill(struct synth_cast *cast, const struct synth_group *g, uint32_t i,
                        const struct synth_listed *listed, const uint8_t subnet[8])
{
    uint8_t *address = cast->sources[g->first + i];
    memset(address, 0, 16);
    switch ((enum synth_pool)g->pool) {
    case POOL_PUBLIC:
        public_take(cast, address);
        break;
    case POOL_PUBLIC6:
        synth_address_source(cast->address, cast->public_next++, 6, address);
        break;
    case POOL_BOGON:
    case POOL_BOGON6:
        bogon_take(cast, g->ip_version, address);
        break;
    case POOL_SUBNET6:
    case POOL_COMPANION6:
        memcpy(address, subnet, 8);
        synth_put32(address + 12, i + 1 + (g->pool == POOL_COMPANION6 ? UINT32_C(1) << 16 : 0));
        break;
    default:
        memcpy(address, listed->address, 16);
        address[g->ip_version == 4 ? 3 : 15] = (uint8_t)(1 + i);
        break;
    }
}

static bool pool_is_random(unsigned pool)
{
    return pool == POOL_RANDOM || pool == POOL_RANDOM_0 || pool == POOL_RANDOM_255;
}

static uint8_t pool_origin(enum synth_pool pool)
{
    switch (pool) {
    case POOL_ACKNOWLEDGED:
    case POOL_ACKNOWLEDGED6:
        return SYNTH_ACKNOWLEDGED;
    case POOL_ACKNOWLEDGED_NONE:
        return SYNTH_ACKNOWLEDGED | SYNTH_BOGON;
    case POOL_BOGON:
    case POOL_BOGON6:
        return SYNTH_BOGON;
    default:
        return 0;
    }
}

int synth_cast_group(struct synth_cast *cast, const char *name, enum synth_pool pool,
                     uint32_t count)
{
    bool is_random = pool_is_random(pool), six = pool >= POOL_PUBLIC6;
    const struct synth_address *a = cast->address;
    if (six && a->dark_count == a->dark4_count)
        return -ENOENT;
    if (cast->group_count == SYNTH_GROUPS_MAX || cast->listed_count == SYNTH_LISTED_MAX)
        return -ENOMEM;
    uint32_t add = is_random ? 0 : count;
    uint8_t(*sources)[16] =
        realloc(cast->sources, ((size_t)cast->source_count + add + 1) * sizeof *sources);
    if (!sources)
        return -ENOMEM;
    cast->sources = sources;
    struct synth_group *g = &cast->groups[cast->group_count];
    *g = (struct synth_group){
        .name = name,
        .first = cast->source_count,
        .count = add,
        .pool = (uint8_t)pool,
        .origin = pool_origin(pool),
        .ip_version = six ? 6 : 4,
    };
    uint8_t subnet[16] = {0};
    const struct synth_listed *listed = NULL;
    if (pool == POOL_SUBNET6)
        synth_address_source(a, cast->public_next++, 6, subnet);
    else if (pool == POOL_COMPANION6 && cast->group_count)
        memcpy(subnet, sources[g[-1].first], 8);
    else if (g->origin & SYNTH_ACKNOWLEDGED)
        listed = listed_for(cast, pool);
    for (uint32_t i = 0; i < add; i++)
        source_fill(cast, g, i, listed, subnet);
    cast->source_count += add;
    return (int)cast->group_count++;
}

void synth_cast_act(struct synth_cast *cast, int group, enum synth_form form, enum synth_when when,
                    uint64_t packets, const struct synth_port_range *ports)
{
    assert(cast->act_count < SYNTH_ACTS_MAX);
    cast->acts[cast->act_count++] = (struct synth_act){
        .program = {.form = (uint8_t)form,
                    .ports = PORTS_NONE,
                    .ip_version = cast->groups[group].ip_version},
        .when = (uint8_t)when,
        .group = (uint16_t)group,
        .packets = packets,
        .ports = *ports,
    };
}

uint64_t synth_cast_packets(const struct synth_cast *cast, const struct synth_act *act, uint64_t n)
{
    __uint128_t packets = act->packets;
    return (uint64_t)(packets * (n + 1) / cast->period_days) -
           (uint64_t)(packets * n / cast->period_days);
}

void synth_cast_draw(const struct synth_cast *cast, enum synth_pool pool,
                     struct random_stream *random, uint8_t address[16])
{
    const struct synth_address *a = cast->address;
    memset(address, 0, 16);
    do {
        uint32_t n = (uint32_t)random_scale((uint32_t)(random_next(random) >> 32), a->public_count);
        synth_put32(address, n);
        address[0] = a->public_first[n >> 24];
        if (pool == POOL_RANDOM_0)
            address[3] = 0;
        else if (pool == POOL_RANDOM_255)
            address[3] = 255;
    } while (pool == POOL_RANDOM && (address[3] == 0 || address[3] == 255));
}
