/* payload_case: a rule set of a test's own with its payload rules on. */
#ifndef TEST_PAYLOAD_CASE_H
#define TEST_PAYLOAD_CASE_H

#include "classify/payload.h"

#include <string.h>

#define PAYLOAD_RULE(id, breadth, section)                              \
    "  - {id: " id ", " breadth                                         \
    "device: {en: e, ja: j}, basis: {strength: published, source: s}, " \
    "payload: {" section "}}\n"
#define STRICT "breadth: strict, "
#define SHARED "breadth: shared, "

/* `iot`, `web`: the rules of a file, "" for none. 0, or what creating or loading gave. */
static inline int payload_case(struct ruleset **set, const char *iot, const char *web,
                               const struct payload_settings *settings, struct fault *fault)
{
    static const char set_yaml[] = "name: case\nversion: 1\n";
    static char iot_yaml[1 << 16], web_yaml[1 << 16];
    struct rule_source sources[3] = {{"set.yaml", set_yaml, sizeof set_yaml - 1}};
    size_t count = 1;
    *fault = (struct fault){0};
    *set = NULL;
    if (iot[0]) {
        strcat(strcpy(iot_yaml, "category: iot\nrules:\n"), iot);
        sources[count++] = (struct rule_source){"iot.yaml", iot_yaml, strlen(iot_yaml)};
    }
    if (web[0]) {
        strcat(strcpy(web_yaml, "category: web\nrules:\n"), web);
        sources[count++] = (struct rule_source){"web.yaml", web_yaml, strlen(web_yaml)};
    }
    int err = ruleset_create_from(set, sources, count, "", fault);
    if (err == 0)
        err = payload_load(*set, settings, fault);
    if (err) {
        ruleset_destroy(*set);
        *set = NULL;
    }
    return err;
}

#endif
