#include "core/live_sources.h"

#include "capture/capture_dpdk.h"
#include "capture/capture_pcap.h"
#include "capture/capture_spec.h"
#include "capture/dpdk_eal.h"
#include "core/core_list.h"

#include <errno.h>
#include <inttypes.h>
#include <net/if.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum {
    LINE = 1200,
    NICE_ANY = 40, /* RLIMIT_NICE: 20 - nice */
};

__attribute__((format(printf, 2, 3))) static void say_line(void (*say)(const char *line),
                                                           const char *format, ...)
{
    char line[LINE];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    say(line);
}

static int said_of(int err, const struct config *c, const char *option, struct fault *fault)
{
    if (err < 0)
        (void)fault_prefix(fault, config_subject(c, option));
    return err;
}

/* ---- what config and machine tell before anything is opened ---- */

/* `port`: only of DPDK's. */
static int spec_parse(const struct config *c, size_t i, struct capture_spec *spec,
                      struct dpdk_spec *port, struct fault *fault)
{
    int err = capture_spec_parse(spec, c->from.at[i], fault);
    if (err == 0 && spec->backend == CAPTURE_BACKEND_DPDK)
        err = dpdk_spec_parse(port, strchr(c->from.at[i], ':') + 1, fault);
    return said_of(err, c, "from", fault);
}

int live_sources_look(const struct config *c, size_t i, struct fault *fault)
{
    struct capture_spec spec;
    struct dpdk_spec port;
    int err = spec_parse(c, i, &spec, &port, fault);
    if (err == 0 && spec.backend == CAPTURE_BACKEND_PCAP)
        err = said_of(capture_pcap_look(spec.target, fault), c, "from", fault);
    return err;
}

/* --eal, given several times, as one text. */
static int eal_text(const struct config *c, char **text, struct fault *fault)
{
    size_t len = 1;
    for (size_t i = 0; i < c->eal.count; i++)
        len += strlen(c->eal.at[i]) + 1;
    *text = calloc(1, len);
    if (!*text)
        return fault_set(fault, ENOMEM, "eal: %s", strerror(ENOMEM));
    for (size_t i = 0; i < c->eal.count; i++) {
        strcat(*text, c->eal.at[i]);
        strcat(*text, " ");
    }
    return 0;
}

static int eal_check(const struct config *c, struct fault *fault)
{
    struct dpdk_arguments arguments;
    char *text;
    int err = eal_text(c, &text, fault);
    if (err < 0)
        return err;
    err = said_of(dpdk_arguments_parse(&arguments, text, fault), c, "eal", fault);
    free(text);
    return err;
}

/* The kernel's interface that a vdev stands on, by its arguments; empty: none. */
static void behind_read(const struct dpdk_spec *spec, char name[CAPTURE_INTERFACE_MAX + 1])
{
    name[0] = '\0';
    if (!dpdk_spec_value(spec, "iface", name, CAPTURE_INTERFACE_MAX + 1))
        (void)dpdk_spec_value(spec, "rx_iface", name, CAPTURE_INTERFACE_MAX + 1);
}

/* The kernel's interface that a --from captures from; empty: none, or it is not well formed, which is said elsewhere. */
static void interface_of(const struct config *c, size_t i, char name[CAPTURE_INTERFACE_MAX + 1])
{
    struct capture_spec spec;
    struct dpdk_spec port;
    name[0] = '\0';
    if (spec_parse(c, i, &spec, &port, NULL) < 0)
        return;
    if (spec.backend == CAPTURE_BACKEND_DPDK)
        behind_read(&port, name);
    else
        (void)snprintf(name, CAPTURE_INTERFACE_MAX + 1, "%.15s", spec.target);
}

static bool is_same(const char *a, const char *b)
{
    unsigned number = if_nametoindex(a);
    return !strcmp(a, b) || !strcmp(a, "any") || !strcmp(b, "any") ||
           (number != 0 && number == if_nametoindex(b));
}

/* Nothing else would tell: all that is captured would be counted twice. */
static int twice_check(const struct config *c, struct fault *fault)
{
    char a[CAPTURE_INTERFACE_MAX + 1], b[CAPTURE_INTERFACE_MAX + 1];
    for (size_t i = 1; i < c->from.count; i++) {
        interface_of(c, i, a);
        for (size_t k = 0; k < i && a[0]; k++) {
            interface_of(c, k, b);
            if (b[0] && is_same(a, b))
                return said_of(fault_set(fault, EINVAL,
                                         "%.80s and %.80s: one interface: its packets would be "
                                         "counted twice",
                                         c->from.at[k], c->from.at[i]),
                               c, "from", fault);
        }
    }
    return 0;
}

int live_sources_check(const struct config *c, struct fault *fault)
{
    if (c->from.count == 0)
        return fault_set(fault, EINVAL,
                         "nothing to capture from: --from (in a config `from`) names pcap:IFACE or "
                         "dpdk:PORT");
    if (live_receivers_count(c) && c->from.count > 1)
        return fault_set(
            fault, EINVAL,
            "%s: 0: a source may send to several of what is captured from, and receivers "
            "that count by themselves would count it twice; it takes workers",
            config_subject(c, "workers"));
    int err = eal_check(c, fault);
    return err < 0 ? err : twice_check(c, fault);
}

bool live_receivers_count(const struct config *c)
{
    return config_is_given(c, "workers") && c->workers == 0;
}

/* ---- libpcap ---- */

static int pcap_open(struct live_sources *s, const struct config *c, const char *interface,
                     struct fault *fault)
{
    struct live_receiver_settings *r = &s->receivers[s->count];
    const struct capture_pcap_settings settings = {
        .interface = interface,
        .filter = c->filter,
        .buffer_bytes = c->pcap_buffer,
        .snaplen = (uint32_t)c->snaplen,
        .is_modest = c->no_promiscuous,
        .clock = &s->clock,
    };
    *r = (struct live_receiver_settings){
        .unknown = c->filter ? 1u << DROP_filtered : 0, /* the kernel does not count them */
        .cpu = LIVE_ANY_CPU,
    };
    int err = capture_pcap_open(&r->capture, &settings, fault);
    if (err < 0)
        return err;
    snprintf(s->names[s->count], sizeof s->names[0], "%s", interface);
    s->count++;
    return 0;
}

/* ---- DPDK ---- */

static int eal_begin(const struct config *c, const struct dpdk_spec *specs, size_t count,
                     void (*say)(const char *line), struct fault *fault)
{
    struct dpdk_eal_info info;
    char *text;
    int err = eal_text(c, &text, fault);
    if (err < 0)
        return err;
    const struct dpdk_eal_settings settings = {.eal = text, .specs = specs, .spec_count = count};
    err = dpdk_eal_init(&settings, &info, fault);
    free(text);
    if (err < 0)
        return err;
    if (info.has_hugepages)
        say_line(say, "DPDK: hugepages of %" PRIu64 " KB", info.page_bytes >> 10);
    else
        say_line(say, "DPDK: no hugepages (%s): slower; %" PRIu64 " MB of ordinary memory",
                 info.why, info.memory_bytes >> 20);
    return 0;
}

static int port_open(struct live_sources *s, const struct config *c, const struct dpdk_spec *spec,
                     void (*say)(const char *line), struct fault *fault)
{
    struct capture *captures[DPDK_QUEUES_MAX];
    if (s->count + spec->queues > LIVE_RECEIVERS)
        return fault_set(fault, EINVAL, "%s: more than %d receivers", spec->device, LIVE_RECEIVERS);
    int err = capture_dpdk_open(captures, spec, &s->clock, fault);
    if (err < 0)
        return err;
    const struct dpdk_port_info *port = dpdk_port_info(capture_dpdk_port(captures[0]));
    for (unsigned queue = 0; queue < port->queues; queue++, s->count++) {
        struct live_receiver_settings *r = &s->receivers[s->count];
        *r = (struct live_receiver_settings){.capture = captures[queue],
                                             .enter = dpdk_thread_enter,
                                             .leave = dpdk_thread_leave,
                                             .cpu = LIVE_ANY_CPU};
        snprintf(s->names[s->count], sizeof s->names[0], "%.48s queue %u", port->name, queue);
        behind_read(spec, s->behind[s->count]);
        err = c->filter ? filter_create(&r->filter, c->filter, fault) : 0;
        if (err < 0) {
            s->count++;
            return err;
        }
    }
    say_line(say, "%s: %s, %u queue%s of %u descriptors, link %s%s%s", port->name, port->driver,
             port->queues, port->queues == 1 ? "" : "s", port->descriptors,
             port->is_up ? "up" : "down", port->is_promiscuous ? ", promiscuous" : "",
             port->hashes_source ? ", dealt by source address" : "");
    return 0;
}

/* ---- all ---- */

static int specs_parse(const struct config *c, struct capture_spec *specs, struct dpdk_spec *ports,
                       size_t *port_count, struct fault *fault)
{
    *port_count = 0;
    for (size_t i = 0; i < c->from.count; i++) {
        int err = spec_parse(c, i, &specs[i], &ports[*port_count], fault);
        if (err < 0)
            return err;
        *port_count += specs[i].backend == CAPTURE_BACKEND_DPDK;
    }
    return 0;
}

static int all_open(struct live_sources *s, const struct config *c,
                    const struct capture_spec *specs, const struct dpdk_spec *ports,
                    size_t port_count, void (*say)(const char *line), struct fault *fault)
{
    size_t port = 0;
    if (port_count > 0) {
        int err = eal_begin(c, ports, port_count, say, fault);
        if (err < 0)
            return err;
        s->has_dpdk = true;
        /* Receivers go before others (core/live_receiver.c), also where we are no longer root by then. */
        (void)setrlimit(RLIMIT_NICE, &(struct rlimit){NICE_ANY, NICE_ANY});
    }
    for (size_t i = 0; i < c->from.count; i++) {
        int err;
        if (specs[i].backend == CAPTURE_BACKEND_DPDK)
            err = port_open(s, c, &ports[port++], say, fault);
        else if (s->count == LIVE_RECEIVERS)
            err = fault_set(fault, EINVAL, "more than %d receivers", LIVE_RECEIVERS);
        else
            err = pcap_open(s, c, specs[i].target, fault);
        if (err < 0)
            return said_of(err, c, "from", fault);
    }
    return 0;
}

int live_sources_open(struct live_sources *s, const struct config *c, void (*say)(const char *line),
                      struct fault *fault)
{
    size_t port_count = 0;
    *s = (struct live_sources){0};
    int err = live_sources_check(c, fault);
    if (err < 0)
        return err;
    struct capture_spec *specs = calloc(c->from.count, sizeof *specs);
    struct dpdk_spec *ports = calloc(c->from.count, sizeof *ports);
    err = specs && ports ? specs_parse(c, specs, ports, &port_count, fault)
                         : fault_set(fault, ENOMEM, "sources: %s", strerror(ENOMEM));
    if (err == 0) {
        live_clock_init(&s->clock);
        err = all_open(s, c, specs, ports, port_count, say, fault);
    }
    free(specs);
    free(ports);
    return err;
}

void live_sources_close(struct live_sources *s)
{
    for (unsigned i = 0; i < s->count; i++) {
        s->receivers[i].capture->ops->close(s->receivers[i].capture);
        filter_destroy(s->receivers[i].filter);
    }
    if (s->has_dpdk)
        dpdk_eal_fini();
    *s = (struct live_sources){0};
}

int live_sources_deal(const struct live_sources *s, const struct config *c, struct fault *fault)
{
    if (s->count == 1)
        return 0;
    const struct dpdk_port_info *port = dpdk_port_info(capture_dpdk_port(s->receivers[0].capture));
    if (!port->hashes_source || s->count > SHARDS)
        return fault_set(fault, EINVAL,
                         "%s: 0: %s does not deal packets to its %u queues by the source address "
                         "alone; it takes workers, or queues=1",
                         config_subject(c, "workers"), port->name, port->queues);
    return 0;
}

/* ---- processors ---- */

int live_cores_read(struct core_list *list, const struct config *c, const char *option,
                    const char *text, struct fault *fault)
{
    list->count = 0;
    if (!text)
        return 0;
    int err = core_list_parse(list, text, fault);
    if (err == 0)
        err = core_list_check(list, fault);
    return said_of(err, c, option, fault);
}

/* Those that the process may run on. */
static void allowed(struct core_list *list)
{
    cpu_set_t set;
    list->count = 0;
    if (sched_getaffinity(0, sizeof set, &set) < 0)
        return;
    for (unsigned cpu = 0; cpu < CPU_SETSIZE && list->count < CORES_MAX; cpu++)
        if (CPU_ISSET(cpu, &set))
            list->at[list->count++] = cpu;
}

int live_sources_plan(struct live_sources *s, const struct config *c, unsigned workers,
                      int worker_cpus[SHARDS], void (*say)(const char *line), struct fault *fault)
{
    static struct core_list receivers, others, all;
    int err = live_cores_read(&receivers, c, "receiver-cores", c->receiver_cores, fault);
    if (err == 0)
        err = live_cores_read(&others, c, "worker-cores", c->worker_cores, fault);
    if (err < 0)
        return err;
    allowed(&all);
    bool is_chosen =
        s->has_dpdk && receivers.count == 0 && others.count == 0 && all.count >= s->count + workers;
    for (unsigned i = 0; i < s->count; i++)
        s->receivers[i].cpu = receivers.count > 0 ? (int)receivers.at[i % receivers.count]
                              : is_chosen         ? (int)all.at[i]
                                                  : LIVE_ANY_CPU;
    for (unsigned i = 0; i < SHARDS; i++)
        worker_cpus[i] = others.count > 0 ? (int)others.at[i % others.count]
                         : is_chosen      ? (int)all.at[(s->count + i) % all.count]
                                          : LIVE_ANY_CPU;
    for (unsigned i = 0; i < s->count; i++)
        if (s->receivers[i].cpu != LIVE_ANY_CPU)
            say_line(say, "receiver of %s: processor %d", s->names[i], s->receivers[i].cpu);
    for (unsigned i = 0; i < workers; i++)
        if (worker_cpus[i] != LIVE_ANY_CPU)
            say_line(say, "worker %u: processor %d", i, worker_cpus[i]);
    return 0;
}

void live_sources_step_aside(const struct live_sources *s)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) < 0)
        return;
    for (unsigned i = 0; i < s->count; i++)
        if (s->receivers[i].cpu != LIVE_ANY_CPU)
            CPU_CLR((unsigned)s->receivers[i].cpu, &set);
    if (CPU_COUNT(&set) > 0)
        (void)sched_setaffinity(0, sizeof set, &set);
}
