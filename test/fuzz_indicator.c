/* Any bytes as an exploit's payload: 5 that choose the destination and the port, then the payload. */
#include "test/indicator_check.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct indicator_from from = {.is_dark = check_is_dark};
    if (len < 5)
        return 0;
    from.is_telnet = data[0] & 1;
    from.is_cut = data[0] & 4;
    from.ip_version = data[0] & 2 ? 6 : 4;
    for (unsigned i = 0; i < (from.ip_version == 6 ? 16u : 4u); i++)
        from.dst[i] = data[1 + i % 4];
    uint8_t *bytes =
        malloc(len - 5 + (len == 5)); /* of its own, so that a read past the end is seen */
    if (!bytes)
        return 0;
    memcpy(bytes, data + 5, len - 5);
    const char *broken = indicator_check(bytes, len - 5, &from);
    if (broken) {
        (void)fprintf(stderr, "does not hold: %s\n", broken);
        abort();
    }
    free(bytes);
    return 0;
}
