/* A reader over libyaml's event stream: each read function begins at the first event of its value and
 * ends at the last; what the form does not ask for is refused where it begins. */
#include "classify/scanner_yaml.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

struct reader {
    yaml_parser_t parser;
    yaml_event_t event;
    const char *path;
    struct scanner_list *list;
    struct fault *fault;
};

/* A key of a mapping: how its value is read, and into what. */
struct key {
    const char *name;
    int (*read)(struct reader *r, void *into);
    void *into;
    bool is_required;
};

static __attribute__((format(printf, 3, 4))) int refuse(struct reader *r, const yaml_mark_t *at,
                                                        const char *format, ...)
{
    char why[200];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(why, sizeof why, format, args);
    va_end(args);
    return fault_set(r->fault, EINVAL, "%s:%zu:%zu: %s", r->path, at->line + 1, at->column + 1,
                     why);
}

#define REFUSE_HERE(r, ...) refuse(r, &(r)->event.start_mark, __VA_ARGS__)

static int out_of_memory(struct reader *r)
{
    return fault_set(r->fault, ENOMEM, "%s: out of memory", r->path);
}

/* The user's text in a message: cut, and nothing that a terminal obeys. */
static const char *quoted(const char *text, size_t len, char out[48])
{
    size_t kept = 0;
    for (; kept < len && kept < 40; kept++)
        out[kept] = text[kept] >= ' ' && text[kept] <= '~' ? text[kept] : '?';
    strcpy(out + kept, kept < len ? "..." : "");
    return out;
}

static int refuse_syntax(struct reader *r)
{
    const yaml_parser_t *p = &r->parser;
    if (p->error == YAML_MEMORY_ERROR)
        return out_of_memory(r);
    return refuse(r, p->error == YAML_READER_ERROR ? &p->mark : &p->problem_mark, "%s",
                  p->problem ? p->problem : "not YAML");
}

/* Moves to the next event. */
static int next(struct reader *r)
{
    yaml_event_delete(&r->event);
    if (!yaml_parser_parse(&r->parser, &r->event)) {
        memset(&r->event, 0, sizeof r->event);
        return refuse_syntax(r);
    }
    const yaml_event_t *e = &r->event;
    bool has_extras =
        e->type == YAML_ALIAS_EVENT ||
        (e->type == YAML_SCALAR_EVENT && (e->data.scalar.anchor || e->data.scalar.tag)) ||
        (e->type == YAML_SEQUENCE_START_EVENT &&
         (e->data.sequence_start.anchor || e->data.sequence_start.tag)) ||
        (e->type == YAML_MAPPING_START_EVENT &&
         (e->data.mapping_start.anchor || e->data.mapping_start.tag));
    return has_extras ? REFUSE_HERE(r, "anchors, aliases and tags are not read") : 0;
}

/* The text of the scalar at hand, without zero bytes in it; valid until the next event. */
static int take_text(struct reader *r, const char **text, size_t *len)
{
    *text = "";
    *len = 0;
    if (r->event.type != YAML_SCALAR_EVENT)
        return REFUSE_HERE(r, "expected text");
    *text = (const char *)r->event.data.scalar.value;
    *len = r->event.data.scalar.length;
    if (memchr(*text, '\0', *len))
        return REFUSE_HERE(r, "a zero byte in text");
    return 0;
}

static int read_mapping(struct reader *r, const struct key *keys, size_t count)
{
    char show[48];
    const char *word;
    size_t len;
    unsigned seen = 0;
    if (r->event.type != YAML_MAPPING_START_EVENT)
        return REFUSE_HERE(r, "expected keys (%s: ...)", keys[0].name);
    yaml_mark_t start = r->event.start_mark;
    for (;;) {
        int err = next(r);
        if (err)
            return err;
        if (r->event.type == YAML_MAPPING_END_EVENT)
            break;
        err = take_text(r, &word, &len);
        if (err)
            return err;
        size_t k = 0;
        while (k < count && strcmp(keys[k].name, word) != 0)
            k++;
        if (k == count)
            return REFUSE_HERE(r, "unknown key '%s'", quoted(word, len, show));
        if (seen >> k & 1)
            return REFUSE_HERE(r, "key '%s' a second time", keys[k].name);
        seen |= 1u << k;
        err = next(r);
        if (err == 0)
            err = keys[k].read(r, keys[k].into);
        if (err)
            return err;
    }
    for (size_t k = 0; k < count; k++)
        if (keys[k].is_required && !(seen >> k & 1))
            return refuse(r, &start, "key '%s' is missing", keys[k].name);
    return 0;
}

/* ---- values ---- */

static int read_list_name(struct reader *r, void *into)
{
    char show[48];
    const char *text;
    size_t len;
    int err = take_text(r, &text, &len);
    if (err == 0 && !scanner_is_list_name(text))
        err = REFUSE_HERE(r, "'%s': expected 1 to 63 letters, digits, and - _ .",
                          quoted(text, len, show));
    if (err == 0)
        strcpy(into, text);
    return err;
}

static int read_date(struct reader *r, void *into)
{
    char show[48];
    const char *text;
    size_t len;
    int err = take_text(r, &text, &len);
    if (err == 0 && !scanner_is_date(text))
        err = REFUSE_HERE(r, "'%s': expected a day, YYYY-MM-DD", quoted(text, len, show));
    if (err == 0)
        strcpy(into, text);
    return err;
}

static int read_name(struct reader *r, void *into)
{
    const char *text;
    size_t len;
    int err = take_text(r, &text, &len);
    if (err == 0 && !scanner_is_name(text, len))
        err =
            REFUSE_HERE(r, "expected a name of 1 to %d bytes that can be shown", SCANNER_NAME_MAX);
    if (err == 0)
        strcpy(into, text);
    return err;
}

static int read_homepage(struct reader *r, void *into)
{
    char show[48];
    const char *text;
    size_t len;
    int err = take_text(r, &text, &len);
    if (err == 0 && !scanner_is_homepage(text))
        err = REFUSE_HERE(r, "'%s': expected http:// or https:// and at most %d bytes",
                          quoted(text, len, show), SCANNER_HOMEPAGE_MAX);
    if (err == 0)
        strcpy(into, text);
    return err;
}

/* What an organisation said, before it has a place in the list: its keys come in any order. */
struct entry {
    char name[SCANNER_NAME_MAX + 1], homepage[SCANNER_HOMEPAGE_MAX + 1], date[11];
    struct scanner_list cidrs; /* holds one organisation while they are read */
};

static int read_cidrs(struct reader *r, void *into)
{
    char show[48];
    const char *text;
    size_t len;
    struct scanner_list *cidrs = into;
    if (r->event.type != YAML_SEQUENCE_START_EVENT)
        return REFUSE_HERE(r, "expected a list of prefixes (- 192.0.2.0/24)");
    yaml_mark_t start = r->event.start_mark;
    struct scanner_organisation *o = scanner_list_organisation(cidrs, "");
    if (!o)
        return out_of_memory(r);
    cidrs->prefix_count = r->list->prefix_count;
    for (;;) {
        struct prefix prefix;
        int err = next(r);
        if (err)
            return err;
        if (r->event.type == YAML_SEQUENCE_END_EVENT)
            return o->prefix_count ? 0 : refuse(r, &start, "the list is empty");
        err = take_text(r, &text, &len);
        if (err)
            return err;
        enum prefix_fault found = prefix_parse(&prefix, text);
        if (found != PREFIX_GOOD)
            return REFUSE_HERE(r, "'%s': %s", quoted(text, len, show), prefix_fault_text(found));
        err = scanner_list_add(cidrs, o, &prefix);
        if (err)
            return err == -E2BIG ? REFUSE_HERE(r, "more than %d prefixes", SCANNER_PREFIXES)
                                 : out_of_memory(r);
    }
}

static int add_entry(struct reader *r, struct entry *e, const yaml_mark_t *start)
{
    struct scanner_list *list = r->list;
    size_t before = list->organisation_count;
    if (before == SCANNER_ORGANISATIONS)
        return refuse(r, start, "more than %d organisations", SCANNER_ORGANISATIONS);
    struct scanner_organisation *o = scanner_list_organisation(list, e->name);
    if (!o)
        return out_of_memory(r);
    if (list->organisation_count == before)
        return refuse(r, start, "an organisation of this name stands above");
    o->homepage = arena_text(&list->arena, e->homepage, strlen(e->homepage));
    o->date = arena_text(&list->arena, e->date, strlen(e->date));
    if (!o->homepage || !o->date)
        return out_of_memory(r);
    struct scanner_organisation *from = &e->cidrs.organisations[0];
    o->prefixes = from->prefixes;
    o->prefix_count = from->prefix_count;
    o->prefix_size = from->prefix_size;
    from->prefixes = NULL;
    list->prefix_count += o->prefix_count;
    return 0;
}

static int read_organisation(struct reader *r)
{
    struct entry e = {0};
    const struct key keys[] = {
        {"name", read_name, e.name, true},
        {"homepage", read_homepage, e.homepage, false},
        {"date", read_date, e.date, false},
        {"cidrs", read_cidrs, &e.cidrs, true},
    };
    yaml_mark_t start = r->event.start_mark;
    int err = read_mapping(r, keys, sizeof keys / sizeof *keys);
    if (err == 0)
        err = add_entry(r, &e, &start);
    for (size_t i = 0; i < e.cidrs.organisation_count; i++)
        free(e.cidrs.organisations[i].prefixes);
    free(e.cidrs.organisations);
    arena_fini(&e.cidrs.arena);
    return err;
}

static int read_organisations(struct reader *r, void *into)
{
    (void)into;
    if (r->event.type != YAML_SEQUENCE_START_EVENT)
        return REFUSE_HERE(r, "expected a list of organisations (- name: ...)");
    for (;;) {
        int err = next(r);
        if (err)
            return err;
        if (r->event.type == YAML_SEQUENCE_END_EVENT)
            return 0;
        err = read_organisation(r);
        if (err)
            return err;
    }
}

static int read_file(struct reader *r)
{
    const struct key keys[] = {
        {"list", read_list_name, r->list->name, true},
        {"date", read_date, r->list->date, false},
        {"organisations", read_organisations, NULL, true},
    };
    int err = next(r); /* the stream's begin */
    if (err == 0)
        err = next(r);
    if (err)
        return err;
    if (r->event.type == YAML_STREAM_END_EVENT)
        return REFUSE_HERE(r, "the file is empty");
    err = next(r);
    if (err == 0)
        err = read_mapping(r, keys, sizeof keys / sizeof *keys);
    if (err == 0)
        err = next(r); /* the document's end */
    if (err == 0)
        err = next(r);
    if (err == 0 && r->event.type != YAML_STREAM_END_EVENT)
        return REFUSE_HERE(r, "a second document");
    return err;
}

int scanner_yaml_read(struct scanner_list *list, const char *path, const void *bytes, size_t len,
                      struct fault *fault)
{
    struct reader r = {.path = path, .list = list, .fault = fault};
    if (!yaml_parser_initialize(&r.parser))
        return out_of_memory(&r);
    yaml_parser_set_input_string(&r.parser, bytes, len);
    int err = read_file(&r);
    yaml_event_delete(&r.event);
    yaml_parser_delete(&r.parser);
    return err;
}
