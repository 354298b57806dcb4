/* synth_nicter: a year as NICT's NICTER observation reports published it, scaled to a small telescope.
 *
 * The figures are REFERENCE.md 1.1 to 1.3 (the edition is each row's); figures of which no
 * number was found are assumed, and say so. Shares of ports and of IoT are over scans without survey
 * scanners. Survey traffic comes from sources that satisfy the survey rule on every day of the year; no
 * other source does.
 */
#ifndef CAPTURE_SYNTH_NICTER_H
#define CAPTURE_SYNTH_NICTER_H

#include "capture/synth_cast.h"

#include "capture/fault.h"

/* Figures of a row that no report gives; set. */
enum synth_assumed {
    ASSUMED_STRICT = 1 << 0,
    ASSUMED_BROAD = 1 << 1,
    ASSUMED_TCP23 = 1 << 2,
    ASSUMED_TCP22 = 1 << 3,
    ASSUMED_TCP445 = 1 << 4,
    ASSUMED_TCP80 = 1 << 5,
};

/* Shares in hundredths of a percent. */
struct synth_nicter {
    uint16_t year;
    uint16_t survey;                                             /* of all packets */
    uint16_t iot_strict, iot_broad, tcp23, tcp22, tcp445, tcp80; /* of scans without survey */
    uint8_t assumed;                                             /* set of enum synth_assumed */
    uint32_t packets_per_address;                                /* in the year */
    const char *telescope; /* unless asked otherwise: about 10 M packets or fewer */
    const char *edition, *notes;
};

/* More than that is meant for nobody's disk: a year is scaled down. */
enum { SYNTH_NICTER_PACKETS = 10000000 };

enum { SYNTH_NICTER_FIRST = 2017, SYNTH_NICTER_LAST = 2025 };

/* NULL: no such year. */
const struct synth_nicter *synth_nicter_find(unsigned year);

/* Fills an initialised cast whose period is the year; packets per address are divided by `scale`. 0, -ENOMEM, or
 * -EINVAL and a fault: so few packets that no survey scanner can be one. */
int synth_nicter_cast(struct synth_cast *cast, const struct synth_nicter *year, uint64_t scale,
                      struct fault *fault);

#endif
