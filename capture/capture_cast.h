/* capture_cast: seeded traffic of whole calendar days whose results are known by construction.
 *
 * A capture backend like capture_synth; who sends what is a cast (synth_cast.h). Beside each frame its
 * intent: what it was meant to be and by whom, from which a day's answer is counted without decoding
 * or classifying anything. The same settings give the same frames on every machine. Packets are
 * delivered by time, but for those that are late on purpose. Memory: 24 bytes per packet of one day.
 *
 * Every day has the same sources with the same packets (one more or less where a year's are not a
 * multiple of its days), whether it has 23, 24 or 25 hours. Time of day zones is the caller's matter:
 * the days' beginnings are settings.
 */
#ifndef CAPTURE_CAPTURE_CAST_H
#define CAPTURE_CAPTURE_CAST_H

#include "capture/capture_synth.h"
#include "capture/synth_cast.h"
#include "capture/synth_nicter.h"

struct capture_cast_settings {
    uint64_t seed;
    const struct synth_nicter *year; /* NULL: the profile `days` */
    uint64_t scale;                  /* of a year: packets are divided by it; at least 1 */
    const int64_t
        *starts_ns;     /* days + 1: the day's first nanosecond, ascending by at least an hour */
    size_t days;        /* made; at least 1 */
    size_t period_days; /* of a year: its days, at least `days`; else ignored */
    uint16_t vlan;      /* 0: none */
    const struct synth_prefix *telescope;
    size_t telescope_count;
};

struct cast_intent {
    struct synth_intent packet; /* its `source` and `destination` mean nothing */
    uint8_t src[16];
    uint32_t day;   /* whose packet it is by its timestamp, from 0 */
    uint16_t group; /* of the cast */
    bool is_late;   /* delivered after SYNTH_LATE_NS */
};

/* 0, -EINVAL with a fault, -ENOMEM. *out is NULL on failure; else close through its ops. Settings are copied; but
 * `year` must outlive it. */
int capture_cast_create(struct capture **out, const struct capture_cast_settings *settings,
                        struct fault *fault);

/* Intents of the last burst, in its order; valid until the next. */
const struct cast_intent *capture_cast_intents(const struct capture *c);

/* Groups, acknowledged prefixes; lives as long as the capture. */
const struct synth_cast *capture_cast_of(const struct capture *c);

#endif
