/* notify: what a service manager is told of this process: ready, a line of status, alive, stopping.
 *
 * The protocol is systemd's (sd_notify(3)): datagrams of lines KEY=VALUE to the Unix socket that NOTIFY_SOCKET names, a
 * path or, behind @, an abstract name. Where nobody asks, nothing is sent. No message waits for its reader but the one that says
 * ready, for at most a second. Reads the environment at open and a clock where the manager
 * wants its own. One thread opens and closes; what is sent in between may be any thread's.
 */
#ifndef CORE_NOTIFY_H
#define CORE_NOTIFY_H

#include "capture/fault.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

struct notify {
    int fd; /* -1: nobody asks */
    struct sockaddr_un address;
    socklen_t address_len;
    int64_t
        watchdog_ns; /* at least so often notify_alive() is to be called: half of what the manager allows;
                            0: it has no watchdog for this process */
};

/* Before privileges are dropped. Takes the variables out of the environment, so that no child answers for us. -errno and a
 * fault where the socket's name is none; `n` is as without a manager then. Close in any case. */
int notify_open(struct notify *n, struct fault *fault);
void notify_close(struct notify *n); /* accepts all zero */

/* All return 0 (also where nobody asks), or -errno: -EAGAIN where the manager reads too slowly. */
int notify_ready(const struct notify *n);
int notify_alive(const struct notify *n);
int notify_reloading(const struct notify *n); /* then notify_ready() again */
int notify_stopping(const struct notify *n);

/* One line, shown by `systemctl status`; control characters become blanks. */
int notify_status(const struct notify *n, const char *text);

#endif
