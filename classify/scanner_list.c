#include "classify/scanner_list.h"

#include "classify/scanner_yaml.h"
#include "classify/utf8.h"

#include <errno.h>
#include <sha2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- words ---- */

bool scanner_is_list_name(const char *text)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    size_t len = strlen(text);
    return len > 0 && len < sizeof((struct scanner_list *)0)->name && strspn(text, allowed) == len;
}

bool scanner_is_name(const char *text, size_t len)
{
    return len > 0 && len <= SCANNER_NAME_MAX && text[0] != ' ' && text[len - 1] != ' ' &&
           utf8_is_showable(text, len);
}

bool scanner_is_homepage(const char *text)
{
    size_t len = strlen(text);
    size_t scheme = strncmp(text, "https://", 8) == 0  ? 8
                    : strncmp(text, "http://", 7) == 0 ? 7
                                                       : 0;
    if (scheme == 0 || len == scheme || len > SCANNER_HOMEPAGE_MAX)
        return false;
    for (size_t i = 0; i < len; i++)
        if (text[i] <= ' ' || text[i] > '~' || text[i] == '"' || text[i] == '\\')
            return false;
    return true;
}

bool scanner_is_date(const char *text)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (strlen(text) != 10)
        return false;
    for (size_t i = 0; i < 10; i++)
        if (i == 4 || i == 7 ? text[i] != '-' : text[i] < '0' || text[i] > '9')
            return false;
    int year = atoi(text), month = atoi(text + 5), day = atoi(text + 8);
    if (month < 1 || month > 12 || day < 1)
        return false;
    bool is_leap = month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return day <= days[month - 1] + is_leap;
}

/* ---- list ---- */

int scanner_list_create(struct scanner_list **out, const char *name, struct fault *fault)
{
    *out = NULL;
    if (!scanner_is_list_name(name))
        return fault_set(fault, EINVAL, "'%.80s' names no list: 1 to 63 letters, digits, and - _ .",
                         name);
    struct scanner_list *list = calloc(1, sizeof *list);
    if (!list)
        return fault_set(fault, ENOMEM, "%s: out of memory", name);
    strcpy(list->name, name);
    *out = list;
    return 0;
}

void scanner_list_destroy(struct scanner_list *list)
{
    if (!list)
        return;
    for (size_t i = 0; i < list->organisation_count; i++)
        free(list->organisations[i].prefixes);
    free(list->organisations);
    arena_fini(&list->arena);
    free(list);
}

int scanner_file_read(char **bytes, size_t *len, const char *path, struct fault *fault)
{
    struct stat st;
    char *content = NULL;
    int err = 0;
    *bytes = NULL;
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
        return fault_set(fault, EINVAL, "%s: no plain file", path);
    FILE *file = fopen(path, "re");
    if (!file)
        return fault_set(fault, errno, "%s: %s", path, strerror(errno));
    size_t size = fstat(fileno(file), &st) == 0 && st.st_size > 0 ? (size_t)st.st_size : 0;
    if (size > SCANNER_FILE_MAX)
        err = fault_set(fault, EFBIG, "%s: more than %d bytes", path, SCANNER_FILE_MAX);
    else if (!(content = malloc(size + 1)))
        err = fault_set(fault, ENOMEM, "%s: out of memory", path);
    if (err == 0) {
        *len = fread(content, 1, size, file);
        if (ferror(file))
            err = fault_set(fault, EIO, "%s: %s", path, strerror(errno));
    }
    fclose(file);
    if (err) {
        free(content);
        return err;
    }
    content[*len] = '\0';
    *bytes = content;
    return 0;
}

int scanner_list_open_from(struct scanner_list **out, const char *path, const void *bytes,
                           size_t len, struct fault *fault)
{
    *out = NULL;
    struct scanner_list *list = calloc(1, sizeof *list);
    if (!list)
        return fault_set(fault, ENOMEM, "%s: out of memory", path);
    int err = scanner_yaml_read(list, path, bytes, len, fault);
    if (err) {
        scanner_list_destroy(list);
        return err;
    }
    SHA256Data(bytes, len, list->sha256);
    *out = list;
    return 0;
}

int scanner_list_open(struct scanner_list **out, const char *path, struct fault *fault)
{
    char *bytes;
    size_t len;
    *out = NULL;
    int err = scanner_file_read(&bytes, &len, path, fault);
    if (err)
        return err;
    err = scanner_list_open_from(out, path, bytes, len, fault);
    free(bytes);
    return err;
}

struct scanner_organisation *scanner_list_organisation(struct scanner_list *list, const char *name)
{
    for (size_t i = 0; i < list->organisation_count; i++)
        if (strcmp(list->organisations[i].name, name) == 0)
            return &list->organisations[i];
    if (list->organisation_count == SCANNER_ORGANISATIONS)
        return NULL;
    if (list->organisation_count == list->organisation_size) {
        size_t size = list->organisation_size ? list->organisation_size * 2 : 16;
        void *grown = reallocarray(list->organisations, size, sizeof *list->organisations);
        if (!grown)
            return NULL;
        list->organisations = grown;
        list->organisation_size = size;
    }
    char *copy = arena_text(&list->arena, name, strlen(name));
    if (!copy)
        return NULL;
    struct scanner_organisation *o = &list->organisations[list->organisation_count++];
    *o = (struct scanner_organisation){.name = copy, .homepage = "", .date = ""};
    return o;
}

int scanner_list_add(struct scanner_list *list, struct scanner_organisation *o,
                     const struct prefix *prefix)
{
    if (list->prefix_count == SCANNER_PREFIXES)
        return -E2BIG;
    if (o->prefix_count == o->prefix_size) {
        size_t size = o->prefix_size ? o->prefix_size * 2 : 16;
        void *grown = reallocarray(o->prefixes, size, sizeof *o->prefixes);
        if (!grown)
            return -ENOMEM;
        o->prefixes = grown;
        o->prefix_size = size;
    }
    o->prefixes[o->prefix_count++] = *prefix;
    list->prefix_count++;
    return 0;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const struct scanner_organisation *)a)->name,
                  ((const struct scanner_organisation *)b)->name);
}

void scanner_list_sort(struct scanner_list *list)
{
    if (list->organisation_count == 0)
        return;
    qsort(list->organisations, list->organisation_count, sizeof *list->organisations,
          compare_names);
    list->prefix_count = 0;
    for (size_t i = 0; i < list->organisation_count; i++) {
        struct scanner_organisation *o = &list->organisations[i];
        o->prefix_count = prefix_list_unique(o->prefixes, o->prefix_count);
        list->prefix_count += o->prefix_count;
    }
}

unsigned __int128 scanner_organisation_size(const struct scanner_organisation *organisation,
                                            unsigned ip_version)
{
    return prefix_list_size(organisation->prefixes, organisation->prefix_count, ip_version);
}

/* ---- write ---- */

/* In quotes, so that no name reads as a number or a truth value. The text is showable. */
static void write_quoted(FILE *out, const char *text)
{
    putc('"', out);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            putc('\\', out);
        putc(*text, out);
    }
    putc('"', out);
}

void scanner_list_write(FILE *out, const struct scanner_list *list)
{
    char text[PREFIX_TEXT];
    fprintf(out, "list: \"%s\"\n", list->name);
    if (list->date[0])
        fprintf(out, "date: \"%s\"\n", list->date);
    fprintf(out, "organisations:\n");
    for (size_t i = 0; i < list->organisation_count; i++) {
        const struct scanner_organisation *o = &list->organisations[i];
        fprintf(out, "  - name: ");
        write_quoted(out, o->name);
        if (o->homepage[0])
            fprintf(out, "\n    homepage: \"%s\"", o->homepage);
        if (o->date[0])
            fprintf(out, "\n    date: \"%s\"", o->date);
        fprintf(out, "\n    cidrs:\n");
        for (size_t k = 0; k < o->prefix_count; k++) {
            bool is_ip6 = o->prefixes[k].ip_version == 6;
            fprintf(out, is_ip6 ? "      - \"%s\"\n" : "      - %s\n",
                    prefix_text(&o->prefixes[k], text));
        }
    }
}
