#include "classify/rule_yaml.h"

#include "classify/port_list.h"
#include "classify/rule_payload.h"
#include "classify/yaml_reader.h"

#include <stdio.h>
#include <string.h>

enum { REFERENCES_MAX = 64 };

static int read_id(struct yaml_reader *r, void *into)
{
    return yaml_reader_word(r, into, "abcdefghijklmnopqrstuvwxyz0123456789-", 48);
}

static int read_category(struct yaml_reader *r, void *into)
{
    return yaml_reader_word(r, into, "abcdefghijklmnopqrstuvwxyz0123456789_", 24);
}

static int read_name(struct yaml_reader *r, void *into)
{
    return yaml_reader_word(r, into, "abcdefghijklmnopqrstuvwxyz0123456789-_.", 31);
}

/* YYYY, YYYY-MM or YYYY-MM-DD. */
static int read_since(struct yaml_reader *r, void *into)
{
    char show[YAML_SHOWN];
    int err = yaml_reader_text(r, into);
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
        return yaml_reader_refuse(r, yaml_reader_here(r),
                                  "'%s': expected YYYY, YYYY-MM or YYYY-MM-DD",
                                  yaml_reader_quoted(text, show));
    return 0;
}

static int read_device(struct yaml_reader *r, void *into)
{
    struct rule *rule = into;
    const struct yaml_key keys[] = {
        {"en", yaml_reader_words, &rule->device_en, true},
        {"ja", yaml_reader_words, &rule->device_ja, true},
    };
    return yaml_reader_mapping(r, keys, sizeof keys / sizeof keys[0]);
}

static int read_strength(struct yaml_reader *r, void *into)
{
    static const char *const words[] = {"published", "documented", "unconfirmed"};
    char show[YAML_SHOWN];
    int err = yaml_reader_text(r, into);
    if (err)
        return err;
    const char *text = *(const char **)into;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(text, words[i]) == 0)
            return 0;
    return yaml_reader_refuse(r, yaml_reader_here(r),
                              "'%s': expected published, documented or unconfirmed",
                              yaml_reader_quoted(text, show));
}

static int read_basis(struct yaml_reader *r, void *into)
{
    struct rule *rule = into;
    const char *strength = NULL, *source = NULL;
    const struct yaml_key keys[] = {
        {"strength", read_strength, &strength, true},
        {"source", yaml_reader_words, &source, true},
    };
    int err = yaml_reader_mapping(r, keys, sizeof keys / sizeof keys[0]);
    if (err)
        return err;
    char text[YAML_TEXT_MAX + 32];
    int len = snprintf(text, sizeof text, "%s: %s", strength, source);
    rule->basis = arena_text(r->arena, text, (size_t)len);
    return rule->basis ? 0 : yaml_reader_no_memory(r);
}

static int read_breadth(struct yaml_reader *r, void *into)
{
    struct rule_entry *entry = into;
    const char *text;
    char show[YAML_SHOWN];
    entry->breadth_place = yaml_reader_here(r);
    int err = yaml_reader_text(r, &text);
    if (err)
        return err;
    if (strcmp(text, "strict") == 0)
        entry->rule.breadth = BREADTH_strict;
    else if (strcmp(text, "shared") == 0)
        entry->rule.breadth = BREADTH_shared;
    else
        return yaml_reader_refuse(r, yaml_reader_here(r), "'%s': expected strict or shared",
                                  yaml_reader_quoted(text, show));
    return 0;
}

static int read_references(struct yaml_reader *r, void *into)
{
    return yaml_reader_texts(r, REFERENCES_MAX, into, NULL, NULL);
}

static int read_rule(struct yaml_reader *r, struct rule_entry *entry)
{
    struct rule *rule = &entry->rule;
    struct rule_payload *payload = NULL;
    const struct yaml_key keys[] = {
        {"id", read_id, &rule->id, true},
        {"breadth", read_breadth, entry, false},
        {"device", read_device, rule, true},
        {"ports", port_list_read, &entry->ports, false},
        {"payload", rule_payload_read, &payload, false},
        {"exploit", yaml_reader_bool, &rule->is_exploit, false},
        {"generic", yaml_reader_bool, &rule->is_generic, false},
        {"basis", read_basis, rule, true},
        {"references", read_references, &rule->references, false},
        {"since", read_since, &rule->since, false},
    };
    entry->place = yaml_reader_here(r);
    entry->ports.text = "";
    rule->file = r->context;
    rule->line = entry->place.line;
    rule->references = "";
    rule->since = "";
    int err = yaml_reader_mapping(r, keys, sizeof keys / sizeof keys[0]);
    if (err)
        return err;
    rule->ports = entry->ports.text;
    rule->payload = payload;
    if (rule->is_exploit && !payload)
        return yaml_reader_refuse(r, entry->place, "an exploit needs a payload that shows it");
    if (entry->ports.count == 0 && !payload)
        return yaml_reader_refuse(r, entry->place, "a rule needs ports, a payload, or both");
    if (payload && payload->ports.count == 0)
        payload->ports = entry->ports;
    if (payload && payload->ports.count == 0)
        return yaml_reader_refuse(
            r, entry->place, "the payload needs ports (tcp/any: all), since the rule has none");
    return 0;
}

static int read_rules(struct yaml_reader *r, void *into)
{
    struct rule_file *file = into;
    struct rule_entry **tail = &file->rules;
    if (r->event.type != YAML_SEQUENCE_START_EVENT)
        return yaml_reader_refuse(r, yaml_reader_here(r), "expected a list of rules (- id: ...)");
    for (;;) {
        int err = yaml_reader_next(r);
        if (err)
            return err;
        if (r->event.type == YAML_SEQUENCE_END_EVENT)
            return 0;
        if (file->rule_count == RULES_MAX)
            return yaml_reader_refuse(r, yaml_reader_here(r), "more than %d rules", RULES_MAX);
        struct rule_entry *entry = arena_alloc(r->arena, sizeof *entry);
        if (!entry)
            return yaml_reader_no_memory(r);
        err = read_rule(r, entry);
        if (err)
            return err;
        *tail = entry;
        tail = &entry->next;
        file->rule_count++;
    }
}

static int read_file(struct yaml_reader *r, struct rule_file *out)
{
    const struct yaml_key set_keys[] = {
        {"name", read_name, &out->name, true},
        {"version", read_name, &out->version, true},
    };
    const struct yaml_key rule_keys[] = {
        {"category", read_category, &out->category, true},
        {"rules", read_rules, out, true},
    };
    bool is_set = strcmp(r->context, "set.yaml") == 0;
    int err = yaml_reader_mapping(r, is_set ? set_keys : rule_keys, 2);
    return err ? err : yaml_reader_end(r);
}

int rule_yaml_read(struct rule_file *out, struct arena *arena, const char *path, const char *name,
                   const void *bytes, size_t len, struct fault *fault)
{
    struct yaml_reader r;
    *out = (struct rule_file){0};
    int err = yaml_reader_init(&r, arena, path, bytes, len, fault);
    r.context = arena_text(arena, name, strlen(name));
    if (err == 0 && !r.context)
        err = yaml_reader_no_memory(&r);
    if (err == 0)
        err = read_file(&r, out);
    yaml_reader_fini(&r);
    return err;
}
