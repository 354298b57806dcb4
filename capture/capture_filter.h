/* capture_filter: a BPF expression, as tcpdump takes it.
 *
 * Compiled by libpcap, once per link type that turns up: the same words mean other
 * offsets behind another link header. One thread per filter.
 */
#ifndef CAPTURE_CAPTURE_FILTER_H
#define CAPTURE_CAPTURE_FILTER_H

#include "capture/capture.h"

struct filter;

/* Compiles `expression` for Ethernet. -EINVAL with libpcap's reason where it does not compile,
 * -ENOMEM. Caller destroys. */
int filter_create(struct filter **out, const char *expression, struct fault *fault);

/* 1: the frame matches, 0: it does not; -EINVAL with the fault where the expression does not compile
 * for the frame's link type (the words of an Ethernet header on a raw IP capture, say): said
 * again for every such frame. Of BSD loopback the IP packet is judged without its header of 4 bytes.
 * Looks at nothing beyond caplen; as in tcpdump a condition
 * on bytes that were not caught does not hold. */
int filter_matches(struct filter *f, const struct frame *frame, struct fault *fault);

/* Accepts NULL. */
void filter_destroy(struct filter *f);

#endif
