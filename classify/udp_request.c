/* What a reflector answers with more than it was asked. */
#include "classify/udp_form_tests.h"

/* RFC 865 and 864: whatever the datagram holds. */
bool udp_asks_qotd(const struct udp_payload *p) { return true; }
bool udp_asks_chargen(const struct udp_payload *p) { return true; }

/* Recursion asked for, or all that there is of a name. */
bool udp_asks_dns(const struct udp_payload *p)
{
    enum { RECURSE = 0x100, OPCODE = 0x7800, ANY = 255, LABEL = 63, NAMES = 128 };
    uint32_t flags = form_16(p, 2, OPCODE), at = 12;
    if (!form_dns(p, false) || flags & OPCODE || form_16(p, 4, 0) == 0)
        return false;
    if (flags & RECURSE)
        return true;
    for (unsigned i = 0; i < NAMES && form_8(p, at, 0) > 0 && form_8(p, at, 0) <= LABEL; i++)
        at += 1 + form_8(p, at, 0);
    return form_8(p, at, 1) == 0 && form_16(p, at + 1, 0) == ANY;
}

bool udp_asks_mdns(const struct udp_payload *p)
{
    return form_dns(p, false) && form_16(p, 4, 0) > 0;
}

bool udp_asks_tftp(const struct udp_payload *p)
{
    return form_16(p, 0, 0) == 1 && form_8(p, 2, 0) >= 0x20 && form_8(p, 2, 0) < 0x7f;
}

/* A call of the port mapper that lists something: dump of versions 2 to 4, and those that 3 and 4 add. */
bool udp_asks_rpc(const struct udp_payload *p)
{
    enum { PORTMAP = 100000 };
    uint32_t procedure = form_32(p, 20, 0);
    return form_32(p, 4, 1) == 0 && form_32(p, 8, 0) == 2 && form_32(p, 12, 0) == PORTMAP &&
           form_32(p, 16, 0) >= 2 && form_32(p, 16, 0) <= 4 &&
           (procedure == 4 || procedure == 11 || procedure == 12);
}

/* A request of mode 6; of mode 7 the lists of clients and peers. */
bool udp_asks_ntp(const struct udp_payload *p)
{
    enum { CONTROL = 6, PRIVATE = 7, RESPONSE = 0x80 };
    uint32_t first = form_8(p, 0, 0), mode = first & 7, code = form_8(p, 3, 255);
    if (mode == CONTROL)
        return !(form_8(p, 1, RESPONSE) & RESPONSE) && p->len >= 12;
    return mode == PRIVATE && !(first & RESPONSE) && (code == 42 || code == 20 || code <= 2);
}

/* NBSTAT: all names of a node. */
bool udp_asks_netbios(const struct udp_payload *p)
{
    enum { NAME = 34, NBSTAT = 0x21 };
    return form_dns(p, false) && form_8(p, 12, 0) == 32 && form_16(p, 12 + NAME, 0) == NBSTAT;
}

bool udp_asks_snmp(const struct udp_payload *p) { return form_snmp_pdu(p) == 0xa5; }

bool udp_asks_xdmcp(const struct udp_payload *p)
{
    uint32_t opcode = form_16(p, 2, 0);
    return form_16(p, 0, 0) == 1 && opcode >= 1 && opcode <= 3 &&
           form_16(p, 4, UINT16_MAX) + 6 == p->len;
}

/* Service, attribute and service type requests. */
bool udp_asks_slp(const struct udp_payload *p)
{
    uint32_t function = form_8(p, 1, 0);
    return form_8(p, 0, 0) == 2 && (function == 1 || function == 6 || function == 9) &&
           (form_32(p, 1, 0) & 0xffffff) == p->len;
}

/* A first ClientHello: no cookie yet. */
bool udp_asks_dtls(const struct udp_payload *p)
{
    enum { HANDSHAKE = 22, HELLO = 1 };
    uint32_t version = form_16(p, 1, 0);
    return form_8(p, 0, 0) == HANDSHAKE && (version == 0xfeff || version == 0xfefd) &&
           form_16(p, 11, 0) + 13 == p->len && form_8(p, 13, 0) == HELLO;
}

/* The whole table: one entry without family, at an infinite distance. */
bool udp_asks_rip(const struct udp_payload *p)
{
    return form_8(p, 0, 0) == 1 && form_16(p, 2, 1) == 0 && p->len == 24 && form_32(p, 20, 0) == 16;
}

bool udp_asks_openvpn(const struct udp_payload *p)
{
    enum { CLIENT_RESET = 7, CLIENT_RESET_3 = 10 };
    uint32_t opcode = form_8(p, 0, 0) >> 3;
    return (opcode == CLIENT_RESET || opcode == CLIENT_RESET_3) && p->len >= 14;
}

bool udp_asks_mssql(const struct udp_payload *p)
{
    uint32_t first = form_8(p, 0, 0);
    return (first == 2 || first == 3) && p->len <= 2;
}

bool udp_asks_ssdp(const struct udp_payload *p) { return form_text(p, 0, "M-SEARCH "); }
bool udp_asks_plex(const struct udp_payload *p) { return form_text(p, 0, "M-SEARCH "); }

bool udp_asks_arms(const struct udp_payload *p) { return form_16(p, 0, 0) == 0x14 && p->len <= 8; }

/* A probe, or the few bytes that devices answer with a fault. */
bool udp_asks_ws_discovery(const struct udp_payload *p)
{
    return form_text(p, 0, "<:/>") || form_ws_begins(p) ||
           (form_holds(p, 0, "<") && form_holds(p, 0, "Probe") && !form_holds(p, 0, "Matches"));
}

/* GET of .well-known/core, behind whatever options come before it: Uri-Host, Uri-Port. */
bool udp_asks_coap(const struct udp_payload *p)
{
    uint32_t first = form_8(p, 0, 0), token = first & 15;
    return first >> 6 == 1 && token <= 8 && form_8(p, 1, 0) == 1 &&
           form_holds(p, 5 + token,
                      ".well-known\x04"
                      "core");
}

bool udp_asks_ubiquiti(const struct udp_payload *p)
{
    uint32_t first = form_32(p, 0, 0);
    return p->len == 4 && (first == 0x01000000 || first == 0x02080000);
}

/* Commands that change nothing and have an answer. */
bool udp_asks_memcached(const struct udp_payload *p)
{
    static const char *const begins[] = {"stats", "get ", "gets ", "version"};
    if (form_16(p, 2, 1) != 0 || form_16(p, 4, 0) != 1)
        return false;
    for (unsigned i = 0; i < sizeof begins / sizeof *begins; i++)
        if (form_bytes(p, 8, begins[i], (uint32_t)strlen(begins[i])))
            return true;
    return false;
}

bool udp_asks_source_engine(const struct udp_payload *p)
{
    uint32_t type = form_8(p, 4, 0);
    return form_32(p, 0, 0) == UINT32_MAX && (form_text(p, 4, "TSource Engine Query") ||
                                              ((type == 'U' || type == 'V') && p->len == 9));
}

bool udp_asks_quake(const struct udp_payload *p)
{
    return form_32(p, 0, 0) == UINT32_MAX &&
           (form_text(p, 4, "getstatus") || form_text(p, 4, "getinfo"));
}

bool udp_asks_sadp(const struct udp_payload *p)
{
    return form_holds(p, 0, "<Probe>") && form_holds(p, 0, "inquiry");
}

/* Devices answer whatever does not begin with zero. */
bool udp_asks_dahua(const struct udp_payload *p) { return form_8(p, 0, 0) != 0; }
