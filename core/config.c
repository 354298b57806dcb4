#include "core/config.h"

#include "core/config_options.h"
#include "core/config_slice.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#define SECONDS(n) ((uint64_t)(n)*1000000000)

struct unit {
    const char *name;
    uint64_t factor;
};

/* A decimal number and one of the units; no sign, no overflow, nothing behind it. */
static int parse_number(const char *text, const struct unit *units, uint64_t *value)
{
    if (!isdigit((unsigned char)*text))
        return -EINVAL;
    char *end;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    if (errno)
        return -ERANGE;
    for (; units->name; units++)
        if (!strcmp(units->name, end))
            return __builtin_mul_overflow((uint64_t)number, units->factor, value) ? -ERANGE : 0;
    return -EINVAL;
}

int config_parse_milli(const char *text, uint64_t *milli)
{
    uint64_t value = 0;
    int decimals = -1; /* digits behind the point; no point yet */
    const char *at = text;
    for (; *at; at++) {
        if (*at == '.' && decimals < 0 && at > text) {
            decimals = 0;
            continue;
        }
        if (*at < '0' || *at > '9' || decimals == 3 || value > UINT32_MAX * UINT64_C(1000))
            return -EINVAL;
        value = value * 10 + (uint64_t)(*at - '0');
        decimals += decimals >= 0;
    }
    if (at == text || at[-1] == '.')
        return -EINVAL;
    for (decimals = decimals < 0 ? 0 : decimals; decimals < 3; decimals++)
        value *= 10;
    *milli = value;
    return 0;
}

int config_parse_count(const char *text, uint64_t *count)
{
    static const struct unit units[] = {{"", 1},        {"k", 1000},       {"K", 1000},
                                        {"M", 1000000}, {"G", 1000000000}, {NULL, 0}};
    return parse_number(text, units, count);
}

int config_parse_span(const char *text, uint64_t *span_ns)
{
    static const struct unit units[] = {
        {"", SECONDS(1)},      {"ns", 1},          {"us", 1000},         {"ms", 1000000},
        {"s", SECONDS(1)},     {"m", SECONDS(60)}, {"min", SECONDS(60)}, {"h", SECONDS(3600)},
        {"d", SECONDS(86400)}, {NULL, 0}};
    return parse_number(text, units, span_ns);
}

static void list_fini(struct config_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->at[i]);
    free(list->at);
    *list = (struct config_list){0};
}

/* A span as it would be given, in the greatest unit that divides it: "1h", "500ms", "0s". */
static const char *span_text(uint64_t span_ns, char to[32])
{
    static const struct unit units[] = {
        {"d", SECONDS(86400)}, {"h", SECONDS(3600)}, {"m", SECONDS(60)}, {"s", SECONDS(1)},
        {"ms", 1000000},       {"us", 1000},         {"ns", 1}};
    const struct unit *unit = &units[span_ns ? 0 : 3];
    while (span_ns % unit->factor)
        unit++;
    snprintf(to, 32, "%llu%s", (unsigned long long)(span_ns / unit->factor), unit->name);
    return to;
}

static int span_refuse(const struct option *o, const char *text, const char *where,
                       struct fault *fault)
{
    char min[32], max[32];
    bool is_example = o->initial && strcmp(o->initial, "0") != 0;
    return fault_set(fault, EINVAL, "%s: '%s' is not a span from %s to %s, such as %s", where, text,
                     span_text(o->min, min), span_text(o->max, max),
                     is_example ? o->initial : "60s");
}

/* Adds a value; what was said elsewhere before gives way. */
static int each_add(struct config_list *list, const char *text, bool is_elsewhere,
                    const char *where, struct fault *fault)
{
    if (is_elsewhere)
        list_fini(list);
    char **grown = realloc(list->at, (list->count + 1) * sizeof *grown);
    char *copy = strdup(text);
    if (grown)
        list->at = grown;
    if (!grown || !copy) {
        free(copy);
        return fault_set(fault, ENOMEM, "%s: %s", where, strerror(ENOMEM));
    }
    list->at[list->count++] = copy;
    return 0;
}

/* Sets one option from its text; `where` is what the fault begins with. */
static int option_set(struct config *c, const struct option *o, const char *text, const char *where,
                      struct fault *fault)
{
    void *at = (char *)c + o->at;
    char **said_at = &c->said_at[o - config_options];
    uint64_t value = 0;
    int err;

    bool is_elsewhere = !*said_at || strcmp(*said_at, where) != 0;
    free(*said_at);
    *said_at = strdup(where);
    size_t row = (size_t)(o - config_options);
    c->given[row / 64] |= UINT64_C(1) << row % 64;

    switch (o->type) {
    case OPTION_FLAG:
        if (strcmp(text, "true") && strcmp(text, "false"))
            return fault_set(fault, EINVAL,
                             "%s: '%s' is neither true nor false, the only words for it", where,
                             text);
        *(bool *)at = !strcmp(text, "true");
        return 0;
    case OPTION_EACH:
        return each_add(at, text, is_elsewhere, where, fault);
    case OPTION_ENTRIES:
        c->telescope_is_yaml = false;
        __attribute__((fallthrough));
    case OPTION_TEXT:
    case OPTION_LIST:
        free(*(char **)at);
        *(char **)at = strdup(text);
        return *(char **)at ? 0 : fault_set(fault, ENOMEM, "%s: %s", where, strerror(ENOMEM));
    case OPTION_COUNT:
        err = config_parse_count(text, &value);
        if (err < 0 || value < o->min || value > o->max)
            return fault_set(fault, EINVAL, "%s: '%s' is not a number from %llu to %llu", where,
                             text, (unsigned long long)o->min, (unsigned long long)o->max);
        break;
    case OPTION_MILLI:
        err = config_parse_milli(text, &value);
        if (err < 0 || value < o->min || value > o->max)
            return fault_set(fault, EINVAL, "%s: '%s' is not a number from %g to %g", where, text,
                             (double)o->min / 1000, (double)o->max / 1000);
        break;
    case OPTION_SPAN:
        err = config_parse_span(text, &value);
        if (err < 0 || value < o->min || value > o->max)
            return span_refuse(o, text, where, fault);
        break;
    }
    *(uint64_t *)at = value;
    return 0;
}

/* The command's own row where it has one, else another's of that name; NULL: no such option. */
static const struct option *option_find(enum command_bit command, const char *name, size_t len,
                                        char letter)
{
    const struct option *found = NULL;
    for (size_t i = 0; i < config_option_count; i++)
        if ((letter ? config_options[i].letter == letter
                    : strlen(config_options[i].name) == len &&
                          !memcmp(config_options[i].name, name, len)) &&
            (!found || config_options[i].commands & command))
            found = &config_options[i];
    return found;
}

/* ---- command line ---- */

/* Handles argv[i]; returns how many arguments it took, or -errno. */
static int argument_take(struct config *c, enum command_bit command, int argc, char **argv, int i,
                         bool only_config, struct fault *fault)
{
    const char *arg = argv[i], *value = NULL;
    const struct option *o;

    if (arg[1] == '-') {
        size_t len = strcspn(arg + 2, "=");
        o = option_find(command, arg + 2, len, 0);
        if (arg[2 + len] == '=')
            value = arg + 3 + len;
    } else {
        o = option_find(command, NULL, 0, arg[1]);
        if (arg[2])
            value = arg + 2;
    }
    if (!o || !(o->commands & command))
        return fault_set(fault, EINVAL, "%s: no such option for %s (--help lists them)", arg,
                         argv[0]);
    int taken = 1;
    if (o->type == OPTION_FLAG) {
        if (value)
            return fault_set(fault, EINVAL, "--%s: takes no value", o->name);
        value = "true";
    } else if (!value) {
        if (i + 1 >= argc)
            return fault_set(fault, EINVAL, "--%s: needs a value (%s)", o->name, o->argument);
        value = argv[i + 1];
        taken = 2;
    }
    char where[64];
    snprintf(where, sizeof where, "--%s", o->name);
    if (only_config != !strcmp(o->name, "config"))
        return taken;
    int err = option_set(c, o, value, where, fault);
    return err < 0 ? err : taken;
}

static int arguments_read(struct config *c, enum command_bit command, int argc, char **argv,
                          bool only_config, struct fault *fault)
{
    bool only_paths = false;
    for (int i = 1; i < argc;) {
        if (!only_paths && !strcmp(argv[i], "--")) {
            only_paths = true;
            i++;
        } else if (!only_paths && argv[i][0] == '-' && argv[i][1]) {
            int taken = argument_take(c, command, argc, argv, i, only_config, fault);
            if (taken < 0)
                return taken;
            i += taken;
        } else {
            if (!only_config)
                c->paths[c->path_count++] = argv[i];
            i++;
        }
    }
    return 0;
}

/* ---- config file ---- */

/* The file being read. */
struct source {
    const char *bytes;
    size_t len;
    enum command_bit command;
    yaml_document_t *document;
    /* Gets what is wrong, of which there is so much, and reading goes on; NULL: it ends there. */
    config_finding finding;
    void *context;
    int found;
};

/* A scalar's text, or a sequence of scalars joined by commas. Caller frees; NULL: neither. */
static char *node_text(yaml_document_t *document, yaml_node_t *node)
{
    if (node->type == YAML_SCALAR_NODE)
        return strdup((char *)node->data.scalar.value);
    if (node->type != YAML_SEQUENCE_NODE)
        return NULL;
    char *text = strdup("");
    yaml_node_item_t *item = node->data.sequence.items.start;
    for (; text && item < node->data.sequence.items.top; item++) {
        yaml_node_t *entry = yaml_document_get_node(document, *item);
        char *longer = NULL;
        if (entry->type == YAML_SCALAR_NODE &&
            asprintf(&longer, "%s%s%s", text, *text ? "," : "", entry->data.scalar.value) < 0)
            longer = NULL;
        free(text);
        text = longer;
    }
    return text;
}

/* An option's key at most once: of two values, one would go unseen. */
static bool is_repeated(yaml_document_t *document, const yaml_node_t *root,
                        const yaml_node_pair_t *pair, const char *name)
{
    for (const yaml_node_pair_t *p = root->data.mapping.pairs.start; p < pair; p++) {
        const yaml_node_t *key = yaml_document_get_node(document, p->key);
        if (!strcmp((const char *)key->data.scalar.value, name))
            return true;
    }
    return false;
}

static bool has_entries(yaml_document_t *document, const yaml_node_t *node)
{
    if (node->type != YAML_SEQUENCE_NODE)
        return false;
    const yaml_node_item_t *item = node->data.sequence.items.start;
    for (; item < node->data.sequence.items.top; item++)
        if (yaml_document_get_node(document, *item)->type != YAML_SCALAR_NODE)
            return true;
    return false;
}

/* Values of an option that takes several. */
static int each_read(struct config *c, const struct source *source, const struct option *o,
                     yaml_node_t *node, const char *subject, struct fault *fault)
{
    if (node->type == YAML_SCALAR_NODE)
        return option_set(c, o, (char *)node->data.scalar.value, subject, fault);
    if (node->type != YAML_SEQUENCE_NODE || has_entries(source->document, node) ||
        node->data.sequence.items.start == node->data.sequence.items.top)
        return fault_set(fault, EINVAL, "%s: must be a value or a list of values", subject);
    int err = 0;
    yaml_node_item_t *item = node->data.sequence.items.start;
    for (; err == 0 && item < node->data.sequence.items.top; item++) {
        const yaml_node_t *entry = yaml_document_get_node(source->document, *item);
        err = option_set(c, o, (char *)entry->data.scalar.value, subject, fault);
    }
    return err;
}

/* Entries go on as they are, to be read where they are understood. */
static int entries_read(struct config *c, const struct source *source, const struct option *o,
                        yaml_node_t *node, const char *subject, struct fault *fault)
{
    char *slice = config_slice(source->bytes, source->len, &node->start_mark, &node->end_mark);
    if (!slice)
        return fault_set(fault, errno, "%s: %s", subject,
                         errno == EINVAL ? "entries are read from UTF-8 alone" : strerror(errno));
    int err = option_set(c, o, slice, subject, fault);
    c->telescope_is_yaml = err == 0;
    free(slice);
    return err;
}

static int pair_read(struct config *c, const struct source *source, const yaml_node_t *root,
                     const yaml_node_pair_t *pair, struct fault *fault)
{
    yaml_document_t *document = source->document;
    yaml_node_t *key = yaml_document_get_node(document, pair->key);
    yaml_node_t *value = yaml_document_get_node(document, pair->value);
    char where[200];

    snprintf(where, sizeof where, "%s:%zu:%zu", c->config, key->start_mark.line + 1,
             key->start_mark.column + 1);
    if (key->type != YAML_SCALAR_NODE)
        return fault_set(fault, EINVAL, "%s: a key must be an option's name", where);
    const char *name = (char *)key->data.scalar.value;
    const struct option *o = option_find(source->command, name, strlen(name), 0);
    if (!o || !strcmp(name, "config") || !strcmp(name, "help"))
        return fault_set(fault, EINVAL, "%s: unknown key '%s'", where, name);
    if (is_repeated(document, root, pair, name))
        return fault_set(fault, EINVAL, "%s: key '%s' a second time", where, name);
    char subject[280];
    snprintf(subject, sizeof subject, "%s: %s", where, name);
    if (o->type == OPTION_EACH)
        return each_read(c, source, o, value, subject, fault);
    if (o->type == OPTION_ENTRIES && has_entries(document, value))
        return entries_read(c, source, o, value, subject, fault);
    bool takes_list = o->type == OPTION_LIST || o->type == OPTION_ENTRIES;
    char *text = node_text(document, value);
    if (!text || (value->type == YAML_SEQUENCE_NODE && !takes_list)) {
        free(text);
        return fault_set(fault, EINVAL, "%s: must be a %s", subject,
                         takes_list ? "value or a list of values" : "single value");
    }
    int err = option_set(c, o, text, subject, fault);
    free(text);
    return err;
}

static int document_read(struct config *c, struct source *source, struct fault *fault)
{
    yaml_node_t *root = yaml_document_get_root_node(source->document);
    if (!root)
        return 0; /* an empty file */
    if (root->type != YAML_MAPPING_NODE)
        return fault_set(fault, EINVAL, "%s: must be a mapping of option: value", c->config);
    for (yaml_node_pair_t *pair = root->data.mapping.pairs.start;
         pair < root->data.mapping.pairs.top; pair++) {
        int err = pair_read(c, source, root, pair, fault);
        if (err < 0 && (!source->finding || err == -ENOMEM))
            return err;
        if (err < 0) {
            const yaml_node_t *key = yaml_document_get_node(source->document, pair->key);
            source->found++;
            source->finding(source->context,
                            key->type == YAML_SCALAR_NODE ? (char *)key->data.scalar.value : NULL,
                            fault);
        }
    }
    return 0;
}

/* Refuses what nests deeper than any options do, before libyaml makes a document of it: that takes time by the square
 * of the depth. */
static int nesting_check(const struct config *c, const char *bytes, size_t len, struct fault *fault)
{
    enum { DEPTH_MAX = 8 };
    yaml_parser_t parser;
    yaml_event_t event;
    int depth = 0, err = 0;
    bool is_end = false;

    if (!yaml_parser_initialize(&parser))
        return fault_set(fault, ENOMEM, "%s: %s", c->config, strerror(ENOMEM));
    yaml_parser_set_input_string(&parser, (const unsigned char *)bytes, len);
    while (!is_end && err == 0 && yaml_parser_parse(&parser, &event)) {
        depth += event.type == YAML_SEQUENCE_START_EVENT || event.type == YAML_MAPPING_START_EVENT;
        depth -= event.type == YAML_SEQUENCE_END_EVENT || event.type == YAML_MAPPING_END_EVENT;
        is_end = event.type == YAML_STREAM_END_EVENT;
        if (depth > DEPTH_MAX)
            err = fault_set(fault, EINVAL, "%s:%zu:%zu: values nest deeper than any option's",
                            c->config, event.start_mark.line + 1, event.start_mark.column + 1);
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    return err;
}

/* Reads all of a file, which may be a pipe. Caller frees *bytes in any case. */
static int file_read(const struct config *c, char **bytes, size_t *len, struct fault *fault)
{
    enum { LEN_MAX = 1 << 20 };
    *bytes = malloc(LEN_MAX + 1);
    FILE *file = fopen(c->config, "re");
    if (!file || !*bytes) {
        int err = file ? ENOMEM : errno;
        if (file)
            fclose(file);
        return fault_set(fault, EINVAL, "%s: %s", c->config, strerror(err));
    }
    *len = fread(*bytes, 1, LEN_MAX + 1, file);
    int err =
        ferror(file) ? fault_set(fault, EINVAL, "%s: %s", c->config, strerror(errno))
        : *len > LEN_MAX
            ? fault_set(fault, EINVAL, "%s: is longer than 1 MiB: no file of options", c->config)
            : 0;
    fclose(file);
    return err;
}

static int text_read(struct config *c, struct source *source, struct fault *fault)
{
    yaml_parser_t parser;
    yaml_document_t document;
    if (!yaml_parser_initialize(&parser))
        return fault_set(fault, ENOMEM, "%s: %s", c->config, strerror(ENOMEM));
    yaml_parser_set_input_string(&parser, (const unsigned char *)source->bytes, source->len);
    int err;
    if (yaml_parser_load(&parser, &document)) {
        source->document = &document;
        err = document_read(c, source, fault);
        yaml_document_delete(&document);
    } else {
        err =
            fault_set(fault, EINVAL, "%s:%zu:%zu: %s", c->config, parser.problem_mark.line + 1,
                      parser.problem_mark.column + 1, parser.problem ? parser.problem : "not YAML");
    }
    yaml_parser_delete(&parser);
    return err;
}

static int config_file_read(struct config *c, struct source *source, struct fault *fault)
{
    char *bytes;
    size_t len = 0;
    int err = file_read(c, &bytes, &len, fault);
    source->bytes = bytes;
    source->len = len;
    if (err == 0)
        err = nesting_check(c, bytes, len, fault);
    if (err == 0)
        err = text_read(c, source, fault);
    free(bytes);
    return err;
}

/* ---- whole ---- */

static int defaults_set(struct config *c, size_t paths, struct fault *fault)
{
    *c = (struct config){.lateness_ns = UINT64_MAX};
    c->paths = calloc(paths + 1, sizeof *c->paths);
    c->said_at = calloc(config_option_count, sizeof *c->said_at);
    if (!c->paths || !c->said_at)
        return fault_set(fault, ENOMEM, "options: %s", strerror(ENOMEM));
    for (size_t i = 0; i < config_option_count; i++) {
        char where[64];
        snprintf(where, sizeof where, "--%s", config_options[i].name);
        int err = config_options[i].initial
                      ? option_set(c, &config_options[i], config_options[i].initial, where, fault)
                      : 0;
        if (err < 0)
            return err;
    }
    memset(c->given, 0, sizeof c->given);
    return 0;
}

/* What hangs on more than one value. */
static int values_finish(struct config *c, struct fault *fault)
{
    if (SECONDS(3600) % c->window_ns)
        return fault_set(fault, EINVAL, "%s: %gs does not divide an hour",
                         config_subject(c, "window"), (double)c->window_ns / 1e9);
    if (c->lateness_ns == UINT64_MAX)
        c->lateness_ns = c->window_ns;
    return 0;
}

int config_init(struct config *c, enum command_bit command, int argc, char **argv,
                struct fault *fault)
{
    struct source source = {.command = command};
    int err = defaults_set(c, (size_t)argc, fault);
    if (err == 0)
        err = arguments_read(c, command, argc, argv, true, fault);
    if (err == 0 && c->config)
        err = config_file_read(c, &source, fault);
    if (err == 0)
        err = arguments_read(c, command, argc, argv, false, fault);
    return err < 0 ? err : values_finish(c, fault);
}

int config_check(struct config *c, enum command_bit command, const char *path,
                 config_finding finding, void *context)
{
    struct source source = {.command = command, .finding = finding, .context = context};
    struct fault fault;
    int err = defaults_set(c, 0, &fault);
    if (err == 0 && !(c->config = strdup(path)))
        err = fault_set(&fault, ENOMEM, "options: %s", strerror(ENOMEM));
    if (err == 0)
        err = config_file_read(c, &source, &fault);
    if (err == 0)
        err = values_finish(c, &fault);
    if (err == -ENOMEM)
        return err;
    if (err < 0)
        finding(context, NULL, &fault);
    return source.found + (err < 0);
}

void config_fini(struct config *c)
{
    for (size_t i = 0; i < config_option_count; i++) {
        char **text = (char **)((char *)c + config_options[i].at);
        enum option_type type = config_options[i].type;
        if (type == OPTION_EACH)
            list_fini((struct config_list *)text);
        if (type == OPTION_TEXT || type == OPTION_LIST || type == OPTION_ENTRIES) {
            free(*text);
            *text = NULL; /* two rows may name one field */
        }
        if (c->said_at)
            free(c->said_at[i]);
    }
    free(c->said_at);
    free(c->paths);
    *c = (struct config){0};
}
