#include "capture/capture_filter.h"
#include "capture/decode.h"
#include "capture/record_dir.h"
#include "core/command.h"
#include "core/event_setup.h"
#include "core/folder_check.h"
#include "core/live_check.h"
#include "core/live_sources.h"
#include "core/setup.h"
#include "core/zone.h"
#include "export/feed_log.h"
#include "export/json_string.h"
#include "export/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One thing that is wrong. */
struct finding {
    char *text;            /* "FILE:LINE:COLUMN: KEY: message", as far as each is known */
    unsigned line, column; /* 0: not known */
    char key[64];          /* ""; not known */
    const char *message;   /* in `text` */
    bool is_of_machine;    /* it may be otherwise later, or elsewhere */
    size_t number;         /* in the order in which they were found */
};

/* What was found in a config. */
struct check {
    struct config config;
    const char *path;
    struct setup setup; /* what was loaded; NULL where it was not */
    struct privilege_user user;
    bool has_user;
    struct finding *findings;
    size_t count;
};

/* Takes "FILE:LINE:COLUMN: " off a message, where it begins so. */
static void place_take(struct finding *f, const char *path)
{
    size_t len = strlen(path);
    int used = 0;
    if (strncmp(f->message, path, len) != 0 || f->message[len] != ':')
        return;
    if (sscanf(f->message + len, ":%u:%u: %n", &f->line, &f->column, &used) != 2 || used == 0) {
        f->line = f->column = 0;
        used = f->message[len + 1] == ' ' ? 2 : 0;
    }
    f->message += used > 0 ? len + (size_t)used : 0;
}

static void finding_add(void *context, const char *key, const struct fault *fault)
{
    struct check *check = context;
    struct finding *grown = realloc(check->findings, (check->count + 1) * sizeof *grown);
    if (!grown)
        return;
    check->findings = grown;
    struct finding *f = &grown[check->count];
    *f = (struct finding){.number = check->count,
                          .is_of_machine = fault->err == ENODEV || fault->err == ENETDOWN};
    bool has_file = !strncmp(fault->text, check->path, strlen(check->path));
    if (asprintf(&f->text, "%s%s%s", has_file ? "" : check->path, has_file ? "" : ": ",
                 fault->text) < 0)
        return;
    check->count++;
    f->message = f->text;
    if (!key && has_file)
        key = config_subject_find(&check->config, fault->text);
    place_take(f, check->path);
    (void)snprintf(f->key, sizeof f->key, "%s", key ? key : "");
    size_t len = strlen(f->key);
    if (len > 0 && !strncmp(f->message, f->key, len) && !strncmp(f->message + len, ": ", 2))
        f->message += len + 2;
}

/* In the order of the file; what has no line comes last. */
static int finding_compare(const void *one, const void *other)
{
    const struct finding *a = one, *b = other;
    unsigned line_a = a->line - 1, line_b = b->line - 1;
    if (line_a != line_b)
        return line_a < line_b ? -1 : 1;
    return a->number < b->number ? -1 : a->number > b->number;
}

/* ---- what live loads and opens: each step says the first thing that is wrong ---- */

/* What floors below refuse is said of the option that it was given for. */
static int said_of(int err, const struct check *check, const char *option, struct fault *fault)
{
    return err < 0 ? fault_prefix(fault, config_subject(&check->config, option)) : 0;
}

static int check_decap(struct check *check, struct fault *fault)
{
    return said_of(decode_decap_parse(check->config.decap, &check->setup.decap, fault), check,
                   "decap", fault);
}

static int check_rules(struct check *check, struct fault *fault)
{
    return setup_rules(&check->setup.rules, &check->config, fault);
}

static int check_origins(struct check *check, struct fault *fault)
{
    return setup_origins(&check->setup.origins, &check->config, fault);
}

static int check_telescope(struct check *check, struct fault *fault)
{
    struct fault of_zone; /* which was said */
    struct config config = check->config;
    if (zone_check(config.timezone, "timezone", &of_zone) < 0)
        config.timezone = "UTC";
    int err = setup_telescope(&check->setup.telescope, &config, fault);
    if (err == 0 && check->setup.telescope)
        check->setup.ipv4 = prefix_set_ipv4_size(
            check->setup.telescope->spans[check->setup.telescope->span_count - 1].set);
    return err;
}

static int check_filter(struct check *check, struct fault *fault)
{
    int err =
        check->config.filter ? filter_create(&check->setup.filter, check->config.filter, fault) : 0;
    return said_of(err, check, "filter", fault);
}

static int check_words(struct check *check, struct fault *fault)
{
    return command_check_words(&check->config, fault);
}

/* With the file of watched networks. */
static int check_events(struct check *check, struct fault *fault)
{
    struct event_setup events;
    if (!check->setup.rules)
        return 0;
    int err =
        event_setup_init(&events, &check->config, &check->setup, "all", check->config.out, fault);
    event_setup_fini(&events);
    return err;
}

static int check_user(struct check *check, struct fault *fault)
{
    if (!check->config.user)
        return 0;
    int err = privilege_find(&check->user, check->config.user, fault);
    check->has_user = err == 0;
    return said_of(err, check, "user", fault);
}

static int check_folder(struct check *check, const char *option, const char *path,
                        struct fault *fault)
{
    if (!path)
        return 0;
    return said_of(folder_check(path, check->has_user ? &check->user : NULL, fault), check, option,
                   fault);
}

/* The folder, and the feed that it holds, which may be another's. */
static int check_out(struct check *check, struct fault *fault)
{
    const struct config *c = &check->config;
    struct feed_telescope sized;
    int err = check_folder(check, "out", c->out, fault);
    if (err < 0 || !c->out || (c->telescope && !check->setup.telescope))
        return err;
    struct feed_identity identity = setup_identity(&check->setup, c, &sized);
    const struct survey_settings survey = setup_survey(c);
    identity.survey = c->no_sources ? NULL : &survey;
    return said_of(feed_log_check(c->out, &identity, fault), check, "out", fault);
}

static int check_record(struct check *check, struct fault *fault)
{
    const struct config *c = &check->config;
    if (!c->record || (c->out && !strcmp(c->record, c->out))) /* which was said */
        return 0;
    int err = check_folder(check, "record", c->record, fault);
    if (err == 0)
        err = said_of(
            record_dir_check(c->record, check->has_user ? check->user.uid : geteuid(), fault),
            check, "record", fault);
    return err;
}

static int (*const steps[])(struct check *check, struct fault *fault) = {
    check_words,   check_telescope, check_decap, check_filter, check_rules,
    check_origins, check_events,    check_user,  check_out,    check_record,
};

static void check_all(struct check *check)
{
    const struct config *c = &check->config;
    struct fault fault;
    bool is_read = check->count == 0;
    for (size_t i = 0; i < sizeof c->given / sizeof *c->given; i++)
        is_read |= c->given[i] != 0;
    if (!is_read) /* nothing of it: it says nothing about anything else */
        return;
    for (size_t i = 0; i < live_check_count; i++)
        if (live_check_steps[i](c, &fault) < 0)
            finding_add(check, NULL, &fault);
    for (size_t i = 0; i < c->from.count; i++)
        if (live_sources_look(c, i, &fault) < 0)
            finding_add(check, NULL, &fault);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        if (steps[i](check, &fault) < 0)
            finding_add(check, NULL, &fault);
    if (check->count > 0)
        qsort(check->findings, check->count, sizeof *check->findings, finding_compare);
}

/* ---- results ---- */

static void print_number(const char *name, unsigned number)
{
    if (number > 0)
        printf(",\"%s\":%u", name, number);
    else
        printf(",\"%s\":null", name);
}

static void print_json(const struct check *check)
{
    printf("{\"config\":");
    json_string(stdout, check->path);
    printf(",\"ok\":%s,\"findings\":[", check->count == 0 ? "true" : "false");
    for (size_t i = 0; i < check->count; i++) {
        const struct finding *f = &check->findings[i];
        printf("%s{\"file\":", i > 0 ? "," : "");
        json_string(stdout, check->path);
        print_number("line", f->line);
        print_number("column", f->column);
        fputs(",\"key\":", stdout);
        if (f->key[0])
            json_string(stdout, f->key);
        else
            fputs("null", stdout);
        fputs(",\"message\":", stdout);
        json_string(stdout, f->message);
        printf(",\"of_machine\":%s}", f->is_of_machine ? "true" : "false");
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

static void print_text(const struct check *check)
{
    char a[TEXT_COUNTED], b[TEXT_COUNTED];
    for (size_t i = 0; i < check->count; i++) {
        command_print_visible(stdout, check->findings[i].text);
        puts(check->findings[i].is_of_machine ? " (now, on this machine)" : "");
    }
    command_print_visible(stdout, check->path);
    if (check->count > 0) {
        printf(": %s\n", text_counted(check->count, "finding", "findings", a));
        return;
    }
    printf(": ok: rules %s %s, %s", check->setup.rules->name, check->setup.rules->version,
           text_counted(origins_basis(check->setup.origins)->list_count, "list", "lists", a));
    print_telescope(check->setup.telescope);
    printf("; %s\n", text_counted(check->config.from.count, "source", "sources", b));
}

/* As live's would be: a config that is right stays so while its interface is away. */
static enum exit_code code_of(const struct check *check)
{
    for (size_t i = 0; i < check->count; i++)
        if (!check->findings[i].is_of_machine)
            return EXIT_USAGE;
    return check->count > 0 ? EXIT_FAILED : EXIT_DONE;
}

int command_check(const struct config *c)
{
    struct check check = {0};
    struct fault fault;
    if (c->path_count != 1) {
        fault_set(&fault, EINVAL, "check: name one config file");
        return command_fail(&fault, EXIT_USAGE);
    }
    check.path = c->paths[0];
    if (config_check(&check.config, COMMAND_LIVE, check.path, finding_add, &check) < 0) {
        fault_set(&fault, ENOMEM, "check: %s", strerror(ENOMEM));
        config_fini(&check.config);
        return command_fail(&fault, EXIT_FAILED);
    }
    check_all(&check);
    (c->is_json ? print_json : print_text)(&check);
    enum exit_code code = code_of(&check);
    for (size_t i = 0; i < check.count; i++)
        free(check.findings[i].text);
    free(check.findings);
    privilege_user_fini(&check.user);
    setup_fini(&check.setup);
    config_fini(&check.config);
    return command_flush(code);
}
