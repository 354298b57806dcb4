/* setup: what several commands build from their options. */
#ifndef CORE_SETUP_H
#define CORE_SETUP_H

#include "capture/capture.h"
#include "capture/capture_filter.h"
#include "classify/origin.h"
#include "classify/prefix_set.h"
#include "classify/ruleset.h"
#include "core/config.h"

struct setup {
    struct ruleset *rules;
    struct prefix_set *telescope; /* NULL: none configured */
    struct filter *filter;        /* NULL: none */
    struct origins *origins;      /* bogons at least */
    struct capture *capture;      /* of config.paths */
    uint32_t decap;
};

/* Loads the rules in force (--rules, else those built in), payload rules on; as ruleset_create and
 * payload_load. Caller destroys in any case. */
int setup_rules(struct ruleset **rules, const struct config *c, struct fault *fault);

/* Loads --country, --as, --lists; as origins_create. Caller destroys. */
int setup_origins(struct origins **origins, const struct config *c, struct fault *fault);

/* Loads rules, origins, telescope, filter, tunnels and opens the inputs. -errno with a fault that
 * names the option. Caller finishes in
 * any case. */
int setup_init(struct setup *s, const struct config *c, struct fault *fault);
void setup_fini(struct setup *s);

#endif
