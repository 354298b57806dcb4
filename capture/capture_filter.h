/* capture_filter: a BPF expression, as tcpdump takes it.
 *
 * Compiled by libpcap, once per link type that turns up: the same words mean other
 * offsets behind another link header. One thread per filter.
 */
#ifndef CAPTURE_CAPTURE_FILTER_H
#define CAPTURE_CAPTURE_FILTER_H

#include "capture/capture.h"

struct filter;

/* Compiles `expression`. -EINVAL with libpcap's reason where it compiles neither for Ethernet nor for
 * raw IP, -ENOMEM. Caller destroys. */
int filter_create(struct filter **out, const char *expression, struct fault *fault);

/* Whether packets of a link type can be read: 0, or -ENOTSUP where decode can't or `f` (NULL: no filter)
 * does not compile for it (the words of an Ethernet header on a raw IP capture, say). The reason names
 * the link type and not the expression, which may hold addresses of a telescope. -ENOMEM. */
int filter_reads(struct filter *f, uint32_t link_type, struct fault *fault);

/* 1: the frame matches, 0: it does not; -errno as filter_reads, for every frame of such a link type.
 * Of BSD loopback the IP packet is judged without its header of 4 bytes, which count in its length
 * all the same.
 * Looks at nothing beyond caplen; as in tcpdump a condition
 * on bytes that were not caught does not hold, and all words are about the outermost headers. */
int filter_matches(struct filter *f, const struct frame *frame, struct fault *fault);

/* For who finds that a filter has left nothing: what it sees, in a sentence. */
extern const char filter_sees[];

/* Accepts NULL. */
void filter_destroy(struct filter *f);

#endif
