#include "export/event_filter.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool prefix_has(const struct prefix *p, const uint8_t address[16], unsigned ip_version)
{
    unsigned whole = p->length / 8, bits = p->length % 8;
    if (p->ip_version != ip_version || memcmp(p->address, address, whole) != 0)
        return false;
    return bits == 0 || ((p->address[whole] ^ address[whole]) & (0xff00 >> bits) & 0xff) == 0;
}

static bool port_is(const struct event_filter *f, enum event_proto proto, uint16_t port)
{
    return port == f->port && (f->proto == EVENT_ANY_PROTO || f->proto == proto);
}

static bool port_takes(const struct event_filter *f, const struct event *e)
{
    if (e->has_port && port_is(f, e->proto, e->port))
        return true;
    if (e->type == EVENT_infected &&
        port_is(f, e->infected.evidence_proto, e->infected.evidence_dst_port))
        return true;
    for (unsigned i = 0; i < e->ports_listed; i++)
        if (port_is(f, e->ports[i].proto, e->ports[i].port))
            return true;
    return false;
}

bool event_filter_takes(const struct event_filter *f, const struct event *e)
{
    if (f->types != 0 && (f->types >> e->type & 1) == 0)
        return false;
    if (f->phases != 0 && (f->phases >> e->phase & 1) == 0)
        return false;
    if ((f->has_since && e->last_ns < f->since_ns) || (f->has_until && e->first_ns >= f->until_ns))
        return false;
    if (f->has_prefix && !prefix_has(&f->prefix, e->address, e->ip_version))
        return false;
    if (f->has_port && !port_takes(f, e))
        return false;
    return f->min_rate <= 0 || (e->has_rate && e->rate.value >= f->min_rate);
}

/* Calls with each of the words joined by commas. */
static int words_each(const char *words, int (*take)(struct event_filter *f, const char *word),
                      struct event_filter *f, const char *what, struct fault *fault)
{
    char word[32];
    do {
        size_t len = strcspn(words, ",");
        if (len >= sizeof word)
            return fault_set(fault, EINVAL, "'%.40s': no %s", words, what);
        memcpy(word, words, len);
        word[len] = '\0';
        if (take(f, word) < 0)
            return fault_set(fault, EINVAL, "'%s': no %s", word, what);
        words += len;
    } while (*words++ == ',');
    return 0;
}

static int type_take(struct event_filter *f, const char *word)
{
    enum event_type type = event_type_find(word);
    if (type == EVENT_TYPES)
        return -EINVAL;
    f->types |= 1u << type;
    return 0;
}

static int phase_take(struct event_filter *f, const char *word)
{
    enum event_phase phase = event_phase_find(word);
    if (strcmp(word, "open") == 0)
        f->phases |= 1u << EVENT_BEGINS | 1u << EVENT_GOES_ON;
    else if (phase == EVENT_PHASES)
        return -EINVAL;
    else
        f->phases |= 1u << phase;
    return 0;
}

int event_filter_types(struct event_filter *f, const char *words, struct fault *fault)
{
    return words_each(words, type_take, f,
                      "type of event: scan, dos, amplification, watched, infected, indicator, "
                      "new_activity",
                      fault);
}

int event_filter_phases(struct event_filter *f, const char *words, struct fault *fault)
{
    return words_each(words, phase_take, f, "phase: begin, goes_on, end, open", fault);
}

int event_filter_network(struct event_filter *f, const char *word, struct fault *fault)
{
    enum prefix_fault wrong = prefix_parse(&f->prefix, word);
    if (wrong != PREFIX_GOOD)
        return fault_set(fault, EINVAL, "'%.60s': %s", word, prefix_fault_text(wrong));
    f->has_prefix = true;
    return 0;
}

int event_filter_port(struct event_filter *f, const char *word, struct fault *fault)
{
    const char *slash = strchr(word, '/'), *digits = slash == NULL ? word : slash + 1;
    unsigned long port = strlen(digits) <= 5 ? strtoul(digits, NULL, 10) : 65536;
    bool is_number = *digits != '\0' && digits[strspn(digits, "0123456789")] == '\0';
    f->proto = EVENT_ANY_PROTO;
    if (slash != NULL)
        f->proto = strncmp(word, "tcp/", 4) == 0   ? EVENT_TCP
                   : strncmp(word, "udp/", 4) == 0 ? EVENT_UDP
                                                   : EVENT_ICMP;
    if (!is_number || port > UINT16_MAX || f->proto == EVENT_ICMP)
        return fault_set(fault, EINVAL, "'%.40s': no port such as tcp/23, udp/53 or 23", word);
    f->port = (uint16_t)port;
    f->has_port = true;
    return 0;
}

int event_filter_rate(struct event_filter *f, const char *word, struct fault *fault)
{
    char *end;
    double rate = strtod(word, &end);
    if (!isdigit((unsigned char)word[0]) || *end != '\0' || !isfinite(rate) ||
        strpbrk(word, "xXpP") != NULL)
        return fault_set(fault, EINVAL, "'%.40s': no number of packets a second", word);
    f->min_rate = rate;
    return 0;
}
