/* Any bytes as a frame: 8 that choose link type, unwrapping and lengths, then what was caught. */
#include "test/decode_check.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void hold(const char *broken)
{
    if (broken) {
        (void)fprintf(stderr, "does not hold: %s\n", broken);
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const uint32_t links[] = {1, 1, 1, 1, 0, 12, 14, 101, 108, 113, 228, 229, 276, 9};
    if (len < 8)
        return 0;
    uint32_t caught = (uint32_t)len - 8, decap = data[1] & 15u;
    uint8_t *bytes = malloc(caught + 1); /* of its own, so that a read past the end is seen */
    if (!bytes)
        return 0;
    memcpy(bytes, data + 8, caught);
    struct frame f = {
        .data = bytes,
        .caplen = caught,
        .wire_len = caught + (data[2] & 1 ? read_be32(data + 4) % (UINT32_MAX - caught) : data[3]),
        .ts_ns = data[2],
        .link_type = links[data[0] % (sizeof links / sizeof *links)],
    };
    struct observation o, general;
    decode(&f, decap, &o);
    decode_general(&f, decap, &general);
    hold(memcmp(&o, &general, sizeof o) ? "the fast path gives what the general one gives" : NULL);
    hold(decode_check(&f, &o));
    if (o.state & OBSERVATION_QUOTED) {
        struct observation quoted;
        struct frame inside = {bytes + o.payload_at, o.payload_caught, o.payload_caught, 0, 101};
        bool is_readable = decode_quoted(inside.data, inside.caplen, &quoted);
        hold(decode_check(&inside, &quoted));
        hold(is_readable != (quoted.ip_version != 0) ? "a readable quote has a version" : NULL);
    }
    free(bytes);
    return 0;
}
