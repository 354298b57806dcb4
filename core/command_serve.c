#include "core/command.h"
#include "core/messages.h"
#include "core/serve_lookup.h"
#include "core/setup.h"
#include "core/source_indexer.h"
#include "core/version.h"
#include "export/calendar.h"
#include "export/http.h"
#include "export/report_feeds.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* The zone of a feed that may still be empty. Malloced; NULL and a fault. */
static char *zone_read(const struct config *c, const struct ruleset *rules, struct fault *fault)
{
    struct report_feeds *feeds = NULL;
    struct stat st;
    if (stat(c->paths[0], &st) < 0 || !S_ISDIR(st.st_mode)) {
        fault_set(fault, ENOTDIR, "%s: is no folder of a feed", c->paths[0]);
        return NULL;
    }
    int err = report_feeds_open(&feeds, c->paths, 1, rules, false, fault);
    char *zone =
        err < 0 && err != -ENOENT ? NULL : strdup(err < 0 ? "UTC" : report_feeds_timezone(feeds));
    report_feeds_close(feeds);
    return zone;
}

static void wait_for_end(const sigset_t *ends)
{
    int got;
    while (sigwait(ends, &got) != 0)
        ;
}

static int serve(const struct config *c, const struct ruleset *rules, const char *zone,
                 struct fault *fault)
{
    static const struct http_ops ops = {.now_ns = serve_now_ns};
    struct serve_context context = {c->paths[0], rules, VERSION};
    struct http *http;
    sigset_t ends;
    struct http_settings s = {.feed = c->paths[0],
                              .timezone = zone,
                              .program = VERSION,
                              .rules = rules,
                              .listen = c->listen,
                              .tokens = c->tokens,
                              .is_public_open = c->is_public,
                              .tls_cert = c->tls_cert,
                              .tls_key = c->tls_key,
                              .publish_delay_ns = c->publish_delay_ns,
                              .publish_min_sources = (unsigned)c->publish_min_sources,
                              .connections = (unsigned)c->http_connections,
                              .ops = &ops,
                              .lookup = &serve_lookup,
                              .context = &context,
                              .say = serve_say};
    /* Before threads begin, so that all of them leave these to us. */
    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &ends, NULL);
    signal(SIGPIPE, SIG_IGN);
    int err = calendar_zone(zone);
    if (err < 0)
        return fault_set(fault, -err, "%s: the zone can't be set", zone);
    err = http_start(&http, &s, fault);
    if (err < 0)
        return err;
    struct source_indexer *indexer = NULL;
    err = source_indexer_start(&indexer, c->paths[0], fault);
    if (err == 0) {
        printf("%s\n", http_url(http));
        fflush(stdout);
        wait_for_end(&ends);
    }
    source_indexer_stop(indexer);
    http_stop(http);
    (void)messages_flush(&messages_stderr);
    return err;
}

int command_serve(const struct config *c)
{
    struct ruleset *rules = NULL;
    struct fault fault;
    if (c->path_count != 1) {
        fault_set(&fault, EINVAL, "serve: name one feed (a folder)");
        return command_fail(&fault, EXIT_USAGE);
    }
    int err = setup_rules(&rules, c, &fault);
    char *zone = err < 0 ? NULL : zone_read(c, rules, &fault);
    if (err == 0 && zone == NULL)
        err = -fault.err;
    if (err == 0)
        err = serve(c, rules, zone, &fault);
    free(zone);
    ruleset_destroy(rules);
    if (err == 0)
        return command_flush(EXIT_DONE);
    return command_fail(&fault, err == -EINVAL || err == -ENOTDIR ? EXIT_USAGE : EXIT_FAILED);
}
