/* scanner_list: who scans and says so: organisations, their addresses, where that is known from.
 *
 * A list is one YAML file of our own form:
 *
 *     list: research            # its name, a-z A-Z 0-9 - _ .; stands in every result made with it
 *     date: 2026-08-14          # of what it says; may be left out
 *     organisations:
 *       - name: Example Labs    # unique in the file
 *         homepage: https://example.org/ # may be left out
 *         date: 2026-08-10      # may be left out
 *         cidrs:
 *           - 192.0.2.0/24      # or a bare address; IPv4 and IPv6; bits behind the length are refused
 *           - "2001:db8::/32"
 *
 * Names are UTF-8 that can be shown (utf8_is_showable), since they go into feeds as they are.
 * Any other key, a key twice, an alias, an anchor, a tag, a second document is refused with file:line:column.
 * scanner_import makes such lists of what others publish. One thread makes a list; then any reads it.
 */
#ifndef CLASSIFY_SCANNER_LIST_H
#define CLASSIFY_SCANNER_LIST_H

#include "capture/fault.h"
#include "classify/arena.h"
#include "classify/prefix.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum {
    SCANNER_FILE_MAX = 32 << 20,   /* bytes of a list, also of one to import */
    SCANNER_ORGANISATIONS = 10000, /* of a list */
    SCANNER_PREFIXES = 1 << 20,    /* of a list */
    SCANNER_NAME_MAX = 120,        /* bytes of an organisation's name */
    SCANNER_HOMEPAGE_MAX = 200,
};

struct scanner_organisation {
    const char *name;
    const char *homepage; /* "": none said */
    const char *date;     /* "YYYY-MM-DD", "": none said */
    struct prefix *prefixes;
    size_t prefix_count, prefix_size;
};

struct scanner_list {
    char name[64];
    char date[11];   /* "": none said */
    char sha256[65]; /* of the file it was read from; "" where it was not */
    struct scanner_organisation *organisations;
    size_t organisation_count, organisation_size;
    size_t prefix_count;
    struct arena arena; /* of text */
};

/* A list without organisations. -EINVAL where the name is none, -ENOMEM; *out is NULL then. Caller destroys. */
int scanner_list_create(struct scanner_list **out, const char *name, struct fault *fault);
void scanner_list_destroy(struct scanner_list *list); /* accepts NULL */

/* Reads a file; in the order of the file, until scanner_list_sort. -errno and "PATH:LINE:COLUMN: ..." ; *out is NULL then. */
int scanner_list_open(struct scanner_list **out, const char *path, struct fault *fault);

/* The same from the content of such a file; `path` stands in messages. */
int scanner_list_open_from(struct scanner_list **out, const char *path, const void *bytes,
                           size_t len, struct fault *fault);

/* The organisation of that name, made where it is not there. NULL: memory is out, or there are too many. */
struct scanner_organisation *scanner_list_organisation(struct scanner_list *list, const char *name);

/* Adds a prefix to an organisation of the list. 0, -ENOMEM, -E2BIG. */
int scanner_list_add(struct scanner_list *list, struct scanner_organisation *organisation,
                     const struct prefix *prefix);

/* Puts organisations in the order of their names' bytes and prefixes in theirs (prefix_compare), each once. */
void scanner_list_sort(struct scanner_list *list);

/* Writes the file; errors of the stream are the caller's to check. The same list gives the same bytes. */
void scanner_list_write(FILE *out, const struct scanner_list *list);

/* Distinct addresses of an organisation of a sorted list; 2^128 is 0. */
unsigned __int128 scanner_organisation_size(const struct scanner_organisation *organisation,
                                            unsigned ip_version);

/* What a list's, an organisation's name, a homepage, a date must be. */
bool scanner_is_list_name(const char *text);
bool scanner_is_name(const char *text, size_t len);
bool scanner_is_homepage(const char *text);
bool scanner_is_date(const char *text); /* YYYY-MM-DD, a day of the calendar */

/* A file of at most SCANNER_FILE_MAX bytes into malloc'ed memory, with a zero byte behind. */
int scanner_file_read(char **bytes, size_t *len, const char *path, struct fault *fault);

#endif
