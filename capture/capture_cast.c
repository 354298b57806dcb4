#include "capture/capture_cast.h"

#include "capture/random.h"
#include "capture/synth_form.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { LINKTYPE_ETHERNET = 1 };

static const int64_t second_ns = 1000000000;
static const uint64_t day_packets_max = UINT64_C(1) << 30;

/* A packet to be delivered: number `number` of an act's on day `day`. */
struct cue {
    int64_t due_ns, ts_ns;
    uint32_t number;
    uint16_t act;
    uint16_t day;
};

struct capture_cast {
    struct capture base; /* first */
    struct capture_cast_settings settings;
    struct synth_address address;
    struct synth_cast cast;
    struct random_stream random;
    uint64_t seed;

    int64_t *starts_ns;
    size_t day; /* the next to be planned */
    struct cue *cues;
    size_t cue_count, cue_at; /* of the plan */
    size_t cue_due;           /* those before it are delivered before the next day is planned */

    uint64_t total;
    _Atomic uint64_t shown;

    struct synth_packet packet;
    struct cast_intent intents[FRAME_BURST];
    uint8_t frames[FRAME_BURST][SYNTH_FRAME_MAX];
};

/* The n-th of `count` moments, each drawn from its own part of [start, start + span). */
static int64_t moment_in(int64_t start, int64_t span, uint64_t n, uint64_t count, uint64_t random)
{
    __uint128_t place = ((__uint128_t)n << 32 | (uint32_t)random) * (uint64_t)span;
    return start + (int64_t)(place / count >> 32);
}

/* The n-th of `count` moments of a second, the first and the last nanosecond among them. */
static int64_t moment_of_second(int64_t start, uint64_t n, uint64_t count)
{
    return start + (count > 1 ? (int64_t)(n * (uint64_t)(second_ns - 1) / (count - 1)) : 0);
}

static void cue_time(const struct capture_cast *c, struct cue *cue, uint64_t count)
{
    const struct synth_act *act = &c->cast.acts[cue->act];
    int64_t start = c->starts_ns[cue->day], end = c->starts_ns[cue->day + 1];
    uint64_t n = cue->number;
    uint64_t random =
        random_mix(c->seed ^ random_mix((uint64_t)cue->day << 48 | (uint64_t)cue->act << 32 | n));
    cue->ts_ns = moment_in(start, end - start, n, count, random);
    switch ((enum synth_when)act->when) {
    case WHEN_FIRST_SECOND:
        cue->ts_ns = moment_of_second(start, n, count);
        break;
    case WHEN_LAST_SECOND:
        cue->ts_ns = moment_of_second(end - second_ns, n, count);
        break;
    case WHEN_LATE:
        cue->ts_ns = moment_in(start, end - start - SYNTH_LATE_NS, n, count, random);
        break;
    case WHEN_LATE_MIDNIGHT:
        cue->ts_ns = moment_in(end - SYNTH_LATE_NS, SYNTH_LATE_NS / 2, n, count, random);
        break;
    case WHEN_ALL_DAY:
        break;
    }
    bool is_late = act->when == WHEN_LATE || act->when == WHEN_LATE_MIDNIGHT;
    cue->due_ns = cue->ts_ns + (is_late ? SYNTH_LATE_NS : 0);
}

static int cue_order(const void *left, const void *right)
{
    const struct cue *a = left, *b = right;
    if (a->due_ns != b->due_ns)
        return a->due_ns < b->due_ns ? -1 : 1;
    if (a->act != b->act)
        return a->act < b->act ? -1 : 1;
    return a->number < b->number ? -1 : a->number > b->number;
}

static uint64_t day_packets(const struct capture_cast *c, size_t day)
{
    uint64_t packets = 0;
    for (size_t i = 0; i < c->cast.act_count; i++)
        packets += synth_cast_packets(&c->cast, &c->cast.acts[i], day);
    return packets;
}

/* Plans the next day, behind what is left of the day before. The room was reserved. */
static void day_plan(struct capture_cast *c)
{
    size_t left = c->cue_count - c->cue_at;
    memmove(c->cues, c->cues + c->cue_at, left * sizeof *c->cues);
    c->cue_at = 0;
    c->cue_count = left;
    for (size_t act = 0; act < c->cast.act_count; act++) {
        uint64_t count = synth_cast_packets(&c->cast, &c->cast.acts[act], c->day);
        for (uint64_t n = 0; n < count; n++) {
            struct cue *cue = &c->cues[c->cue_count++];
            *cue =
                (struct cue){.number = (uint32_t)n, .act = (uint16_t)act, .day = (uint16_t)c->day};
            cue_time(c, cue, count);
        }
    }
    qsort(c->cues, c->cue_count, sizeof *c->cues, cue_order);
    c->day++;
    c->cue_due = c->cue_count;
    while (c->day < c->settings.days && c->cue_due > 0 &&
           c->cues[c->cue_due - 1].due_ns >= c->starts_ns[c->day])
        c->cue_due--;
}

static uint32_t packet_make(struct capture_cast *c, const struct cue *cue, uint8_t *bytes,
                            struct cast_intent *intent)
{
    const struct synth_act *act = &c->cast.acts[cue->act];
    const struct synth_group *g = &c->cast.groups[act->group];
    uint32_t turn = cue->number, own = 0;
    uint64_t who = (uint64_t)cue->act << 32 | cue->number;
    *intent = (struct cast_intent){
        .day = cue->day, .group = act->group, .is_late = cue->due_ns != cue->ts_ns};
    if (g->count) {
        own = turn % g->count;
        turn /= g->count;
        who = g->first + own;
        memcpy(intent->src, c->cast.sources[who], 16);
    } else {
        synth_cast_draw(&c->cast, g->pool, &c->random, intent->src);
    }
    /* Sources begin at different ports, and go through all. */
    const struct synth_port_range *ports = &act->ports;
    uint32_t slot = (turn + own) % ports->count;
    uint16_t port = ports->list ? ports->list[slot] : (uint16_t)(ports->first + slot * ports->step);
    struct synth_traits traits = {
        .program = &act->program,
        /* Bit 54 chooses an initial TTL of 255, which some take for a sign of spoofing. */
        .detail = random_mix(c->seed + who) & ~(UINT64_C(1) << 54),
        .port_count = ports->count,
    };
    struct synth_packet *p = &c->packet;
    p->bytes = bytes;
    p->ip_version = g->ip_version;
    memcpy(p->src, intent->src, 16);
    intent->packet.ts_ns = cue->ts_ns;
    intent->packet.ip_version = p->ip_version;
    synth_address_destination(&c->address, p->ip_version, &c->random, p->dst);
    intent->packet.wire_len =
        (uint32_t)synth_form_build(p, &traits, port, &c->random, &intent->packet);
    return intent->packet.wire_len;
}

static size_t burst(struct capture *base, struct frame *frames, size_t max)
{
    struct capture_cast *c = (struct capture_cast *)base;
    size_t count = 0;
    while (count < max && count < FRAME_BURST) {
        if (c->cue_at == c->cue_due) {
            if (c->day == c->settings.days)
                break;
            day_plan(c);
            continue;
        }
        const struct cue *cue = &c->cues[c->cue_at++];
        uint32_t length = packet_make(c, cue, c->frames[count], &c->intents[count]);
        frames[count] = (struct frame){
            .data = c->frames[count],
            .caplen = length,
            .wire_len = length,
            .ts_ns = cue->ts_ns,
            .link_type = LINKTYPE_ETHERNET,
        };
        count++;
    }
    atomic_fetch_add_explicit(&c->shown, count, memory_order_relaxed);
    return count;
}

static const struct damage_list *damaged(const struct capture *base)
{
    static const struct damage_list none = {NULL, 0};
    return &none;
}

static void drops(const struct capture *base, struct capture_drops *d)
{
    *d = (struct capture_drops){0, 0, 0, 0};
}

/* Packets stand for bytes here: there is no input to take. */
static void progress(const struct capture *base, uint64_t *done, uint64_t *total)
{
    const struct capture_cast *c = (const struct capture_cast *)base;
    *done = atomic_load_explicit(&c->shown, memory_order_relaxed);
    *total = c->total;
}

static void close_cast(struct capture *base)
{
    struct capture_cast *c = (struct capture_cast *)base;
    if (!c)
        return;
    synth_cast_fini(&c->cast);
    synth_address_fini(&c->address);
    free(c->starts_ns);
    free(c->cues);
    free(c);
}

static const struct capture_ops ops = {
    .name = "cast",
    .burst = burst,
    .damaged = damaged,
    .drops = drops,
    .progress = progress,
    .close = close_cast,
};

static int settings_check(const struct capture_cast_settings *s, struct fault *fault)
{
    if (!s->days || s->days > UINT16_MAX)
        return fault_set(fault, EINVAL, "synth: days: %zu is not 1 to %d", s->days, UINT16_MAX);
    if (s->year && (!s->scale || s->days > s->period_days))
        return fault_set(fault, EINVAL, "synth: %zu days of a year of %zu", s->days,
                         s->period_days);
    for (size_t i = 0; i < s->days; i++)
        if (s->starts_ns[i] < 0 || s->starts_ns[i + 1] - s->starts_ns[i] < 3600 * second_ns)
            return fault_set(fault, EINVAL,
                             "synth: day %zu begins before 1970 or is shorter than an hour", i + 1);
    if (s->vlan > 4094)
        return fault_set(fault, EINVAL, "synth: vlan: %u is not 1 to 4094", s->vlan);
    return 0;
}

/* A year that nobody wants to write: said before hours of writing it. */
static int year_check(const struct capture_cast *c, struct fault *fault)
{
    const struct capture_cast_settings *s = &c->settings;
    unsigned __int128 wanted = (unsigned __int128)s->year->packets_per_address * c->address.count4 *
                               s->days / s->period_days;
    uint64_t packets = (uint64_t)(wanted / s->scale);
    if (packets <= SYNTH_NICTER_PACKETS)
        return 0;
    return fault_set(
        fault, EINVAL,
        "synth: nicter-%u for %llu addresses is %llu packets, more than %d: --scale "
        "%llu makes it few enough",
        s->year->year, (unsigned long long)c->address.count4, (unsigned long long)packets,
        SYNTH_NICTER_PACKETS,
        (unsigned long long)((wanted + SYNTH_NICTER_PACKETS - 1) / SYNTH_NICTER_PACKETS));
}

/* Room for the fullest day and what the day before leaves to it. */
static int plan_reserve(struct capture_cast *c, struct fault *fault)
{
    uint64_t most = 0;
    for (size_t day = 0; day < c->settings.days; day++) {
        uint64_t packets = day_packets(c, day);
        c->total += packets;
        most = packets > most ? packets : most;
    }
    if (most > day_packets_max)
        return fault_set(fault, EINVAL, "synth: %llu packets a day are too many",
                         (unsigned long long)most);
    c->cues = calloc(2 * most + 1, sizeof *c->cues);
    return c->cues ? 0 : fault_set(fault, ENOMEM, "synth: no memory for a day's packets");
}

int capture_cast_create(struct capture **out, const struct capture_cast_settings *s,
                        struct fault *fault)
{
    *out = NULL;
    int err = settings_check(s, fault);
    if (err)
        return err;
    struct capture_cast *c = calloc(1, sizeof *c);
    if (!c)
        return fault_set(fault, ENOMEM, "synth: no memory");
    c->base.ops = &ops;
    c->settings = *s;
    c->settings.telescope = NULL; /* the caller's; address has a copy */
    c->seed = random_mix(s->seed);
    c->packet.vlan = s->vlan;
    random_init(&c->random, s->seed);
    err = synth_address_init(&c->address, s->seed, s->telescope, s->telescope_count, fault);
    if (!err) {
        c->starts_ns = calloc(s->days + 1, sizeof *c->starts_ns);
        err = c->starts_ns ? 0 : fault_set(fault, ENOMEM, "synth: no memory");
    }
    if (!err) {
        memcpy(c->starts_ns, s->starts_ns, (s->days + 1) * sizeof *c->starts_ns);
        if (synth_cast_init(&c->cast, &c->address, s->year ? s->period_days : s->days))
            err = fault_set(fault, EINVAL, "telescope: leaves no public addresses for sources");
    }
    if (!err && s->year)
        err = year_check(c, fault);
    if (!err && s->year) {
        err = synth_nicter_cast(&c->cast, s->year, s->scale, fault);
    } else if (!err) {
        err = synth_cast_days(&c->cast);
        if (err)
            err = fault_set(fault, -err, "synth: no memory for the sources");
    }
    if (!err)
        err = plan_reserve(c, fault);
    if (err)
        close_cast(&c->base);
    else
        *out = &c->base;
    return err;
}

const struct cast_intent *capture_cast_intents(const struct capture *c)
{
    return ((const struct capture_cast *)c)->intents;
}

const struct synth_cast *capture_cast_of(const struct capture *c)
{
    return &((const struct capture_cast *)c)->cast;
}
