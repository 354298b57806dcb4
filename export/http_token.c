#include "export/http_token.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { FILE_MAX = 4096 };

static const char *const names[HTTP_READER_COUNT] = {"nobody", "public", "analyst", "operator"};

const char *http_reader_name(enum http_reader reader) { return names[reader]; }

/* One line without its end. */
static int line_take(struct http_tokens *t, const char *line, size_t len, const char *path,
                     unsigned number, struct fault *fault)
{
    size_t kind_len, at = 0;
    unsigned kind = HTTP_PUBLIC;
    while (at < len && (line[at] == ' ' || line[at] == '\t'))
        at++;
    const char *word = line + at;
    if (at == len || *word == '#')
        return 0;
    while (at < len && line[at] != ' ' && line[at] != '\t')
        at++;
    kind_len = (size_t)(line + at - word);
    while (at < len && (line[at] == ' ' || line[at] == '\t'))
        at++;
    while (len > at && (line[len - 1] == ' ' || line[len - 1] == '\t' || line[len - 1] == '\r'))
        len--;
    while (kind < HTTP_READER_COUNT &&
           (strlen(names[kind]) != kind_len || memcmp(names[kind], word, kind_len) != 0))
        kind++;
    if (kind == HTTP_READER_COUNT)
        return fault_set(fault, EINVAL, "%s:%u: begins with none of public, analyst, operator",
                         path, number);
    if (t->at[kind][0] != '\0')
        return fault_set(fault, EINVAL, "%s:%u: a second token of %s", path, number, names[kind]);
    for (size_t i = at; i < len; i++)
        if (line[i] <= ' ' || line[i] > '~')
            return fault_set(fault, EINVAL, "%s:%u: a token has visible ASCII characters alone",
                             path, number);
    if (len - at < HTTP_TOKEN_MIN || len - at >= HTTP_TOKEN)
        return fault_set(fault, EINVAL, "%s:%u: a token has %d to %d characters, not %zu", path,
                         number, HTTP_TOKEN_MIN, HTTP_TOKEN - 1, len - at);
    memcpy(t->at[kind], line + at, len - at);
    for (unsigned other = HTTP_PUBLIC; other < HTTP_READER_COUNT; other++)
        if (other != kind && memcmp(t->at[other], t->at[kind], HTTP_TOKEN) == 0)
            return fault_set(fault, EINVAL, "%s:%u: %s and %s have the same token", path, number,
                             names[other], names[kind]);
    return 0;
}

int http_tokens_parse(struct http_tokens *t, const char *text, size_t len, const char *path,
                      struct fault *fault)
{
    memset(t, 0, sizeof *t);
    unsigned number = 1;
    for (size_t at = 0; at < len; number++) {
        const char *end = memchr(text + at, '\n', len - at);
        size_t line = end == NULL ? len - at : (size_t)(end - text) - at;
        int err = line_take(t, text + at, line, path, number, fault);
        if (err < 0)
            return err;
        at += line + 1;
    }
    for (unsigned kind = HTTP_PUBLIC; kind < HTTP_READER_COUNT; kind++)
        if (t->at[kind][0] != '\0')
            return 0;
    return fault_set(fault, EINVAL, "%s: holds no token", path);
}

int http_tokens_read(struct http_tokens *t, const char *path, struct fault *fault)
{
    char text[FILE_MAX + 1];
    struct stat st;
    FILE *in = fopen(path, "re");
    if (in == NULL)
        return fault_set(fault, errno, "%s: %s", path, strerror(errno));
    int err = fstat(fileno(in), &st) == 0 ? 0 : fault_set(fault, errno, "%s: can't be asked", path);
    if (err == 0 && (st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        err = fault_set(fault, EINVAL, "%s: others may write it: chmod 600", path);
    else if (err == 0 && (st.st_mode & S_IROTH) != 0)
        err = fault_set(fault, EINVAL, "%s: others may read it: chmod 600", path);
    size_t len = fread(text, 1, sizeof text, in);
    if (err == 0 && ferror(in))
        err = fault_set(fault, errno, "%s: %s", path, strerror(errno));
    else if (err == 0 && len > FILE_MAX)
        err = fault_set(fault, EINVAL, "%s: more than %d bytes", path, FILE_MAX);
    fclose(in);
    err = err < 0 ? err : http_tokens_parse(t, text, len, path, fault);
    explicit_bzero(text, sizeof text);
    return err;
}

enum http_reader http_tokens_find(const struct http_tokens *t, const char token[HTTP_TOKEN])
{
    unsigned found = HTTP_NOBODY;
    for (unsigned kind = HTTP_PUBLIC; kind < HTTP_READER_COUNT; kind++) {
        unsigned differs = t->at[kind][0] == '\0';
        for (size_t i = 0; i < HTTP_TOKEN; i++)
            differs |= (unsigned char)(t->at[kind][i] ^ token[i]);
        found |= kind & ((differs == 0) * ~0u); /* at most one kind has it */
    }
    return (enum http_reader)found;
}
