#include "classify/spoof.h"

#include <errno.h>
#include <string.h>

#define CORSARO "CAIDA corsaro3, built-in filters"

const struct spoof_text spoof_texts[SPOOF_COUNT] = {
    [SPOOF_abnormal_protocol] = {"abnormal_protocol",
                                 "neither TCP, UDP, ICMP nor IPv6 in IPv4; IPv6: nor ICMPv6",
                                 CORSARO},
    [SPOOF_abnormal_flags] =
        {"abnormal_flags",
         "TCP flags other than S, A, R, F, SF, SA, FA, PA, FPA, RA; ECN's bits don't matter",
         CORSARO ", which leaves out RA: every stack's answer at a closed port"},
    [SPOOF_high_ttl] = {"high_ttl",
                        "TTL or hop limit of 200 or more; not ICMP, not TCP with window 1024 and "
                        "no options (masscan's)",
                        CORSARO},
    [SPOOF_fragment_offset] = {"fragment_offset", "fragment offset > 0", CORSARO},
    [SPOOF_reserved_flag] = {"reserved_flag", "IPv4: the reserved flag is set",
                             CORSARO "; RFC 791: must be zero"},
    [SPOOF_source_ends_0] = {"source_ends_0",
                             "IPv4: the source's last byte is 0; IPv6: its last 64 bits are 0, "
                             "the routers' anycast address",
                             CORSARO "; RFC 4291, 2.6.1"},
    [SPOOF_source_ends_255] = {"source_ends_255", "IPv4: the source's last byte is 255", CORSARO},
    [SPOOF_same_address] = {"same_address", "source = destination",
                            CORSARO "; the land attack, CA-1997-28"},
    [SPOOF_source_port_0] = {"source_port_0", "TCP or UDP from port 0", CORSARO "; IANA: reserved"},
    [SPOOF_destination_port_0] = {"destination_port_0", "TCP or UDP to port 0", CORSARO},
    [SPOOF_udp_to_80] = {"udp_to_80", "UDP to port 80", CORSARO},
    [SPOOF_telescope_source] =
        {"telescope_source",
         "the source is an address of the telescope, or IPv6 with one of its IPv4 "
         "addresses in it (its last byte is not looked at)",
         "nobody sends from dark addresses"},
};

static bool is_abnormal_protocol(const struct observation *o)
{
    enum { IPV6 = 41 };
    uint8_t icmp = o->ip_version == 6 ? IPPROTO_NR_ICMPV6 : IPPROTO_NR_ICMP;
    return o->ip_proto != IPPROTO_NR_TCP && o->ip_proto != IPPROTO_NR_UDP && o->ip_proto != icmp &&
           !(o->ip_version == 4 && o->ip_proto == IPV6);
}

static bool is_abnormal_flags(uint16_t flags)
{
    enum { S = TCP_SYN, A = TCP_ACK, R = TCP_RST, F = TCP_FIN, P = TCP_PSH };
    static const uint8_t normal[] = {S, A, R, F, S | F, S | A, F | A, P | A, F | P | A, R | A};
    return !memchr(normal, flags & (S | A | R | F | P | TCP_URG), sizeof normal);
}

static bool is_high_ttl(const struct observation *o)
{
    enum { HIGH = 200 };
    bool is_icmp = o->ip_proto == IPPROTO_NR_ICMP || o->ip_proto == IPPROTO_NR_ICMPV6;
    bool is_masscan =
        o->state & OBSERVATION_TCP_FLAGS && o->tcp_window == 1024 && o->tcp_header_len == 20;
    return o->ttl >= HIGH && !is_icmp && !is_masscan;
}

static bool source_ends_0(const struct observation *o)
{
    static const uint8_t zeros[8];
    return o->ip_version == 4 ? o->src[3] == 0 : memcmp(o->src + 8, zeros, sizeof zeros) == 0;
}

uint32_t spoof_tests(const struct observation *o)
{
    uint32_t set = 0;
    bool has_ports = o->state & OBSERVATION_PORTS, is_dark = o->state & OBSERVATION_DARK_SOURCE;
    if (!(o->state & OBSERVATION_IP))
        return 0;
#define TEST(name, holds) set |= (uint32_t)((holds) != 0) << SPOOF_##name
    TEST(abnormal_protocol, is_abnormal_protocol(o));
    TEST(abnormal_flags, o->state & OBSERVATION_TCP_FLAGS && is_abnormal_flags(o->tcp_flags));
    TEST(high_ttl, is_high_ttl(o));
    TEST(fragment_offset, o->state & OBSERVATION_FRAGMENT);
    TEST(reserved_flag, o->state & OBSERVATION_RESERVED);
    TEST(source_ends_0, !is_dark && source_ends_0(o));
    TEST(source_ends_255, o->ip_version == 4 && o->src[3] == 255);
    TEST(same_address,
         is_dark ? (o->state & OBSERVATION_SELF) != 0 : memcmp(o->src, o->dst, sizeof o->src) == 0);
    TEST(source_port_0, has_ports && o->src_port == 0);
    TEST(destination_port_0, has_ports && o->dst_port == 0);
    TEST(udp_to_80, has_ports && o->ip_proto == IPPROTO_NR_UDP && o->dst_port == 80);
    TEST(telescope_source, is_dark);
#undef TEST
    return set;
}

/* The set that a word stands for; false: none. */
static bool word_set(const char *word, size_t length, uint32_t *set)
{
    static const struct {
        const char *name;
        uint32_t set;
    } sets[] = {{"default", SPOOF_DEFAULT}, {"all", (1u << SPOOF_COUNT) - 1}, {"none", 0}};
    for (size_t i = 0; i < SPOOF_COUNT + sizeof sets / sizeof *sets; i++) {
        const char *name = i < SPOOF_COUNT ? spoof_texts[i].name : sets[i - SPOOF_COUNT].name;
        if (strlen(name) != length || strncmp(name, word, length) != 0)
            continue;
        *set = i < SPOOF_COUNT ? 1u << i : sets[i - SPOOF_COUNT].set;
        return true;
    }
    return false;
}

int spoof_parse(const char *text, uint32_t *set, struct fault *fault)
{
    uint32_t all = 0, one;
    for (const char *word = text;; word++) {
        size_t length = strcspn(word, ",");
        if (!word_set(word, length, &one))
            return fault_set(
                fault, EINVAL,
                "'%.*s' is no test of forged sources (see rules list), default, all or none",
                (int)(length < 64 ? length : 64), word);
        all |= one;
        word += length;
        if (!*word)
            break;
    }
    *set = all;
    return 0;
}
