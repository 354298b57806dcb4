#include "core/event_setup.h"

#include <errno.h>
#include <string.h>

static struct event_settings settings_of(const struct config *c, const struct setup *setup)
{
    struct event_settings s = event_settings_published();
    s.telescope = setup->telescope;
    s.sensor = c->sensor;
    s.window_span_ns = (int64_t)c->window_ns;
    s.scan_idle_ns = (int64_t)c->events_scan_idle_ns;
    s.scan_min_destinations = c->events_scan_min_destinations;
    s.scan_min_rate = (double)c->events_scan_min_rate / 1000;
    s.dos_idle_ns = (int64_t)c->events_dos_idle_ns;
    s.dos_min_packets = c->events_dos_min_packets;
    s.dos_min_span_ns = (int64_t)c->events_dos_min_span_ns;
    s.dos_min_rate = c->events_dos_min_rate;
    s.every_ns = (int64_t)c->events_every_ns;
    s.watched_quiet_ns = (int64_t)c->events_watched_quiet_ns;
    s.memory = c->events_memory;
    s.indicators = (uint32_t)c->events_indicators;
    s.origins = setup->origins;
    return s;
}

/* New activity is told from bins. */
static int activity_begin(struct event_setup *e, const struct config *c, struct fault *fault)
{
    struct change_settings settings;
    if (!event_settings_has(&e->settings, EVENT_new_activity))
        return 0;
    change_settings_default(&settings);
    settings.bin_ns = event_bin_span(e->settings.window_span_ns);
    settings.threshold = (double)c->events_activity_threshold / 1000;
    settings.min_sources = (uint32_t)c->events_activity_min_sources;
    if (change_settings_noisy(&settings, c->events_activity_noisy, fault) < 0)
        return fault_prefix(fault, config_subject(c, "events.new-activity.noisy"));
    e->activity = event_activity_create(&settings, c->sensor);
    if (e->activity == NULL)
        return fault_set(fault, errno, "new activity: %s", strerror(errno));
    e->settings.activity = e->settings.take_context = e->activity;
    e->settings.take_bin = event_activity_take;
    return 0;
}

int event_setup_init(struct event_setup *e, const struct config *config, const struct setup *setup,
                     const char *unless_set, bool has_feed, struct fault *fault)
{
    memset(e, 0, sizeof *e);
    e->settings = settings_of(config, setup);
    int err =
        event_types_parse(config->events ? config->events : unless_set, &e->settings.types, fault);
    if (err < 0)
        return fault_prefix(fault, config_subject(config, "events"));
    if (!has_feed) {
        if (e->settings.types && config_is_given(config, "events"))
            return fault_set(fault, EINVAL,
                             "%s: there is no feed to write them to: --out names one",
                             config_subject(config, "events"));
        e->settings.types = 0;
    }
    err = activity_begin(e, config, fault);
    if (err < 0)
        return err;
    if (event_settings_has(&e->settings, EVENT_infected) &&
        !(e->infected = event_infected_create(setup->rules, config->sensor)))
        return fault_set(fault, errno, "infected hosts: %s", strerror(errno));
    err = event_setup_networks(&e->networks, config, &e->settings, fault);
    e->settings.watched = e->networks;
    return err;
}

int event_setup_split(struct event_setup *e, const struct config *config,
                      void (*say)(const char *line), struct fault *fault)
{
    const uint32_t whole = UINT32_C(1) << EVENT_infected | UINT32_C(1) << EVENT_new_activity;
    uint32_t split = e->settings.types & ~whole;
    if (split != 0 && (config_is_given(config, "events") || config->events_watched))
        return fault_set(fault, EINVAL,
                         "%s: 0: what is told of as '%s' comes to several receivers, and only "
                         "workers see all of it: it takes workers, or --events "
                         "infected,new_activity",
                         config_subject(config, "workers"),
                         event_type_name((enum event_type)__builtin_ctz(split)));
    e->settings.types &= whole;
    if (split != 0)
        say("--workers 0, several receivers: of events infected hosts and new activity alone are "
            "looked for; all others take workers");
    return 0;
}

int event_setup_networks(struct watched **out, const struct config *config,
                         const struct event_settings *settings, struct fault *fault)
{
    *out = NULL;
    if (!config->events_watched || !event_settings_has(settings, EVENT_watched))
        return 0;
    int err = watched_create(out, config->events_watched, fault);
    return err < 0 ? fault_prefix(fault, config_subject(config, "events.watched")) : 0;
}

void event_setup_fini(struct event_setup *e)
{
    event_infected_destroy(e->infected);
    e->infected = NULL;
    event_activity_destroy(e->activity);
    e->activity = NULL;
    watched_destroy(e->networks);
    e->networks = NULL;
}

const struct event_settings *event_setup_settings(const struct event_setup *e)
{
    return e->settings.types ? &e->settings : NULL;
}
