/* feed_header: what a Header record says that readers of its records need.
 *
 * The bytes are a stranger's. Any thread.
 */
#ifndef EXPORT_FEED_HEADER_H
#define EXPORT_FEED_HEADER_H

#include "capture/fault.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FEED_HEADER_TEXT = 256 };

struct feed_header {
    char sensor[FEED_HEADER_TEXT], timezone[FEED_HEADER_TEXT]; /* cut where longer */
    int64_t span_ns;
    bool is_filtered;
};

/* Takes the message's bytes. -EBADMSG and a fault: is no Header. */
int feed_header_take(struct feed_header *out, const uint8_t *body, size_t len, struct fault *fault);

/* That of the newest segment in `dir`, a feed's folder (or of the segment `dir`). -ENOENT and a fault: there is none; -errno. */
int feed_header_read(struct feed_header *out, const char *dir, struct fault *fault);

#endif
