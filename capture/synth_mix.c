#include "capture/synth_mix.h"

#include "capture/random.h"

#include <stddef.h>

/* The weights in a column are relative; they add up to about 1000. */
/* clang-format off */
static const struct synth_program programs[] = {
    /* form             ports            spread         ip  head tail */
    {FORM_MIRAI,        PORTS_MIRAI,     SPREAD_FEW,    4,  20,  90},
    {FORM_EMBEDDED,     PORTS_IOT,       SPREAD_FEW,    4,  20, 160},
    {FORM_LINUX,        PORTS_LINUX,     SPREAD_SOME,   4,  60, 180},
    {FORM_WINDOWS,      PORTS_WINDOWS,   SPREAD_FEW,    4,  20, 155},
    {FORM_WINDOWS_OLD,  PORTS_WINDOWS,   SPREAD_FEW,    4,   0,  50},
    {FORM_BSD,          PORTS_LINUX,     SPREAD_SOME,   4,   0,  15},
    {FORM_NMAP,         PORTS_LINUX,     SPREAD_SOME,   4,   5,  15},
    {FORM_MASSCAN_OLD,  PORTS_SURVEY,    SPREAD_SOME,   4,   0,  25},
    {FORM_MASSCAN_NEW,  PORTS_SURVEY,    SPREAD_SOME,   4,   0,  20},
    {FORM_ZMAP_CLASSIC, PORTS_SURVEY,    SPREAD_SOME,   4,   0,  20},
    {FORM_ZMAP_MSS,     PORTS_SURVEY,    SPREAD_SOME,   4,   0,  20},
    {FORM_MASSCAN_OLD,  PORTS_SURVEY,    SPREAD_SURVEY, 4,  90,   0},
    {FORM_MASSCAN_NEW,  PORTS_SURVEY,    SPREAD_SURVEY, 4, 180,   1},
    {FORM_ZMAP_CLASSIC, PORTS_SURVEY,    SPREAD_SURVEY, 4, 260,   1},
    {FORM_ZMAP_MSS,     PORTS_SURVEY,    SPREAD_SURVEY, 4, 180,   1},
    {FORM_UDP_ZMAP,     PORTS_UDP,       SPREAD_SOME,   4,  40,   6},
    {FORM_PING_ZMAP,    PORTS_NONE,      SPREAD_FEW,    4,  15,   2},
    {FORM_UDP,          PORTS_UDP,       SPREAD_FEW,    4,  30,  76},
    {FORM_PING,         PORTS_NONE,      SPREAD_FEW,    4,  10,  40},
    {FORM_SYNACK,       PORTS_EPHEMERAL, SPREAD_SOME,   4,  50,  35},
    {FORM_RST,          PORTS_EPHEMERAL, SPREAD_SOME,   4,  15,  18},
    {FORM_ICMP_ERROR,   PORTS_NONE,      SPREAD_FEW,    4,   8,  22},
    {FORM_ECHO_REPLY,   PORTS_NONE,      SPREAD_FEW,    4,   6,   8},
    {FORM_DNS_ANSWER,   PORTS_EPHEMERAL, SPREAD_SOME,   4,   5,   9},
    {FORM_DHT,          PORTS_EPHEMERAL, SPREAD_FEW,    4,   0,  10},
    {FORM_TCP_DATA,     PORTS_IOT,       SPREAD_FEW,    4,   0,   6},
    {FORM_TCP_ODD,      PORTS_LINUX,     SPREAD_FEW,    4,   0,   4},
    {FORM_FRAGMENT,     PORTS_UDP,       SPREAD_FEW,    4,   0,   2},
    {FORM_IGMP,         PORTS_NONE,      SPREAD_FEW,    4,   0,   2},
    {FORM_ESP,          PORTS_NONE,      SPREAD_FEW,    4,   0,   2},
    {FORM_MALFORMED,    PORTS_UDP,       SPREAD_FEW,    4,   0,   2},
    {FORM_LINUX,        PORTS_LINUX,     SPREAD_FEW,    6,   2,   5},
    {FORM_ZMAP_MSS,     PORTS_SURVEY,    SPREAD_SOME,   6,   5,   3},
    {FORM_UDP,          PORTS_UDP,       SPREAD_FEW,    6,   1,   2},
    {FORM_PING,         PORTS_NONE,      SPREAD_FEW,    6,   2,   3},
    {FORM_ICMP_ERROR,   PORTS_NONE,      SPREAD_FEW,    6,   0,   1},
};
/* clang-format on */
enum { PROGRAMS = sizeof programs / sizeof programs[0] };

/* What takes the place of programs that are not wanted: FORM_LINUX over IPv4. */
enum { PROGRAM_ORDINARY = 2 };

struct port_weight {
    uint16_t port, weight; /* of MIX_TABLE; what is left goes to any port */
};

static const struct port_weight mirai_ports[] = {
    {23, 690},  {2323, 90}, {80, 40}, {8080, 40}, {5555, 30}, {37215, 40}, {52869, 30},
    {7547, 20}, {22, 20},   {443, 8}, {3232, 8},  {32, 8},    {0, 0}};
static const struct port_weight iot_ports[] = {
    {23, 480},  {5555, 70}, {2323, 60}, {8080, 60}, {37215, 50}, {52869, 50},
    {80, 50},   {81, 30},   {7547, 25}, {5358, 20}, {60001, 20}, {34567, 15},
    {9530, 15}, {9527, 8},  {26, 8},    {8291, 15}, {554, 12},   {49152, 8},
    {1883, 6},  {88, 6},    {8443, 6},  {0, 0}};
static const struct port_weight linux_ports[] = {
    {22, 220},  {80, 110},  {8080, 70}, {443, 60},  {23, 40},   {6379, 50}, {2375, 12}, {5432, 16},
    {3306, 30}, {8443, 24}, {9200, 20}, {2222, 16}, {5900, 30}, {8888, 16}, {81, 16},   {8000, 16},
    {8081, 14}, {21, 16},   {25, 20},   {110, 6},   {143, 6},   {993, 4},   {587, 6},   {1080, 10},
    {3128, 10}, {8545, 6},  {27017, 6}, {11211, 6}, {5060, 8},  {9000, 8},  {10000, 6}, {0, 0}};
static const struct port_weight windows_ports[] = {{445, 520}, {3389, 160}, {1433, 140}, {139, 30},
                                                   {135, 24},  {5985, 12},  {3306, 20},  {80, 20},
                                                   {8080, 10}, {1434, 4},   {5938, 4},   {0, 0}};
static const struct port_weight survey_ports[] = {
    {80, 60},   {443, 60},  {22, 50},   {8080, 40}, {21, 20},   {25, 20},  {23, 20},   {3389, 30},
    {445, 20},  {8443, 20}, {5900, 14}, {6379, 12}, {3306, 12}, {5432, 8}, {1433, 10}, {8000, 10},
    {8888, 10}, {2222, 8},  {9200, 8},  {27017, 8}, {502, 6},   {102, 4},  {20000, 2}, {44818, 2},
    {1883, 6},  {554, 6},   {5555, 6},  {7547, 6},  {0, 0}};
static const struct port_weight udp_ports[] = {
    {1900, 150}, {53, 130},  {123, 110},  {161, 100},  {5060, 90},  {53413, 80},
    {5353, 50},  {389, 50},  {11211, 40}, {5683, 40},  {111, 24},   {69, 20},
    {19, 16},    {3702, 24}, {37810, 16}, {10001, 12}, {47808, 12}, {623, 12},
    {1434, 10},  {500, 12},  {5351, 8},   {0, 0}};

static const struct port_weight *const port_weights[PORTS_TABLES] = {
    [PORTS_MIRAI] = mirai_ports,     [PORTS_IOT] = iot_ports,       [PORTS_LINUX] = linux_ports,
    [PORTS_WINDOWS] = windows_ports, [PORTS_SURVEY] = survey_ports, [PORTS_UDP] = udp_ports,
};

static bool program_wanted(const struct synth_program *p, uint32_t ports_per_source, bool with_ipv6)
{
    if (p->ip_version == 6 && !with_ipv6)
        return false;
    /* Fragments have no port in half of their packets. */
    return !ports_per_source || (p->ports != PORTS_NONE && p->form != FORM_FRAGMENT);
}

static unsigned program_weight(const struct synth_program *p, size_t column)
{
    return *(const uint16_t *)((const char *)p + column);
}

/* Gives each program its share of the table by the weights in that column of `programs`. */
static void fill_programs(uint8_t *table, size_t column, uint32_t ports_per_source, bool with_ipv6)
{
    unsigned total = 0, reached = 0, at = 0;
    for (unsigned i = 0; i < PROGRAMS; i++)
        total += program_weight(&programs[i], column);
    for (unsigned i = 0; i < PROGRAMS; i++) {
        bool wanted = program_wanted(&programs[i], ports_per_source, with_ipv6);
        reached += program_weight(&programs[i], column);
        while (at < reached * MIX_TABLE / total)
            table[at++] = wanted ? (uint8_t)i : PROGRAM_ORDINARY;
    }
}

/* Octaves: an uneven first one of 16 ranks weighs 5/4 of a doubling (fewer would let the
 * first source alone send most of a small capture), then one unit for each doubling; the last
 * counts as far as it is filled. Units of 2^20. */
enum { OCTAVE_SHIFT = 20, OCTAVE_FIRST = 16 };
static const uint64_t octave_first_weight = UINT64_C(5) << (OCTAVE_SHIFT - 2);

static uint64_t octaves_weigh(uint64_t sources)
{
    uint64_t total = octave_first_weight, low = OCTAVE_FIRST;
    for (; low * 2 <= sources; low *= 2)
        total += UINT64_C(1) << OCTAVE_SHIFT;
    if (sources > low)
        total += ((sources - low) << OCTAVE_SHIFT) / low;
    return total;
}

void synth_mix_init(struct synth_mix *mix, uint64_t seed, uint64_t sources,
                    uint32_t ports_per_source, bool with_ipv6)
{
    mix->seed = random_mix(seed);
    mix->sources = sources;
    mix->head = sources / 200;
    mix->ports_per_source = ports_per_source;
    mix->octave_total = octaves_weigh(sources);
    fill_programs(mix->head_program, offsetof(struct synth_program, head), ports_per_source,
                  with_ipv6);
    fill_programs(mix->tail_program, offsetof(struct synth_program, tail), ports_per_source,
                  with_ipv6);
    for (unsigned t = 0; t < PORTS_TABLES; t++) {
        unsigned at = 0;
        for (const struct port_weight *w = port_weights[t]; w->weight; w++)
            for (unsigned n = 0; n < w->weight && at < MIX_TABLE; n++)
                mix->ports[t][at++] = w->port;
        while (at < MIX_TABLE)
            mix->ports[t][at++] = 0;
    }
}

uint32_t synth_mix_rank(const struct synth_mix *mix, uint64_t random)
{
    uint32_t place = (uint32_t)random;
    if (mix->sources <= OCTAVE_FIRST)
        return (uint32_t)random_scale(place, mix->sources);
    uint64_t x = (uint64_t)((__uint128_t)(random >> 32) * mix->octave_total >> 32);
    if (x < octave_first_weight)
        return place % OCTAVE_FIRST;
    uint64_t low = (uint64_t)OCTAVE_FIRST << ((x - octave_first_weight) >> OCTAVE_SHIFT);
    uint64_t width = low < mix->sources - low ? low : mix->sources - low;
    return (uint32_t)(low + random_scale(place, width));
}

static uint32_t spread_count(enum synth_spread spread, uint64_t bits)
{
    static const uint8_t few[16] = {1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 3, 3, 3, 4, 5};
    static const uint8_t some[16] = {1, 1, 1, 2, 2, 2, 3, 3, 4, 4, 5, 6, 7, 8, 12, 24};
    switch (spread) {
    case SPREAD_FEW:
        return few[bits & 15];
    case SPREAD_SOME:
        return some[bits & 15];
    case SPREAD_SURVEY:
        /* One in 256 sweeps all ports, the others 16 to 2,048. */
        return (bits >> 8 & 255) == 0 ? 65536 : 16u << (bits & 7);
    }
    return 1;
}

void synth_mix_traits(const struct synth_mix *mix, uint32_t source, struct synth_traits *traits)
{
    uint64_t h = random_mix(mix->seed ^ source);
    const uint8_t *table = source < mix->head ? mix->head_program : mix->tail_program;
    const struct synth_program *p = &programs[table[h % MIX_TABLE]];
    traits->program = p;
    traits->detail = random_mix(h);
    traits->main_share = p->spread == SPREAD_SURVEY ? 0 : p->ports == PORTS_MIRAI ? 230 : 128;
    if (mix->ports_per_source)
        traits->port_count = mix->ports_per_source;
    else if (p->ports == PORTS_NONE)
        traits->port_count = 1;
    else
        traits->port_count = spread_count(p->spread, h >> 32);
}

uint16_t synth_mix_port(const struct synth_mix *mix, const struct synth_traits *traits,
                        uint32_t slot)
{
    unsigned ports = traits->program->ports;
    if (ports == PORTS_NONE)
        return 0;
    uint64_t first = traits->detail;
    uint16_t odd = (uint16_t)(first >> 40) | 1;
    if (slot && (mix->ports_per_source || (traits->program->spread == SPREAD_SURVEY && slot >= 16)))
        return (uint16_t)(synth_mix_port(mix, traits, 0) + slot * odd);
    uint64_t h = slot ? random_mix(first + slot) : first;
    if (ports == PORTS_EPHEMERAL)
        return (uint16_t)(1024 + (h >> 16) % 64512);
    uint16_t port = mix->ports[ports][h % MIX_TABLE];
    return port ? port : (uint16_t)(h >> 16);
}
