/* setup: what several commands build from their options. */
#ifndef CORE_SETUP_H
#define CORE_SETUP_H

#include "capture/capture.h"
#include "capture/capture_filter.h"
#include "classify/origin.h"
#include "classify/ruleset.h"
#include "classify/telescope_dates.h"
#include "core/config.h"
#include "export/record.h"

struct setup {
    struct ruleset *rules;
    struct telescope_dates *telescope; /* NULL: none configured */
    struct telescope_size *sizes;      /* of it, where they change by date; else none */
    size_t size_count;
    uint64_t ipv4;           /* its addresses; where they change, the last ones */
    struct filter *filter;   /* NULL: none */
    struct origins *origins; /* bogons at least */
    struct capture *capture; /* of config.paths */
    uint32_t decap;
};

/* Loads the rules in force (--rules, else those built in), payload rules on; as ruleset_create and
 * payload_load. Caller destroys in any case. */
int setup_rules(struct ruleset **rules, const struct config *c, struct fault *fault);

/* Loads --country, --as, --lists; as origins_create, with the option in front of the fault. Caller destroys. */
int setup_origins(struct origins **origins, const struct config *c, struct fault *fault);

/* What needs nothing but the options: the sensor's and the telescope's names are words that keys, paths and labels can
 * be made of; the memory cap is one that a run can keep. -EINVAL and a fault that names the option. */
int setup_names_check(const struct config *c, struct fault *fault);
int setup_memory_check(const struct config *c, struct fault *fault);

/* Who is a survey scanner, by --survey-... */
struct survey_settings setup_survey(const struct config *c);

/* Loads --telescope, whose days are those of --timezone: sets the process's zone where it changes by date. *telescope stays
 * NULL where none is configured. Caller destroys. */
int setup_telescope(struct telescope_dates **telescope, const struct config *c,
                    struct fault *fault);

/* The sizes of a telescope where they change by date: *sizes is the caller's to free; else *count is 0. -ENOMEM. */
int setup_telescope_sizes(const struct telescope_dates *telescope, struct telescope_size **sizes,
                          size_t *count);

/* What can be wrong with options before anything is loaded. -EINVAL and a fault that names the option. */
int setup_check(const struct config *c, struct fault *fault);

/* Loads rules, origins, telescope, filter, tunnels. -errno with a fault that names the option. Caller finishes in any
 * case. */
int setup_open(struct setup *s, const struct config *c, struct fault *fault);

/* What the feed says of itself, without its days; of a telescope that changes by date in *sized, which must outlive it. */
struct feed_identity setup_identity(const struct setup *s, const struct config *c,
                                    struct feed_telescope *sized);

/* Loads rules, origins, telescope, filter, tunnels and opens the inputs. -errno with a fault that
 * names the option. Caller finishes in
 * any case. */
int setup_init(struct setup *s, const struct config *c, struct fault *fault);
void setup_fini(struct setup *s);

#endif
