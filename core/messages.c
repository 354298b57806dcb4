#include "core/messages.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct messages messages_stderr = MESSAGES_INIT(STDERR_FILENO);

/* How much of it went; all of it where nobody will ever read it. */
static size_t write_ready(int fd, const char *bytes, size_t len)
{
    struct pollfd to = {.fd = fd, .events = POLLOUT};
    if (poll(&to, 1, 0) != 1)
        return 0;
    if (!(to.revents & POLLOUT))
        return len;
    ssize_t written = write(fd, bytes, len);
    if (written < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : len;
    return (size_t)written;
}

/* There is room for it. */
static void keep(struct messages *m, const char *line)
{
    char *to = m->lines[(m->first + m->count++) % MESSAGES_WAITING];
    (void)snprintf(to, MESSAGES_LINE - 1, "%s", line);
    strcat(to, "\n");
}

static void left_out_keep(struct messages *m)
{
    char line[80];
    if (m->left_out == 0)
        return;
    (void)snprintf(line, sizeof line, "yamiscope: %" PRIu64 " messages are left out here",
                   m->left_out);
    m->left_out = 0;
    keep(m, line);
}

static void waiting_write(struct messages *m)
{
    while (m->count > 0) {
        char *line = m->lines[m->first];
        size_t len = strlen(line), written = write_ready(m->fd, line, len);
        if (written < len) {
            memmove(line, line + written, len - written + 1);
            return;
        }
        m->first = (m->first + 1) % MESSAGES_WAITING;
        m->count--;
        left_out_keep(m);
    }
}

void messages_say(struct messages *m, const char *line)
{
    (void)pthread_mutex_lock(&m->lock);
    waiting_write(m);
    if (m->count < MESSAGES_WAITING && m->left_out == 0)
        keep(m, line);
    else
        m->left_out++;
    waiting_write(m);
    (void)pthread_mutex_unlock(&m->lock);
}

bool messages_flush(struct messages *m)
{
    (void)pthread_mutex_lock(&m->lock);
    waiting_write(m);
    bool is_empty = m->count == 0;
    (void)pthread_mutex_unlock(&m->lock);
    return is_empty;
}

bool messages_wait(struct messages *m)
{
    (void)pthread_mutex_lock(&m->lock);
    bool waits = m->count > 0;
    (void)pthread_mutex_unlock(&m->lock);
    return waits;
}
