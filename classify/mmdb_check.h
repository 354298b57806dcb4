/* mmdb_check: whether every look-up in a MaxMind DB file stays inside it.
 *
 * Databases are a stranger's bytes, and libmaxminddb trusts parts of them: 1.7.1 (Debian 12) answers from files whose
 * records lead into the separator between tree and data, and leaks memory over some metadata. So the whole
 * file is walked once, when it is opened: metadata, every record of the search tree, every value that a record leads
 * to. Pure; memory: one byte per byte of data, while it runs.
 *
 * Source: MaxMind DB File Format Specification 2.0, https://maxmind.github.io/MaxMind-DB/.
 */
#ifndef CLASSIFY_MMDB_CHECK_H
#define CLASSIFY_MMDB_CHECK_H

#include "capture/fault.h"

#include <stddef.h>
#include <stdint.h>

enum {
    MMDB_NEST_MAX = 32, /* values in each other, pointers followed; real ones have 5 */
    MMDB_WORK_FACTOR =
        16, /* values looked at per byte; each is looked at about once where none point */
};

struct mmdb_layout {
    uint32_t node_count, ip_version;
    unsigned record_bits; /* 24, 28, 32 */
};

/* 0, or -EINVAL with what is wrong and where ("NAME: byte 1234: ..."); -ENOMEM. */
int mmdb_check(struct mmdb_layout *out, const char *name, const uint8_t *bytes, size_t len,
               struct fault *fault);

#endif
