/* origin: who a source is, as far as can be looked up: bogon, acknowledged scanner, country and AS.
 *
 * All of it behind one object, made when the program starts (and again when its files are to be read again); then any
 * number of threads ask it: no lock, no allocation. Asked once per source and day, not per packet
 * (bench/bench_origin.c says what a question costs). No clock, no network.
 *
 * The first that holds: bogon (bogon.h), acknowledged (a prefix of a list holds the source: the longest
 * prefix decides, of two organisations with the same prefix the one whose name comes first in bytes),
 * ordinary. `survey` is found by what a source does on a day, and is not decided here. Bogons are not looked
 * up in databases: their country would be that of whoever is forged, or nobody's.
 */
#ifndef CLASSIFY_ORIGIN_H
#define CLASSIFY_ORIGIN_H

#include "capture/fault.h"
#include "classify/bogon.h"
#include "classify/geo.h"
#include "classify/scanner_list.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The order is part of the feed's contract; append only. */
/* clang-format off */
#define ORIGINS(X) X(ordinary) X(acknowledged) X(survey) X(bogon)
#define ORIGIN_NAME_(name) ORIGIN_##name,
enum origin_class { ORIGINS(ORIGIN_NAME_) ORIGIN_COUNT };
/* clang-format on */

#define ORIGIN_NO_ORGANISATION UINT32_MAX

const char *origin_name(enum origin_class class); /* "ordinary", ... */

struct origin_settings {
    const char *country; /* database file; NULL: none */
    const char *as;
    const char *const *lists; /* files, or folders whose *.yaml are read, sorted by name */
    size_t list_count;
    const char *country_subject, *as_subject,
        *lists_subject;    /* how a fault of each begins; NULL: with its file */
    bool has_extra_bogons; /* blocks of which IANA's registries say N/A count, too */
};

/* An organisation of the lists; those of one name in several lists are one. */
struct origin_organisation {
    const char *name, *homepage; /* homepage "": none said */
    const char *date;            /* the latest that was said, "YYYY-MM-DD"; "": none */
};

struct origin {
    enum origin_class class;
    uint32_t
        organisation; /* of acknowledged: index for origins_organisation; else NO_ORGANISATION */
    const struct bogon *bogon; /* of bogon, else NULL */
    char country[3];           /* "": unknown */
    struct geo_as as;          /* number 0: unknown */
};

/* What answered: for the header of a feed and for days. NULL and 0 say that none was loaded. */
struct origin_list {
    char name[64];
    char date[11]; /* "": none said */
    char sha256[65];
    uint32_t organisations, prefixes;
};
struct origin_basis {
    const struct geo_identity *country, *as; /* NULL: none */
    const struct origin_list
        *lists;        /* sorted by name, then sha256; a file given twice stands once */
    size_t list_count; /* 0: none, so no source is acknowledged */
    size_t organisation_count;
    bool has_extra_bogons;
};

struct origins;

/* 0, or -errno and a fault that names the file; *out is NULL then. With no file named, bogons alone are found.
 * Two lists of one name with other content are refused. Caller destroys. */
int origins_create(struct origins **out, const struct origin_settings *settings,
                   struct fault *fault);
void origins_destroy(struct origins *o); /* accepts NULL */

/* Address as in struct observation; any ip_version but 4 and 6 is ordinary and unknown. */
void origins_find(const struct origins *o, const uint8_t address[16], unsigned ip_version,
                  struct origin *out);

/* Only class, organisation and bogon: without the databases, some times faster. */
void origins_find_class(const struct origins *o, const uint8_t address[16], unsigned ip_version,
                        struct origin *out);

/* Valid while `o` is. Organisations are sorted by name, so an index means the same in each run with the same
 * lists. */
const struct origin_basis *origins_basis(const struct origins *o);
const struct scanner_list *origins_list(const struct origins *o,
                                        size_t index); /* sorted, in basis' order */
const struct origin_organisation *origins_organisation(const struct origins *o, uint32_t index);

#endif
