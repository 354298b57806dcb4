/* serve_lookup: look-ups for the server: a source or port of its feed, as `source --json` and `port --json` print them.
 *
 * One question at a time (http.h). The feed is listed anew for each, so that what has come since is in it.
 */
#ifndef CORE_SERVE_LOOKUP_H
#define CORE_SERVE_LOOKUP_H

#include "core/config.h"
#include "export/http.h"

/* What http_settings.context points to. */
struct serve_context {
    char *feed;                            /* folder */
    _Atomic(const struct ruleset *) rules; /* may be changed: those before are still looked at */
    const char *program;
};

extern const struct http_lookup serve_lookup;

/* For http_settings: readers of a feed stand on the wall clock (what is late, what is today); a line on stderr, for which nobody waits
 * (core/messages.h). Context is not used. */
int64_t serve_now_ns(void *context);
void serve_say(void *context, const char *text);

#endif
