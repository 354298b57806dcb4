/* A service with nothing in it, for test_service.py: does what `live` does around its packets.
 *
 *     service_probe KEEP [USER]      KEEP: 1 keeps CAP_NET_RAW
 *
 * Says on stdout what it was told; stops at the first SIGTERM unless the environment has HANG.
 */
#include "core/notify.h"
#include "core/privilege.h"
#include "core/signals.h"

#include <linux/capability.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void said_stop(void *context, int signal)
{
    (void)context;
    printf("stop %d\n", signal);
    fflush(stdout);
}

static void said_reload(void *context)
{
    (void)context;
    printf("reload\n");
    fflush(stdout);
}

/* A thread that was there before. */
static void *wait_for_ever(void *arg)
{
    (void)arg;
    for (;;)
        pause();
    return NULL;
}

static int fail(const struct fault *fault)
{
    fprintf(stderr, "%s\n", fault->text);
    return 1;
}

static void loop(const struct notify *n, struct signals *signals)
{
    unsigned reloads = 0;
    while (!signals_is_stopping(signals)) {
        struct pollfd fd = {.fd = signals_fd(signals), .events = POLLIN};
        (void)poll(&fd, 1, n->watchdog_ns ? (int)(n->watchdog_ns / 1000000) : -1);
        signals_take(signals);
        if (n->watchdog_ns)
            (void)notify_alive(n);
        if (signals_reloads(signals) != reloads) {
            reloads = signals_reloads(signals);
            (void)notify_reloading(n);
            (void)notify_ready(n);
        }
    }
}

int main(int argc, char **argv)
{
    struct notify n;
    struct fault fault;
    struct signals *signals;
    struct privilege_user user = {0};
    pthread_t thread;
    static const struct signal_calls calls = {said_reload, said_stop};
    uint64_t kept = argc > 1 && argv[1][0] == '1' ? UINT64_C(1) << CAP_NET_RAW : 0;

    if (privilege_harden(&fault) < 0 || signals_start(&signals, &calls, NULL, &fault) < 0)
        return fail(&fault);
    if (notify_open(&n, &fault) < 0)
        return fail(&fault);
    if (pthread_create(&thread, NULL, wait_for_ever, NULL) != 0)
        return 1;
    if (argc > 2 && privilege_find(&user, argv[2], &fault) < 0)
        return fail(&fault);
    if (privilege_drop(argc > 2 ? &user : NULL, kept, &fault) < 0)
        return fail(&fault);
    printf("watchdog %d, socket %s\n", (int)(n.watchdog_ns / 1000000),
           getenv("NOTIFY_SOCKET") ? "left" : "taken");
    fflush(stdout);
    (void)notify_status(&n, "one\nline\x1b of status");
    (void)notify_ready(&n);
    loop(&n, signals);
    (void)notify_stopping(&n);
    if (getenv("HANG"))
        for (;;)
            pause();
    signals_stop(signals);
    notify_close(&n);
    privilege_user_fini(&user);
    return 0;
}
