/* watch: a thread reads the source, the main thread draws. */
#include "core/command.h"
#include "core/screen.h"
#include "core/setup.h"
#include "core/terminal.h"
#include "core/watch_source.h"
#include "export/calendar.h"
#include "export/watch_text.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define NS INT64_C(1000000000)
enum { WIDTH = 100, RETRY_S = 1, RETRY_MOST_S = 15, CTRL_L = 12 };

struct watching {
    const struct config *config;
    struct watch_source *source;
    struct watch *watch;
    struct watch_frame frame;
    pthread_mutex_t lock; /* over watch, link and why */
    enum watch_link link;
    char why[512];
    atomic_bool is_stopping;
    int wake_fd; /* ends the reader's waits; -1: none */
    struct screen *screen;
};

/* ---- reading */

static void link_say(struct watching *w, enum watch_link link, const char *why)
{
    pthread_mutex_lock(&w->lock);
    w->link = link;
    (void)snprintf(w->why, sizeof w->why, "%s", why);
    pthread_mutex_unlock(&w->lock);
}

static void record_take(struct watching *w, const struct watch_record *r)
{
    pthread_mutex_lock(&w->lock);
    w->watch->now_ns = watch_now_ns();
    watch_take(w->watch, r->kind, r->seq, r->body, r->len);
    pthread_mutex_unlock(&w->lock);
}

/* All that was taken comes again. */
static void anew(struct watching *w)
{
    pthread_mutex_lock(&w->lock);
    watch_clear(w->watch);
    w->link = WATCH_READING;
    pthread_mutex_unlock(&w->lock);
}

static void lost(struct watching *w, const struct fault *why, int64_t since_ns, unsigned wait_s)
{
    char clock[64], text[sizeof w->why];
    struct tm tm;
    time_t at = (time_t)(since_ns / NS);
    if (localtime_r(&at, &tm) == NULL || strftime(clock, sizeof clock, "%H:%M:%S", &tm) == 0)
        clock[0] = '\0';
    (void)snprintf(text, sizeof text, "away since %s: %s; trying again every %u s", clock,
                   why->text, wait_s);
    link_say(w, WATCH_LOST, text);
}

static void *reader_run(void *context)
{
    struct watching *w = context;
    struct watch_record r;
    struct fault fault;
    unsigned wait_s = RETRY_S;
    int64_t since_ns = 0;
    while (!atomic_load(&w->is_stopping)) {
        int found = w->source->ops->next(w->source, &r, &fault);
        if (found >= 0 && wait_s != RETRY_S) {
            link_say(w, WATCH_READING, "");
            wait_s = RETRY_S;
            since_ns = 0;
        }
        if (found > 0)
            record_take(w, &r);
        else if (found == 0)
            link_say(w, WATCH_LIVE, "");
        else if (found == -ESTALE)
            anew(w);
        else if (found != -EAGAIN && !atomic_load(&w->is_stopping)) {
            struct pollfd wake = {.fd = w->wake_fd, .events = POLLIN};
            since_ns = since_ns == 0 ? watch_now_ns() : since_ns;
            lost(w, &fault, since_ns, wait_s);
            (void)poll(&wake, 1, (int)wait_s * 1000);
            wait_s = wait_s * 2 > RETRY_MOST_S ? RETRY_MOST_S : wait_s * 2;
        }
    }
    return NULL;
}

/* ---- one frame for a script */

static int once(struct watching *w)
{
    struct watch_record r;
    struct fault fault = {0};
    int found;
    unsigned anews = 0;
    while ((found = w->source->ops->next(w->source, &r, &fault)) > 0 || found == -EAGAIN ||
           (found == -ESTALE && anews++ == 0))
        if (found > 0)
            record_take(w, &r);
        else if (found == -ESTALE)
            anew(w);
    if (found < 0 && found != -EBADMSG)
        return command_fail(&fault, EXIT_FAILED);
    w->frame.columns = terminal_width() == 0 ? WIDTH : terminal_width();
    w->frame.link = WATCH_LIVE;
    w->frame.now_ns = watch_now_ns();
    if (watch_text(stdout, w->watch, &w->frame) < 0) {
        fault_set(&fault, ENOMEM, "watch: %s", strerror(ENOMEM));
        return command_fail(&fault, EXIT_FAILED);
    }
    if (found == -EBADMSG)
        return command_flush(command_fail(&fault, EXIT_DAMAGED));
    if (w->watch->damaged == 0)
        return command_flush(EXIT_DONE);
    fault_set(&fault, EBADMSG, "%s: %llu records are damaged: %.120s", w->source->name,
              (unsigned long long)w->watch->damaged, w->watch->damage);
    return command_flush(command_fail(&fault, EXIT_DAMAGED));
}

/* ---- the screen */

static int draw(struct watching *w)
{
    char *lines = NULL;
    size_t len = 0;
    if (screen_is_paused(w->screen))
        screen_resume(w->screen); /* in the foreground again, without having been told */
    FILE *out = open_memstream(&lines, &len);
    if (out == NULL)
        return 0; /* the next one, perhaps */
    screen_size(w->screen, &w->frame.columns, &w->frame.rows);
    w->frame.now_ns = watch_now_ns();
    pthread_mutex_lock(&w->lock);
    w->frame.link = w->link;
    w->frame.why = w->why;
    int err = watch_text(out, w->watch, &w->frame);
    pthread_mutex_unlock(&w->lock);
    if (fclose(out) != 0 || err < 0)
        err = 0;
    else
        err = screen_draw(w->screen, lines, len);
    free(lines);
    return err;
}

/* As the terminal's Ctrl-Z would, with the terminal given back first. */
static void stop(struct watching *w)
{
    sigset_t stop_signal;
    screen_pause(w->screen);
    sigemptyset(&stop_signal);
    sigaddset(&stop_signal, SIGTSTP);
    (void)raise(SIGTSTP);
    pthread_sigmask(SIG_UNBLOCK, &stop_signal, NULL);
    pthread_sigmask(SIG_BLOCK, &stop_signal, NULL);
    screen_resume(w->screen);
}

/* False: it is time to end. */
static bool signals_take(struct watching *w, int fd)
{
    struct signalfd_siginfo got;
    while (read(fd, &got, sizeof got) == sizeof got) {
        if (got.ssi_signo == SIGTSTP)
            stop(w);
        else if (got.ssi_signo == SIGCONT)
            screen_resume(w->screen);
        else if (got.ssi_signo != SIGWINCH)
            return false;
    }
    return true;
}

static bool keys_take(struct watching *w)
{
    int key;
    while ((key = screen_key(w->screen)) != 0) {
        if (key == 'q' || key == 'Q')
            return false;
        if (key == 'd')
            w->frame.over = w->frame.over == SHARE_OVER_COUNT ? 0 : w->frame.over + 1;
        if (key == CTRL_L)
            screen_resume(w->screen);
    }
    return true;
}

static int64_t monotonic_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int screen_run(struct watching *w, int signal_fd)
{
    int64_t every_ms = (int64_t)(w->config->interval_ns / 1000000), due_ms = 0;
    for (;;) {
        int64_t now_ms = monotonic_ms();
        if (now_ms >= due_ms) {
            if (draw(w) < 0)
                return EXIT_FAILED; /* the terminal is gone */
            due_ms = now_ms + every_ms;
        }
        struct pollfd fds[] = {{.fd = signal_fd, .events = POLLIN},
                               {.fd = screen_fd(w->screen), .events = POLLIN}};
        int ready = poll(fds, 2, (int)(due_ms - now_ms));
        if (ready < 0 && errno != EINTR)
            return EXIT_FAILED;
        if (ready <= 0)
            continue;
        if ((fds[0].revents != 0 && !signals_take(w, signal_fd)) ||
            (fds[1].revents != 0 && !keys_take(w)))
            return EXIT_DONE;
        if ((fds[1].revents & (POLLHUP | POLLERR)) != 0)
            return EXIT_FAILED;
        due_ms = 0;
    }
}

static int live(struct watching *w)
{
    static const int ends[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH, SIGTSTP, SIGCONT};
    struct fault fault = {0};
    sigset_t set;
    pthread_t reader;
    sigemptyset(&set);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        sigaddset(&set, ends[i]);
    pthread_sigmask(SIG_BLOCK, &set, NULL); /* of the reader, too */
    signal(SIGTTOU, SIG_IGN);
    int signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    w->wake_fd = eventfd(0, EFD_CLOEXEC);
    int err = signal_fd < 0 || w->wake_fd < 0
                  ? fault_set(&fault, errno, "watch: %s", strerror(errno))
                  : -pthread_create(&reader, NULL, reader_run, w);
    if (err < 0 && fault.err == 0)
        fault_set(&fault, -err, "watch: %s", strerror(-err));
    int code = EXIT_FAILED;
    bool is_reading = err == 0;
    if (err == 0)
        err = screen_open(&w->screen, &fault);
    if (err == 0)
        code = screen_run(w, signal_fd);
    screen_close(w->screen);
    if (is_reading) {
        const uint64_t one = 1;
        atomic_store(&w->is_stopping, true);
        ssize_t written = write(w->wake_fd, &one, sizeof one);
        (void)written;
        w->source->ops->interrupt(w->source);
        pthread_join(reader, NULL);
    }
    if (signal_fd >= 0)
        close(signal_fd);
    if (w->wake_fd >= 0)
        close(w->wake_fd);
    return err < 0 ? command_fail(&fault, EXIT_FAILED) : code;
}

/* ---- the command */

static enum exit_code code_of(int err)
{
    return err == -EINVAL || err == -ENOENT || err == -ENOTDIR || err == -ENOTSUP ? EXIT_USAGE
                                                                                  : EXIT_FAILED;
}

static int watch_run(struct watching *w, const struct ruleset *rules)
{
    const struct config *c = w->config;
    const struct watch_settings settings = {.spec = c->paths[0],
                                            .sensor =
                                                config_is_given(c, "sensor") ? c->sensor : NULL,
                                            .token = c->token,
                                            .tls_ca = c->tls_ca};
    struct fault fault = {0};
    signal(SIGPIPE, SIG_IGN);
    int err = watch_source_open(&w->source, &settings, &fault);
    if (err < 0) {
        if (strncmp(fault.text, settings.spec, strlen(settings.spec)) != 0)
            (void)fault_prefix(&fault, "watch");
        return command_fail(&fault, code_of(err));
    }
    w->watch = watch_create(rules);
    const char *zone = w->source->zone[0] == '\0' ? "UTC" : w->source->zone;
    if (w->watch == NULL || calendar_zone(zone) < 0) {
        fault_set(&fault, ENOMEM, "watch: %s", strerror(ENOMEM));
        return command_fail(&fault, EXIT_FAILED);
    }
    (void)snprintf(w->watch->sensor, WATCH_TEXT, "%.*s", WATCH_TEXT - 1, w->source->sensor);
    w->frame.source = w->source->name;
    bool is_screen = !c->is_once && screen_is_there();
    w->frame.is_interactive = is_screen && isatty(STDIN_FILENO);
    return is_screen ? live(w) : once(w);
}

int command_watch(const struct config *c)
{
    struct watching w = {.config = c, .lock = PTHREAD_MUTEX_INITIALIZER, .wake_fd = -1};
    struct ruleset *rules = NULL;
    struct fault fault;
    int code;
    if (c->path_count != 1) {
        fault_set(&fault, EINVAL, "watch: name one feed (a folder), redis:// or http:// address");
        return command_fail(&fault, EXIT_USAGE);
    }
    if (command_check_words(c, &fault) < 0 || setup_rules(&rules, c, &fault) < 0)
        return command_fail(&fault, EXIT_USAGE);
    w.frame = (struct watch_frame){.is_color = terminal_has_color(c->color),
                                   .is_utf8 = terminal_is_utf8(),
                                   .is_japanese = strcmp(c->lang, "ja") == 0,
                                   .top = (unsigned)c->top,
                                   .over = SHARE_OVER_COUNT,
                                   .why = ""};
    code = watch_run(&w, rules);
    watch_destroy(w.watch);
    if (w.source != NULL)
        w.source->ops->close(w.source);
    ruleset_destroy(rules);
    return code;
}
