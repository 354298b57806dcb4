#include "core/live_outlets.h"

#include "core/version.h"
#include "export/metric.h"

#include <errno.h>
#include <string.h>
#include <time.h>

/* ---- numbers of now ---- */

void live_outlets_tick(struct live_outlets *o, const struct live_counters *now,
                       const struct recorder_counts *recorded, uint64_t links_down)
{
    int64_t at_ns = serve_now_ns(NULL);
    (void)pthread_mutex_lock(&o->lock);
    if (o->now_ns > 0 && at_ns > o->now_ns) {
        double seconds = (double)(at_ns - o->now_ns) / 1e9;
        o->rate_pps = (double)(now->received - o->now.received) / seconds;
        o->rate_bps = (double)(now->bytes - o->now.bytes) * 8 / seconds;
    }
    o->now_ns = at_ns;
    o->now = *now;
    o->links_down = links_down;
    o->has_recorder = recorded != NULL;
    if (recorded)
        o->recorded = *recorded;
    (void)pthread_mutex_unlock(&o->lock);
}

void live_outlets_sealed(struct live_outlets *o, int64_t end_ns)
{
    (void)pthread_mutex_lock(&o->lock);
    o->sealed_ns = end_ns;
    (void)pthread_mutex_unlock(&o->lock);
}

static void ledger_fill(struct window_ledger *l, const struct live_counters *n)
{
    *l = (struct window_ledger){.observed = n->counted, .late = n->late, .unknown = n->unknown};
    for (unsigned why = 0; why < DROP_COUNT; why++)
        ledger_drop_set(l, why, n->dropped[why]);
    l->offered = l->observed + ledger_dropped(l);
}

static void publisher_fill(struct publisher *p, int64_t sealed_ns, struct http_sink *sink)
{
    struct publisher_state s;
    publisher_read(p, &s);
    snprintf(sink->name, sizeof sink->name, "%s", publisher_name(p));
    sink->is_up = s.phase == PUBLISHER_sending || s.phase == PUBLISHER_current;
    sink->lag_s = s.delivered_ns == INT64_MIN || sealed_ns == 0
                      ? -1
                      : (double)(sealed_ns - s.delivered_ns) / 1e9;
    sink->failed = s.errors;
    for (unsigned i = 0; i < SINK_SORTS; i++)
        sink->delivered += s.items[i];
}

static void courier_fill(struct courier *c, struct http_sink *sink)
{
    struct courier_state s;
    courier_read(c, &s);
    snprintf(sink->name, sizeof sink->name, "%s", courier_name(c));
    sink->is_up = !s.is_failing;
    sink->lag_s = -1;
    sink->failed = s.errors;
    sink->delivered = s.arrived;
}

static void health(void *context, struct http_health *to)
{
    struct live_outlets *o = context;
    (void)pthread_mutex_lock(&o->lock);
    int64_t sealed_ns = o->sealed_ns;
    to->is_capturing = true;
    to->rate_pps = o->rate_pps;
    to->rate_bps = o->rate_bps;
    ledger_fill(&to->ledger, &o->now);
    to->given_up = o->now.lost_windows;
    (void)pthread_mutex_unlock(&o->lock);
    for (unsigned i = 0; i < o->sink_count; i++) {
        struct http_sink *sink = &to->sinks[to->sink_count++];
        if (o->sinks[i].publisher)
            publisher_fill(o->sinks[i].publisher, sealed_ns, sink);
        else
            courier_fill(o->sinks[i].courier, sink);
    }
}

/* Not well: windows wait for the disk, a receiver says nothing, or nothing can come to it. */
static bool is_healthy(void *context, char why[128])
{
    struct live_outlets *o = context;
    (void)pthread_mutex_lock(&o->lock);
    uint64_t held = o->now.held_windows, silent = o->now.silent, down = o->links_down;
    (void)pthread_mutex_unlock(&o->lock);
    if (held > 0)
        snprintf(why, 128, "%llu windows wait for the disk", (unsigned long long)held);
    else if (silent)
        snprintf(why, 128, "a receiver has said nothing for a second");
    else if (down)
        snprintf(why, 128, "an interface or port that is captured from is not up");
    return held == 0 && silent == 0 && down == 0;
}

/* ---- prefixes ---- */

int live_outlets_watch(struct live_outlets *o, const struct telescope_dates *telescope,
                       unsigned receivers)
{
    for (unsigned i = 0; i < receivers; i++)
        if (!(o->watches[i] = telescope_watch_create(telescope, TELESCOPE_WATCH_BYTES)))
            return -ENOMEM;
    o->prefixes = (uint32_t)telescope->prefix_count;
    return 0;
}

static unsigned watch_count(const struct live_outlets *o)
{
    unsigned count = 0;
    while (count < LIVE_RECEIVERS && o->watches[count])
        count++;
    return count;
}

unsigned live_outlets_silent(struct live_outlets *o)
{
    int64_t now_ns = serve_now_ns(NULL);
    unsigned count = watch_count(o);
    if (count == 0)
        return 0;
    (void)pthread_mutex_lock(&o->lock);
    for (unsigned i = 0; i < count; i++)
        telescope_watch_clean(o->watches[i]);
    unsigned silent = telescope_watch_silent(o->watches, count, calendar_day_of(now_ns).date,
                                             now_ns - (int64_t)LIVE_PREFIX_SILENT_S * 1000000000);
    (void)pthread_mutex_unlock(&o->lock);
    return silent;
}

/* By number, never by address (law 6). */
static void print_prefixes(struct live_outlets *o, FILE *out)
{
    static const char *const names[] = {"yamiscope_prefix_packets_total",
                                        "yamiscope_prefix_addresses_hit",
                                        "yamiscope_prefix_last_packet_timestamp_seconds"};
    static const char *const helps[] = {
        "Packets to a prefix of the telescope, by its number in the configuration.",
        "Its distinct addresses that got a packet today.", "When it got one last."};
    int32_t date = calendar_day_of(serve_now_ns(NULL)).date;
    for (unsigned what = 0; what < 3; what++) {
        metric_head(out, names[what], what == 0 ? "counter" : "gauge", helps[what]);
        for (uint32_t number = 0; number < o->prefixes; number++) {
            struct telescope_watch_row row;
            char label[16];
            snprintf(label, sizeof label, "%u", number);
            telescope_watch_read(o->watches, watch_count(o), number, date, &row);
            if (what == 0)
                metric_count(out, names[what], "prefix", label, row.packets);
            else if (what == 1 && row.is_dark && row.hits != HITS_UNKNOWN)
                metric_count(out, names[what], "prefix", label, row.hit);
            else if (what == 2 && row.last_ns != INT64_MIN)
                metric_number(out, names[what], "prefix", label, (double)row.last_ns / 1e9);
        }
    }
}

/* ---- metrics ---- */

static void gauge(FILE *out, const char *name, const char *help, double number)
{
    metric_head(out, name, "gauge", help);
    metric_number(out, name, NULL, NULL, number);
}

static void counter(FILE *out, const char *name, const char *help, uint64_t number)
{
    metric_head(out, name, "counter", help);
    metric_count(out, name, NULL, NULL, number);
}

static void print_clock(const struct live_outlets *o, FILE *out)
{
    struct live_clock_state clock;
    live_clock_state(&o->sources->clock, &clock);
    gauge(out, "yamiscope_clock_offset_seconds",
          "System clock minus the clock that packets are stamped with.",
          (double)clock.offset_ns / 1e9);
    counter(out, "yamiscope_clock_steps_total", "Steps of the system clock.", clock.steps);
    counter(out, "yamiscope_clock_jumps_total", "Times that packets' clock jumped forward.",
            clock.jumps);
    counter(out, "yamiscope_clock_resets_total",
            "Times that the processor's counter went back or leapt ahead; packets' clock did not.",
            clock.resets);
}

static void print_recorder(const struct recorder_counts *r, FILE *out)
{
    counter(out, "yamiscope_recorder_packets_total", "Packets in recordings.", r->packets);
    counter(out, "yamiscope_recorder_skipped_packets_total", "Packets that were not recorded.",
            r->skipped);
    counter(out, "yamiscope_recorder_bytes_total", "Bytes of recordings, as stored.", r->bytes);
    gauge(out, "yamiscope_recorder_failing", "1 while recordings can't be written.", r->err != 0);
}

static void print_rules(struct live_reload *reload, uint64_t generation, FILE *out)
{
    static const char reloads[] = "yamiscope_rules_reloads_total";
    struct live_reload_state s;
    live_reload_state(reload, &s);
    gauge(out, "yamiscope_rules_generation",
          "Rules of the window that began last: 1 those of the start, one more with each reload.",
          (double)generation);
    metric_head(out, "yamiscope_rules_info", "gauge",
                "The rules that were read last, by their digest.");
    metric_count(out, "yamiscope_rules_info", "sha256", s.sha256, 1);
    metric_head(out, reloads, "counter", "Times that rules and lists were read again.");
    metric_count(out, reloads, "result", "done", s.done);
    metric_count(out, reloads, "result", "unchanged", s.unchanged);
    metric_count(out, reloads, "result", "failed", s.failed);
    gauge(out, "yamiscope_rules_reload_failing",
          "1 where the last time failed, and rules stayed as they were.", s.has_failed);
    if (s.at_ns > 0)
        gauge(out, "yamiscope_rules_reload_timestamp_seconds", "When it was the last time.",
              (double)s.at_ns / 1e9);
}

static void print_deliveries(struct live_deliveries *d, FILE *out)
{
    struct live_deliveries_state s;
    live_deliveries_read(d, &s);
    gauge(out, "yamiscope_delivery_organisations", "Organisations that get their own alerts.",
          s.organisations);
    gauge(out, "yamiscope_delivery_failing", "Those of them that can't be reached now.", s.failing);
    counter(out, "yamiscope_delivery_events_total", "Alerts that arrived there.", s.arrived);
    counter(out, "yamiscope_delivery_given_up_total", "Alerts that were given up.", s.given_up);
    counter(out, "yamiscope_delivery_errors_total", "Attempts that failed.", s.errors);
}

static void metrics(void *context, FILE *out)
{
    struct live_outlets *o = context;
    (void)pthread_mutex_lock(&o->lock);
    struct live_counters n = o->now;
    struct recorder_counts recorded = o->recorded;
    bool has_recorder = o->has_recorder;
    uint64_t down = o->links_down;
    (void)pthread_mutex_unlock(&o->lock);
    counter(out, "yamiscope_live_received_packets_total",
            "Packets that receivers got, those dropped later among them.", n.received);
    counter(out, "yamiscope_live_received_bytes_total", "Bytes of them, on the wire.", n.bytes);
    gauge(out, "yamiscope_live_queued_batches", "Batches on their way to workers.",
          (double)n.queued_batches);
    gauge(out, "yamiscope_live_sources", "Sources in the tables, at the end of the last window.",
          (double)n.sources);
    gauge(out, "yamiscope_live_held_windows", "Windows that wait for the disk.",
          (double)n.held_windows);
    counter(out, "yamiscope_live_lost_windows_total", "Windows that were given up.",
            n.lost_windows);
    metric_head(out, "yamiscope_live_receiver_silent", "gauge",
                "1 where a receiver has said nothing for a second.");
    for (unsigned i = 0; i < o->sources->count; i++)
        metric_count(out, "yamiscope_live_receiver_silent", "receiver", o->sources->names[i],
                     n.silent >> i & 1);
    metric_head(out, "yamiscope_live_receiver_link_up", "gauge",
                "0 where the interface or port of a receiver is down or gone.");
    for (unsigned i = 0; i < o->sources->count; i++)
        metric_count(out, "yamiscope_live_receiver_link_up", "receiver", o->sources->names[i],
                     !(down >> i & 1));
    struct live_reload *reload = atomic_load(&o->reload);
    if (reload)
        print_rules(reload, n.generation, out);
    struct live_deliveries *d = atomic_load(&o->deliveries);
    if (d)
        print_deliveries(d, out);
    print_clock(o, out);
    if (o->prefixes > 0) {
        (void)pthread_mutex_lock(&o->lock);
        print_prefixes(o, out);
        (void)pthread_mutex_unlock(&o->lock);
    }
    if (has_recorder)
        print_recorder(&recorded, out);
}

/* ---- opening ---- */

/* As the options have them. */
static struct http_settings http_settings_of(const struct config *c)
{
    return (struct http_settings){.feed = c->out,
                                  .timezone = c->timezone,
                                  .program = VERSION,
                                  .listen = c->listen,
                                  .tokens = c->tokens,
                                  .is_public_open = c->is_public,
                                  .tls_cert = c->tls_cert,
                                  .tls_key = c->tls_key,
                                  .publish_delay_ns = c->publish_delay_ns,
                                  .publish_min_sources = (unsigned)c->publish_min_sources,
                                  .connections = (unsigned)c->http_connections};
}

static int http_open(struct live_outlets *o, const struct config *c, struct fault *fault)
{
    static const struct http_ops ops = {
        .now_ns = serve_now_ns, .is_healthy = is_healthy, .health = health, .metrics = metrics};
    struct http_settings s = http_settings_of(c);
    s.rules = atomic_load(&o->serve.rules);
    s.durable = &o->durable;
    s.ops = &ops;
    s.lookup = &serve_lookup;
    s.context = o;
    s.say = serve_say;
    int err = http_start(&o->http, &s, fault);
    if (err == 0)
        serve_say(NULL, http_url(o->http));
    return err;
}

static int sink_begin(struct live_outlets *o, const struct config *c, const char *spec,
                      struct fault *fault)
{
    struct live_sink *sink = &o->sinks[o->sink_count];
    struct publisher_settings s = {.dir = c->out, .durable = &o->durable, .say = serve_say};
    int err;
    if (courier_is(spec)) {
        const struct courier_settings to = {
            .dir = c->out, .spec = spec, .durable = &o->durable, .say = serve_say};
        err = courier_start(&sink->courier, &to, fault);
        if (err < 0)
            fault_prefix(fault, config_subject(c, "to"));
    } else {
        err = sink_open(&s.sink, spec, c->sensor, fault);
        if (err < 0)
            return fault_prefix(fault, config_subject(c, "to"));
        err = publisher_start(&sink->publisher, &s, fault);
    }
    o->sink_count += err == 0;
    return err;
}

/* Whether it can be one, as far as its text and the files that it names say. */
static int sink_check(const struct config *c, const char *spec, struct fault *fault)
{
    struct sink *sink = NULL;
    int err =
        courier_is(spec) ? courier_check(spec, fault) : sink_open(&sink, spec, c->sensor, fault);
    if (sink)
        sink->ops->close(sink);
    return err < 0 ? fault_prefix(fault, config_subject(c, "to")) : 0;
}

int live_outlets_check_sinks(const struct config *c, struct fault *fault)
{
    int err = 0;
    if (c->sinks.count > HTTP_SINKS)
        return fault_set(fault, EINVAL, "%s: more than %d", config_subject(c, "to"), HTTP_SINKS);
    for (size_t i = 0; err == 0 && i < c->sinks.count; i++) {
        for (size_t before = 0; before < i; before++)
            if (!strcmp(c->sinks.at[before], c->sinks.at[i]))
                return fault_set(fault, EINVAL, "%s: the same one twice", config_subject(c, "to"));
        err = sink_check(c, c->sinks.at[i], fault);
    }
    return err;
}

/* The option whose file a message begins with; else --listen. */
static const char *http_option_of(const struct config *c, const char *text)
{
    const struct {
        const char *name, *path;
    } files[] = {{"tokens", c->tokens}, {"tls-cert", c->tls_cert}, {"tls-key", c->tls_key}};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (files[i].path && !strncmp(text, files[i].path, strlen(files[i].path)))
            return files[i].name;
    return "listen";
}

int live_outlets_check_http(const struct config *c, struct fault *fault)
{
    const struct http_settings s = http_settings_of(c);
    if (!config_is_given(c, "listen") || http_check(&s, fault) == 0)
        return 0;
    return fault_prefix(fault, config_subject(c, http_option_of(c, fault->text)));
}

static int sinks_begin(struct live_outlets *o, const struct config *c, struct fault *fault)
{
    int err = 0;
    for (size_t i = 0; err == 0 && i < c->sinks.count; i++)
        err = sink_begin(o, c, c->sinks.at[i], fault);
    return err;
}

int live_outlets_open(struct live_outlets *o, const struct config *c, const struct ruleset *rules,
                      const struct live_sources *sources, uint64_t seq, struct fault *fault)
{
    int err;
    o->serve.feed = c->out;
    o->serve.program = VERSION;
    atomic_store(&o->serve.rules, rules);
    o->sources = sources;
    feed_durable_set(&o->durable, seq);
    err = sinks_begin(o, c,
                      fault); /* HTTP tells of them: they are there before it, and go behind it */
    if (err == 0 && config_is_given(c, "listen"))
        err = http_open(o, c, fault);
    if (err == 0 && !c->no_sources)
        err = source_indexer_start(&o->indexer, c->out, fault);
    return err;
}

int live_outlets_deliver(struct live_outlets *o, const struct watched *networks,
                         struct fault *fault)
{
    struct live_deliveries *d = atomic_load(&o->deliveries);
    if (!d) {
        d = live_deliveries_create(o->serve.feed, &o->durable, serve_say, NULL);
        atomic_store(&o->deliveries, d);
    }
    if (!d)
        return fault_set(fault, ENOMEM, "deliveries: %s", strerror(ENOMEM));
    return live_deliveries_set(d, networks, fault);
}

/* What was sealed last goes to a sink that is up. One that is not gets it when it is told again: nothing is lost. */
static void sinks_settle(struct live_outlets *o)
{
    const struct timespec pause = {.tv_nsec = 20000000};
    bool is_waiting = true;
    for (unsigned tries = 0; is_waiting && tries < LIVE_SINK_GRACE_MS / 20; tries++) {
        is_waiting = false;
        for (unsigned i = 0; i < o->sink_count; i++) {
            struct publisher_state s = {0};
            if (!o->sinks[i].publisher)
                continue;
            publisher_read(o->sinks[i].publisher, &s);
            bool is_up = s.phase == PUBLISHER_sending || s.phase == PUBLISHER_current;
            is_waiting |= is_up && s.delivered_ns < o->sealed_ns;
        }
        if (is_waiting)
            (void)nanosleep(&pause, NULL);
    }
}

void live_outlets_rules(struct live_outlets *o, const struct ruleset *rules)
{
    atomic_store(&o->serve.rules, rules);
    if (o->http)
        http_rules(o->http, rules);
}

bool live_outlets_uses(struct live_outlets *o, const struct ruleset *rules)
{
    return atomic_load(&o->serve.rules) == rules || (o->http && http_uses(o->http, rules));
}

void live_outlets_close(struct live_outlets *o)
{
    source_indexer_stop(o->indexer);
    sinks_settle(o);
    http_stop(o->http); /* it tells of sinks, and of deliveries */
    for (unsigned i = 0; i < o->sink_count; i++) {
        publisher_stop(o->sinks[i].publisher);
        courier_stop(o->sinks[i].courier);
    }
    o->sink_count = 0;
    live_deliveries_destroy(o->deliveries);
    o->deliveries = NULL;
    o->indexer = NULL;
    o->http = NULL;
    for (unsigned i = 0; i < LIVE_RECEIVERS; i++) {
        telescope_watch_destroy(o->watches[i]);
        o->watches[i] = NULL;
    }
}
