/* The profile `days`: for each thing that a day's result tells apart, sources that are it and such as just
 * miss it. */
#include "capture/synth_cast.h"

#include <errno.h>

/* What a part's number of packets is added to. */
enum basis {
    EACH,  /* 0 */
    TOP,   /* what the survey rule asks */
    FIRST, /* half of it */
    REST,  /* the other half */
};

/* What each source of a group sends on each day. */
struct part {
    uint8_t form, when, basis;
    int16_t packets;
    struct synth_port_range ports;
};

struct row {
    const char *name;
    uint8_t pool;
    uint16_t sources;
    struct part parts[3];
};

static const uint16_t mirai[] = {23, 23, 23, 23, 23, 23, 23, 23, 23, 2323};
static const uint16_t iot[] = {23, 2323, 37215, 52869, 5555, 7547, 8080, 81};
static const uint16_t server[] = {22, 80, 443, 8080, 3306, 6379, 5432};
static const uint16_t windows[] = {445, 3389, 1433, 139, 135};
static const uint16_t exploit_udp[] = {53413, 9034};
static const uint16_t exploit_tcp[] = {37215, 52869, 7547, 60001, 80};
static const uint16_t netcore[] = {53413};
static const uint16_t huawei[] = {37215};
static const uint16_t debugger[] = {5555};
static const uint16_t telnet[] = {23};
static const uint16_t ssh[] = {22};
static const uint16_t amplifier[] = {53, 389, 11211, 19};
static const uint16_t reflector[] = {53, 123, 1900, 389, 11211, 161, 19, 443};
static const uint16_t zero[] = {0};
static const uint16_t flooded[] = {80, 443, 22};

#define LIST(ports)                                     \
    {                                                   \
        ports, 0, 0, sizeof(ports) / sizeof((ports)[0]) \
    }
#define RANGE(first, step, count) \
    {                             \
        NULL, first, step, count  \
    }
#define NO_PORTS      \
    {                 \
        NULL, 0, 0, 1 \
    }

/* clang-format off */
static const struct row rows[] = {
    /* survey scanners, some with no packet and no port to spare */
    {"survey", POOL_PUBLIC, 3, {{FORM_ZMAP_MSS, 0, TOP, 500, RANGE(1001, 7, 200)}}},
    {"survey-masscan", POOL_PUBLIC, 1, {{FORM_MASSCAN_OLD, 0, TOP, 1000, RANGE(2000, 3, 100)}}},
    {"survey-exact", POOL_PUBLIC, 2, {{FORM_LINUX, 0, TOP, 0, RANGE(8000, 1, 30)}}},
    {"survey-both", POOL_PUBLIC, 2, {{FORM_LINUX, 0, FIRST, 0, RANGE(5000, 1, 15)},
                                     {FORM_UDP_EMPTY, 0, REST, 0, RANGE(5000, 1, 15)}}},
    {"survey-udp", POOL_PUBLIC, 1, {{FORM_UDP_EMPTY, 0, TOP, 10, RANGE(30000, 11, 40)}}},
    /* near misses: one port less, one packet less, the rest of kinds that don't count */
    {"near-ports", POOL_PUBLIC, 3, {{FORM_ZMAP_MSS, 0, TOP, 200, RANGE(1001, 7, 29)}}},
    {"near-packets", POOL_PUBLIC, 3, {{FORM_LINUX, 0, TOP, -1, RANGE(1001, 7, 40)}}},
    {"near-kinds", POOL_PUBLIC, 2, {{FORM_LINUX, 0, TOP, 0, RANGE(1001, 7, 29)},
                                    {FORM_TCP_ODD, 0, EACH, 20, RANGE(4000, 1, 10)},
                                    {FORM_TCP_DATA, 0, EACH, 5, RANGE(8123, 1, 1)}}},
    {"near-rest", POOL_PUBLIC, 2, {{FORM_LINUX, 0, TOP, -1, RANGE(1001, 7, 40)},
                                   {FORM_PING, 0, EACH, 100, NO_PORTS},
                                   {FORM_SYNACK, 0, EACH, 50, RANGE(40000, 17, 50)}}},
    /* acknowledged: some would be survey anyway, some are bogons, too */
    {"acknowledged-survey", POOL_ACKNOWLEDGED, 3, {{FORM_ZMAP_MSS, 0, TOP, 100, RANGE(1001, 7, 60)}}},
    {"acknowledged", POOL_ACKNOWLEDGED, 5, {{FORM_LINUX, 0, EACH, 40, LIST(server)}}},
    {"acknowledged-bogon", POOL_ACKNOWLEDGED_NONE, 2, {{FORM_LINUX, 0, EACH, 30, LIST(server)}}},
    {"bogon", POOL_BOGON, 10, {{FORM_LINUX, 0, EACH, 25, LIST(iot)}}},
    {"bogon-survey", POOL_BOGON, 1, {{FORM_LINUX, 0, TOP, 1, RANGE(1001, 7, 40)}}},
    /* taken out but for their evidence: survey_conflict */
    {"conflict-mirai", POOL_PUBLIC, 2, {{FORM_LINUX, 0, TOP, 100, RANGE(1001, 7, 40)},
                                        {FORM_MIRAI, 0, EACH, 50, LIST(telnet)}}},
    {"conflict-exploit-udp", POOL_PUBLIC, 1, {{FORM_UDP_EMPTY, 0, TOP, 0, RANGE(30000, 11, 40)},
                                              {FORM_EXPLOIT_UDP, 0, EACH, 10, LIST(netcore)}}},
    {"conflict-exploit-tcp", POOL_PUBLIC, 1, {{FORM_LINUX, 0, TOP, 0, RANGE(1001, 7, 40)},
                                              {FORM_EXPLOIT_TCP, 0, EACH, 1, LIST(huawei)}}},
    {"conflict-acknowledged", POOL_ACKNOWLEDGED, 1, {{FORM_LINUX, 0, EACH, 30, LIST(server)},
                                                     {FORM_MIRAI, 0, EACH, 5, LIST(telnet)}}},
    {"conflict-bogon", POOL_BOGON, 1, {{FORM_MIRAI, 0, EACH, 20, LIST(telnet)}}},
    /* ordinary sources */
    {"mirai", POOL_PUBLIC, 24, {{FORM_MIRAI, 0, EACH, 60, LIST(mirai)}}},
    {"iot", POOL_PUBLIC, 30, {{FORM_EMBEDDED, 0, EACH, 40, LIST(iot)}}},
    {"servers", POOL_PUBLIC, 40, {{FORM_LINUX, 0, EACH, 35, LIST(server)}}},
    {"windows", POOL_PUBLIC, 40, {{FORM_WINDOWS, 0, EACH, 30, LIST(windows)}}},
    {"exploit-udp", POOL_PUBLIC, 6, {{FORM_EXPLOIT_UDP, 0, EACH, 24, LIST(exploit_udp)}}},
    {"exploit-tcp", POOL_PUBLIC, 6, {{FORM_EXPLOIT_TCP, 0, EACH, 20, LIST(exploit_tcp)},
                                     {FORM_EMBEDDED, 0, EACH, 20, LIST(exploit_tcp)}}},
    {"debugger", POOL_PUBLIC, 3, {{FORM_EXPLOIT_TCP, 0, EACH, 15, LIST(debugger)}}},
    {"pings", POOL_PUBLIC, 10, {{FORM_PING, 0, EACH, 12, NO_PORTS}}},
    /* no attacks */
    {"answers-udp", POOL_PUBLIC, 8, {{FORM_REFLECTED, 0, EACH, 32, LIST(reflector)}}},
    {"answers-syn", POOL_PUBLIC, 12, {{FORM_SYNACK, 0, EACH, 40, RANGE(40000, 17, 100)}}},
    {"answers-rst", POOL_PUBLIC, 8, {{FORM_RST, 0, EACH, 30, RANGE(40000, 17, 100)}}},
    {"answers-icmp", POOL_PUBLIC, 6, {{FORM_ICMP_ERROR, 0, EACH, 25, NO_PORTS},
                                      {FORM_ECHO_REPLY, 0, EACH, 5, NO_PORTS}}},
    {"dht", POOL_PUBLIC, 6, {{FORM_DHT, 0, EACH, 20, RANGE(41000, 17, 10)}}},
    {"other", POOL_PUBLIC, 2, {{FORM_IGMP, 0, EACH, 3, NO_PORTS},
                               {FORM_ESP, 0, EACH, 3, NO_PORTS},
                               {FORM_MALFORMED, 0, EACH, 3, RANGE(3000, 1, 2)}}},
    {"amplification", POOL_PUBLIC, 4, {{FORM_AMPLIFY, 0, EACH, 40, LIST(amplifier)}}},
    /* a flood with random sources, most without a sign that it is one */
    {"spoofed", POOL_RANDOM, 1, {{FORM_LINUX, 0, EACH, 1500, LIST(flooded)}}},
    {"spoofed-ttl", POOL_RANDOM, 1, {{FORM_FLOOD, 0, EACH, 200, LIST(flooded)}}},
    {"spoofed-port-0", POOL_RANDOM, 1, {{FORM_LINUX, 0, EACH, 100, LIST(zero)}}},
    {"spoofed-octet-0", POOL_RANDOM_0, 1, {{FORM_LINUX, 0, EACH, 100, LIST(flooded)}}},
    {"spoofed-octet-255", POOL_RANDOM_255, 1, {{FORM_LINUX, 0, EACH, 100, LIST(flooded)}}},
    /* midnight */
    {"edges", POOL_PUBLIC, 2, {{FORM_LINUX, WHEN_FIRST_SECOND, EACH, 5, LIST(ssh)},
                               {FORM_LINUX, WHEN_LAST_SECOND, EACH, 5, LIST(ssh)}}},
    {"late", POOL_PUBLIC, 2, {{FORM_LINUX, WHEN_LATE, EACH, 20, LIST(ssh)},
                              {FORM_LINUX, WHEN_LATE_MIDNIGHT, EACH, 10, LIST(ssh)}}},
    /* IPv6 */
    {"ordinary6", POOL_PUBLIC6, 10, {{FORM_LINUX, 0, EACH, 21, LIST(server)}}},
    {"exploit6", POOL_PUBLIC6, 2, {{FORM_EXPLOIT_UDP, 0, EACH, 10, LIST(netcore)}}},
    {"survey6", POOL_SUBNET6, 64, {{FORM_LINUX, 0, EACH, 20, RANGE(1001, 7, 40)}}},
    {"survey6-exact", POOL_SUBNET6, 25, {{FORM_LINUX, 0, EACH, 40, RANGE(1001, 7, 30)}}},
    {"near6-ports", POOL_SUBNET6, 32, {{FORM_LINUX, 0, EACH, 40, RANGE(1001, 7, 29)}}},
    {"near6-packets", POOL_SUBNET6, 27, {{FORM_LINUX, 0, EACH, 37, RANGE(1001, 7, 40)}}},
    {"survey6-mixed", POOL_SUBNET6, 40, {{FORM_LINUX, 0, EACH, 30, RANGE(1001, 7, 40)}}},
    {"conflict6", POOL_COMPANION6, 1, {{FORM_EXPLOIT_UDP, 0, EACH, 10, LIST(netcore)}}},
    {"acknowledged6", POOL_ACKNOWLEDGED6, 2, {{FORM_LINUX, 0, EACH, 30, LIST(server)}}},
    {"bogon6", POOL_BOGON6, 2, {{FORM_LINUX, 0, EACH, 20, LIST(server)}}},
};
/* clang-format on */

static uint64_t part_packets(const struct part *p, uint64_t survey_packets)
{
    uint64_t basis = 0;
    if (p->basis == TOP)
        basis = survey_packets;
    else if (p->basis == FIRST)
        basis = survey_packets / 2;
    else if (p->basis == REST)
        basis = survey_packets - survey_packets / 2;
    return basis + (uint64_t)(int64_t)p->packets;
}

int synth_cast_days(struct synth_cast *cast)
{
    uint64_t survey_packets = synth_survey_packets(cast->address);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *r = &rows[i];
        int group = synth_cast_group(cast, r->name, r->pool, r->sources);
        if (group == -ENOENT)
            continue;
        if (group < 0)
            return group;
        for (size_t n = 0; n < 3 && r->parts[n].ports.count; n++) {
            const struct part *p = &r->parts[n];
            uint64_t each = part_packets(p, survey_packets);
            synth_cast_act(cast, group, p->form, p->when, each * r->sources * cast->period_days,
                           &p->ports);
        }
    }
    return 0;
}
