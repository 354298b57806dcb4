#include "classify/yaml_reader.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct place yaml_reader_here(const struct yaml_reader *r)
{
    return (struct place){(unsigned)r->event.start_mark.line + 1,
                          (unsigned)r->event.start_mark.column + 1};
}

static int check_syntax(struct yaml_reader *r);

int yaml_reader_refuse(struct yaml_reader *r, struct place place, const char *format, ...)
{
    char why[200];
    va_list args;
    if (!r->is_checked) {
        r->is_checked = true;
        int err = check_syntax(r);
        if (err)
            return err;
    }
    va_start(args, format);
    vsnprintf(why, sizeof why, format, args);
    va_end(args);
    return fault_set(r->fault, EINVAL, "%s:%u:%u: %s", r->path, place.line, place.column, why);
}

int yaml_reader_no_memory(struct yaml_reader *r)
{
    return fault_set(r->fault, ENOMEM, "%s: out of memory", r->path);
}

const char *yaml_reader_quoted(const char *text, char shown[YAML_SHOWN])
{
    size_t kept = 0;
    for (; text[kept] && kept < YAML_SHOWN - 8; kept++)
        shown[kept] = text[kept] >= ' ' && text[kept] <= '~' ? text[kept] : '?';
    strcpy(shown + kept, text[kept] ? "..." : "");
    return shown;
}

/* The place of a byte: of what is no text libyaml knows nothing better. */
static struct place place_of_byte(const struct yaml_reader *r, size_t offset)
{
    struct place place = {1, 1};
    for (size_t i = 0; i < offset && i < r->len; i++)
        if (r->bytes[i] == '\n')
            place = (struct place){place.line + 1, 1};
        else
            place.column += (r->bytes[i] & 0xc0) != 0x80; /* a character, not its further bytes */
    return place;
}

/* What libyaml says of a file that is no YAML, with the place where the open thing began. */
static int refuse_syntax(struct yaml_reader *r, const yaml_parser_t *parser)
{
    if (parser->error == YAML_MEMORY_ERROR)
        return yaml_reader_no_memory(r);
    const yaml_mark_t *mark = &parser->problem_mark;
    struct place place = {(unsigned)mark->line + 1, (unsigned)mark->column + 1};
    const char *problem = parser->problem ? parser->problem : "not YAML";
    if (parser->error == YAML_READER_ERROR)
        return yaml_reader_refuse(r, place_of_byte(r, parser->problem_offset), "%s", problem);
    if (!parser->context)
        return yaml_reader_refuse(r, place, "%s", problem);
    return yaml_reader_refuse(r, place, "%s %s that begins at %zu:%zu", problem, parser->context,
                              parser->context_mark.line + 1, parser->context_mark.column + 1);
}

/* Finds what is no YAML, asked before anything else is refused: behind a bracket that is not closed, keys
 * read as strange values. Stops where the nesting is deeper than any file's that we read. */
static int check_syntax(struct yaml_reader *r)
{
    enum { DEPTH_MAX = 8 };
    yaml_parser_t parser;
    int depth = 0, err = 0;
    bool is_end = false;

    if (!yaml_parser_initialize(&parser))
        return yaml_reader_no_memory(r);
    yaml_parser_set_input_string(&parser, r->bytes, r->len);
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

int yaml_reader_next(struct yaml_reader *r)
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
        return yaml_reader_refuse(r, yaml_reader_here(r), "anchors, aliases and tags are not read");
    return 0;
}

int yaml_reader_scalar(struct yaml_reader *r, const char **text, size_t *len)
{
    *text = "";
    *len = 0;
    if (r->event.type != YAML_SCALAR_EVENT)
        return yaml_reader_refuse(r, yaml_reader_here(r), "expected text");
    *text = (const char *)r->event.data.scalar.value;
    *len = r->event.data.scalar.length;
    if (memchr(*text, '\0', *len))
        return yaml_reader_refuse(r, yaml_reader_here(r), "a zero byte in text");
    return 0;
}

int yaml_reader_text(struct yaml_reader *r, void *into)
{
    const char *text;
    size_t len;
    int err = yaml_reader_scalar(r, &text, &len);
    if (err)
        return err;
    if (len == 0 || len > YAML_TEXT_MAX)
        return yaml_reader_refuse(r, yaml_reader_here(r), "text of %zu bytes, expected 1 to %d",
                                  len, YAML_TEXT_MAX);
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7f ||
            ((unsigned char)text[i] == 0xc2 && (unsigned char)text[i + 1] < 0xa0))
            return yaml_reader_refuse(r, yaml_reader_here(r), "control character in text");
    char *copy = arena_text(r->arena, text, len);
    if (!copy)
        return yaml_reader_no_memory(r);
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

int yaml_reader_words(struct yaml_reader *r, void *into)
{
    char show[YAML_SHOWN];
    int err = yaml_reader_text(r, into);
    if (err == 0 && is_plain_value(&r->event))
        return yaml_reader_refuse(r, yaml_reader_here(r), "'%s' is no text without quotes",
                                  yaml_reader_quoted(*(const char **)into, show));
    return err;
}

int yaml_reader_word(struct yaml_reader *r, void *into, const char *allowed, size_t max)
{
    char show[YAML_SHOWN];
    int err = yaml_reader_text(r, into);
    if (err)
        return err;
    const char *text = *(const char **)into;
    size_t len = strlen(text);
    if (len > max || strspn(text, allowed) != len)
        return yaml_reader_refuse(r, yaml_reader_here(r), "'%s': expected at most %zu of %s",
                                  yaml_reader_quoted(text, show), max, allowed);
    return 0;
}

int yaml_reader_mapping(struct yaml_reader *r, const struct yaml_key *keys, size_t count)
{
    char show[YAML_SHOWN];
    if (r->event.type != YAML_MAPPING_START_EVENT)
        return yaml_reader_refuse(r, yaml_reader_here(r), "expected keys (%s: ...)", keys[0].name);
    struct place start = yaml_reader_here(r);
    uint32_t seen = 0;
    for (;;) {
        int err = yaml_reader_next(r);
        if (err)
            return err;
        if (r->event.type == YAML_MAPPING_END_EVENT)
            break;
        if (r->event.type != YAML_SCALAR_EVENT)
            return yaml_reader_refuse(r, yaml_reader_here(r), "expected a key");
        const char *word = (const char *)r->event.data.scalar.value;
        size_t len = r->event.data.scalar.length, k = 0;
        while (k < count && (strlen(keys[k].name) != len || memcmp(keys[k].name, word, len) != 0))
            k++;
        if (k == count)
            return yaml_reader_refuse(r, yaml_reader_here(r), "unknown key '%s'",
                                      yaml_reader_quoted(word, show));
        if (seen >> k & 1)
            return yaml_reader_refuse(r, yaml_reader_here(r), "key '%s' a second time",
                                      keys[k].name);
        seen |= 1u << k;
        err = yaml_reader_next(r);
        if (err == 0)
            err = keys[k].read(r, keys[k].into);
        if (err)
            return err;
    }
    for (size_t k = 0; k < count; k++)
        if (keys[k].is_required && !(seen >> k & 1))
            return yaml_reader_refuse(r, start, "key '%s' is missing", keys[k].name);
    return 0;
}

int yaml_reader_bool(struct yaml_reader *r, void *into)
{
    const char *text;
    char show[YAML_SHOWN];
    int err = yaml_reader_text(r, &text);
    if (err)
        return err;
    *(bool *)into = strcmp(text, "true") == 0;
    if (!*(bool *)into && strcmp(text, "false") != 0)
        return yaml_reader_refuse(r, yaml_reader_here(r), "'%s': expected true or false",
                                  yaml_reader_quoted(text, show));
    return 0;
}

int yaml_reader_entries(struct yaml_reader *r, size_t max, const char *of_what,
                        int (*read)(struct yaml_reader *r, void *into), void *into, size_t *count)
{
    *count = 0;
    if (r->event.type != YAML_SEQUENCE_START_EVENT)
        return yaml_reader_refuse(r, yaml_reader_here(r), "expected a list%s", of_what);
    for (;; ++*count) {
        int err = yaml_reader_next(r);
        if (err || r->event.type == YAML_SEQUENCE_END_EVENT)
            return err;
        if (*count == max)
            return yaml_reader_refuse(r, yaml_reader_here(r), "more than %zu entries", max);
        err = read(r, into);
        if (err)
            return err;
    }
}

int yaml_reader_list(struct yaml_reader *r, size_t max, const char *of_what,
                     int (*read)(struct yaml_reader *r, void *into), void *into)
{
    struct place start = yaml_reader_here(r);
    size_t count;
    int err = yaml_reader_entries(r, max, of_what, read, into, &count);
    return err || count ? err : yaml_reader_refuse(r, start, "the list is empty");
}

/* Texts on their way to one. */
struct joined {
    char *all;
    size_t len, size;
    int (*take)(struct yaml_reader *r, void *into, const char *text);
    void *into;
};

static int read_joined(struct yaml_reader *r, void *into)
{
    struct joined *j = into;
    const char *text;
    int err = yaml_reader_text(r, &text);
    if (err == 0 && j->take)
        err = j->take(r, j->into, text);
    if (err)
        return err;
    size_t more = strlen(text) + 1;
    if (j->len + more > j->size) {
        j->size = (j->len + more) * 2;
        char *grown = arena_alloc(r->arena, j->size);
        if (!grown)
            return yaml_reader_no_memory(r);
        j->all = j->len ? memcpy(grown, j->all, j->len) : grown;
    }
    memcpy(j->all + j->len, text, more);
    j->len += more;
    j->all[j->len - 1] = ' ';
    return 0;
}

int yaml_reader_texts(struct yaml_reader *r, size_t max, const char **joined,
                      int (*take)(struct yaml_reader *r, void *into, const char *text), void *into)
{
    struct joined j = {.take = take, .into = into};
    int err = yaml_reader_list(r, max, " ([..., ...])", read_joined, &j);
    if (err)
        return err;
    j.all[j.len - 1] = '\0';
    *joined = j.all;
    return 0;
}

int yaml_reader_init(struct yaml_reader *r, struct arena *arena, const char *path,
                     const void *bytes, size_t len, struct fault *fault)
{
    *r = (struct yaml_reader){
        .path = path, .bytes = bytes, .len = len, .arena = arena, .fault = fault};
    if (!yaml_parser_initialize(&r->parser))
        return yaml_reader_no_memory(r);
    yaml_parser_set_input_string(&r->parser, bytes, len);
    int err = yaml_reader_next(r); /* the stream's begin */
    if (err == 0)
        err = yaml_reader_next(r);
    if (err == 0 && r->event.type == YAML_STREAM_END_EVENT)
        err = yaml_reader_refuse(r, yaml_reader_here(r), "the file is empty");
    return err ? err : yaml_reader_next(r);
}

int yaml_reader_end(struct yaml_reader *r)
{
    int err = yaml_reader_next(r); /* the document's end */
    if (err == 0)
        err = yaml_reader_next(r);
    if (err == 0 && r->event.type != YAML_STREAM_END_EVENT)
        err = yaml_reader_refuse(r, yaml_reader_here(r), "a second document");
    return err;
}

void yaml_reader_fini(struct yaml_reader *r)
{
    yaml_event_delete(&r->event);
    yaml_parser_delete(&r->parser);
}
