/* indicator_stix: the indicators of feeds as a STIX 2.1 bundle (export/stix.h).
 *
 * Each indicator once, whatever the number of its events: an indicator with a pattern over what it was before it was defanged (url, domain-name,
 * ipv4-addr, ipv6-addr; a login's user-account), valid from its first packet on, and a sighting of it by the sensor with the packets of all its
 * events. Hosts and URLs of addresses of private use are left out: they are another machine at each reader's. What the payloads named are
 * candidates: nobody asked whether anything answers there, and the text of each says so.
 *
 * Keeps all in memory, 500 bytes each. One thread.
 */
#ifndef EXPORT_INDICATOR_STIX_H
#define EXPORT_INDICATOR_STIX_H

#include "export/event.h"

#include <stdio.h>

struct indicator_bundle;

struct indicator_bundle *indicator_bundle_create(void);    /* NULL: no memory */
void indicator_bundle_destroy(struct indicator_bundle *b); /* accepts NULL */

/* Adds the last record of an event; of another type: nothing. 0 or -ENOMEM. */
int indicator_bundle_add(struct indicator_bundle *b, const struct event *e);

/* `sensor`: who saw them. */
void indicator_bundle_print(struct indicator_bundle *b, FILE *out, const char *sensor);

#endif
