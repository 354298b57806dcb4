/* day_part: a file of the journal (core/day_journal.h): what some windows have of a date, its source days in one run that is
 * sorted by address, each source once.
 *
 *   file  = head, blocks of the run, foot; each of them a block
 *   block = u32 length of the content, u32 crc, content
 *   head  = "yamiday1", u32 length of the foot's content, i32 date, u64 first and last window, u16 length and bytes of
 *           sensor and of zone
 *   run   = whole records (varint length + Record with a SourceDay, export/record.h), about 64 KB together, or one
 *           larger record
 *   foot  = u64 windows (files that were merged), u64 source days, u32 how many kinds, drops and minute words follow,
 *           u32 bytes of bases; then u64 each: kinds (packets, bytes), ports, rules, sources and damaged given up, ledger (offered,
 *           observed, late, unknown, drops), minute words; then the bases (core/day_bases.h)
 *
 * Little-endian. A crc is the feed's (record_crc) over the head's crc (in the head: 0), the block's offset in the file (u64), its length
 * (u32) and its content: no block can stand elsewhere, or in another file, unnoticed, and readers need not have read what stands
 * before it. A version that has more kinds or reasons reads the files of one that had fewer.
 *
 * A reader believes no block before its crc held, and even then holds lengths to their bounds, records to their form and
 * addresses to their order; what does not hold is -EBADMSG and a fault with file and offset. Each writer and reader: one thread.
 */
#ifndef CORE_DAY_PART_H
#define CORE_DAY_PART_H

#include "core/day_journal.h"
#include "export/file_pool.h"

enum {
    DAY_PART_BLOCK = 64 << 10, /* bytes of content, unless a record is larger */
    DAY_PART_TEXT = 1024,      /* of sensor and zone */
    DAY_PART_NAME = 96,        /* holds a file's name */
};

/* Which file it is. */
struct day_part_id {
    int32_t date;
    uint64_t from, to; /* windows */
};

/* "20261121-000000000001-000000000016.part" */
void day_part_name(const struct day_part_id *id, char name[DAY_PART_NAME]);

/* The other way; false: no file has this name. */
bool day_part_name_parse(const char *name, struct day_part_id *id);

/* What head and foot say. */
struct day_part_info {
    struct day_part_id id;
    uint64_t windows, sources;
    struct journal_sums sums;
    uint32_t crc;             /* of the head */
    uint64_t run_at, foot_at; /* where the run begins and ends */
    struct day_bases bases;
    bool is_guess; /* day_part_guess() made it: only day_part_mend() takes it */
};

/* Accepts all zero. */
void day_part_info_fini(struct day_part_info *info);

/* ---- writing ---- */

/* Where files are written. */
struct day_part_folder {
    const char *dir;
    int fd;
    const char *sensor, *timezone;
};

struct day_part_writer;

/* Begins a file under its name with ".new" behind it. `bases` (may be NULL: none) must outlive the writer. 0, or -errno and a fault
 * naming it. */
int day_part_create(struct day_part_writer **out, const struct day_part_folder *folder,
                    const struct day_part_id *id, const struct day_bases *bases,
                    struct fault *fault);

/* Appends a whole record with its length in front; the caller's records are in order. -errno: the file can only be abandoned. */
int day_part_append(struct day_part_writer *w, const uint8_t *record, size_t len,
                    struct fault *fault);

/* Writes the foot, syncs, renames, syncs the folder; *info is what it then says of itself, the caller's to finish. The writer is freed in any
 * case; after a failure nothing of the file is there. */
int day_part_finish(struct day_part_writer *w, uint64_t windows, const struct journal_sums *sums,
                    struct day_part_info *info, struct fault *fault);
void day_part_abandon(struct day_part_writer *w); /* accepts NULL */

/* ---- reading ---- */

/* Reads and checks head and foot of a file of that sensor and zone (-EINVAL: of others, or of
 * another version: what it says is no damage). Caller finishes *info in any case. */
int day_part_look(const char *path, const char *sensor, const char *timezone,
                  struct day_part_info *info, struct fault *fault);

/* Of a file whose head or foot day_part_look() refused: where its run may stand, as far as that can be told. Sums and bases are nothing. 0, or
 * -errno and a fault. */
int day_part_guess(const char *path, const struct day_part_id *id, struct day_part_info *info,
                   struct fault *fault);

/* A run being read; the next record. Begins as all zero. */
struct day_part_reader {
    const uint8_t *record, *body; /* valid until the reader goes on */
    size_t record_len, body_len;
    uint32_t version;         /* of IP; 0: before the first */
    unsigned __int128 number; /* the address as a number; sources ascend by version and number */

    const char *path;
    int32_t date;
    uint8_t date_field[8]; /* what each record's body begins with */
    size_t date_len;
    struct file_pool *pool;
    struct pooled_file file;
    uint64_t at, foot_at; /* next block; end of the run */
    uint64_t content_at;  /* where the block's content begins in the file, or the run in memory */
    uint32_t crc;
    uint8_t *bytes; /* the block; NULL: the run is in memory */
    size_t size;
    const uint8_t *content, *next, *end; /* of the block */
};

/* Of a file that was looked at; `path` and `pool` must outlive it. It must not move. */
void day_part_reader_init(struct day_part_reader *r, struct file_pool *pool, const char *path,
                          const struct day_part_info *info);

/* Of a run in memory; `name` says in faults what it is. */
void day_part_reader_init_memory(struct day_part_reader *r, const char *name, int32_t date,
                                 const uint8_t *bytes, size_t len);
void day_part_reader_fini(struct day_part_reader *r);

/* 1: there is a next record; 0: the run has ended; -errno and a fault. */
int day_part_reader_next(struct day_part_reader *r, struct fault *fault);

/* After -EBADMSG, or -EIO: goes on behind what is damaged, at the next block that holds, or at the run's end. Not in memory. */
void day_part_reader_skip(struct day_part_reader *r);

/* Unpacks the record: -EBADMSG where it does not hold. */
int day_part_reader_unpack(const struct day_part_reader *r, struct source_day_buffer *to,
                           struct fault *fault);

#endif
