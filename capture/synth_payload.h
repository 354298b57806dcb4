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

/* A table's row from a literal, which may hold zeros. */
#define SYNTH_PAYLOAD(port, text)                         \
    {                                                     \
        port, sizeof(text) - 1, text, SYNTH_PAYLOAD_NO_ID \
    }
#define SYNTH_PAYLOAD_ID(port, text, at) \
    {                                    \
        port, sizeof(text) - 1, text, at \
    }

/* The probe for a port; two zero bytes where the port has no protocol of its own here. Never
 * NULL, never longer than SYNTH_PAYLOAD_MAX. */
const struct synth_payload *synth_payload_probe(uint16_t port);

/* A DNS response (answer, or refusal) and a BitTorrent DHT ping; `variant` chooses. */
const struct synth_payload *synth_payload_dns_answer(unsigned variant);
const struct synth_payload *synth_payload_dht(void);

/* What is sent behind a handshake that never was: telnet negotiation, HTTP requests. */
const struct synth_payload *synth_payload_tcp(uint16_t port);

/* For casts (synth_cast.h), each by port; those beside the ports named get the first one.
 * Exploits carry a command that fetches from 192.0.2.9 (RFC 5737), so nothing that is really there.
 *   exploit_udp   53413, 9034
 *   exploit_tcp   37215, 52869, 7547, 60001, 80; 5555: the greeting of Android's debugger
 *   amplify       53, 389, 11211, 19
 *   reflected     53, 123, 1900, 389, 11211, 161, 19, 443 (QUIC): what such a service answers */
const struct synth_payload *synth_payload_exploit_udp(uint16_t port);
const struct synth_payload *synth_payload_exploit_tcp(uint16_t port);
const struct synth_payload *synth_payload_amplify(uint16_t port);
const struct synth_payload *synth_payload_reflected(uint16_t port);

#endif
