#include "core/live_links.h"

#include "capture/capture_dpdk.h"
#include "capture/capture_pcap.h"
#include "capture/dpdk_port.h"
#include "capture/interface.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool is_dpdk(const struct capture *c) { return strcmp(c->ops->name, "dpdk") == 0; }

void live_links_open(struct live_links *l, const struct live_sources *sources)
{
    *l = (struct live_links){.sources = sources, .netlink = interface_socket()};
    for (unsigned i = 0; i < sources->count; i++)
        l->numbers[i] = sources->behind[i][0] ? (int)if_nametoindex(sources->behind[i]) : 0;
}

void live_links_close(struct live_links *l)
{
    if (l->sources && l->netlink >= 0)
        (void)close(l->netlink);
    *l = (struct live_links){.netlink = -1};
}

static void pcap_look(const struct capture *c, struct live_link_state *s)
{
    struct capture_pcap_status now;
    capture_pcap_status(c, &now);
    s->is_merging = now.is_merging;
    s->err = now.err;
    s->link = now.link == CAPTURE_PCAP_UP     ? LIVE_LINK_UP
              : now.err != 0                  ? LIVE_LINK_CLOSED
              : now.link == CAPTURE_PCAP_DOWN ? LIVE_LINK_DOWN
                                              : LIVE_LINK_GONE;
}

static void port_look(const struct live_links *l, unsigned i, struct live_link_state *s)
{
    struct interface_state state;
    uint32_t mbps;
    bool is_up;
    dpdk_port_link(capture_dpdk_port(l->sources->receivers[i].capture), &is_up, &mbps);
    s->link = is_up ? LIVE_LINK_UP : LIVE_LINK_DOWN;
    if (l->numbers[i] == 0 || l->netlink < 0)
        return;
    int err = interface_read(l->netlink, l->numbers[i], NULL, &state);
    if (err == -ENODEV)
        s->link = LIVE_LINK_LOST;
    else if (err == 0 && !state.is_up)
        s->link = LIVE_LINK_DOWN;
}

static void change_say(const struct live_links *l, unsigned i,
                       void (*say)(void *context, const char *line), void *context)
{
    const struct live_link_state *s = &l->states[i];
    static const char *const words[] = {
        [LIVE_LINK_UP] = "it is up: packets are captured again",
        [LIVE_LINK_DOWN] = "it is down: nothing is captured from it until it is up",
        [LIVE_LINK_GONE] = "the interface is gone: nothing is captured from it until there is one",
        [LIVE_LINK_LOST] = "the interface is gone: nothing is captured from it until yamiscope is "
                           "started again",
    };
    char line[256];
    if (s->link == LIVE_LINK_CLOSED)
        (void)snprintf(line, sizeof line,
                       "%s: it can't be opened again: %s: nothing is captured from it",
                       l->sources->names[i], strerror(s->err));
    else
        (void)snprintf(line, sizeof line, "%s: %s", l->sources->names[i], words[s->link]);
    say(context, line);
}

static void merging_say(const char *name, void (*say)(void *context, const char *line),
                        void *context)
{
    char line[256];
    (void)snprintf(line, sizeof line,
                   "%s: GRO or LRO puts packets together before they are captured: fewer are "
                   "counted than came (ethtool -K %s gro off lro off)",
                   name, name);
    say(context, line);
}

/* A port's queues have one link: the first of them speaks for all. */
static bool is_first(const struct live_links *l, unsigned i)
{
    const struct live_receiver_settings *r = l->sources->receivers;
    return i == 0 || !is_dpdk(r[i].capture) || !is_dpdk(r[i - 1].capture) ||
           capture_dpdk_port(r[i].capture) != capture_dpdk_port(r[i - 1].capture);
}

unsigned live_links_look(struct live_links *l, void (*say)(void *context, const char *line),
                         void *context)
{
    unsigned count = 0;
    l->down = l->blind = 0;
    for (unsigned i = 0; i < l->sources->count; i++) {
        const struct capture *c = l->sources->receivers[i].capture;
        struct live_link_state *s = &l->states[i], before = *s;
        if (!is_first(l, i))
            *s = l->states[i - 1];
        else if (is_dpdk(c))
            port_look(l, i, s);
        else
            pcap_look(c, s);
        s->was_up |= s->link == LIVE_LINK_UP;
        if (is_first(l, i) && (s->link != before.link || s->err != before.err))
            change_say(l, i, say, context);
        if (s->is_merging && !before.is_merging)
            merging_say(l->sources->names[i], say, context);
        count += is_first(l, i) && s->link != LIVE_LINK_UP;
        l->down |= (uint64_t)(s->link != LIVE_LINK_UP) << i;
        l->blind |= (uint64_t)(s->link != LIVE_LINK_UP && s->was_up) << i;
    }
    return count;
}
