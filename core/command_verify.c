#include "core/command.h"
#include "export/feed_log.h"

#include <inttypes.h>

static void print_json(const char *path, const struct feed_check *check)
{
    printf("{\"feed\":\"");
    for (const char *c = path; *c; c++) {
        if ((unsigned char)*c < 0x20)
            printf("\\u%04x", (unsigned char)*c);
        else
            printf(*c == '"' || *c == '\\' ? "\\%c" : "%c", *c);
    }
    printf("\",\"ok\":true,\"closed\":%s,\"segments\":%" PRIu64 ",\"records\":%" PRIu64
           ",\"windows\":%" PRIu64 ",\"parts\":%" PRIu64 ",\"packets\":%" PRIu64
           ",\"bytes\":%" PRIu64 ",\"offered\":%" PRIu64 ",\"observed\":%" PRIu64
           ",\"dropped\":%" PRIu64 ",\"late\":%" PRIu64 ",\"rules_checked\":%s}\n",
           check->closed ? "true" : "false", check->segments, check->records, check->windows,
           check->parts, check->packets, check->bytes, check->offered, check->observed,
           check->dropped, check->late, check->rules_checked ? "true" : "false");
}

static void print_text(const char *path, const struct feed_check *check)
{
    printf("%s: holds\n"
           "  %" PRIu64 " segments, %" PRIu64 " records, %" PRIu64 " windows (%" PRIu64
           " of them later parts)%s\n"
           "  offered %" PRIu64 " = observed %" PRIu64 " + dropped %" PRIu64 "; %" PRIu64
           " late; %" PRIu64 " bytes\n"
           "  counts by rule and IoT target: %s\n",
           path, check->segments, check->records, check->windows, check->parts,
           check->closed ? "" : "; the last segment was not finished", check->offered,
           check->observed, check->dropped, check->late, check->bytes,
           check->rules_checked ? "computed again from the ports"
                                : "not computed again: made with other rules (--rules names them)");
}

static int verify(const struct config *c, const struct ruleset *rules)
{
    for (size_t i = 0; i < c->path_count; i++) {
        struct feed_check check;
        struct fault fault;
        if (feed_log_verify_rules(c->paths[i], rules, &check, &fault) < 0)
            return command_fail(&fault, EXIT_FAILED);
        if (c->is_json)
            print_json(c->paths[i], &check);
        else
            print_text(c->paths[i], &check);
    }
    return command_flush(EXIT_DONE);
}

int command_verify(const struct config *c)
{
    struct ruleset *rules;
    struct fault fault;
    if (c->path_count == 0) {
        fault_set(&fault, 0, "verify: name a feed (a folder, or one of its segments)");
        return command_fail(&fault, EXIT_USAGE);
    }
    if (ruleset_create(&rules, c->rules, &fault) < 0)
        return command_fail(&fault, EXIT_USAGE);
    int code = verify(c, rules);
    ruleset_destroy(rules);
    return code;
}
