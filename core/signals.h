/* signals: SIGHUP, SIGTERM and SIGINT as calls and as a state, for a program of many threads.
 *
 * A thread of its own reads them from a signalfd; no other thread is ever interrupted. SIGHUP asks to reload; the first of
 * SIGTERM and SIGINT asks to stop, the next one ends the program at once (exit code 1). SIGPIPE is ignored: a
 * reader that went away is an error of a write.
 */
#ifndef CORE_SIGNALS_H
#define CORE_SIGNALS_H

#include "capture/fault.h"

#include <stdbool.h>

struct signals;

/* Called in the signal thread, one at a time; they should be short. Either may be NULL. */
struct signal_calls {
    void (*reload)(void *context);
    void (*stop)(void *context, int signal);
};

/* Before any other thread is started: those inherit what is blocked here. `calls` may be NULL. -errno and a fault. */
int signals_start(struct signals **out, const struct signal_calls *calls, void *context,
                  struct fault *fault);

/* How often a reload was asked for; whether to stop. Any thread, no lock. */
unsigned signals_reloads(const struct signals *s);
bool signals_is_stopping(const struct signals *s);

/* Readable from the first thing on that was asked for until signals_take(): for who waits in poll(). */
int signals_fd(const struct signals *s);
void signals_take(struct signals *s);

/* Ends the thread; signals are as before. Accepts NULL. */
void signals_stop(struct signals *s);

#endif
