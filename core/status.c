#include "core/status.h"

#include "export/text.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static const int64_t RATE_NS = 1000000000; /* a terminal's rates are over so long, or longer */

enum { WIDTH_DEFAULT = 80, WIDTH_LEAST = 20 };

/* "812", "14.9 k", "14.9 M", "2.0 G". */
static const char *scaled(double value, char to[24])
{
    static const char *const units[] = {"", " k", " M", " G", " T"};
    size_t unit = 0;
    for (; value >= 999.95 && unit + 1 < sizeof units / sizeof *units; unit++)
        value /= 1000;
    snprintf(to, 24, unit > 0 ? "%.1f%s" : "%.0f%s", value, units[unit]);
    return to;
}

static void add(char text[STATUS_TEXT], const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void add(char text[STATUS_TEXT], const char *format, ...)
{
    size_t len = strlen(text);
    va_list args;
    va_start(args, format);
    vsnprintf(text + len, STATUS_TEXT - len, format, args);
    va_end(args);
}

static void rates_add(char text[STATUS_TEXT], const struct status_counts *now,
                      const struct status_counts *before, int64_t elapsed_ns)
{
    char a[24], b[24];
    double seconds = (double)elapsed_ns / 1e9;
    add(text, "%s packets/s, %s bit/s, ",
        scaled((double)(now->offered - before->offered) / seconds, a),
        scaled((double)(now->bytes - before->bytes) * 8 / seconds, b));
}

/* "1 source", "2.0 k sources". */
static const char *scaled_counted(uint64_t count, const char *one, const char *many, char to[48])
{
    char number[24];
    snprintf(to, 48, "%s %s", scaled((double)count, number), count == 1 ? one : many);
    return to;
}

/* What nobody wants to see, where it is there. */
static void trouble_add(char text[STATUS_TEXT], const struct status_counts *now)
{
    char a[TEXT_COUNTED];
    if (now->windows_held > 0)
        add(text, ", %s not on disk", text_number(now->windows_held, a));
    if (now->record_skipped != STATUS_UNKNOWN && now->record_skipped > 0)
        add(text, ", %s not recorded", text_number(now->record_skipped, a));
    if (now->links_down > 0)
        add(text, ", %u without a link", now->links_down);
    if (now->receivers_silent > 0)
        add(text, ", %u receiver%s silent", now->receivers_silent,
            now->receivers_silent == 1 ? "" : "s");
    if (now->prefixes_silent > 0)
        add(text, ", %u prefix%s silent", now->prefixes_silent,
            now->prefixes_silent == 1 ? "" : "es");
}

const char *status_text(const struct status_counts *now, const struct status_counts *before,
                        int64_t elapsed_ns, char text[STATUS_TEXT])
{
    char a[TEXT_COUNTED], b[48];
    text[0] = '\0';
    if (elapsed_ns > 0)
        rates_add(text, now, before, elapsed_ns);
    add(text, "%s, %s dropped%s", scaled_counted(now->offered, "packet", "packets", b),
        text_number(now->dropped, a), now->has_unknown_drops ? " and unknown" : "");
    add(text, ", %s", scaled_counted(now->sources, "source", "sources", b));
    add(text, ", %s", text_counted(now->windows, "window", "windows", a));
    trouble_add(text, now);
    return text;
}

void status_init(struct status *s, int fd, int64_t every_ns, int64_t now_ns)
{
    *s = (struct status){.fd = fd,
                         .is_terminal = isatty(fd),
                         .every_ns = every_ns,
                         .last_ns = now_ns,
                         .counted_ns = now_ns};
}

/* A pipe that polls writable takes 4 KiB at once, and a terminal a line. */
static void write_ready(const struct status *s, const char *bytes, size_t len)
{
    struct pollfd fd = {.fd = s->fd, .events = POLLOUT};
    if (poll(&fd, 1, 0) == 1 && (fd.revents & POLLOUT)) {
        ssize_t written = write(s->fd, bytes, len);
        (void)written;
    }
}

static size_t width(const struct status *s)
{
    struct winsize size;
    if (ioctl(s->fd, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
        return WIDTH_DEFAULT;
    return size.ws_col > WIDTH_LEAST ? size.ws_col : WIDTH_LEAST;
}

static void show(struct status *s)
{
    char line[STATUS_TEXT + 16];
    int len;
    if (s->is_terminal)
        /* The last column stays free: a full line would scroll. */
        len = snprintf(line, sizeof line, "\r\033[K%.*s", (int)width(s) - 1, s->text);
    else
        len = snprintf(line, sizeof line, "%s\n", s->text);
    write_ready(s, line, (size_t)len);
    s->is_shown = s->is_terminal;
}

bool status_tick(struct status *s, const struct status_counts *counts, int64_t now_ns)
{
    int64_t every_ns = s->is_terminal ? STATUS_REWRITE_NS : s->every_ns;
    if (every_ns == 0 || now_ns - s->last_ns < every_ns)
        return false;
    status_text(counts, &s->before, now_ns - s->counted_ns, s->text);
    /* Steps of the interval, but none made up for. */
    s->last_ns += (now_ns - s->last_ns) / every_ns * every_ns;
    if (!s->is_terminal || now_ns - s->counted_ns >= RATE_NS) {
        s->before = *counts;
        s->counted_ns = now_ns;
    }
    show(s);
    return true;
}

void status_wipe(struct status *s)
{
    if (s->is_shown)
        write_ready(s, "\r\033[K", 4);
    s->is_shown = false;
}
