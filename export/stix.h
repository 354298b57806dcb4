/* stix: a STIX 2.1 bundle (OASIS standard, 10 June 2021), written to a stream as it comes.
 *
 * Ids are functions of what they name: of cyber observables as the standard's section 2.9 has them (UUID version 5 under its namespace over the
 * contributing properties as canonical JSON), of others likewise under a namespace of our own. So the same feed gives the same bundle, and
 * an importer that reads two bundles finds the same host once. Times are UTC with milliseconds.
 *
 * No allocation. The stream's errors are the caller's to check.
 */
#ifndef EXPORT_STIX_H
#define EXPORT_STIX_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { STIX_ID = 96, STIX_VALUE = 1024 };

struct stix {
    FILE *out;
    bool has_object;
    char creator[STIX_ID]; /* the identity that all but observables are created by */
    char time[48];         /* created and modified of all */
};

/* `type` "--" UUID of version 5 over `name`. `is_observable`: under the standard's namespace, `name` being canonical JSON. Returns `to`. */
const char *stix_id(char to[STIX_ID], const char *type, const char *name, bool is_observable);

/* Begins the bundle, with the identity of a sensor. `what` tells this bundle from others of the sensor: a date, an AS. `time_ns`: what it stands
 * for is known since then; no clock is read. */
void stix_begin(struct stix *s, FILE *out, const char *sensor, const char *what, int64_t time_ns);
void stix_end(struct stix *s);

/* Opens an object: type, spec_version, id; of all but observables also creator, created, modified. The caller adds ,"key":value and closes
 * with stix_close. */
void stix_open(struct stix *s, const char *type, const char *id, bool is_observable);
void stix_close(struct stix *s);

/* ,"key":"text"; of a time ,"key":"2026-...Z". */
void stix_text(struct stix *s, const char *key, const char *text);
void stix_time(struct stix *s, const char *key, int64_t ns);

/* An address of IPv4 or IPv6 as text, with its AS where it is not 0 (written before). `id` gets its id. */
void stix_address(struct stix *s, unsigned ip_version, const char *address, uint32_t asn,
                  char id[STIX_ID]);
/* An AS; written once by the caller. */
void stix_as(struct stix *s, uint32_t asn, const char *name);

/* A pattern's string: \ before ' and \. At most size - 1 bytes, cut between two characters. Returns `to`. */
const char *stix_quote(char *to, size_t size, const char *text);

#endif
