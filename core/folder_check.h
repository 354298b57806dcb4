/* folder_check: whether a folder that is named can be written, before it is.
 */
#ifndef CORE_FOLDER_CHECK_H
#define CORE_FOLDER_CHECK_H

#include "capture/fault.h"
#include "core/privilege.h"

/* 0 where `path` is a folder in which `user` can make files, or can be made as one; else -errno and a fault that
 * names it. `user` NULL: who asks. For another user a child process looks, as that user. */
int folder_check(const char *path, const struct privilege_user *user, struct fault *fault);

#endif
