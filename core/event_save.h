/* event_save: what is open, as bytes, so that an attack that spans a restart is one event.
 *
 * A worker puts its open events into bytes, the exporter writes them into one file beside the feed, in front of each window and whole (a
 * second file, synced, renamed), with the events that are told with that window; the file before stays beside it (PATH.last) until the next
 * one. So one of them stands behind the feed's last window, however its writer died, and has what of its events did not get into the feed:
 * that is appended before the feed goes on. What is lost is what came behind that window, as the feed's Gap says.
 *
 * A restored event is what it was, but for
 *   - distinct destinations, which go as a number: addresses of the telescope do not leave the process, nor a sketch of them (law 6). The
 *     greater one of what was counted before and since is told, as an estimate
 *   - bins, which are not in it: one that a restart interrupts is partial, and nothing is learned from it; which ports were ever seen is
 *   - what is no event yet: at an end as asked for (SIGTERM) all is saved, behind each window all where it is at most EVENT_SAVE_ALL entries of
 *     a worker, else what is an event or has an event's destinations or packets; what has less begins anew after kill -9
 *   - an alert of an address that is another organisation's now: it has no end in the feed
 *   - a disk that took no window: what is open then is as of the last one that it took, or, where the file can't be written either, begins anew
 *
 * The file: "YAMIEVNT", a version, the sensor, the end of the window that it stands behind, the feed's position in front of it, ports seen,
 * entries, the events that are told with it as records, open indicators, CRC-32C of all that. Numbers are little-endian.
 */
#ifndef CORE_EVENT_SAVE_H
#define CORE_EVENT_SAVE_H

#include "capture/fault.h"
#include "export/feed_tail.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event_engine;
struct event_table;

struct event_bytes {
    uint8_t *at;
    size_t len, room;
};

void event_bytes_add(struct event_bytes *b, const void *bytes, size_t len);
void event_bytes_fini(struct event_bytes *b);

/* Entries of 104 bytes, as long as they have no ports: 4 MB with each window. */
enum { EVENT_SAVE_ALL = 40000 };

/* Adds the entries of an engine: `all`, or where they are many those alone that are events or may soon be. */
void event_save(const struct event_engine *e, bool all, struct event_bytes *out);

/* Takes the first entry of some bytes: *at goes behind it. `table_of` gives the table for the source's address, or NULL: it is
 * left out, as is an alert of an address that is not of the same organisation in `networks` (NULL: none): it has no end in the feed. 0, or -EBADMSG: it is none; nothing of it was taken. */
struct watched;
int event_restore(const uint8_t **at, const uint8_t *end, int64_t now_ns,
                  const struct watched *networks,
                  struct event_table *(*table_of)(void *context, const uint8_t address[16],
                                                  unsigned ip_version, uint32_t *key_address),
                  void *context);

/* ---- the file ---- */

struct event_file {
    const char *sensor;
    int64_t end_ns;              /* of the window that it stands behind */
    struct feed_position before; /* of the feed, in front of the window */
    const uint8_t
        *told; /* events that are told with it, each a varint of its length and a Record */
    size_t told_len;
    const uint64_t (*seen)[65536 / 64]; /* ports in bins, by protocol */
    const uint8_t *entries;
    size_t entries_len;
    const uint8_t *indicators; /* core/event_indicator.h */
    size_t indicators_len;
};

/* The files of a path that there may be; the first is the newest. */
enum { EVENT_FILES = 3 };
void event_file_name(const char *path, unsigned number, char name[4096]);

/* Replaces the file, which becomes PATH.last. 0 or -errno and a fault: both are what they were. */
int event_file_write(const char *path, const struct event_file *file, struct fault *fault);

/* Reads what such a file holds; *file points into `bytes`, which are aligned for any type. 0, or -EBADMSG and a fault. */
int event_file_read(const char *name, const uint8_t *bytes, size_t len, struct event_file *file,
                    struct fault *fault);

#endif
