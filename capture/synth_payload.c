#include "capture/synth_payload.h"

/* RFC 1035: recursion desired, one question. */
#define DNS_QUERY(flags, counts) "\x5a\xa5" flags "\0\1" counts
#define DNS_VERSION_BIND         "\7version\4bind\0\0\20\0\3"
#define DNS_EXAMPLE              "\7example\3com\0\0\1\0\1"

static const char ssdp[] = /* UPnP Device Architecture 1.1, 1.3.2 */
    "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 2\r\n"
    "ST: ssdp:all\r\n\r\n";
static const char sip[] = /* RFC 3261, 11 */
    "OPTIONS sip:100@example.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK7a31\r\n"
    "Max-Forwards: 70\r\nFrom: <sip:100@example.com>;tag=5f1c\r\nTo: <sip:100@example.com>\r\n"
    "Call-ID: 41d80f7c@example.com\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";
static const char wsd[] = /* WS-Discovery 2005/04, 5.2 */
    "<?xml version=\"1.0\"?><e:Envelope xmlns:e=\"http://www.w3.org/2003/05/soap-envelope\" "
    "xmlns:a=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\" "
    "xmlns:d=\"http://schemas.xmlsoap.org/ws/2005/04/discovery\"><e:Header><a:Action>"
    "http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</a:Action></e:Header><e:Body>"
    "<d:Probe/></e:Body></e:Envelope>";
static const char dhip[] = /* 32 bytes of header, lengths little-endian at 16 and 24, then JSON */
    " \0\0\0DHIP\0\0\0\0\0\0\0\0\46\0\0\0\0\0\0\0\46\0\0\0\0\0\0\0"
    "{\"method\":\"DHDiscover.search\",\"id\":1}\n";
static const char ntp_client[48] = "\x23\0\6\x20"; /* RFC 5905, 7.3: version 4, client */

static const struct synth_payload probes[] = {
    {1900, sizeof ssdp - 1, ssdp, SYNTH_PAYLOAD_NO_ID},
    SYNTH_PAYLOAD_ID(53, DNS_QUERY("\1\0", "\0\0\0\0\0\0") DNS_VERSION_BIND, 0),
    {123, sizeof ntp_client, ntp_client, 46},
    /* RFC 1157: GetRequest sysDescr.0, community public */
    SYNTH_PAYLOAD_ID(
        161,
        "\x30\x29\2\1\0\4\6public\xa0\x1c\2\4\x12\x34\x56\x78\2\1\0\2\1\0\x30\x0e\x30\x0c"
        "\6\x08\x2b\6\1\2\1\1\1\0\5\0",
        19),
    {5060, sizeof sip - 1, sip, SYNTH_PAYLOAD_NO_ID},
    SYNTH_PAYLOAD(53413, "AA\0\0AAAA netcore\0"),
    /* RFC 6763, 9: all service types */
    SYNTH_PAYLOAD(5353, "\0\0\0\0\0\1\0\0\0\0\0\0\x09_services\7_dns-sd\4_udp\5local\0\0\14\0\1"),
    /* RFC 4511 over UDP: search of the root, all attributes */
    SYNTH_PAYLOAD(389, "\x30\x25\2\1\1\x63\x20\4\0\x0a\1\0\x0a\1\0\2\1\0\2\1\0\1\1\0"
                       "\x87\x0bobjectclass\x30\0"),
    SYNTH_PAYLOAD(11211, "\0\1\0\0\0\1\0\0stats\r\n"),
    /* RFC 7252: GET .well-known/core (options Uri-Path) */
    SYNTH_PAYLOAD_ID(5683, "\x40\1\x12\x34\xbb.well-known\4core", 2),
    /* RFC 5531: call of portmapper version 2, procedure 4 (dump), no authentication */
    SYNTH_PAYLOAD_ID(111,
                     "\x12\x34\x56\x78\0\0\0\0\0\0\0\2\0\1\x86\xa0\0\0\0\2\0\0\0\4"
                     "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
                     0),
    SYNTH_PAYLOAD(69, "\0\1a.txt\0octet\0"), /* RFC 1350 read request */
    SYNTH_PAYLOAD(19, "\r\n"),
    {3702, sizeof wsd - 1, wsd, SYNTH_PAYLOAD_NO_ID},
    {37810, sizeof dhip - 1, dhip, SYNTH_PAYLOAD_NO_ID},
    SYNTH_PAYLOAD(10001, "\1\0\0\0"),
    /* ASHRAE 135 annex J: Who-Is, unicast, no range */
    SYNTH_PAYLOAD(47808, "\x81\x0a\0\x08\1\0\x10\x08"),
    /* IPMI 2.0, 22.13: Get Channel Authentication Capabilities */
    SYNTH_PAYLOAD(623, "\6\0\xff\7\0\0\0\0\0\0\0\0\0\x09\x20\x18\xc8\x81\0\x38\x8e\4\xb5"),
    SYNTH_PAYLOAD(1434, "\2"), /* MC-SQLR CLNT_BCAST_EX */
    /* RFC 2408: header and an empty-handed notification would be malformed; the header of a
     * message without payloads says its own length */
    SYNTH_PAYLOAD_ID(
        500, "\x12\x34\x56\x78\x9a\xbc\xde\xf0\0\0\0\0\0\0\0\0\0\x10\2\0\0\0\0\0\0\0\0\x1c", 0),
    SYNTH_PAYLOAD(5351, "\0\0"), /* RFC 6886, 3.2 */
};

static const struct synth_payload generic = SYNTH_PAYLOAD(0, "\0\0");

const struct synth_payload *synth_payload_probe(uint16_t port)
{
    for (unsigned i = 0; i < sizeof probes / sizeof probes[0]; i++)
        if (probes[i].port == port)
            return &probes[i];
    return &generic;
}

const struct synth_payload *synth_payload_dns_answer(unsigned variant)
{
    static const struct synth_payload answers[] = {
        /* one address (192.0.2.1, RFC 5737), the name by compression pointer */
        SYNTH_PAYLOAD_ID(53,
                         DNS_QUERY("\x81\x80", "\0\1\0\0\0\0") DNS_EXAMPLE
                         "\xc0\x0c\0\1\0\1\0\0\1\x2c\0\4\xc0\0\2\1",
                         0),
        SYNTH_PAYLOAD_ID(53, DNS_QUERY("\x81\x85", "\0\0\0\0\0\0") DNS_EXAMPLE, 0), /* refused */
        SYNTH_PAYLOAD_ID(53, DNS_QUERY("\x81\x83", "\0\0\0\0\0\0") DNS_EXAMPLE,
                         0), /* no such name */
    };
    return &answers[variant % 3];
}

const struct synth_payload *synth_payload_dht(void)
{
    /* BEP 5: ping */
    static const struct synth_payload ping =
        SYNTH_PAYLOAD_ID(6881, "d1:ad2:id20:0123456789abcdefghije1:q4:ping1:t2:aa1:y1:qe", 47);
    return &ping;
}

const struct synth_payload *synth_payload_tcp(uint16_t port)
{
    static const struct synth_payload telnet =
        SYNTH_PAYLOAD(23, "\xff\xfd\x03\xff\xfb\x18\xff\xfb\x1f\xff\xfb\x20"); /* RFC 854, 855 */
    static const struct synth_payload http = SYNTH_PAYLOAD(
        80, "GET / HTTP/1.1\r\nHost: 198.18.0.1\r\nUser-Agent: synth\r\nAccept: */*\r\n\r\n");
    return port == 23 || port == 2323 ? &telnet : &http;
}
