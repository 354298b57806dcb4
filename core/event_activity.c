#include "core/event_activity.h"

#include "core/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STATE_MAX = 64 << 20 };

struct event_activity {
    struct change_finder *finder;
    const char *sensor;
    char *path;
    double threshold;
    int64_t bin_ns, end_ns; /* greatest end of a window so far */
    struct change_port *ports;
    size_t port_room;
    uint64_t packets;             /* of the bin that is taken */
    struct event *events;         /* found, and not in the feed */
    size_t count, room, appended; /* appended: the first ones, to the feed, which may not be safe */
    bool has_learned;             /* since the file was written */
};

/* ---- the file ---- */

static int state_read(struct event_activity *a, struct fault *fault)
{
    struct stat about;
    uint8_t *bytes = NULL;
    size_t len = 0;
    FILE *f = fopen(a->path, "rbe");
    int err = 0;
    if (f == NULL)
        return errno == ENOENT ? 0 : fault_set(fault, errno, "%s: %s", a->path, strerror(errno));
    if (fstat(fileno(f), &about) == 0 && about.st_size > 0 && about.st_size <= STATE_MAX &&
        (bytes = malloc((size_t)about.st_size)) != NULL)
        len = fread(bytes, 1, (size_t)about.st_size, f);
    if (bytes == NULL || (err = change_finder_load(a->finder, bytes, len, fault)) < 0) {
        err = bytes == NULL ? fault_set(fault, EBADMSG, "state of new activity: damaged") : err;
        (void)fault_prefix(fault, a->path);
    }
    free(bytes);
    (void)fclose(f);
    return err;
}

static bool bytes_write(const char *path, const uint8_t *bytes, size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool is_there = fd >= 0;
    for (size_t at = 0; is_there && at < len;) {
        ssize_t put = write(fd, bytes + at, len - at);
        is_there = put > 0 || (put < 0 && errno == EINTR);
        at += put > 0 ? (size_t)put : 0;
    }
    is_there = is_there && fsync(fd) == 0;
    return fd >= 0 && close(fd) == 0 && is_there;
}

/* What can't be written is written behind the next bin; then the model has a hole, no more. */
static void state_write(const struct event_activity *a)
{
    char beside[4096];
    uint8_t *bytes;
    size_t len;
    if (a->path == NULL ||
        (size_t)snprintf(beside, sizeof beside, "%s.new", a->path) >= sizeof beside)
        return;
    if (change_finder_save(a->finder, &bytes, &len) < 0)
        memory_ended();
    if (bytes_write(beside, bytes, len))
        (void)rename(beside, a->path);
    free(bytes);
}

/* ---- bins ---- */

struct event_activity *event_activity_create(const struct change_settings *settings,
                                             const char *sensor)
{
    struct event_activity *a = calloc(1, sizeof *a);
    int err;
    if (a == NULL)
        return NULL;
    a->sensor = sensor;
    a->threshold = settings->threshold;
    a->bin_ns = settings->bin_ns;
    a->end_ns = INT64_MIN;
    err = change_finder_create(&a->finder, settings);
    if (err < 0) {
        free(a);
        errno = -err;
        return NULL;
    }
    return a;
}

int event_activity_keep(struct event_activity *a, const char *path, struct fault *fault)
{
    a->path = memory_must(strdup(path));
    return state_read(a, fault);
}

void event_activity_destroy(struct event_activity *a)
{
    if (a == NULL)
        return;
    change_finder_destroy(a->finder);
    free(a->path);
    free(a->ports);
    free(a->events);
    free(a);
}

static void alert_take(void *context, const struct change_alert *alert)
{
    struct event_activity *a = context;
    struct event *e;
    int64_t last_ns; /* the last bin of all ends with the time */
    if (__builtin_add_overflow(alert->start_ns, a->bin_ns - 1, &last_ns))
        last_ns = INT64_MAX;
    if (a->count == a->room) {
        a->room = a->room == 0 ? 16 : a->room * 2;
        a->events = memory_must(realloc(a->events, a->room * sizeof *a->events));
    }
    e = &a->events[a->count++];
    *e = (struct event){.type = EVENT_new_activity,
                        .phase = EVENT_ENDS,
                        .first_ns = alert->start_ns,
                        .last_ns = last_ns,
                        .packets = a->packets};
    if (alert->series == CHANGE_PORT) {
        e->proto = alert->port.proto == CHANGE_TCP ? EVENT_TCP : EVENT_UDP;
        e->has_port = true;
        e->port = alert->port.port;
        e->packets = alert->port.packets;
    }
    e->new_activity.series = event_series(alert->series == CHANGE_PACKETS ? "packets" : "sources");
    e->new_activity.score = alert->score;
    e->new_activity.threshold = a->threshold;
    e->new_activity.expected = alert->expected;
    e->new_activity.value = alert->value;
    e->new_activity.bin_ns = alert->start_ns;
    e->new_activity.bin_s = (uint32_t)(a->bin_ns / 1000000000);
    e->new_activity.is_never_seen = alert->is_never_seen;
    event_identify(e, a->sensor);
}

void event_activity_take(void *context, const struct event_bin *bin)
{
    struct event_activity *a = context;
    struct change_bin whole = {.start_ns = bin->start_ns,
                               .is_whole = !bin->is_partial && !bin->is_inexact,
                               .packets = bin->packets,
                               .sources = bin->sources};
    int err;
    if (a->port_room < bin->row_count) {
        a->port_room = bin->row_count;
        a->ports = memory_must(realloc(a->ports, a->port_room * sizeof *a->ports));
    }
    for (size_t i = 0; i < bin->row_count; i++)
        if (bin->rows[i].sources > 0)
            a->ports[whole.port_count++] =
                (struct change_port){bin->rows[i].proto == PORT_PROTO_TCP ? CHANGE_TCP : CHANGE_UDP,
                                     bin->rows[i].port, bin->rows[i].packets, bin->rows[i].sources};
    whole.ports = a->ports;
    a->packets = bin->packets;
    err = change_finder_add(a->finder, &whole, alert_take, a);
    if (err == -ENOMEM)
        memory_ended();
    a->has_learned =
        true; /* -EINVAL: a bin that the state has already, of a clock that was set back */
}

int event_activity_append(struct event_activity *a, struct feed_log *feed, int64_t end_ns,
                          struct fault *fault)
{
    int err = 0;
    a->end_ns = end_ns > a->end_ns ? end_ns : a->end_ns;
    for (size_t i = a->appended; i < a->count; i++)
        a->events[i].time_ns = a->end_ns;
    if (a->count - a->appended > 1)
        qsort(&a->events[a->appended], a->count - a->appended, sizeof *a->events, event_compare);
    while (a->appended < a->count && err == 0) {
        err = feed_log_append_event(feed, &a->events[a->appended], fault);
        a->appended += err == 0;
    }
    if (err < 0)
        return err;
    if (a->count > 0 && a->path && (err = feed_log_sync(feed, fault)) < 0) {
        a->appended = 0; /* it was taken back */
        return err;
    }
    a->count = a->appended = 0;
    if (a->has_learned)
        state_write(a);
    a->has_learned = false;
    return 0;
}
