/* capture_rows: capture files of every kind that is read, whole and damaged, made byte by byte in
 * both byte orders, and what is read from each. */
#ifndef TEST_CAPTURE_ROWS_H
#define TEST_CAPTURE_ROWS_H

#include "test/capture_bytes.h"

/* The files: what makes each, and what is read from it. */

static void make_nothing(void) {}

static void make_pcap_micro(void)
{
    put_pcap_header(0xa1b2c3d4, 2, 4, 1);
    put_record(1, 999999, 60, 60);
    put_record(4000000000u, 1, 0, 1500);
}

static void make_pcap_nano(void)
{
    put_pcap_header(0xa1b23c4d, 2, 4, 101);
    put_record(1, 999999999, 20, 20);
}

static void make_pcap_fcs(void)
{
    put_pcap_header(0xa1b2c3d4, 2, 4, 0x24000001);
    put_record(1, 0, 64, 64);
}

static void make_pcap_reserved(void)
{
    put_pcap_header(0xa1b2c3d4, 2, 4, 0x00300001);
    put_record(1, 0, 64, 64);
}

static void make_pcap_wifi(void)
{
    put_pcap_header(0xa1b2c3d4, 2, 4, 105);
    put_record(1, 0, 64, 64);
}

static void make_pcap_version_1(void) { put_pcap_header(0xa1b2c3d4, 1, 4, 1); }

static void make_pcap_old(void) /* before 2.3 the length on the wire stood first */
{
    put_pcap_header(0xa1b2c3d4, 2, 2, 1);
    put32(1);
    put32(0);
    put32(1500);
    put32(60);
    put_fill(60, 0);
    put32(2);
    put32(0);
    put32(60);
    put32(60);
    put_fill(60, 0);
}

static void make_pcap_2_3(void) /* one of each */
{
    put_pcap_header(0xa1b2c3d4, 2, 3, 1);
    put_record(1, 0, 60, 1500);
    put32(2);
    put32(0);
    put32(1500);
    put32(60);
    put_fill(60, 0);
}

static void make_pcap_aix(void)
{
    put_pcap_header(0xa1b2c3d4, 2, 2, 6);
    put_record(1, 5, 60, 60);
}

static void make_pcap_patched(void)
{
    put_pcap_header(0xa1b2cd34, 2, 4, 1);
    for (uint32_t i = 1; i <= 3; i++) {
        put32(i);
        put32(7);
        put32(60);
        put32(60);
        put32(2); /* interface */
        put16(0x0800);
        put16(0);
        put_fill(60, 0xaa);
    }
}

static void make_pcap_patched_smp(void)
{
    put_pcap_header(0xa1b2cd34, 2, 4, 1);
    for (uint32_t i = 1; i <= 3; i++) {
        put32(i);
        put32(7);
        put32(60);
        put32(60);
        put32(2);
        put16(0x0800);
        put16(0);
        put32(0); /* processors */
        put_fill(60, 0xaa);
    }
}

static void make_pcap_ixia(void)
{
    put_pcap_header(0x1c0001ac, 2, 4, 1);
    put32(76);
    put_record(1, 5, 60, 60);
}

static void make_pcap_more_caught_than_sent(void)
{
    put_pcap_header(0xa1b2c3d4, 2, 4, 1);
    put_record(1, 0, 64, 60);
}

static void make_pcap_wire_nonsense(void)
{
    put_pcap_header(0xa1b2c3d4, 2, 4, 1);
    put_record(1, 0, 60, 0xf0000000);
}

static void make_pcap_largest(void)
{
    put_pcap_header(0xa1b2c3d4, 2, 4, 1);
    put_record(1, 0, 262144, 262144);
    put_record(2, 0, 60, 60);
}

static void make_pcap_too_large(void)
{
    make_pcap_micro();
    put32(3);
    put32(0);
    put32(262145);
    put32(262145);
    put_fill(1000, 0);
}

static void make_pcap_cut_in_file_header(void)
{
    make_pcap_micro();
    file.len = 20;
}

static void make_pcap_cut_in_header(void)
{
    make_pcap_micro();
    put32(3);
}

static void make_pcap_cut_in_record(void)
{
    make_pcap_micro();
    put_record(3, 0, 60, 60);
    file.len -= 10;
}

/* As `cat` joins them: another byte order, resolution and link type with each; the last is empty. */
static void make_pcap_joined(void)
{
    put_pcap_header(0xa1b2c3d4, 2, 4, 1);
    put_record(1, 1, 60, 60);
    file.big = !file.big;
    put_pcap_header(0xa1b23c4d, 2, 4, 101);
    put_record(2, 2, 40, 40);
    put_record(3, 3, 0, 40); /* nothing caught, and no header */
    file.big = !file.big;
    put_pcap_header(0xa1b23c4d, 2, 4, 113);
    put_record(4, 4, 50, 50);
    put_pcap_header(0xa1b2c3d4, 2, 4, 1);
    set32(file.len - 16, (uint32_t)-3600); /* its time zone */
    put_record(5, 5, 60, 60);
    put_pcap_header(0xa1b2c3d4, 2, 4, 1);
}

static void make_pcap_joined_to_patched(void)
{
    make_pcap_patched();
    put_pcap_header(0xa1b2c3d4, 2, 4, 1);
    put_record(4, 4, 60, 60);
}

static void make_pcap_joined_to_wifi(void)
{
    make_pcap_micro();
    put_pcap_header(0xa1b2c3d4, 2, 4, 105);
    put_record(1, 0, 64, 64);
}

static void make_pcap_joined_cut(void)
{
    make_pcap_micro();
    file.big = !file.big;
    put_pcap_header(0xa1b2c3d4, 2, 4, 1);
    file.len -= 5;
}

/* A magic, but no version: a record of a time in 2055. */
static void make_pcap_not_joined(void)
{
    make_pcap_micro();
    put_record(0xa1b2c3d4, 0, 0, 60);
}

static void make_ng(void)
{
    put_section(1, 0);
    put_interface(1, 0, 0);
    put_packet(0, 1000001, 61, 1500);
    put_packet_old(0, 2000000, 60);
    end_block(begin_block(0x4242));
    put_packet(0, 3000000, 0, 0);
}

static void make_ng_sections(void)
{
    put_section(1, 0);
    put_interface(101, 0, 9);
    put_packet(0, 5, 20, 20);
    file.big = !file.big;
    put_section(1, 2);
    put_interface(1, 0, 3);
    put_interface(113, 0, 0x80 | 1);
    put_packet(0, 4, 60, 60);
    put_packet(1, 3, 60, 60);
}

static void make_ng_resolutions(void)
{
    static const unsigned tsresol[] = {12, 19, 30, 0xbf, 0xff, 0x8a};
    put_section(1, 0);
    for (size_t i = 0; i < sizeof tsresol / sizeof *tsresol; i++)
        put_interface(1, 0, tsresol[i]);
    put_packet(0, 7123, 60, 60);              /* 10^-12: 7 ns */
    put_packet(1, UINT64_MAX, 60, 60);        /* 10^-19: 1.844674407 s */
    put_packet(2, UINT64_MAX, 60, 60);        /* 10^-30: nothing */
    put_packet(3, UINT64_C(1) << 63, 60, 60); /* 2^-63: 1 s */
    put_packet(4, UINT64_MAX, 60, 60);        /* 2^-127: nothing */
    put_packet(5, 1536, 60, 60);              /* 2^-10: 1.5 s */
}

static void make_ng_far_future(void)
{
    put_section(1, 0);
    put_interface(1, 0, 0);
    put_packet(0, UINT64_MAX, 60, 60);
}

/* The last moment that fits, and such as don't: in a usual block, an old one, one with an option. */
static void make_ng_beyond(void)
{
    put_section(1, 0);
    put_interface(1, 0, 9);
    put_packet(0, INT64_MAX, 60, 60);
    put_packet(0, INT64_MAX + UINT64_C(1), 60, 60);
    put_packet_old(0, UINT64_MAX, 60);
    size_t block = begin_block(6);
    put32(0);
    put32(0x90000000);
    put32(0);
    put32(0);
    put32(0);
    put16(2988); /* a custom option */
    put16(0);
    put32(0);
    end_block(block);
}

/* An interface whose times have an offset, up to the option's 8 bytes. */
static size_t begin_offset(void)
{
    put_section(1, 0);
    size_t block = begin_block(1);
    put16(1);
    put16(0);
    put32(0);
    put16(14);
    put16(8);
    return block;
}

/* Before 1677. */
static void make_ng_far_past(void)
{
    size_t block = begin_offset();
    put32(file.big ? 0x80000000 : 0);
    put32(file.big ? 0 : 0x80000000);
    put32(0);
    end_block(block);
    put_packet(0, 3000000, 60, 60);
    put_packet(0, 4000000, 60, 60);
}

static void make_ng_offset(void)
{
    size_t block = begin_offset();
    put32(file.big ? 0xffffffff : (uint32_t)-10);
    put32(file.big ? (uint32_t)-10 : 0xffffffff);
    put32(0);
    end_block(block);
    put_packet(0, 3000000, 60, 60);
}

static void make_ng_simple(void)
{
    put_section(1, 0);
    put_interface(1, 40, 0);
    put_simple(40, 1500); /* has the time of the packet behind it */
    put_packet(0, 2000000, 40, 60);
    put_simple(30, 30); /* before it */
}

static void make_ng_two_links(void)
{
    put_section(1, 0);
    put_interface(1, 0, 0);
    put_interface(105, 0, 0);
    put_interface(220, 0, 0); /* without packets: nothing to say */
    put_packet(1, 1000000, 60, 60);
    put_packet(0, 2000000, 60, 60);
    put_packet(1, 3000000, 60, 60);
}

static void make_ng_long_unknown(void)
{
    put_section(1, 0);
    put_interface(1, 0, 0);
    size_t block = begin_block(0xbad);
    put_fill(350000, 0);
    end_block(block);
    put_packet(0, 2000000, 60, 60);
}

static void make_ng_interface_unknown(void)
{
    make_ng();
    put_packet(1, 0, 60, 60);
}

static void make_ng_lengths_differ(void)
{
    make_ng();
    put_packet(0, 0, 60, 60);
    set32(file.len - 4, 88);
}

static void make_ng_too_large(void)
{
    make_ng();
    put_packet(0, 0, 262148, 262148);
}

static void make_ng_packet_over_block(void)
{
    make_ng();
    put_packet(0, 0, 60, 60);
    set32(file.len - 72, 100);
}

static void make_ng_option_over_block(void)
{
    put_section(1, 0);
    size_t block = begin_block(1);
    put16(1);
    put16(0);
    put32(0);
    put16(2);
    put16(500);
    end_block(block);
}

static void make_ng_order(void)
{
    make_ng();
    put_section(1, 0);
    set32(file.len - 20, 0x11223344);
}

static void make_ng_version(void) { put_section(2, 0); }

static void make_ng_cut(void)
{
    make_ng();
    put_packet(0, 0, 60, 60);
    file.len -= 3;
}

static void make_ng_cut_unknown(void)
{
    make_ng_long_unknown();
    file.len -= 100;
}

static void make_snoop(void) { put("snoop\0\0\0\0\0\0\2\0\0\0\4", 16); }

static void make_text(void) { put("hello, world\n", 13); }

static const struct row {
    const char *name;
    void (*make)(void);
    uint64_t packets, bytes;
    int64_t first_ns, last_ns; /* of the first and the last frame */
    uint32_t caplen_sum;
    const char *damage; /* NULL: none */
    int64_t offset;     /* -1: the same for neither byte order; not looked at */
} rows[] = {
    {"pcap us", make_pcap_micro, 2, 1560, 1999999000, 4000000000000001000, 60, NULL, 0},
    {"pcap ns", make_pcap_nano, 1, 20, 1999999999, 1999999999, 20, NULL, 0},
    {"pcap with FCS bits", make_pcap_fcs, 1, 64, 1000000000, 1000000000, 64, NULL, 0},
    {"pcap with reserved bits", make_pcap_reserved, 0, 0, 0, 0, 0, "reserved bits are set", 20},
    {"pcap of 802.11", make_pcap_wifi, 0, 0, 0, 0, 0, "link type IEEE802_11 is not supported", 20},
    {"pcap 1.4", make_pcap_version_1, 0, 0, 0, 0, 0, "pcap version 1.4 is not supported", 4},
    {"pcap 2.2", make_pcap_old, 2, 1560, 1000000000, 2000000000, 120, NULL, 0},
    {"pcap 2.3", make_pcap_2_3, 2, 3000, 1000000000, 2000000000, 120, NULL, 0},
    {"pcap of AIX", make_pcap_aix, 1, 60, 1000000005, 1000000005, 60, NULL, 0},
    {"pcap patched", make_pcap_patched, 3, 180, 1000007000, 3000007000, 180, NULL, 0},
    {"pcap patched, SMP", make_pcap_patched_smp, 3, 180, 1000007000, 3000007000, 180, NULL, 0},
    {"pcap of Ixia", make_pcap_ixia, 1, 60, 1000000005, 1000000005, 60, NULL, 0},
    {"caplen over wire length", make_pcap_more_caught_than_sent, 1, 60, 1000000000, 1000000000, 60,
     NULL, 0},
    {"wire length of 4 GB", make_pcap_wire_nonsense, 1, 0x7fffffff, 1000000000, 1000000000, 60,
     NULL, 0},
    {"pcap, largest record", make_pcap_largest, 2, 262204, 1000000000, 2000000000, 262204, NULL, 0},
    {"pcap, record too large", make_pcap_too_large, 2, 1560, 1999999000, 4000000000000001000, 60,
     "record 3 has an impossible length: 262145 bytes", 116},
    {"pcap, file header cut", make_pcap_cut_in_file_header, 0, 0, 0, 0, 0,
     "cut short in the file header: 20 of 24 bytes", 0},
    {"pcap, header cut", make_pcap_cut_in_header, 2, 1560, 1999999000, 4000000000000001000, 60,
     "cut short in the header of record 3: 4 of 16 bytes", 116},
    {"pcap, record cut", make_pcap_cut_in_record, 2, 1560, 1999999000, 4000000000000001000, 60,
     "cut short in record 3: 66 of 76 bytes", 116},
    {"pcap, joined", make_pcap_joined, 5, 250, 1000001000, 5000005000, 210, NULL, 0},
    {"pcap, joined to patched", make_pcap_joined_to_patched, 4, 240, 1000007000, 4000004000, 240,
     NULL, 0},
    {"pcap, joined to 802.11", make_pcap_joined_to_wifi, 2, 1560, 1999999000, 4000000000000001000,
     60, "a further capture begins behind record 2: link type IEEE802_11 is not supported", 116},
    {"pcap, joined and cut", make_pcap_joined_cut, 2, 1560, 1999999000, 4000000000000001000, 60,
     "cut short in the header of a further capture behind record 2: 19 of 24 bytes", 116},
    {"pcap, not joined", make_pcap_not_joined, 3, 1620, 1999999000, 2712847316000000000, 60, NULL,
     0},
    {"pcapng", make_ng, 3, 1560, 1000001000, 3000000000, 121, NULL, 0},
    {"pcapng, two sections", make_ng_sections, 3, 140, 5, 1500000000, 140, NULL, 0},
    {"pcapng, resolutions", make_ng_resolutions, 6, 360, 7, 1500000000, 360, NULL, 0},
    {"pcapng, far future", make_ng_far_future, 1, 60, INT64_MAX, INT64_MAX, 60, NULL, 0},
    {"pcapng, beyond the end of time", make_ng_beyond, 4, 180, INT64_MAX, INT64_MAX, 180, NULL, 0},
    {"pcapng, far past", make_ng_far_past, 2, 120, INT64_MIN, INT64_MIN, 120, NULL, 0},
    {"pcapng, time offset", make_ng_offset, 1, 60, -7000000000, -7000000000, 60, NULL, 0},
    {"pcapng, simple blocks", make_ng_simple, 3, 1590, 2000000000, 2000000000, 110, NULL, 0},
    {"pcapng, two link types", make_ng_two_links, 1, 60, 2000000000, 2000000000, 60,
     "interface 1: link type IEEE802_11 is not supported; packets left out: 2", 48},
    {"pcapng, long unknown block", make_ng_long_unknown, 1, 60, 2000000000, 2000000000, 60, NULL,
     0},
    {"pcapng, interface unknown", make_ng_interface_unknown, 3, 1560, 1000001000, 3000000000, 121,
     "a packet of interface 1, of which the section has 1", -1},
    {"pcapng, lengths differ", make_ng_lengths_differ, 3, 1560, 1000001000, 3000000000, 121,
     "a block's two lengths differ: 92 and 88", -1},
    {"pcapng, packet too large", make_ng_too_large, 3, 1560, 1000001000, 3000000000, 121,
     "a packet has an impossible length: 262148 bytes", -1},
    {"pcapng, packet over block", make_ng_packet_over_block, 3, 1560, 1000001000, 3000000000, 121,
     "a block of 92 bytes can't hold a packet of 100", -1},
    {"pcapng, option over block", make_ng_option_over_block, 0, 0, 0, 0, 0,
     "an option of 500 bytes overruns its block", 28},
    {"pcapng, byte order", make_ng_order, 3, 1560, 1000001000, 3000000000, 121,
     "byte-order magic 0x", -1},
    {"pcapng 2.0", make_ng_version, 0, 0, 0, 0, 0, "pcapng version 2.0 is not supported", 0},
    {"pcapng, cut", make_ng_cut, 3, 1560, 1000001000, 3000000000, 121,
     "cut short in a block: 89 of 92 bytes", -1},
    {"pcapng, unknown block cut", make_ng_cut_unknown, 0, 0, 0, 0, 0,
     "cut short in a block of 350012 bytes", -1},
    {"snoop", make_snoop, 0, 0, 0, 0, 0, "is neither pcap nor pcapng: a snoop capture", 0},
    {"text", make_text, 0, 0, 0, 0, 0,
     "is no capture, neither pcap nor pcapng: begins with 68 65 6c 6c 6f 2c 20 77", 0},
    {"empty", make_nothing, 0, 0, 0, 0, 0, "is empty", 0},
};

#endif
