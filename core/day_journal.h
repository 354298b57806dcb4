/* day_journal: the days of a live capture that are not over, on disk.
 *
 * With each sealed window the sources that it touched are packed as mergeable source days (a part); a part is on disk
 * (fdatasync, and the folder's fsync) before its window is in the feed. So whatever happens to the process, journal and feed
 * together say what a day came to up to the last whole window: a part whose window the feed has not is deleted by who opens
 * the journal again. At the end of a day all its parts are merged, sorted by address, and go to the feed as source days; then
 * they are dropped. A crash between the two leaves a date whose Day is in the feed: the caller drops it then.
 *
 * A folder of its own beside the feed's segments, mode 0700; files (core/day_part.h) by date and numbers of windows,
 *   YYYYMMDD-FFFFFFFFFFFF-TTTTTTTTTTTT.part  0600; what windows F to T (decimal) have of the date
 * each written under another name (.new behind it) and renamed, so a file is there whole or not at all. Numbers of a date's
 * files need not follow each other, but their ranges never overlap. Where one covers others, a merge was cut short: it
 * has all that is in them, and they are deleted by who opens the journal; or where it is damaged, and they are all there, it goes aside.
 *
 * A thread of the journal's own (nice 19) merges any FAN neighbours of one size class (of 1, FAN, FAN^2, ... windows or
 * more) into one file: so a day of 1,440 windows is at most 45 files, and no source day is written more than twice again. It takes
 * only windows that the feed surely has (day_journal_kept), since a merged file can't be cut. What fails (a full disk)
 * leaves the files as they are and is tried again FAN parts later. While it writes, the disk holds the FAN files twice.
 *
 * Damage: the same thread reads all that was there when the journal was opened once through, soon after, and whatever finds that a
 * block does not hold (it, a merge, day_journal_read) has the file mended (core/day_part_mend.h): what is whole of it takes its place,
 * the packets of what is not are counted in the sums' given_up.damaged, and the damaged file stays beside it as NAME.part.damaged, which nobody
 * here deletes. `say` tells each.
 *
 * Memory: reading takes 64 KB for each file of the date, merging 1 MB, both a source day or two beside it. Where no merge
 * succeeds for a day (a full disk), that is 1,440 files: 92 MB. At most 256 descriptors while it reads.
 *
 * One thread calls; day_journal_read alone may run in another one beside it, one date at a time, which must not be
 * dropped meanwhile. No clock is read. Where memory ends in here, it is an error (-ENOMEM) like a full disk.
 */
#ifndef CORE_DAY_JOURNAL_H
#define CORE_DAY_JOURNAL_H

#include "capture/batch.h"
#include "capture/fault.h"
#include "core/day_bases.h"
#include "export/day_facts.h"
#include "export/source_day.h"
#include "export/window.h"

struct day_journal;

/* Ours: with 16, a day of 1,440 windows is merged twice (files of 16, of 256), and a reader meets at most 15 of each class. */
enum { DAY_JOURNAL_FAN = 16 };

/* What a date came to beside its source days; adds up over parts (law 3). */
struct journal_sums {
    struct count kinds[KIND_COUNT]; /* of all packets, with a source or without */
    struct day_given_up given_up;
    struct window_ledger ledger;        /* of its windows */
    uint64_t minutes[DAY_MINUTE_WORDS]; /* that were watched, as in struct day_telescope: united */
};

/* Adds `from`; sums saturate: associative and commutative. */
void journal_sums_add(struct journal_sums *into, const struct journal_sums *from);

/* A window's share of a date. */
struct journal_part {
    int32_t date;
    uint64_t
        number; /* of the window among all of the feed's, parts and all: 1, 2, ...; ascending */
    /* Records as export/record.h packs source days, sorted by address, by shard; each source in one shard. A window
     * without packets has none, and still its sums. */
    const uint8_t *runs[SHARDS];
    size_t lens[SHARDS];
    struct journal_sums sums;
    struct day_bases bases; /* that its packets were labelled by; stays the caller's */
    /* Runs of the same date and window, of packets that were labelled by other rules; NULL: none. Of these parts, runs alone
     * count. */
    const struct journal_part *more;
};

/* What begins when a writer opens a folder: parts of windows beyond `last` are deleted: the feed has them not. */
struct day_journal_settings {
    const char *dir;               /* made if missing (mode 0700), not its parents */
    const char *sensor, *timezone; /* at most 1,024 bytes each */
    uint64_t last;                 /* number of the feed's last window; 0: it has none */
    /* What was damaged, and what became of it, for people; any thread, may be NULL. */
    void (*say)(void *context, const char *line);
    /* What the windows of a feed say of a date: those numbered from `from` on and below `before`. Asked at opening for
     * a file whose head or foot is damaged; NULL: such a file is an error. 0, or -errno and a fault. */
    int (*recall)(void *context, int32_t date, uint64_t from, uint64_t before,
                  struct journal_sums *sums, struct fault *fault);
    void *context;
};

/* 0, or -errno and a fault: a folder with others' permissions or another sensor's or zone's journal (-EINVAL), one that another
 * process has open (-EBUSY), a file whose head or foot is damaged, without `recall` (-EBADMSG, named with its offset; it stays as it is), a merged file with windows beyond
 * `last` (-EBADMSG: the feed lost some that it had). Of each file head and foot are checked here, blocks where they
 * are read. Caller closes. */
int day_journal_open(struct day_journal **out, const struct day_journal_settings *settings,
                     struct fault *fault);

/* Ends a merge that is going on, within milliseconds. Accepts NULL; what is there stays. */
void day_journal_close(struct day_journal *j);

/* On disk when it returns. 0, or -errno and a fault naming the file; nothing of it is there then, and the part can be given
 * again. The date's last number may be given again as long as it is not kept: the new part takes the place of the one that is there (a
 * window has parts of two dates, and one failed); -EAGAIN: that date is being read just now. -EINVAL: any other number that is
 * not beyond all that the date has, or runs that are not sorted records of the date. */
int day_journal_add(struct day_journal *j, const struct journal_part *part, struct fault *fault);

/* The feed has all windows up to this number on disk: files of them may be merged. Begins as `last`. */
void day_journal_kept(struct day_journal *j, uint64_t number);

/* The dates that have parts, ascending; *count of them, valid until the next call. */
const int32_t *day_journal_dates(struct day_journal *j, size_t *count);

/* Number of the last window that a date has a part of; 0: it has none. */
uint64_t day_journal_last(struct day_journal *j, int32_t date);

/* Merges a date: `take` gets every source once, in the order of source_day_order(), and may change it; then *sums is what the
 * date came to (may be NULL). `take` may be NULL: sums alone, no source is read. 0, what `take` returned below 0, or
 * -errno and a fault (-EBADMSG: damaged, file and offset named). What `take` got before a fault was sound, each block having
 * been checked before it was believed, but is not all. Where a file is known to be damaged it is -EBADMSG at once, without a source. The parts stay; after -EBADMSG and -ENOENT (a part is gone)
 * day_journal_mend() has something to do. */
int day_journal_read(struct day_journal *j, int32_t date,
                     int (*take)(void *context, struct source_day *d), void *context,
                     struct journal_sums *sums, struct fault *fault);

/* Reads a date's files through and mends what is damaged, or can't be read (-EIO: that may pass, so it is asked for later than for the
 * rest); not beside day_journal_read of it. How many were damaged, or -errno and a
 * fault: what could not be mended (a full disk) is as it was. */
int day_journal_mend(struct day_journal *j, int32_t date, struct fault *fault);

/* All that a date's packets were labelled by, into *bases, which is the caller's to finish; nothing where its files are of a version
 * that did not know. -ENOMEM and a fault. */
int day_journal_bases(struct day_journal *j, int32_t date, struct day_bases *bases,
                      struct fault *fault);

/* A date is in the feed: deletes its parts. 0, also of a date without parts; or -errno and a fault: to be called again. Whatever
 * happens, who opens the journal next finds all of them or none. */
int day_journal_drop(struct day_journal *j, int32_t date, struct fault *fault);

/* What the last merge of files, or check, failed with: its -errno and a fault, for the log. 0: it went well. A damaged file is told until its
 * date is dropped, mended or not. Any thread. */
int day_journal_trouble(struct day_journal *j, struct fault *fault);

/* Waits until there is nothing left to check, mend or merge, what failed before being tried at once. As day_journal_trouble. For tests,
 * benches and whoever has time. */
int day_journal_settle(struct day_journal *j, struct fault *fault);

#endif
