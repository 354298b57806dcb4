#include "core/command.h"
#include "core/setup.h"
#include "core/synth.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
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
    int err = synth_telescope_parse(c->telescope, &prefixes, &count, fault);
    free(prefixes);
    return err < 0 ? fault_prefix(fault, config_subject(c, "telescope")) : 0;
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
    if (!c->out)
        return fault_set(fault, EINVAL, "synth: say where to with --out FILE (- is stdout)");
    if (c->path_count)
        return fault_set(fault, EINVAL, "synth: takes no argument ('%s')", c->paths[0]);
    if (!strcmp(c->profile, "uniform"))
        s->traffic.profile = SYNTH_UNIFORM;
    else if (strcmp(c->profile, "darknet"))
        return fault_set(fault, EINVAL, "%s: '%s' is neither darknet nor uniform",
                         config_subject(c, "profile"), c->profile);
    if (c->telescope && telescope_check(c, fault) < 0)
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
    struct ruleset *rules = NULL;
    struct fault fault;
    int code = EXIT_DONE;

    if (settings_fill(&settings, c, &fault) < 0)
        return command_fail(&fault, EXIT_USAGE);
    if (!c->no_answers && setup_rules(&rules, c, &fault) < 0)
        return command_fail(&fault, EXIT_USAGE);
    settings.rules = rules;
    int err = synth_run(&settings, &fault);
    if (err < 0)
        code = command_fail(&fault, err == -EINVAL ? EXIT_USAGE : EXIT_FAILED);
    ruleset_destroy(rules);
    return code;
}
