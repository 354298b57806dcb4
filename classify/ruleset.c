#include "classify/ruleset.h"

#include "classify/spoof.h"

#include "classify/payload.h"
#include "classify/payload_tool.h"
#include "classify/rule_yaml.h"
#include "classify/rules_embedded.h"
#include "classify/udp_form.h"

#include <dirent.h>
#include <errno.h>
#include <sha2.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What stands between the files and the tables. */
struct builder {
    struct ruleset *set;
    const char *prefix;
    struct fault *fault;
    struct rule_entry *entries, **tail;
    const char **categories;
    /* [0] the iot rule, [1] the service's, of every port. */
    uint16_t painted[2][PORT_PROTO_COUNT][65536];
};

static int out_of_memory(struct builder *b)
{
    return fault_set(b->fault, ENOMEM, "%s*.yaml: out of memory", b->prefix);
}

static bool is_iot(const struct rule *rule) { return strcmp(rule->category, "iot") == 0; }

/* "PREFIXfile:line:column" of a place in the rule's file, for messages. */
static int refuse(struct builder *b, const struct rule *rule, struct place place,
                  const char *format, ...) __attribute__((format(printf, 4, 5)));

static int refuse(struct builder *b, const struct rule *rule, struct place place,
                  const char *format, ...)
{
    char why[160];
    va_list args;
    va_start(args, format);
    vsnprintf(why, sizeof why, format, args);
    va_end(args);
    return fault_set(b->fault, EINVAL, "%s%s:%u:%u: %s", b->prefix, rule->file, place.line,
                     place.column, why);
}

/* The set's own copy of a category's name. */
static const char *intern_category(struct builder *b, const char *category)
{
    struct ruleset *set = b->set;
    for (size_t i = 0; i < set->category_count; i++)
        if (strcmp(set->categories[i], category) == 0)
            return set->categories[i];
    return b->categories[set->category_count++] = category;
}

static int add_file(struct builder *b, const struct rule_source *source)
{
    struct ruleset *set = b->set;
    struct rule_file file;
    char path[512];
    snprintf(path, sizeof path, "%s%s", b->prefix, source->name);
    int err = rule_yaml_read(&file, &set->arena, path, source->name, source->bytes, source->len,
                             b->fault);
    if (err)
        return err;
    if (file.name) {
        snprintf(set->name, sizeof set->name, "%s", file.name);
        snprintf(set->version, sizeof set->version, "%s", file.version);
        return 0;
    }
    if (set->rule_count + file.rule_count > RULES_MAX)
        return fault_set(b->fault, EINVAL, "%s: rule %d of the set, which holds at most %d", path,
                         RULES_MAX + 1, RULES_MAX);
    const char *category = intern_category(b, file.category);
    for (struct rule_entry *e = file.rules; e; e = e->next)
        e->rule.category = category;
    *b->tail = file.rules;
    while (*b->tail)
        b->tail = &(*b->tail)->next;
    set->rule_count += file.rule_count;
    return 0;
}

static int check_entry(struct builder *b, const struct rule_entry *e, uint16_t index)
{
    for (uint16_t i = 0; i < index; i++)
        if (strcmp(b->set->rules[i].id, e->rule.id) == 0)
            return refuse(b, &e->rule, e->place, "id '%s' is taken by %s:%u", e->rule.id,
                          b->set->rules[i].file, b->set->rules[i].line);
    if (is_iot(&e->rule) && e->breadth_place.line == 0)
        return refuse(b, &e->rule, e->place, "an iot rule needs a breadth (strict or shared)");
    if (!is_iot(&e->rule) && e->breadth_place.line != 0)
        return refuse(b, &e->rule, e->breadth_place, "only iot rules have a breadth");
    if (e->rule.is_generic &&
        (!is_iot(&e->rule) || e->rule.breadth != BREADTH_strict || !e->rule.payload))
        return refuse(b, &e->rule, e->place, "only strict iot rules with a payload are generic");
    return 0;
}

static int paint_entry(struct builder *b, const struct rule_entry *e, uint16_t index)
{
    for (size_t r = 0; r < e->ports.count; r++) {
        const struct port_range *range = &e->ports.at[r];
        uint16_t *painted = b->painted[!is_iot(&e->rule)][range->proto];
        for (unsigned port = range->first; port <= range->last; port++) {
            if (painted[port] == index)
                return refuse(b, &e->rule, range->place, "%s/%u stands twice in this rule",
                              range->proto == PORT_PROTO_TCP ? "tcp" : "udp", port);
            if (painted[port] != RULE_NONE)
                return refuse(b, &e->rule, range->place, "%s/%u has %s rule already: %s",
                              range->proto == PORT_PROTO_TCP ? "tcp" : "udp", port,
                              is_iot(&e->rule) ? "an iot" : "a service",
                              b->set->rules[painted[port]].id);
            painted[port] = index;
        }
    }
    return 0;
}

static uint32_t marks_of(const struct ruleset *set, uint16_t iot_rule)
{
    if (iot_rule == RULE_NONE)
        return 0;
    uint32_t strict = set->rules[iot_rule].breadth == BREADTH_strict;
    return strict << MARK_iot_strict | 1u << MARK_iot_broad;
}

/* The class of a pair of rules, made where it is new; 256: there are too many. */
static unsigned find_class(struct ruleset *set, unsigned *count, uint16_t iot, uint16_t service)
{
    unsigned c = 0;
    while (c < *count && (set->classes[c].rules[0] != iot || set->classes[c].rules[1] != service))
        c++;
    if (c == *count && c < 256)
        set->classes[(*count)++] = (struct port_class){{iot, service}, marks_of(set, iot)};
    return c;
}

static unsigned aim_of(const struct port_class *class)
{
    return (class->marks >> MARK_iot_broad & 1 ? PORT_AIM_BROAD : 0) |
           (class->marks >> MARK_iot_strict & 1 ? PORT_AIM_STRICT : 0);
}

/* Gives every different pair of rules a class, and every port its class: most have that of the port before them. */
static int build_classes(struct builder *b)
{
    struct ruleset *set = b->set;
    unsigned count = 1, c = 0, aim = 0;
    set->classes[0] = (struct port_class){.rules = {RULE_NONE, RULE_NONE}};
    for (unsigned proto = 0; proto < PORT_PROTO_COUNT; proto++)
        for (unsigned port = 0; port < 65536; port++) {
            uint16_t iot = b->painted[0][proto][port], service = b->painted[1][proto][port];
            if (set->classes[c].rules[0] != iot || set->classes[c].rules[1] != service) {
                c = find_class(set, &count, iot, service);
                if (c == 256)
                    return fault_set(
                        b->fault, EINVAL,
                        "%s*.yaml: more than 255 different combinations of rules on a port",
                        b->prefix);
                aim = aim_of(&set->classes[c]);
            }
            set->port_class[proto][port] = (uint8_t)c;
            set->port_aims[proto][port / 4] |= (uint8_t)(aim << port % 4 * 2);
        }
    return 0;
}

/* What the tables of forms and probes say, at once. */
static void mark_udp_ports(struct ruleset *set)
{
    for (unsigned port = 0; port < 65536; port++) {
        uint64_t bit = UINT64_C(1) << port % 64;
        if (udp_answer_from[port])
            set->udp_from[port / 64] |= bit;
        if (udp_request_to[port] || payload_tool_wants_udp_port((uint16_t)port))
            set->udp_to[port / 64] |= bit;
    }
}

static int build(struct builder *b)
{
    struct ruleset *set = b->set;
    uint16_t index = 0;
    set->rules = arena_alloc(&set->arena, (set->rule_count + 1) * sizeof *set->rules);
    if (!set->rules)
        return out_of_memory(b);
    memset(b->painted, 0xff, sizeof b->painted);
    for (const struct rule_entry *e = b->entries; e; e = e->next, index++) {
        int err = check_entry(b, e, index);
        set->rules[index] = e->rule;
        if (err == 0)
            err = paint_entry(b, e, index);
        if (err)
            return err;
    }
    mark_udp_ports(set);
    return build_classes(b);
}

static void digest(struct ruleset *set, const struct rule_source *sources, size_t count)
{
    SHA2_CTX sha;
    SHA256Init(&sha);
    for (size_t i = 0; i < count; i++) {
        uint8_t len[8];
        for (unsigned k = 0; k < 8; k++)
            len[k] = (uint8_t)((uint64_t)sources[i].len >> 8 * k);
        SHA256Update(&sha, (const uint8_t *)sources[i].name, strlen(sources[i].name) + 1);
        SHA256Update(&sha, len, sizeof len);
        SHA256Update(&sha, sources[i].bytes, sources[i].len);
    }
    SHA256End(&sha, set->sha256);
}

static int compare_sources(const void *a, const void *b)
{
    return strcmp(((const struct rule_source *)a)->name, ((const struct rule_source *)b)->name);
}

/* `sources` are sorted by name. */
static int create_sorted(struct builder *b, const struct rule_source *sources, size_t count)
{
    struct ruleset *set = b->set;
    b->tail = &b->entries;
    b->categories = arena_alloc(&set->arena, (count + 1) * sizeof *b->categories);
    if (!b->categories)
        return out_of_memory(b);
    set->categories = b->categories;
    for (size_t i = 0; i < count; i++) {
        int err = add_file(b, &sources[i]);
        if (err)
            return err;
    }
    if (set->name[0] == '\0')
        return fault_set(b->fault, EINVAL, "%sset.yaml: missing (it gives name and version)",
                         b->prefix);
    digest(set, sources, count);
    set->generation = 1;
    set->spoof_tests = SPOOF_DEFAULT;
    set->payload_off = "not loaded";
    memset(set->payload_any_min, 0xff, sizeof set->payload_any_min);
    set->folder = arena_text(&set->arena, b->prefix, strlen(b->prefix));
    if (!set->folder)
        return out_of_memory(b);
    return build(b);
}

int ruleset_create_from(struct ruleset **out, const struct rule_source *sources, size_t count,
                        const char *prefix, struct fault *fault)
{
    struct rule_source *sorted = calloc(count + 1, sizeof *sorted);
    struct builder *b = calloc(1, sizeof *b);
    struct ruleset *set = calloc(1, sizeof *set);
    int err;
    *out = NULL;
    if (!sorted || !b || !set) {
        err = fault_set(fault, ENOMEM, "%s*.yaml: out of memory", prefix);
    } else {
        memcpy(sorted, sources, count * sizeof *sorted);
        qsort(sorted, count, sizeof *sorted, compare_sources);
        b->set = set;
        b->prefix = prefix;
        b->fault = fault;
        err = create_sorted(b, sorted, count);
    }
    free(sorted);
    free(b);
    if (err)
        ruleset_destroy(set);
    else
        *out = set;
    return err;
}

/* Reads a file into malloc'ed memory. */
static int read_source(struct rule_source *source, const char *path, struct fault *fault)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return fault_set(fault, errno, "%s: %s", path, strerror(errno));
    char *bytes = malloc(RULE_FILE_BYTES_MAX + 1);
    size_t len = bytes ? fread(bytes, 1, RULE_FILE_BYTES_MAX + 1, file) : 0;
    int err = 0;
    if (!bytes)
        err = fault_set(fault, ENOMEM, "%s: out of memory", path);
    else if (ferror(file))
        err = fault_set(fault, EIO, "%s: %s", path, strerror(errno));
    else if (len > RULE_FILE_BYTES_MAX)
        err = fault_set(fault, EFBIG, "%s: more than %d bytes", path, RULE_FILE_BYTES_MAX);
    fclose(file);
    if (err) {
        free(bytes);
        return err;
    }
    source->bytes = bytes;
    source->len = len;
    return 0;
}

static int is_rule_file(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);
    return entry->d_name[0] != '.' && len > 5 && strcmp(entry->d_name + len - 5, ".yaml") == 0;
}

static int create_from_dir(struct ruleset **out, const char *dir, struct fault *fault)
{
    struct rule_source sources[RULE_FILES_MAX] = {0};
    struct dirent **names = NULL;
    char path[4096];
    int err = 0;
    int count = scandir(dir, &names, is_rule_file, NULL);
    if (count < 0)
        return fault_set(fault, errno, "%s: %s", dir, strerror(errno));
    if (count > RULE_FILES_MAX)
        err = fault_set(fault, E2BIG, "%s: %d rule files, at most %d are read", dir, count,
                        RULE_FILES_MAX);
    for (int i = 0; i < count && err == 0; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, names[i]->d_name);
        sources[i].name = names[i]->d_name;
        err = read_source(&sources[i], path, fault);
    }
    snprintf(path, sizeof path, "%s/", dir);
    if (err == 0)
        err = ruleset_create_from(out, sources, (size_t)count, path, fault);
    for (int i = 0; i < count; i++) {
        if (i < RULE_FILES_MAX)
            free((void *)sources[i].bytes);
        free(names[i]);
    }
    free(names);
    return err;
}

int ruleset_create(struct ruleset **out, const char *dir, struct fault *fault)
{
    *out = NULL;
    if (dir)
        return create_from_dir(out, dir, fault);
    return ruleset_create_from(out, rules_embedded, rules_embedded_count, "", fault);
}

void ruleset_destroy(struct ruleset *set)
{
    if (!set)
        return;
    payload_destroy(set->payload);
    arena_fini(&set->arena);
    free(set);
}
