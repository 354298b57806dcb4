#include "capture/capture_filter.h"

#include "capture/decode.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

enum {
    LINK_NULL = 0,
    LINK_ETHERNET = 1,
    LINK_RAW_BSD = 12,
    LINK_RAW_OPENBSD = 14,
    LINK_RAW = 101,
    LINK_LOOP = 108,
    LOOPBACK_HEADER = 4,
    SNAPLEN = 262144,
};

const char filter_sees[] = "It sees frames as they were captured, by their outermost headers: "
                           "behind a VLAN tag `tcp` is `vlan and tcp`, behind MPLS `mpls and tcp`, "
                           "in PPPoE `pppoes and tcp`.";

struct program {
    uint32_t link_type;
    struct bpf_program code; /* no instructions: does not compile */
    char reason[160];
    uint32_t skipped; /* bytes of header that the program does not see */
    struct program *next;
};

struct filter {
    char *expression;
    struct program *programs; /* the one used last comes first */
};

/* What the link type is called inside a program. Files number raw IP otherwise. BSD loopback's header
 * is a number that differs between systems and byte orders, of which libpcap knows only those of
 * this machine: the header is skipped and the IP packet judged. */
static int dlt_of(uint32_t link_type)
{
    switch (link_type) {
    case LINK_NULL:
    case LINK_LOOP:
    case LINK_RAW_BSD:
    case LINK_RAW_OPENBSD:
    case LINK_RAW:
        return DLT_RAW;
    default:
        return (int)link_type;
    }
}

static struct program *compile(struct filter *f, uint32_t link_type)
{
    struct program *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->link_type = link_type;
    p->skipped = link_type == LINK_NULL || link_type == LINK_LOOP ? LOOPBACK_HEADER : 0;
    pcap_t *dead = pcap_open_dead(dlt_of(link_type), SNAPLEN);
    if (!dead) {
        free(p);
        return NULL;
    }
    if (pcap_compile(dead, &p->code, f->expression, 1, PCAP_NETMASK_UNKNOWN) < 0) {
        memset(&p->code, 0, sizeof p->code);
        strncpy(p->reason, pcap_geterr(dead), sizeof p->reason - 1);
    }
    pcap_close(dead);
    p->next = f->programs;
    f->programs = p;
    return p;
}

static struct program *find_program(struct filter *f, uint32_t link_type)
{
    for (struct program **at = &f->programs; *at; at = &(*at)->next) {
        struct program *p = *at;
        if (p->link_type == link_type) {
            *at = p->next;
            p->next = f->programs;
            f->programs = p;
            return p;
        }
    }
    return compile(f, link_type);
}

static int refuse(const struct program *p, struct fault *fault)
{
    char name[64];
    return fault_set(fault, ENOTSUP, "the filter does not compile for link type %s: %s",
                     decode_link_name(p->link_type, name, sizeof name), p->reason);
}

int filter_reads(struct filter *f, uint32_t link_type, struct fault *fault)
{
    char name[64];
    if (!decode_reads(link_type))
        return fault_set(fault, ENOTSUP, "link type %s is not supported",
                         decode_link_name(link_type, name, sizeof name));
    if (!f)
        return 0;
    const struct program *p = find_program(f, link_type);
    if (!p)
        return fault_set(fault, ENOMEM, "no memory to compile the filter");
    return p->code.bf_insns ? 0 : refuse(p, fault);
}

int filter_matches(struct filter *f, const struct frame *frame, struct fault *fault)
{
    struct program *p = f->programs;
    if (p->link_type != frame->link_type && !(p = find_program(f, frame->link_type)))
        return fault_set(fault, ENOMEM, "no memory to compile the filter");
    if (!p->code.bf_insns)
        return refuse(p, fault);
    uint32_t header = p->skipped < frame->caplen ? p->skipped : frame->caplen;
    /* The length asked for is that of the whole packet, its header included. */
    return bpf_filter(p->code.bf_insns, frame->data + header, frame->wire_len,
                      frame->caplen - header) != 0;
}

int filter_create(struct filter **out, const char *expression, struct fault *fault)
{
    *out = NULL;
    struct filter *f = calloc(1, sizeof *f);
    const struct program *ip = NULL, *ethernet = NULL;
    if (f && (f->expression = strdup(expression)))
        ip = find_program(f, LINK_RAW);
    if (ip)
        ethernet = find_program(f, LINK_ETHERNET);
    if (!ethernet) {
        filter_destroy(f);
        return fault_set(fault, ENOMEM, "no memory to compile the filter");
    }
    if (!ethernet->code.bf_insns && !ip->code.bf_insns) {
        int rc = fault_set(fault, EINVAL, "\"%.80s\": %s", expression, ethernet->reason);
        filter_destroy(f);
        return rc;
    }
    *out = f;
    return 0;
}

void filter_destroy(struct filter *f)
{
    if (!f)
        return;
    while (f->programs) {
        struct program *p = f->programs;
        f->programs = p->next;
        pcap_freecode(&p->code);
        free(p);
    }
    free(f->expression);
    free(f);
}
