#include "core/setup.h"

#include "capture/capture_file.h"
#include "capture/decode.h"
#include "classify/payload.h"
#include "classify/spoof.h"

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

/* Parts a list at its commas, in place. Returns how many. */
static size_t split(char *text, const char **parts)
{
    size_t count = 0;
    char *rest = NULL;
    for (char *part = strtok_r(text, ",", &rest); part; part = strtok_r(NULL, ",", &rest))
        parts[count++] = part;
    return count;
}

/* Faults name their file, which says enough of whose option it was. */
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

int setup_init(struct setup *s, const struct config *c, struct fault *fault)
{
    *s = (struct setup){0};
    if (c->path_count == 0)
        return fault_set(fault, EINVAL, "no input: name capture files, folders, or - for stdin");
    int err = said_of(decode_decap_parse(c->decap, &s->decap, fault), c, "decap", fault);
    if (err == 0)
        err = setup_rules(&s->rules, c, fault);
    if (err == 0)
        err = setup_origins(&s->origins, c, fault);
    if (err == 0 && c->telescope)
        err = said_of(prefix_set_create(&s->telescope, c->telescope, fault), c, "telescope", fault);
    if (err == 0 && c->filter)
        err = said_of(filter_create(&s->filter, c->filter, fault), c, "filter", fault);
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
    prefix_set_destroy(s->telescope);
    origins_destroy(s->origins);
    ruleset_destroy(s->rules);
    *s = (struct setup){0};
}
