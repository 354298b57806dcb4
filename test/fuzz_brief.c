/* Any bytes as an Ethernet frame that may be a brief: 4 that choose lengths, then what was caught. */
#include "test/brief_check.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct ruleset *rules;
    static struct payload_scratch *scratch;
    const struct payload_settings settings = {.cache_dir = ""};
    if (!rules) {
        if (ruleset_create(&rules, NULL, NULL) < 0 || payload_load(rules, &settings, NULL) < 0)
            abort();
        scratch = payload_scratch_create(rules);
    }
    if (len < 4)
        return 0;
    uint32_t caught = (uint32_t)len - 4;
    uint8_t *bytes = malloc(caught + 1); /* of its own, so that a read past the end is seen */
    if (!bytes)
        return 0;
    memcpy(bytes, data + 4, caught);
    struct frame f = {.data = bytes,
                      .caplen = caught,
                      .wire_len = caught + data[2],
                      .link_type = data[0] ? 1 : 101};
    enum brief_found found;
    const char *broken = brief_check(&f, data[1] & 15u, rules, scratch, data[3], &found);
    if (broken) {
        (void)fprintf(stderr, "does not hold: %s\n", broken);
        abort();
    }
    free(bytes);
    return 0;
}
