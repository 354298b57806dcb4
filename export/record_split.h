/* record_split: whole Records out of bytes as they come from a stranger: `varint length + Record`, one after the other.
 *
 * Pure function.
 */
#ifndef EXPORT_RECORD_SPLIT_H
#define EXPORT_RECORD_SPLIT_H

#include "capture/fault.h"
#include "export/record.h"

#include <stddef.h>
#include <stdint.h>

/* 1: *view is the first record of `bytes` and points into them, *used how many it takes with its length. 0: it is not all there yet;
 * *used is how many there must be at least. -EBADMSG and a fault: this is no Record. Its crc is not computed: that is the
 * connection's to hold. */
int record_split(const uint8_t *bytes, size_t len, struct record_view *view, size_t *used,
                 struct fault *fault);

#endif
