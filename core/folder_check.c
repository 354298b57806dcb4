#include "core/folder_check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* errno of what is wrong with it; 0: nothing. */
static int look(const char *path)
{
    struct stat st;
    if (stat(path, &st) < 0)
        return errno;
    if (!S_ISDIR(st.st_mode))
        return ENOTDIR;
    return faccessat(AT_FDCWD, path, W_OK | X_OK, AT_EACCESS) < 0 ? errno : 0;
}

/* The folder that it would be made in. */
static int look_above(const char *path)
{
    char *above = strdup(path);
    if (!above)
        return ENOMEM;
    size_t len = strlen(above);
    while (len > 1 && above[len - 1] == '/')
        above[--len] = '\0';
    char *slash = strrchr(above, '/');
    if (slash)
        slash[slash == above] = '\0';
    int err = look(slash ? above : ".");
    free(above);
    return err;
}

static int look_all(const char *path)
{
    int err = look(path);
    return err == ENOENT ? look_above(path) : err;
}

/* What the child says by its exit code: errno fits in it. */
static int look_as(const char *path, const struct privilege_user *user)
{
    pid_t child = fork();
    int status;
    if (child < 0)
        return errno;
    if (child == 0) {
        struct fault fault;
        int err = privilege_drop(user, 0, &fault);
        _exit(err < 0 ? -err : look_all(path));
    }
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return errno;
    return WIFEXITED(status) ? WEXITSTATUS(status) : ECHILD;
}

int folder_check(const char *path, const struct privilege_user *user, struct fault *fault)
{
    int err = user && geteuid() == 0 ? look_as(path, user) : look_all(path);
    if (err == 0)
        return 0;
    if (user)
        return fault_set(fault, err, "%.160s: user %u: %s", path, (unsigned)user->uid,
                         strerror(err));
    return fault_set(fault, err, "%.160s: %s", path, strerror(err));
}
