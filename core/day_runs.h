/* day_runs: source days that were packed, in runs by date and shard, until they are merged.
 *
 * A run is sorted by address and holds each source once. A date has any number of them: a capture need not be in the order of
 * time. Beyond some memory runs lie in a file without a name. What is written stays to the end, so that a date can be
 * read again at any time.
 * Any thread may add and read; who reads sees what was added before.
 */
#ifndef CORE_DAY_RUNS_H
#define CORE_DAY_RUNS_H

#include "capture/batch.h"
#include "capture/fault.h"
#include "export/source_day.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct day_runs;
struct day_merge;

/* `dir`: where the file without a name may lie; must outlive it. NULL with errno. */
struct day_runs *day_runs_create(const char *dir);
void day_runs_destroy(struct day_runs *r); /* accepts NULL */

/* Adds a run, `len` > 0 bytes of records as export/record.h packs source days; takes `bytes` over (free). 0, or -errno
 * and a fault: a full disk. */
int day_runs_add(struct day_runs *r, int32_t date, unsigned shard, uint8_t *bytes, size_t len,
                 struct fault *fault);

/* Whether a shard has a run of the date. */
bool day_runs_has(struct day_runs *r, int32_t date, unsigned shard);

/* Begins to read a date's source days, of one shard or of all (`shard` is SHARDS). Caller ends it. 0, or -errno and a
 * fault: the file can't be read. Memory: 64 bytes for each run. */
int day_merge_begin(struct day_merge **out, struct day_runs *r, int32_t date, unsigned shard,
                    struct fault *fault);
void day_merge_end(struct day_merge *m); /* accepts NULL */

/* A source. Begins as all zero; the caller frees `whole`. */
struct day_merged {
    struct source_day_buffer whole; /* all that runs have of it */
    const uint8_t *
        body; /* as the only run that has of it packed it, until day_merge_end(); NULL: there are several */
    size_t body_len;
};

/* The next source in the order of source_day_order(). False: there is none. */
bool day_merge_next(struct day_merge *m, struct day_merged *to);

#endif
