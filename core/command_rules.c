#include "classify/rules_text.h"
#include "classify/ruleset.h"
#include "core/command.h"

#include <string.h>

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
    if (ruleset_create(&set, dir, &fault) < 0)
        return command_fail(&fault, is_check ? EXIT_FAILED : EXIT_USAGE);
    if (is_check)
        printf("%s: %zu rules in %zu categories hold; %s %s, sha256 %s\n",
               dir ? dir : "built-in rules", set->rule_count, set->category_count, set->name,
               set->version, set->sha256);
    else
        rules_list(stdout, set, c->is_json);
    ruleset_destroy(set);
    return command_flush(EXIT_DONE);
}
