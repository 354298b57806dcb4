/* privilege: a process that gives up what it needed to start.
 *
 * In this order: privilege_harden() before any other thread, since what it sets a thread has for itself and hands on to
 * those it starts; the backends open; privilege_drop(). Capabilities are Linux's (capabilities(7)), a bit for
 * each: 1 << CAP_NET_RAW.
 */
#ifndef CORE_PRIVILEGE_H
#define CORE_PRIVILEGE_H

#include "capture/fault.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Whom to become. */
struct privilege_user {
    uid_t uid;
    gid_t gid;
    gid_t *groups; /* supplementary ones, its own among them */
    int group_count;
};

/* No core dumps (payloads and telescope addresses would lie in them): not dumpable, which also keeps debuggers of the same user
 * out, and RLIMIT_CORE 0. No program that it starts gains privileges. -errno and a fault. */
int privilege_harden(struct fault *fault);

/* Looks a user up, by name or number; -ENOENT and a fault, likewise for root, which would drop nothing. Caller
 * finishes in any case. */
int privilege_find(struct privilege_user *user, const char *name, struct fault *fault);
void privilege_user_fini(struct privilege_user *user); /* accepts all zero */

/* Becomes the user for good, with all threads: groups, group and user, real, effective and saved. The calling thread, and those
 * it starts later, keep the capabilities of `kept`, as far as they had them; other threads keep none. `user` NULL: only gives
 * up the capabilities of the calling thread that are not kept (started by a service manager that has set the
 * user). -EPERM where it is neither that user nor root, or where a way back is left; -errno. Who goes on after a failure
 * may have given up a part. */
int privilege_drop(const struct privilege_user *user, uint64_t kept, struct fault *fault);

#endif
