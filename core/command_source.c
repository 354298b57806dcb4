#include "core/command.h"
#include "core/lookup_run.h"
#include "core/progress.h"

#include <errno.h>

int command_source(const struct config *c)
{
    struct lookup_run r;
    struct lookup_key key;
    const struct lookup_source *found;
    struct fault fault;
    if (c->path_count < 2) {
        fault_set(&fault, EINVAL, "source: name an address, a prefix or an AS, then feeds");
        return command_fail(&fault, EXIT_USAGE);
    }
    if (lookup_key_parse(&key, c->paths[0], &fault) < 0)
        return command_fail(&fault, EXIT_USAGE);
    int code = lookup_run_begin(&r, c, &fault);
    if (code != EXIT_DONE) {
        lookup_run_end(&r, 0, &fault);
        return code;
    }
    struct progress *progress = progress_start_feed(&r.read);
    int err = lookup_source(r.lookup, &key, &found, &fault);
    progress_stop(progress);
    if (err == 0 && c->is_json)
        lookup_json_source(stdout, &r.view, found);
    else if (err == 0)
        lookup_text_source(stdout, &r.view, found, &r.text);
    return lookup_run_end(&r, err, &fault);
}
