/* Answers: the forms. Sources stand in the table of udp_form.c. */
#include "classify/udp_form_tests.h"

static bool is_printable(const struct udp_payload *p, uint32_t from)
{
    for (uint32_t i = from; i < p->caught; i++)
        if ((p->at[i] < 0x20 || p->at[i] > 0x7e) && p->at[i] != '\r' && p->at[i] != '\n' &&
            p->at[i] != '\t')
            return false;
    return from < p->caught;
}

bool udp_answer_qotd(const struct udp_payload *p) { return is_printable(p, 0); }

/* A ring of the printable characters, from any of them on. */
bool udp_answer_chargen(const struct udp_payload *p)
{
    enum { FIRST = ' ', LAST = '~', SEEN = 8 };
    if (!form_has(p, SEEN) || !is_printable(p, 0))
        return false;
    for (uint32_t i = 1; i < SEEN; i++) {
        uint8_t before = p->at[i - 1];
        if (p->at[i] != (before == LAST ? FIRST : before + 1))
            return false;
    }
    return true;
}

/* `opcodes`: those that there are, by bit. */
static bool is_dns(const struct udp_payload *p, bool is_response, uint32_t opcodes)
{
    enum { HEADER = 12, QUESTION = 5, RECORD = 11 };
    if (!form_has(p, HEADER))
        return false;
    uint32_t flags = read_be16(p->at + 2);
    uint32_t questions = read_be16(p->at + 4), records = 0;
    for (uint32_t i = 6; i < HEADER; i += 2)
        records += read_be16(p->at + i);
    return (flags >> 15 & 1) == is_response && opcodes >> (flags >> 11 & 15) & 1 &&
           HEADER + questions * QUESTION + records * RECORD <= p->len;
}

bool form_dns(const struct udp_payload *p, bool is_response)
{
    enum { OPCODES = 0x77 /* 0 1 2 4 5 6 */ };
    return is_dns(p, is_response, OPCODES);
}

bool udp_answer_dns(const struct udp_payload *p) { return form_dns(p, true); }

/* Query, registration, release, wait, refresh (two numbers), registration of several addresses. */
bool udp_answer_netbios(const struct udp_payload *p)
{
    enum { OPCODES = 1 << 0 | 1 << 5 | 1 << 6 | 1 << 7 | 1 << 8 | 1 << 9 | 1 << 15 };
    return is_dns(p, true, OPCODES);
}

bool udp_answer_mdns(const struct udp_payload *p) { return form_dns(p, true); }
bool udp_answer_llmnr(const struct udp_payload *p) { return form_dns(p, true); }

/* DHCP, or BOOTP for Ethernet in its full length, which needs no cookie. */
bool udp_answer_dhcp(const struct udp_payload *p)
{
    enum { REPLY = 2, BOOTP = 300 };
    bool is_ethernet = form_8(p, 1, 0) == 1 && form_8(p, 2, 0) == 6;
    return form_8(p, 0, 0) == REPLY && form_8(p, 2, 255) <= 16 &&
           (form_32(p, 236, 0) == 0x63825363 || (p->len >= BOOTP && is_ethernet));
}

/* From port 69 itself come errors alone, and what servers send that keep the port. */
bool udp_answer_tftp(const struct udp_payload *p)
{
    enum { DATA = 3, ACK = 4, ERROR = 5, OACK = 6, ERRORS = 8, BLOCK = 516 };
    uint32_t opcode = form_16(p, 0, 0), number = form_16(p, 2, UINT16_MAX);
    if (opcode == DATA)
        return number == 1 && p->len <= BLOCK;
    if (opcode == ACK)
        return number <= 1 && p->len == 4;
    if (opcode == ERROR)
        return number <= ERRORS && p->len >= 5;
    return opcode == OACK && form_8(p, 2, 0) >= 0x20 && form_8(p, 2, 0) < 0x7f;
}

bool form_ber(const struct udp_payload *p, uint32_t at, struct form_ber *ber)
{
    if (at + 2 > p->caught)
        return false;
    uint32_t tag = p->at[at], len = p->at[at + 1], begin = at + 2;
    if (len & 0x80) {
        uint32_t bytes = len & 0x7f;
        if (bytes == 0 || bytes > 4 || begin + bytes > p->caught)
            return false;
        for (len = 0; bytes > 0; bytes--)
            len = len << 8 | p->at[begin++];
    }
    *ber = (struct form_ber){tag, begin, len};
    return len <= p->len && begin + len <= p->len;
}

/* Steps over elements with these tags; the offset behind the last, 0: they are not there. */
static uint32_t ber_skip(const struct udp_payload *p, uint32_t at, const uint8_t *tags, unsigned n)
{
    struct form_ber ber;
    for (unsigned i = 0; i < n; i++) {
        if (!form_ber(p, at, &ber) || ber.tag != tags[i])
            return 0;
        at = ber.at + ber.len;
    }
    return at;
}

uint32_t form_snmp_pdu(const struct udp_payload *p)
{
    enum { INTEGER = 2, OCTETS = 4, SEQUENCE = 0x30 };
    static const uint8_t community[] = {OCTETS}, v3[] = {SEQUENCE, OCTETS},
                         context[] = {OCTETS, OCTETS};
    struct form_ber message, version, pdu;
    if (!form_ber(p, 0, &message) || message.tag != SEQUENCE ||
        !form_ber(p, message.at, &version) || version.tag != INTEGER || version.len != 1)
        return 0;
    uint32_t number = form_8(p, version.at, 255), at = version.at + 1;
    if (number == 3) {
        at = ber_skip(p, at, v3, sizeof v3);
        if (!at || !form_ber(p, at, &pdu) || pdu.tag != SEQUENCE)
            return 0;
        at = ber_skip(p, pdu.at, context, sizeof context);
    } else {
        at = number <= 1 ? ber_skip(p, at, community, sizeof community) : 0;
    }
    return at && form_ber(p, at, &pdu) && pdu.tag >= 0xa0 && pdu.tag <= 0xa8 ? pdu.tag : 0;
}

bool udp_answer_snmp(const struct udp_payload *p)
{
    enum { RESPONSE = 0xa2, REPORT = 0xa8 };
    uint32_t pdu = form_snmp_pdu(p);
    return pdu == RESPONSE || pdu == REPORT;
}

/* What stands in an LDAP message behind its number; 0: no LDAP. */
static uint32_t ldap_operation(const struct udp_payload *p)
{
    static const uint8_t integer[] = {2};
    struct form_ber message, operation;
    if (!form_ber(p, 0, &message) || message.tag != 0x30)
        return 0;
    uint32_t at = ber_skip(p, message.at, integer, sizeof integer);
    return at && form_ber(p, at, &operation) ? operation.tag : 0;
}

bool udp_answer_cldap(const struct udp_payload *p)
{
    enum { ENTRY = 0x64, DONE = 0x65, REFERENCE = 0x73 };
    uint32_t operation = ldap_operation(p);
    return operation == ENTRY || operation == DONE || operation == REFERENCE;
}

bool udp_asks_cldap(const struct udp_payload *p) { return ldap_operation(p) == 0x63; }

bool udp_answer_kerberos(const struct udp_payload *p)
{
    enum { AS_REP = 0x6b, TGS_REP = 0x6d, ERROR = 0x7e, SEQUENCE = 0x30 };
    struct form_ber message, body;
    return form_ber(p, 0, &message) &&
           (message.tag == AS_REP || message.tag == TGS_REP || message.tag == ERROR) &&
           form_ber(p, message.at, &body) && body.tag == SEQUENCE;
}

/* A reply, accepted or denied, with a status that exists. */
bool udp_answer_rpc(const struct udp_payload *p)
{
    enum { REPLY = 1, ACCEPTED = 0, DENIED = 1, LAST_STATUS = 5, FLAVORS = 7 };
    uint32_t state = form_32(p, 8, UINT32_MAX);
    if (form_32(p, 4, 0) != REPLY || p->len % 4)
        return false;
    if (state == DENIED)
        return p->len >= 20 && form_32(p, 12, UINT32_MAX) <= 1;
    return state == ACCEPTED && p->len >= 24 && form_32(p, 12, UINT32_MAX) < FLAVORS &&
           (form_32(p, 16, 0) != 0 || form_32(p, 20, UINT32_MAX) <= LAST_STATUS);
}

bool udp_answer_ntp(const struct udp_payload *p)
{
    enum { PASSIVE = 2, SERVER = 4, CONTROL = 6, PRIVATE = 7, HEADER = 48, RESPONSE = 0x80 };
    uint32_t first = form_8(p, 0, 0), mode = first & 7, version = first >> 3 & 7;
    if (version < 1 || version > 4)
        return false;
    if (mode == SERVER || mode == PASSIVE)
        return p->len >= HEADER && form_8(p, 1, 255) <= 16;
    if (mode == CONTROL)
        return (form_8(p, 1, 0) & RESPONSE) && p->len >= 12;
    return mode == PRIVATE && (first & RESPONSE) && p->len >= 8;
}

bool udp_answer_xdmcp(const struct udp_payload *p)
{
    enum { ANSWERS = 1 << 5 | 1 << 6 | 1 << 8 | 1 << 9 | 1 << 11 | 1 << 12 | 1 << 14 };
    uint32_t opcode = form_16(p, 2, 0);
    return form_16(p, 0, 0) == 1 && opcode < 16 && ANSWERS >> opcode & 1 &&
           form_16(p, 4, UINT16_MAX) + 6 == p->len;
}

/* Version 2; 3 bytes of length. */
bool udp_answer_slp(const struct udp_payload *p)
{
    enum { ANSWERS = 1 << 2 | 1 << 5 | 1 << 7 | 1 << 8 | 1 << 10 | 1 << 11 };
    uint32_t function = form_8(p, 1, 0), len = form_32(p, 1, 0) & 0xffffff;
    return form_8(p, 0, 0) == 2 && function < 16 && ANSWERS >> function & 1 && len == p->len;
}

/* A version that was ever deployed: 1, 2, drafts, Google's, those that are there to be refused. */
static bool quic_knows(uint32_t version)
{
    uint32_t top = version >> 24;
    return version == 1 || version == 0x6b3343cf || (version & 0xffffff00) == 0xff000000 ||
           top == 'Q' || top == 'T' || (version & 0x0f0f0f0f) == 0x0a0a0a0a ||
           (version & 0xfffffff0) == 0xfaceb000;
}

/* Long headers that a server sends. A client's first packet is told by its source port. */
bool udp_answer_quic(const struct udp_payload *p)
{
    enum { ID = 20, LONG = 0x80, FIXED = 0x40, ZERO_RTT = 1 };
    uint32_t first = form_8(p, 0, 0), version = form_32(p, 1, UINT32_MAX);
    uint32_t to = form_8(p, 5, 255), from = to <= ID ? form_8(p, 6 + to, 255) : 255;
    uint32_t body = 7 + to + from;
    if (!(first & LONG) || to > ID || from > ID || body >= p->len)
        return false;
    if (version == 0)
        return (p->len - body) % 4 == 0;
    uint32_t type = first >> 4 & 3;
    bool is_second = version == 0x6b3343cf; /* version 2 numbers its types anew (RFC 9369) */
    return (first & FIXED) && quic_knows(version) && type != (is_second ? 2 : ZERO_RTT);
}

/* A record with what a server sends first: ServerHello, HelloVerifyRequest, an alert. */
bool udp_answer_dtls(const struct udp_payload *p)
{
    enum { ALERT = 21, HANDSHAKE = 22, SERVER_HELLO = 2, VERIFY = 3, HEADER = 13 };
    uint32_t type = form_8(p, 0, 0), version = form_16(p, 1, 0), len = form_16(p, 11, 0);
    if ((version != 0xfeff && version != 0xfefd) || form_16(p, 3, 1) != 0 || HEADER + len > p->len)
        return false;
    uint32_t first = form_8(p, HEADER, 0);
    if (type == ALERT)
        return len == 2 && (first == 1 || first == 2);
    return type == HANDSHAKE && (first == SERVER_HELLO || first == VERIFY);
}

static bool ike_at(const struct udp_payload *p, uint32_t at)
{
    enum { HEADER = 28, RESPONSE = 0x20, V1 = 0x10, V2 = 0x20 };
    uint32_t version = form_8(p, at + 17, 0), exchange = form_8(p, at + 18, 0);
    uint32_t flags = form_8(p, at + 19, 0);
    if (p->len < at + HEADER || form_32(p, at + 24, 0) != p->len - at)
        return false;
    bool has_responder = form_32(p, at + 8, 0) || form_32(p, at + 12, 0);
    if (version == V1) /* informational: an error may come before the responder has a cookie */
        return (has_responder && exchange >= 1 && exchange <= 6) || exchange == 5;
    return version == V2 && exchange >= 34 && exchange <= 45 && flags & RESPONSE;
}

bool udp_answer_ike(const struct udp_payload *p) { return ike_at(p, 0); }

bool udp_answer_ike_nat(const struct udp_payload *p)
{
    return form_32(p, 0, 1) == 0 && ike_at(p, 4);
}

bool udp_answer_rip(const struct udp_payload *p)
{
    enum { RESPONSE = 2, ENTRY = 20, INET = 2, AUTHENTICATION = 0xffff };
    uint32_t version = form_8(p, 1, 0), family = form_16(p, 4, 0);
    return form_8(p, 0, 0) == RESPONSE && (version == 1 || version == 2) && form_16(p, 2, 1) == 0 &&
           p->len % ENTRY == 4 && p->len <= 4 + 25 * ENTRY &&
           (family == INET || family == AUTHENTICATION);
}

/* Presence pong of ASF, and IPMI 1.5 outside a session: a function of an odd number to the remote console. */
bool udp_answer_ipmi(const struct udp_payload *p)
{
    enum { ASF = 6, IPMI = 7, PONG = 0x40, CONSOLE = 0x81, ODD = 4 };
    uint32_t class = form_8(p, 3, 0) & 0x1f;
    if (form_16(p, 0, 0) != 0x0600)
        return false;
    if (class == ASF)
        return form_32(p, 4, 0) == 0x11be && form_8(p, 8, 0) == PONG;
    return class == IPMI && form_8(p, 4, 1) == 0 && form_8(p, 14, 0) == CONSOLE &&
           form_8(p, 15, 0) & ODD;
}

/* The first answer of a server; the number of a key below it. */
bool udp_answer_openvpn(const struct udp_payload *p)
{
    enum { SERVER_RESET = 8 };
    return form_8(p, 0, 0) >> 3 == SERVER_RESET && p->len >= 26;
}

bool udp_answer_mssql(const struct udp_payload *p)
{
    return form_8(p, 0, 0) == 5 && form_le16(p, 1, UINT16_MAX) + 3 == p->len;
}

bool udp_answer_radius(const struct udp_payload *p)
{
    enum { ANSWERS = 1 << 2 | 1 << 3 | 1 << 5 | 1 << 11 };
    uint32_t code = form_8(p, 0, 0), len = form_16(p, 2, 0);
    return code < 16 && ANSWERS >> code & 1 && len >= 20 && len <= p->len;
}

bool udp_answer_ssdp(const struct udp_payload *p)
{
    return form_text(p, 0, "HTTP/1.") && form_text(p, 8, " 200");
}

/* Echo response: GTP's own answer to anybody. */
bool udp_answer_gtp(const struct udp_payload *p)
{
    uint32_t first = form_8(p, 0, 0), version = first >> 5, header = version == 2 ? 4 : 8;
    bool is_gtp = version == 2 || (version == 1 && first & 0x10);
    return is_gtp && form_8(p, 1, 0) == 2 && form_16(p, 2, UINT16_MAX) + header == p->len;
}

bool udp_answer_addp(const struct udp_payload *p)
{
    return form_text(p, 0, "DIGI") && form_16(p, 4, 0) % 2 == 0 && form_16(p, 4, 0) > 0 &&
           form_16(p, 6, UINT16_MAX) + 8 == p->len;
}

/* A number, then the length of what follows; 20 asks. */
bool udp_answer_arms(const struct udp_payload *p)
{
    enum { ASKS = 0x14 };
    return form_16(p, 0, ASKS) != ASKS && form_16(p, 2, 0) + 4 == p->len;
}

bool udp_answer_stun(const struct udp_payload *p)
{
    uint32_t type = form_16(p, 0, 0), len = form_16(p, 2, 1);
    return (type & 0xffed) == 0x0101 && len % 4 == 0 && len + 20 == p->len;
}

bool form_ws_begins(const struct udp_payload *p)
{
    static const char *const words[] = {"Probe", "Resolve", "Fault", "Hello", "Bye"};
    if (p->caught < UDP_FORM_BYTES || p->len == UDP_FORM_BYTES || !form_holds(p, 0, "Envelope"))
        return false;
    for (unsigned i = 0; i < sizeof words / sizeof *words; i++)
        if (form_holds_bytes(p, 0, words[i], (uint32_t)strlen(words[i])))
            return false;
    return true;
}

/* An envelope, whatever comes before it: a declaration, a byte order mark. */
bool udp_answer_ws_discovery(const struct udp_payload *p)
{
    return form_ws_begins(p) ||
           (form_holds(p, 0, "<") && (form_holds(p, 0, "Matches") || form_holds(p, 0, "Fault")));
}

bool udp_answer_nat_pmp(const struct udp_payload *p)
{
    enum { NAT_PMP, PCP = 2 };
    uint32_t version = form_8(p, 0, 255), opcode = form_8(p, 1, 0) & 0x7f;
    if (!(form_8(p, 1, 0) & 0x80))
        return false;
    if (version == PCP)
        return p->len >= 24 && p->len % 4 == 0;
    return version == NAT_PMP && opcode <= 2 && (p->len == 8 || p->len == 12 || p->len == 16);
}

bool udp_answer_sip(const struct udp_payload *p)
{
    uint32_t class = form_8(p, 8, 0);
    return form_text(p, 0, "SIP/2.0 ") && class >= '1' && class <= '6';
}

/* A response in an acknowledgement or a message of its own, or a reset. */
bool udp_answer_coap(const struct udp_payload *p)
{
    enum { RESET = 3 };
    uint32_t first = form_8(p, 0, 0), type = first >> 4 & 3, token = first & 15;
    uint32_t code = form_8(p, 1, 1), class = code >> 5;
    if (first >> 6 != 1 || token > 8 || p->len < 4 + token)
        return false;
    if (type == RESET)
        return code == 0 && token == 0 && p->len == 4;
    return class == 2 || class == 4 || class == 5;
}

bool udp_answer_ubiquiti(const struct udp_payload *p)
{
    enum { ASKS = 8 };
    uint32_t version = form_8(p, 0, 0), command = form_8(p, 1, ASKS);
    return (version == 1 ? command == 0 : version == 2 && command != ASKS) &&
           form_16(p, 2, 0) > 0 && form_16(p, 2, 0) + 4 == p->len;
}

bool udp_answer_memcached(const struct udp_payload *p)
{
    static const char *const begins[] = {"STAT ",  "VALUE ", "END\r\n",  "ERROR",    "VERSION ",
                                         "OK\r\n", "STORED", "CLIENT_E", "SERVER_E", "RESET"};
    uint32_t number = form_16(p, 2, UINT16_MAX), count = form_16(p, 4, 0);
    if (form_16(p, 6, 1) != 0 || number >= count)
        return false;
    if (number > 0)
        return true; /* goes on anywhere in what it answers */
    for (unsigned i = 0; i < sizeof begins / sizeof *begins; i++)
        if (form_bytes(p, 8, begins[i], (uint32_t)strlen(begins[i])))
            return true;
    return false;
}

bool udp_answer_source_engine(const struct udp_payload *p)
{
    uint32_t first = form_32(p, 0, 0), type = form_8(p, 4, 0);
    return first == 0xfeffffff ||
           (first == UINT32_MAX && type != 0 && memchr("ImDEAj", (int)type, 6) != NULL);
}

bool udp_answer_quake(const struct udp_payload *p)
{
    return form_32(p, 0, 0) == UINT32_MAX &&
           (form_text(p, 4, "statusResponse") || form_text(p, 4, "infoResponse") ||
            form_text(p, 4, "print\n"));
}

bool udp_answer_sadp(const struct udp_payload *p) { return form_holds(p, 0, "<ProbeMatch"); }

/* With the header of 32 bytes or without. */
bool udp_answer_dahua(const struct udp_payload *p)
{
    return (form_text(p, 4, "DHIP") || form_text(p, 0, "{")) && form_holds(p, 1, "notifyDevInfo");
}

bool udp_answer_ethernet_ip(const struct udp_payload *p)
{
    enum { LIST_SERVICES = 4, LIST_IDENTITY = 0x63, LIST_INTERFACES = 0x64 };
    uint32_t command = form_le16(p, 0, 0), len = form_le16(p, 2, 0);
    return (command == LIST_IDENTITY || command == LIST_SERVICES || command == LIST_INTERFACES) &&
           len > 0 && len + 24 == p->len;
}

/* The service behind the network layer: an acknowledgement, an error, or I-Am and I-Have. */
bool udp_answer_bacnet(const struct udp_payload *p)
{
    enum { RESULT = 0, UNICAST = 10, BROADCAST = 11, FORWARDED = 4 };
    uint32_t function = form_8(p, 1, 255), at = function == FORWARDED ? 10 : 4;
    if (form_8(p, 0, 0) != 0x81 || form_16(p, 2, 0) != p->len)
        return false;
    if (function == RESULT)
        return p->len == 6;
    uint32_t control = form_8(p, at + 1, 0x80);
    if ((function != UNICAST && function != BROADCAST && function != FORWARDED) ||
        form_8(p, at, 0) != 1 || control & 0x80)
        return false;
    bool has_hops = control & 0x20;
    at += 2;
    if (control & 0x20) /* destination: network, address */
        at += 3 + form_8(p, at + 2, 0);
    if (control & 0x08) /* source */
        at += 3 + form_8(p, at + 2, 0);
    at += has_hops;
    uint32_t type = form_8(p, at, 0) >> 4, service = form_8(p, at + 1, 255);
    return (type == 1 && service <= 1) || type == 2 || type == 3 || (type >= 5 && type <= 7);
}
