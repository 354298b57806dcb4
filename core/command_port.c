#include "core/command.h"
#include "core/lookup_run.h"
#include "core/progress.h"

#include <errno.h>

int command_port(const struct config *c)
{
    struct lookup_run r;
    const struct lookup_port *found;
    struct fault fault;
    unsigned proto;
    uint16_t port;
    if (c->path_count < 2) {
        fault_set(&fault, EINVAL, "port: name a port (tcp/23), then feeds");
        return command_fail(&fault, EXIT_USAGE);
    }
    if (lookup_port_parse(c->paths[0], &proto, &port, &fault) < 0)
        return command_fail(&fault, EXIT_USAGE);
    int code = lookup_run_begin(&r, c, &fault);
    if (code != EXIT_DONE) {
        lookup_run_end(&r, 0, &fault);
        return code;
    }
    struct progress *progress = progress_start_feed(&r.read);
    int err = lookup_port(r.lookup, proto, port, &found, &fault);
    progress_stop(progress);
    if (err == 0 && c->is_json)
        lookup_json_port(stdout, &r.view, found);
    else if (err == 0)
        lookup_text_port(stdout, &r.view, found, &r.text);
    return lookup_run_end(&r, err, &fault);
}
