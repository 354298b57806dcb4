#include "classify/kind.h"

#include <stddef.h>

/* Rows of 4: flags PSH ACK in the row, RST SYN FIN below them. */
#define OTHER   KIND_tcp_other
#define SYN     KIND_tcp_syn
#define DATA    KIND_tcp_data
#define BACK    KIND_backscatter_tcp
/*              -      F      S      SF     R     RF    RS    RSF  */
#define QUIET   OTHER, OTHER, SYN, OTHER, BACK, BACK, BACK, BACK
#define ACKED   OTHER, OTHER, BACK, BACK, BACK, BACK, BACK, BACK
#define CARRIES DATA, DATA, BACK, BACK, BACK, BACK, BACK, BACK

/*                                          -      PSH    ACK      ACK PSH */
const uint8_t kind_tcp_table[2][32] = {{QUIET, QUIET, ACKED, ACKED},
                                       {QUIET, QUIET, CARRIES, CARRIES}};

static const struct {
    const char *definition, *limit;
} texts[KIND_COUNT] = {
    [KIND_tcp_syn] = {"TCP with SYN, without ACK, RST, FIN", NULL},
    [KIND_tcp_data] = {"TCP with ACK, without SYN, RST, and payload > 0 by the IP lengths", NULL},
    [KIND_tcp_other] =
        {"every other TCP packet: FIN, NULL, XMAS, bare ACK, odd flags, flags cut by the "
         "snap length",
         NULL},
    [KIND_udp] = {"UDP that is no answer and no stray", "a payload cut by the snap length may lose "
                                                        "the form that would tell it"},
    [KIND_icmp] = {"ICMP and ICMPv6 that is no reply, error or link-local control", NULL},
    [KIND_backscatter_tcp] = {"TCP with RST, or with SYN and ACK", NULL},
    [KIND_backscatter_icmp] = {"replies and errors of ICMP and ICMPv6, by type", NULL},
    [KIND_backscatter_udp] =
        {"an answer from a known reflector port in the protocol's response form", NULL},
    [KIND_stray] =
        {"pollution that is no scan: NetBIOS broadcasts (UDP 137 to 137, 138 to 138, "
         "destination ends in .255), UDP to control groups of one link, DHT, uTP and BitTorrent, "
         "IGMP, link-local ICMP and ICMPv6",
         NULL},
    [KIND_fragment] = {"a later fragment (offset > 0) of any protocol", NULL},
    [KIND_other_ip] = {"every other IP protocol", NULL},
    [KIND_non_ip] = {"no readable IP header", NULL},
    [KIND_malformed] = {"a header says more than the packet held on the wire", NULL},
    [KIND_outside] = {"not addressed to the telescope, where one is configured", NULL},
};

const char *kind_definition(enum kind kind) { return texts[kind].definition; }
const char *kind_limit(enum kind kind) { return texts[kind].limit; }
