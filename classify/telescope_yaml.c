#include "classify/telescope_yaml.h"

#include "classify/scanner_list.h"
#include "classify/yaml_reader.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Exceptions are looked for in every prefix of their entry. */
enum { ENTRIES_MAX = 1 << 16, PREFIXES_MAX = 1 << 12 };

/* An entry being read, and where things stand in it. */
struct reading {
    struct telescope_entry entry;
    struct place *except_at; /* of each exception */
    size_t except_room;
    struct place until_at;
};

static bool is_in(const struct prefix *inner, const struct prefix *outer)
{
    return inner->ip_version == outer->ip_version && inner->length >= outer->length &&
           prefix_number(inner->address, inner->ip_version) >=
               prefix_number(outer->address, outer->ip_version) &&
           prefix_last(inner) <= prefix_last(outer);
}

/* Without the word: it may be a telescope's address but for a slip of the pen. */
static int read_prefix(struct yaml_reader *r, struct prefix_list *list)
{
    const char *text;
    struct prefix prefix;
    size_t len;
    int err = yaml_reader_scalar(r, &text, &len);
    if (err)
        return err;
    enum prefix_fault found = prefix_parse(&prefix, text);
    if (found != PREFIX_GOOD)
        return yaml_reader_refuse(r, yaml_reader_here(r), "%s", prefix_fault_text(found));
    return prefix_list_add(list, &prefix) == 0 ? 0 : yaml_reader_no_memory(r);
}

static int read_one_prefix(struct yaml_reader *r, void *into)
{
    struct reading *reading = into;
    return read_prefix(r, &reading->entry.prefixes);
}

static int read_one_except(struct yaml_reader *r, void *into)
{
    struct reading *reading = into;
    size_t at = reading->entry.excepts.count;
    if (at == reading->except_room) {
        size_t room = at ? at * 2 : 16;
        void *grown = realloc(reading->except_at, room * sizeof *reading->except_at);
        if (!grown)
            return yaml_reader_no_memory(r);
        reading->except_at = grown;
        reading->except_room = room;
    }
    reading->except_at[at] = yaml_reader_here(r);
    return read_prefix(r, &reading->entry.excepts);
}

/* One value, or a list of them. */
static int read_one_or_list(struct yaml_reader *r, struct reading *reading,
                            int (*read)(struct yaml_reader *r, void *into))
{
    if (r->event.type == YAML_SEQUENCE_START_EVENT)
        return yaml_reader_list(r, PREFIXES_MAX, " of prefixes", read, reading);
    return read(r, reading);
}

static int read_prefixes(struct yaml_reader *r, void *into)
{
    return read_one_or_list(r, into, read_one_prefix);
}

static int read_excepts(struct yaml_reader *r, void *into)
{
    return read_one_or_list(r, into, read_one_except);
}

static int read_date(struct yaml_reader *r, int32_t *into)
{
    char show[YAML_SHOWN];
    const char *text;
    size_t len;
    int err = yaml_reader_scalar(r, &text, &len);
    if (err == 0 && !scanner_is_date(text))
        err = yaml_reader_refuse(r, yaml_reader_here(r), "'%s': expected a day, YYYY-MM-DD",
                                 yaml_reader_quoted(text, show));
    if (err == 0) {
        struct tm tm = {
            .tm_year = atoi(text) - 1900, .tm_mon = atoi(text + 5) - 1, .tm_mday = atoi(text + 8)};
        time_t at = timegm(&tm);
        *into = (int32_t)(at / 86400 - (at % 86400 < 0));
    }
    return err;
}

static int read_from(struct yaml_reader *r, void *into)
{
    struct reading *reading = into;
    return read_date(r, &reading->entry.from);
}

static int read_until(struct yaml_reader *r, void *into)
{
    struct reading *reading = into;
    reading->until_at = yaml_reader_here(r);
    return read_date(r, &reading->entry.until);
}

static int entry_check(struct yaml_reader *r, const struct reading *reading)
{
    const struct telescope_entry *e = &reading->entry;
    if (e->until < e->from)
        return yaml_reader_refuse(r, reading->until_at, "until lies before from");
    for (size_t i = 0; i < e->excepts.count; i++) {
        bool is_inside = false;
        for (size_t k = 0; k < e->prefixes.count; k++) {
            is_inside |= is_in(&e->excepts.at[i], &e->prefixes.at[k]);
            if (is_in(&e->prefixes.at[k], &e->excepts.at[i]))
                return yaml_reader_refuse(r, reading->except_at[i],
                                          "the exception leaves nothing of a prefix");
        }
        if (!is_inside)
            return yaml_reader_refuse(r, reading->except_at[i],
                                      "the exception lies in no prefix of its entry");
    }
    return 0;
}

static int entry_add(struct telescope_entries *entries, const struct telescope_entry *entry)
{
    if (entries->count == entries->size) {
        size_t size = entries->size ? entries->size * 2 : 16;
        void *grown = realloc(entries->at, size * sizeof *entries->at);
        if (!grown)
            return -ENOMEM;
        entries->at = grown;
        entries->size = size;
    }
    entries->at[entries->count++] = *entry;
    return 0;
}

static void entry_fini(struct telescope_entry *entry)
{
    prefix_list_fini(&entry->prefixes);
    prefix_list_fini(&entry->excepts);
}

static int read_entry(struct yaml_reader *r, void *into)
{
    struct reading reading = {
        .entry = {.from = TELESCOPE_SINCE_EVER, .until = TELESCOPE_FOR_EVER},
        .until_at = yaml_reader_here(r),
    };
    const struct yaml_key keys[] = {
        {"prefix", read_prefixes, &reading, true},
        {"except", read_excepts, &reading, false},
        {"from", read_from, &reading, false},
        {"until", read_until, &reading, false},
    };
    int err = r->event.type == YAML_SCALAR_EVENT
                  ? read_prefix(r, &reading.entry.prefixes)
                  : yaml_reader_mapping(r, keys, sizeof keys / sizeof *keys);
    if (err == 0)
        err = entry_check(r, &reading);
    if (err == 0 && entry_add(into, &reading.entry) != 0)
        err = yaml_reader_no_memory(r);
    else if (err == 0)
        reading.entry = (struct telescope_entry){0};
    entry_fini(&reading.entry);
    free(reading.except_at);
    return err;
}

int telescope_yaml_read(struct telescope_entries *out, const char *name, const char *bytes,
                        size_t len, struct fault *fault)
{
    struct arena arena = {0};
    struct yaml_reader reader;
    *out = (struct telescope_entries){0};
    int err = yaml_reader_init(&reader, &arena, name, bytes, len, fault);
    if (err == 0)
        err = yaml_reader_list(&reader, ENTRIES_MAX, " of prefixes", read_entry, out);
    if (err == 0)
        err = yaml_reader_end(&reader);
    yaml_reader_fini(&reader);
    arena_fini(&arena);
    return err;
}

int telescope_yaml_is(const char *bytes, size_t len)
{
    bool is_comment = false;
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] == '\n')
            is_comment = false;
        else if (bytes[i] == '#')
            is_comment = true;
        else if (!is_comment && bytes[i] != ' ' && bytes[i] != '\t' && bytes[i] != '\r')
            return memchr("-[{%", bytes[i], 4) != NULL;
    }
    return 0;
}

int telescope_entries_add(struct telescope_entries *entries, struct prefix_list *prefixes)
{
    struct telescope_entry entry = {
        .prefixes = *prefixes, .from = TELESCOPE_SINCE_EVER, .until = TELESCOPE_FOR_EVER};
    int err = entry_add(entries, &entry);
    if (err == 0)
        *prefixes = (struct prefix_list){0};
    return err;
}

void telescope_entries_fini(struct telescope_entries *entries)
{
    for (size_t i = 0; i < entries->count; i++)
        entry_fini(&entries->at[i]);
    free(entries->at);
    *entries = (struct telescope_entries){0};
}
