/* udp_form: which UDP payloads are answers, which are no scan at all, and which ask a reflector.
 *
 * A row is a protocol in one role. A payload has at most one form; the first that holds of
 *
 *   answers    the source port is one that the protocol's servers answer from, and the payload has the form
 *              of an answer: backscatter_udp. One alone proves nothing: a scanner may send from port 53, and an
 *              answer's bytes may be sent from anywhere.
 *   stray      peer-to-peer traffic that went astray, on any port, by forms that leave no room for a command
 *   requests   the destination port is a reflector's, and the payload asks what it answers with more
 *              than it was asked: a scan packet (udp) with the label amplification_request, since its source is probably a victim
 *
 * What decides lies in the first UDP_FORM_BYTES bytes, and in what was caught of them: a payload that was cut
 * before may lose its form, never gain one. Lengths are the packet's, not those caught. So a
 * packet has the same form whether it is read from a frame or from a batch.
 *
 * Beside these, the control traffic of one link is stray by its destination alone (udp_group_of). An
 * answer to such a group is an announcement, and nobody's backscatter. Discovery (SSDP, WS-Discovery, vendors' own
 * to 239.255.255.250, ff02::c, 255.255.255.255) asks devices: such a packet is judged like any other.
 *
 * Not told: old QUIC of Google's with public headers; uTP data packets, whose header is too weak (see
 * udp_stray.c); answers from ports of their own (TFTP data, SSDP of some devices). A NOTIFY of SSDP, whoever it is
 * sent to, is an announcement, no answer, and stays udp. NTP in client mode and QUIC's first packet are no
 * amplification_request: a server answers the one with as many bytes and the other with at most
 * three times as many (RFC 9000, 8.1). Nor are plain SNMP Get and STUN requests.
 *
 * Pure functions, any thread.
 */
#ifndef CLASSIFY_UDP_FORM_H
#define CLASSIFY_UDP_FORM_H

#include "capture/observation.h"

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { UDP_FORM_BYTES = 256 }; /* no test looks behind them */

/* Payload as caught. */
struct udp_payload {
    const uint8_t *at;
    uint32_t caught; /* bytes at `at` */
    uint32_t len;    /* of the datagram, by the lengths of the packet */
};

enum udp_class { UDP_PLAIN, UDP_ANSWER, UDP_STRAY, UDP_ASKS };

/* clang-format off */
/* The rows: name. Answers, stray and requests, each in the order of tests. */
#define UDP_ANSWERS(X) \
    X(qotd) X(chargen) X(dns) X(dhcp) X(tftp) X(kerberos) X(rpc) X(ntp) X(netbios) X(snmp) X(xdmcp) \
    X(cldap) X(slp) X(quic) X(ike) X(ike_nat) X(rip) X(ipmi) X(openvpn) X(mssql) X(radius) X(ssdp) \
    X(gtp) X(addp) X(arms) X(stun) X(ws_discovery) X(nat_pmp) X(mdns) X(llmnr) X(sip) X(coap) X(ubiquiti) \
    X(memcached) X(source_engine) X(quake) X(sadp) X(dahua) X(ethernet_ip) X(bacnet) X(dtls)
#define UDP_STRAYS(X) \
    X(dht) X(utp) X(bittorrent) X(tracker)
#define UDP_REQUESTS(X) \
    X(qotd) X(chargen) X(dns) X(tftp) X(rpc) X(ntp) X(netbios) X(snmp) X(xdmcp) X(cldap) X(slp) X(dtls) \
    X(rip) X(openvpn) X(mssql) X(ssdp) X(arms) X(ws_discovery) X(mdns) X(coap) X(ubiquiti) \
    X(memcached) X(source_engine) X(quake) X(plex) X(sadp) X(dahua)

#define UDP_ANSWER_ID_(name)  UDP_answer_##name,
#define UDP_STRAY_ID_(name)   UDP_stray_##name,
#define UDP_REQUEST_ID_(name) UDP_asks_##name,
enum udp_form_id {
    UDP_FORM_NONE,
    UDP_ANSWERS(UDP_ANSWER_ID_) UDP_STRAYS(UDP_STRAY_ID_) UDP_REQUESTS(UDP_REQUEST_ID_)
    UDP_FORM_COUNT
};
/* clang-format on */

struct udp_form {
    const char *name; /* "dns answer" */
    uint8_t class;    /* enum udp_class */
    uint8_t min_len;  /* of the payload */
    bool (*holds)(const struct udp_payload *p);
    const char *what;   /* the test in words */
    const char *source; /* the specification or report that it stands on */
};

/* By enum udp_form_id; [UDP_FORM_NONE] is all zero. */
extern const struct udp_form udp_forms[UDP_FORM_COUNT];

/* The form of a payload between these ports. `p->at` may be NULL where nothing was caught. */
enum udp_form_id udp_form_of(uint16_t src_port, uint16_t dst_port, const struct udp_payload *p);

/* The same by what the two tables below have of these ports. */
enum udp_form_id udp_form_by(unsigned answer, unsigned request, const struct udp_payload *p);

/* ---- before that: is it worth while? ---- */

/* By port: the answer that comes from it, the request that goes to it; 0: none. One port has one
 * row at most, but that DTLS stands beside QUIC (udp_answer_beside()); port 0 has none. */
extern const uint8_t udp_answer_from[65536];
extern const uint8_t udp_request_to[65536];

/* The answer that comes from the same ports as this one; 0: none. */
static inline enum udp_form_id udp_answer_beside(enum udp_form_id answer)
{
    return answer == UDP_answer_quic ? UDP_answer_dtls : UDP_FORM_NONE;
}

/* By enum udp_form_id: what the first four payload bytes are in this form, as one big-endian number. */
struct udp_first {
    uint32_t mask, value;
};
extern const struct udp_first udp_firsts[UDP_FORM_COUNT];

/* Whether a payload that begins like this may be a stray one, on any port. */
static inline bool udp_stray_wants(uint32_t len, uint32_t first4)
{
    uint32_t type = first4 >> 28, extension = first4 >> 16 & 0xff;
    bool is_dht = (first4 & 0xff00ff00) == ((uint32_t)'d' << 24 | (uint32_t)':' << 8);
    bool is_tracker = first4 == 0x417;
    bool is_bittorrent = (first4 == 0x13426974) | (first4 == 0x42542d53);
    bool is_utp = (first4 >> 24 & 15) == 1 && type <= 4 && extension <= 2;
    return is_dht | is_tracker | is_bittorrent | (is_utp & (len >= 20));
}

/* False: udp_form_of() says UDP_FORM_NONE. `answer` and `request`: what the two tables have. `first4`: the first
 * payload bytes, the first one highest; zeros where fewer were caught. */
static inline bool udp_form_wants_of(unsigned answer, unsigned request, uint32_t len,
                                     uint32_t first4)
{
    if ((answer | request) == 0)
        return udp_stray_wants(len, first4);
    const struct udp_first *a = &udp_firsts[answer], *r = &udp_firsts[request];
    return (answer && (first4 & a->mask) == a->value) ||
           (request && (first4 & r->mask) == r->value) || udp_stray_wants(len, first4);
}

/* The same by ports. */
static inline bool udp_form_wants(uint16_t src_port, uint16_t dst_port, uint32_t len,
                                  uint32_t first4)
{
    return udp_form_wants_of(udp_answer_from[src_port], udp_request_to[dst_port], len, first4);
}

/* The same of bytes. */
static inline uint32_t udp_first4(const uint8_t *payload, uint32_t caught)
{
    uint32_t first4 = 0;
    if (payload && caught >= sizeof first4) {
        memcpy(&first4, payload, sizeof first4);
        return be32toh(first4);
    }
    for (uint32_t i = 0; i < 4; i++)
        first4 = first4 << 8 | (payload && i < caught ? payload[i] : 0);
    return first4;
}

/* ---- groups on one link ---- */

/* Addresses that only control traffic of one link is sent to. */
struct udp_group {
    const char *name;
    uint8_t ip_version, bits; /* length of the prefix */
    uint8_t prefix[16];
    const uint8_t *but; /* an address of 16 bytes in it that is left out; NULL: none */
    uint16_t ports[2];  /* of the destination; 0, 0: any */
    const char *source;
};
extern const struct udp_group udp_groups[];
extern const unsigned udp_group_count;

/* The row that holds of a UDP packet's destination; NULL: none. */
const struct udp_group *udp_group_of(const struct observation *o);

/* False: udp_group_of() says NULL. By the destination's first byte. */
static inline bool udp_group_wants(uint8_t first) { return first >= 239 || first == 224; }

#endif
