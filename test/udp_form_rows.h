/* udp_form_rows: a payload of each UDP form, and the byte that makes it another, for its test and its fuzz
 * target's first inputs. All of our own making. */
#ifndef TEST_UDP_FORM_ROWS_H
#define TEST_UDP_FORM_ROWS_H

#include "classify/udp_form.h"

#include <string.h>

struct form_row {
    unsigned id;   /* enum udp_form_id */
    uint16_t port; /* source of answers, destination of requests */
    const char *bytes;
    uint16_t size;
    uint16_t miss_at; /* with this byte here it is no such form */
    uint8_t miss;
    uint16_t len; /* zeros up to here; 0: none */
    uint16_t tail_at;
    const char *tail; /* 4 bytes, there */
};

#define B(text) text, sizeof(text) - 1
#define NAME32  "CKAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static const struct form_row form_rows[] = {
    {UDP_answer_qotd, 17, B("To be, or not.\r\n"), 3, 0x01},
    {UDP_answer_chargen, 19, B("{|}~ !\"#$%&'"), 2, 'A'},
    {UDP_answer_dns, 53, B("\x12\x34\x81\x80\0\1\0\0\0\0\0\0\1a\0\0\1\0\1"), 2, 0x01},
    {UDP_answer_dns, 53,
     B("\x12\x34\x81\x80\0\1\0\0\0\0\0\1\1a\0\0\1\0\1\0\0\x29\4\xd0\0\0\0\0\0\0"), 7, 9}, /* EDNS */
    {UDP_answer_dhcp, 67, B("\2\1\6\0"), 0, 1, .len = 240, .tail_at = 236,
     .tail = "\x63\x82\x53\x63"},
    {UDP_answer_dhcp, 67, B("\2\1\6\0"), 1, 2, .len = 300},
    {UDP_answer_tftp, 69, B("\0\5\0\1File not found"), 3, 9},
    {UDP_answer_kerberos, 88, B("\x7e\x0c\x30\x0a\xa0\3\2\1\5\xa1\3\2\1\x1e"), 0, 0x6a},
    {UDP_answer_rpc, 111, B("\1\2\3\4\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), 7, 0},
    {UDP_answer_rpc, 17185, B("\1\2\3\4\0\0\0\1\0\0\0\1\0\0\0\0\0\0\0\2\0\0\0\2"), 11, 2},
    {UDP_answer_ntp, 123, B("\x24\2\6\xe9"), 0, 0x23, .len = 48},
    {UDP_answer_ntp, 123, B("\xd7\0\3\x2a\0\6\0\x48"), 0, 0x57, .len = 440},
    {UDP_answer_ntp, 123, B("\x16\x82\0\1\6\x18\0\0\0\0\0\0"), 1, 0x02},
    {UDP_answer_netbios, 137, B("\xab\x12\x84\0\0\0\0\1\0\0\0\0\x20" NAME32 "\0\0\x21\0\1"), 2,
     0x04},
    {UDP_answer_netbios, 137, B("\xab\x12\xbc\0\0\0\0\1\0\0\0\0\x20" NAME32 "\0\0\x20\0\1"), 2,
     0xa4}, /* wait */
    {UDP_answer_snmp, 161, B("\x30\x1a\2\1\1\4\6public\xa2\x0d\2\1\7\2\1\0\2\1\0\x30\2\5\0"), 13,
     0xa0},
    {UDP_answer_snmp, 161,
     B("\x30\x2b\2\1\3\x30\x0f\2\2\1\2\2\3\0\xff\xe3\4\1\0\2\1\3\4\2\x30\0\x30\x11\4\0\4\0\xa8\x0b"
       "\2\1\0\2\1\0"
       "\2\1\0\x30\0"),
     32, 0xa0},
    {UDP_answer_xdmcp, 177, B("\0\1\0\5\0\4\0\0\0\0"), 3, 2},
    {UDP_answer_cldap, 389, B("\x30\x84\0\0\0\x0b\2\1\1\x65\6\x0a\1\0\4\0\4\0"), 9, 0x63},
    {UDP_answer_slp, 427,
     B("\2\2\0\0\x12\0\0\0\0\0\0\1\0\2"
       "en\0\0"),
     1, 1},
    {UDP_answer_quic, 443, B("\xc0\0\0\0\1\4abcd\4efgh\0\x40\x10"), 1, 7},
    {UDP_answer_quic, 443, B("\x80\0\0\0\0\4abcd\4efgh\0\0\0\1\xff\0\0\x1d"), 0, 0x40},
    {UDP_answer_ike, 500, B("12345678abcdefgh\1\x10\2\0\0\0\0\0\0\0\0\x1c"), 27, 0x1d},
    {UDP_answer_ike, 500, B("12345678abcdefgh\x21\x20\x22\x20\0\0\0\0\0\0\0\x1c"), 19, 0x08},
    {UDP_answer_ike_nat, 4500,
     B("\0\0\0\0"
       "12345678abcdefgh\1\x10\2\0\0\0\0\0\0\0\0\x1c"),
     3, 1},
    {UDP_answer_rip, 520, B("\2\2\0\0\0\2\0\0\x0a\0\0\0\xff\0\0\0\0\0\0\0\0\0\0\1"), 0, 1},
    {UDP_answer_ipmi, 623, B("\6\0\xff\6\0\0\x11\xbe\x40\0\0\x10"), 8, 0x80},
    {UDP_answer_ipmi, 623, B("\6\0\xff\7\0\0\0\0\0\0\0\0\0\x10\x81\x1c\x63\x20"), 15, 0x18},
    {UDP_answer_openvpn, 1194,
     B("\x40"
       "12345678"),
     0, 0x38, .len = 26},
    {UDP_answer_mssql, 1434, B("\5\4\0A;B;"), 1, 9},
    {UDP_answer_radius, 1812, B("\3\1\0\x14"), 0, 1, .len = 20},
    {UDP_answer_ssdp, 1900, B("HTTP/1.1 200 OK\r\nST: a\r\n\r\n"), 9, '4'},
    {UDP_answer_gtp, 2152, B("\x32\2\0\6\0\0\0\0\0\1\0\0\x0e\0"), 1, 1},
    {UDP_answer_addp, 2362, B("DIGI\0\2\0\2\1\0"), 5, 1},
    {UDP_answer_arms, 3283, B("\x13\x88\0\x14"), 3, 0x15, .len = 24},
    {UDP_answer_stun, 3478,
     B("\1\1\0\0\x21\x12\xa4\x42"
       "123456789012"),
     0, 0},
    {UDP_answer_ssdp, 32414, B("HTTP/1.0 200 OK\r\nContent-Type: plex/media-server\r\n"), 9, '4'},
    {UDP_answer_ws_discovery, 3702, B("<?xml version=\"1.0\"?><d:ProbeMatches>"), 30, 'X'},
    {UDP_answer_ws_discovery, 3702, B("<a:Envelope "), 3, 'X', .len = 300, .tail_at = 250,
     .tail = "name"},
    {UDP_answer_nat_pmp, 5351, B("\0\x80\0\0\0\0\0\1\xc6\x33\x64\7"), 1, 0},
    {UDP_answer_nat_pmp, 5351, B("\2\x81\0\0"), 1, 1, .len = 24},
    {UDP_answer_mdns, 5353, B("\0\0\x84\0\0\0\0\1\0\0\0\0\1a\0\0\1\0\1\0\0\0\1\0\4\1\2\3\4"), 2, 0},
    {UDP_answer_llmnr, 5355, B("\1\2\x80\0\0\1\0\0\0\0\0\0\1a\0\0\1\0\1"), 2, 0},
    {UDP_answer_sip, 5060, B("SIP/2.0 404 Not Found\r\n"), 8, '7'},
    {UDP_answer_coap, 5683, B("\x61\x45\1\2\x99\xff</a>"), 1, 1},
    {UDP_answer_coap, 5683, B("\x70\0\1\2"), 0, 0x50},
    {UDP_answer_ubiquiti, 10001, B("\1\0\0\4\1\0\1a"), 3, 5},
    {UDP_answer_ubiquiti, 10001, B("\2\6\0\4\1\0\1a"), 1, 8},
    {UDP_answer_memcached, 11211, B("\0\1\0\0\0\1\0\0STAT pid 1\r\n"), 8, 's'},
    {UDP_answer_memcached, 11211, B("\0\1\0\3\0\5\0\0xxxx"), 5, 3},
    {UDP_answer_source_engine, 27015, B("\xff\xff\xff\xffI\x11name"), 4, 'T'},
    {UDP_answer_source_engine, 27015, B("\xfe\xff\xff\xff\1\2\3\4\2\0"), 3, 0xfe},
    {UDP_answer_quake, 27960, B("\xff\xff\xff\xffstatusResponse\n"), 4, 'S'},
    {UDP_answer_sadp, 37020, B("<?xml version=\"1.0\"?>\n<ProbeMatch>"), 29, 'X'},
    {UDP_answer_dahua, 37810,
     B("\x20\0\0\0DHIP\0\0\0\0\0\0\0\0\x28\0\0\0\0\0\0\0\x28\0\0\0\0\0\0\0{\"method\":\"client."
       "notifyDevInfo\"}"),
     4, 'd'},
    {UDP_answer_dahua, 37810, B("{\"mac\":\"\",\"method\":\"client.notifyDevInfo\"}"), 0, '['},
    {UDP_answer_ethernet_ip, 44818, B("\x63\0\1\0"), 2, 0, .len = 25},
    {UDP_answer_bacnet, 47808, B("\x81\x0a\0\x0e\1\0\x30\1\x0c\x0c\2\0\0\1"), 6, 0},
    {UDP_answer_bacnet, 47808, B("\x81\x0b\0\x0c\1\x20\xff\xff\0\xff\x10\0"), 11, 8},
    {UDP_answer_dtls, 3391, B("\x16\xfe\xfd\0\0\0\0\0\0\0\0\0\x0d\2\0\0\1\0\0\0\0\0\0\0\1\0"), 13,
     1},
    {UDP_answer_dtls, 443, B("\x16\xfe\xff\0\0\0\0\0\0\0\0\0\x0d\3\0\0\1\0\0\0\0\0\0\0\1\0"), 12,
     14},
    {UDP_answer_dtls, 443, B("\x15\xfe\xfd\0\0\0\0\0\0\0\0\0\2\2\x28"), 13, 3},

    {UDP_stray_dht, 0, B("d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe"), 3, 'b'},
    {UDP_stray_dht, 0,
     B("d2:ip6:\1\2\3\4\5\6"
       "1:rd2:id20:abcdefghij0123456789e1:t2:aa1:y1:re"),
     4, 'q'},
    {UDP_stray_dht, 0, B("d1:eli201e3:bade1:t2:aa1:y1:ee"), 5, 'x'},
    {UDP_stray_dht, 0, B("d1:ad2:bsi1e2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe"), 12,
     '3'},
    {UDP_stray_dht, 0, B("d1:eli301e3:bade1:t2:aa1:y1:ee"), 6, '4'},
    {UDP_stray_utp, 0, B("\x41\0\1\2\1\2\3\4\0\0\0\0\0\x10\0\0\0\1\0\0"), 11, 1},
    {UDP_stray_utp, 0, B("\x41\2\1\2\1\2\3\4\0\0\0\0\0\x10\0\0\0\1\0\0\0\x08\0\0\0\0\0\0\0\0"), 25,
     1},
    {UDP_stray_utp, 0, B("\x21\0\1\2\1\2\3\4\0\0\0\7\0\x10\0\0\0\2\0\1"), 1, 3},
    {UDP_stray_bittorrent, 0,
     B("\x13"
       "BitTorrent protocol\0\0\0\0\0\0\0\0"),
     19, 'x'},
    {UDP_stray_bittorrent, 0, B("BT-SEARCH * HTTP/1.1\r\nPort: 51413\r\n"), 3, 'X'},
    {UDP_stray_tracker, 0, B("\0\0\4\x17\x27\x10\x19\x80\0\0\0\0\1\2\3\4"), 11, 1},

    {UDP_asks_qotd, 17, B("\r\n\1"), 0, 0},
    {UDP_asks_chargen, 19, B("\1"), 0, 0},
    {UDP_asks_dns, 53, B("\1\2\1\0\0\1\0\0\0\0\0\0\1a\0\0\1\0\1"), 2, 0},
    {UDP_asks_dns, 53, B("\1\2\0\0\0\1\0\0\0\0\0\0\1a\0\0\xff\0\1"), 16, 1},
    {UDP_asks_tftp, 69, B("\0\1a\0octet\0"), 1, 2},
    {UDP_asks_rpc, 111, B("\1\2\3\4\0\0\0\0\0\0\0\2\0\1\x86\xa0\0\0\0\2\0\0\0\4"), 23, 0,
     .len = 40},
    {UDP_asks_ntp, 123, B("\x17\0\3\x2a"), 3, 0x10, .len = 8},
    {UDP_asks_ntp, 123, B("\x16\2\0\1"), 1, 0x82, .len = 12},
    {UDP_asks_netbios, 137, B("\xab\x12\0\0\0\1\0\0\0\0\0\0\x20" NAME32 "\0\0\x21\0\1"), 47, 0x20},
    {UDP_asks_snmp, 161, B("\x30\x1a\2\1\1\4\6public\xa5\x0d\2\1\7\2\1\0\2\1\x0a\x30\2\5\0"), 13,
     0xa0},
    {UDP_asks_xdmcp, 177, B("\0\1\0\2\0\1\0"), 3, 7},
    {UDP_asks_cldap, 389, B("\x30\x84\0\0\0\x07\2\1\1\x63\2\4\0"), 9, 0x60},
    {UDP_asks_slp, 427,
     B("\2\1\0\0\x12\0\0\0\0\0\0\1\0\2"
       "en\0\0"),
     1, 3},
    {UDP_asks_dtls, 443, B("\x16\xfe\xff\0\0\0\0\0\0\0\0\0\x0d\1\0\0\1\0\0\0\0\0\0\0\1\0"), 13, 2},
    {UDP_asks_rip, 520, B("\1\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x10"), 23, 1},
    {UDP_asks_openvpn, 1194,
     B("\x38"
       "12345678\0\0\0\0\0"),
     0, 0x28},
    {UDP_asks_mssql, 1434, B("\2"), 0, 4},
    {UDP_asks_ssdp, 1900, B("M-SEARCH * HTTP/1.1\r\nST: ssdp:all\r\n"), 8, '-'},
    {UDP_asks_arms, 3283, B("\0\x14\0\1\3"), 1, 0x13},
    {UDP_asks_ws_discovery, 3702, B("<a:Envelope><d:Probe/>"), 15, 'X'},
    {UDP_asks_ws_discovery, 3702, B("<:/>"), 3, 'x'},
    {UDP_asks_ws_discovery, 3702, B("<a:Envelope "), 3, 'X', .len = 300, .tail_at = 250,
     .tail = "name"},
    {UDP_asks_mdns, 5353, B("\0\0\0\0\0\1\0\0\0\0\0\0\1a\0\0\x0c\0\1"), 5, 0},
    {UDP_asks_coap, 5683, B("\x40\1\1\2\xbb.well-known\4core"), 1, 2},
    {UDP_asks_coap, 5683, B("\x40\1\1\2\x35hosts\x8b.well-known\4core"), 11, 'x'},
    {UDP_asks_ubiquiti, 10001, B("\1\0\0\0"), 1, 1},
    {UDP_asks_memcached, 11211, B("\0\1\0\0\0\1\0\0stats\r\n"), 8, 'S'},
    {UDP_asks_source_engine, 27015, B("\xff\xff\xff\xffTSource Engine Query\0"), 5, 's'},
    {UDP_asks_quake, 27960, B("\xff\xff\xff\xffgetstatus\n"), 4, 'G'},
    {UDP_asks_plex, 32414, B("M-SEARCH * HTTP/1.1\r\n"), 8, '-'},
    {UDP_asks_sadp, 37020, B("<Probe><Uuid>1</Uuid><Types>inquiry</Types></Probe>"), 6, ' '},
    {UDP_asks_dahua, 37810, B("\x20\0\0\0"), 0, 0},
    {UDP_asks_dahua, 37810, B("\xff"), 0, 0},
};
enum { FORM_ROWS = sizeof form_rows / sizeof *form_rows, FORM_BYTES = 512 };

/* Writes the row's payload; its length. */
static inline uint32_t form_payload(const struct form_row *row, uint8_t bytes[FORM_BYTES])
{
    memset(bytes, 0, FORM_BYTES);
    memcpy(bytes, row->bytes, row->size);
    if (row->tail)
        memcpy(bytes + row->tail_at, row->tail, 4);
    return row->len ? row->len : row->size;
}

#endif
