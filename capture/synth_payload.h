/* synth_payload: what UDP probes carry, by destination port.
 *
 * Each is the smallest valid request of the protocol's specification, written for
 * this generator.
 */
#ifndef CAPTURE_SYNTH_PAYLOAD_H
#define CAPTURE_SYNTH_PAYLOAD_H

#include <stddef.h>
#include <stdint.h>

struct synth_payload {
    uint16_t port;
    uint16_t len;
    const void *bytes;
    uint16_t id_at; /* offset of 2 bytes that differ from packet to packet (a transaction
                          id); 0xffff: none */
};

enum { SYNTH_PAYLOAD_NO_ID = 0xffff };

/* The probe for a port; two zero bytes where the port has no protocol of its own here. Never
 * NULL, never longer than SYNTH_PAYLOAD_MAX. */
const struct synth_payload *synth_payload_probe(uint16_t port);

/* A DNS response (answer, or refusal) and a BitTorrent DHT ping; `variant` chooses. */
const struct synth_payload *synth_payload_dns_answer(unsigned variant);
const struct synth_payload *synth_payload_dht(void);

/* What is sent behind a handshake that never was: telnet negotiation, HTTP requests. */
const struct synth_payload *synth_payload_tcp(uint16_t port);

#endif
