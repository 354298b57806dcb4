#include "classify/prefix_list.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { FILE_MAX = 64 << 20, WORD_MAX = 64 }; /* bytes of a file; of a word */

/* Where a word stands; `line` 0: in a list, which messages don't name. */
struct place {
    const char *name;
    unsigned line;
};

/* A list of one word may have been meant for a file's name. */
static const char neither[] = "neither an IPv4 or IPv6 prefix nor a file";

static int refuse(struct fault *fault, const struct place *place, const char *word, const char *why)
{
    if (place->line == 0)
        return fault_set(fault, EINVAL, "%.80s: %s", word, why);
    return fault_set(fault, EINVAL, "%s:%u: %.80s: %s", place->name, place->line, word, why);
}

int prefix_list_add(struct prefix_list *list, const struct prefix *prefix)
{
    if (list->count == list->size) {
        size_t size = list->size ? list->size * 2 : 64;
        void *grown = realloc(list->at, size * sizeof *list->at);
        if (!grown)
            return -ENOMEM;
        list->at = grown;
        list->size = size;
    }
    list->at[list->count++] = *prefix;
    return 0;
}

void prefix_list_fini(struct prefix_list *list)
{
    free(list->at);
    *list = (struct prefix_list){0};
}

static int read_prefix(struct prefix_list *list, const char *word, const struct place *place,
                       struct fault *fault)
{
    struct prefix prefix;
    enum prefix_fault found = prefix_parse(&prefix, word);
    if (found == PREFIX_NO_ADDRESS && place->line == 0 && strcmp(word, place->name) == 0)
        return refuse(fault, place, word, neither);
    if (found != PREFIX_GOOD)
        return refuse(fault, place, word, prefix_fault_text(found));
    if (prefix_list_add(list, &prefix) != 0)
        return fault_set(fault, ENOMEM, "%s: out of memory", place->name);
    return 0;
}

/* Reads what stands between two separators: nothing, or one word between blanks. */
static int read_item(struct prefix_list *list, const char *item, size_t len,
                     const struct place *place, struct fault *fault)
{
    char word[WORD_MAX];
    while (len > 0 && strchr(" \t\r", item[len - 1]) && item[len - 1])
        len--;
    while (len > 0 && strchr(" \t\r", item[0]) && item[0])
        item++, len--;
    if (len == 0)
        return 0;
    size_t kept = len < sizeof word ? len : sizeof word - 1;
    for (size_t i = 0; i < kept; i++)
        word[i] = item[i] >= ' ' && item[i] <= '~' ? item[i] : '?'; /* it may go to a terminal */
    word[kept] = '\0';
    for (size_t i = 0; i < len; i++)
        if (item[i] == ' ' || item[i] == '\t' || item[i] == ',')
            return refuse(fault, place, word,
                          place->line == 0 ? "commas part prefixes, blanks don't"
                                           : "a line holds one prefix, and no commas");
    if (kept < len)
        return refuse(fault, place, word,
                      place->line == 0 && strlen(place->name) == len ? neither
                                                                     : "too long for a prefix");
    return read_prefix(list, word, place, fault);
}

static int list_read(struct prefix_list *out, struct place place, const char *content, size_t len,
                     char separator, struct fault *fault)
{
    bool is_file = place.line != 0;
    int err = 0;
    for (size_t at = 0; at <= len && err == 0;) {
        const char *end = at < len ? memchr(content + at, separator, len - at) : NULL;
        size_t item_len = end ? (size_t)(end - content) - at : len - at;
        const char *comment = is_file && item_len > 0 ? memchr(content + at, '#', item_len) : NULL;
        err = read_item(out, content + at, comment ? (size_t)(comment - content) - at : item_len,
                        &place, fault);
        at += item_len + 1;
        place.line += is_file;
    }
    if (err == 0 && out->count == 0)
        err = fault_set(fault, EINVAL, "'%.120s' holds no prefix", place.name);
    return err;
}

int prefix_list_read_from(struct prefix_list *out, const char *name, const char *content,
                          size_t len, struct fault *fault)
{
    *out = (struct prefix_list){0};
    return list_read(out, (struct place){name, 1}, content, len, '\n', fault);
}

int prefix_file_read(const char *path, char **content, size_t *len, struct fault *fault)
{
    struct stat st;
    *content = NULL;
    if (stat(path, &st) != 0)
        return fault_set(fault, errno, "%s: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return fault_set(fault, EINVAL, "%s: is %s; a file with prefixes is wanted", path,
                         S_ISDIR(st.st_mode) ? "a folder" : "no plain file");
    if (st.st_size > FILE_MAX)
        return fault_set(fault, EFBIG, "%s: %lld bytes, at most %d are read", path,
                         (long long)st.st_size, FILE_MAX);
    *content = malloc((size_t)st.st_size + 1);
    if (!*content)
        return fault_set(fault, ENOMEM, "%s: out of memory", path);
    FILE *file = fopen(path, "re");
    *len = file ? fread(*content, 1, (size_t)st.st_size, file) : 0;
    int err = !file || ferror(file)
                  ? fault_set(fault, errno ? errno : EIO, "%s: %s", path, strerror(errno))
                  : 0;
    if (file)
        fclose(file);
    if (err < 0) {
        free(*content);
        *content = NULL;
    }
    return err;
}

int prefix_list_read(struct prefix_list *out, const char *text, struct fault *fault)
{
    struct stat st;
    char *content;
    size_t len;
    *out = (struct prefix_list){0};
    if (stat(text, &st) != 0)
        return list_read(out, (struct place){text, 0}, text, strlen(text), ',', fault);
    int err = prefix_file_read(text, &content, &len, fault);
    if (err == 0)
        err = prefix_list_read_from(out, text, content, len, fault);
    free(content);
    return err;
}
