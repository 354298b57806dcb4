/* journal_trap: the calls by which a journal changes its folder, with a trap in them: at the n-th of them the process is
 * killed, or the call fails, or writes less than it should. Nothing is synced: what a kill leaves is in the folder in any case.
 * Included once by the test that needs it; what it defines takes the place of the C library's.
 */
#ifndef TEST_JOURNAL_TRAP_H
#define TEST_JOURNAL_TRAP_H

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

enum { TRAP_KILL = -1, TRAP_SHORT = -2 }; /* else an errno */

static struct {
    atomic_int left; /* calls until it springs; 0: it is not set */
    atomic_int what;
    atomic_bool of_thread; /* only calls of other threads than the first count */
    atomic_int calls;
    _Atomic(const char *) order[64]; /* the first calls by name */
} trap;

static void trap_set(int left, int what)
{
    atomic_store(&trap.what, what);
    atomic_store(&trap.calls, 0);
    atomic_store(&trap.left, left);
}

/* Whether this call is the one. */
static bool trap_springs(const char *name)
{
    int call = atomic_fetch_add(&trap.calls, 1);
    if (call < 64)
        atomic_store(&trap.order[call], name);
    bool is_first = syscall(SYS_gettid) == getpid();
    if (atomic_load(&trap.left) == 0 || (atomic_load(&trap.of_thread) && is_first))
        return false;
    return atomic_fetch_sub(&trap.left, 1) == 1;
}

/* What a call does that has sprung it. */
static int trap_fail(void)
{
    int what = atomic_load(&trap.what);
    if (what == TRAP_KILL)
        (void)kill(getpid(), SIGKILL);
    errno = what > 0 ? what : EIO;
    return -1;
}

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t at)
{
    if (!trap_springs("pwrite"))
        return (ssize_t)syscall(SYS_pwrite64, fd, bytes, len, at);
    ssize_t half = (ssize_t)syscall(SYS_pwrite64, fd, bytes, (len + 1) / 2, at); /* are there */
    return atomic_load(&trap.what) == TRAP_SHORT ? half : trap_fail();
}

int fdatasync(int fd) { return trap_springs("fdatasync") ? trap_fail() : 0; }

int fsync(int fd) { return trap_springs("fsync") ? trap_fail() : 0; }

int renameat(int from_fd, const char *from, int to_fd, const char *to)
{
    return trap_springs("renameat") ? trap_fail()
                                    : (int)syscall(SYS_renameat2, from_fd, from, to_fd, to, 0);
}

int unlinkat(int fd, const char *name, int flags)
{
    if (trap_springs("unlinkat"))
        return trap_fail();
    return (int)syscall(SYS_unlinkat, fd, name, flags);
}

int unlink(const char *name)
{
    if (trap_springs("unlink") && atomic_load(&trap.what) == TRAP_KILL)
        return trap_fail();
    return (int)syscall(SYS_unlink, name);
}

#endif
