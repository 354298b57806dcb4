/* A Day's tables: made, begun, and their rows found by key. */
#include "export/day.h"

#include "export/day_state.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { TABLE_FIRST = 1024 };

const struct survey_settings survey_defaults = {
    .min_ports = 30,
    .min_packets = 1000,
    .packets_per_address_milli = 1000,
    .min_ports6 = 30,
    .min_packets6 = 1000,
};

bool survey_settings_equal(const struct survey_settings *a, const struct survey_settings *b)
{
    return a->min_ports == b->min_ports && a->min_packets == b->min_packets &&
           a->packets_per_address_milli == b->packets_per_address_milli &&
           a->min_ports6 == b->min_ports6 && a->min_packets6 == b->min_packets6;
}

bool day_rule_is_iot(const struct rule *rule) { return strcmp(rule->category, "iot") == 0; }

static unsigned category_find(const struct day *d, const char *name)
{
    unsigned i = 0;
    while (i < d->category_count && strcmp(d->category_names[i], name) != 0)
        i++;
    return i;
}

unsigned day_category_of(const struct day *d, const struct rule *rule)
{
    unsigned found = category_find(d, rule->category);
    return found < d->category_count ? found : CATEGORY_unknown;
}

static void categories_init(struct day *d)
{
    const struct ruleset *set = d->settings.rules;
    d->category_names[CATEGORY_other] = "other";
    d->category_names[CATEGORY_unknown] = "unknown";
    d->category_names[CATEGORY_unlisted] = "unlisted";
    d->category_count = CATEGORY_OWN;
    for (size_t i = 0; i < set->rule_count; i++)
        if (category_find(d, set->rules[i].category) == d->category_count)
            d->category_names[d->category_count++] = set->rules[i].category;
    for (size_t i = 0; i < d->settings.labelled_count; i++)
        if (d->category_count < CATEGORIES_MAX &&
            category_find(d, d->settings.labelled[i].category) == d->category_count)
            d->category_names[d->category_count++] = d->settings.labelled[i].category;
    for (unsigned c = 0; c < CLASSES; c++) {
        const uint16_t *rules = set->classes[c].rules;
        const struct rule *iot = rules[0] == RULE_NONE ? NULL : &set->rules[rules[0]];
        const struct rule *service = rules[1] == RULE_NONE ? NULL : &set->rules[rules[1]];
        d->class_iot[c] = iot == NULL                      ? DAY_IOT_none
                          : iot->breadth == BREADTH_strict ? DAY_IOT_strict
                                                           : DAY_IOT_shared;
        const struct rule *says = d->class_iot[c] != DAY_IOT_strict && service ? service : iot;
        d->class_category[c] = (uint16_t)(says == NULL ? CATEGORY_other : day_category_of(d, says));
    }
}

struct day *day_create(const struct day_settings *settings)
{
    struct day *d = calloc(1, sizeof *d);
    if (d == NULL)
        return NULL;
    d->settings = *settings;
    hash_key_init(&d->key);
    categories_init(d);
    return d;
}

static void tables_free(struct day *d)
{
    free(d->ases);
    free(d->names);
    d->ases = NULL;
    d->names = NULL;
    d->as_count = d->as_size = d->name_count = d->name_size = 0;
    arena_fini(&d->arena);
    arena_fini(&d->result.arena);
}

void day_destroy(struct day *d)
{
    if (d == NULL)
        return;
    tables_free(d);
    free(d->pending);
    day_facts_fini(&d->span_facts);
    free(d);
}

uint64_t day_survey_min_packets(const struct survey_settings *s, uint64_t ipv4)
{
    unsigned __int128 milli = (unsigned __int128)s->packets_per_address_milli * ipv4;
    unsigned __int128 packets = (milli + 999) / 1000;
    if (packets > UINT64_MAX)
        packets = UINT64_MAX;
    return packets > s->min_packets ? (uint64_t)packets : s->min_packets;
}

/* Most ports of most days have no packets: their memory is neither read nor written. */
static void ports_clear(struct day *d)
{
    for (unsigned proto = 0; proto < PORT_PROTO_COUNT; proto++)
        for (unsigned word = 0; word < 65536 / 64; word++)
            for (uint64_t left = d->has_port[proto][word]; left != 0; left &= left - 1)
                d->ports[proto][word * 64 + (unsigned)__builtin_ctzll(left)] = (struct cell){0};
    memset(d->has_port, 0, sizeof d->has_port);
}

static void tables_clear(struct day *d)
{
    memset(d->evidence_at, 0, sizeof d->evidence_at);
    memset(d->kinds, 0, sizeof d->kinds);
    memset(d->marks, 0, sizeof d->marks);
    memset(d->notes, 0, sizeof d->notes);
    memset(d->tools, 0, sizeof d->tools);
    memset(d->tools_used, 0, sizeof d->tools_used);
    memset(&d->ip4, 0, sizeof d->ip4);
    ports_clear(d);
    memset(d->rules, 0, sizeof d->rules);
    memset(d->categories, 0, sizeof d->categories);
    memset(d->countries, 0, sizeof d->countries);
    d->survey = d->conflict = d->acknowledged = d->bogon = (struct class_cell){0};
}

int day_begin(struct day *d, const struct day_facts *facts, struct fault *fault)
{
    const char *unknown;
    uint64_t ipv4;

    tables_free(d);
    d->facts = facts;
    d->err = 0;
    d->is_span = d->is_survey64 = false;
    d->has_ex = day_facts_ipv4(facts, &ipv4, &unknown);
    d->survey_min_packets = day_survey_min_packets(&d->settings.survey, ipv4);
    d->has_last = d->is_group_open = false;
    d->source = d->group = 0;
    d->pending_count = 0;
    if (d->is_used) /* else all is zero, and for the most part never touched */
        tables_clear(d);
    d->is_used = true;
    memset(&d->result, 0, sizeof d->result);

    d->as_size = d->name_size = TABLE_FIRST;
    d->ases = calloc(d->as_size, sizeof(struct as_row *));
    d->names = calloc(d->name_size, sizeof(struct name_row *));
    return d->ases != NULL && d->names != NULL ? 0
                                               : fault_set(fault, ENOMEM, "no memory for a day");
}

static size_t as_slot(const struct day *d, struct as_row *const *rows, size_t size, uint32_t asn)
{
    size_t i = (size_t)hash_u64(&d->key, asn) & (size - 1);
    while (rows[i] != NULL && rows[i]->asn != asn)
        i = (i + 1) & (size - 1);
    return i;
}

static bool as_grow(struct day *d)
{
    size_t size = d->as_size * 2;
    struct as_row **rows = calloc(size, sizeof(struct as_row *));
    if (rows == NULL)
        return false;
    for (size_t i = 0; i < d->as_size; i++)
        if (d->ases[i] != NULL)
            rows[as_slot(d, rows, size, d->ases[i]->asn)] = d->ases[i];
    free(d->ases);
    d->ases = rows;
    d->as_size = size;
    return true;
}

/* Keeps the greater name, in room that at least doubles, so that names that grow cost no more than their last. */
static bool as_rename(struct day *d, struct as_row *row, const char *name)
{
    size_t len = strlen(name) + 1;
    if (len > row->name_size) {
        size_t size = row->name_size * 2 > len ? row->name_size * 2 : len;
        char *room = arena_alloc(&d->arena, size);
        if (room == NULL)
            return false;
        row->name = room;
        row->name_size = (uint32_t)size;
    }
    memcpy(row->name, name, len);
    return true;
}

struct as_row *day_as(struct day *d, uint32_t asn, const char *name)
{
    size_t slot = as_slot(d, d->ases, d->as_size, asn);
    struct as_row *row = d->ases[slot];
    if (row == NULL) {
        if (d->as_count >= DAY_AS_MAX) {
            d->err = -E2BIG;
            return NULL;
        }
        if (d->as_count * 2 >= d->as_size) {
            if (!as_grow(d)) {
                d->err = -ENOMEM;
                return NULL;
            }
            slot = as_slot(d, d->ases, d->as_size, asn);
        }
        row = d->ases[slot] = arena_alloc(&d->arena, sizeof *row);
        if (row == NULL) {
            d->err = -ENOMEM;
            return NULL;
        }
        row->asn = asn;
        d->as_count++;
    }
    const char *is = row->name == NULL ? "" : row->name;
    if (name != NULL && strcmp(name, is) > 0 && !as_rename(d, row, name))
        d->err = -ENOMEM;
    return row;
}

static size_t name_slot(const struct day *d, struct name_row *const *rows, size_t size,
                        enum name_kind kind, const char *text)
{
    uint64_t hash = d->key.a ^ kind;
    for (const char *at = text; *at != '\0'; at++)
        hash = hash_fold(hash ^ (uint8_t)*at, d->key.b);
    size_t i = (size_t)hash & (size - 1);
    while (rows[i] != NULL && (rows[i]->kind != kind || strcmp(rows[i]->text, text) != 0))
        i = (i + 1) & (size - 1);
    return i;
}

static bool names_grow(struct day *d)
{
    size_t size = d->name_size * 2;
    struct name_row **rows = calloc(size, sizeof(struct name_row *));
    if (rows == NULL)
        return false;
    for (size_t i = 0; i < d->name_size; i++)
        if (d->names[i] != NULL)
            rows[name_slot(d, rows, size, d->names[i]->kind, d->names[i]->text)] = d->names[i];
    free(d->names);
    d->names = rows;
    d->name_size = size;
    return true;
}

static const struct rule *rule_find(const struct rule *rules, size_t count, const char *id)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(rules[i].id, id) == 0)
            return &rules[i];
    return NULL;
}

static const struct rule *payload_rule(const struct day_settings *s, const char *id)
{
    const struct rule *rule = rule_find(s->labelled, s->labelled_count, id);
    return rule != NULL ? rule : rule_find(s->rules->rules, s->rules->rule_count, id);
}

static struct name_row *name_make(struct day *d, enum name_kind kind, const char *text)
{
    if (d->name_count >= DAY_NAMES_MAX) {
        d->err = -E2BIG;
        return NULL;
    }
    struct name_row *row = arena_alloc(&d->arena, sizeof *row);
    char *copy = arena_text(&d->arena, text, strlen(text));
    if (row == NULL || copy == NULL || (d->name_count * 2 >= d->name_size && !names_grow(d))) {
        d->err = -ENOMEM;
        return NULL;
    }
    row->kind = kind;
    row->text = copy;
    row->rule = kind == NAME_payload ? payload_rule(&d->settings, text) : NULL;
    d->names[name_slot(d, d->names, d->name_size, kind, text)] = row;
    d->name_count++;
    return row;
}

struct name_row *day_name(struct day *d, enum name_kind kind, const char *text)
{
    struct name_row *row = d->names[name_slot(d, d->names, d->name_size, kind, text)];
    return row != NULL ? row : name_make(d, kind, text);
}
