/* geo: the country and the AS of an address, from MaxMind DB files that the operator names.
 *
 * Country: databases whose type says Country, City or Enterprise (GeoLite2, GeoIP2 and others of that form):
 * country.iso_code, else registered_country.iso_code (where the network is registered; MaxMind has no other for
 * anycast and some carriers). AS: ASN, ISP or Enterprise: autonomous_system_number and _organization, for
 * Enterprise below traits.
 *
 * The file is read whole when it is opened and checked (mmdb_check), so what becomes of it on disk changes no
 * answer and a corrupt one harms nothing. Opened once, then asked by any thread: no lock, no
 * allocation. No clock: the build time is what the file says.
 */
#ifndef CLASSIFY_GEO_H
#define CLASSIFY_GEO_H

#include "capture/fault.h"

#include <stddef.h>
#include <stdint.h>

enum geo_kind { GEO_COUNTRY, GEO_AS };

enum {
    GEO_FILE_MAX = 1 << 30, /* bytes; GeoIP2-Enterprise has some 400 MB */
    GEO_AS_NAME = 100,      /* bytes with the zero; longer names are cut */
};

struct geo;

struct geo_as {
    uint32_t number;        /* 0: unknown */
    char name[GEO_AS_NAME]; /* "": unknown; what is no UTF-8 or not shown: U+FFFD (utf8_clean) */
};

/* Which database answered. */
struct geo_identity {
    char type[64]; /* "GeoLite2-Country" */
    uint64_t build_epoch_s;
    char sha256[65]; /* of the file */
};

/* 0, or -errno with the file and the reason; *out is NULL then. Caller closes. */
int geo_open(struct geo **out, enum geo_kind kind, const char *path, struct fault *fault);

/* The same from the content of such a file; `name` stands in messages. */
int geo_open_from(struct geo **out, enum geo_kind kind, const char *name, const void *bytes,
                  size_t len, struct fault *fault);
void geo_close(struct geo *g); /* accepts NULL */

const struct geo_identity *geo_identity(const struct geo *g);

/* Two capital letters, or "": unknown (also IPv6 in a database of IPv4 alone). Address as in struct
 * observation, version 4 or 6; `g` of GEO_COUNTRY. */
void geo_find_country(const struct geo *g, const uint8_t address[16], unsigned ip_version,
                      char country[3]);

/* The same of `g` of GEO_AS. */
void geo_find_as(const struct geo *g, const uint8_t address[16], unsigned ip_version,
                 struct geo_as *as);

#endif
