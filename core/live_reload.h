/* live_reload: rules, lists and watched networks read again while `live` captures, on request (SIGHUP).
 *
 * What the config names is read: the rule folder (without one the rules that are built in), lists of acknowledged scanners, databases
 * of countries and AS, the file of watched networks; the config itself is not. A thread of its own (nice 10, away from the receivers' processors as its
 * maker is) loads and compiles all of it, then offers it to the capture (core/live_rules.h). A file that is not good
 * changes nothing and is said, with its line; where all is as it was, nothing is done. Part of the command.
 */
#ifndef CORE_LIVE_RELOAD_H
#define CORE_LIVE_RELOAD_H

#include "core/live_rules.h"
#include "core/replay_days.h"

struct live_reload_settings {
    const struct config *config;
    const struct setup *setup; /* of the start: telescope, filter, tunnels stay as they are */
    struct live_offer *offer;
    const struct event_settings *events; /* NULL: events are not looked for */
    const struct watched *networks;      /* of the start; NULL: none are watched */
    /* The networks were read and are good: in force from the next window on, or as they were. Behind its return they may be gone. NULL: nobody asks. */
    void (*watched)(void *context, const struct watched *networks);
    void (*say)(void *context, const char *line); /* the thread's; for people */
    void (*begin)(void *context);                 /* around each reading; may be NULL */
    void (*end)(void *context);
    /* Other rules were taken: for readers beside the capture. Without what matches payloads they stay until `uses` says no when the
     * next ones are taken, or live_reload_destroy(). Both or neither. */
    void (*taken)(void *context, const struct ruleset *rules);
    bool (*uses)(void *context, const struct ruleset *rules);
    void *context;
};

struct live_reload;

/* Does nothing until it is asked. Settings are copied, what they point to must outlive it. -errno and a fault. */
int live_reload_start(struct live_reload **out, const struct live_reload_settings *settings,
                      struct fault *fault);

/* Asks for it, at once; asked again before it began, once is enough. Any thread. */
void live_reload_ask(struct live_reload *r);

/* Asking does nothing any more, and `taken`, `uses` and `watched` are not called from when it returns: at once, or when a `watched` that
 * goes on has returned. The capture has ended. NULL is accepted, as by the next ones. */
void live_reload_end(struct live_reload *r);

/* Ends the thread, behind a reading that is going on. Behind the end; nobody asks. */
void live_reload_destroy(struct live_reload *r);

/* What came of it. Any thread. */
struct live_reload_state {
    uint64_t done, unchanged, failed; /* readings */
    int64_t at_ns;                    /* of the last one, UTC; 0: there was none */
    bool has_failed;                  /* it */
    char sha256[65]; /* of the rules that were taken last, those of the start at first */
};

void live_reload_state(struct live_reload *r, struct live_reload_state *state);

#endif
