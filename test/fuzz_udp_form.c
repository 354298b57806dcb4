/* Any bytes as a UDP payload: 6 that choose ports and length, then what was caught. */
#include "test/udp_form_check.h"

#include "capture/cursor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len < 6)
        return 0;
    uint32_t caught = (uint32_t)len - 6;
    uint8_t *bytes = malloc(caught + 1); /* of its own, so that a read past the end is seen */
    if (!bytes)
        return 0;
    memcpy(bytes, data + 6, caught);
    struct udp_payload p = {bytes, caught, caught + (data[4] & 1 ? read_be16(data + 4) : 0u)};
    const char *broken = udp_form_check(read_be16(data), read_be16(data + 2), &p);
    (void)payload_tool_set(IPPROTO_NR_TCP, read_be16(data + 2), bytes, caught, p.len);
    if (broken) {
        (void)fprintf(stderr, "does not hold: %s\n", broken);
        abort();
    }
    free(bytes);
    return 0;
}
