/* The journal's folder, as a writer finds it and as it ought to be.
 *
 * A date is dropped by one rename: its last file becomes YYYYMMDD-FFFFFFFFFFFF-TTTTTTTTTTTT.done, which says that all
 * files of windows up to T are to go; it goes last. A rename needs no room on a full disk.
 */
#include "core/day_journal_state.h"
#include "core/day_part_mend.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool ends_with(const char *name, const char *end)
{
    size_t len = strlen(name), end_len = strlen(end);
    return len >= end_len && strcmp(name + len - end_len, end) == 0;
}

static int name_fault(const struct day_journal *j, int err, const char *name, const char *what,
                      struct fault *fault)
{
    return fault_set(fault, err, "%.140s/%.90s: %s%s%s", j->dir, name, what, *what ? ": " : "",
                     strerror(err));
}

static void done_name(const struct day_part_id *id, char name[DAY_PART_NAME])
{
    day_part_name(id, name);
    (void)strcpy(strrchr(name, '.'), ".done");
}

static bool done_parse(const char *name, struct day_part_id *id)
{
    char part[DAY_PART_NAME];
    if (!ends_with(name, ".done") || strlen(name) >= sizeof part)
        return false;
    (void)strcpy(part, name);
    (void)strcpy(strrchr(part, '.'), ".part");
    return day_part_name_parse(part, id);
}

static int name_delete(const struct day_journal *j, const char *name, struct fault *fault)
{
    if (unlinkat(j->folder.fd, name, 0) == 0 || errno == ENOENT)
        return 0;
    return name_fault(j, errno, name, "can't delete it", fault);
}

static int file_delete(const struct day_journal *j, const struct day_part_id *id,
                       struct fault *fault)
{
    char name[DAY_PART_NAME];
    day_part_name(id, name);
    return name_delete(j, name, fault);
}

static int folder_sync(const struct day_journal *j, struct fault *fault)
{
    if (fsync(j->folder.fd) == 0)
        return 0;
    return fault_set(fault, errno, "%.200s: can't sync the folder: %s", j->dir, strerror(errno));
}

int journal_folder_drop(struct day_journal *j, const struct journal_date *d, struct fault *fault)
{
    const struct day_part_id *last = &d->files[d->count - 1]->info.id;
    char name[DAY_PART_NAME], done[DAY_PART_NAME];
    day_part_name(last, name);
    done_name(last, done);
    /* Where an earlier call came so far, only the rest is left to do. */
    if (renameat(j->folder.fd, name, j->folder.fd, done) != 0 && errno != ENOENT)
        return name_fault(j, errno, name, "can't rename it", fault);
    int err = folder_sync(j, fault);
    for (size_t i = 0; i + 1 < d->count && err == 0; i++)
        err = file_delete(j, &d->files[i]->info.id, fault);
    if (err == 0 && d->count > 1)
        err = folder_sync(j, fault);
    return err < 0 ? err : name_delete(j, done, fault);
}

/* ---- opening ---- */

/* What lies in the folder. */
struct found {
    struct day_part_id *parts, *done;
    size_t part_count, done_count, room;
};

static int found_add(struct found *f, const struct day_part_id *id, bool is_done)
{
    size_t count = f->part_count > f->done_count ? f->part_count : f->done_count;
    if (count == f->room) {
        size_t room = f->room ? 2 * f->room : 64;
        struct day_part_id *parts = realloc(f->parts, room * sizeof *parts);
        f->parts = parts ? parts : f->parts;
        struct day_part_id *done = realloc(f->done, room * sizeof *done);
        f->done = done ? done : f->done;
        if (!parts || !done)
            return -ENOMEM;
        f->room = room;
    }
    if (is_done)
        f->done[f->done_count++] = *id;
    else
        f->parts[f->part_count++] = *id;
    return 0;
}

/* One entry of the folder; what was never renamed goes. */
static int entry_take(const struct day_journal *j, struct found *f, const char *name,
                      struct fault *fault)
{
    struct day_part_id id;
    int err = 0;
    if (ends_with(name, ".part.new"))
        return name_delete(j, name, fault);
    if (day_part_name_parse(name, &id))
        err = found_add(f, &id, false);
    else if (done_parse(name, &id))
        err = found_add(f, &id, true);
    else if (ends_with(name, ".part") || ends_with(name, ".done"))
        return name_fault(j, EBADMSG, name, "no name that the journal gives", fault);
    return err < 0 ? name_fault(j, -err, name, "", fault) : 0;
}

static int entries_read(const struct day_journal *j, struct found *f, struct fault *fault)
{
    DIR *entries = opendir(j->dir);
    if (!entries)
        return fault_set(fault, errno, "%.200s: %s", j->dir, strerror(errno));
    int err = 0;
    for (const struct dirent *e; err == 0 && (e = readdir(entries));)
        err = entry_take(j, f, e->d_name, fault);
    (void)closedir(entries);
    return err;
}

/* By date, then by the first window, that which covers more first. */
static int id_order(const void *a, const void *b)
{
    const struct day_part_id *x = a, *y = b;
    if (x->date != y->date)
        return x->date < y->date ? -1 : 1;
    if (x->from != y->from)
        return x->from < y->from ? -1 : 1;
    return (x->to < y->to) - (x->to > y->to);
}

static bool is_dropped(const struct found *f, const struct day_part_id *id)
{
    for (size_t i = 0; i < f->done_count; i++)
        if (f->done[i].date == id->date && id->to <= f->done[i].to)
            return true;
    return false;
}

/* Head or foot of a file is damaged, as *fault says: what the feed knows of its windows takes the place of what it said. */
static int part_recall(struct day_journal *j, struct journal_file *f, uint64_t before,
                       struct fault *fault)
{
    const struct day_part_id id = f->info.id;
    struct fault what = *fault;
    int err = day_part_guess(f->path, &id, &f->info, fault);
    if (err == 0)
        err = j->recall(j->context, id.date, id.from, before, &f->info.sums, fault);
    f->is_bad = true;
    if (err == 0 && j->say) {
        char line[sizeof what.text + 96];
        (void)snprintf(line, sizeof line,
                       "%s: what it counted is taken from the feed's windows, if they are there",
                       what.text);
        j->say(j->context, line);
    }
    return err;
}

/* Looks at a file and lists it. Windows from `before` on are of the date's next one. */
static int part_take(struct day_journal *j, const struct day_part_id *id, uint64_t before,
                     struct fault *fault)
{
    struct journal_file *f = journal_file_make(j, id);
    if (!f)
        return fault_set(fault, ENOMEM, "%.200s: no memory", j->dir);
    int err = day_part_look(f->path, j->sensor, j->timezone, &f->info, fault);
    if (err == -EBADMSG && j->recall) {
        f->info.id = *id;
        err = part_recall(j, f, before, fault);
    }
    if (err == 0 && id_order(&f->info.id, id) != 0)
        err = fault_set(fault, EBADMSG, "%.200s: byte 0: is another file by what its head says",
                        f->path);
    if (err == 0 && journal_file_list(j, f) < 0)
        err = fault_set(fault, ENOMEM, "%.200s: no memory", j->dir);
    if (err < 0)
        journal_file_free(f);
    else
        f->is_unchecked = true;
    return err;
}

/* Whether all files that went into a merged one are there still: a merge was cut short before it deleted the first of them, and so does who goes
 * on with that. */
static bool has_sources(const struct found *f, const struct day_part_id *id)
{
    const struct day_part_id *end = f->parts + f->part_count, *first = id + 1, *last = id;
    while (last + 1 < end && last[1].date == id->date && last[1].to <= id->to)
        last++;
    return last > id && first->from == id->from && last->to == id->to;
}

/* Whether a merged file is damaged; what it was made of is better then, so it goes aside. 1: it is gone. */
static int cover_check(struct day_journal *j, const struct day_part_id *id, struct fault *fault)
{
    char name[DAY_PART_NAME], path[PATH_MAX], aside[DAY_PART_NAME], line[512];
    const atomic_bool is_cancelled = false;
    struct day_part_info info = {0};
    struct fault what;
    day_part_name(id, name);
    (void)snprintf(path, sizeof path, "%s/%s", j->dir, name);
    int err = day_part_look(path, j->sensor, j->timezone, &info, &what);
    if (err == 0)
        err = day_part_check(path, &info, &is_cancelled, &what);
    day_part_info_fini(&info);
    if (err != -EBADMSG && err != -EIO)
        return 0; /* what else it is shows where it is taken */
    err = day_part_set_aside(&j->folder, name, aside, fault);
    (void)snprintf(line, sizeof line,
                   "%.255s: nothing is lost, the files that it was merged of are there; it is kept "
                   "as %s",
                   what.text, aside);
    if (err == 0 && j->say)
        j->say(j->context, line);
    return err < 0 ? err : 1;
}

/* What becomes of a part, whose date's next one begins at `before`: `cover` is the one before it that stays. */
static int part_settle(struct day_journal *j, const struct found *f, const struct day_part_id *id,
                       uint64_t before, struct day_part_id *cover, uint64_t last,
                       struct fault *fault)
{
    char name[DAY_PART_NAME];
    day_part_name(id, name);
    if (is_dropped(f, id) || id->from > last)
        return file_delete(j, id, fault);
    if (id->to > last)
        return fault_set(fault, EBADMSG,
                         "%.100s/%s: has windows beyond %" PRIu64 ", where the feed ends: it lost "
                         "some that it had",
                         j->dir, name, last);
    if (cover->date == id->date && id->to <= cover->to)
        return file_delete(j, id, fault);
    if (cover->date == id->date && id->from <= cover->to)
        return fault_set(fault, EBADMSG, "%.140s/%s: has windows of the file before it", j->dir,
                         name);
    int gone = has_sources(f, id) ? cover_check(j, id, fault) : 0;
    if (gone != 0)
        return gone < 0 ? gone : 0;
    *cover = *id;
    return part_take(j, id, before, fault);
}

/* Where the date's next part begins. */
static uint64_t number_behind(const struct found *f, size_t part)
{
    const struct day_part_id *id = &f->parts[part];
    for (size_t i = part + 1; i < f->part_count && f->parts[i].date == id->date; i++)
        if (f->parts[i].from > id->to)
            return f->parts[i].from;
    return UINT64_MAX;
}

int journal_folder_read(struct day_journal *j, uint64_t last, struct fault *fault)
{
    struct found f = {0};
    struct day_part_id cover = {0};
    int err = entries_read(j, &f, fault);
    if (f.part_count > 0)
        qsort(f.parts, f.part_count, sizeof *f.parts, id_order);
    for (size_t i = 0; i < f.part_count && err == 0; i++)
        err = part_settle(j, &f, &f.parts[i], number_behind(&f, i), &cover, last, fault);
    if (err == 0)
        err = folder_sync(j, fault);
    for (size_t i = 0; i < f.done_count && err == 0; i++) {
        char name[DAY_PART_NAME];
        done_name(&f.done[i], name);
        err = name_delete(j, name, fault);
    }
    free(f.parts);
    free(f.done);
    return err;
}
