#include "core/notify.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { STATUS_MAX = 500 };

/* Half of WATCHDOG_USEC, as the manual advises, where it is meant for us. */
static int64_t watchdog_read(void)
{
    const char *text = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
    char *end;
    if (!text || text[0] < '0' || text[0] > '9' || (pid && strtol(pid, NULL, 10) != getpid()))
        return 0;
    errno = 0;
    uint64_t us = strtoull(text, &end, 10);
    return *end || errno || us > INT64_MAX / 1000 ? 0 : (int64_t)(us * 1000 / 2);
}

static int address_fill(struct notify *n, const char *name, struct fault *fault)
{
    size_t len = strlen(name);
    if ((name[0] != '/' && name[0] != '@') || len < 2)
        return fault_set(fault, EAFNOSUPPORT,
                         "NOTIFY_SOCKET: '%.100s' is neither a path nor an abstract name", name);
    if (len > sizeof n->address.sun_path - (name[0] == '/'))
        return fault_set(fault, ENAMETOOLONG, "NOTIFY_SOCKET: '%.100s...' is too long", name);
    n->address.sun_family = AF_UNIX;
    memcpy(n->address.sun_path, name, len);
    if (name[0] == '@')
        n->address.sun_path[0] = '\0';
    n->address_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + (name[0] == '/'));
    return 0;
}

int notify_open(struct notify *n, struct fault *fault)
{
    const char *name = getenv("NOTIFY_SOCKET");
    *n = (struct notify){.fd = -1};
    int err = name && *name ? address_fill(n, name, fault) : 0;
    if (err == 0 && n->address_len > 0) {
        n->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (n->fd < 0)
            err = fault_set(fault, errno, "NOTIFY_SOCKET: %s", strerror(errno));
    }
    if (n->fd >= 0) {
        struct timeval second = {.tv_sec = 1};
        (void)setsockopt(n->fd, SOL_SOCKET, SO_SNDTIMEO, &second, sizeof second);
        n->watchdog_ns = watchdog_read();
    }
    (void)unsetenv("NOTIFY_SOCKET");
    (void)unsetenv("WATCHDOG_USEC");
    (void)unsetenv("WATCHDOG_PID");
    return err;
}

void notify_close(struct notify *n)
{
    if (n->address_len > 0 && n->fd >= 0)
        close(n->fd);
    *n = (struct notify){.fd = -1};
}

static int notify_send(const struct notify *n, const char *message, int flags)
{
    if (n->address_len == 0 || n->fd < 0)
        return 0;
    ssize_t sent = sendto(n->fd, message, strlen(message), MSG_NOSIGNAL | flags,
                          (const struct sockaddr *)&n->address, n->address_len);
    return sent < 0 ? -errno : 0;
}

int notify_ready(const struct notify *n) { return notify_send(n, "READY=1", 0); }

int notify_alive(const struct notify *n) { return notify_send(n, "WATCHDOG=1", MSG_DONTWAIT); }

int notify_stopping(const struct notify *n) { return notify_send(n, "STOPPING=1", MSG_DONTWAIT); }

/* With the time, which Type=notify-reload compares with its own. */
int notify_reloading(const struct notify *n)
{
    struct timespec now;
    char message[80];
    clock_gettime(CLOCK_MONOTONIC, &now);
    (void)snprintf(message, sizeof message, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
                   (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
    return notify_send(n, message, 0);
}

int notify_status(const struct notify *n, const char *text)
{
    char message[STATUS_MAX + 16];
    (void)snprintf(message, sizeof message, "STATUS=%.*s", STATUS_MAX, text);
    for (char *c = message; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = ' ';
    return notify_send(n, message, MSG_DONTWAIT);
}
