#include "capture/pcap_reader.h"

#include <errno.h>
#include <string.h>

enum {
    HEADER = 24,
    RECORD = 16,
    RECORD_PATCHED = 24,     /* + interface index, protocol, packet type */
    RECORD_PATCHED_SMP = 28, /* + the two processors */
    VERSION_END = 8,         /* magic and version: what tells a file header */
    LINK_TYPE_AT = 20,
    RECORDS_TO_JUDGE = 3,
    AHEAD = 512, /* bytes of records that are brought in ahead */
};

static const struct magic {
    uint32_t number;
    uint32_t fraction_ns;
    bool has_records_size; /* 4 more bytes of file header */
    bool is_patched;
} magics[] = {
    {0xa1b2c3d4, 1000, false, false}, {0xa1b23c4d, 1, false, false},
    {0xa1b2cd34, 1000, false, true},  {0x1c0001ac, 1, true, false},
    {0x1c0001ab, 1000, true, false},
};

static inline uint32_t load32(const uint8_t *p, bool swapped)
{
    uint32_t value;
    memcpy(&value, p, sizeof value);
    return swapped ? __builtin_bswap32(value) : value;
}

static uint16_t load16(const uint8_t *p, bool swapped)
{
    uint16_t value;
    memcpy(&value, p, sizeof value);
    return swapped ? __builtin_bswap16(value) : value;
}

static const struct magic *find_magic(const uint8_t *bytes, size_t len, bool *swapped)
{
    for (size_t i = 0; len >= 4 && i < sizeof magics / sizeof *magics; i++) {
        for (int swap = 0; swap < 2; swap++) {
            *swapped = swap;
            if (load32(bytes, swap) == magics[i].number)
                return &magics[i];
        }
    }
    return NULL;
}

/* Whether a file header stands where a record's is expected: one of today's magics, version 2.4.
 * Read as a record's they would be a time in 2055 or 2083. */
static bool begins_file(const uint8_t *bytes, size_t len)
{
    static const uint8_t versions[2][4] = {{2, 0, 4, 0}, {0, 2, 0, 4}};
    bool swapped;
    const struct magic *magic = len < VERSION_END ? NULL : find_magic(bytes, len, &swapped);
    if (magic != &magics[0] && magic != &magics[1])
        return false;
    bool is_big = bytes[0] == 0xa1;
    return memcmp(bytes + 4, versions[is_big], sizeof versions[0]) == 0;
}

bool pcap_reader_knows(const uint8_t *bytes, size_t len)
{
    bool swapped;
    return find_magic(bytes, len, &swapped) != NULL;
}

/* How many things are odd about the first records, read with this header size. */
static unsigned count_oddities(const uint8_t *at, const uint8_t *end, size_t header, bool swapped)
{
    unsigned oddities = 0;
    for (int i = 0; i < RECORDS_TO_JUDGE && at < end; i++) {
        if ((size_t)(end - at) < header)
            return oddities + 1;
        uint32_t fraction = load32(at + 4, swapped);
        uint32_t caplen = load32(at + 8, swapped), wire_len = load32(at + 12, swapped);
        oddities += fraction >= 1000000;
        oddities += caplen > wire_len;
        oddities += load32(at + 16, swapped) > 10000; /* interface index */
        oddities += at[22] > 4;                       /* packet type: to us ... outgoing */
        if (caplen > PCAP_CAPLEN_MAX)
            return oddities + 1;
        if ((size_t)(end - at) - header < caplen)
            return oddities;
        at += header + caplen;
    }
    return oddities;
}

static uint32_t judge_patched(const uint8_t *bytes, size_t len, bool swapped)
{
    const uint8_t *at = bytes + HEADER, *end = bytes + len;
    unsigned one = count_oddities(at, end, RECORD_PATCHED, swapped);
    unsigned smp = count_oddities(at, end, RECORD_PATCHED_SMP, swapped);
    return smp < one ? RECORD_PATCHED_SMP : RECORD_PATCHED;
}

/* AIX wrote 2.2 with nanoseconds and the interface's type (RFC 1573) for the link type. */
static void adopt_aix(struct pcap_reader *r)
{
    static const struct {
        uint32_t if_type, link_type;
    } types[] = {
        {6, 1}, {9, 6}, {15, 10}, {24, 0}, /* Ethernet, Token Ring, FDDI, loopback */
    };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (r->link_type == types[i].if_type) {
            r->link_type = types[i].link_type;
            r->fraction_ns = 1;
            return;
        }
    }
}

static int read_link_type(struct pcap_reader *r, uint32_t field, struct fault *fault)
{
    r->refused_at = LINK_TYPE_AT;
    if (field & 0x03ff0000)
        return fault_set(fault, ENOTSUP, "reserved bits are set in the link type 0x%08x", field);
    return filter_reads(r->filter, r->link_type, fault);
}

int pcap_reader_open(struct pcap_reader *r, struct filter *filter, const uint8_t *bytes, size_t len,
                     struct fault *fault)
{
    memset(r, 0, sizeof *r);
    r->filter = filter;
    const struct magic *magic = find_magic(bytes, len, &r->swapped);
    if (!magic)
        return fault_set(fault, EBADMSG, "is no pcap file");
    size_t header = magic->has_records_size ? PCAP_HEADER_MAX : HEADER;
    if (len < header)
        return fault_set(fault, EBADMSG, "cut short in the file header: %zu of %zu bytes", len,
                         header);
    unsigned major = load16(bytes + 4, r->swapped), minor = load16(bytes + 6, r->swapped);
    if (major < 2) {
        r->refused_at = 4;
        return fault_set(fault, ENOTSUP, "pcap version %u.%u is not supported", major, minor);
    }
    if ((major == 2 && minor < 3) || major == 543)
        r->lengths = LENGTHS_SWAPPED;
    else if (major == 2 && minor == 3)
        r->lengths = LENGTHS_MAYBE;
    r->fraction_ns = magic->fraction_ns;
    r->record_header = magic->is_patched ? judge_patched(bytes, len, r->swapped) : RECORD;
    uint32_t field = load32(bytes + LINK_TYPE_AT, r->swapped);
    r->link_type = field & 0xffff;
    if (magic == &magics[0] && major == 2 && minor == 2)
        adopt_aix(r);
    int rc = read_link_type(r, field, fault);
    return rc ? rc : (int)header;
}

/* A further capture joined to this one: its header counts from here on. *at moves behind it. */
static void adopt_joined(struct pcap_reader *r, const uint8_t **at, struct fault *fault)
{
    struct pcap_reader next;
    struct fault found;
    int header = pcap_reader_open(&next, r->filter, *at, HEADER, &found);
    if (header < 0) {
        fault_set(fault, found.err, "a further capture begins behind record %lu: %s",
                  (unsigned long)r->records, found.text);
        return;
    }
    next.records = r->records;
    *r = next;
    *at += header;
}

static void exchange_lengths(const struct pcap_reader *r, uint32_t *caplen, uint32_t *wire_len)
{
    if (r->lengths == LENGTHS_MAYBE && *caplen <= *wire_len)
        return;
    uint32_t kept = *caplen;
    *caplen = *wire_len;
    *wire_len = kept;
}

static void record_lengths(const struct pcap_reader *r, const uint8_t *record, uint32_t *caplen,
                           uint32_t *wire_len)
{
    *caplen = load32(record + 8, r->swapped);
    *wire_len = load32(record + 12, r->swapped);
    if (r->lengths != LENGTHS_NORMAL)
        exchange_lengths(r, caplen, wire_len);
}

/* What ends a burst beside its size and the span. */
enum stop { STOP_NONE, STOP_RECORD, STOP_JOINED };

/* The lengths of a record that are not of every day: more than a record may have, or nothing
 * caught, as the field in a file header's place says. */
static __attribute__((noinline, cold)) enum stop judge_rare(const uint8_t *p, size_t have,
                                                            uint32_t caplen)
{
    if (begins_file(p, have))
        return STOP_JOINED;
    return caplen ? STOP_RECORD : STOP_NONE;
}

/* The one loop; the caller's constants make an instance of it per kind of file. */
static inline __attribute__((always_inline)) size_t read_records(
    struct pcap_reader *r, const uint8_t **at, const uint8_t *end, struct frame *frames, size_t max,
    bool swapped, size_t header, bool exchanged, enum stop *stop)
{
    const uint8_t *p = *at;
    const uint64_t fraction_ns = r->fraction_ns;
    const uint32_t link_type = r->link_type;
    size_t n = 0;
    while (n < max && (size_t)(end - p) >= header) {
        /* Where the next record is stands in this one. What lies behind `end` is nobody's, and is not read. */
        __builtin_prefetch((const void *)((uintptr_t)p + AHEAD));
        __builtin_prefetch((const void *)((uintptr_t)p + AHEAD + 64));
        uint32_t caplen = load32(p + 8, swapped), wire_len = load32(p + 12, swapped);
        if (exchanged)
            exchange_lengths(r, &caplen, &wire_len);
        /* One comparison for both: 0 wraps around. */
        if (__builtin_expect(caplen - 1 >= PCAP_CAPLEN_MAX, 0) &&
            (*stop = judge_rare(p, (size_t)(end - p), caplen)))
            break;
        if ((size_t)(end - p) - header < caplen)
            break;
        struct frame *f = &frames[n++];
        f->data = p + header;
        /* Bytes that were not on the wire are not the packet's. */
        f->caplen = caplen < wire_len ? caplen : wire_len;
        f->wire_len = wire_len < PCAP_WIRE_LEN_MAX ? wire_len : PCAP_WIRE_LEN_MAX;
        f->ts_ns = (int64_t)(load32(p, swapped) * UINT64_C(1000000000) +
                             load32(p + 4, swapped) * fraction_ns);
        f->link_type = link_type;
        p += header + caplen;
    }
    r->records += n;
    *at = p;
    return n;
}

static size_t read_burst(struct pcap_reader *r, const uint8_t **at, const uint8_t *end,
                         struct frame *frames, size_t max, enum stop *stop)
{
    bool is_plain = r->record_header == RECORD && r->lengths == LENGTHS_NORMAL;
    if (is_plain && !r->swapped)
        return read_records(r, at, end, frames, max, false, RECORD, false, stop);
    if (is_plain)
        return read_records(r, at, end, frames, max, true, RECORD, false, stop);
    return read_records(r, at, end, frames, max, r->swapped, r->record_header,
                        r->lengths != LENGTHS_NORMAL, stop);
}

size_t pcap_reader_burst(struct pcap_reader *r, const uint8_t **at, const uint8_t *end,
                         struct frame *frames, size_t max, struct fault *fault)
{
    for (;;) {
        enum stop stop = STOP_NONE;
        size_t n = read_burst(r, at, end, frames, max, &stop);
        if (n || !stop) /* what stopped it behind frames is met again by the next call */
            return n;
        if (stop == STOP_RECORD) {
            uint32_t caplen = 0, wire_len;
            record_lengths(r, *at, &caplen, &wire_len);
            fault_set(fault, EBADMSG, "record %lu has an impossible length: %u bytes",
                      (unsigned long)(r->records + 1), caplen);
            return 0;
        }
        const uint8_t *header = *at;
        if (end - header >= HEADER)
            adopt_joined(r, at, fault);
        if (*at == header)
            return 0;
    }
}

void pcap_reader_cut(const struct pcap_reader *r, const uint8_t *at, const uint8_t *end,
                     struct fault *fault)
{
    size_t have = (size_t)(end - at), want = r->record_header;
    unsigned long record = (unsigned long)(r->records + 1);
    if (begins_file(at, have) && have < HEADER) {
        fault_set(fault, EBADMSG,
                  "cut short in the header of a further capture behind record %lu: %zu of %d bytes",
                  record - 1, have, HEADER);
        return;
    }
    if (have < want) {
        fault_set(fault, EBADMSG, "cut short in the header of record %lu: %zu of %zu bytes", record,
                  have, want);
        return;
    }
    uint32_t caplen, wire_len;
    record_lengths(r, at, &caplen, &wire_len);
    fault_set(fault, EBADMSG, "cut short in record %lu: %zu of %zu bytes", record, have,
              want + caplen);
}
