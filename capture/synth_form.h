/* synth_form: what each program's packets look like on the wire.
 *
 * Fills a packet that has its addresses, and says what it is meant to be. No packet matches a
 * tool's rule (classify/fingerprint.h names them) but those whose program is the tool.
 */
#ifndef CAPTURE_SYNTH_FORM_H
#define CAPTURE_SYNTH_FORM_H

#include "capture/capture_synth.h"
#include "capture/random.h"
#include "capture/synth_mix.h"
#include "capture/synth_packet.h"

/* In: src, dst, ip_version, vlan, bytes of *p; `port` the source's destination port, where it
 * has one. Out: the frame, and sort, header, tools, dst_port of *intent. Returns the frame's
 * length. */
size_t synth_form_build(struct synth_packet *p, const struct synth_traits *traits, uint16_t port,
                        struct random_stream *random, struct synth_intent *intent);

#endif
