/* watched: networks of organisations that want to know when one of their addresses shows up (NICTER's DAEDALUS).
 *
 *   - name: Example City
 *     prefixes: [192.0.2.0/24, 2001:db8:1::/48]
 *     delivery: webhook:https://csirt.example/hook#secret_file=/etc/yamiscope/example-city
 *
 * A list of 1 to 100,000 such entries. `delivery`, which may be left out, is where the organisation's own alerts go (export/courier.h:
 * webhook:URL, command:PATH, file:PATH and their options; at most 256 organisations have one, since each is a thread that reads the feed).
 * A prefix may stand in others of another organisation: the longest one decides; that two name the same one is refused, as is anything
 * unknown, with file, line and column. So is a name that has no room in an event (63 bytes), a delivery that is none, and one organisation with
 * two of them: several entries of a name are one organisation.
 *
 * Built once, then read by any thread; a look-up takes no lock and allocates nothing. For IPv4 it begins with a bit for each /24
 * (2 MB), so that what is no such network's costs one look.
 */
#ifndef CORE_WATCHED_H
#define CORE_WATCHED_H

#include "capture/fault.h"
#include "classify/prefix.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    WATCHED_MOST = 1000000,  /* prefixes */
    WATCHED_DELIVERIES = 256 /* organisations with a delivery */
};

struct watched;

/* An organisation that has a delivery. */
struct watched_delivery {
    const char *organisation, *spec;
};

struct watched_network {
    const char *organisation;
    const char *
        delivery; /* what may be known of it, for events: "webhook:https://csirt.example"; "" where there is none */
    struct prefix prefix;
};

/* Reads a file. 0, or -errno and a fault; *out is NULL then. Caller destroys. */
int watched_create(struct watched **out, const char *path, struct fault *fault);
int watched_create_from(struct watched **out, const char *name, const void *bytes, size_t len,
                        struct fault *fault);
void watched_destroy(struct watched *w); /* accepts NULL */

/* The network that holds an address (as in struct observation; version 4 or 6), valid while `w` is; NULL: none does. */
const struct watched_network *watched_find(const struct watched *w, const uint8_t address[16],
                                           unsigned ip_version);

size_t watched_count(const struct watched *w); /* prefixes */

/* Organisations with a delivery, each once, by name; valid while `w` is. */
const struct watched_delivery *watched_deliveries(const struct watched *w, size_t *count);

/* What tells a file of networks from another: its length, and a hash of its bytes. */
void watched_digest(const struct watched *w, uint64_t to[2]);

#endif
