/* lookup_run: what the commands source and port have in common. Main thread. */
#ifndef CORE_LOOKUP_RUN_H
#define CORE_LOOKUP_RUN_H

#include "core/command.h"
#include "export/feed_log.h"
#include "export/lookup.h"
#include "export/report.h"

struct lookup_run {
    const struct config *config;
    struct ruleset *rules;
    struct geo *country, *as;
    struct lookup *lookup;
    struct lookup_view view;
    struct report_text_settings text;
    struct feed_progress read;
};

/* Opens the feeds, paths[1] and further, for what the options say; sets the process's zone to theirs. EXIT_DONE, or what the command
 * returns, said on stderr. Ended in any case. */
enum exit_code lookup_run_begin(struct lookup_run *r, const struct config *c, struct fault *fault);

/* Prints what was damaged, flushes stdout. `err`: of the question, with its fault. Returns what the command does. */
enum exit_code lookup_run_end(struct lookup_run *r, int err, const struct fault *fault);

#endif
