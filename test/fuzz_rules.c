/* Any bytes as a rule file beside a good set.yaml: refused with a message, or a set whose lists
 * can be written. */
#include "classify/rules_text.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const char set_yaml[] = "name: fuzz\nversion: 1\n";
    const struct rule_source sources[] = {
        {"x.yaml", data, len},
        {"set.yaml", set_yaml, sizeof set_yaml - 1},
    };
    struct ruleset *set;
    struct fault fault = {0};
    if (len > RULE_FILE_BYTES_MAX)
        return 0;
    if (ruleset_create_from(&set, sources, 2, "", &fault) != 0) {
        if (set || fault.text[0] == '\0')
            abort();
        return 0;
    }
    FILE *null = fopen("/dev/null", "w");
    if (null) {
        rules_list(null, set, false);
        rules_list(null, set, true);
        fclose(null);
    }
    ruleset_destroy(set);
    return 0;
}
