/* udp_form_tests: what the tests of UDP forms share. Nobody else includes it.
 *
 * A test is told a payload of at least its row's min_len bytes on the wire, of which any number were caught,
 * at most UDP_FORM_BYTES. Every read is checked by one of the functions here.
 */
#ifndef CLASSIFY_UDP_FORM_TESTS_H
#define CLASSIFY_UDP_FORM_TESTS_H

#include "capture/cursor.h"
#include "classify/udp_form.h"

#include <string.h>

static inline bool form_has(const struct udp_payload *p, uint32_t n) { return n <= p->caught; }

/* The number at an offset; `otherwise` where it was not caught. */
static inline uint32_t form_8(const struct udp_payload *p, uint32_t at, uint32_t otherwise)
{
    return at < p->caught ? p->at[at] : otherwise;
}

static inline uint32_t form_16(const struct udp_payload *p, uint32_t at, uint32_t otherwise)
{
    return at + 2 <= p->caught ? read_be16(p->at + at) : otherwise;
}

static inline uint32_t form_32(const struct udp_payload *p, uint32_t at, uint32_t otherwise)
{
    return at + 4 <= p->caught ? read_be32(p->at + at) : otherwise;
}

static inline uint32_t form_le16(const struct udp_payload *p, uint32_t at, uint32_t otherwise)
{
    return at + 2 <= p->caught ? p->at[at] | (uint32_t)p->at[at + 1] << 8 : otherwise;
}

/* Whether these bytes stand at an offset. */
static inline bool form_bytes(const struct udp_payload *p, uint32_t at, const void *bytes,
                              uint32_t n)
{
    return at + n <= p->caught && memcmp(p->at + at, bytes, n) == 0;
}

#define form_text(p, at, text) form_bytes(p, at, text, sizeof(text) - 1)

/* Whether these bytes stand anywhere from an offset on. */
static inline bool form_holds_bytes(const struct udp_payload *p, uint32_t from, const char *text,
                                    uint32_t n)
{
    return from < p->caught && memmem(p->at + from, p->caught - from, text, n) != NULL;
}

#define form_holds(p, from, text) form_holds_bytes(p, from, text, sizeof(text) - 1)

/* A BER element (X.690): where its content begins. */
struct form_ber {
    uint32_t tag, at, len;
};

/* Reads tag and length at an offset; false: not there, or longer than the payload. */
bool form_ber(const struct udp_payload *p, uint32_t at, struct form_ber *ber);

/* The tag of an SNMP message's PDU (RFC 1157, 3416: 0xa0 to 0xa8); 0: no SNMP, or it is encrypted. */
uint32_t form_snmp_pdu(const struct udp_payload *p);

/* A DNS message (RFC 1035, 4.1.1): response bit and counts that fit into its length. */
bool form_dns(const struct udp_payload *p, bool is_response);

/* An envelope of WS-Discovery that goes on behind the bytes that are looked at, which don't say what it is about:
 * namespaces come first. */
bool form_ws_begins(const struct udp_payload *p);

/* The functions of the rows in udp_form.c: udp_answer.c, udp_stray.c, udp_request.c. */
#define UDP_ANSWER_FN_(name)  bool udp_answer_##name(const struct udp_payload *p);
#define UDP_STRAY_FN_(name)   bool udp_stray_##name(const struct udp_payload *p);
#define UDP_REQUEST_FN_(name) bool udp_asks_##name(const struct udp_payload *p);
UDP_ANSWERS(UDP_ANSWER_FN_)
UDP_STRAYS(UDP_STRAY_FN_)
UDP_REQUESTS(UDP_REQUEST_FN_)

#endif
