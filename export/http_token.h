/* http_token: who may read what.
 *
 * Three kinds of reader: `public` gets results late and folded (law 6), `analyst` gets them as they are, sources
 * too, `operator` also what the process does (metrics). The tokens lie in a file, one a line:
 *   # comment
 *   public   TOKEN
 *   analyst  TOKEN
 *   operator TOKEN
 * each kind at most once, 16 to 127 visible ASCII characters, all different. The file should be its owner's alone; it is refused
 * where others may write it, or may read it who are not of its group. Tokens are compared in a time that depends on nothing of them.
 */
#ifndef EXPORT_HTTP_TOKEN_H
#define EXPORT_HTTP_TOKEN_H

#include "capture/fault.h"
#include "export/http_query.h"

enum http_reader { HTTP_NOBODY, HTTP_PUBLIC, HTTP_ANALYST, HTTP_OPERATOR, HTTP_READER_COUNT };

struct http_tokens {
    char at[HTTP_READER_COUNT][HTTP_TOKEN]; /* padded by zeros; all zero: no such token */
};

const char *http_reader_name(enum http_reader reader); /* "analyst" */

/* -EINVAL and a fault naming file and line; -errno. */
int http_tokens_read(struct http_tokens *t, const char *path, struct fault *fault);

/* The same from text of `len` bytes; `path` names it in faults. */
int http_tokens_parse(struct http_tokens *t, const char *text, size_t len, const char *path,
                      struct fault *fault);

/* Whose token it is; HTTP_NOBODY: nobody's. */
enum http_reader http_tokens_find(const struct http_tokens *t, const char token[HTTP_TOKEN]);

#endif
