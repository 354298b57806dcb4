/* telescope_yaml: a telescope's prefixes with their exceptions and dates, as a person writes them.
 *
 *     - 192.0.2.0/24                      # dark on every day
 *     - prefix: [198.51.100.0/24, "2001:db8::/48"]
 *       except: [198.51.100.1, 198.51.100.128/25]
 *       from: 2026-01-01                  # the first day on which it is dark; left out: ever since
 *       until: 2026-06-30                 # the last one; left out: for ever
 *
 * An entry's exceptions are taken out of that entry alone: what another entry holds on the same day stays dark. Each
 * must lie in one of its entry's prefixes and leave something of them. Entries may overlap in addresses and in days.
 * Dates are calendar days of the zone in force. Refused with a fault that begins "NAME:LINE:COLUMN: ", which never
 * repeats an address: a telescope's are secret.
 */
#ifndef CLASSIFY_TELESCOPE_YAML_H
#define CLASSIFY_TELESCOPE_YAML_H

#include "capture/fault.h"
#include "classify/prefix_list.h"

#include <stddef.h>
#include <stdint.h>

/* Ever since, for ever. */
#define TELESCOPE_SINCE_EVER INT32_MIN
#define TELESCOPE_FOR_EVER   INT32_MAX

struct telescope_entry {
    struct prefix_list prefixes, excepts;
    int32_t from, until; /* days since 1970-01-01, both inclusive */
};

struct telescope_entries {
    struct telescope_entry *at;
    size_t count, size;
};

/* Reads a YAML list of entries; `name` stands in messages. 0, -EINVAL, -ENOMEM. Caller finishes in any case. */
int telescope_yaml_read(struct telescope_entries *out, const char *name, const char *bytes,
                        size_t len, struct fault *fault);

/* Whether such a file is YAML, and no plain list of prefixes, a prefix a line: by the first character that is no
 * blank and stands in no comment. */
int telescope_yaml_is(const char *bytes, size_t len);

/* Adds an entry that is dark on every day, of prefixes that it takes over. -ENOMEM. */
int telescope_entries_add(struct telescope_entries *entries, struct prefix_list *prefixes);

void telescope_entries_fini(struct telescope_entries *entries); /* accepts all zero */

#endif
