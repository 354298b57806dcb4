#include "core/screen.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

/* The other screen, no cursor, no wrapping; and back. */
#define ENTER       "\033[?1049h\033[?25l\033[?7l\033[2J"
#define LEAVE       "\033[0m\033[?7h\033[?25h\033[?1049l"
/* A frame is shown at once where the terminal knows how; others pass over it. */
#define FRAME_BEGIN "\033[?2026h"
#define FRAME_END   "\033[?2026l"
#define CLEAR       "\033[2J"

enum { COLUMNS = 80, ROWS = 24, STALL_MS = 500 };

struct screen {
    int fd; /* the terminal: our own, so that not to wait is ours alone; or stdout */
    bool is_own;
    bool has_keys; /* stdin is a terminal */
    bool is_paused;
    struct termios before;
    char *shown; /* the lines that stand there; NULL: not known */
    size_t shown_len;
    unsigned columns, rows; /* as they were drawn for */
};

bool screen_is_there(void)
{
    const char *term = getenv("TERM");
    return isatty(STDOUT_FILENO) && term != NULL && term[0] != '\0' && strcmp(term, "dumb") != 0;
}

static int write_all(struct screen *s, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = write(s->fd, bytes, len);
        if (n > 0) {
            bytes += n;
            len -= (size_t)n;
            continue;
        }
        struct pollfd out = {.fd = s->fd, .events = POLLOUT};
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno != EAGAIN)
            return -errno;
        int ready = poll(&out, 1, STALL_MS);
        if (ready == 0)
            return -EAGAIN; /* it takes nothing */
        if (ready > 0 && (out.revents & (POLLERR | POLLHUP | POLLNVAL)) != 0)
            return -EIO;
    }
    return 0;
}

static void shown_forget(struct screen *s)
{
    free(s->shown);
    s->shown = NULL;
    s->shown_len = 0;
}

static size_t line_length(const char *lines, size_t at, size_t len)
{
    const char *end = at < len ? memchr(lines + at, '\n', len - at) : NULL;
    return end != NULL ? (size_t)(end - lines) - at : at < len ? len - at : 0;
}

static bool is_foreground(const struct screen *s)
{
    pid_t group = tcgetpgrp(s->fd);
    return group < 0 || group == getpgrp();
}

static void keys_take(struct screen *s)
{
    struct termios raw;
    if (!s->has_keys || tcgetattr(STDIN_FILENO, &s->before) < 0)
        return;
    raw = s->before;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | IEXTEN);
    raw.c_iflag &= ~(tcflag_t)(IXON); /* a frame must not be held up */
    raw.c_cc[VMIN] = 0;
    raw.c_cc[VTIME] = 0;
    (void)tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
}

int screen_open(struct screen **out, struct fault *fault)
{
    const char *name = ttyname(STDOUT_FILENO);
    struct screen *s = calloc(1, sizeof *s);
    *out = NULL;
    if (s == NULL)
        return fault_set(fault, ENOMEM, "terminal: %s", strerror(ENOMEM));
    s->fd = name == NULL ? -1 : open(name, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    s->is_own = s->fd >= 0;
    if (!s->is_own)
        s->fd = STDOUT_FILENO;
    s->has_keys = isatty(STDIN_FILENO);
    s->is_paused = true;
    screen_resume(s);
    *out = s;
    return 0;
}

void screen_pause(struct screen *s)
{
    if (s->is_paused)
        return;
    (void)write_all(s, LEAVE, sizeof LEAVE - 1);
    if (s->has_keys)
        (void)tcsetattr(STDIN_FILENO, TCSADRAIN, &s->before);
    s->is_paused = true;
}

void screen_resume(struct screen *s)
{
    if (!is_foreground(s))
        return;
    if (!s->is_paused &&
        s->has_keys) /* stopped without being asked: our own ways are no longer there, perhaps */
        (void)tcsetattr(STDIN_FILENO, TCSADRAIN, &s->before);
    keys_take(s);
    (void)write_all(s, ENTER, sizeof ENTER - 1);
    shown_forget(s);
    s->is_paused = false;
}

bool screen_is_paused(const struct screen *s) { return s->is_paused; }

void screen_close(struct screen *s)
{
    if (s == NULL)
        return;
    screen_pause(s);
    if (s->is_own)
        (void)close(s->fd);
    shown_forget(s);
    free(s);
}

void screen_size(const struct screen *s, unsigned *columns, unsigned *rows)
{
    struct winsize size = {0};
    if (ioctl(s->fd, TIOCGWINSZ, &size) < 0)
        size = (struct winsize){0};
    *columns = size.ws_col > 0 ? size.ws_col : COLUMNS;
    *rows = size.ws_row > 0 ? size.ws_row : ROWS;
}

/* Lines that stand there already are not sent again. */
static void changes_print(struct screen *s, FILE *to, const char *lines, size_t len)
{
    size_t at = 0, old_at = 0;
    for (unsigned row = 1; at < len; row++) {
        size_t line = line_length(lines, at, len),
               old = line_length(s->shown, old_at, s->shown_len);
        if (old_at >= s->shown_len || line != old ||
            memcmp(lines + at, s->shown + old_at, line) != 0) {
            fprintf(to, "\033[%u;1H\033[2K", row);
            fwrite(lines + at, 1, line, to);
        }
        at += line + 1;
        old_at += old + 1;
    }
}

int screen_draw(struct screen *s, const char *lines, size_t len)
{
    char *bytes = NULL;
    size_t size = 0;
    unsigned columns, rows;
    if (s->is_paused)
        return 0;
    FILE *to = open_memstream(&bytes, &size);
    char *kept = malloc(len + 1);
    if (to == NULL || kept == NULL) {
        if (to != NULL)
            fclose(to);
        free(bytes);
        free(kept);
        return 0; /* the next one, perhaps */
    }
    screen_size(s, &columns, &rows);
    fputs(FRAME_BEGIN, to);
    if (s->shown == NULL || columns != s->columns || rows != s->rows) {
        fputs(CLEAR, to);
        shown_forget(s);
    }
    changes_print(s, to, lines, len);
    fputs(FRAME_END, to);
    int err = fclose(to) != 0 ? 0 : write_all(s, bytes, size);
    shown_forget(s);
    memcpy(kept, lines, len);
    s->shown = kept;
    s->shown_len = len;
    s->columns = columns;
    s->rows = rows;
    if (err == -EAGAIN) {
        shown_forget(s); /* nobody knows what stands there */
        err = 0;
    }
    free(bytes);
    return err;
}

int screen_fd(const struct screen *s) { return s->has_keys && !s->is_paused ? STDIN_FILENO : -1; }

int screen_key(struct screen *s)
{
    unsigned char key;
    return s->has_keys && !s->is_paused && read(STDIN_FILENO, &key, 1) == 1 ? key : 0;
}
