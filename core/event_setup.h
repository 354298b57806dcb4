/* event_setup: events of a run, from its options to its settings. Part of the commands replay and live. */
#ifndef CORE_EVENT_SETUP_H
#define CORE_EVENT_SETUP_H

#include "core/config.h"
#include "core/event_activity.h"
#include "core/event_infected.h"
#include "core/event_settings.h"
#include "core/setup.h"
#include "core/watched.h"

struct event_setup {
    struct event_settings settings;
    struct watched *networks;
    struct event_infected *infected; /* NULL: infected hosts are not looked for */
    struct event_activity *activity; /* likewise new activity */
};

/* `unless_set`: the types where no option names any. `has_feed`: without one there are no events. 0, or -errno and a fault that names option or file. What is given must outlive it,
 * and it must stay where it is. Caller finishes in any case. */
int event_setup_init(struct event_setup *e, const struct config *config, const struct setup *setup,
                     const char *unless_set, bool has_feed, struct fault *fault);
void event_setup_fini(struct event_setup *e); /* also of a zeroed one */

/* The run has several receivers that count by themselves: what an event stands for is not all one receiver's (a victim is heard of in ICMP
 * errors from anywhere; after a restart nobody can tell whose a source will be), but what is told of days and bins is. The other types are left
 * out, which is said, where nobody asked for them by name. -EINVAL and a fault: somebody did. */
int event_setup_split(struct event_setup *e, const struct config *config,
                      void (*say)(const char *line), struct fault *fault);

/* The file of watched networks as it is now. *out, the caller's to destroy, is NULL where none are watched. 0, or -errno and a fault that
 * names the file. */
int event_setup_networks(struct watched **out, const struct config *config,
                         const struct event_settings *settings, struct fault *fault);

/* For the pipeline; NULL: events are not looked for. */
const struct event_settings *event_setup_settings(const struct event_setup *e);

#endif
