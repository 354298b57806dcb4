#include "capture/pcapng_reader.h"

#include "capture/pcap_reader.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BLOCK_SECTION = 0x0a0d0d0a,
    BLOCK_INTERFACE = 1,
    BLOCK_PACKET_OLD = 2,
    BLOCK_PACKET_SIMPLE = 3,
    BLOCK_NAMES = 4,
    BLOCK_STATISTICS = 5,
    BLOCK_PACKET = 6,
    BLOCK_SECRETS = 10,
    BLOCK_CUSTOM = 0xbad,
    BLOCK_CUSTOM_NO_COPY = 0x40000bad,

    ORDER_MAGIC = 0x1a2b3c4d,
    FRAME_BYTES = 12, /* type, length, length again */
    OPTION_END = 0,
    OPTION_TSRESOL = 9,
    OPTION_TSOFFSET = 14,

    WHOLE_MAX = 16 << 20,     /* of a block that has to be whole in memory */
    INTERFACES_MAX = 1 << 16, /* per section: a file must not choose how much memory it gets */
    SAID_MAX = 16,            /* interfaces said by name, per file */
};

/* The least that a block of a type holds, its frame included. */
static const struct block_kind {
    uint32_t type, least;
    const char *name;
    bool is_read; /* has to be whole in memory */
} kinds[] = {
    {BLOCK_PACKET, 32, "enhanced packet block", true},
    {BLOCK_PACKET_SIMPLE, 16, "simple packet block", true},
    {BLOCK_PACKET_OLD, 32, "packet block", true},
    {BLOCK_SECTION, 28, "section header block", true},
    {BLOCK_INTERFACE, 20, "interface description block", true},
    {BLOCK_NAMES, 16, "name resolution block", false},
    {BLOCK_STATISTICS, 24, "interface statistics block", false},
    {BLOCK_SECRETS, 20, "decryption secrets block", false},
    {BLOCK_CUSTOM, 16, "custom block", false},
    {BLOCK_CUSTOM_NO_COPY, 16, "custom block", false},
};
static const struct block_kind unknown_kind = {0, FRAME_BYTES, "block of unknown type", false};

struct pcapng_interface {
    uint32_t link_type;
    uint32_t snaplen;    /* 0: no limit */
    uint32_t simple_mul; /* ns per unit of time, where that is all; 0: see the rest */
    uint8_t tsresol;     /* as in the option */
    bool is_supported;
    int64_t tsoffset_s;
    uint64_t refused; /* packets left out */
    uint64_t at;      /* byte of the file: its description */
};

static inline uint32_t load32(const struct pcapng_reader *r, const uint8_t *p)
{
    uint32_t value;
    memcpy(&value, p, sizeof value);
    return r->swapped ? __builtin_bswap32(value) : value;
}

static inline uint16_t load16(const struct pcapng_reader *r, const uint8_t *p)
{
    uint16_t value;
    memcpy(&value, p, sizeof value);
    return r->swapped ? __builtin_bswap16(value) : value;
}

static inline uint64_t padded(uint32_t len) { return ((uint64_t)len + 3) & ~UINT64_C(3); }

static const struct block_kind *find_kind(uint32_t type)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (kinds[i].type == type)
            return &kinds[i];
    }
    return &unknown_kind;
}

bool pcapng_reader_knows(const uint8_t *bytes, size_t len)
{
    static const uint8_t section[4] = {0x0a, 0x0d, 0x0d, 0x0a}; /* alike in both byte orders */
    return len >= sizeof section && memcmp(bytes, section, sizeof section) == 0;
}

void pcapng_reader_init(struct pcapng_reader *r, struct filter *filter, pcapng_say say,
                        void *context)
{
    memset(r, 0, sizeof *r);
    r->filter = filter;
    r->say = say;
    r->say_context = context;
}

/* Sections and interfaces. */

static void say_refused(struct pcapng_reader *r, uint32_t number)
{
    const struct pcapng_interface *face = &r->interfaces[number];
    struct fault fault;
    char text[320];
    if (!face->refused || !r->say || r->said > SAID_MAX)
        return;
    if (r->said++ == SAID_MAX) {
        r->say(r->say_context, face->at, "more interfaces have link types that can't be read");
        return;
    }
    if (filter_reads(r->filter, face->link_type, &fault) == 0)
        return;
    (void)snprintf(text, sizeof text, "interface %u: %s; packets left out: %llu", number,
                   fault.text, (unsigned long long)face->refused);
    r->say(r->say_context, face->at, text);
}

static void end_section(struct pcapng_reader *r)
{
    for (uint32_t i = 0; i < r->interface_count; i++)
        say_refused(r, i);
    r->interface_count = 0;
    r->in_section = false;
}

void pcapng_reader_fini(struct pcapng_reader *r)
{
    end_section(r);
    free(r->interfaces);
    r->interfaces = NULL;
    r->interface_room = 0;
}

/* Walks the options in [at, end); sees to it that none overruns. */
static int read_options(const struct pcapng_reader *r, const uint8_t *at, const uint8_t *end,
                        struct pcapng_interface *face, struct fault *fault)
{
    while (end - at >= 4) {
        unsigned code = load16(r, at), len = load16(r, at + 2);
        if (padded(len) > (uint64_t)(end - at - 4))
            return fault_set(fault, EBADMSG, "an option of %u bytes overruns its block", len);
        if (code == OPTION_END)
            break;
        at += 4;
        if (face && code == OPTION_TSRESOL && len == 1)
            face->tsresol = *at;
        if (face && code == OPTION_TSOFFSET && len == 8) {
            uint64_t high = load32(r, r->swapped ? at : at + 4);
            uint64_t low = load32(r, r->swapped ? at + 4 : at);
            face->tsoffset_s = (int64_t)(high << 32 | low);
        }
        at += padded(len);
    }
    return 0;
}

static int begin_section(struct pcapng_reader *r, const uint8_t *block, uint32_t total,
                         struct fault *fault)
{
    unsigned major = load16(r, block + 12), minor = load16(r, block + 14);
    if (major != 1 || (minor != 0 && minor != 2))
        return fault_set(fault, ENOTSUP, "pcapng version %u.%u is not supported", major, minor);
    int rc = read_options(r, block + 24, block + total - 4, NULL, fault);
    if (rc)
        return rc;
    end_section(r);
    r->in_section = true;
    return 0;
}

static int add_interface(struct pcapng_reader *r, const uint8_t *block, uint32_t total,
                         uint64_t offset, struct fault *fault)
{
    struct pcapng_interface face = {
        .link_type = load16(r, block + 8),
        .snaplen = load32(r, block + 12),
        .tsresol = 6,
        .at = offset,
    };
    int rc = read_options(r, block + 16, block + total - 4, &face, fault);
    if (rc)
        return rc;
    if (face.tsoffset_s == 0)
        face.simple_mul = face.tsresol == 6 ? 1000 : face.tsresol == 9 ? 1 : 0;
    rc = filter_reads(r->filter, face.link_type, fault);
    if (rc == -ENOMEM)
        return rc;
    face.is_supported = rc == 0;
    if (fault)
        fault->err = 0;
    if (r->interface_count == INTERFACES_MAX)
        return fault_set(fault, ENOTSUP, "more than %d interfaces in a section", INTERFACES_MAX);
    if (r->interface_count == r->interface_room) {
        uint32_t room = r->interface_room ? r->interface_room * 2 : 8;
        struct pcapng_interface *grown = realloc(r->interfaces, room * sizeof *grown);
        if (!grown)
            return fault_set(fault, ENOMEM, "no memory for %u interfaces", room);
        r->interfaces = grown;
        r->interface_room = room;
    }
    r->interfaces[r->interface_count++] = face;
    return 0;
}

/* Packets. */

static int64_t saturate(__int128 ns)
{
    return ns > INT64_MAX ? INT64_MAX : ns < INT64_MIN ? INT64_MIN : (int64_t)ns;
}

/* Any resolution: 2^-e or 10^-e seconds a unit. */
static int64_t convert_time(const struct pcapng_interface *face, uint64_t units)
{
    unsigned exponent = face->tsresol & 0x7f;
    __int128 ns = units;
    if (face->tsresol & 0x80) {
        ns = (ns * 1000000000) >> exponent;
    } else {
        for (; exponent < 9; exponent++)
            ns *= 10;
        for (; exponent > 9 && ns; exponent--)
            ns /= 10;
    }
    return saturate(ns + (__int128)face->tsoffset_s * 1000000000);
}

static inline int64_t packet_time(const struct pcapng_interface *face, uint32_t high, uint32_t low)
{
    uint64_t units = (uint64_t)high << 32 | low;
    if (__builtin_expect(face->simple_mul && units <= INT64_MAX / 1000, 1))
        return (int64_t)(units * face->simple_mul);
    return convert_time(face, units);
}

static inline void fill_frame(struct frame *f, const struct pcapng_interface *face,
                              const uint8_t *data, uint32_t caplen, uint32_t wire_len)
{
    f->data = data;
    f->caplen = caplen < wire_len ? caplen : wire_len; /* the rest was not on the wire */
    f->wire_len = wire_len < PCAP_WIRE_LEN_MAX ? wire_len : PCAP_WIRE_LEN_MAX;
    f->link_type = face->link_type;
}

/* For a simple packet with nothing before it: the time of the first packet behind it
 * that the span holds whole and an interface known by now has taken. */
static int64_t find_time_ahead(const struct pcapng_reader *r, const uint8_t *at, const uint8_t *end)
{
    while (end - at >= 32) {
        uint32_t type = load32(r, at);
        uint64_t total = padded(load32(r, at + 4));
        if (total < FRAME_BYTES || total > (uint64_t)(end - at) || type == BLOCK_SECTION)
            break;
        if ((type == BLOCK_PACKET || type == BLOCK_PACKET_OLD) && total >= 32) {
            uint32_t number = type == BLOCK_PACKET ? load32(r, at + 8) : load16(r, at + 8);
            if (number < r->interface_count)
                return packet_time(&r->interfaces[number], load32(r, at + 12), load32(r, at + 16));
        }
        at += total;
    }
    return 0;
}

/* The enhanced and the obsolete block differ only in the interface's number. Returns 1: a
 * frame, 0: left out, -errno. */
static int read_packet(struct pcapng_reader *r, const uint8_t *block, uint32_t total,
                       uint32_t number, struct frame *f, struct fault *fault)
{
    uint32_t caplen = load32(r, block + 20), wire_len = load32(r, block + 24);
    if (number >= r->interface_count)
        return fault_set(fault, EBADMSG, "a packet of interface %u, of which the section has %u",
                         number, r->interface_count);
    if (caplen > PCAP_CAPLEN_MAX)
        return fault_set(fault, EBADMSG, "a packet has an impossible length: %u bytes", caplen);
    uint64_t options = 28 + padded(caplen);
    if (options + 4 > total)
        return fault_set(fault, EBADMSG, "a block of %u bytes can't hold a packet of %u", total,
                         caplen);
    if (options + 4 < total) {
        int rc = read_options(r, block + options, block + total - 4, NULL, fault);
        if (rc)
            return rc;
    }
    struct pcapng_interface *face = &r->interfaces[number];
    if (!face->is_supported) {
        face->refused++;
        r->packets++;
        return 0;
    }
    fill_frame(f, face, block + 28, caplen, wire_len);
    f->ts_ns = packet_time(face, load32(r, block + 12), load32(r, block + 16));
    return 1;
}

static int read_simple(struct pcapng_reader *r, const uint8_t *block, uint32_t total,
                       struct frame *f, struct fault *fault)
{
    uint32_t wire_len = load32(r, block + 8);
    if (!r->interface_count)
        return fault_set(fault, EBADMSG, "a simple packet block before any interface");
    struct pcapng_interface *face = &r->interfaces[0];
    uint32_t caplen = face->snaplen && face->snaplen < wire_len ? face->snaplen : wire_len;
    if (caplen > PCAP_CAPLEN_MAX)
        return fault_set(fault, EBADMSG, "a packet has an impossible length: %u bytes", caplen);
    if (padded(caplen) + 16 != total)
        return fault_set(fault, EBADMSG, "a block of %u bytes can't hold a simple packet of %u",
                         total, caplen);
    if (!face->is_supported) {
        face->refused++;
        r->packets++;
        return 0;
    }
    fill_frame(f, face, block + 12, caplen, wire_len);
    f->ts_ns = 0;
    return 1;
}

/* Gives a simple packet its time; `before` is NULL where the burst has none. */
static void time_simple(struct pcapng_reader *r, const uint8_t *block, const uint8_t *end,
                        const struct frame *before, struct frame *f)
{
    if (before) {
        f->ts_ns = before->ts_ns;
        return;
    }
    if (!r->has_last && !r->looked_ahead) {
        r->looked_ahead = true;
        r->last_ns = find_time_ahead(r, block, end);
    }
    f->ts_ns = r->last_ns;
}

/* Blocks. */

/* What stands at `at`. 1: a whole block of *total bytes, 0: more bytes are needed, -errno. */
static int find_block(struct pcapng_reader *r, const uint8_t *at, const uint8_t *end,
                      uint32_t *type, uint32_t *total, struct fault *fault)
{
    size_t have = (size_t)(end - at);
    if (have < FRAME_BYTES)
        return 0;
    *type = load32(r, at);
    if (*type == BLOCK_SECTION) { /* its byte order may be another one */
        uint32_t order = load32(r, at + 8);
        if (order != ORDER_MAGIC && __builtin_bswap32(order) != ORDER_MAGIC)
            return fault_set(fault, EBADMSG, "byte-order magic 0x%08x of a section", order);
        r->swapped ^= order != ORDER_MAGIC;
    } else if (!r->in_section) {
        return fault_set(fault, EBADMSG, "a block outside of any section");
    }
    uint32_t stated = load32(r, at + 4);
    uint64_t whole = padded(stated);
    const struct block_kind *kind = find_kind(*type);
    if (stated < kind->least)
        return fault_set(fault, EBADMSG, "a block of %u bytes; the least of a%s %s is %u", stated,
                         strchr("aeiou", kind->name[0]) ? "n" : "", kind->name, kind->least);
    if (!kind->is_read) {
        r->skip_total = stated;
        r->skip_left = whole;
        return 1;
    }
    if (whole > WHOLE_MAX)
        return fault_set(fault, EBADMSG, "a%s %s of %u bytes",
                         strchr("aeiou", kind->name[0]) ? "n" : "", kind->name, stated);
    if (whole > have)
        return 0;
    *total = (uint32_t)whole;
    uint32_t again = load32(r, at + whole - 4);
    if (padded(again) != whole)
        return fault_set(fault, EBADMSG, "a block's two lengths differ: %u and %u", stated, again);
    return 1;
}

/* Goes on with the block being skipped, as far as the span goes. */
static int skip_block(struct pcapng_reader *r, const uint8_t **at, const uint8_t *end,
                      struct fault *fault)
{
    size_t have = (size_t)(end - *at);
    uint64_t body = r->skip_left - 4;
    size_t step = body < have ? (size_t)body : have;
    *at += step;
    r->skip_left -= step;
    if (r->skip_left > 4 || have - step < 4)
        return 0;
    uint32_t again = load32(r, *at);
    if (padded(again) != padded(r->skip_total))
        return fault_set(fault, EBADMSG, "a block's two lengths differ: %u and %u", r->skip_total,
                         again);
    *at += 4;
    r->skip_left = 0;
    r->skip_total = 0;
    return 1;
}

/* Reads the whole block at `at`. 1: a frame, 0: none, -errno. */
static int read_block(struct pcapng_reader *r, const uint8_t *at, const uint8_t *end, uint32_t type,
                      uint32_t total, uint64_t offset, const struct frame *before, struct frame *f,
                      struct fault *fault)
{
    int rc;
    switch (type) {
    case BLOCK_PACKET:
        return read_packet(r, at, total, load32(r, at + 8), f, fault);
    case BLOCK_PACKET_OLD:
        return read_packet(r, at, total, load16(r, at + 8), f, fault);
    case BLOCK_PACKET_SIMPLE:
        rc = read_simple(r, at, total, f, fault);
        if (rc == 1)
            time_simple(r, at, end, before, f);
        return rc;
    case BLOCK_SECTION:
        return begin_section(r, at, total, fault);
    default:
        return add_interface(r, at, total, offset, fault);
    }
}

/* The usual block: a packet without options, whole in the span, of a supported interface. Gives its
 * frame and the block's length; 0: it is none, the long way judges it. */
static inline size_t read_usual(const struct pcapng_reader *r, const uint8_t *block, size_t have,
                                struct frame *f)
{
    if (have < 32 || load32(r, block) != BLOCK_PACKET)
        return 0;
    uint32_t number = load32(r, block + 8), caplen = load32(r, block + 20);
    if (number >= r->interface_count || caplen > PCAP_CAPLEN_MAX)
        return 0;
    const struct pcapng_interface *face = &r->interfaces[number];
    uint32_t total = 32 + (uint32_t)padded(caplen), wire_len = load32(r, block + 24);
    if (load32(r, block + 4) != total || total > have || load32(r, block + total - 4) != total ||
        !face->is_supported)
        return 0;
    fill_frame(f, face, block + 28, caplen, wire_len);
    f->ts_ns = packet_time(face, load32(r, block + 12), load32(r, block + 16));
    return total;
}

size_t pcapng_reader_burst(struct pcapng_reader *r, const uint8_t **at, const uint8_t *end,
                           struct frame *frames, size_t max, struct fault *fault)
{
    const uint8_t *begin = *at, *p = begin;
    struct fault found = {0};
    size_t n = 0;
    while (n < max) {
        size_t usual = r->skip_left ? 0 : read_usual(r, p, (size_t)(end - p), &frames[n]);
        if (usual) {
            p += usual;
            n++;
            continue;
        }
        uint32_t type = 0, total = 0;
        int rc = 1;
        if (!r->skip_left)
            rc = find_block(r, p, end, &type, &total, &found);
        if (rc <= 0)
            break;
        if (r->skip_left) {
            if (skip_block(r, &p, end, &found) <= 0)
                break;
            continue;
        }
        uint64_t offset = r->offset + (uint64_t)(p - begin);
        rc = read_block(r, p, end, type, total, offset, n ? &frames[n - 1] : NULL, &frames[n],
                        &found);
        if (rc < 0)
            break;
        n += (size_t)rc;
        p += total;
    }
    /* Damage behind frames is met again by the next call. */
    if (n == 0 && found.err && fault)
        *fault = found;
    if (n) {
        r->last_ns = frames[n - 1].ts_ns;
        r->has_last = true;
    }
    r->packets += n;
    r->offset += (uint64_t)(p - begin);
    *at = p;
    return n;
}

bool pcapng_reader_cut(const struct pcapng_reader *r, const uint8_t *at, const uint8_t *end,
                       struct fault *fault)
{
    size_t have = (size_t)(end - at);
    if (r->skip_left) {
        fault_set(fault, EBADMSG, "cut short in a block of %u bytes", r->skip_total);
        return false;
    }
    if (have == 0)
        return true;
    if (have < FRAME_BYTES)
        fault_set(fault, EBADMSG, "cut short in the header of a block: %zu bytes", have);
    else
        fault_set(fault, EBADMSG, "cut short in a block: %zu of %u bytes", have, load32(r, at + 4));
    return false;
}
