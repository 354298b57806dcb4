/* synth_calendar: writes a capture of whole calendar days, their answers and the list of acknowledged scanners
 * beside it. */
#ifndef CORE_SYNTH_CALENDAR_H
#define CORE_SYNTH_CALENDAR_H

#include "capture/capture_cast.h"
#include "classify/ruleset.h"

struct synth_calendar_settings {
    const struct synth_nicter *year; /* NULL: the profile `days` */
    uint64_t scale, seed;
    uint16_t vlan;
    const char *timezone;        /* a zone that there is (zone_check) */
    int32_t date;                /* of the first day, since 1970-01-01; of a year its first */
    size_t days;                 /* 0: SYNTH_CALENDAR_DAYS, or the year */
    const char *telescope;       /* as in core/synth.h; NULL: the profile's own */
    const char *out;             /* capture file; "-": stdout, with nothing beside it */
    const struct ruleset *rules; /* for the answers; NULL: none */
};

enum { SYNTH_CALENDAR_DAYS = 3 };

/* Small, so that survey scanners need few packets; nobody's, as SYNTH_TELESCOPE. */
#define SYNTH_CALENDAR_TELESCOPE "198.18.0.0/22,2001:db8::/48"

/* Writes OUT, OUT.acknowledged.txt (a prefix a line) and OUT.answers.json; old ones go even where none are
 * written. Sets TZ. 0 or -errno with a fault; the capture may then be incomplete. */
int synth_calendar_run(const struct synth_calendar_settings *settings, struct fault *fault);

#endif
