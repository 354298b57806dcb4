#include "capture/capture_filter.h"
#include "capture/capture_spec.h"
#include "capture/decode.h"
#include "core/command.h"
#include "core/core_list.h"
#include "core/folder_check.h"
#include "core/setup.h"
#include "core/watched.h"
#include "core/zone.h"
#include "export/json_string.h"
#include "export/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* What was found in a config, in the order of the file first, then of the steps below. */
struct check {
    struct config config;
    struct ruleset *rules; /* what was loaded, for the summary; NULL: it was not */
    struct origins *origins;
    struct telescope_dates *telescope;
    struct privilege_user user;
    bool has_user;
    char **findings;
    size_t count;
};

static void finding_add(void *context, const struct fault *fault)
{
    struct check *check = context;
    char **grown = realloc(check->findings, (check->count + 1) * sizeof *grown);
    if (!grown)
        return;
    check->findings = grown;
    char *text = strdup(fault->text);
    if (text)
        grown[check->count++] = text;
}

/* ---- steps: each looks at one thing, and says the first that is wrong with it ---- */

/* What floors below refuse is said of the option that it was given for. */
static int said_of(int err, const struct check *check, const char *option, struct fault *fault)
{
    return err < 0 ? fault_prefix(fault, config_subject(&check->config, option)) : 0;
}

static int check_decap(struct check *check, struct fault *fault)
{
    uint32_t decap;
    return said_of(decode_decap_parse(check->config.decap, &decap, fault), check, "decap", fault);
}

static int check_rules(struct check *check, struct fault *fault)
{
    return setup_rules(&check->rules, &check->config, fault);
}

static int check_origins(struct check *check, struct fault *fault)
{
    return setup_origins(&check->origins, &check->config, fault);
}

static int check_networks(struct check *check, struct fault *fault)
{
    struct watched *networks = NULL;
    int err = check->config.events_watched
                  ? watched_create(&networks, check->config.events_watched, fault)
                  : 0;
    watched_destroy(networks);
    return err;
}

static int check_zone(struct check *check, struct fault *fault)
{
    return zone_check(check->config.timezone, config_subject(&check->config, "timezone"), fault);
}

/* A day is the sum of whole windows: live refuses others. */
static int check_windows(struct check *check, struct fault *fault)
{
    struct fault of_zone; /* which was said */
    const struct config *c = &check->config;
    if (c->no_sources || check_zone(check, &of_zone) < 0)
        return 0;
    return zone_windows_check(c->timezone, (int64_t)c->window_ns, time(NULL),
                              config_subject(c, "window"), fault);
}

static int check_telescope(struct check *check, struct fault *fault)
{
    struct fault of_zone; /* which was said */
    struct config config = check->config;
    if (check_zone(check, &of_zone) < 0)
        config.timezone = "UTC";
    return setup_telescope(&check->telescope, &config, fault);
}

static int check_filter(struct check *check, struct fault *fault)
{
    struct filter *filter = NULL;
    int err = check->config.filter ? filter_create(&filter, check->config.filter, fault) : 0;
    if (err == 0)
        filter_destroy(filter);
    return said_of(err, check, "filter", fault);
}

static int check_names(struct check *check, struct fault *fault)
{
    return setup_names_check(&check->config, fault);
}

static int check_memory(struct check *check, struct fault *fault)
{
    return setup_memory_check(&check->config, fault);
}

static int check_words(struct check *check, struct fault *fault)
{
    return command_check_words(&check->config, fault);
}

static int check_user(struct check *check, struct fault *fault)
{
    if (!check->config.user)
        return 0;
    int err = privilege_find(&check->user, check->config.user, fault);
    check->has_user = err == 0;
    return said_of(err, check, "user", fault);
}

static int check_cores(struct check *check, const char *option, const char *text,
                       struct fault *fault)
{
    struct core_list list;
    if (!text)
        return 0;
    int err = core_list_parse(&list, text, fault);
    if (err == 0)
        err = core_list_check(&list, fault);
    return said_of(err, check, option, fault);
}

static int check_receivers(struct check *check, struct fault *fault)
{
    return check_cores(check, "receiver-cores", check->config.receiver_cores, fault);
}

static int check_workers(struct check *check, struct fault *fault)
{
    return check_cores(check, "worker-cores", check->config.worker_cores, fault);
}

static int check_folder(struct check *check, const char *option, const char *path,
                        struct fault *fault)
{
    if (!path)
        return 0;
    return said_of(folder_check(path, check->has_user ? &check->user : NULL, fault), check, option,
                   fault);
}

static int check_out(struct check *check, struct fault *fault)
{
    return check_folder(check, "out", check->config.out, fault);
}

/* Recordings lie apart: they hold what a feed never does, and are deleted by age. */
static int check_record(struct check *check, struct fault *fault)
{
    const struct config *c = &check->config;
    if (c->record && c->out && !strcmp(c->record, c->out))
        return fault_set(fault, EINVAL, "%s: the feed's folder: recordings need one of their own",
                         config_subject(c, "record"));
    return check_folder(check, "record", c->record, fault);
}

static int (*const steps[])(struct check *check, struct fault *fault) = {
    check_words, check_names,  check_memory,    check_zone,    check_windows,  check_telescope,
    check_decap, check_filter, check_rules,     check_origins, check_networks, check_user,
    check_out,   check_record, check_receivers, check_workers,
};

/* Each source by itself. */
static void check_sources(struct check *check)
{
    const struct config_list *from = &check->config.from;
    for (size_t i = 0; i < from->count; i++) {
        struct capture_spec spec;
        struct fault fault;
        int err = capture_spec_parse(&spec, from->at[i], &fault);
        if (said_of(err, check, "from", &fault) < 0)
            finding_add(check, &fault);
    }
}

/* ---- results ---- */

static void print_json(const struct check *check, const char *path)
{
    printf("{\"config\":");
    json_string(stdout, path);
    printf(",\"ok\":%s,\"findings\":[", check->count == 0 ? "true" : "false");
    for (size_t i = 0; i < check->count; i++) {
        printf("%s", i > 0 ? "," : "");
        json_string(stdout, check->findings[i]);
    }
    printf("]}\n");
}

static void print_telescope(const struct telescope_dates *t)
{
    char a[TEXT_COUNTED];
    const struct telescope_span *last = t ? &t->spans[t->span_count - 1] : NULL;
    if (!t)
        printf("; no telescope: everything is inside");
    else if (t->span_count > 1)
        printf("; telescope: %s, changes on %zu days",
               text_counted(t->prefix_count, "prefix", "prefixes", a), t->span_count - 1);
    else
        printf("; telescope: %s",
               text_counted(prefix_set_ipv4_size(last->set), "IPv4 address", "IPv4 addresses", a));
}

static void print_text(const struct check *check, const char *path)
{
    char a[TEXT_COUNTED], b[TEXT_COUNTED];
    for (size_t i = 0; i < check->count; i++) {
        command_print_visible(stdout, check->findings[i]);
        putchar('\n');
    }
    command_print_visible(stdout, path);
    if (check->count > 0) {
        printf(": %s\n", text_counted(check->count, "finding", "findings", a));
        return;
    }
    printf(": ok: rules %s %s, %s", check->rules->name, check->rules->version,
           text_counted(origins_basis(check->origins)->list_count, "list", "lists", a));
    print_telescope(check->telescope);
    printf("; %s\n", text_counted(check->config.from.count, "source", "sources", b));
}

int command_check(const struct config *c)
{
    struct check check = {0};
    struct fault fault;
    if (c->path_count != 1) {
        fault_set(&fault, EINVAL, "check: name one config file");
        return command_fail(&fault, EXIT_USAGE);
    }
    const char *path = c->paths[0];
    int err = config_check(&check.config, COMMAND_LIVE, path, finding_add, &check);
    for (size_t i = 0; err >= 0 && i < sizeof steps / sizeof *steps; i++)
        if (steps[i](&check, &fault) < 0)
            finding_add(&check, &fault);
    if (err >= 0)
        check_sources(&check);
    if (err < 0) {
        fault_set(&fault, ENOMEM, "check: %s", strerror(ENOMEM));
        config_fini(&check.config);
        return command_fail(&fault, EXIT_FAILED);
    }
    (c->is_json ? print_json : print_text)(&check, path);
    int code = check.count > 0 ? EXIT_USAGE : EXIT_DONE;
    for (size_t i = 0; i < check.count; i++)
        free(check.findings[i]);
    free(check.findings);
    privilege_user_fini(&check.user);
    telescope_dates_destroy(check.telescope);
    origins_destroy(check.origins);
    ruleset_destroy(check.rules);
    config_fini(&check.config);
    return command_flush((enum exit_code)code);
}
