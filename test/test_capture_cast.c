/* What casts promise: the same frames for the same settings, each source's packets and ports of a day exact,
 * thresholds met and just missed, days of 23 to 25 hours filled from their first nanosecond to the last. */
#include "capture/capture_cast.h"
#include "capture/decode.h"
#include "capture/random.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const int64_t hour_ns = INT64_C(3600) * 1000000000;

static const struct synth_prefix dark[] = {
    {.address = {198, 18}, .bits = 22, .ip_version = 4},
    {.address = {0x20, 0x01, 0x0d, 0xb8}, .bits = 48, .ip_version = 6},
};

/* 2026-03-07 to 09 and one of 25 hours, as if in New York. */
static int64_t starts[5];

static struct capture_cast_settings usual(void)
{
    static const int64_t hours[] = {24, 23, 24, 25};
    starts[0] = INT64_C(1772859600) * 1000000000;
    for (unsigned i = 0; i < 4; i++)
        starts[i + 1] = starts[i] + hours[i] * hour_ns;
    return (struct capture_cast_settings){.seed = 1,
                                          .scale = 1,
                                          .starts_ns = starts,
                                          .days = 4,
                                          .telescope = dark,
                                          .telescope_count = 2};
}

static struct capture *cast_open(const struct capture_cast_settings *s)
{
    struct capture *c;
    struct fault fault = {0};
    if (capture_cast_create(&c, s, &fault))
        fail_msg("%s", fault.text);
    return c;
}

static uint64_t digest(const struct capture_cast_settings *s, size_t max)
{
    struct capture *c = cast_open(s);
    struct frame frames[FRAME_BURST];
    uint64_t sum = 0, packets = 0, done, total;
    for (size_t n; (n = c->ops->burst(c, frames, max)) > 0; packets += n)
        for (size_t i = 0; i < n; i++) {
            sum = random_mix(sum ^ (uint64_t)frames[i].ts_ns);
            for (uint32_t at = 0; at < frames[i].caplen; at++)
                sum = random_mix(sum ^ frames[i].data[at]);
        }
    c->ops->progress(c, &done, &total);
    assert_int_equal(done, packets);
    assert_int_equal(total, packets);
    c->ops->close(c);
    return sum;
}

static void test_same_seed(void **state)
{
    (void)state;
    struct capture_cast_settings s = usual();
    s.days = 2;
    uint64_t first = digest(&s, FRAME_BURST);
    assert_int_equal(digest(&s, FRAME_BURST), first);
    assert_int_equal(digest(&s, 7), first);
    s.seed = 2;
    assert_int_not_equal(digest(&s, FRAME_BURST), first);
}

/* What one source of a group sent on one day. */
struct seen {
    uint64_t packets, syn_udp;
    bool syn_ports[65536], udp_ports[65536];
    unsigned ports;
    int64_t first_ns, last_ns;
};

enum { DAYS = 4 };

static void seen_add(struct seen *s, const struct synth_intent *i)
{
    if (!s->packets++ || i->ts_ns < s->first_ns)
        s->first_ns = i->ts_ns;
    if (i->ts_ns > s->last_ns)
        s->last_ns = i->ts_ns;
    if (i->sort != SYNTH_TCP_SYN && i->sort != SYNTH_UDP)
        return;
    bool *port = &(i->sort == SYNTH_UDP ? s->udp_ports : s->syn_ports)[i->dst_port];
    s->syn_udp++;
    s->ports += !*port;
    *port = true;
}

/* The group's first source, whatever it is, on each day. */
static void group_watch(const struct capture_cast_settings *settings, const char *name,
                        struct seen seen[DAYS])
{
    struct capture *c = cast_open(settings);
    const struct synth_cast *cast = capture_cast_of(c);
    const struct synth_group *g = NULL;
    struct frame frames[FRAME_BURST];
    memset(seen, 0, DAYS * sizeof *seen);
    for (size_t i = 0; i < cast->group_count; i++)
        if (!strcmp(cast->groups[i].name, name))
            g = &cast->groups[i];
    if (!g)
        fail_msg("no group %s", name);
    for (size_t n; (n = c->ops->burst(c, frames, FRAME_BURST)) > 0;) {
        const struct cast_intent *intents = capture_cast_intents(c);
        for (size_t i = 0; i < n; i++)
            if (intents[i].group == g - cast->groups &&
                !memcmp(intents[i].src, cast->sources[g->first], 16))
                seen_add(&seen[intents[i].day], &intents[i].packet);
    }
    c->ops->close(c);
}

static void test_thresholds(void **state)
{
    (void)state;
    static const struct {
        const char *group;
        uint8_t bits; /* of the IPv4 telescope */
        uint64_t packets, syn_udp;
        unsigned ports;
    } cases[] = {
        /* 1,024 addresses: 1.0 packets per address */
        {"survey-exact", 22, 1024, 1024, 30},
        {"survey-both", 22, 1024, 1024, 30},
        {"survey-udp", 22, 1034, 1034, 40},
        {"near-ports", 22, 1224, 1224, 29},
        {"near-packets", 22, 1023, 1023, 40},
        {"near-kinds", 22, 1049, 1024, 29},
        {"near-rest", 22, 1173, 1023, 40},
        /* 1,000 addresses or fewer: never under 1,000 */
        {"survey-exact", 28, 1000, 1000, 30},
        {"near-packets", 28, 999, 999, 40},
        {"near-rest", 24, 1149, 999, 40},
        {"near-packets", 21, 2047, 2047, 40},
        {"conflict-mirai", 22, 1174, 1174, 41},
        {"conflict-exploit-tcp", 22, 1025, 1024, 40},
        {"survey6", 22, 20, 20, 20}, /* of 64 */
    };
    struct capture_cast_settings s = usual();
    struct synth_prefix telescope[2];
    struct seen *seen = calloc(DAYS, sizeof *seen);
    memcpy(telescope, dark, sizeof dark);
    s.telescope = telescope;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        telescope[0].bits = cases[i].bits;
        group_watch(&s, cases[i].group, seen);
        for (unsigned day = 0; day < DAYS; day++)
            if (seen[day].packets != cases[i].packets || seen[day].syn_udp != cases[i].syn_udp ||
                seen[day].ports != cases[i].ports)
                fail_msg("%s, /%u, day %u: %llu packets, %llu that count, %u ports", cases[i].group,
                         cases[i].bits, day, (unsigned long long)seen[day].packets,
                         (unsigned long long)seen[day].syn_udp, seen[day].ports);
    }
    free(seen);
}

static void test_midnight(void **state)
{
    (void)state;
    struct capture_cast_settings s = usual();
    struct seen *seen = calloc(DAYS, sizeof *seen);
    group_watch(&s, "edges", seen);
    for (unsigned day = 0; day < DAYS; day++) {
        assert_int_equal(seen[day].packets, 10);
        assert_int_equal(seen[day].first_ns, starts[day]);
    }
    free(seen);
}

/* Each frame decodes to the day, the source and the kind of packet that its intent says; times ascend but for what
 * is late; every hour of every day has its part. */
static void test_frames(void **state)
{
    (void)state;
    struct capture_cast_settings s = usual();
    struct capture *c = cast_open(&s);
    struct frame frames[FRAME_BURST];
    int64_t newest = 0;
    uint64_t hours[DAYS][25] = {{0}}, days[DAYS] = {0}, late = 0;
    bool is_last = false;
    for (size_t n; (n = c->ops->burst(c, frames, FRAME_BURST)) > 0;) {
        for (size_t i = 0; i < n; i++) {
            const struct cast_intent *intent = &capture_cast_intents(c)[i];
            struct observation o;
            decode(&frames[i], 0, &o);
            assert_int_equal(o.ts_ns, intent->packet.ts_ns);
            assert_memory_equal(o.src, intent->src, 16);
            assert_int_equal(o.ip_version, intent->packet.ip_version);
            assert_int_equal(o.wire_len, intent->packet.wire_len);
            assert_in_range(o.ts_ns, starts[intent->day], starts[intent->day + 1] - 1);
            if (intent->packet.header == SYNTH_TCP || intent->packet.header == SYNTH_UDP_HEADER)
                assert_int_equal(o.dst_port, intent->packet.dst_port);
            if (intent->is_late) {
                assert_true(o.ts_ns <=
                            newest -
                                SYNTH_LATE_NS / 2); /* the last day's are the next day's no more */
                late++;
            } else {
                assert_true(o.ts_ns >= newest);
                newest = o.ts_ns;
                is_last |= o.ts_ns == starts[intent->day + 1] - 1;
            }
            days[intent->day]++;
            hours[intent->day][(o.ts_ns - starts[intent->day]) / hour_ns]++;
        }
    }
    assert_true(is_last);
    assert_int_equal(late, DAYS * 60);
    for (unsigned day = 0; day < DAYS; day++) {
        uint64_t count = (uint64_t)((starts[day + 1] - starts[day]) / hour_ns);
        assert_int_equal(days[day], days[0]);
        for (unsigned hour = 0; hour < count; hour++)
            assert_in_range(hours[day][hour], days[0] / count * 9 / 10, days[0] / count * 11 / 10);
    }
    c->ops->close(c);
}

/* In hundredths of a percent, to the nearest. */
static uint64_t share(uint64_t num, uint64_t den) { return (num * 10000 + den / 2) / den; }

/* Each year's cast has the year's figures, in packets that are planned, and on each day a survey rule that holds. */
static void test_years(void **state)
{
    (void)state;
    int64_t begins[] = {0, 24 * hour_ns};
    for (unsigned year = SYNTH_NICTER_FIRST; year <= SYNTH_NICTER_LAST; year++) {
        const struct synth_nicter *y = synth_nicter_find(year);
        assert_non_null(y);
        struct synth_prefix telescope = {.address = {198, 18}, .bits = 28, .ip_version = 4};
        struct capture_cast_settings s = usual();
        s.starts_ns = begins;
        s.days = 1;
        s.year = y;
        s.period_days = 365;
        s.telescope = &telescope;
        s.telescope_count = 1;
        struct capture *c = cast_open(&s);
        const struct synth_cast *cast = capture_cast_of(c);
        uint64_t all = 0, survey = 0, rest = 0, telnet = 0, strict = 0, broad = 0;
        for (size_t i = 0; i < cast->act_count; i++) {
            const struct synth_act *act = &cast->acts[i];
            const char *name = cast->groups[act->group].name;
            uint64_t planned = 0;
            for (unsigned day = 0; day < s.period_days; day++)
                planned += synth_cast_packets(cast, act, day);
            assert_int_equal(planned, act->packets);
            all += act->packets;
            if (!strcmp(name, "survey")) {
                survey += act->packets;
                assert_true(act->ports.count >= SYNTH_SURVEY_PORTS);
                for (unsigned day = 0; day < s.period_days; day++)
                    assert_true(synth_cast_packets(cast, act, day) /
                                    cast->groups[act->group].count >=
                                SYNTH_SURVEY_PACKETS);
                continue;
            }
            bool is_telnet = !strncmp(name, "telnet", 6);
            bool is_strict = is_telnet || !strcmp(name, "iot");
            bool is_broad = is_strict || !strcmp(name, "ssh") || !strncmp(name, "web", 3);
            rest += !strncmp(name, "answers", 7) ? act->packets : 0;
            telnet += is_telnet ? act->packets : 0;
            strict += is_strict ? act->packets : 0;
            broad += is_broad ? act->packets : 0;
        }
        uint64_t scan = all - survey - rest;
        assert_int_equal(all, (uint64_t)y->packets_per_address * 16);
        assert_int_equal(share(survey, all), y->survey);
        assert_int_equal(share(telnet, scan), y->tcp23);
        assert_int_equal(share(strict, scan), y->iot_strict);
        assert_int_equal(share(broad, scan), y->iot_broad);
        c->ops->close(c);
    }
    assert_null(synth_nicter_find(SYNTH_NICTER_FIRST - 1));
    assert_null(synth_nicter_find(SYNTH_NICTER_LAST + 1));
}

static void test_refused(void **state)
{
    (void)state;
    struct capture_cast_settings cases[9];
    int64_t short_day[] = {0, hour_ns - 1}, early[] = {-1, hour_ns * 24};
    static const char *const says[] = {"days: 0",
                                       "shorter than an hour",
                                       "before 1970",
                                       "vlan: 4095",
                                       "telescope",
                                       "1 days of a year of 0",
                                       "1 days of a year",
                                       "survey scanners would send",
                                       "nicter-2025 for 1024 addresses is 28054794 packets"};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cases[i] = usual();
        cases[i].days = 1;
    }
    cases[0].days = 0;
    cases[1].starts_ns = short_day;
    cases[2].starts_ns = early;
    cases[3].vlan = 4095;
    cases[4].telescope_count = 0;
    for (unsigned i = 5; i < 9; i++)
        cases[i].year = synth_nicter_find(2017);
    cases[6].period_days = 365;
    cases[6].scale = 0;
    cases[7].period_days = 365;
    cases[7].scale = 1000;
    cases[8].period_days = 365;
    cases[8].days = 4;
    cases[8].year = synth_nicter_find(2025);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct capture *c;
        struct fault fault = {0};
        assert_int_equal(capture_cast_create(&c, &cases[i], &fault), -EINVAL);
        assert_null(c);
        if (fault.err != EINVAL || !strstr(fault.text, says[i]))
            fail_msg("case %zu: '%s' does not say '%s'", i, fault.text, says[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_seed), cmocka_unit_test(test_thresholds),
        cmocka_unit_test(test_midnight),  cmocka_unit_test(test_frames),
        cmocka_unit_test(test_years),     cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
