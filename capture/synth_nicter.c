#include "capture/synth_nicter.h"

#include <errno.h>
#include <string.h>

#define PORTS_ASSUMED (ASSUMED_TCP22 | ASSUMED_TCP445 | ASSUMED_TCP80)

/* Of what is neither survey nor scan the reports say little: shares of ports fit a denominator that is 1.0 to
 * 1.6 % smaller than total less survey (REFERENCE.md 1.3); in hundredths of a percent. */
enum { REST_SHARE = 130, WHOLE = 10000 };

/* Of 23/TCP, with the Mirai feature: assumed (police figures, 2020 and 2021: 7.1 and 3.5 % of all). */
enum { MIRAI_SHARE = 1000 };

/* clang-format off */
static const struct synth_nicter years[] = {
    /* year survey strict broad  23    22   445   80 */
    {2017,  680,   4500,  5500,  3850, 610, 500,  300, ASSUMED_STRICT | ASSUMED_BROAD | ASSUMED_TCP80,
     559125, "198.18.0.0/28", "NICTER observation report 2017 (2018-02), 150.4 billion packets",
     "IoT 'more than half' of attacks, no number: 55 % broad, 45 % strict assumed"},
    {2018,  3500,  3600,  5000,  2170, 380, 480,  390, ASSUMED_STRICT,
     790000, "198.18.0.0/29", "NICTER observation report 2018 (2019-02), 212.1 billion packets",
     "IoT 'about half' with the admin ports of others: 50 % broad; 36 % strict assumed"},
    {2019,  5300,  3700,  5000,  2420, 350, 540,  320, ASSUMED_STRICT,
     1200000, "198.18.0.0/29", "NICTER observation report 2019 (2020-02), 327.9 billion packets; later revised to 322.0",
     "IoT 'about half': 50 % broad; 37 % strict assumed"},
    {2020,  5370,  3700,  4800,  2400, 400, 450,  400, ASSUMED_BROAD | ASSUMED_TCP23 | PORTS_ASSUMED,
     1820000, "198.18.0.0/30", "NICTER observation report 2020 (2021-02), 500.1 billion packets; later revised upwards",
     "IoT 37 % by the ministry's chart, which has web ports apart: taken as strict, over scans without survey"},
    {2021,  5740,  3000,  4500,  1100, 400, 450,  500, ASSUMED_STRICT | ASSUMED_BROAD | PORTS_ASSUMED,
     1750000, "198.18.0.0/30", "NICTER observation report 2021 (2022-02), 518.0 billion packets",
     "IoT 'the largest category', no number: 30 % strict, 45 % broad assumed"},
    {2022,  5490,  3000,  5500,  2300, 400, 450,  800, ASSUMED_STRICT | ASSUMED_BROAD | PORTS_ASSUMED,
     1830000, "198.18.0.0/30", "NICTER observation report 2022 (2023-02), 522.6 billion packets",
     "the white paper of 2024 calls 2023 the same as 2022: 30 % strict assumed"},
    {2023,  6380,  3000,  6300,  2710, 300, 300,  1000, ASSUMED_BROAD | PORTS_ASSUMED,
     2260000, "198.18.0.0/30", "NICTER observation report 2023 (2024-02), 619.7 billion packets",
     "IoT 'about 30 %' by the ministry's chart, HTTP and HTTPS about as much: 63 % broad assumed; packets per "
     "address unconfirmed"},
    {2024,  6020,  3000,  5800,  2300, 300, 300,  1000, ASSUMED_BROAD | ASSUMED_TCP23 | PORTS_ASSUMED,
     2450000, "198.18.0.0/30", "NICTER observation report 2024 (2025-02), 686.2 billion packets",
     "IoT 'about 30 %' by the ministry's chart, HTTP and HTTPS next: 58 % broad assumed"},
    {2025,  5500,  3000,  5500,  2000, 300, 300,  1000, ASSUMED_STRICT | ASSUMED_BROAD | ASSUMED_TCP23 | PORTS_ASSUMED,
     2500000, "198.18.0.0/30", "NICTER observation report 2025 (2026-02), 701.0 billion packets",
     "no share of IoT or port found: as in 2024, less 23/TCP, since scans spread over more ports"},
};
/* clang-format on */

/* Strict but for 23/TCP; shared but for 22 and 80/TCP; not IoT but for 445/TCP. */
static const uint16_t strict_ports[] = {2323, 37215, 52869, 5555, 7547, 5358, 60001};
static const uint16_t shared_ports[] = {8080, 443, 81, 8443, 8081, 82, 88};
static const uint16_t other_ports[] = {3389, 6379, 1433, 3306, 5900, 5432, 139, 9200, 2375, 25};

const struct synth_nicter *synth_nicter_find(unsigned year)
{
    for (size_t i = 0; i < sizeof years / sizeof *years; i++)
        if (years[i].year == year)
            return &years[i];
    return NULL;
}

static uint64_t share_of(uint64_t whole, unsigned share)
{
    return (whole * share + WHOLE / 2) / WHOLE;
}

/* A stream of ordinary packets from sources enough that each has about 60 a day. */
static int stream_add(struct synth_cast *cast, const char *name, enum synth_form form,
                      uint64_t packets, const uint16_t *list, uint32_t count)
{
    uint64_t sources = packets / cast->period_days / 60 + 1;
    int group = synth_cast_group(cast, name, POOL_PUBLIC, (uint32_t)sources);
    if (group < 0)
        return group;
    synth_cast_act(cast, group, form, WHEN_ALL_DAY, packets,
                   &(struct synth_port_range){list, 40000, 17, count});
    return 0;
}

static int survey_add(struct synth_cast *cast, uint64_t packets, struct fault *fault)
{
    uint64_t a_day = packets / cast->period_days, least = synth_survey_packets(cast->address);
    uint64_t sources = a_day / (least + least / 2);
    if (a_day < least + 1)
        return fault_set(
            fault, EINVAL,
            "synth: survey scanners would send %llu packets a day, and one takes %llu: a larger "
            "--telescope or a smaller --scale helps",
            (unsigned long long)a_day, (unsigned long long)least);
    int group = synth_cast_group(cast, "survey", POOL_PUBLIC, sources ? (uint32_t)sources : 1);
    if (group < 0)
        return group;
    synth_cast_act(cast, group, FORM_ZMAP_MSS, WHEN_ALL_DAY, packets,
                   &(struct synth_port_range){NULL, 1001, 37, 400});
    return 0;
}

int synth_nicter_cast(struct synth_cast *cast, const struct synth_nicter *y, uint64_t scale,
                      struct fault *fault)
{
    uint64_t all = y->packets_per_address * cast->address->count4 / scale;
    uint64_t survey = share_of(all, y->survey), rest = share_of(all - survey, REST_SHARE);
    uint64_t scan = all - survey - rest;
    uint64_t strict = share_of(scan, y->iot_strict), broad = share_of(scan, y->iot_broad);
    uint64_t tcp23 = share_of(scan, y->tcp23), tcp22 = share_of(scan, y->tcp22);
    uint64_t tcp80 = share_of(scan, y->tcp80), tcp445 = share_of(scan, y->tcp445);
    uint64_t mirai = share_of(tcp23, MIRAI_SHARE);
    static const uint16_t single[] = {23, 22, 80, 445};
    const struct {
        const char *name;
        enum synth_form form;
        uint64_t packets;
        const uint16_t *list;
        uint32_t count;
    } streams[] = {
        {"telnet-mirai", FORM_MIRAI, mirai, &single[0], 1},
        {"telnet", FORM_EMBEDDED, tcp23 - mirai, &single[0], 1},
        {"iot", FORM_EMBEDDED, strict - tcp23, strict_ports,
         sizeof strict_ports / sizeof *strict_ports},
        {"ssh", FORM_LINUX, tcp22, &single[1], 1},
        {"web", FORM_LINUX, tcp80, &single[2], 1},
        {"web-admin", FORM_LINUX, broad - strict - tcp22 - tcp80, shared_ports,
         sizeof shared_ports / sizeof *shared_ports},
        {"windows", FORM_WINDOWS, tcp445, &single[3], 1},
        {"servers", FORM_LINUX, scan - broad - tcp445, other_ports,
         sizeof other_ports / sizeof *other_ports},
        {"answers-syn", FORM_SYNACK, rest / 2, NULL, 200},
        {"answers-rst", FORM_RST, rest - rest / 2, NULL, 200},
    };
    int err = survey_add(cast, survey, fault);
    for (size_t i = 0; i < sizeof streams / sizeof *streams && !err; i++)
        err = stream_add(cast, streams[i].name, streams[i].form, streams[i].packets,
                         streams[i].list, streams[i].count);
    if (err == -ENOMEM)
        fault_set(fault, ENOMEM, "synth: no memory for the sources");
    return err;
}
