#include "core/privilege.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

static int failed(struct fault *fault, const char *what)
{
    int err = errno;
    return fault_set(fault, err, "%s: %s", what, strerror(err));
}

int privilege_harden(struct fault *fault)
{
    const struct rlimit none = {0, 0};
    if (setrlimit(RLIMIT_CORE, &none) < 0)
        return failed(fault, "no core dumps");
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        return failed(fault, "not dumpable");
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return failed(fault, "no new privileges");
    return 0;
}

static int groups_find(struct privilege_user *user, const char *name)
{
    enum { GROUPS_MAX = 65536 };
    int count = 32;
    for (;;) {
        gid_t *grown = realloc(user->groups, (size_t)count * sizeof *grown);
        if (!grown)
            return -ENOMEM;
        user->groups = grown;
        user->group_count = count;
        if (getgrouplist(name, user->gid, user->groups, &user->group_count) >= 0)
            return 0;
        if (count >= GROUPS_MAX)
            return -E2BIG;
        count *= 2;
    }
}

int privilege_find(struct privilege_user *user, const char *name, struct fault *fault)
{
    *user = (struct privilege_user){0};
    errno = 0;
    const struct passwd *entry = getpwnam(name);
    if (!entry && name[0] >= '0' && name[0] <= '9') {
        char *end;
        unsigned long uid = strtoul(name, &end, 10);
        entry = *end || uid >= UINT32_MAX ? NULL : getpwuid((uid_t)uid);
    }
    if (!entry)
        return fault_set(fault, ENOENT, "'%.80s' is no user of this system", name);
    if (entry->pw_uid == 0)
        return fault_set(fault, ENOENT, "'%.80s' is root: nothing would be dropped", name);
    user->uid = entry->pw_uid;
    user->gid = entry->pw_gid;
    int err = groups_find(user, entry->pw_name);
    return err < 0 ? fault_set(fault, -err, "groups of '%.80s': %s", name, strerror(-err)) : 0;
}

void privilege_user_fini(struct privilege_user *user)
{
    free(user->groups);
    *user = (struct privilege_user){0};
}

/* Leaves the calling thread those of its capabilities that are kept. */
static int capabilities_limit(uint64_t kept)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];
    if (syscall(SYS_capget, &header, data) < 0)
        return -1;
    for (unsigned i = 0; i < 2; i++) {
        data[i].permitted &= (uint32_t)(kept >> 32 * i);
        data[i].effective = data[i].permitted;
        data[i].inheritable = 0;
    }
    (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    return (int)syscall(SYS_capset, &header, data);
}

/* glibc's calls take all threads along. */
static int user_become(const struct privilege_user *user, struct fault *fault)
{
    bool is_root = geteuid() == 0;
    if (!is_root && (geteuid() != user->uid || getegid() != user->gid))
        return fault_set(fault, EPERM, "user: only root becomes another one");
    if (is_root && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
        return failed(fault, "capabilities");
    if (is_root && setgroups((size_t)user->group_count, user->groups) < 0)
        return failed(fault, "groups");
    if (setresgid(user->gid, user->gid, user->gid) < 0)
        return failed(fault, "group");
    if (setresuid(user->uid, user->uid, user->uid) < 0)
        return failed(fault, "user");
    return 0;
}

int privilege_drop(const struct privilege_user *user, uint64_t kept, struct fault *fault)
{
    int err = user ? user_become(user, fault) : 0;
    if (err < 0)
        return err;
    if (capabilities_limit(kept) < 0)
        return failed(fault, "capabilities");
    (void)prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0);
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0) /* another user may have made it so again */
        return failed(fault, "not dumpable");
    if (user && (setuid(0) == 0 || getuid() != user->uid || geteuid() != user->uid))
        return fault_set(fault, EPERM, "user: the way back to root is open");
    return 0;
}
