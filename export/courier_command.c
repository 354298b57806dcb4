#include "export/courier_state.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static uint64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* The letter as a file: who does not read it keeps nobody waiting. */
static int letter_open(const struct courier_letter *letter)
{
    int fd = memfd_create("event", MFD_CLOEXEC);
    size_t len = letter->len + 1;
    if (fd >= 0 && (write(fd, letter->json, len) != (ssize_t)len || lseek(fd, 0, SEEK_SET) < 0)) {
        close(fd);
        return -1;
    }
    return fd;
}

/* A process group of its own, no signal blocked or ignored, no descriptor beyond the three. */
static int spawn(const struct courier_spec *s, const struct courier_letter *letter, int in,
                 pid_t *pid)
{
    char *type = (char *)(uintptr_t)event_type_name(letter->event->type);
    char *target = (char *)(uintptr_t)s->target;
    char *plain[] = {target, type, NULL};
    char *shell[] = {"/bin/sh", "-c", target, "sh", type, NULL};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t how;
    sigset_t none, all;
    int err;
    sigemptyset(&none);
    sigfillset(&all);
    if (posix_spawn_file_actions_init(&files) != 0)
        return -ENOMEM;
    if (posix_spawnattr_init(&how) != 0) {
        posix_spawn_file_actions_destroy(&files);
        return -ENOMEM;
    }
    err = posix_spawn_file_actions_adddup2(&files, in, STDIN_FILENO);
    if (err == 0)
        err = posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    if (err == 0)
        err = posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
    if (err == 0)
        err = posix_spawnattr_setflags(&how, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                                 POSIX_SPAWN_SETSIGDEF);
    if (err == 0)
        err = posix_spawnattr_setsigmask(&how, &none);
    if (err == 0)
        err = posix_spawnattr_setsigdefault(&how, &all);
    if (err == 0)
        err = posix_spawn(pid, s->has_shell ? shell[0] : target, &files, &how,
                          s->has_shell ? shell : plain, environ);
    posix_spawnattr_destroy(&how);
    posix_spawn_file_actions_destroy(&files);
    return -err;
}

/* Until it ends, time is over or somebody stops it: then its whole group goes. *status as waitpid has it; false: it was ended. */
static bool wait_for(pid_t pid, uint64_t timeout_ms, const atomic_bool *is_stopped, int *status)
{
    enum { LOOK_MS = 200 };
    uint64_t end = now_ms() + timeout_ms, now;
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    bool is_over = false;
    while (!is_over && (now = now_ms()) < end &&
           !atomic_load_explicit(is_stopped, memory_order_relaxed)) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        int ms = end - now < LOOK_MS ? (int)(end - now) : LOOK_MS;
        if (fd < 0) /* a kernel before 5.3: look more often */
            ms = ms < 20 ? ms : 20;
        (void)poll(&p, fd < 0 ? 0 : 1, ms);
        is_over = waitpid(pid, status, WNOHANG) == pid;
    }
    if (fd >= 0)
        close(fd);
    if (is_over)
        return true;
    (void)kill(-pid, SIGKILL);
    while (waitpid(pid, status, 0) < 0 && errno == EINTR)
        continue;
    return false;
}

int courier_run(const struct courier_spec *s, const struct courier_letter *letter,
                const atomic_bool *is_stopped, struct fault *fault)
{
    pid_t pid;
    int status, in = letter_open(letter), err;
    if (in < 0)
        return fault_set(fault, errno, "%.150s: %s", s->name, strerror(errno));
    err = spawn(s, letter, in, &pid);
    close(in);
    if (err < 0)
        return fault_set(fault, -err, "%.150s: %s", s->name, strerror(-err));
    if (!wait_for(pid, s->timeout_ms, is_stopped, &status))
        return fault_set(fault, ETIMEDOUT, "%.150s: did not end within %llu s", s->name,
                         (unsigned long long)s->timeout_ms / 1000);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    return WIFEXITED(status)
               ? fault_set(fault, EIO, "%.150s: exit %d", s->name, WEXITSTATUS(status))
               : fault_set(fault, EIO, "%.150s: ended by signal %d", s->name, WTERMSIG(status));
}
