/* event_filter: which events are asked for. The words are a person's or a stranger's. Pure. */
#ifndef EXPORT_EVENT_FILTER_H
#define EXPORT_EVENT_FILTER_H

#include "capture/fault.h"
#include "classify/prefix.h"
#include "export/event.h"

/* All zero takes every event. */
struct event_filter {
    uint32_t types;  /* a set of 1 << enum event_type; 0: all */
    uint32_t phases; /* a set of 1 << enum event_phase; 0: all */
    bool has_since, has_until, has_prefix, has_port;
    int64_t since_ns, until_ns; /* some of its time, first to last, is in [since, until) */
    struct prefix
        prefix; /* its address is in it; of watched events the address, not the organisation's prefix */
    enum event_proto proto; /* of has_port: EVENT_ANY_PROTO takes both */
    uint16_t port;          /* its port; of dos: one of those listed */
    double
        min_rate; /* packets a second for the whole Internet; above 0: events without an estimate are not taken */
};

bool event_filter_takes(const struct event_filter *f, const struct event *e);

/* "scan", "dos,watched". -EINVAL and a fault that names the word. */
int event_filter_types(struct event_filter *f, const char *words, struct fault *fault);

/* "begin", "goes_on,end", "open" (begin and goes_on). */
int event_filter_phases(struct event_filter *f, const char *words, struct fault *fault);

/* "198.51.100.0/24", "2001:db8::1". */
int event_filter_network(struct event_filter *f, const char *word, struct fault *fault);

/* "tcp/23", "23". */
int event_filter_port(struct event_filter *f, const char *word, struct fault *fault);

/* "10", "0.5". */
int event_filter_rate(struct event_filter *f, const char *word, struct fault *fault);

#endif
