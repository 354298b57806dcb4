#include "core/command.h"
#include "core/setup.h"
#include "export/crypto_pan.h"

#include <errno.h>

static int key_make(const struct config *c)
{
    struct fault fault;
    if (c->path_count > 0 || c->anonymise != NULL || c->out != NULL) {
        fault_set(&fault, EINVAL, "export: --new-key stands alone: it only writes a key");
        return command_fail(&fault, EXIT_USAGE);
    }
    int err = crypto_pan_new_key(c->new_key, &fault);
    return err == 0 ? EXIT_DONE : command_fail(&fault, err == -EEXIST ? EXIT_USAGE : EXIT_FAILED);
}

int command_export(const struct config *c)
{
    struct ruleset *rules;
    struct crypto_pan pan;
    struct fault fault;
    if (c->new_key != NULL)
        return key_make(c);
    if (c->path_count == 0 || c->out == NULL || c->anonymise == NULL) {
        fault_set(&fault, EINVAL,
                  "export: name feeds, with --out a folder for what they give, and a key with "
                  "--anonymise (--new-key FILE makes one)");
        return command_fail(&fault, EXIT_USAGE);
    }
    if (crypto_pan_read(&pan, c->anonymise, &fault) < 0) {
        fault_prefix(&fault, config_subject(c, "anonymise"));
        return command_fail(&fault, EXIT_USAGE);
    }
    if (setup_rules(&rules, c, &fault) < 0)
        return command_fail(&fault, EXIT_USAGE);
    int code = command_merge_feeds(c, rules, &pan);
    ruleset_destroy(rules);
    return code;
}
