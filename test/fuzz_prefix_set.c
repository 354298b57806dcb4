/* Any bytes as a file of prefixes. */
#include "classify/prefix_set.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct prefix_set *set;
    struct fault fault = {0};
    if (prefix_set_create_from(&set, "fuzz", (const char *)data, len, &fault) != 0) {
        if (set || fault.text[0] == '\0')
            abort();
        return 0;
    }
    uint8_t address[16] = {0};
    for (unsigned i = 0; i < 256 && len > 0; i++) {
        address[i & 15] ^= data[i % len];
        (void)prefix_set_holds(set, address, 4);
        (void)prefix_set_holds(set, address, 6);
    }
    prefix_set_destroy(set);
    return 0;
}
