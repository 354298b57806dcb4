#include "classify/payload_tool.h"

#include <stddef.h>
#include <string.h>

#define UDP         IPPROTO_NR_UDP
#define TCP         IPPROTO_NR_TCP
#define ANYWHERE    PAYLOAD_TOOL_ANYWHERE
#define BYTES(text) sizeof(text) - 1, text

#define MASSCAN     "masscan source, templates of UDP payloads"
#define NMAP        "nmap source, nmap-service-probes and nmap-payloads"

/* clang-format off */
const struct payload_tool payload_tools[] = {
    {"masscan echo", TOOL_probe, UDP, 7, 0, 0, BYTES("masscan-test"), MASSCAN},
    {"masscan qotd", TOOL_probe, UDP, 17, 0, 0, BYTES("masscan-test"), MASSCAN},
    {"masscan chargen", TOOL_probe, UDP, 19, 0, 0, BYTES("masscan-test"), MASSCAN},
    {"masscan tftp", TOOL_probe, UDP, 69, 2, 0, BYTES("masscan-test\0netascii"), MASSCAN},
    {"masscan netbios", TOOL_probe, UDP, 138, 15, 0, BYTES("ENEBFDFDEDEBEOCNFEEFFDFECACACAAA"), MASSCAN},
    {"masscan snmp", TOOL_probe, UDP, 161, ANYWHERE, 59, BYTES("\x06\x09\x2b\x06\x01\x80\x02\x01\x01\x01\x00"), MASSCAN},
    {"masscan dtls", TOOL_probe, UDP, 443, ANYWHERE, 115, BYTES("\x1d\xb1\xe3\x52\x2e\x89\x94\xb7\x15\x33\x2f\x30"), MASSCAN},
    {"masscan l2tp", TOOL_probe, UDP, 1701, ANYWHERE, 60, BYTES("\x80\x0e\x00\x00\x00\x07" "masscan1"), MASSCAN},
    {"masscan ssdp", TOOL_probe, UDP, 1900, ANYWHERE, 0, BYTES("UPnP/1.1 masscan/"), MASSCAN},
    {"masscan sip", TOOL_probe, UDP, 5060, 0, 0, BYTES("OPTIONS sip:carol@chicago.com SIP/2.0\r\nVia: SIP/2.0/UDP pc33.atlanta.com"), MASSCAN},
    {"masscan http", TOOL_probe, TCP, 0, ANYWHERE, 0, BYTES("User-Agent: masscan/"), "masscan source, proto-http"},
    {"nmap dns status", TOOL_nmap, UDP, 53, 0, 12, BYTES("\0\0\x10\0\0\0\0\0\0\0\0\0"), NMAP},
    {"nmap rpc", TOOL_nmap, UDP, 0, 0, 40, BYTES("\x72\xfe\x1d\x13\0\0\0\0\0\0\0\x02\0\x01\x86\xa0\0\x01\x97\x7c"), NMAP},
    {"nmap sip", TOOL_nmap, UDP, 5060, 0, 0, BYTES("OPTIONS sip:nm SIP/2.0"), NMAP},
    {"nmap sip over tcp", TOOL_nmap, TCP, 0, 0, 0, BYTES("OPTIONS sip:nm SIP/2.0"), NMAP},
    {"nmap rpc over tcp", TOOL_nmap, TCP, 0, 0, 44, BYTES("\x80\0\0\x28\x72\xfe\x1d\x13\0\0\0\0\0\0\0\x02\0\x01\x86\xa0\0\x01\x97\x7c"), NMAP},
    {"nmap four oh four", TOOL_nmap, TCP, 0, 0, 0, BYTES("GET /nice%20ports%2C/Tri%6Eity.txt%2ebak"), NMAP},
    {"nmap scripts", TOOL_nmap, TCP, 0, ANYWHERE, 0, BYTES("Nmap Scripting Engine"), "nmap source, http library"},
    {"zgrab", TOOL_probe, TCP, 0, ANYWHERE, 0, BYTES("User-Agent: Mozilla/5.0 zgrab/"), "ZGrab source, http module; ET rules"},
    {"zmap netis", TOOL_probe, UDP, 53413, 0, 18, BYTES("\x0a\0\0\0\0\0\0\0\0\0\0\0\0\0"), "ZMap source, example UDP probes"},
};
/* clang-format on */
const unsigned payload_tool_count = sizeof payload_tools / sizeof *payload_tools;

static bool row_holds(const struct payload_tool *row, const uint8_t *payload, uint32_t caught,
                      uint32_t len)
{
    if (row->size > caught || (row->len && row->len != len))
        return false;
    if (row->at == PAYLOAD_TOOL_ANYWHERE)
        return memmem(payload, caught, row->bytes, row->size) != NULL;
    return row->at + (uint32_t)row->size <= caught &&
           memcmp(payload + row->at, row->bytes, row->size) == 0;
}

const struct payload_tool *payload_tool_of(uint8_t proto, uint16_t dst_port, const uint8_t *payload,
                                           uint32_t caught, uint32_t len)
{
    if (!payload)
        return NULL;
    if (caught > PAYLOAD_TOOL_BYTES)
        caught = PAYLOAD_TOOL_BYTES;
    for (unsigned i = 0; i < payload_tool_count; i++) {
        const struct payload_tool *row = &payload_tools[i];
        if (row->proto == proto && (row->dst_port == 0 || row->dst_port == dst_port) &&
            row_holds(row, payload, caught, len))
            return row;
    }
    return NULL;
}

uint32_t payload_tool_set(uint8_t proto, uint16_t dst_port, const uint8_t *payload, uint32_t caught,
                          uint32_t len)
{
    const struct payload_tool *row = payload_tool_of(proto, dst_port, payload, caught, len);
    return row ? 1u << row->tool : 0;
}
