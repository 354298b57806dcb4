/* Source days to protobuf and back, by hand: a busy day has a hundred million of them.
 *
 * Written from the last byte to the first, so that every length is known when it is due; the fields stand in
 * the order of their numbers, as protobuf libraries write them. test/test_day_feed.py holds the bytes to
 * python3-protobuf's.
 */
#include "export/record_bytes.h"

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Numbers of SourceDay's fields. */
enum {
    F_date = 1,
    F_address,
    F_first_ns,
    F_lasted_ns,
    F_kind,
    F_kind_packets,
    F_kind_bytes,
    F_tool,
    F_tool_packets,
    F_syn_gap,
    F_syn_packets,
    F_data_gap,
    F_data_packets,
    F_udp_gap,
    F_udp_packets,
    F_evidence,
    F_evidence_ns,
    F_evidence_src_port,
    F_evidence_dst_port,
    F_origin,
    F_notes, /* one each: likely_spoofed, amplification_request, assessable */
    F_unlisted_ports = F_notes + 3,
    F_unlisted_evidence,
    F_reach,
    F_tcp_before_ns,
    F_tcp_ports,
    F_evidence_proto,
    F_COUNT
};
_Static_assert(NOTE_COUNT == F_unlisted_ports - F_notes, "each note has its field");
_Static_assert(KIND_COUNT == YAMISCOPE__KIND__KIND_OUTSIDE + 1, "enum Kind has every kind");
_Static_assert(TOOL_COUNT == YAMISCOPE__TOOL__TOOL_PROBE + 1, "enum Tool has every tool");
_Static_assert(SOURCE_REACH_MAX < 128, "a byte each");
_Static_assert(EVIDENCE_COUNT == YAMISCOPE__EVIDENCE_KIND__EVIDENCE_PAYLOAD + 1,
               "enum EvidenceKind has every evidence");

enum { WIRE_varint = 0, WIRE_fixed64 = 1, WIRE_bytes = 2, WIRE_fixed32 = 5 };

/* The three kinds whose ports are listed, and the fields of their columns. */
static const struct {
    uint8_t kind, gap, packets;
} port_fields[] = {
    {KIND_tcp_syn, F_syn_gap, F_syn_packets},
    {KIND_tcp_data, F_data_gap, F_data_packets},
    {KIND_udp, F_udp_gap, F_udp_packets},
};
enum { PORT_FIELDS = sizeof port_fields / sizeof port_fields[0] };

/* Writing, backwards: `at` is the first byte that is written. */

static uint8_t *back_varint(uint8_t *at, uint64_t value)
{
    at -= varint_size(value);
    varint_put(at, value);
    return at;
}

static uint8_t *back_tag(uint8_t *at, unsigned field, unsigned wire)
{
    return back_varint(at, (uint64_t)field << 3 | wire);
}

static uint8_t *back_number(uint8_t *at, unsigned field, uint64_t value)
{
    return value == 0 ? at : back_tag(back_varint(at, value), field, WIRE_varint);
}

static uint8_t *back_fixed64(uint8_t *at, unsigned field, int64_t value)
{
    if (value == 0)
        return at;
    uint64_t le = htole64((uint64_t)value);
    at -= sizeof le;
    memcpy(at, &le, sizeof le);
    return back_tag(at, field, WIRE_fixed64);
}

/* What stands between `at` and `end` becomes the field's content. */
static uint8_t *back_close(uint8_t *at, const uint8_t *end, unsigned field)
{
    return back_tag(back_varint(at, (uint64_t)(end - at)), field, WIRE_bytes);
}

static uint8_t *back_bytes(uint8_t *at, unsigned field, const void *bytes, size_t len)
{
    if (len == 0)
        return at;
    const uint8_t *end = at;
    at -= len;
    memcpy(at, bytes, len);
    return back_close(at, end, field);
}

/* Most are empty. */
static size_t text_len(const char *text)
{
    return text == NULL || text[0] == '\0' ? 0 : strlen(text);
}

static uint8_t *back_text(uint8_t *at, unsigned field, const char *text)
{
    return back_bytes(at, field, text, text_len(text));
}

static uint8_t *back_origin(uint8_t *at, const struct source_day_origin *o)
{
    const uint8_t *end = at;
    at = back_text(at, 5, o->as_name);
    at = back_number(at, 4, o->asn);
    at = back_text(at, 3, o->country);
    at = back_text(at, 2, o->bogon);
    at = back_text(at, 1, o->acknowledged);
    return at == end ? at : back_close(at, end, F_origin);
}

static uint8_t *back_evidence(uint8_t *at, const struct source_day *s)
{
    for (size_t i = s->evidence_count; i-- > 0;) {
        const struct source_day_evidence *row = &s->evidence[i];
        const uint8_t *end = at;
        at = back_number(at, 5, row->packets);
        at = back_number(at, 4, row->port);
        at = back_number(at, 3, row->kind);
        at = back_number(at, 2, row->evidence);
        at = back_text(at, 1, row->rule);
        at = back_close(at, end, F_evidence);
    }
    return at;
}

/* The two columns of a kind, whose rows are [first, last). */
static uint8_t *back_ports(uint8_t *at, const struct source_day_port *first,
                           const struct source_day_port *last, unsigned gap, unsigned packets)
{
    const uint8_t *end = at;
    if (first == last)
        return at;
    for (const struct source_day_port *row = last; row-- > first;)
        at = back_varint(at, row->packets);
    at = back_close(at, end, packets);
    end = at;
    for (const struct source_day_port *row = last; row-- > first;)
        at = back_varint(at, row == first ? row->port : (uint64_t)(row->port - row[-1].port));
    return back_close(at, end, gap);
}

static uint8_t *back_all_ports(uint8_t *at, const struct source_day *s)
{
    if (s->port_count == 0)
        return at;
    const struct source_day_port *last = s->ports + s->port_count;
    for (unsigned i = PORT_FIELDS; i-- > 0;) {
        const struct source_day_port *first = last;
        while (first > s->ports && first[-1].kind == port_fields[i].kind)
            first--;
        at = back_ports(at, first, last, port_fields[i].gap, port_fields[i].packets);
        last = first;
    }
    return at;
}

/* Columns of what has packets: numbers, packets and, where there is a third field, bytes. */
static uint8_t *back_kinds(uint8_t *at, const struct source_day *s)
{
    const uint8_t *end = at;
    for (unsigned i = KIND_COUNT; i-- > 0;)
        if (s->kinds[i].packets > 0)
            at = back_varint(at, s->kinds[i].bytes);
    at = at == end ? at : back_close(at, end, F_kind_bytes);
    end = at;
    for (unsigned i = KIND_COUNT; i-- > 0;)
        if (s->kinds[i].packets > 0)
            at = back_varint(at, s->kinds[i].packets);
    at = at == end ? at : back_close(at, end, F_kind_packets);
    end = at;
    for (unsigned i = KIND_COUNT; i-- > 0;)
        if (s->kinds[i].packets > 0)
            *--at = (uint8_t)i;
    return at == end ? at : back_close(at, end, F_kind);
}

static uint8_t *back_tools(uint8_t *at, const struct source_day *s)
{
    const uint8_t *end = at;
    for (unsigned i = TOOL_COUNT; i-- > 0;)
        if (s->tools[i] > 0)
            at = back_varint(at, s->tools[i]);
    at = at == end ? at : back_close(at, end, F_tool_packets);
    end = at;
    for (unsigned i = TOOL_COUNT; i-- > 0;)
        if (s->tools[i] > 0)
            *--at = (uint8_t)i;
    return at == end ? at : back_close(at, end, F_tool);
}

static uint64_t zigzag(int32_t value) { return (uint32_t)value << 1 ^ (uint32_t)(value >> 31); }

/* low, high of each; absent where nothing was counted. */
static uint8_t *back_reach(uint8_t *at, const struct source_day *s)
{
    static const struct source_reach none[REACH_COUNT];
    const uint8_t *end = at;
    if (memcmp(s->reach, none, sizeof none) == 0)
        return at;
    for (unsigned i = REACH_COUNT; i-- > 0;) {
        *--at = s->reach[i].high;
        *--at = s->reach[i].low;
    }
    return back_close(at, end, F_reach);
}

static uint8_t *back_source_day(uint8_t *at, const struct source_day *s)
{
    at = back_number(at, F_evidence_proto, s->evidence_proto);
    if (source_day_has_tcp(s)) {
        at = back_number(at, F_tcp_ports, (uint32_t)s->tcp_src_port << 16 | s->tcp_dst_port);
        at = back_number(at, F_tcp_before_ns, (uint64_t)s->last_ns - (uint64_t)s->tcp_ns);
    }
    at = back_reach(at, s);
    at = back_number(at, F_unlisted_evidence, s->unlisted_evidence);
    at = back_number(at, F_unlisted_ports, s->unlisted_ports);
    for (unsigned note = NOTE_COUNT; note-- > 0;)
        at = back_number(at, F_notes + note, s->notes[note]);
    at = back_origin(at, &s->origin);
    if (source_day_has_evidence(s)) {
        at = back_number(at, F_evidence_dst_port, s->evidence_dst_port);
        at = back_number(at, F_evidence_src_port, s->evidence_src_port);
        at = back_fixed64(at, F_evidence_ns, s->evidence_ns);
    }
    at = back_evidence(at, s);
    at = back_all_ports(at, s);
    at = back_tools(at, s);
    at = back_kinds(at, s);
    at = back_number(at, F_lasted_ns, (uint64_t)s->last_ns - (uint64_t)s->first_ns);
    at = back_fixed64(at, F_first_ns, s->first_ns);
    at = back_bytes(at, F_address, s->address, s->ip_version == 4 ? 4 : 16);
    return back_number(at, F_date, zigzag(s->date));
}

/* More bytes than a record of it can have. */
static size_t most_bytes(const struct source_day *s)
{
    enum { FIXED = 1024, PORT = 3 + 10, EVIDENCE = 48 };
    const struct source_day_origin *o = &s->origin;
    size_t most = FIXED + s->port_count * PORT + text_len(o->acknowledged) + text_len(o->bogon) +
                  text_len(o->as_name);
    for (size_t i = 0; i < s->evidence_count; i++)
        most += EVIDENCE + strlen(s->evidence[i].rule);
    return most;
}

enum { FRAME_MOST = 64 }; /* bytes around a body, and more */

/* What stands between `at` and `end` is a body: frames it, and moves it to where the buffer ends. Behind `end` is room for a crc. */
static void frame(struct record_buffer *b, uint64_t seq, uint32_t *crc, uint8_t *at, uint8_t *end)
{
    at = back_close(at, end, RECORD_source_day);
    at = back_number(at, 1, seq);
    *crc = record_crc(*crc, at, (size_t)(end - at));
    uint32_t crc_le = htole32(*crc);
    *end++ = RECORD_CRC_TAG;
    memcpy(end, &crc_le, sizeof crc_le);
    end += sizeof crc_le;
    at = back_varint(at, (uint64_t)(end - at));
    memmove(b->data + b->len, at, (size_t)(end - at));
    b->len += (size_t)(end - at);
}

int record_pack_source_day(struct record_buffer *b, uint64_t seq, uint32_t *crc,
                           const struct source_day *s)
{
    size_t most = most_bytes(s);
    if (most > RECORD_MAX)
        return -EMSGSIZE;
    if (record_reserve(b, most) != 0)
        return -ENOMEM;
    uint8_t *end = b->data + b->len + most - RECORD_CRC;
    frame(b, seq, crc, back_source_day(end, s), end);
    return 0;
}

int record_pack_source_day_again(struct record_buffer *b, uint64_t seq, uint32_t *crc,
                                 const uint8_t *body, size_t len)
{
    size_t most = FRAME_MOST + len;
    if (most > RECORD_MAX)
        return -EMSGSIZE;
    if (record_reserve(b, most) != 0)
        return -ENOMEM;
    uint8_t *end = b->data + b->len + most - RECORD_CRC;
    memcpy(end - len, body, len);
    frame(b, seq, crc, end - len, end);
    return 0;
}
