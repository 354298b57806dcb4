#include "capture/capture_file.h"
#include "core/command.h"
#include "core/event_setup.h"
#include "core/memory_cap.h"
#include "core/pipeline.h"
#include "core/progress.h"
#include "core/replay_days.h"
#include "core/setup.h"
#include "core/terminal.h"
#include "core/zone.h"
#include "export/render.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Processors that we may run on. */
static unsigned processors(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0)
        return (unsigned)CPU_COUNT(&set);
    long all = sysconf(_SC_NPROCESSORS_ONLN); /* more than fit into the set */
    return all > 0 ? (unsigned)all : 1;
}

static unsigned workers_default(void)
{
    unsigned all = processors();
    return all < 2 ? 1 : all > SHARDS ? SHARDS : all - 1;
}

/* On two processors one worker is enough for the receiver as long as its tables lie in its cache, and a second one costs some
 * percent. Beyond that it is the slower of the two: at 2 million sources two are 1.4 times as fast, at 10 million 1.3 times (bench/replay.py). */
static uint64_t share_default(void)
{
    enum { SHARE_AT = 1 << 20 };
    return processors() == 2 ? SHARE_AT : 0;
}

/* ---- summary ---- */

static int number_order(const struct summary_port *x, const struct summary_port *y)
{
    if (x->proto != y->proto)
        return x->proto < y->proto ? -1 : 1;
    return x->port < y->port ? -1 : x->port > y->port;
}

static int port_order(const void *a, const void *b)
{
    const struct summary_port *x = a, *y = b;
    if (x->packets != y->packets)
        return x->packets > y->packets ? -1 : 1;
    return number_order(x, y);
}

static int scan_order(const void *a, const void *b, void *context)
{
    const struct summary_port *ports = context;
    const struct summary_port *x = &ports[*(const uint32_t *)a], *y = &ports[*(const uint32_t *)b];
    if (x->scan != y->scan)
        return x->scan > y->scan ? -1 : 1;
    if (x->packets != y->packets)
        return x->packets > y->packets ? -1 : 1;
    return number_order(x, y);
}

static int scan_ports_fill(struct summary *s)
{
    s->scan_ports = malloc((s->port_count + 1) * sizeof *s->scan_ports);
    if (!s->scan_ports)
        return -ENOMEM;
    for (size_t i = 0; i < s->port_count; i++)
        if (s->ports[i].scan)
            s->scan_ports[s->scan_port_count++] = (uint32_t)i;
    qsort_r(s->scan_ports, s->scan_port_count, sizeof *s->scan_ports, scan_order, s->ports);
    return 0;
}

static bool port_is_inexact(const struct pipeline_result *result, unsigned proto, uint16_t port)
{
    return result->sources->inexact[proto][port / 64] >> port % 64 & 1;
}

/* In the order that is printed: JSON has all of them, text those that scan packets aim at. */
static int ports_fill(struct summary *s, const struct pipeline_result *result, bool is_json)
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
                .is_inexact = port_is_inexact(result, proto, row->port),
            };
        }
    if (!is_json)
        return scan_ports_fill(s);
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

static int rules_fill(struct summary *s, const struct pipeline_result *result, bool has_days)
{
    size_t count = s->rules->rule_count;
    bool inexact[RULES_MAX] = {false};
    s->by_rule = malloc((count + 1) * sizeof *s->by_rule);
    if (!s->by_rule)
        return -ENOMEM;
    for (size_t i = 0; i < s->port_count; i++) {
        const struct summary_port *p = &s->ports[i];
        const struct port_class *class =
            &s->rules->classes[s->rules->port_class[p->proto][p->port]];
        for (unsigned k = 0; k < 2 && p->is_inexact && p->scan > 0; k++)
            if (class->rules[k] != RULE_NONE)
                inexact[class->rules[k]] = true;
    }
    for (size_t i = 0; i < count; i++) {
        struct summary_rule row = {.rule = (uint16_t)i,
                                   .port_sources = result->sources->rules[i],
                                   .payload_sources = result->sources->payload_rules[i],
                                   .is_inexact = inexact[i]};
        row.has_payload_sources = has_days && s->rules->rules[i].payload && !s->rules->payload_off;
        row.is_inexact |= row.has_payload_sources && (s->given_up.rules || s->given_up.sources);
        for (unsigned e = 0; e < EVIDENCE_COUNT; e++) {
            row.by[e] = result->total->rules[i][e];
            row.packets += row.by[e].packets;
            row.bytes += row.by[e].bytes;
        }
        if (row.packets)
            s->by_rule[s->by_rule_count++] = row;
    }
    qsort(s->by_rule, s->by_rule_count, sizeof *s->by_rule, rule_order);
    return 0;
}

/* The telescope as it was when the last packet came. */
static void telescope_fill(struct summary *s, const struct setup *setup)
{
    if (!setup->telescope)
        return;
    const struct telescope_dates *t = setup->telescope;
    const struct telescope_span *last = telescope_dates_at(t, s->total->totals.last_ns);
    s->telescope_ipv4 = prefix_set_ipv4_size(last->set);
    s->telescope_ipv6_prefixes = prefix_set_ipv6_prefixes(last->set);
    s->telescope_spans = t->span_count;
}

static int summary_init(struct summary *s, const struct pipeline_result *result,
                        const struct setup *setup, const struct replay_days *days,
                        const struct config *c)
{
    *s = (struct summary){
        .rules = setup->rules,
        .total = result->total,
        .sources = result->sources->sources,
        .destinations = result->destinations,
        .given_up = result->given_up,
        .indicators_withheld = result->indicators_withheld,
        .windows = result->windows - result->parts, /* every window has one part 0 */
        .window_parts = result->parts,
        .damaged = setup->capture->ops->damaged(setup->capture),
        .inputs = capture_file_inputs(setup->capture),
        .ex_absent = replay_days_ex_absent(days),
        .list_count = days->list_count,
        .telescope_configured = setup->telescope != NULL,
        .settings =
            {
                .filter = c->filter,
                .hides_filter = setup->telescope != NULL && !c->expose_telescope,
                .telescope_id = c->telescope_id,
                .timezone = c->timezone,
                .sensor = c->sensor,
                .decap = setup->decap,
                .window_ns = (int64_t)c->window_ns,
                .lateness_ns = (int64_t)c->lateness_ns,
                .memory_cap = c->memory,
                .top = (unsigned)c->top,
                .paths = (const char *const *)c->paths,
                .path_count = c->path_count,
            },
        .feed_dir = c->out,
    };
    telescope_fill(s, setup);
    memcpy(s->kind_sources, result->sources->kinds, sizeof s->kind_sources);
    memcpy(s->mark_sources, result->sources->marks, sizeof s->mark_sources);
    int err = ports_fill(s, result, c->is_json);
    return err < 0 ? err : rules_fill(s, result, !c->no_sources);
}

static void summary_fini(struct summary *s)
{
    free(s->ports);
    free(s->scan_ports);
    free(s->by_rule);
}

/* ---- text ---- */

static struct render_zone zone_at(int64_t ts_ns)
{
    time_t time = (time_t)(ts_ns / 1000000000);
    struct render_zone zone = {0};
    struct tm tm;

    if (localtime_r(&time, &tm)) {
        zone.east_s = (int32_t)tm.tm_gmtoff;
        snprintf(zone.name, sizeof zone.name, "%s", tm.tm_zone);
    }
    return zone;
}

/* C has one local zone, the process's; no other thread runs any more. */
static void zones_fill(struct render_text_settings *settings, const struct summary *s)
{
    if (setenv("TZ", s->settings.timezone, 1) < 0)
        return;
    tzset();
    settings->first_zone = zone_at(s->total->totals.first_ns);
    settings->last_zone = zone_at(s->total->totals.last_ns);
}

static void print_text(const struct summary *s, const struct config *c)
{
    struct render_text_settings settings = {
        .width = terminal_width(),
        .top = (unsigned)c->top,
        .is_japanese = !strcmp(c->lang, "ja"),
        .is_color = terminal_has_color(c->color),
        .is_utf8 = terminal_is_utf8(),
    };
    zones_fill(&settings, s);
    render_text(stdout, s, &settings);
}

/* ---- run ---- */

static int feed_open(struct feed_log **feed, const char *dir, const struct feed_identity *identity,
                     struct fault *fault)
{
    int err = feed_log_create(feed, dir, identity, fault);
    if (err == -EEXIST) {
        size_t len = strlen(fault->text);
        snprintf(fault->text + len, sizeof fault->text - len,
                 ": name another folder, or remove this one");
    }
    return err;
}

/* Reads, counts, writes the feed. */
static int replay(const struct config *c, const struct setup *setup, struct replay_days *days,
                  const struct event_setup *events, struct pipeline_result *result,
                  struct fault *fault)
{
    struct feed_telescope sized;
    struct feed_identity identity = setup_identity(setup, c, &sized);
    struct feed_log *feed = NULL;
    atomic_ulong packets = 0;

    replay_days_identify(days, &identity);
    int err = c->out ? feed_open(&feed, c->out, &identity, fault) : 0;
    if (err < 0)
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
        .share_at = c->workers ? 0 : share_default(),
        .batch = (unsigned)c->batch,
        .steps_back = capture_file_unpacks(setup->capture),
        .days = days->store,
        .minutes = &days->minutes,
        .survey = replay_days_survey(days),
        .events = event_setup_settings(events),
        .memory_cap = c->memory,
        .window_span_ns = identity.window_span_ns,
        .lateness_ns = identity.lateness_ns,
        .packets = &packets,
    };
    err = pipeline_run(&settings, result, fault);
    progress_stop(progress);
    days->settings.infected = events->infected;
    if (err == 0 && days->store)
        err = day_store_finish(days->store, &days->minutes, feed, NULL, NULL, fault);
    if (err < 0) {
        feed_log_abandon(feed);
        return err;
    }
    return feed_log_finish(feed, fault);
}

int command_replay(const struct config *c)
{
    struct setup setup = {0};
    struct replay_days days = {0};
    struct event_setup events = {0};
    struct pipeline_result result = {0};
    struct summary summary = {0};
    struct fault fault;
    struct timespec from, to;
    int code = EXIT_DONE;

    clock_gettime(CLOCK_MONOTONIC, &from);
    if (command_check_words(c, &fault) < 0 || setup_check(c, &fault) < 0 ||
        setup_init(&setup, c, &fault) < 0 ||
        event_setup_init(&events, c, &setup, "none", c->out != NULL, &fault) < 0) {
        code = command_fail(&fault, EXIT_USAGE);
    } else if (replay_days_init(&days, c, &setup, true, &fault) < 0 ||
               replay(c, &setup, &days, &events, &result, &fault) < 0) {
        code = command_fail(&fault, EXIT_FAILED);
    } else if (summary_init(&summary, &result, &setup, &days, c) < 0) {
        fault_set(&fault, ENOMEM, "summary: %s", strerror(ENOMEM));
        code = command_fail(&fault, EXIT_FAILED);
    } else {
        clock_gettime(CLOCK_MONOTONIC, &to);
        summary.has_indicators = event_settings_has(&events.settings, EVENT_indicator);
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
    replay_days_fini(&days);
    event_setup_fini(&events);
    setup_fini(&setup);
    return code;
}
