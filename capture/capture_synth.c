#include "capture/capture_synth.h"

#include "capture/random.h"
#include "capture/synth_address.h"
#include "capture/synth_form.h"
#include "capture/synth_mix.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { LINKTYPE_ETHERNET = 1 };

static const uint64_t sources_max = UINT64_C(1) << 30;

/* Spreads `items` over `packets` as evenly as integers allow (Bresenham). */
struct spread {
    uint64_t items, packets, rest;
};

struct capture_synth {
    struct capture base; /* first */
    struct capture_synth_settings settings;
    struct synth_mix mix;
    struct synth_address address;
    struct random_stream random;

    uint64_t done;          /* packets made */
    _Atomic uint64_t shown; /* the same, for progress() */

    /* First appearances: item i is source order(i), port slot i / sources. */
    struct spread appear;
    uint64_t appeared;
    uint64_t order, order_step; /* a walk over all sources */

    /* Time: packet i owns the i-th part of the span. */
    struct spread clock;
    int64_t clock_ns;
    int64_t tick_ns; /* whole nanoseconds of a part */

    struct synth_packet packet;
    struct synth_intent intents[FRAME_BURST];
    uint8_t frames[FRAME_BURST][SYNTH_FRAME_MAX];
};

/* True if the next packet takes an item; false at once when none is left. */
static bool spread_step(struct spread *s)
{
    s->rest += s->items;
    if (s->rest < s->packets)
        return false;
    s->rest -= s->packets;
    return true;
}

static int64_t next_time(struct capture_synth *c)
{
    int64_t ts = c->clock_ns;
    c->clock_ns += c->tick_ns + spread_step(&c->clock);
    uint64_t bits = random_next(&c->random);
    ts += (int64_t)random_scale((uint32_t)bits, (uint64_t)c->tick_ns);
    int64_t back = c->settings.disorder_ns;
    if (back) {
        ts -= (int64_t)((__uint128_t)random_next(&c->random) * ((uint64_t)back + 1) >> 64);
        if (ts < c->settings.start_ns)
            ts = c->settings.start_ns;
    }
    return ts;
}

/* The source that appears next and the port slot it has not used yet. */
static uint32_t next_appearance(struct capture_synth *c, uint32_t *slot)
{
    *slot = (uint32_t)(c->appeared / c->settings.sources);
    c->appeared++;
    c->order += c->order_step;
    if (c->order >= c->settings.sources)
        c->order -= c->settings.sources;
    return (uint32_t)c->order;
}

static bool must_appear(struct capture_synth *c)
{
    if (c->settings.profile == SYNTH_UNIFORM)
        return c->appeared < c->appear.items;
    return spread_step(&c->appear);
}

static uint32_t any_slot(const struct synth_traits *traits, uint64_t bits)
{
    if (traits->port_count == 1 || (bits & 255) < traits->main_share)
        return 0;
    return (uint32_t)random_scale((uint32_t)(bits >> 16), traits->port_count);
}

static size_t make_packet(struct capture_synth *c, uint8_t *bytes, struct synth_intent *intent)
{
    struct synth_traits traits;
    uint32_t source, slot;
    intent->ts_ns = next_time(c);
    if (must_appear(c)) {
        source = next_appearance(c, &slot);
        synth_mix_traits(&c->mix, source, &traits);
    } else {
        uint64_t bits = random_next(&c->random);
        if (c->settings.profile == SYNTH_UNIFORM)
            source = (uint32_t)random_scale((uint32_t)(bits >> 32), c->settings.sources);
        else
            source = synth_mix_rank(&c->mix, bits);
        synth_mix_traits(&c->mix, source, &traits);
        slot = any_slot(&traits, random_next(&c->random));
    }
    struct synth_packet *p = &c->packet;
    p->bytes = bytes;
    p->ip_version = traits.program->ip_version;
    synth_address_source(&c->address, source, p->ip_version, p->src);
    intent->source = source;
    intent->ip_version = p->ip_version;
    intent->destination = synth_address_destination(&c->address, p->ip_version, &c->random, p->dst);
    uint16_t port = synth_mix_port(&c->mix, &traits, slot);
    size_t length = synth_form_build(p, &traits, port, &c->random, intent);
    intent->wire_len = (uint32_t)length;
    return length;
}

static size_t burst(struct capture *base, struct frame *frames, size_t max)
{
    struct capture_synth *c = (struct capture_synth *)base;
    uint64_t left = c->settings.packets - c->done;
    if (max > FRAME_BURST)
        max = FRAME_BURST;
    if (max > left)
        max = (size_t)left;
    for (size_t i = 0; i < max; i++) {
        uint32_t length = (uint32_t)make_packet(c, c->frames[i], &c->intents[i]);
        frames[i] = (struct frame){
            .data = c->frames[i],
            .caplen = length,
            .wire_len = length,
            .ts_ns = c->intents[i].ts_ns,
            .link_type = LINKTYPE_ETHERNET,
        };
    }
    c->done += max;
    atomic_store_explicit(&c->shown, c->done, memory_order_relaxed);
    return max;
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
    const struct capture_synth *c = (const struct capture_synth *)base;
    *done = atomic_load_explicit(&c->shown, memory_order_relaxed);
    *total = c->settings.packets;
}

static void close_synth(struct capture *base)
{
    struct capture_synth *c = (struct capture_synth *)base;
    if (c)
        synth_address_fini(&c->address);
    free(c);
}

static const struct capture_ops ops = {
    .name = "synth",
    .burst = burst,
    .damaged = damaged,
    .drops = drops,
    .progress = progress,
    .close = close_synth,
};

static int settings_check(const struct capture_synth_settings *s, struct fault *fault)
{
    if (!s->packets)
        return fault_set(fault, EINVAL, "synth: packets: at least 1");
    if (!s->sources || s->sources > sources_max)
        return fault_set(fault, EINVAL, "synth: sources: %llu is not 1 to %llu",
                         (unsigned long long)s->sources, (unsigned long long)sources_max);
    if (s->start_ns < 0 || s->span_ns < 1 || s->span_ns > INT64_MAX - s->start_ns)
        return fault_set(fault, EINVAL,
                         "synth: the span ends before it starts, or after the year 2262");
    if (s->disorder_ns < 0)
        return fault_set(fault, EINVAL, "synth: disorder: below zero");
    if (s->ports_per_source > 65536)
        return fault_set(fault, EINVAL, "synth: ports per source: %u is not 1 to 65536",
                         s->ports_per_source);
    if (s->vlan > 4094)
        return fault_set(fault, EINVAL, "synth: vlan: %u is not 1 to 4094", s->vlan);
    return 0;
}

static uint64_t greatest_common_divisor(uint64_t a, uint64_t b)
{
    while (b) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

static void schedule_init(struct capture_synth *c)
{
    const struct capture_synth_settings *s = &c->settings;
    uint64_t slots = s->ports_per_source ? s->ports_per_source : 1;
    c->appear.items = s->sources * slots;
    c->appear.packets = s->packets;
    if (c->appear.items > s->packets)
        c->appear.items = s->packets;
    /* A step near the golden ratio without common divisor visits every source once and ranks in
     * no order. */
    c->order_step = (uint64_t)((__uint128_t)s->sources * 618033989 / 1000000000);
    while (c->order_step && greatest_common_divisor(c->order_step, s->sources) != 1)
        c->order_step--;
    c->clock.items = (uint64_t)s->span_ns % s->packets;
    c->clock.packets = s->packets;
    c->tick_ns = (int64_t)((uint64_t)s->span_ns / s->packets);
    c->clock_ns = s->start_ns;
}

int capture_synth_create(struct capture **out, const struct capture_synth_settings *settings,
                         struct fault *fault)
{
    *out = NULL;
    int err = settings_check(settings, fault);
    if (err)
        return err;
    struct capture_synth *c = calloc(1, sizeof *c);
    if (!c)
        return fault_set(fault, ENOMEM, "synth: no memory");
    c->base.ops = &ops;
    c->settings = *settings;
    c->settings.telescope = NULL; /* the caller's; address has a copy */
    err = synth_address_init(&c->address, settings->seed, settings->telescope,
                             settings->telescope_count, fault);
    if (!err && settings->sources > c->address.public_count)
        err =
            fault_set(fault, EINVAL, "synth: the telescope leaves public addresses for %u sources",
                      c->address.public_count);
    if (err) {
        close_synth(&c->base);
        return err;
    }
    synth_mix_init(&c->mix, settings->seed, settings->sources, settings->ports_per_source,
                   c->address.dark_count > c->address.dark4_count);
    random_init(&c->random, settings->seed);
    c->packet.vlan = settings->vlan;
    schedule_init(c);
    *out = &c->base;
    return 0;
}

const struct synth_intent *capture_synth_intents(const struct capture *c)
{
    return ((const struct capture_synth *)c)->intents;
}

uint64_t capture_synth_destinations(const struct capture *c)
{
    return ((const struct capture_synth *)c)->address.count;
}
