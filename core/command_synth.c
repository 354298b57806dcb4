#include "core/command.h"
#include "core/setup.h"
#include "core/synth.h"
#include "core/synth_calendar.h"
#include "core/zone.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

/* A moment or a day that the calendar has: strptime takes 31 February. */
static bool calendar_parse(const char *text, int64_t *start_ns)
{
    static const char *const formats[] = {"%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d"};
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        struct tm tm = {0}, given;
        const char *end = strptime(text, formats[i], &tm);
        if (!end || *end)
            continue;
        given = tm;
        time_t time = timegm(&tm);
        *start_ns = (int64_t)time * 1000000000;
        return time >= 0 && given.tm_mday == tm.tm_mday;
    }
    return false;
}

/* A calendar time or seconds since 1970. */
static int start_parse(const char *text, const char *subject, int64_t *start_ns,
                       struct fault *fault)
{
    uint64_t ns;
    bool is_number = *text && isdigit((unsigned char)text[strlen(text) - 1]);
    if (calendar_parse(text, start_ns))
        return 0;
    if (is_number && config_parse_span(text, &ns) == 0 && ns <= INT64_MAX) {
        *start_ns = (int64_t)ns;
        return 0;
    }
    return fault_set(fault, EINVAL,
                     "%s: '%s' is no time from 1970 on (2026-01-01T00:00:00Z, 2026-01-01, or "
                     "seconds)",
                     subject, text);
}

/* Read again by synth_run; here its faults are said of the option. */
static int telescope_check(const struct config *c, struct fault *fault)
{
    struct synth_prefix *prefixes;
    size_t count;
    if (c->telescope_is_yaml)
        return fault_set(fault, EINVAL, "%s: traffic is made for prefixes alone, without dates",
                         config_subject(c, "telescope"));
    int err = synth_telescope_parse(c->telescope, &prefixes, &count, fault);
    free(prefixes);
    return err < 0 ? fault_prefix(fault, config_subject(c, "telescope")) : 0;
}

/* Options that the profile has no use for: they would go unheard. (A time zone may stand in a config file for
 * other commands.) */
static int options_refuse(const struct config *c, const char *const *options, size_t count,
                          struct fault *fault)
{
    for (size_t i = 0; i < count; i++)
        if (config_is_given(c, options[i]))
            return fault_set(fault, EINVAL, "%s: --profile %s takes none",
                             config_subject(c, options[i]), c->profile);
    return 0;
}

/* "2026-03-08"; the zone gives its midnight. */
static int date_parse(const char *text, const char *subject, int32_t *date, struct fault *fault)
{
    struct tm tm = {0};
    const char *end = strptime(text, "%Y-%m-%d", &tm);
    *date = end && !*end ? zone_date(tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday) : -1;
    time_t time = (time_t)*date * 86400;
    struct tm again;
    gmtime_r(&time, &again);
    if (*date < 1 || again.tm_mday != tm.tm_mday)
        return fault_set(fault, EINVAL, "%s: '%s' is no date after 1970-01-01 (2026-01-01)",
                         subject, text);
    return 0;
}

/* Profiles that are calendar days. */
static int calendar_fill(struct synth_calendar_settings *s, const struct config *c,
                         const struct synth_nicter *year, struct fault *fault)
{
    static const char *const unused[] = {"packets",  "sources", "span", "ports-per-source",
                                         "disorder", "scale",   "start"};
    *s = (struct synth_calendar_settings){
        .year = year,
        .scale = c->scale,
        .seed = c->seed,
        .vlan = (uint16_t)c->vlan,
        .timezone = c->timezone,
        .date = year ? zone_date(year->year, 1, 1) : (int32_t)(SYNTH_START_NS / 86400000000000),
        .days = c->days,
        .telescope = c->telescope,
        .out = c->out,
    };
    /* Of the last two a year has no use for the one, days have none for the other. */
    int err = options_refuse(c, unused, 5, fault);
    if (!err)
        err = options_refuse(c, &unused[year ? 6 : 5], 1, fault);
    if (!err && year &&
        c->days > (uint64_t)(zone_date(year->year + 1, 1, 1) - zone_date(year->year, 1, 1)))
        err = fault_set(fault, EINVAL, "%s: %" PRIu64 " days; --profile %s has one year",
                        config_subject(c, "days"), c->days, c->profile);
    if (!err)
        err = zone_check(c->timezone, config_subject(c, "timezone"), fault);
    if (!err && c->start)
        err = date_parse(c->start, config_subject(c, "start"), &s->date, fault);
    return err;
}

static bool is_calendar(const struct config *c, const struct synth_nicter **year)
{
    static const char nicter[] = "nicter-";
    size_t len = sizeof nicter - 1;
    *year = NULL;
    if (!strncmp(c->profile, nicter, len) && strlen(c->profile) == len + 4)
        *year = synth_nicter_find((unsigned)strtoul(c->profile + len, NULL, 10));
    return *year || !strcmp(c->profile, "days");
}

/* As no feed is written over, so no capture is: it might be a real one. What is no file, or an empty one, may be written into. */
static int out_check(const struct config *c, struct fault *fault)
{
    struct stat st;
    if (!strcmp(c->out, "-") || stat(c->out, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size == 0)
        return 0;
    return fault_set(fault, EEXIST, "%s: %.160s: is there already: name another file, or remove it",
                     config_subject(c, "out"), c->out);
}

/* What all profiles ask for. */
static int common_check(const struct config *c, struct fault *fault)
{
    const struct synth_nicter *year;
    if (!c->out)
        return fault_set(fault, EINVAL, "synth: say where to with --out FILE (- is stdout)");
    if (c->path_count)
        return fault_set(fault, EINVAL, "synth: takes no argument ('%s')", c->paths[0]);
    if (strcmp(c->profile, "uniform") && strcmp(c->profile, "darknet") && !is_calendar(c, &year))
        return fault_set(
            fault, EINVAL,
            "%s: '%s' is neither darknet, uniform nor days, nor nicter-%d to nicter-%d",
            config_subject(c, "profile"), c->profile, SYNTH_NICTER_FIRST, SYNTH_NICTER_LAST);
    int err = c->telescope ? telescope_check(c, fault) : 0;
    return err < 0 ? err : out_check(c, fault);
}

static int settings_fill(struct synth_settings *s, const struct config *c, struct fault *fault)
{
    *s = (struct synth_settings){
        .traffic =
            {
                .packets = c->packets,
                .sources = c->sources ? c->sources : c->packets / 150 + 1,
                .start_ns = SYNTH_START_NS,
                .span_ns = (int64_t)c->span_ns,
                .seed = c->seed,
                .ports_per_source = (uint32_t)c->ports_per_source,
                .disorder_ns = (int64_t)c->disorder_ns,
                .vlan = (uint16_t)c->vlan,
            },
        .telescope = c->telescope,
        .out = c->out,
    };
    if (!strcmp(c->profile, "uniform"))
        s->traffic.profile = SYNTH_UNIFORM;
    if (options_refuse(c, (const char *const[]){"days", "scale"}, 2, fault) < 0)
        return -EINVAL;
    if (c->sources > c->packets)
        return fault_set(fault, EINVAL,
                         "%s: %" PRIu64 " sources take as many packets, not %" PRIu64,
                         config_subject(c, "sources"), c->sources, c->packets);
    return c->start ? start_parse(c->start, config_subject(c, "start"), &s->traffic.start_ns, fault)
                    : 0;
}

int command_synth(const struct config *c)
{
    struct synth_settings settings;
    struct synth_calendar_settings calendar;
    const struct synth_nicter *year;
    struct ruleset *rules = NULL;
    struct fault fault;
    int code = EXIT_DONE, err = common_check(c, &fault);
    bool is_days = is_calendar(c, &year);

    if (!err)
        err = is_days ? calendar_fill(&calendar, c, year, &fault)
                      : settings_fill(&settings, c, &fault);
    if (err < 0)
        return command_fail(&fault, EXIT_USAGE);
    if (!c->no_answers && setup_rules(&rules, c, &fault) < 0)
        return command_fail(&fault, EXIT_USAGE);
    settings.rules = calendar.rules = rules;
    err = is_days ? synth_calendar_run(&calendar, &fault) : synth_run(&settings, &fault);
    if (err < 0)
        code = command_fail(&fault, err == -EINVAL ? EXIT_USAGE : EXIT_FAILED);
    ruleset_destroy(rules);
    return code;
}
