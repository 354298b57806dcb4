#include "core/config.h"

#include "capture/batch.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum option_type { OPTION_FLAG, OPTION_TEXT, OPTION_LIST, OPTION_COUNT, OPTION_SPAN, OPTION_MILLI };

struct option {
    const char *name;
    char letter; /* 0: none */
    const char *argument;
    const char *help;
    const char *initial; /* as it would be given; NULL: none */
    uint64_t min, max;   /* counts and spans (ns) */
    size_t at;           /* offset in struct config */
    enum option_type type;
    unsigned commands;
};

#define AT(field)  offsetof(struct config, field)
#define SECONDS(n) ((uint64_t)(n)*1000000000)

static const struct option options[] = {
    {"out", 'o', "DIR", "write the feed there: a folder that holds none yet", NULL, 0, 0, AT(out),
     OPTION_TEXT, COMMAND_REPLAY | COMMAND_MERGE},
    {"out", 'o', "FILE", "write the capture there; - is stdout, without answers", NULL, 0, 0,
     AT(out), OPTION_TEXT, COMMAND_SYNTH},
    {"out", 'o', "FILE", "write the list there, whose name becomes the list's; - is stdout", NULL,
     0, 0, AT(out), OPTION_TEXT, COMMAND_LISTS},
    {"json", 0, NULL, "print one JSON object in place of text", NULL, 0, 0, AT(is_json),
     OPTION_FLAG, COMMAND_REPLAY | COMMAND_RULES | COMMAND_LISTS | COMMAND_MERGE | COMMAND_REPORT},
    {"csv", 0, NULL, "print rows for programs in place of text", NULL, 0, 0, AT(is_csv),
     OPTION_FLAG, COMMAND_REPORT},
    {"html", 0, "FILE", "write a page with charts there in place of text", NULL, 0, 0, AT(html),
     OPTION_TEXT, COMMAND_REPORT},
    {"per", 0, "SPAN", "a row for each: all, hour, day, month, year, fiscal-year (from April)",
     "all", 0, 0, AT(per), OPTION_TEXT, COMMAND_REPORT},
    {"json", 0, NULL, "print one JSON object per packet, one a line, in place of text", NULL, 0, 0,
     AT(is_json), OPTION_FLAG, COMMAND_EXPLAIN},
    {"json", 0, NULL, "print one JSON object per feed, one a line, in place of text", NULL, 0, 0,
     AT(is_json), OPTION_FLAG, COMMAND_VERIFY},
    {"workers", 'j', "N",
     "worker threads, or 0: one less than there are processors; results do not depend on it", "0",
     0, SHARDS, AT(workers), OPTION_COUNT, COMMAND_REPLAY},
    {"telescope", 0, "PREFIX,...|FILE",
     "the dark address space; a file has one prefix a line, # begins a comment; without it "
     "everything is inside",
     NULL, 0, 0, AT(telescope), OPTION_LIST, COMMAND_REPLAY | COMMAND_EXPLAIN | COMMAND_SYNTH},
    {"telescope-id", 0, "NAME", "label of the --telescope in the feed", NULL, 0, 0,
     AT(telescope_id), OPTION_TEXT, COMMAND_REPLAY},
    {"decap", 0, "LIST", "tunnels to unwrap: gre, erspan, vxlan, ipip, all, none", "none", 0, 0,
     AT(decap), OPTION_LIST, COMMAND_REPLAY | COMMAND_EXPLAIN},
    {"filter", 0, "BPF",
     "count only packets that match; the others are in the ledger as filtered. It sees frames as "
     "captured, outermost headers: `vlan and tcp` behind a tag, --decap or not",
     NULL, 0, 0, AT(filter), OPTION_TEXT, COMMAND_REPLAY | COMMAND_EXPLAIN},
    {"rules", 0, "DIR",
     "restate port evidence of days under these rule files (*.yaml), as far as the feed holds "
     "source days",
     NULL, 0, 0, AT(rules), OPTION_TEXT, COMMAND_REPORT},
    {"rules", 0, "DIR", "rule files (*.yaml) in place of those built in", NULL, 0, 0, AT(rules),
     OPTION_TEXT,
     COMMAND_REPLAY | COMMAND_EXPLAIN | COMMAND_VERIFY | COMMAND_RULES | COMMAND_SYNTH |
         COMMAND_MERGE},
    {"country", 0, "FILE", "MaxMind database for countries of sources: Country, City, Enterprise",
     NULL, 0, 0, AT(country), OPTION_TEXT, COMMAND_REPLAY | COMMAND_EXPLAIN},
    {"as", 0, "FILE", "MaxMind database for AS of sources: ASN, ISP, Enterprise", NULL, 0, 0,
     AT(as), OPTION_TEXT, COMMAND_REPLAY | COMMAND_EXPLAIN},
    {"lists", 0, "PATH,...",
     "lists of acknowledged scanners, as `lists import` writes them; of a folder, its *.yaml", NULL,
     0, 0, AT(lists), OPTION_LIST, COMMAND_REPLAY | COMMAND_EXPLAIN},
    {"extra-bogons", 0, NULL,
     "6to4, its relays and Teredo are bogons, too: IANA's registries do not say of them", NULL, 0,
     0, AT(extra_bogons), OPTION_FLAG, COMMAND_REPLAY | COMMAND_EXPLAIN},
    {"name", 0, "NAME", "import: of the organisation, in place of the file's own", NULL, 0, 0,
     AT(name), OPTION_TEXT, COMMAND_LISTS},
    {"homepage", 0, "URL", "import: of the organisations", NULL, 0, 0, AT(homepage), OPTION_TEXT,
     COMMAND_LISTS},
    {"date", 0, "YYYY-MM-DD", "import: of what the lists say, in place of their own", NULL, 0, 0,
     AT(date), OPTION_TEXT, COMMAND_LISTS},
    {"skip-damaged", 0, NULL,
     "import: leave out what is no prefix, naming it (exit 3), in place of refusing the file", NULL,
     0, 0, AT(skip_damaged), OPTION_FLAG, COMMAND_LISTS},
    {"window", 0, "SPAN", "length of a window: 1s to 1h, a divisor of an hour", "60s", SECONDS(1),
     SECONDS(3600), AT(window_ns), OPTION_SPAN, COMMAND_REPLAY},
    {"lateness", 0, "SPAN",
     "how long a window stays open behind the newest packet (default: one "
     "window)",
     NULL, 0, SECONDS(86400), AT(lateness_ns), OPTION_SPAN, COMMAND_REPLAY},
    {"timezone", 0, "ZONE",
     "whose calendar days count and whose times the text shows, by its IANA name", "UTC", 0, 0,
     AT(timezone), OPTION_TEXT, COMMAND_REPLAY},
    {"timezone", 0, "ZONE",
     "whose calendar days --profile days and nicter-YEAR make, by its IANA name", "UTC", 0, 0,
     AT(timezone), OPTION_TEXT, COMMAND_SYNTH},
    {"sensor", 0, "NAME", "name of this process in the feed", "yamiscope", 0, 0, AT(sensor),
     OPTION_TEXT, COMMAND_REPLAY},
    {"no-sources", 0, NULL,
     "count no calendar days: no source days and no Days in the feed, no final shares", NULL, 0, 0,
     AT(no_sources), OPTION_FLAG, COMMAND_REPLAY},
    {"survey-ports", 0, "N",
     "a survey scanner has at least so many distinct (protocol, destination port) a day", "30", 1,
     131072, AT(survey_ports), OPTION_COUNT, COMMAND_REPLAY},
    {"survey-packets", 0, "N", "and at least so many packets a day", "1000", 1, UINT64_C(1) << 62,
     AT(survey_packets), OPTION_COUNT, COMMAND_REPLAY},
    {"survey-packets-per-address", 0, "X",
     "and so many packets for each IPv4 address of the telescope, to three decimals", "1.0", 0,
     4000000000, AT(survey_per_address), OPTION_MILLI, COMMAND_REPLAY},
    {"survey-ports6", 0, "N", "the same of an IPv6 /64: ports", "30", 1, 131072, AT(survey_ports6),
     OPTION_COUNT, COMMAND_REPLAY},
    {"survey-packets6", 0, "N", "the same of an IPv6 /64: packets", "1000", 1, UINT64_C(1) << 62,
     AT(survey_packets6), OPTION_COUNT, COMMAND_REPLAY},
    {"complete-coverage", 0, "PERCENT", "a complete day was observed for so much of it", "99.5", 0,
     100000, AT(complete_coverage), OPTION_MILLI, COMMAND_REPLAY},
    {"complete-loss", 0, "PERCENT", "and lost no more of its packets", "0.1", 0, 100000,
     AT(complete_loss), OPTION_MILLI, COMMAND_REPLAY},
    {"batch", 0, "N", "packets handed over at once; results do not depend on it", "1024", 1,
     BATCH_MAX, AT(batch), OPTION_COUNT, COMMAND_REPLAY},
    {"top", 0, "N", "rows of the tables of ports and rules; --json has all", "10", 1, 65536,
     AT(top), OPTION_COUNT, COMMAND_REPLAY | COMMAND_REPORT},
    {"lang", 0, "en|ja", "language of device names; a report is in it as a whole", "en", 0, 0,
     AT(lang), OPTION_TEXT, COMMAND_REPLAY | COMMAND_REPORT},
    {"color", 0, "WHEN", "auto, always, never", "auto", 0, 0, AT(color), OPTION_TEXT,
     COMMAND_REPLAY | COMMAND_REPORT},
    {"expose-telescope", 0, NULL, "the filter's text may stand in the feed", NULL, 0, 0,
     AT(expose_telescope), OPTION_FLAG, COMMAND_REPLAY},
    {"expose-telescope", 0, NULL,
     "show the telescope's addresses and what they can be computed from", NULL, 0, 0,
     AT(expose_telescope), OPTION_FLAG, COMMAND_EXPLAIN},
    {"packets", 0, "N", "packets to make", "1M", 1, UINT64_C(1) << 40, AT(packets), OPTION_COUNT,
     COMMAND_SYNTH},
    {"sources", 0, "N",
     "distinct source addresses, at most one per packet (default: one per 150 packets)", "0", 0,
     UINT64_C(1) << 30, AT(sources), OPTION_COUNT, COMMAND_SYNTH},
    {"span", 0, "SPAN", "time from the first packet to the last", "1h", 1, SECONDS(86400) * 3660,
     AT(span_ns), OPTION_SPAN, COMMAND_SYNTH},
    {"seed", 0, "N", "same seed, same capture", "1", 0, UINT64_MAX, AT(seed), OPTION_COUNT,
     COMMAND_SYNTH},
    {"start", 0, "TIME",
     "time of the first packet: 2026-01-01T00:00:00Z, 2026-01-01 (its midnight, UTC) or seconds "
     "since 1970",
     NULL, 0, 0, AT(start), OPTION_TEXT, COMMAND_SYNTH},
    {"profile", 0, "NAME",
     "darknet: a believable mix; uniform: every source alike; days: calendar days with sources of "
     "every origin; nicter-2017 to nicter-2025: a year scaled after NICTER's report",
     "darknet", 0, 0, AT(profile), OPTION_TEXT, COMMAND_SYNTH},
    {"days", 0, "N",
     "calendar days to make, or 0: 3 of --profile days (from --start), the year of nicter-YEAR",
     "0", 0, 3660, AT(days), OPTION_COUNT, COMMAND_SYNTH},
    {"scale", 0, "N", "divides the packets of --profile nicter-YEAR", "1", 1, 1000000, AT(scale),
     OPTION_COUNT, COMMAND_SYNTH},
    {"ports-per-source", 0, "N", "destination ports of each source, or 0: as the profile has it",
     "0", 0, 65536, AT(ports_per_source), OPTION_COUNT, COMMAND_SYNTH},
    {"disorder", 0, "SPAN", "packets may lie this much out of order in time", "0", 0,
     SECONDS(86400), AT(disorder_ns), OPTION_SPAN, COMMAND_SYNTH},
    {"vlan", 0, "N", "VLAN tag on every packet, or 0: none", "0", 0, 4094, AT(vlan), OPTION_COUNT,
     COMMAND_SYNTH},
    {"no-answers", 0, NULL, "do not write the answers beside the capture", NULL, 0, 0,
     AT(no_answers), OPTION_FLAG, COMMAND_SYNTH},
    {"config", 0, "FILE", "read options from a YAML file, by their names; the command line wins",
     NULL, 0, 0, AT(config), OPTION_TEXT, COMMANDS_ALL},
    {"help", 'h', NULL, "this text", NULL, 0, 0, AT(is_help), OPTION_FLAG, COMMANDS_ALL},
};
enum { OPTIONS = sizeof options / sizeof *options, NUMBER_SHOWN = 65536 };
static_assert(OPTIONS <= 64, "given has a bit for each");

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

/* Sets one option from its text; `where` is what the fault begins with. */
static int option_set(struct config *c, const struct option *o, const char *text, const char *where,
                      struct fault *fault)
{
    void *at = (char *)c + o->at;
    char **said_at = &c->said_at[o - options];
    uint64_t value = 0;
    int err;

    free(*said_at);
    *said_at = strdup(where);
    c->given |= UINT64_C(1) << (o - options);

    switch (o->type) {
    case OPTION_FLAG:
        if (strcmp(text, "true") && strcmp(text, "false"))
            return fault_set(fault, EINVAL,
                             "%s: '%s' is neither true nor false, the only words for it", where,
                             text);
        *(bool *)at = !strcmp(text, "true");
        return 0;
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
    for (size_t i = 0; i < OPTIONS; i++)
        if ((letter ? options[i].letter == letter
                    : strlen(options[i].name) == len && !memcmp(options[i].name, name, len)) &&
            (!found || options[i].commands & command))
            found = &options[i];
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

static int pair_read(struct config *c, enum command_bit command, yaml_document_t *document,
                     const yaml_node_t *root, const yaml_node_pair_t *pair, struct fault *fault)
{
    yaml_node_t *key = yaml_document_get_node(document, pair->key);
    yaml_node_t *value = yaml_document_get_node(document, pair->value);
    char where[200];

    snprintf(where, sizeof where, "%s:%zu:%zu", c->config, key->start_mark.line + 1,
             key->start_mark.column + 1);
    if (key->type != YAML_SCALAR_NODE)
        return fault_set(fault, EINVAL, "%s: a key must be an option's name", where);
    const char *name = (char *)key->data.scalar.value;
    const struct option *o = option_find(command, name, strlen(name), 0);
    if (!o || !strcmp(name, "config") || !strcmp(name, "help"))
        return fault_set(fault, EINVAL, "%s: unknown key '%s'", where, name);
    if (is_repeated(document, root, pair, name))
        return fault_set(fault, EINVAL, "%s: key '%s' a second time", where, name);
    char *text = node_text(document, value);
    if (!text || (value->type == YAML_SEQUENCE_NODE && o->type != OPTION_LIST)) {
        free(text);
        return fault_set(fault, EINVAL, "%s: %s: must be a %s", where, name,
                         o->type == OPTION_LIST ? "value or a list of values" : "single value");
    }
    char subject[280];
    snprintf(subject, sizeof subject, "%s: %s", where, name);
    int err = option_set(c, o, text, subject, fault);
    free(text);
    return err;
}

static int document_read(struct config *c, enum command_bit command, yaml_document_t *document,
                         struct fault *fault)
{
    yaml_node_t *root = yaml_document_get_root_node(document);
    if (!root)
        return 0; /* an empty file */
    if (root->type != YAML_MAPPING_NODE)
        return fault_set(fault, EINVAL, "%s: must be a mapping of option: value", c->config);
    for (yaml_node_pair_t *pair = root->data.mapping.pairs.start;
         pair < root->data.mapping.pairs.top; pair++) {
        int err = pair_read(c, command, document, root, pair, fault);
        if (err < 0)
            return err;
    }
    return 0;
}

static int config_file_read(struct config *c, enum command_bit command, struct fault *fault)
{
    yaml_parser_t parser;
    yaml_document_t document;
    FILE *file = fopen(c->config, "re");
    if (!file)
        return fault_set(fault, EINVAL, "%s: %s", c->config, strerror(errno));
    if (!yaml_parser_initialize(&parser)) {
        fclose(file);
        return fault_set(fault, ENOMEM, "%s: %s", c->config, strerror(ENOMEM));
    }
    yaml_parser_set_input_file(&parser, file);
    int err;
    if (yaml_parser_load(&parser, &document)) {
        err = document_read(c, command, &document, fault);
        yaml_document_delete(&document);
    } else {
        err =
            fault_set(fault, EINVAL, "%s:%zu:%zu: %s", c->config, parser.problem_mark.line + 1,
                      parser.problem_mark.column + 1, parser.problem ? parser.problem : "not YAML");
    }
    yaml_parser_delete(&parser);
    fclose(file);
    return err;
}

/* ---- whole ---- */

int config_init(struct config *c, enum command_bit command, int argc, char **argv,
                struct fault *fault)
{
    *c = (struct config){.lateness_ns = UINT64_MAX};
    c->paths = calloc((size_t)argc + 1, sizeof *c->paths);
    c->said_at = calloc(OPTIONS, sizeof *c->said_at);
    if (!c->paths || !c->said_at)
        return fault_set(fault, ENOMEM, "options: %s", strerror(ENOMEM));
    for (size_t i = 0; i < OPTIONS; i++) {
        char where[64];
        snprintf(where, sizeof where, "--%s", options[i].name);
        int err =
            options[i].initial ? option_set(c, &options[i], options[i].initial, where, fault) : 0;
        if (err < 0)
            return err;
    }
    c->given = 0;
    int err = arguments_read(c, command, argc, argv, true, fault);
    if (err == 0 && c->config)
        err = config_file_read(c, command, fault);
    if (err == 0)
        err = arguments_read(c, command, argc, argv, false, fault);
    if (err < 0)
        return err;
    if (SECONDS(3600) % c->window_ns)
        return fault_set(fault, EINVAL, "%s: %gs does not divide an hour",
                         config_subject(c, "window"), (double)c->window_ns / 1e9);
    if (c->lateness_ns == UINT64_MAX)
        c->lateness_ns = c->window_ns;
    return 0;
}

void config_fini(struct config *c)
{
    for (size_t i = 0; i < OPTIONS; i++) {
        char **text = (char **)((char *)c + options[i].at);
        if (options[i].type == OPTION_TEXT || options[i].type == OPTION_LIST) {
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

const char *config_subject(const struct config *c, const char *option)
{
    for (size_t i = 0; i < OPTIONS; i++)
        if (!strcmp(options[i].name, option) && c->said_at[i])
            return c->said_at[i];
    return option;
}

bool config_is_given(const struct config *c, const char *option)
{
    for (size_t i = 0; i < OPTIONS; i++)
        if (!strcmp(options[i].name, option) && c->given >> i & 1)
            return true;
    return false;
}

/* Prints `text` from column 30, broken at spaces before column 100. */
static void print_wrapped(FILE *out, const char *text)
{
    enum { LEFT = 30, WIDTH = 70 };
    while (strlen(text) > WIDTH) {
        int len = WIDTH;
        while (len > 0 && text[len] != ' ')
            len--;
        fprintf(out, "%.*s\n%*s", len, text, LEFT, "");
        text += len + 1;
    }
    fprintf(out, "%s", text);
}

/* What an option does, and where that says something its limits and its default. */
static void print_help(FILE *out, const struct option *o)
{
    bool has_limits = o->type == OPTION_COUNT && o->max <= NUMBER_SHOWN;
    bool has_default = o->initial && strcmp(o->initial, "0") != 0;
    char help[256], limits[64] = "";

    if (has_limits)
        snprintf(limits, sizeof limits, "%llu to %llu", (unsigned long long)o->min,
                 (unsigned long long)o->max);
    snprintf(help, sizeof help, "%s%s%s%s%s%s%s", o->help, has_limits || has_default ? " (" : "",
             limits, has_limits && has_default ? "; " : "", has_default ? "default: " : "",
             has_default ? o->initial : "", has_limits || has_default ? ")" : "");
    print_wrapped(out, help);
}

void config_print_options(FILE *out, enum command_bit command)
{
    for (size_t i = 0; i < OPTIONS; i++) {
        const struct option *o = &options[i];
        if (!(o->commands & command))
            continue;
        char left[64];
        snprintf(left, sizeof left, "%c%c%s--%s %s", o->letter ? '-' : ' ',
                 o->letter ? o->letter : ' ', o->letter ? ", " : "  ", o->name,
                 o->argument ? o->argument : "");
        fprintf(out, "  %-27s ", left);
        if (strlen(left) > 27)
            fprintf(out, "\n%30s", "");
        print_help(out, o);
        fputc('\n', out);
    }
}
