/* feed_log: the feed on disk: appended, chained by checksums, never rewritten.
 *
 * A folder of segment files named YYYYMMDDThhmmssZ-NNNNNN.yami by their first window's start
 * and the segment's number, which alone is their order. A segment begins with a Header and ends with Close. It stands for the hour
 * of its first window (packet time), and takes the windows of that hour and those up to a day
 * before it, which late packets open. It is cut where a window of a later hour is appended, or one from more than
 * a day before: then it began with a broken clock.
 *
 * A calendar day that is final stands in segments of its own, behind whatever was being written:
 *   YYYYMMDD-sources-NNNNNN.yami  Header, DayBegin, the source days sorted, Close (where they are written)
 *   YYYYMMDD-day-NNNNNN.yami      Header, Day, Close; the very next segment where there are sources
 * by the date in the feed's zone. Windows that follow begin a new segment, whatever their hour. So Days are
 * found by their names, without a way through their sources. A date may stand there again, with a
 * greater revision: the later supersedes, source days and all. One writer (the exporter); any number of readers.
 */
#ifndef EXPORT_FEED_LOG_H
#define EXPORT_FEED_LOG_H

#include "capture/fault.h"
#include "export/event.h"
#include "export/record.h"

#include <stdatomic.h>

struct feed_log;

enum { FEED_NAME = 48 }; /* holds the name of a segment */

/* Name of the segment whose first window begins at `start_ns`. */
void feed_segment_name(int64_t start_ns, uint32_t segment, char name[FEED_NAME]);

/* Whether a window that begins at `start_ns` belongs to the segment whose first window began at
 * `first_ns`; else the segment ends before it. Hours are those since 1970, UTC. */
bool feed_segment_takes(int64_t first_ns, int64_t start_ns);

/* The number in a segment's name, by which readers order them; UINT64_MAX: there is none. */
uint64_t feed_segment_number(const char *name);

/* What a segment holds, by its name. */
enum feed_segment { FEED_WINDOWS, FEED_SOURCES, FEED_DAY };
enum feed_segment feed_segment_kind(const char *name);

/* Name of a segment of a date (days since 1970-01-01; years 0 to 9999). */
void feed_day_segment_name(int32_t date, enum feed_segment kind, uint32_t segment,
                           char name[FEED_NAME]);

/* True for what a reader of the folder must take for a segment: *.yami. */
bool feed_is_segment_name(const char *name);

/* Begins a feed in `dir`, which is made if missing (parents too) and must hold no feed: replay
 * refuses it (-EEXIST). `identity` must outlive the log.
 * A segment has its final name from the start; a missing Close says that it is unfinished. */
int feed_log_create(struct feed_log **out, const char *dir, const struct feed_identity *identity,
                    struct fault *fault);

/* What feed_log_continue found. */
struct feed_resume {
    bool is_begun;              /* the folder held no feed: this is its begin */
    char cut_file[FEED_NAME];   /* a segment whose torn end was cut off; "": none */
    uint64_t cut_at, cut_bytes; /* where its whole records end; how many bytes went */
    char removed_file
        [FEED_NAME]; /* a last segment that held no whole first record, and is gone; "": none */
    char damaged_file
        [FEED_NAME]; /* a last segment with a broken record that whole ones follow: it stays as it is; "": none */
    uint64_t damaged_at;
    bool was_finished; /* the writer before ended as it should */
    bool has_window;   /* the feed holds one */
    int64_t
        end_ns; /* of the latest window of its last segment of windows: what follows is missing */
    uint64_t window_seq; /* of the last record of a window; 0: none */
    bool
        has_date_open; /* source days without their Day stand last: `date` is to be written again */
    int32_t date;
};

/* Continues the feed in `dir`, or begins one. The torn end of its last segment is cut, as *resume says for the caller to tell;
 * a segment that its writer left open is closed with the next append. What was missed meanwhile is the caller's to say
 * (feed_log_append_gap). -EINVAL and a fault that names the key and both values: the feed is of another sensor, telescope, zone or span. -EBUSY: another process
 * writes it. -EBADMSG: its last segment has no readable Header. */
int feed_log_continue(struct feed_log **out, struct feed_resume *resume, const char *dir,
                      const struct feed_identity *identity, struct fault *fault);

/* Whether the feed in `dir`, if there is one, is of this identity: what feed_log_continue refuses of it. Changes nothing, takes no
 * lock. 0, also where that can't be read by who asks; -EINVAL and a fault. */
int feed_log_check(const char *dir, const struct feed_identity *identity, struct fault *fault);

/* What a window's part is to be counted from: how many records of this start the feed held when it was continued. 0 at once
 * where it can't hold any; else the segments that may are read. -errno. */
int feed_log_part_base(struct feed_log *log, int64_t start_ns, uint32_t *base, struct fault *fault);

/* Appends one sealed window. -errno and a fault naming the file (a full disk, ...): the log stays
 * usable for another try of the same window; nothing of it is left in the file then. */
int feed_log_append(struct feed_log *log, const struct window *w, struct fault *fault);

/* What was appended (windows, Days, what is said among them) is safe on disk when it returns 0, and shown to those that
 * follow `durable`: live calls it before any sink may see a window, and behind every Day. -errno: all that was appended since the last
 * time is taken back, since the disk may have lost it: it is to be appended again. Source days wait for their Day. */
int feed_log_sync(struct feed_log *log, struct fault *fault);

/* Says there from now on up to where the feed is safe; it must outlive the log. NULL: no longer. */
struct feed_durable;
void feed_log_publish(struct feed_log *log, struct feed_durable *durable);

/* From the next window or date on another Header holds (rules or lists were loaded anew): a new segment begins there. Sensor,
 * telescope, zone and span stay. `identity` must outlive the log; the one before is no longer used. */
void feed_log_identity(struct feed_log *log, const struct feed_identity *identity);

/* Says that time is missing: at once, or in front of the next window where no segment of windows is open. *gap is copied; what its sensor
 * points to must last till then. On failure it was not taken. */
struct feed_gap;
int feed_log_append_gap(struct feed_log *log, const struct feed_gap *gap, struct fault *fault);

/* Appends an event (its id is set: event_identify) behind the window with whose seal it was found: right after that window, or after the days that
 * followed it, several in the order of event_compare. It comes to stand in the open segment of windows. Where none is open (a date was
 * written since, or this run of the writer has appended nothing yet) a segment of windows begins with it: that one holds events alone, is named by the
 * first one's time_ns, and the next window begins another. feed_log_sync makes it durable with its window, and takes
 * it back with it: a window that is to be appended again is followed by its events again. A window that waits since the disk is full makes its
 * events wait, too. -EINVAL: event_wrong. -errno as feed_log_append: nothing of it is left in the file then. */
int feed_log_append_event(struct feed_log *log, const struct event *e, struct fault *fault);

/* The same for `count` events, which `event_of` makes one at a time (valid until its next call), from *done on; *done is moved on by what was
 * appended. What is written at once is some of them: many are one write. */
typedef const struct event *(*feed_log_event_of)(void *context, size_t i);
int feed_log_append_events(struct feed_log *log, feed_log_event_of event_of, void *context,
                           size_t count, size_t *done, struct fault *fault);

/* Says what is about to be deleted (feed_keep). -EAGAIN: no segment of windows is open. */
struct feed_removed;
int feed_log_append_removed(struct feed_log *log, const struct feed_removed *removed,
                            struct fault *fault);

/* The sequence number of the last record. */
uint64_t feed_log_seq(const struct feed_log *log);

/* Where the next record goes, for who looks later what came there (feed_tail.h). All zero: the feed is empty. */
struct feed_position;
void feed_log_position(const struct feed_log *log, struct feed_position *to);

/* Number of the segment that is open, or was last. */
uint32_t feed_log_segment(const struct feed_log *log);

/* Begins the source days of a date: closes the open segment and begins one with Header and DayBegin. Both
 * arguments must outlive feed_log_day(). On failure the log stays usable for another try. */
int feed_log_day_begin(struct feed_log *log, const struct day_facts *facts,
                       const struct day_settings *settings, struct fault *fault);

/* Appends the next source day; asserted: of that date, in order. `body`: what record_pack_source_day() made of it
 * before, which is not made again; NULL: it was not packed. Written in blocks: a failure may stem from
 * earlier ones, which are kept and tried again; this one was not taken then. */
int feed_log_append_packed(struct feed_log *log, const struct source_day *s, const uint8_t *body,
                           size_t body_len, struct fault *fault);
static inline int feed_log_append_source_day(struct feed_log *log, const struct source_day *s,
                                             struct fault *fault)
{
    return feed_log_append_packed(log, s, NULL, 0, fault);
}

/* Ends the source days, if a feed_log_day_begin() stands before, and appends the Day in a segment of its own. On failure
 * the log stays usable for another try of the same Day. */
int feed_log_append_day(struct feed_log *log, const struct day_result *r, struct fault *fault);

/* Gives up a date between its feed_log_day_begin() and feed_log_append_day(): its segment is removed, and with it the room it
 * took on a full disk. Windows go on; the date may be begun again. No tail that follows `durable` saw any of it; the chain of
 * one that does not (another process's) may break there. */
int feed_log_day_cancel(struct feed_log *log, struct fault *fault);

/* Writes Close (finished), syncs, closes the last segment. An empty feed still gets one segment with Header
 * and Close, named by the epoch. The log is freed in any case; accepts NULL. */
int feed_log_finish(struct feed_log *log, struct fault *fault);

/* Frees the log and leaves the feed as it is, without a Close: what was appended stays and holds, and
 * the feed says that it is unfinished. Accepts NULL. */
void feed_log_abandon(struct feed_log *log);

/* How far the reading of feeds is, in segments, for whoever looks on from another thread. Begins as all zero; the
 * reader adds to it. */
struct feed_progress {
    atomic_ulong done, total;
};

/* Totals that a verification adds up. */
struct feed_check {
    uint64_t segments, records, windows, parts; /* parts: windows with part > 0 */
    uint64_t packets, bytes;
    struct window_ledger ledger; /* of all windows */
    uint64_t partial;            /* windows not all of whose span was watched */
    uint64_t feed_bytes;         /* of its segments, where `bytes` are those of the packets */
    int64_t first_ns, last_ns;   /* valid where packets > 0 */
    uint64_t kinds[KIND_COUNT];
    uint64_t gaps;                /* records that say that time is missing */
    uint64_t windows_given_up;    /* records of windows that they say were */
    uint64_t removed;             /* segments that the feed says were deleted, and are not there */
    uint64_t events[EVENT_TYPES]; /* records */
    uint64_t source_days, days;   /* records */
    uint64_t days_computed; /* Days that were computed again from their source days and agree */
    uint64_t days_restated; /* of them, under the rule set that was given, to the last number */
    bool
        rules_checked; /* every segment names the rule set that was given: see feed_log_verify_rules */
    bool closed;       /* the last segment ends with a Close that says finished */
    bool is_written; /* -ENODATA, and a writer is at work: it holds up to its last whole record */
    bool has_until;  /* there is a window: the latest of its last segment that has any ends at */
    int64_t until_ns;
};

/* Reads the feed in `dir` (or one segment file) from its first byte to its last and holds it to every
 * rule it can: framing, crc chain, seq, Header and Close, order of parts, every ledger, nothing filtered
 * without a filter in the Header, kinds = observed, mark
 * totals, rule counts against port rows, columns of equal length, low <= high, hll sizes, times inside the
 * window. Dates: their segments and order, source days sorted and each by itself, the Day against what they give
 * when computed again: all of it where `rules` (feed_log_verify_rules) is the Day's rule set, else what does not depend on
 * rules; without source days, what the Day says of itself. Segments that the feed says were deleted are passed over, the chain is
 * held to what it says of them. Returns 0; -EBADMSG at the first that does not hold, the fault naming file, byte offset and
 * record, or what segments are missing among those that are there; -ENODATA where all that is there holds, but the feed does not end with a Close that says finished:
 * it is still being written (`is_written`), its writer died, or segments were taken away; -ENOENT for a folder without
 * a segment; -errno where it can't be read. The totals are those of what was read.
 * Of one segment file alone the first record's crc has nothing before it to be held to. */
int feed_log_verify(const char *dir, struct feed_check *check, struct fault *fault);

/* As feed_log_verify; where the feed names this very rule set (sha256), the packets of every rule and of
 * iot_strict and iot_broad are computed again from the port rows. `rules` may be NULL. */
int feed_log_verify_rules(const char *dir, const struct ruleset *rules, struct feed_check *check,
                          struct fault *fault);

/* As feed_log_verify_rules; `progress` may be NULL. */
int feed_log_verify_watched(const char *dir, const struct ruleset *rules, struct feed_check *check,
                            struct feed_progress *progress, struct fault *fault);

#endif
