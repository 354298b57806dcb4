#include "core/command.h"
#include "core/synth.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* "2026-01-01T00:00:00Z" or seconds since 1970. */
static int start_parse(const char *text, int64_t *start_ns, struct fault *fault)
{
    struct tm tm = {0};
    uint64_t ns;
    const char *end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm);
    if (end && !*end) {
        *start_ns = (int64_t)timegm(&tm) * 1000000000;
        if (*start_ns >= 0)
            return 0;
    } else if (isdigit((unsigned char)text[strlen(text) - (*text != 0)]) &&
               config_parse_span(text, &ns) == 0 && ns <= INT64_MAX) {
        *start_ns = (int64_t)ns;
        return 0;
    }
    return fault_set(fault, EINVAL,
                     "--start: '%s' is no time from 1970 on (2026-01-01T00:00:00Z, or seconds)",
                     text);
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
        return fault_set(fault, EINVAL, "--profile: '%s' is neither darknet nor uniform",
                         c->profile);
    return c->start ? start_parse(c->start, &s->traffic.start_ns, fault) : 0;
}

int command_synth(const struct config *c)
{
    struct synth_settings settings;
    struct ruleset *rules = NULL;
    struct fault fault;
    int code = EXIT_DONE;

    if (settings_fill(&settings, c, &fault) < 0)
        return command_fail(&fault, EXIT_USAGE);
    if (!c->no_answers && ruleset_create(&rules, c->rules, &fault) < 0)
        return command_fail(&fault, EXIT_USAGE);
    settings.rules = rules;
    int err = synth_run(&settings, &fault);
    if (err < 0)
        code = command_fail(&fault, err == -EINVAL ? EXIT_USAGE : EXIT_FAILED);
    ruleset_destroy(rules);
    return code;
}
