#include "capture/capture_file.h"
#include "core/command.h"
#include "core/pipeline.h"
#include "core/progress.h"
#include "core/setup.h"
#include "export/render.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static unsigned workers_default(void)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    return processors < 2 ? 1 : processors > SHARDS ? SHARDS : (unsigned)processors - 1;
}

/* A zone's name goes into the feed, so it must be one; its rules come with the calendar days. */
static int timezone_check(const char *zone, struct fault *fault)
{
    char path[512];
    struct stat st;
    snprintf(path, sizeof path, "/usr/share/zoneinfo/%s", zone);
    if (!strcmp(zone, "UTC") ||
        (!strstr(zone, "..") && stat(path, &st) == 0 && S_ISREG(st.st_mode)))
        return 0;
    return fault_set(fault, EINVAL, "--timezone: '%s' is no zone of /usr/share/zoneinfo", zone);
}

/* Names in a feed are words: later readers make keys, paths and labels of them. */
static int name_check(const char *option, const char *name, struct fault *fault)
{
    enum { NAME_MAX_LEN = 64 };
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    size_t len = strlen(name);
    if (len > 0 && len <= NAME_MAX_LEN && strspn(name, allowed) == len)
        return 0;
    return fault_set(fault, EINVAL,
                     "%s: '%s' is no name: 1 to %d letters, digits, dots, underscores or hyphens",
                     option, name, NAME_MAX_LEN);
}

/* ---- summary ---- */

static int port_order(const void *a, const void *b)
{
    const struct summary_port *x = a, *y = b;
    if (x->packets != y->packets)
        return x->packets > y->packets ? -1 : 1;
    if (x->proto != y->proto)
        return x->proto < y->proto ? -1 : 1;
    return x->port < y->port ? -1 : x->port > y->port;
}

static int ports_fill(struct summary *s, const struct pipeline_result *result)
{
    const struct window *w = result->total;
    size_t rows = w->port_used[PORT_PROTO_TCP] + w->port_used[PORT_PROTO_UDP];
    s->ports = malloc((rows + 1) * sizeof *s->ports);
    if (!s->ports)
        return -ENOMEM;
    for (unsigned proto = 0; proto < PORT_PROTO_COUNT; proto++)
        for (uint32_t i = 0; i < w->port_used[proto]; i++) {
            const struct port_count *row = &w->ports[proto][i];
            s->ports[s->port_count++] = (struct summary_port){
                .port = row->port,
                .proto = (uint8_t)proto,
                .packets = row->packets,
                .bytes = row->bytes,
                .syn = row->syn,
                .scan = row->scan,
                .sources = result->sources->ports[proto][row->port],
            };
        }
    qsort(s->ports, s->port_count, sizeof *s->ports, port_order);
    return 0;
}

static int rule_order(const void *a, const void *b)
{
    const struct summary_rule *x = a, *y = b;
    if (x->packets != y->packets)
        return x->packets > y->packets ? -1 : 1;
    return x->rule < y->rule ? -1 : x->rule > y->rule;
}

static int rules_fill(struct summary *s, const struct pipeline_result *result)
{
    size_t count = s->rules->rule_count;
    s->by_rule = malloc((count + 1) * sizeof *s->by_rule);
    if (!s->by_rule)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        struct summary_rule row = {.rule = (uint16_t)i, .sources = result->sources->rules[i]};
        for (unsigned e = 0; e < EVIDENCE_COUNT; e++) {
            row.packets += result->total->rules[i][e].packets;
            row.bytes += result->total->rules[i][e].bytes;
        }
        if (row.packets)
            s->by_rule[s->by_rule_count++] = row;
    }
    qsort(s->by_rule, s->by_rule_count, sizeof *s->by_rule, rule_order);
    return 0;
}

static int summary_init(struct summary *s, const struct pipeline_result *result,
                        const struct setup *setup, const struct config *c)
{
    *s = (struct summary){
        .rules = setup->rules,
        .total = result->total,
        .sources = result->sources->sources,
        .destinations = result->destinations,
        .windows = result->windows,
        .window_parts = result->parts,
        .damaged = setup->capture->ops->damaged(setup->capture),
        .inputs = capture_file_inputs(setup->capture),
        .telescope_configured = setup->telescope != NULL,
        .telescope_ipv4 = setup->telescope ? prefix_set_ipv4_size(setup->telescope) : 0,
        .feed_dir = c->out,
    };
    memcpy(s->kind_sources, result->sources->kinds, sizeof s->kind_sources);
    memcpy(s->mark_sources, result->sources->marks, sizeof s->mark_sources);
    int err = ports_fill(s, result);
    return err < 0 ? err : rules_fill(s, result);
}

static void summary_fini(struct summary *s)
{
    free(s->ports);
    free(s->by_rule);
}

/* ---- text ---- */

static void print_text(const struct summary *s, const struct config *c)
{
    struct winsize size;
    bool is_terminal = isatty(STDOUT_FILENO);
    struct render_text_settings settings = {
        .top = (unsigned)c->top,
        .is_japanese = !strcmp(c->lang, "ja"),
        .is_color = !strcmp(c->color, "always") ||
                    (!strcmp(c->color, "auto") && is_terminal && !getenv("NO_COLOR")),
    };
    if (is_terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
        settings.width = size.ws_col;
    (void)setlocale(LC_CTYPE, "");
    settings.is_utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
    render_text(stdout, s, &settings);
}

/* ---- run ---- */

static struct feed_identity identity_of(const struct config *c, const struct setup *setup)
{
    return (struct feed_identity){
        .sensor = c->sensor,
        .telescope_id = c->telescope_id ? c->telescope_id : "",
        .timezone = c->timezone,
        .filter = c->filter ? c->filter : "",
        .telescope_configured = setup->telescope != NULL,
        .telescope_ipv4 = setup->telescope ? prefix_set_ipv4_size(setup->telescope) : 0,
        .window_span_ns = (int64_t)c->window_ns,
        .lateness_ns = (int64_t)c->lateness_ns,
        .decap = setup->decap,
        .rules = setup->rules,
    };
}

/* Reads, counts, writes the feed. */
static int replay(const struct config *c, const struct setup *setup, struct pipeline_result *result,
                  struct fault *fault)
{
    struct feed_identity identity = identity_of(c, setup);
    struct feed_log *feed = NULL;
    atomic_ulong packets = 0;
    int err;

    if (c->out && (err = feed_log_create(&feed, c->out, &identity, fault)) < 0)
        return err;
    struct progress *progress = progress_start(setup->capture, &packets);
    struct pipeline_settings settings = {
        .capture = setup->capture,
        .filter = setup->filter,
        .rules = setup->rules,
        .telescope = setup->telescope,
        .feed = feed,
        .decap = setup->decap,
        .workers = c->workers ? (unsigned)c->workers : workers_default(),
        .batch = (unsigned)c->batch,
        .steps_back = capture_file_unpacks(setup->capture),
        .window_span_ns = identity.window_span_ns,
        .lateness_ns = identity.lateness_ns,
        .packets = &packets,
    };
    err = pipeline_run(&settings, result, fault);
    progress_stop(progress);
    if (err < 0) {
        feed_log_abandon(feed);
        return err;
    }
    return feed_log_finish(feed, fault);
}

static int settings_check(const struct config *c, struct fault *fault)
{
    if (strcmp(c->lang, "en") && strcmp(c->lang, "ja"))
        return fault_set(fault, EINVAL, "--lang: '%s' is neither en nor ja", c->lang);
    if (strcmp(c->color, "auto") && strcmp(c->color, "always") && strcmp(c->color, "never"))
        return fault_set(fault, EINVAL, "--color: '%s' is none of auto, always, never", c->color);
    int err = name_check("--sensor", c->sensor, fault);
    if (err == 0 && c->telescope_id)
        err = name_check("--telescope-id", c->telescope_id, fault);
    return err < 0 ? err : timezone_check(c->timezone, fault);
}

int command_replay(const struct config *c)
{
    struct setup setup = {0};
    struct pipeline_result result = {0};
    struct summary summary = {0};
    struct fault fault;
    struct timespec from, to;
    int code = EXIT_DONE;

    clock_gettime(CLOCK_MONOTONIC, &from);
    if (settings_check(c, &fault) < 0 || setup_init(&setup, c, &fault) < 0) {
        code = command_fail(&fault, EXIT_USAGE);
    } else if (replay(c, &setup, &result, &fault) < 0) {
        code = command_fail(&fault, EXIT_FAILED);
    } else if (summary_init(&summary, &result, &setup, c) < 0) {
        fault_set(&fault, ENOMEM, "summary: %s", strerror(ENOMEM));
        code = command_fail(&fault, EXIT_FAILED);
    } else {
        clock_gettime(CLOCK_MONOTONIC, &to);
        summary.seconds =
            (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
        command_print_damage(summary.damaged);
        if (c->is_json)
            render_json(stdout, &summary);
        else
            print_text(&summary, c);
        code = command_flush(summary.damaged->count ? EXIT_DAMAGED : EXIT_DONE);
    }
    summary_fini(&summary);
    pipeline_result_fini(&result);
    setup_fini(&setup);
    return code;
}
