#include "classify/udp_form.h"

#include "classify/udp_form_tests.h"

#define ANSWER(id, least, what, source) \
    [UDP_answer_##id] = {#id " answer", UDP_ANSWER, least, udp_answer_##id, what, source}
#define STRAY(id, least, what, source) \
    [UDP_stray_##id] = {#id, UDP_STRAY, least, udp_stray_##id, what, source}
#define ASKS(id, least, what, source) \
    [UDP_asks_##id] = {#id " request", UDP_ASKS, least, udp_asks_##id, what, source}

/* clang-format off */
const struct udp_form udp_forms[UDP_FORM_COUNT] = {
    ANSWER(qotd, 1, "from 17, printable text", "RFC 865"),
    ANSWER(chargen, 8, "from 19, the ring of printable characters", "RFC 864"),
    ANSWER(dns, 12, "from 53, response bit, counts that fit the length", "RFC 1035, 4.1.1"),
    ANSWER(dhcp, 240, "from 67, reply with the magic cookie, or of BOOTP's length", "RFC 2131, 951"),
    ANSWER(tftp, 4, "from 69, first block, acknowledgement, error or OACK", "RFC 1350, 2347"),
    ANSWER(kerberos, 10, "from 88, AS-REP, TGS-REP or KRB-ERROR", "RFC 4120, 5.10"),
    ANSWER(rpc, 20, "from 111, 635, 2049 or 17185, reply with a valid status", "RFC 5531, 9"),
    ANSWER(ntp, 8, "from 123, mode 2 or 4, or a response of mode 6 or 7", "RFC 5905, 9327; ntpd"),
    ANSWER(netbios, 12, "from 137, response bit, counts that fit the length", "RFC 1002, 4.2"),
    ANSWER(snmp, 20, "from 161, Response or Report", "RFC 1157, 3412, 3416"),
    ANSWER(xdmcp, 6, "from 177, an answering opcode, length", "XDMCP 1.1"),
    ANSWER(cldap, 7, "from 389, search result", "RFC 4511, 4.5.2; RFC 1798"),
    ANSWER(slp, 14, "from 427, a reply or advert of version 2, length", "RFC 2608, 8"),
    ANSWER(quic, 11, "from 80, 443, 853, 4433 or 8443, server's long header or version negotiation", "RFC 8999, 9000, 9369"),
    ANSWER(ike, 28, "from 500, responder's header, length", "RFC 2408, 7296"),
    ANSWER(ike_nat, 32, "from 4500, the same behind four zeros", "RFC 3948"),
    ANSWER(rip, 24, "from 520, response, whole entries", "RFC 1058, 2453"),
    ANSWER(ipmi, 12, "from 623, presence pong or answer to the console", "ASF 2.0, IPMI 2.0"),
    ANSWER(openvpn, 26, "from 1194, server's reset", "OpenVPN protocol"),
    ANSWER(mssql, 3, "from 1434, server's answer, length", "MC-SQLR 2.2.5"),
    ANSWER(radius, 20, "from 1645, 1646, 1812 or 1813, accept, reject, challenge or response", "RFC 2865, 2866"),
    ANSWER(ssdp, 12, "from 1900, or Plex's 32410 and 32412 to 32414, HTTP 200", "UPnP Device Architecture, 1.3.3; Netscout 2021"),
    ANSWER(gtp, 8, "from 2123 or 2152, echo response", "3GPP TS 29.060, 29.274"),
    ANSWER(addp, 8, "from 2362, DIGI and an even opcode, length", "ADDP, as published by its users"),
    ANSWER(arms, 20, "from 3283, length, not a request", "Netscout 2019; capture of an attack"),
    ANSWER(stun, 20, "from 3478, 3479 or 19302, success or error, length", "RFC 8489, 5"),
    ANSWER(ws_discovery, 20, "from 3702, ProbeMatches, ResolveMatches, a fault, or a long envelope whose begin says nothing", "WS-Discovery 1.1"),
    ANSWER(nat_pmp, 8, "from 5351, response bit, length", "RFC 6886, 6887"),
    ANSWER(mdns, 12, "from 5353, response bit, counts that fit the length", "RFC 6762, 18"),
    ANSWER(llmnr, 12, "from 5355, response bit, counts that fit the length", "RFC 4795, 2.1"),
    ANSWER(sip, 12, "from 5060 to 5062, status line", "RFC 3261, 7.2"),
    ANSWER(coap, 4, "from 5683, response code or reset", "RFC 7252, 3"),
    ANSWER(ubiquiti, 5, "from 10001, a body of the length it states", "Rapid7 2019"),
    ANSWER(memcached, 8, "from 11211, frame header, then an answer or a later part of one", "memcached, protocol.txt"),
    ANSWER(source_engine, 5, "from 27005 to 27050, answer or part of one", "Valve, server queries"),
    ANSWER(quake, 10, "from 27960 to 27963, statusResponse, infoResponse or print", "Quake III network protocol"),
    ANSWER(sadp, 20, "from 37020, ProbeMatch", "vendor protocol"),
    ANSWER(dahua, 20, "from 37810, DHIP or JSON that tells of a device", "NSFOCUS 2020"),
    ANSWER(ethernet_ip, 25, "from 44818 or 2222, list with a body", "CIP, volume 2"),
    ANSWER(bacnet, 6, "from 47808, acknowledgement, error, I-Am or I-Have", "ASHRAE 135, annex J"),
    ANSWER(dtls, 15, "from 3391 or QUIC's ports, ServerHello, HelloVerifyRequest or alert, length", "RFC 6347; Citrix CTX289674; CVE-2020-0609 (3391)"),

    STRAY(dht, 16, "KRPC query, response or error, any port", "BEP 5, 44"),
    STRAY(utp, 20, "uTP header alone (not of data), or with the extension clients send, any port", "BEP 29; libutp"),
    STRAY(bittorrent, 20, "BitTorrent handshake or search for local peers, any port", "BEP 3, 14"),
    STRAY(tracker, 16, "tracker connect, any port", "BEP 15"),

    ASKS(qotd, 0, "to 17, anything", "RFC 865; CISA TA14-017A"),
    ASKS(chargen, 0, "to 19, anything", "RFC 864; CISA TA14-017A"),
    ASKS(dns, 17, "to 53, query with recursion desired, or of type ANY", "RFC 1035; CISA TA14-017A"),
    ASKS(tftp, 4, "to 69, read request", "RFC 1350; CISA TA14-017A"),
    ASKS(rpc, 40, "to 111, port mapper dump, getaddrlist, getstat", "RFC 1833; CISA TA14-017A"),
    ASKS(ntp, 4, "to 123, request of mode 6, lists of mode 7", "RFC 9327; ntpd; CISA TA14-017A"),
    ASKS(netbios, 50, "to 137, node status", "RFC 1002, 4.2.17; CISA TA14-017A"),
    ASKS(snmp, 20, "to 161, GetBulk", "RFC 3416; CISA TA14-017A"),
    ASKS(xdmcp, 6, "to 177, query", "XDMCP 1.1; Shadowserver"),
    ASKS(cldap, 7, "to 389, search request", "RFC 4511; CISA TA14-017A"),
    ASKS(slp, 14, "to 427, service, attribute or type request", "RFC 2608; CVE-2023-29552"),
    ASKS(dtls, 26, "to 443 or 4433, ClientHello", "RFC 6347; Citrix CTX289674"),
    ASKS(rip, 24, "to 520, version 1 or 2, whole table", "RFC 1058; CISA TA14-017A"),
    ASKS(openvpn, 14, "to 1194, client's reset", "OpenVPN protocol; Netscout 2021"),
    ASKS(mssql, 1, "to 1434, list of instances", "MC-SQLR 2.2.1; Akamai 2015"),
    ASKS(ssdp, 20, "to 1900, M-SEARCH", "UPnP Device Architecture; CISA TA14-017A"),
    ASKS(arms, 4, "to 3283, 00 14 and little more", "Netscout 2019"),
    ASKS(ws_discovery, 4, "to 3702, Probe, <:/>, or a long envelope whose begin says nothing", "WS-Discovery 1.1; CISA TA14-017A"),
    ASKS(mdns, 17, "to 5353, query", "RFC 6762; CISA TA14-017A"),
    ASKS(coap, 20, "to 5683, GET .well-known/core", "RFC 7252, 6690; Netscout 2019"),
    ASKS(ubiquiti, 4, "to 10001, 01 00 00 00 or 02 08 00 00", "Rapid7 2019"),
    ASKS(memcached, 13, "to 11211, stats, get, gets, version", "protocol.txt; CISA TA14-017A"),
    ASKS(source_engine, 9, "to 27005 to 27050, info, players or rules", "Valve; CISA TA14-017A"),
    ASKS(quake, 10, "to 27960 to 27963, getstatus or getinfo", "Quake III; CISA TA14-017A"),
    ASKS(plex, 20, "to 32410, 32412 to 32414, M-SEARCH", "Netscout 2021"),
    ASKS(sadp, 20, "to 37020, Probe of type inquiry", "vendor protocol"),
    ASKS(dahua, 1, "to 37810, anything that begins with no zero", "NSFOCUS 2020; AMP-Research on port 37810"),
};

const uint8_t udp_answer_from[65536] = {
    [17] = UDP_answer_qotd, [19] = UDP_answer_chargen, [53] = UDP_answer_dns,
    [67] = UDP_answer_dhcp, [69] = UDP_answer_tftp, [88] = UDP_answer_kerberos,
    [111] = UDP_answer_rpc, [635] = UDP_answer_rpc, [2049] = UDP_answer_rpc, [17185] = UDP_answer_rpc,
    [123] = UDP_answer_ntp, [137] = UDP_answer_netbios, [161] = UDP_answer_snmp,
    [177] = UDP_answer_xdmcp, [389] = UDP_answer_cldap, [427] = UDP_answer_slp,
    [80] = UDP_answer_quic, [443] = UDP_answer_quic, [853] = UDP_answer_quic, [4433] = UDP_answer_quic,
    [8443] = UDP_answer_quic,
    [500] = UDP_answer_ike, [4500] = UDP_answer_ike_nat, [520] = UDP_answer_rip,
    [623] = UDP_answer_ipmi, [1194] = UDP_answer_openvpn, [1434] = UDP_answer_mssql,
    [1645 ... 1646] = UDP_answer_radius, [1812 ... 1813] = UDP_answer_radius,
    [1900] = UDP_answer_ssdp, [32410] = UDP_answer_ssdp, [32412 ... 32414] = UDP_answer_ssdp, [2123] = UDP_answer_gtp, [2152] = UDP_answer_gtp,
    [2362] = UDP_answer_addp, [3283] = UDP_answer_arms, [3478 ... 3479] = UDP_answer_stun,
    [19302] = UDP_answer_stun, [3702] = UDP_answer_ws_discovery, [5060 ... 5062] = UDP_answer_sip,
    [5351] = UDP_answer_nat_pmp, [5353] = UDP_answer_mdns, [5355] = UDP_answer_llmnr,
    [5683] = UDP_answer_coap, [10001] = UDP_answer_ubiquiti, [11211] = UDP_answer_memcached,
    [27005 ... 27050] = UDP_answer_source_engine, [27960 ... 27963] = UDP_answer_quake,
    [37020] = UDP_answer_sadp, [37810] = UDP_answer_dahua, [2222] = UDP_answer_ethernet_ip,
    [44818] = UDP_answer_ethernet_ip, [47808] = UDP_answer_bacnet, [3391] = UDP_answer_dtls,
};

const uint8_t udp_request_to[65536] = {
    [17] = UDP_asks_qotd, [19] = UDP_asks_chargen, [53] = UDP_asks_dns, [69] = UDP_asks_tftp,
    [111] = UDP_asks_rpc, [123] = UDP_asks_ntp, [137] = UDP_asks_netbios, [161] = UDP_asks_snmp,
    [177] = UDP_asks_xdmcp, [389] = UDP_asks_cldap, [427] = UDP_asks_slp, [443] = UDP_asks_dtls,
    [4433] = UDP_asks_dtls, [520] = UDP_asks_rip, [1194] = UDP_asks_openvpn,
    [1434] = UDP_asks_mssql, [1900] = UDP_asks_ssdp, [3283] = UDP_asks_arms,
    [3702] = UDP_asks_ws_discovery, [5353] = UDP_asks_mdns, [5683] = UDP_asks_coap,
    [10001] = UDP_asks_ubiquiti, [11211] = UDP_asks_memcached,
    [27005 ... 27050] = UDP_asks_source_engine, [27960 ... 27963] = UDP_asks_quake,
    [32410] = UDP_asks_plex, [32412 ... 32414] = UDP_asks_plex, [37020] = UDP_asks_sadp,
    [37810] = UDP_asks_dahua,
};

#define RESPONSE_BIT {0x8000, 0x8000}
#define NO_RESPONSE_BIT {0x8000, 0}
#define FIRST_BYTE(byte) {0xff000000, (uint32_t)(byte) << 24}

const struct udp_first udp_firsts[UDP_FORM_COUNT] = {
    [UDP_answer_dns] = RESPONSE_BIT,
    [UDP_answer_dhcp] = FIRST_BYTE(2),
    [UDP_answer_tftp] = {0xfff80000, 0},
    [UDP_answer_kerberos] = {0xe0000000, 0x60000000},
    [UDP_answer_netbios] = RESPONSE_BIT,
    [UDP_answer_snmp] = FIRST_BYTE(0x30),
    [UDP_answer_xdmcp] = {0xffff0000, 0x10000},
    [UDP_answer_cldap] = FIRST_BYTE(0x30),
    [UDP_answer_slp] = FIRST_BYTE(2),
    [UDP_answer_ike_nat] = {UINT32_MAX, 0},
    [UDP_answer_rip] = {0xff00ffff, 0x02000000},
    [UDP_answer_ipmi] = {0xffff0000, 0x06000000},
    [UDP_answer_openvpn] = {0xf8000000, 0x40000000},
    [UDP_answer_mssql] = FIRST_BYTE(5),
    [UDP_answer_radius] = {0xf0000000, 0},
    [UDP_answer_ssdp] = {UINT32_MAX, 0x48545450},
    [UDP_answer_gtp] = {0x00ff0000, 0x00020000},
    [UDP_answer_addp] = {UINT32_MAX, 0x44494749},
    [UDP_answer_stun] = {0xffed0000, 0x01010000},
    [UDP_answer_nat_pmp] = {0x00800000, 0x00800000},
    [UDP_answer_mdns] = RESPONSE_BIT,
    [UDP_answer_llmnr] = RESPONSE_BIT,
    [UDP_answer_sip] = {UINT32_MAX, 0x5349502f},
    [UDP_answer_coap] = {0xc0000000, 0x40000000},
    [UDP_answer_ubiquiti] = {0xfc000000, 0},
    [UDP_answer_source_engine] = {0xfeffffff, 0xfeffffff},
    [UDP_answer_quake] = {UINT32_MAX, UINT32_MAX},
    [UDP_answer_ethernet_ip] = {0x00ff0000, 0},
    [UDP_answer_bacnet] = FIRST_BYTE(0x81),
    [UDP_answer_dtls] = {0xfcff0000, 0x14fe0000},
    [UDP_asks_dns] = NO_RESPONSE_BIT,
    [UDP_asks_tftp] = {0xffff0000, 0x10000},
    [UDP_asks_ntp] = {0x06000000, 0x06000000},
    [UDP_asks_netbios] = NO_RESPONSE_BIT,
    [UDP_asks_snmp] = FIRST_BYTE(0x30),
    [UDP_asks_xdmcp] = {0xffff0000, 0x10000},
    [UDP_asks_cldap] = FIRST_BYTE(0x30),
    [UDP_asks_slp] = FIRST_BYTE(2),
    [UDP_asks_dtls] = {0xffff0000, 0x16fe0000},
    [UDP_asks_rip] = {0xff00ffff, 0x01000000},
    [UDP_asks_openvpn] = {0x80000000, 0},
    [UDP_asks_mssql] = {0xfe000000, 0x02000000},
    [UDP_asks_ssdp] = {UINT32_MAX, 0x4d2d5345},
    [UDP_asks_arms] = {0xffff0000, 0x00140000},
    [UDP_asks_mdns] = NO_RESPONSE_BIT,
    [UDP_asks_coap] = {0xc0ff0000, 0x40010000},
    [UDP_asks_ubiquiti] = {0xfc00ffff, 0},
    [UDP_asks_source_engine] = {UINT32_MAX, UINT32_MAX},
    [UDP_asks_quake] = {UINT32_MAX, UINT32_MAX},
    [UDP_asks_plex] = {UINT32_MAX, 0x4d2d5345},
};
/* clang-format on */

static bool form_is(enum udp_form_id id, const struct udp_payload *p)
{
    return id != UDP_FORM_NONE && p->len >= udp_forms[id].min_len && udp_forms[id].holds(p);
}

enum udp_form_id udp_form_of(uint16_t src_port, uint16_t dst_port, const struct udp_payload *p)
{
    return udp_form_by(udp_answer_from[src_port], udp_request_to[dst_port], p);
}

enum udp_form_id udp_form_by(unsigned answer, unsigned request, const struct udp_payload *p)
{
    struct udp_payload seen = *p;
    if (seen.caught > UDP_FORM_BYTES)
        seen.caught = UDP_FORM_BYTES;
    if (seen.caught > seen.len)
        seen.caught = seen.len;
    if (form_is((enum udp_form_id)answer, &seen))
        return (enum udp_form_id)answer;
    if (form_is(udp_answer_beside((enum udp_form_id)answer), &seen))
        return udp_answer_beside((enum udp_form_id)answer);
    if (udp_stray_wants(seen.len, udp_first4(seen.at, seen.caught)))
        for (unsigned id = UDP_stray_dht; id < UDP_asks_qotd; id++)
            if (form_is((enum udp_form_id)id, &seen))
                return (enum udp_form_id)id;
    return form_is((enum udp_form_id)request, &seen) ? (enum udp_form_id)request : UDP_FORM_NONE;
}

/* UPnP and WS-Discovery ask all devices there. */
static const uint8_t discovery6[16] = {0xff, 2, [15] = 12};

const struct udp_group udp_groups[] = {
    {"local network control", 4, 24, {224, 0, 0}, NULL, {0, 0}, "RFC 5771, 4"},
    {"DHCP broadcast", 4, 32, {255, 255, 255, 255}, NULL, {67, 68}, "RFC 2131, 4.1"},
    {"interface-local group", 6, 16, {0xff, 1}, NULL, {0, 0}, "RFC 4291, 2.7"},
    {"link-local group but ff02::c", 6, 16, {0xff, 2}, discovery6, {0, 0}, "RFC 4291, 2.7"},
};
const unsigned udp_group_count = sizeof udp_groups / sizeof *udp_groups;

const struct udp_group *udp_group_of(const struct observation *o)
{
    if (!udp_group_wants(o->dst[0]))
        return NULL;
    for (unsigned i = 0; i < udp_group_count; i++) {
        const struct udp_group *g = &udp_groups[i];
        bool is_any = g->ports[0] == 0, is_there = o->state & OBSERVATION_PORTS;
        if (g->ip_version == o->ip_version && memcmp(g->prefix, o->dst, g->bits / 8) == 0 &&
            !(g->but && memcmp(g->but, o->dst, sizeof g->prefix) == 0) &&
            (is_any || (is_there && (o->dst_port == g->ports[0] || o->dst_port == g->ports[1]))))
            return g;
    }
    return NULL;
}
