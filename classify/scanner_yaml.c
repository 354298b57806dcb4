#include "classify/scanner_yaml.h"

#include "classify/yaml_reader.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define REFUSE_HERE(r, ...) yaml_reader_refuse(r, yaml_reader_here(r), __VA_ARGS__)

static int read_list_name(struct yaml_reader *r, void *into)
{
    char show[YAML_SHOWN];
    const char *text;
    size_t len;
    int err = yaml_reader_scalar(r, &text, &len);
    if (err == 0 && !scanner_is_list_name(text))
        err = REFUSE_HERE(r, "'%s': expected 1 to 63 letters, digits, and - _ .",
                          yaml_reader_quoted(text, show));
    if (err == 0)
        strcpy(into, text);
    return err;
}

static int read_date(struct yaml_reader *r, void *into)
{
    char show[YAML_SHOWN];
    const char *text;
    size_t len;
    int err = yaml_reader_scalar(r, &text, &len);
    if (err == 0 && !scanner_is_date(text))
        err = REFUSE_HERE(r, "'%s': expected a day, YYYY-MM-DD", yaml_reader_quoted(text, show));
    if (err == 0)
        strcpy(into, text);
    return err;
}

static int read_name(struct yaml_reader *r, void *into)
{
    const char *text;
    size_t len;
    int err = yaml_reader_scalar(r, &text, &len);
    if (err == 0 && !scanner_is_name(text, len))
        err =
            REFUSE_HERE(r, "expected a name of 1 to %d bytes that can be shown", SCANNER_NAME_MAX);
    if (err == 0)
        strcpy(into, text);
    return err;
}

static int read_homepage(struct yaml_reader *r, void *into)
{
    char show[YAML_SHOWN];
    const char *text;
    size_t len;
    int err = yaml_reader_scalar(r, &text, &len);
    if (err == 0 && !scanner_is_homepage(text))
        err = REFUSE_HERE(r, "'%s': expected http:// or https:// and at most %d bytes",
                          yaml_reader_quoted(text, show), SCANNER_HOMEPAGE_MAX);
    if (err == 0)
        strcpy(into, text);
    return err;
}

/* What an organisation said, before it has a place in the list: its keys come in any order. */
struct entry {
    const struct scanner_list *list;
    char name[SCANNER_NAME_MAX + 1], homepage[SCANNER_HOMEPAGE_MAX + 1], date[11];
    struct scanner_list cidrs; /* holds one organisation while they are read */
};

static int read_prefix(struct yaml_reader *r, void *into)
{
    char show[YAML_SHOWN];
    const char *text;
    size_t len;
    struct prefix prefix;
    struct scanner_list *cidrs = into;
    int err = yaml_reader_scalar(r, &text, &len);
    if (err)
        return err;
    enum prefix_fault found = prefix_parse(&prefix, text);
    if (found != PREFIX_GOOD)
        return REFUSE_HERE(r, "'%s': %s", yaml_reader_quoted(text, show), prefix_fault_text(found));
    err = scanner_list_add(cidrs, &cidrs->organisations[0], &prefix);
    if (err)
        return err == -E2BIG ? REFUSE_HERE(r, "more than %d prefixes", SCANNER_PREFIXES)
                             : yaml_reader_no_memory(r);
    return 0;
}

static int read_cidrs(struct yaml_reader *r, void *into)
{
    struct entry *e = into;
    if (!scanner_list_organisation(&e->cidrs, ""))
        return yaml_reader_no_memory(r);
    e->cidrs.prefix_count = e->list->prefix_count; /* the most are of a list, not of one of these */
    return yaml_reader_list(r, SIZE_MAX, " of prefixes (- 192.0.2.0/24)", read_prefix, &e->cidrs);
}

static int add_entry(struct yaml_reader *r, struct scanner_list *list, struct entry *e,
                     struct place start)
{
    size_t before = list->organisation_count;
    if (before == SCANNER_ORGANISATIONS)
        return yaml_reader_refuse(r, start, "more than %d organisations", SCANNER_ORGANISATIONS);
    struct scanner_organisation *o = scanner_list_organisation(list, e->name);
    if (!o)
        return yaml_reader_no_memory(r);
    if (list->organisation_count == before)
        return yaml_reader_refuse(r, start, "an organisation of this name stands above");
    o->homepage = arena_text(&list->arena, e->homepage, strlen(e->homepage));
    o->date = arena_text(&list->arena, e->date, strlen(e->date));
    if (!o->homepage || !o->date)
        return yaml_reader_no_memory(r);
    struct scanner_organisation *from = &e->cidrs.organisations[0];
    o->prefixes = from->prefixes;
    o->prefix_count = from->prefix_count;
    o->prefix_size = from->prefix_size;
    from->prefixes = NULL;
    list->prefix_count += o->prefix_count;
    return 0;
}

static int read_organisation(struct yaml_reader *r, void *into)
{
    struct entry e = {.list = into};
    const struct yaml_key keys[] = {
        {"name", read_name, e.name, true},
        {"homepage", read_homepage, e.homepage, false},
        {"date", read_date, e.date, false},
        {"cidrs", read_cidrs, &e, true},
    };
    struct place start = yaml_reader_here(r);
    int err = yaml_reader_mapping(r, keys, sizeof keys / sizeof *keys);
    if (err == 0)
        err = add_entry(r, into, &e, start);
    for (size_t i = 0; i < e.cidrs.organisation_count; i++)
        free(e.cidrs.organisations[i].prefixes);
    free(e.cidrs.organisations);
    arena_fini(&e.cidrs.arena);
    return err;
}

static int read_organisations(struct yaml_reader *r, void *into)
{
    size_t count; /* a list that names none is one, too */
    return yaml_reader_entries(r, SIZE_MAX, " of organisations (- name: ...)", read_organisation,
                               into, &count);
}

int scanner_yaml_read(struct scanner_list *list, const char *path, const void *bytes, size_t len,
                      struct fault *fault)
{
    struct yaml_reader r;
    const struct yaml_key keys[] = {
        {"list", read_list_name, list->name, true},
        {"date", read_date, list->date, false},
        {"organisations", read_organisations, list, true},
    };
    int err = yaml_reader_init(&r, &list->arena, path, bytes, len, fault);
    if (err == 0 && r.event.type != YAML_MAPPING_START_EVENT)
        err = yaml_reader_refuse(&r, yaml_reader_here(&r),
                                 "expected keys (list: ...); of a plain list of prefixes `lists "
                                 "import` makes such a file");
    if (err == 0)
        err = yaml_reader_mapping(&r, keys, sizeof keys / sizeof *keys);
    if (err == 0)
        err = yaml_reader_end(&r);
    yaml_reader_fini(&r);
    return err;
}
