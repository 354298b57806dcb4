/* scanner_import: what others publish about scanners, into a scanner_list.
 *
 * Two forms are read, told apart by the first byte that is no blank:
 *
 *   MISP warning list  '{': one JSON object with name, type and list (github.com/MISP/misp-warninglists). Only
 *                      those of type cidr name addresses. The organisation is the list's name; the date its
 *                      version, where that reads as a day (20260811, or 26081010: day and hour).
 *   CIDR list          anything else: a prefix or address a line; what stands behind # or ; is a comment.
 *                      The organisation is the file's name without folder, ending, and _v4 or _v6.
 *
 * No clock: a date comes from the list or from the settings. Prefixes with bits set behind their length are
 * taken as the prefix that they lie in, and said. What is no prefix makes the file damaged.
 */
#ifndef CLASSIFY_SCANNER_IMPORT_H
#define CLASSIFY_SCANNER_IMPORT_H

#include "classify/scanner_list.h"

struct scanner_import {
    const char *name;     /* of the organisation, in place of the file's own; NULL: that */
    const char *homepage; /* NULL: none */
    const char *date;     /* in place of the file's own; NULL: that */
    bool skips_damage;    /* say what is no prefix, and go on */
    /* Called with one line for each prefix taken or left out as said above, and its place. */
    void (*say)(void *context, const char *line);
    void *context;
    size_t skipped; /* entries left out, counted here */
};

/* Adds what a file says to `list`. -EINVAL with "FILE:LINE: ..." (MISP: "FILE: list[N]: ...") where it is damaged,
 * names no address, or the settings are no name, homepage or date; other -errno. `list` may hold a part of it
 * then. */
int scanner_import_file(struct scanner_list *list, const char *path,
                        struct scanner_import *settings, struct fault *fault);

/* The same from the content of such a file, which has a zero byte behind it. */
int scanner_import_from(struct scanner_list *list, const char *path, const char *bytes, size_t len,
                        struct scanner_import *settings, struct fault *fault);

#endif
