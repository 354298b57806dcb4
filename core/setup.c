#include "core/setup.h"

#include "capture/capture_file.h"
#include "capture/decode.h"
#include "classify/payload.h"
#include "classify/spoof.h"
#include "core/memory_cap.h"
#include "core/zone.h"
#include "export/calendar.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What floors below refuse is said of the option that it was given for. */
static int said_of(int err, const struct config *c, const char *option, struct fault *fault)
{
    if (err < 0)
        (void)fault_prefix(fault, config_subject(c, option));
    return err;
}

int setup_rules(struct ruleset **rules, const struct config *c, struct fault *fault)
{
    const struct payload_settings settings = {.bytes = (unsigned)c->payload_bytes};
    uint32_t tests;
    if (c->spoof_tests) {
        int err = spoof_parse(c->spoof_tests, &tests, fault);
        if (err < 0)
            return said_of(err, c, "spoof-tests", fault);
    }
    int err = ruleset_create(rules, c->rules, fault);
    if (err == 0)
        err = payload_load(*rules, &settings, fault);
    if (err == 0 && c->spoof_tests)
        (*rules)->spoof_tests = tests;
    return said_of(err, c, "rules", fault);
}

/* Names in a feed are words: later readers make keys, paths and labels of them. */
static int name_check(const char *subject, const char *name, struct fault *fault)
{
    enum { NAME_MAX_LEN = 64 };
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    size_t len = strlen(name);
    if (len > 0 && len <= NAME_MAX_LEN && strspn(name, allowed) == len)
        return 0;
    return fault_set(fault, EINVAL,
                     "%s: '%s' is no name: 1 to %d letters, digits, dots, underscores or hyphens",
                     subject, name, NAME_MAX_LEN);
}

int setup_names_check(const struct config *c, struct fault *fault)
{
    int err = name_check(config_subject(c, "sensor"), c->sensor, fault);
    if (err == 0 && c->telescope_id)
        err = name_check(config_subject(c, "telescope-id"), c->telescope_id, fault);
    if (err == 0 && c->telescope_id && !c->telescope)
        err =
            fault_set(fault, EINVAL, "%s: '%s' labels no telescope: --telescope names its prefixes",
                      config_subject(c, "telescope-id"), c->telescope_id);
    return err;
}

int setup_memory_check(const struct config *c, struct fault *fault)
{
    if (c->memory == 0 || c->memory >= CAP_LEAST)
        return 0;
    return fault_set(
        fault, EINVAL, "%s: %llu bytes are too few: at least %llu (16M), or 0 for no cap",
        config_subject(c, "memory"), (unsigned long long)c->memory, (unsigned long long)CAP_LEAST);
}

/* Parts a list at its commas, in place. Returns how many. */
static size_t split(char *text, const char **parts)
{
    size_t count = 0;
    char *rest = NULL;
    for (char *part = strtok_r(text, ",", &rest); part; part = strtok_r(NULL, ",", &rest))
        parts[count++] = part;
    return count;
}

int setup_origins(struct origins **origins, const struct config *c, struct fault *fault)
{
    *origins = NULL;
    char *text = strdup(c->lists ? c->lists : "");
    const char **lists = calloc(text ? strlen(text) + 1 : 1, sizeof *lists);
    int err = -ENOMEM;
    if (text && lists) {
        struct origin_settings settings = {
            .country = c->country,
            .as = c->as,
            .lists = lists,
            .list_count = split(text, lists),
            .country_subject = config_subject(c, "country"),
            .as_subject = config_subject(c, "as"),
            .lists_subject = config_subject(c, "lists"),
            .has_extra_bogons = c->extra_bogons,
        };
        err = c->lists && settings.list_count == 0
                  ? fault_set(fault, EINVAL, "%s: names no list", config_subject(c, "lists"))
                  : origins_create(origins, &settings, fault);
    } else {
        fault_set(fault, ENOMEM, "lists: %s", strerror(ENOMEM));
    }
    free(lists);
    free(text);
    return err;
}

struct survey_settings setup_survey(const struct config *c)
{
    return (struct survey_settings){
        .min_ports = (uint32_t)c->survey_ports,
        .min_packets = c->survey_packets,
        .packets_per_address_milli = (uint32_t)c->survey_per_address,
        .min_ports6 = (uint32_t)c->survey_ports6,
        .min_packets6 = c->survey_packets6,
    };
}

static int64_t day_start(int32_t date) { return calendar_day_at(date).start_ns; }

int setup_telescope(struct telescope_dates **telescope, const struct config *c, struct fault *fault)
{
    *telescope = NULL;
    if (!c->telescope)
        return 0;
    int err = c->telescope_is_yaml ? telescope_dates_create_yaml(telescope, c->config, c->telescope,
                                                                 strlen(c->telescope), fault)
                                   : said_of(telescope_dates_create(telescope, c->telescope, fault),
                                             c, "telescope", fault);
    if (err < 0 || (*telescope)->span_count == 1)
        return err;
    err = zone_check(c->timezone, config_subject(c, "timezone"), fault);
    if (err == 0 && calendar_zone(c->timezone) < 0)
        err = fault_set(fault, ENOMEM, "time zone: %s", strerror(ENOMEM));
    if (err == 0)
        telescope_dates_zone(*telescope, day_start);
    return err;
}

int setup_telescope_sizes(const struct telescope_dates *telescope, struct telescope_size **sizes,
                          size_t *count)
{
    size_t kept = 0;
    *count = 0;
    *sizes = calloc(telescope->span_count, sizeof **sizes);
    if (!*sizes)
        return -ENOMEM;
    for (size_t i = 0; i < telescope->span_count; i++) {
        uint64_t ipv4 = prefix_set_ipv4_size(telescope->spans[i].set);
        if (kept == 0 || (*sizes)[kept - 1].ipv4 != ipv4)
            (*sizes)[kept++] = (struct telescope_size){telescope->spans[i].from, ipv4};
    }
    *count = kept > 1 ? kept : 0;
    return 0;
}

int setup_open(struct setup *s, const struct config *c, struct fault *fault)
{
    *s = (struct setup){0};
    int err = said_of(decode_decap_parse(c->decap, &s->decap, fault), c, "decap", fault);
    if (err == 0)
        err = setup_rules(&s->rules, c, fault);
    if (err == 0)
        err = setup_origins(&s->origins, c, fault);
    if (err == 0)
        err = setup_telescope(&s->telescope, c, fault);
    if (err == 0 && s->telescope) {
        s->ipv4 = prefix_set_ipv4_size(s->telescope->spans[s->telescope->span_count - 1].set);
        if (setup_telescope_sizes(s->telescope, &s->sizes, &s->size_count) < 0)
            err = fault_set(fault, ENOMEM, "telescope: %s", strerror(ENOMEM));
    }
    if (err == 0 && c->filter)
        err = said_of(filter_create(&s->filter, c->filter, fault), c, "filter", fault);
    return err;
}

int setup_init(struct setup *s, const struct config *c, struct fault *fault)
{
    *s = (struct setup){0};
    if (c->path_count == 0)
        return fault_set(fault, EINVAL, "no input: name capture files, folders, or - for stdin");
    int err = setup_open(s, c, fault);
    if (err == 0) {
        struct capture_file_settings inputs = {
            .paths = (const char *const *)c->paths,
            .path_count = c->path_count,
            .filter = s->filter,
        };
        err = capture_file_open(&s->capture, &inputs, fault);
    }
    return err;
}

void setup_fini(struct setup *s)
{
    if (s->capture)
        s->capture->ops->close(s->capture);
    filter_destroy(s->filter);
    telescope_dates_destroy(s->telescope);
    free(s->sizes);
    origins_destroy(s->origins);
    ruleset_destroy(s->rules);
    *s = (struct setup){0};
}

/* A filter may name addresses of the telescope (law 6). */
struct feed_identity setup_identity(const struct setup *setup, const struct config *c,
                                    struct feed_telescope *sized)
{
    *sized = (struct feed_telescope){.id = c->telescope_id ? c->telescope_id : "",
                                     .is_configured = true,
                                     .ipv4 = setup->ipv4,
                                     .sizes = setup->sizes,
                                     .size_count = setup->size_count};
    return (struct feed_identity){
        .sensor = c->sensor,
        .telescope_id = c->telescope_id ? c->telescope_id : "",
        .timezone = c->timezone,
        .filter = c->filter && c->expose_telescope ? c->filter : "",
        .filtered = c->filter != NULL,
        .telescope_configured = setup->telescope != NULL,
        .telescope_ipv4 = setup->ipv4,
        .telescopes = setup->size_count > 0 ? sized : NULL,
        .telescope_count = setup->size_count > 0,
        .window_span_ns = (int64_t)c->window_ns,
        .lateness_ns = (int64_t)c->lateness_ns,
        .decap = setup->decap,
        .rules = setup->rules,
    };
}

int setup_check(const struct config *c, struct fault *fault)
{
    int err = setup_names_check(c, fault);
    if (err == 0)
        err = setup_memory_check(c, fault);
    return err < 0 ? err : zone_check(c->timezone, config_subject(c, "timezone"), fault);
}
