/* set_clock: a wall clock that a test may set, for a program that is started with LD_PRELOAD. What it is ahead of the system's (ns, 8
 * bytes, this machine's order) stands in the file that SET_CLOCK names, and may change at any time: a step. CLOCK_MONOTONIC and timers
 * stay the system's, as they do when a real clock is set. Without the file it is the system's clock. The kernel's stamps of packets are
 * the system's, too: they lie in another time than this clock's, which a program must bear (capture/live_clock.h, clock_pair_map). */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const int64_t second_ns = 1000000000;
static const int64_t zero;
static const volatile int64_t *ahead = &zero;

__attribute__((constructor)) static void clock_open(void)
{
    const char *path = getenv("SET_CLOCK");
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *at = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof *ahead, PROT_READ, MAP_SHARED, fd, 0);
    if (at != MAP_FAILED)
        ahead = at;
    if (fd >= 0)
        (void)close(fd);
}

/* The C library's own needs no system call; this one is for tests. */
int clock_gettime(clockid_t id, struct timespec *t)
{
    if (syscall(SYS_clock_gettime, id, t) != 0)
        return -1;
    if (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE) {
        int64_t ns = t->tv_sec * second_ns + t->tv_nsec + *ahead;
        t->tv_sec = ns / second_ns;
        t->tv_nsec = ns % second_ns;
    }
    return 0;
}

int gettimeofday(struct timeval *restrict to, void *restrict zone)
{
    struct timespec t;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &t);
    *to = (struct timeval){t.tv_sec, t.tv_nsec / 1000};
    return 0;
}

time_t time(time_t *to)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    if (to)
        *to = t.tv_sec;
    return t.tv_sec;
}
