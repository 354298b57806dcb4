#include "export/record_split.h"

#include <errno.h>
#include <inttypes.h>

enum { LENGTH_MAX = 5 }; /* bytes of a record's length */

int record_split(const uint8_t *bytes, size_t len, struct record_view *view, size_t *used,
                 struct fault *fault)
{
    uint64_t size = 0;
    size_t at = 0;
    do {
        *used = at + 1;
        if (at == LENGTH_MAX)
            return fault_set(fault, EBADMSG, "no length of a record");
        if (at == len)
            return 0;
        size |= (uint64_t)(bytes[at] & 0x7f) << (7 * at);
    } while (bytes[at++] >= 0x80);
    if (size <= RECORD_CRC || size > RECORD_MAX)
        return fault_set(fault, EBADMSG, "no length of a record: %" PRIu64, size);
    *used = at + (size_t)size;
    if (len < *used)
        return 0;
    if (record_view(view, bytes + at, (size_t)size) != 0)
        return fault_set(fault, EBADMSG, "is no Record");
    return 1;
}
