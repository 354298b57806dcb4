/* classify: labels for a batch.
 *
 * Kind, tools, rules and marks of every observation, in one pass without
 * allocation or shared state; any thread. Marks: total always; scan for the scan kinds;
 * iot_strict and iot_broad for scan kinds whose port has an iot rule (strict; strict or shared);
 * iot_bot for a tcp_syn that matches mirai, to a port with an iot rule; one per tool matched.
 * A payload's rule is the stronger evidence, and a packet has one: it is none of iot_bot, and
 *
 *   a strict iot rule          iot_strict, iot_broad, iot_payload, whatever the port
 *   a shared iot rule          iot_broad; iot_strict stays as the port says
 *   a rule of another category the packet is not IoT: no iot mark
 *
 * iot_confirmed is iot_payload or iot_bot.
 */
#ifndef CLASSIFY_CLASSIFY_H
#define CLASSIFY_CLASSIFY_H

#include "capture/batch.h"
#include "classify/label.h"
#include "classify/payload.h"
#include "classify/prefix_set.h"
#include "classify/ruleset.h"
#include "classify/telescope_dates.h"
#include "classify/udp_form.h"

/* Writes labels[i] for observations[i]. `telescope` may be NULL (everything is inside). The payload of
 * observation o is the o->payload_caught bytes at payloads + o->payload_at; `payloads` NULL: payloads are not
 * looked at, and `scratch` may be NULL. `scratch` is this thread's, made for `rules`. */
void classify_batch(const struct ruleset *rules, const struct prefix_set *telescope,
                    const struct observation *observations, size_t count, const uint8_t *payloads,
                    struct payload_scratch *scratch, struct label *labels);

/* The same of a UDP packet over IPv4 that is whole, inside, to no group of one link, to no NetBIOS port and not
 * likely_spoofed: all that its label follows from. `tools`: what its headers match. */
void classify_udp(const struct ruleset *rules, struct payload_scratch *scratch, uint16_t src_port,
                  uint16_t dst_port, uint32_t tools, const struct udp_payload *payload,
                  struct label *label);

/* The same with a telescope that may change by date (NULL: everything is inside): each observation by that of its own
 * time. */
void classify_dated(const struct ruleset *rules, const struct telescope_dates *telescope,
                    const struct observation *observations, size_t count, const uint8_t *payloads,
                    struct payload_scratch *scratch, struct label *labels);

#endif
