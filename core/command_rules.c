#include "classify/payload.h"
#include "classify/rules_text.h"
#include "classify/ruleset.h"
#include "core/command.h"
#include "export/json_string.h"
#include "export/text.h"

#include <errno.h>
#include <string.h>

static void print_good(const char *dir, const struct ruleset *set)
{
    char a[TEXT_COUNTED], b[TEXT_COUNTED];
    printf("%s: %s in %s: sound; %s %s, sha256 %s\n", dir ? dir : "built-in rules",
           text_counted(set->rule_count, "rule", "rules", a),
           text_counted(set->category_count, "category", "categories", b), set->name, set->version,
           set->sha256);
    if (set->payload_off)
        printf("rules for payloads are off: %s; their regular expressions were not checked\n",
               set->payload_off);
}

/* `dir` NULL: the built-in rules. */
static void print_begin(const char *dir, bool is_ok)
{
    printf("{\"dir\":");
    if (dir)
        json_string(stdout, dir);
    else
        printf("null");
    printf(",\"ok\":%s,\"reason\":", is_ok ? "true" : "false");
}

static void print_good_json(const char *dir, const struct ruleset *set)
{
    print_begin(dir, true);
    printf("null,\"rules\":%zu,\"categories\":%zu,\"name\":\"%s\",\"version\":\"%s\","
           "\"sha256\":\"%s\",\"payload_rules_off\":",
           set->rule_count, set->category_count, set->name, set->version, set->sha256);
    if (set->payload_off)
        json_string(stdout, set->payload_off);
    else
        printf("null");
    printf("}\n");
}

static void print_bad(const char *dir, const struct fault *fault)
{
    print_begin(dir, false);
    json_string(stdout, fault->text);
    printf("}\n");
}

int command_rules(const struct config *c)
{
    struct fault fault;
    struct ruleset *set;
    const char *what = c->path_count ? c->paths[0] : "";
    bool is_check = !strcmp(what, "check");

    if ((!is_check && strcmp(what, "list")) || c->path_count > 2) {
        fault_set(&fault, 0, "rules: say `rules list [DIR]` or `rules check [DIR]`");
        return command_fail(&fault, EXIT_USAGE);
    }
    const char *dir = c->path_count == 2 ? c->paths[1] : c->rules;
    int err = ruleset_create(&set, dir, &fault);
    if (err == 0)
        err = payload_load(set, NULL, &fault);
    if (err < 0) {
        ruleset_destroy(set);
        if (is_check && c->is_json)
            print_bad(dir, &fault);
        bool is_missing = err == -ENOENT || err == -ENOTDIR;
        return command_fail(&fault, is_check && !is_missing ? EXIT_FAILED : EXIT_USAGE);
    }
    if (is_check)
        (c->is_json ? print_good_json : print_good)(dir, set);
    else
        rules_list(stdout, set, c->is_json);
    ruleset_destroy(set);
    return command_flush(EXIT_DONE);
}
