/* Any bytes as a rule file beside a good set.yaml: refused with a message, or a set whose lists
 * can be written, whose patterns are as wide as Hyperscan says and whose payload rules can be turned on or are refused with a message. */
#include "classify/payload.h"
#include "classify/payload_width.h"
#include "classify/rules_text.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* What is told of a pattern without Hyperscan is what Hyperscan says. */
static void ask(const struct ruleset *set)
{
    char why[160];
    for (size_t i = 0; i < set->rule_count; i++) {
        const struct rule_payload *payload = set->rules[i].payload;
        for (unsigned k = 0; payload && k < payload->pattern_count; k++) {
            const struct rule_pattern *p = &payload->patterns[k];
            const char *expression = p->expression + p->anchor;
            unsigned told, asked;
            if (payload_is_built && payload_width(expression, &told) &&
                (payload_regex_check(expression, p->is_nocase, &asked, why, sizeof why) < 0 ||
                 asked != told))
                abort();
        }
    }
}

/* Compiling takes long: small sets alone. */
static void match(struct ruleset *set)
{
    static const struct payload_settings settings = {.cache_dir = ""};
    static const uint8_t bytes[] = "GET / HTTP/1.1\r\n\r\n";
    struct fault fault = {0};
    unsigned patterns = 0;
    for (size_t i = 0; i < set->rule_count; i++)
        patterns += set->rules[i].payload ? set->rules[i].payload->pattern_count : 0;
    if (patterns > 8)
        return;
    if (payload_load(set, &settings, &fault) != 0) {
        if (set->payload || fault.text[0] == '\0')
            abort();
        return;
    }
    struct payload_scratch *scratch = payload_scratch_create(set);
    if (scratch)
        (void)payload_match(set, scratch, PORT_PROTO_TCP, 80, bytes, sizeof bytes - 1);
    payload_scratch_destroy(scratch);
}

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
    ask(set);
    match(set);
    ruleset_destroy(set);
    return 0;
}
