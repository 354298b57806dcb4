/* messages: lines for people, on stderr, of a program whose threads must not wait for who reads them.
 *
 * A terminal that stands still (Ctrl-S) or a pipe whose reader sleeps takes nothing: lines wait here, and go in their order, each in one piece,
 * with the next one that is said or when messages_flush is called. What there is no room for is left out, and how much of it is said. Any
 * thread; nobody waits.
 */
#ifndef CORE_MESSAGES_H
#define CORE_MESSAGES_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    MESSAGES_WAITING = 64, /* lines */
    MESSAGES_LINE =
        1024, /* bytes of one, its end among them: a pipe that polls writable takes them at once */
};

struct messages {
    int fd;
    pthread_mutex_t lock;
    unsigned first, count; /* of the lines that wait */
    uint64_t left_out;     /* behind them */
    char lines[MESSAGES_WAITING][MESSAGES_LINE];
};

#define MESSAGES_INIT(to)                             \
    {                                                 \
        .fd = (to), .lock = PTHREAD_MUTEX_INITIALIZER \
    }

/* Those of this program. */
extern struct messages messages_stderr;

/* A line, without an end: written, kept, or counted as left out. A longer one is cut. */
void messages_say(struct messages *m, const char *line);

/* Writes what waits, as far as it is taken. False: something still waits. */
bool messages_flush(struct messages *m);

/* Whether something waits. */
bool messages_wait(struct messages *m);

#endif
