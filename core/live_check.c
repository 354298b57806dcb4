#include "core/live_check.h"

#include "capture/recorder.h"
#include "core/live_outlets.h"
#include "core/live_sources.h"
#include "core/setup.h"
#include "core/zone.h"

#include <errno.h>
#include <string.h>
#include <time.h>

enum {
    WINDOW_MAX_S = 900
}; /* offsets of zones are multiples of that; whether a shorter one fits depends on the zone */

static int check_zone(const struct config *c, struct fault *fault)
{
    return zone_check(c->timezone, config_subject(c, "timezone"), fault);
}

/* A day is the sum of whole windows. */
static int check_window(const struct config *c, struct fault *fault)
{
    struct fault of_zone; /* which was said */
    if (c->window_ns > (uint64_t)WINDOW_MAX_S * 1000000000)
        return fault_set(fault, EINVAL,
                         "%s: live windows are at most 15m long, so that none lies in two days",
                         config_subject(c, "window"));
    if (c->no_sources || check_zone(c, &of_zone) < 0)
        return 0;
    return zone_windows_check(c->timezone, (int64_t)c->window_ns, time(NULL),
                              config_subject(c, "window"), fault);
}

static int check_readers(const struct config *c, struct fault *fault)
{
    if (c->out || (!config_is_given(c, "listen") && c->sinks.count == 0))
        return 0;
    return fault_set(fault, EINVAL, "%s: what is told is read from the feed: --out names it",
                     config_subject(c, c->sinks.count > 0 ? "to" : "listen"));
}

static int check_record(const struct config *c, struct fault *fault)
{
    if (c->record && c->out && strcmp(c->record, c->out) == 0)
        return fault_set(fault, EINVAL, "%s: the feed's folder: recordings need one of their own",
                         config_subject(c, "record"));
    const struct recorder_settings settings = {
        .span_ns = (int64_t)c->record_span_ns,
        .file_bytes = c->record_size,
        .keep_ns = (int64_t)c->record_keep_age_ns,
        .keep_bytes = c->record_keep_bytes,
        .snaplen = (uint32_t)c->snaplen,
    };
    int err = c->record ? recorder_check(&settings, fault) : 0;
    if (err < 0)
        (void)fault_prefix(fault, config_subject(c, "record"));
    return err;
}

static int check_cores(const struct config *c, const char *option, const char *text,
                       struct fault *fault)
{
    struct core_list list;
    return live_cores_read(&list, c, option, text, fault);
}

static int check_receivers(const struct config *c, struct fault *fault)
{
    return check_cores(c, "receiver-cores", c->receiver_cores, fault);
}

static int check_workers(const struct config *c, struct fault *fault)
{
    return check_cores(c, "worker-cores", c->worker_cores, fault);
}

const live_check_step live_check_steps[] = {
    setup_names_check,
    setup_memory_check,
    check_zone,
    check_window,
    live_sources_check,
    check_readers,
    live_outlets_check_http,
    live_outlets_check_sinks,
    check_record,
    check_receivers,
    check_workers,
};
const size_t live_check_count = sizeof live_check_steps / sizeof *live_check_steps;

int live_check(const struct config *c, struct fault *fault)
{
    int err = 0;
    for (size_t i = 0; err == 0 && i < live_check_count; i++)
        err = live_check_steps[i](c, fault);
    return err;
}
