/* The days' answers: which group has which role, counts against those made of decoded frames, identities that
 * every result holds, all days together. */
#include "capture/decode.h"
#include "classify/classify.h"
#include "core/synth_day.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const int64_t hour_ns = INT64_C(3600) * 1000000000;
enum { DAYS = 3 };
static int64_t starts[DAYS + 1];

static const struct synth_prefix dark[] = {
    {.address = {198, 18}, .bits = 24, .ip_version = 4},
    {.address = {0x20, 0x01, 0x0d, 0xb8}, .bits = 48, .ip_version = 6},
};

static struct ruleset *rules;

static int load_rules(void **state)
{
    static const int64_t hours[DAYS] = {24, 23, 25};
    (void)state;
    starts[0] = INT64_C(1772859600) * 1000000000;
    for (unsigned i = 0; i < DAYS; i++)
        starts[i + 1] = starts[i] + hours[i] * hour_ns;
    return ruleset_create(&rules, NULL, NULL);
}

static int unload_rules(void **state)
{
    (void)state;
    ruleset_destroy(rules);
    return 0;
}

/* What frames say, by kind and by day of their time. */
struct recount {
    uint64_t packets[DAYS], bytes[DAYS], kinds[DAYS][KIND_COUNT], mirai[DAYS];
};

static void recount_add(struct recount *r, const struct frame *frames, size_t count)
{
    struct observation o[FRAME_BURST];
    struct label labels[FRAME_BURST];
    for (size_t i = 0; i < count; i++) {
        decode(&frames[i], 0, &o[i]);
        classify_batch(rules, NULL, &o[i], 1, frames[i].data, NULL, &labels[i]);
        unsigned day = 0;
        while (o[i].ts_ns >= starts[day + 1])
            day++;
        r->packets[day]++;
        r->bytes[day] += o[i].wire_len;
        r->kinds[day][labels[i].kind]++;
        r->mirai[day] += label_tools(&labels[i]) >> TOOL_mirai & 1;
    }
}

/* Makes all days; the capture must live as long as the answers. */
static struct synth_days *answers_make(struct capture **c, bool is_detailed,
                                       struct recount *recount)
{
    struct capture_cast_settings s = {.seed = 3,
                                      .scale = 1,
                                      .starts_ns = starts,
                                      .days = DAYS,
                                      .telescope = dark,
                                      .telescope_count = 2};
    struct fault fault = {0};
    struct synth_days *a;
    struct frame frames[FRAME_BURST];
    if (capture_cast_create(c, &s, &fault))
        fail_msg("%s", fault.text);
    struct synth_day_settings settings = {
        .rules = rules, .cast = capture_cast_of(*c), .days = DAYS, .is_detailed = is_detailed};
    assert_int_equal(synth_days_create(&a, &settings, NULL), 0);
    for (size_t n; (n = (*c)->ops->burst(*c, frames, FRAME_BURST)) > 0;) {
        assert_int_equal(synth_days_add(a, capture_cast_intents(*c), n, NULL), 0);
        if (recount)
            recount_add(recount, frames, n);
    }
    assert_int_equal(synth_days_end(a, NULL), 0);
    return a;
}

static void test_roles(void **state)
{
    (void)state;
    static const struct {
        const char *group;
        unsigned role;
        uint64_t sources;
    } cases[] = {
        {"survey", ROLE_survey, 3},
        {"survey-masscan", ROLE_survey, 1},
        {"survey-exact", ROLE_survey, 2},
        {"survey-both", ROLE_survey, 2},
        {"survey-udp", ROLE_survey, 1},
        {"near-ports", 0, 3},
        {"near-packets", 0, 3},
        {"near-kinds", 0, 2},
        {"near-rest", 0, 2},
        {"acknowledged-survey", ROLE_acknowledged, 3},
        {"acknowledged", ROLE_acknowledged, 5},
        {"acknowledged-bogon", ROLE_bogon, 2},
        {"bogon", ROLE_bogon, 10},
        {"bogon-survey", ROLE_bogon, 1},
        {"conflict-mirai", ROLE_conflict, 2},
        {"conflict-exploit-udp", ROLE_conflict, 1},
        {"conflict-exploit-tcp", ROLE_conflict, 1},
        {"conflict-acknowledged", ROLE_conflict, 1},
        {"conflict-bogon", ROLE_conflict, 1},
        {"mirai", 0, 24},
        {"exploit-tcp", 0, 6},
        {"debugger", 0, 3},
        {"answers-udp", 0, 8},
        {"spoofed", 0, 1500},
        {"survey6", ROLE_survey, 64},
        {"survey6-exact", ROLE_survey, 25},
        {"near6-ports", 0, 32},
        {"near6-packets", 0, 27},
        {"survey6-mixed", ROLE_survey, 40},
        {"conflict6", ROLE_conflict, 1},
        {"acknowledged6", ROLE_acknowledged, 2},
        {"bogon6", ROLE_bogon, 2},
    };
    struct capture *c;
    struct synth_days *a = answers_make(&c, true, NULL);
    const struct synth_cast *cast = capture_cast_of(c);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (size_t day = 0; day < DAYS; day++) {
            const struct synth_day_result *r = synth_days_of(a, day);
            uint64_t sources = 0;
            for (size_t n = 0; n < r->source_count; n++) {
                const struct synth_day_source *s = &r->sources[n];
                if (s->ip_version == 64 || strcmp(cast->groups[s->group].name, cases[i].group))
                    continue;
                sources++;
                if (s->role != cases[i].role)
                    fail_msg("%s, day %zu: role %x", cases[i].group, day, s->role);
            }
            if (sources != cases[i].sources)
                fail_msg("%s, day %zu: %llu sources", cases[i].group, day,
                         (unsigned long long)sources);
        }
    }
    synth_days_destroy(a);
    c->ops->close(c);
}

/* Kinds that no payload decides are those that frames are classified as; the rest adds up. */
static void test_frames(void **state)
{
    (void)state;
    static const enum kind plain[] = {
        KIND_tcp_syn,  KIND_tcp_data,         KIND_tcp_other, KIND_icmp,    KIND_backscatter_tcp,
        KIND_other_ip, KIND_backscatter_icmp, KIND_malformed, KIND_fragment};
    static const enum kind by_payload[] = {KIND_udp, KIND_backscatter_udp, KIND_stray};
    static struct recount ours;
    struct capture *c;
    struct synth_days *a = answers_make(&c, true, &ours);
    for (size_t day = 0; day < DAYS; day++) {
        const struct synth_day_result *r = synth_days_of(a, day);
        uint64_t answer = 0, recount = 0;
        assert_int_equal(r->packets, ours.packets[day]);
        assert_int_equal(r->bytes, ours.bytes[day]);
        assert_int_equal(r->tools[TOOL_mirai], ours.mirai[day]);
        for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++)
            assert_int_equal(r->kinds[plain[i]], ours.kinds[day][plain[i]]);
        for (size_t i = 0; i < sizeof by_payload / sizeof by_payload[0]; i++) {
            answer += r->kinds[by_payload[i]];
            recount += ours.kinds[day][by_payload[i]];
        }
        assert_int_equal(answer, recount);
        assert_true(r->kinds[KIND_backscatter_udp] > 0);
    }
    synth_days_destroy(a);
    c->ops->close(c);
}

static void check_identities(const struct synth_day_result *r)
{
    uint64_t scan = r->kinds[KIND_tcp_syn] + r->kinds[KIND_tcp_data] + r->kinds[KIND_udp];
    uint64_t ports = 0, ports_ex = 0, groups = 0, out = 0;
    assert_int_equal(r->sets[DAY_total].packets, r->packets);
    assert_int_equal(r->sets[DAY_scan].packets, scan);
    for (unsigned set = 0; set < DAY_SETS; set++) {
        const struct synth_day_count *n = &r->sets[set], *t = &r->sets[set > DAY_scan];
        assert_true(n->packets_ex <= n->packets && n->sources_ex <= n->sources);
        assert_true(n->packets <= t->packets && n->packets_ex <= t->packets_ex);
        assert_true(n->packets > 0 && n->sources_ex > 0);
    }
    assert_int_equal(r->sets[DAY_iot_confirmed].packets,
                     r->sets[DAY_iot_payload].packets + r->sets[DAY_iot_bot].packets);
    for (size_t i = 0; i < r->port_count; i++) {
        ports += r->ports[i].packets;
        ports_ex += r->ports[i].packets_ex;
    }
    assert_int_equal(ports, scan);
    assert_int_equal(ports_ex, r->sets[DAY_scan].packets_ex);
    for (unsigned g = 0; g < SYNTH_GROUPS_MAX; g++)
        groups += r->group_packets[g];
    assert_int_equal(groups, r->packets);
    for (size_t i = 0; i < r->source_count; i++)
        if (r->sources[i].ip_version != 64 && r->sources[i].role &&
            r->sources[i].role != ROLE_conflict)
            out += r->sources[i].packets[DAY_total];
    if (r->source_count)
        assert_int_equal(out, r->packets - r->sets[DAY_total].packets_ex);
}

static void test_identities(void **state)
{
    (void)state;
    struct capture *c, *brief_c;
    struct synth_days *a = answers_make(&c, true, NULL),
                      *brief = answers_make(&brief_c, false, NULL);
    const struct synth_day_result *total = synth_days_total(a);
    uint64_t packets = 0, spoofed = 0;
    for (size_t day = 0; day < DAYS; day++) {
        const struct synth_day_result *r = synth_days_of(a, day), *b = synth_days_of(brief, day);
        check_identities(r);
        packets += r->packets;
        assert_int_equal(r->sets[DAY_total].sources, synth_days_of(a, 0)->sets[0].sources);
        assert_int_equal(r->survey_subnets, 3);
        /* /64: 10 and 2 ordinary ones, 3 of survey scanners, 2 near misses, an acknowledged one, 2 of bogons */
        assert_int_equal(r->subnets, 20);
        assert_int_equal(r->sets[0].sources64, r->sets[0].sources - 205 + 20);
        assert_int_equal(r->sets[0].sources64_ex, r->sets[0].sources_ex - (12 + 32 + 27 + 1) + 15);
        assert_int_equal(r->late, 60);
        assert_int_equal(r->amplification, 160);
        /* not detailed: the same sums, and lists of those with a role alone */
        assert_memory_equal(r->sets, b->sets, sizeof r->sets);
        assert_memory_equal(r->roles, b->roles, sizeof r->roles);
        assert_int_equal(b->port_count, 0);
        for (size_t i = 0; i < b->source_count; i++)
            assert_true(b->sources[i].role);
    }
    check_identities(total);
    assert_int_equal(total->packets, packets);
    /* sources stay the same but for those of the flood */
    spoofed = 2000;
    assert_in_range(total->sets[DAY_total].sources,
                    synth_days_of(a, 0)->sets[0].sources + (DAYS - 1) * spoofed - 10,
                    synth_days_of(a, 0)->sets[0].sources + (DAYS - 1) * spoofed);
    synth_days_destroy(a);
    synth_days_destroy(brief);
    synth_days_destroy(NULL);
    c->ops->close(c);
    brief_c->ops->close(brief_c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_roles),
        cmocka_unit_test(test_frames),
        cmocka_unit_test(test_identities),
    };
    return cmocka_run_group_tests(tests, load_rules, unload_rules);
}
