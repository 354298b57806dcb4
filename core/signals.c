#include "core/signals.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

struct signals {
    struct signal_calls calls;
    void *context;
    int fd;     /* signals */
    int end_fd; /* the thread is to end */
    int told_fd;
    atomic_uint reloads;
    atomic_bool is_stopping;
    pthread_t thread;
    bool is_running;
    sigset_t before;
    struct sigaction pipe_before;
};

static void event_raise(int fd)
{
    uint64_t one = 1;
    ssize_t written = write(fd, &one, sizeof one);
    (void)written; /* it can only be raised already */
}

static void handle(struct signals *s, int signal)
{
    static const char says[] = "yamiscope: a second signal: ended at once\n";
    if (signal == SIGHUP) {
        atomic_fetch_add_explicit(&s->reloads, 1, memory_order_release);
        if (s->calls.reload)
            s->calls.reload(s->context);
    } else if (atomic_exchange_explicit(&s->is_stopping, true, memory_order_acq_rel)) {
        struct pollfd err = {.fd = STDERR_FILENO, .events = POLLOUT};
        if (poll(&err, 1, 0) == 1) { /* a terminal that stands still must not hold it up */
            ssize_t written = write(STDERR_FILENO, says, sizeof says - 1);
            (void)written;
        }
        _exit(1);
    } else if (s->calls.stop) {
        s->calls.stop(s->context, signal);
    }
    event_raise(s->told_fd);
}

static void *signals_main(void *arg)
{
    struct signals *s = arg;
    (void)pthread_setname_np(pthread_self(), "signals");
    for (;;) {
        struct pollfd fds[2] = {{.fd = s->fd, .events = POLLIN},
                                {.fd = s->end_fd, .events = POLLIN}};
        struct signalfd_siginfo info;
        if (poll(fds, 2, -1) < 0)
            continue;
        if (fds[1].revents)
            return NULL;
        if (read(s->fd, &info, sizeof info) == sizeof info)
            handle(s, (int)info.ssi_signo);
    }
}

int signals_start(struct signals **out, const struct signal_calls *calls, void *context,
                  struct fault *fault)
{
    struct signals *s = calloc(1, sizeof *s);
    sigset_t set;
    *out = NULL;
    if (!s)
        return fault_set(fault, ENOMEM, "signals: %s", strerror(ENOMEM));
    if (calls)
        s->calls = *calls;
    s->context = context;
    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    int err = -pthread_sigmask(SIG_BLOCK, &set, &s->before);
    (void)sigaction(SIGPIPE, &(struct sigaction){.sa_handler = SIG_IGN}, &s->pipe_before);
    s->fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    s->end_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    s->told_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (err == 0 && (s->fd < 0 || s->end_fd < 0 || s->told_fd < 0))
        err = -errno;
    if (err == 0) {
        err = -pthread_create(&s->thread, NULL, signals_main, s);
        s->is_running = err == 0;
    }
    if (err < 0) {
        signals_stop(s);
        return fault_set(fault, -err, "signals: %s", strerror(-err));
    }
    *out = s;
    return 0;
}

unsigned signals_reloads(const struct signals *s)
{
    return atomic_load_explicit(&s->reloads, memory_order_acquire);
}

bool signals_is_stopping(const struct signals *s)
{
    return atomic_load_explicit(&s->is_stopping, memory_order_acquire);
}

int signals_fd(const struct signals *s) { return s->told_fd; }

void signals_take(struct signals *s)
{
    uint64_t count;
    ssize_t got = read(s->told_fd, &count, sizeof count);
    (void)got;
}

void signals_stop(struct signals *s)
{
    if (!s)
        return;
    if (s->is_running) {
        event_raise(s->end_fd);
        pthread_join(s->thread, NULL);
    }
    int fds[] = {s->fd, s->end_fd, s->told_fd};
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    (void)sigaction(SIGPIPE, &s->pipe_before, NULL);
    (void)pthread_sigmask(SIG_SETMASK, &s->before, NULL);
    free(s);
}
