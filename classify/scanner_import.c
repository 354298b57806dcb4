#include "classify/scanner_import.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { WORD_MAX = 80 };

/* One file on its way into the list. */
struct import {
    struct scanner_list *list;
    struct scanner_import *settings;
    const char *path;
    struct scanner_organisation *organisation;
    size_t taken;
    struct fault *fault;
};

static int out_of_memory(struct import *i)
{
    return fault_set(i->fault, ENOMEM, "%s: out of memory", i->path);
}

static void say(struct import *i, const char *place, const char *word, const char *what)
{
    char line[512];
    (void)snprintf(line, sizeof line, "%.200s%s: %s: %s", i->path, place, word, what);
    if (i->settings->say)
        i->settings->say(i->settings->context, line);
}

/* The word for messages, and for a reader of prefixes: cut, nothing that a terminal obeys. */
static void copy_word(char to[WORD_MAX], const char *word, size_t len)
{
    size_t kept = len < WORD_MAX ? len : WORD_MAX - 1;
    for (size_t k = 0; k < kept; k++)
        to[k] = word[k] >= ' ' && word[k] <= '~' ? word[k] : '?';
    to[kept] = '\0';
}

/* Adds one entry of the file; `place` is ":12" or ": list[12]". */
static int take(struct import *i, const char *word, size_t len, const char *place)
{
    char copy[WORD_MAX];
    struct prefix prefix;
    copy_word(copy, word, len);
    enum prefix_fault found = len < WORD_MAX ? prefix_parse(&prefix, copy) : PREFIX_NO_ADDRESS;
    if (found != PREFIX_GOOD && found != PREFIX_HOST_BITS) {
        if (!i->settings->skips_damage)
            return fault_set(i->fault, EINVAL, "%s%s: %s: %s", i->path, place, copy,
                             prefix_fault_text(found));
        i->settings->skipped++;
        say(i, place, copy, "left out");
        return 0;
    }
    if (found == PREFIX_HOST_BITS) {
        char text[PREFIX_TEXT], what[PREFIX_TEXT + 16];
        (void)snprintf(what, sizeof what, "taken as %s", prefix_text(&prefix, text));
        say(i, place, copy, what);
    }
    i->taken++;
    int err = scanner_list_add(i->list, i->organisation, &prefix);
    if (err == -E2BIG)
        return fault_set(i->fault, E2BIG, "%s: more than %d prefixes", i->path, SCANNER_PREFIXES);
    return err ? out_of_memory(i) : 0;
}

/* The organisation to add to; of two homepages the first said stands, of two dates the later. */
static int begin(struct import *i, const char *name, const char *date)
{
    const struct scanner_import *s = i->settings;
    name = s->name ? s->name : name;
    date = s->date ? s->date : date;
    if (!scanner_is_name(name, strlen(name)))
        return fault_set(i->fault, EINVAL,
                         "%s: no name for the organisation that can be shown, of 1 to %d bytes",
                         i->path, SCANNER_NAME_MAX);
    if (s->homepage && !scanner_is_homepage(s->homepage))
        return fault_set(i->fault, EINVAL, "%.80s: no homepage: http:// or https://", s->homepage);
    if (date[0] && !scanner_is_date(date))
        return fault_set(i->fault, EINVAL, "%.40s: no day, YYYY-MM-DD", date);
    struct scanner_organisation *o = scanner_list_organisation(i->list, name);
    if (!o)
        return i->list->organisation_count == SCANNER_ORGANISATIONS
                   ? fault_set(i->fault, E2BIG, "%s: more than %d organisations", i->path,
                               SCANNER_ORGANISATIONS)
                   : out_of_memory(i);
    i->organisation = o;
    if (!o->homepage[0] && s->homepage)
        o->homepage = arena_text(&i->list->arena, s->homepage, strlen(s->homepage));
    if (strcmp(date, o->date) > 0)
        o->date = arena_text(&i->list->arena, date, strlen(date));
    return o->homepage && o->date ? 0 : out_of_memory(i);
}

/* ---- CIDR list ---- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

/* "folder/censys_v4.txt" -> "censys". */
static void name_of(const char *path, char name[SCANNER_NAME_MAX + 2])
{
    const char *base = strrchr(path, '/');
    base = base ? base + 1 : path;
    const char *end = strrchr(base, '.');
    size_t len = end && end != base ? (size_t)(end - base) : strlen(base);
    if (len > 3 && (!memcmp(base + len - 3, "_v4", 3) || !memcmp(base + len - 3, "_v6", 3)))
        len -= 3;
    len = len > SCANNER_NAME_MAX ? SCANNER_NAME_MAX + 1 : len; /* too long stays too long */
    memcpy(name, base, len);
    name[len] = '\0';
}

static int import_cidrs(struct import *i, const char *bytes, size_t len)
{
    char name[SCANNER_NAME_MAX + 2], place[32];
    size_t number = 1;
    name_of(i->path, name);
    int err = begin(i, name, "");
    for (const char *at = bytes, *end = bytes + len; at < end && err == 0; number++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *stop = newline ? newline : end, *line = at;
        for (const char *c = at; c < stop; c++)
            if (*c == '#' || *c == ';')
                stop = c;
        while (stop > line && is_blank(stop[-1]))
            stop--;
        while (line < stop && is_blank(*line))
            line++;
        (void)snprintf(place, sizeof place, ":%zu", number);
        if (line < stop)
            err = take(i, line, (size_t)(stop - line), place);
        at = newline ? newline + 1 : end;
    }
    return err;
}

/* ---- MISP warning list ---- */

static const char *text_under(const json_t *root, const char *key)
{
    const char *text = json_string_value(json_object_get(root, key));
    return text ? text : "";
}

/* A version that is a day, with or without the hour; "" where it reads as none. */
static void date_of_version(json_int_t version, char date[11])
{
    char text[16];
    date[0] = '\0';
    if (version < 10000000 || version > 99999999)
        return;
    (void)snprintf(text, sizeof text, "%08" PRId64, (int64_t)version);
    (void)snprintf(date, 11, "%.4s-%.2s-%.2s", text, text + 4, text + 6);
    if (!memcmp(text, "20", 2) && scanner_is_date(date))
        return;
    (void)snprintf(date, 11, "20%.2s-%.2s-%.2s", text, text + 2, text + 4);
    if (!scanner_is_date(date) || atoi(text + 6) > 23)
        date[0] = '\0';
}

static int import_entries(struct import *i, const json_t *entries)
{
    char place[40];
    for (size_t k = 0; k < json_array_size(entries); k++) {
        const json_t *entry = json_array_get(entries, k);
        (void)snprintf(place, sizeof place, ": list[%zu]", k);
        const char *word = json_is_string(entry) ? json_string_value(entry) : "(no text)";
        size_t len = json_is_string(entry) ? json_string_length(entry) : strlen(word);
        int err = take(i, word, len, place);
        if (err)
            return err;
    }
    return 0;
}

static int import_object(struct import *i, const json_t *root)
{
    char date[11];
    const json_t *entries = json_object_get(root, "list");
    const char *type = text_under(root, "type");
    char shown[WORD_MAX];
    if (!json_is_object(root) || !json_is_array(entries) || !type[0])
        return fault_set(i->fault, EINVAL, "%s: no MISP warning list (name, type, list)", i->path);
    copy_word(shown, type, strlen(type));
    if (strcmp(type, "cidr") != 0)
        return fault_set(i->fault, EINVAL,
                         "%s: a warning list of type %s with %zu entries; only type cidr names "
                         "addresses",
                         i->path, shown, json_array_size(entries));
    date_of_version(json_integer_value(json_object_get(root, "version")), date);
    int err = begin(i, text_under(root, "name"), date);
    return err ? err : import_entries(i, entries);
}

static int import_misp(struct import *i, const char *bytes, size_t len)
{
    json_error_t error;
    json_t *root = json_loadb(bytes, len, JSON_REJECT_DUPLICATES, &error);
    if (!root)
        return fault_set(i->fault, EINVAL, "%s:%d:%d: %.140s", i->path, error.line, error.column,
                         error.text);
    int err = import_object(i, root);
    json_decref(root);
    return err;
}

/* ---- either ---- */

int scanner_import_from(struct scanner_list *list, const char *path, const char *bytes, size_t len,
                        struct scanner_import *settings, struct fault *fault)
{
    struct import i = {.list = list, .settings = settings, .path = path, .fault = fault};
    if (len >= 3 && !memcmp(bytes, "\xef\xbb\xbf", 3)) /* a byte order mark */
        bytes += 3, len -= 3;
    size_t at = 0;
    while (at < len && (is_blank(bytes[at]) || bytes[at] == '\n'))
        at++;
    bool is_misp = at < len && bytes[at] == '{';
    size_t skipped = settings->skipped;
    int err = is_misp ? import_misp(&i, bytes, len) : import_cidrs(&i, bytes, len);
    if (err == 0 && i.taken == 0 && settings->skipped == skipped)
        return fault_set(fault, EINVAL, "%s: holds no prefix", path);
    return err;
}

int scanner_import_file(struct scanner_list *list, const char *path,
                        struct scanner_import *settings, struct fault *fault)
{
    char *bytes;
    size_t len;
    int err = scanner_file_read(&bytes, &len, path, fault);
    if (err == 0)
        err = scanner_import_from(list, path, bytes, len, settings, fault);
    free(bytes);
    return err;
}
