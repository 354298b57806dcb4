/* payload without Hyperscan: rules are read and listed, and none holds. */
#include "classify/payload.h"
#include "classify/payload_finder.h"

#include <stdlib.h>

const bool payload_is_built = false;

int payload_load(struct ruleset *set, const struct payload_settings *settings, struct fault *fault)
{
    set->payload_off = "built without Hyperscan";
    return 0;
}

void payload_destroy(struct payload *p) {}

unsigned payload_databases(const struct ruleset *set) { return 0; }
bool payload_is_cached(const struct ruleset *set) { return false; }

/* Any memory will do: nobody looks into it. */
struct payload_scratch *payload_scratch_create(const struct ruleset *set) { return calloc(1, 1); }
void payload_scratch_destroy(struct payload_scratch *s) { free(s); }

uint16_t payload_match(const struct ruleset *set, struct payload_scratch *scratch, unsigned proto,
                       uint16_t port, const uint8_t *bytes, size_t len)
{
    return RULE_NONE;
}

uint16_t payload_scan(const struct ruleset *set, struct payload_scratch *scratch, unsigned proto,
                      uint16_t port, const uint8_t *bytes, size_t len)
{
    return RULE_NONE;
}

int payload_regex_check(const char *regex, bool is_nocase, unsigned *min_len, char *why,
                        size_t size)
{
    *min_len = 1;
    return 0;
}

/* Any memory will do here, too. */
struct payload_finder *payload_finder_create(const struct ruleset *set) { return calloc(1, 1); }
void payload_finder_destroy(struct payload_finder *f) { free(f); }

unsigned payload_finder_find(struct payload_finder *f, uint16_t rule, const uint8_t *bytes,
                             size_t len, uint16_t offsets[RULE_CLAUSES_MAX])
{
    return 0;
}
