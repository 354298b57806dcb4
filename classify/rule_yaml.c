/* A reader over libyaml's event stream. Each read function begins at the first event of its
 * value and ends at the last; what the shape does not ask for is refused where it begins, so
 * nothing nests deeper than the shape. */
#include "classify/rule_yaml.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <yaml.h>

enum { TEXT_MAX = 400, PORTS_MAX = 512, REFERENCES_MAX = 64 };

struct reader {
    yaml_parser_t parser;
    yaml_event_t event;
    const char *path, *name;
    struct arena *arena;
    struct fault *fault;
};

/* A key of a mapping: how its value is read, and into what. */
struct key {
    const char *name;
    int (*read)(struct reader *r, void *into);
    void *into;
    bool is_required;
};

static struct place here(const struct reader *r)
{
    return (struct place){(unsigned)r->event.start_mark.line + 1,
                          (unsigned)r->event.start_mark.column + 1};
}

static __attribute__((format(printf, 3, 4))) int refuse(struct reader *r, struct place place,
                                                        const char *format, ...)
{
    char why[200];
    va_list args;
    va_start(args, format);
    vsnprintf(why, sizeof why, format, args);
    va_end(args);
    return fault_set(r->fault, EINVAL, "%s:%u:%u: %s", r->path, place.line, place.column, why);
}

static int out_of_memory(struct reader *r)
{
    return fault_set(r->fault, ENOMEM, "%s: out of memory", r->path);
}

/* Text of the user's in a message: cut, and nothing that a terminal obeys. */
static const char *quoted(const char *text, size_t len, char out[48])
{
    size_t kept = 0;
    for (; kept < len && kept < 40; kept++)
        out[kept] = text[kept] >= ' ' && text[kept] <= '~' ? text[kept] : '?';
    strcpy(out + kept, kept < len ? "..." : "");
    return out;
}

/* What libyaml says of a file that is no YAML, with the place where the open thing began. */
static int refuse_syntax(struct reader *r, const yaml_parser_t *parser)
{
    if (parser->error == YAML_MEMORY_ERROR)
        return out_of_memory(r);
    bool is_reader = parser->error == YAML_READER_ERROR;
    const yaml_mark_t *mark = is_reader ? &parser->mark : &parser->problem_mark;
    struct place place = {(unsigned)mark->line + 1, (unsigned)mark->column + 1};
    const char *problem = parser->problem ? parser->problem : "not YAML";
    if (!parser->context || is_reader)
        return refuse(r, place, "%s", problem);
    return refuse(r, place, "%s %s that begins at %zu:%zu", problem, parser->context,
                  parser->context_mark.line + 1, parser->context_mark.column + 1);
}

/* Finds what is no YAML before anything is made of the rest: behind a bracket that is not closed, keys
 * read as strange values. Stops where the nesting is deeper than any file's that we read. */
static int check_syntax(struct reader *r, const void *bytes, size_t len)
{
    enum { DEPTH_MAX = 8 };
    yaml_parser_t parser;
    int depth = 0, err = 0;
    bool is_end = false;

    if (!yaml_parser_initialize(&parser))
        return out_of_memory(r);
    yaml_parser_set_input_string(&parser, bytes, len);
    while (!err && !is_end && depth <= DEPTH_MAX) {
        yaml_event_t event;
        if (!yaml_parser_parse(&parser, &event)) {
            err = refuse_syntax(r, &parser);
            break;
        }
        depth += event.type == YAML_SEQUENCE_START_EVENT || event.type == YAML_MAPPING_START_EVENT;
        depth -= event.type == YAML_SEQUENCE_END_EVENT || event.type == YAML_MAPPING_END_EVENT;
        is_end = event.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    return err;
}

/* Moves to the next event. */
static int next(struct reader *r)
{
    yaml_event_delete(&r->event);
    if (!yaml_parser_parse(&r->parser, &r->event)) {
        memset(&r->event, 0, sizeof r->event);
        return refuse_syntax(r, &r->parser);
    }
    const yaml_event_t *e = &r->event;
    if (e->type == YAML_ALIAS_EVENT ||
        (e->type == YAML_SCALAR_EVENT && (e->data.scalar.anchor || e->data.scalar.tag)) ||
        (e->type == YAML_SEQUENCE_START_EVENT &&
         (e->data.sequence_start.anchor || e->data.sequence_start.tag)) ||
        (e->type == YAML_MAPPING_START_EVENT &&
         (e->data.mapping_start.anchor || e->data.mapping_start.tag)))
        return refuse(r, here(r), "anchors, aliases and tags are not read");
    return 0;
}

/* Copies the scalar at hand. */
static int read_text(struct reader *r, void *into)
{
    if (r->event.type != YAML_SCALAR_EVENT)
        return refuse(r, here(r), "expected text");
    const char *text = (const char *)r->event.data.scalar.value;
    size_t len = r->event.data.scalar.length;
    if (len == 0 || len > TEXT_MAX)
        return refuse(r, here(r), "text of %zu bytes, expected 1 to %d", len, TEXT_MAX);
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7f ||
            ((unsigned char)text[i] == 0xc2 && (unsigned char)text[i + 1] < 0xa0))
            return refuse(r, here(r), "control character in text");
    char *copy = arena_text(r->arena, text, len);
    if (!copy)
        return out_of_memory(r);
    *(const char **)into = copy;
    return 0;
}

/* What YAML takes for a number, a truth value or nothing where it stands without quotes. */
static bool is_plain_value(const yaml_event_t *e)
{
    static const char *const words[] = {"~", "null", "true", "false", "yes", "no", "on", "off"};
    const char *text = (const char *)e->data.scalar.value;
    char *end;
    if (e->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
        return false;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcasecmp(text, words[i]) == 0)
            return true;
    (void)strtod(text, &end);
    return end != text && *end == '\0';
}

/* Words for people. */
static int read_words(struct reader *r, void *into)
{
    char show[48];
    int err = read_text(r, into);
    if (err == 0 && is_plain_value(&r->event))
        return refuse(r, here(r), "'%s' is no text without quotes",
                      quoted(*(const char **)into, strlen(*(const char **)into), show));
    return err;
}

static int read_word(struct reader *r, void *into, const char *allowed, size_t max)
{
    char show[48];
    int err = read_text(r, into);
    if (err)
        return err;
    const char *text = *(const char **)into;
    size_t len = strlen(text);
    if (len > max || strspn(text, allowed) != len)
        return refuse(r, here(r), "'%s': expected at most %zu of %s", quoted(text, len, show), max,
                      allowed);
    return 0;
}

static int read_id(struct reader *r, void *into)
{
    return read_word(r, into, "abcdefghijklmnopqrstuvwxyz0123456789-", 48);
}

static int read_category(struct reader *r, void *into)
{
    return read_word(r, into, "abcdefghijklmnopqrstuvwxyz0123456789_", 24);
}

static int read_name(struct reader *r, void *into)
{
    return read_word(r, into, "abcdefghijklmnopqrstuvwxyz0123456789-_.", 31);
}

/* YYYY, YYYY-MM or YYYY-MM-DD. */
static int read_since(struct reader *r, void *into)
{
    char show[48];
    int err = read_text(r, into);
    if (err)
        return err;
    const char *text = *(const char **)into;
    size_t len = strlen(text);
    bool is_date = len == 4 || len == 7 || len == 10;
    for (size_t i = 0; is_date && i < len; i++)
        is_date = i == 4 || i == 7 ? text[i] == '-' : text[i] >= '0' && text[i] <= '9';
    if (is_date && len >= 7)
        is_date = memcmp(text + 5, "01", 2) >= 0 && memcmp(text + 5, "12", 2) <= 0;
    if (is_date && len == 10)
        is_date = memcmp(text + 8, "01", 2) >= 0 && memcmp(text + 8, "31", 2) <= 0;
    if (!is_date)
        return refuse(r, here(r), "'%s': expected YYYY, YYYY-MM or YYYY-MM-DD",
                      quoted(text, len, show));
    return 0;
}

/* Reads the mapping at hand by its keys. */
static int read_mapping(struct reader *r, const struct key *keys, size_t count)
{
    char show[48];
    if (r->event.type != YAML_MAPPING_START_EVENT)
        return refuse(r, here(r), "expected keys (%s: ...)", keys[0].name);
    struct place start = here(r);
    uint32_t seen = 0;
    for (;;) {
        int err = next(r);
        if (err)
            return err;
        if (r->event.type == YAML_MAPPING_END_EVENT)
            break;
        if (r->event.type != YAML_SCALAR_EVENT)
            return refuse(r, here(r), "expected a key");
        const char *word = (const char *)r->event.data.scalar.value;
        size_t len = r->event.data.scalar.length, k = 0;
        while (k < count && (strlen(keys[k].name) != len || memcmp(keys[k].name, word, len) != 0))
            k++;
        if (k == count)
            return refuse(r, here(r), "unknown key '%s'", quoted(word, len, show));
        if (seen >> k & 1)
            return refuse(r, here(r), "key '%s' a second time", keys[k].name);
        seen |= 1u << k;
        err = next(r);
        if (err == 0)
            err = keys[k].read(r, keys[k].into);
        if (err)
            return err;
    }
    for (size_t k = 0; k < count; k++)
        if (keys[k].is_required && !(seen >> k & 1))
            return refuse(r, start, "key '%s' is missing", keys[k].name);
    return 0;
}

static int read_device(struct reader *r, void *into)
{
    struct rule *rule = into;
    const struct key keys[] = {
        {"en", read_words, &rule->device_en, true},
        {"ja", read_words, &rule->device_ja, true},
    };
    return read_mapping(r, keys, sizeof keys / sizeof keys[0]);
}

static int read_strength(struct reader *r, void *into)
{
    static const char *const words[] = {"published", "documented", "unconfirmed"};
    char show[48];
    int err = read_text(r, into);
    if (err)
        return err;
    const char *text = *(const char **)into;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(text, words[i]) == 0)
            return 0;
    return refuse(r, here(r), "'%s': expected published, documented or unconfirmed",
                  quoted(text, strlen(text), show));
}

static int read_basis(struct reader *r, void *into)
{
    struct rule *rule = into;
    const char *strength = NULL, *source = NULL;
    const struct key keys[] = {
        {"strength", read_strength, &strength, true},
        {"source", read_words, &source, true},
    };
    int err = read_mapping(r, keys, sizeof keys / sizeof keys[0]);
    if (err)
        return err;
    char text[TEXT_MAX + 32];
    int len = snprintf(text, sizeof text, "%s: %s", strength, source);
    rule->basis = arena_text(r->arena, text, (size_t)len);
    return rule->basis ? 0 : out_of_memory(r);
}

static int read_breadth(struct reader *r, void *into)
{
    struct rule_entry *entry = into;
    const char *text;
    char show[48];
    entry->breadth_place = here(r);
    int err = read_text(r, &text);
    if (err)
        return err;
    if (strcmp(text, "strict") == 0)
        entry->rule.breadth = BREADTH_strict;
    else if (strcmp(text, "shared") == 0)
        entry->rule.breadth = BREADTH_shared;
    else
        return refuse(r, here(r), "'%s': expected strict or shared",
                      quoted(text, strlen(text), show));
    return 0;
}

/* A port at *text, moved behind it; -1 where there is none. */
static int take_port(const char **text)
{
    const char *at = *text;
    int port = 0, digits = 0;
    for (; at[digits] >= '0' && at[digits] <= '9' && digits < 6; digits++)
        port = port * 10 + (at[digits] - '0');
    if (digits == 0 || port > 65535 || (digits > 1 && at[0] == '0'))
        return -1;
    *text += digits;
    return port;
}

/* "tcp/23" or "udp/7000-7010". */
static int parse_ports(const char *text, struct port_range *range)
{
    if (strncmp(text, "tcp/", 4) == 0)
        range->proto = PORT_PROTO_TCP;
    else if (strncmp(text, "udp/", 4) == 0)
        range->proto = PORT_PROTO_UDP;
    else
        return -EINVAL;
    text += 4;
    int first = take_port(&text), last = first;
    if (*text == '-') {
        text++;
        last = take_port(&text);
    }
    if (first < 0 || last < first || *text != '\0')
        return -EINVAL;
    range->first = (uint16_t)first;
    range->last = (uint16_t)last;
    return 0;
}

/* Reads a list of texts, joined by blanks; each goes through `take` first, if there is one. */
static int read_list(struct reader *r, const char **joined, size_t max, struct rule_entry *entry,
                     int (*take)(struct reader *r, struct rule_entry *entry, const char *text))
{
    if (r->event.type != YAML_SEQUENCE_START_EVENT)
        return refuse(r, here(r), "expected a list ([..., ...])");
    struct place start = here(r);
    size_t len = 0, size = 0, count = 0;
    char *all = NULL;
    for (;; count++) {
        const char *text;
        int err = next(r);
        if (err)
            return err;
        if (r->event.type == YAML_SEQUENCE_END_EVENT)
            break;
        if (count == max)
            return refuse(r, here(r), "more than %zu entries", max);
        err = read_text(r, &text);
        if (err == 0 && take)
            err = take(r, entry, text);
        if (err)
            return err;
        size_t more = strlen(text) + 1;
        if (len + more > size) {
            size = (len + more) * 2;
            char *grown = arena_alloc(r->arena, size);
            if (!grown)
                return out_of_memory(r);
            all = len ? memcpy(grown, all, len) : grown;
        }
        memcpy(all + len, text, more);
        len += more;
        all[len - 1] = ' ';
    }
    if (count == 0)
        return refuse(r, start, "the list is empty");
    all[len - 1] = '\0';
    *joined = all;
    return 0;
}

static int take_range(struct reader *r, struct rule_entry *entry, const char *text)
{
    char show[48];
    size_t count = entry->port_count;
    if ((count & (count - 1)) == 0) { /* full at every power of two */
        struct port_range *grown = arena_alloc(r->arena, (count ? count * 2 : 1) * sizeof *grown);
        if (!grown)
            return out_of_memory(r);
        if (count)
            memcpy(grown, entry->ports, count * sizeof *grown);
        entry->ports = grown;
    }
    struct port_range *range = &entry->ports[count];
    if (parse_ports(text, range) != 0)
        return refuse(r, here(r),
                      "'%s': expected tcp/PORT, udp/PORT or tcp/FIRST-LAST, ports 0 to 65535",
                      quoted(text, strlen(text), show));
    range->place = here(r);
    entry->port_count++;
    return 0;
}

static int read_ports(struct reader *r, void *into)
{
    struct rule_entry *entry = into;
    return read_list(r, &entry->rule.ports, PORTS_MAX, entry, take_range);
}

static int read_references(struct reader *r, void *into)
{
    return read_list(r, into, REFERENCES_MAX, NULL, NULL);
}

static int read_rule(struct reader *r, struct rule_entry *entry)
{
    struct rule *rule = &entry->rule;
    const struct key keys[] = {
        {"id", read_id, &rule->id, true},
        {"breadth", read_breadth, entry, false},
        {"device", read_device, rule, true},
        {"ports", read_ports, entry, true},
        {"basis", read_basis, rule, true},
        {"references", read_references, &rule->references, false},
        {"since", read_since, &rule->since, false},
    };
    entry->place = here(r);
    rule->file = r->name;
    rule->line = entry->place.line;
    rule->references = "";
    rule->since = "";
    return read_mapping(r, keys, sizeof keys / sizeof keys[0]);
}

static int read_rules(struct reader *r, void *into)
{
    struct rule_file *file = into;
    struct rule_entry **tail = &file->rules;
    if (r->event.type != YAML_SEQUENCE_START_EVENT)
        return refuse(r, here(r), "expected a list of rules (- id: ...)");
    for (;;) {
        int err = next(r);
        if (err)
            return err;
        if (r->event.type == YAML_SEQUENCE_END_EVENT)
            return 0;
        if (file->rule_count == RULES_MAX)
            return refuse(r, here(r), "more than %d rules", RULES_MAX);
        struct rule_entry *entry = arena_alloc(r->arena, sizeof *entry);
        if (!entry)
            return out_of_memory(r);
        err = read_rule(r, entry);
        if (err)
            return err;
        *tail = entry;
        tail = &entry->next;
        file->rule_count++;
    }
}

static int read_file(struct reader *r, struct rule_file *out)
{
    const struct key set_keys[] = {
        {"name", read_name, &out->name, true},
        {"version", read_name, &out->version, true},
    };
    const struct key rule_keys[] = {
        {"category", read_category, &out->category, true},
        {"rules", read_rules, out, true},
    };
    int err = next(r); /* the stream's begin */
    if (err == 0)
        err = next(r);
    if (err)
        return err;
    if (r->event.type == YAML_STREAM_END_EVENT)
        return refuse(r, here(r), "the file is empty");
    err = next(r);
    if (err == 0)
        err = strcmp(r->name, "set.yaml") == 0 ? read_mapping(r, set_keys, 2)
                                               : read_mapping(r, rule_keys, 2);
    if (err == 0)
        err = next(r); /* the document's end */
    if (err == 0)
        err = next(r);
    if (err == 0 && r->event.type != YAML_STREAM_END_EVENT)
        return refuse(r, here(r), "a second document");
    return err;
}

int rule_yaml_read(struct rule_file *out, struct arena *arena, const char *path, const char *name,
                   const void *bytes, size_t len, struct fault *fault)
{
    struct reader r = {.path = path, .arena = arena, .fault = fault};
    *out = (struct rule_file){0};
    r.name = arena_text(arena, name, strlen(name));
    if (!r.name || !yaml_parser_initialize(&r.parser))
        return out_of_memory(&r);
    yaml_parser_set_input_string(&r.parser, bytes, len);
    int err = check_syntax(&r, bytes, len);
    if (err == 0)
        err = read_file(&r, out);
    yaml_event_delete(&r.event);
    yaml_parser_delete(&r.parser);
    return err;
}
