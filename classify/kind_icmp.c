/* Every ICMP and ICMPv6 type and its kind.
 *
 * Names: IANA, "Internet Control Message Protocol (ICMP) Parameters" and "Internet Control
 * Message Protocol version 6 (ICMPv6) Parameters". Kinds: replies and errors are backscatter
 * (someone answered a packet that bore our address as its source), control that never leaves a
 * link is stray, and the rest is icmp.
 */
#include "classify/kind.h"

#define ASKS(text)      \
    {                   \
        text, KIND_icmp \
    }
#define ANSWERS(text)               \
    {                               \
        text, KIND_backscatter_icmp \
    }
#define LINK(text)       \
    {                    \
        text, KIND_stray \
    }

const struct kind_icmp_type kind_icmp_types[2][256] = {
    {
        [0] = ANSWERS("Echo Reply"),
        [1 ... 2] = ASKS("Unassigned"),
        [3] = ANSWERS("Destination Unreachable"),
        [4] = ANSWERS("Source Quench (Deprecated)"),
        [5] = ANSWERS("Redirect"),
        [6] = ASKS("Alternate Host Address (Deprecated)"),
        [7] = ASKS("Unassigned"),
        [8] = ASKS("Echo"),
        [9] = LINK("Router Advertisement"),
        [10] = LINK("Router Solicitation"),
        [11] = ANSWERS("Time Exceeded"),
        [12] = ANSWERS("Parameter Problem"),
        [13] = ASKS("Timestamp"),
        [14] = ANSWERS("Timestamp Reply"),
        [15] = ASKS("Information Request (Deprecated)"),
        [16] = ANSWERS("Information Reply (Deprecated)"),
        [17] = ASKS("Address Mask Request (Deprecated)"),
        [18] = ANSWERS("Address Mask Reply (Deprecated)"),
        [19] = ASKS("Reserved (for Security)"),
        [20 ... 29] = ASKS("Reserved (for Robustness Experiment)"),
        /* RFC 1393: what a router sends back to the sender of a traceroute option. */
        [30] = ANSWERS("Traceroute (Deprecated)"),
        [31] = ANSWERS("Datagram Conversion Error (Deprecated)"),
        [32] = ASKS("Mobile Host Redirect (Deprecated)"),
        [33] = ASKS("IPv6 Where-Are-You (Deprecated)"),
        [34] = ANSWERS("IPv6 I-Am-Here (Deprecated)"),
        [35] = ASKS("Mobile Registration Request (Deprecated)"),
        [36] = ANSWERS("Mobile Registration Reply (Deprecated)"),
        [37] = ASKS("Domain Name Request (Deprecated)"),
        [38] = ANSWERS("Domain Name Reply (Deprecated)"),
        [39] = ASKS("SKIP (Deprecated)"),
        /* RFC 2521: security failures, an error message. */
        [40] = ANSWERS("Photuris"),
        [41] = ASKS("ICMP messages utilized by experimental mobility protocols"),
        [42] = ASKS("Extended Echo Request"),
        [43] = ANSWERS("Extended Echo Reply"),
        [44 ... 252] = ASKS("Unassigned"),
        [253] = ASKS("RFC3692-style Experiment 1"),
        [254] = ASKS("RFC3692-style Experiment 2"),
        [255] = ASKS("Reserved"),
    },
    {
        [0] = ANSWERS("Reserved (error)"),
        [1] = ANSWERS("Destination Unreachable"),
        [2] = ANSWERS("Packet Too Big"),
        [3] = ANSWERS("Time Exceeded"),
        [4] = ANSWERS("Parameter Problem"),
        [5 ... 99] = ANSWERS("Unassigned (error)"),
        [100 ... 101] = ANSWERS("Private experimentation (error)"),
        [102 ... 126] = ANSWERS("Unassigned (error)"),
        [127] = ANSWERS("Reserved for expansion of ICMPv6 error messages"),
        [128] = ASKS("Echo Request"),
        [129] = ANSWERS("Echo Reply"),
        [130] = LINK("Multicast Listener Query"),
        [131] = LINK("Multicast Listener Report"),
        [132] = LINK("Multicast Listener Done"),
        [133] = LINK("Router Solicitation"),
        [134] = LINK("Router Advertisement"),
        [135] = LINK("Neighbor Solicitation"),
        [136] = LINK("Neighbor Advertisement"),
        [137] = LINK("Redirect Message"),
        [138] = ASKS("Router Renumbering"),
        [139] = ASKS("ICMP Node Information Query"),
        [140] = ANSWERS("ICMP Node Information Response"),
        [141] = LINK("Inverse Neighbor Discovery Solicitation Message"),
        [142] = LINK("Inverse Neighbor Discovery Advertisement Message"),
        [143] = LINK("Version 2 Multicast Listener Report"),
        [144] = ASKS("Home Agent Address Discovery Request Message"),
        [145] = ANSWERS("Home Agent Address Discovery Reply Message"),
        [146] = ASKS("Mobile Prefix Solicitation"),
        [147] = ANSWERS("Mobile Prefix Advertisement"),
        [148] = LINK("Certification Path Solicitation Message"),
        [149] = LINK("Certification Path Advertisement Message"),
        [150] = ASKS("ICMP messages utilized by experimental mobility protocols"),
        [151] = LINK("Multicast Router Advertisement"),
        [152] = LINK("Multicast Router Solicitation"),
        [153] = LINK("Multicast Router Termination"),
        [154] = ASKS("FMIPv6 Messages"),
        [155] = LINK("RPL Control Message"),
        [156] = ASKS("ILNPv6 Locator Update Message"),
        [157] = LINK("Duplicate Address Request"),
        [158] = LINK("Duplicate Address Confirmation"),
        [159] = LINK("MPL Control Message"),
        [160] = ASKS("Extended Echo Request"),
        [161] = ANSWERS("Extended Echo Reply"),
        [162 ... 199] = ASKS("Unassigned"),
        [200 ... 201] = ASKS("Private experimentation"),
        [202 ... 254] = ASKS("Unassigned"),
        [255] = ASKS("Reserved for expansion of ICMPv6 informational messages"),
    },
};
