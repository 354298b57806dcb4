/* day_part_mend: a damaged file of the journal becomes one of what is whole in it. What the disk can't read (-EIO) is damaged.
 *
 * Each block of a run holds by itself (core/day_part.h), so what a damaged one had is lost alone: some 64 KB of source days. Behind
 * one whose length is damaged, too, the next is found by its checksum. The new file has all that head and foot said (kinds, ledger,
 * minutes); packets of the lost source days are counted in its given_up.damaged, so that their Day says how many it
 * lacks. The damaged file stays beside it under another name, for whoever wants to know more: the journal never deletes it.
 *
 *   20261121-000000000001-000000000016.part.damaged, and behind it -2, -3, ... where there is another
 *
 * Head and foot are those that were read before, while they were whole. Where they never were (a guess), the caller has put into the sums what it
 * knows from elsewhere; then at least one packet counts as lost. Any one thread per file.
 */
#ifndef CORE_DAY_PART_MEND_H
#define CORE_DAY_PART_MEND_H

#include "core/day_part.h"

#include <stdatomic.h>

/* Reads a run from its first byte to its last. 0; -EBADMSG and a fault with file and offset; -ECANCELED; -errno. */
int day_part_check(const char *path, const struct day_part_info *info,
                   const atomic_bool *is_cancelled, struct fault *fault);

/* Takes a file away under the name that a damaged one gets, which `aside` becomes ("": it is not there). 0, or -errno and a fault: it is
 * where it was. */
int day_part_set_aside(const struct day_part_folder *folder, const char *name,
                       char aside[DAY_PART_NAME], struct fault *fault);

/* What a mending came to. */
struct day_part_loss {
    struct fault first;        /* what was damaged, of several the first: file and offset */
    uint64_t places;           /* that were; 0: all is whole, nothing was done */
    uint64_t sources, packets; /* source days that are lost, and their packets */
    char aside[DAY_PART_NAME]; /* the damaged file's name now; "": it is not there at all */
};

/* Takes the file's place with what is whole of it; *mended is what the new one says of itself, the caller's to finish (all zero where places is
 * 0). A crash leaves the one or the other. 0, or -errno and a fault (-ECANCELED): the file is as it was. Memory: 130 KB and a source day. */
int day_part_mend(const struct day_part_folder *folder, const char *path,
                  const struct day_part_info *info, struct day_part_info *mended,
                  struct day_part_loss *loss, const atomic_bool *is_cancelled, struct fault *fault);

#endif
