/* Source days from protobuf, by hand; the bytes are a stranger's. */
#include "export/record_bytes.h"

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* Fields of SourceDay as record_source_day.c has them. */
enum { FIELDS = 30, FIELD_EVIDENCE = 16 };
enum { WIRE_varint = 0, WIRE_fixed64 = 1, WIRE_bytes = 2, WIRE_fixed32 = 5 };

struct slice {
    const uint8_t *at, *end;
};

/* The fields of a message, each at most once but evidence, by number. */
struct fields {
    uint64_t number[FIELDS];
    struct slice bytes[FIELDS];
    size_t evidence_count;
    size_t evidence_bytes;
};

static const uint8_t wires[FIELDS] = {
    [2] = WIRE_bytes,  [3] = WIRE_fixed64, [5] = WIRE_bytes,    [6] = WIRE_bytes,
    [7] = WIRE_bytes,  [8] = WIRE_bytes,   [9] = WIRE_bytes,    [10] = WIRE_bytes,
    [11] = WIRE_bytes, [12] = WIRE_bytes,  [13] = WIRE_bytes,   [14] = WIRE_bytes,
    [15] = WIRE_bytes, [16] = WIRE_bytes,  [17] = WIRE_fixed64, [20] = WIRE_bytes,
    [26] = WIRE_bytes,
};

static int refuse(struct fault *fault, const char *what)
{
    return fault_set(fault, EBADMSG, "source day: %s", what);
}

static bool slice_get(struct slice *in, struct slice *out)
{
    uint64_t len;
    if (!varint_get(&in->at, in->end, &len) || len > (uint64_t)(in->end - in->at))
        return false;
    *out = (struct slice){in->at, in->at + len};
    in->at += len;
    return true;
}

static bool fixed64_get(struct slice *in, uint64_t *value)
{
    if (in->end - in->at < 8)
        return false;
    memcpy(value, in->at, sizeof *value);
    *value = le64toh(*value);
    in->at += sizeof *value;
    return true;
}

/* The value of one field, whatever it is. */
static bool value_get(struct slice *in, unsigned wire, uint64_t *number, struct slice *bytes)
{
    switch (wire) {
    case WIRE_varint:
        return varint_get(&in->at, in->end, number);
    case WIRE_fixed64:
        return fixed64_get(in, number);
    case WIRE_bytes:
        return slice_get(in, bytes);
    case WIRE_fixed32:
        if (in->end - in->at < 4)
            return false;
        in->at += 4;
        return true;
    default:
        return false;
    }
}

/* Fields in the order of their numbers, as they are written; later versions may add further ones. */
static bool fields_read(struct fields *f, struct slice in)
{
    uint64_t last = 0;
    while (in.at < in.end) {
        uint64_t tag, number = 0;
        struct slice bytes = {NULL, NULL};
        if (!varint_get(&in.at, in.end, &tag) || tag > UINT32_MAX)
            return false;
        uint64_t field = tag >> 3;
        if (field < last || (field == last && field != FIELD_EVIDENCE && field < FIELDS) ||
            field == 0 || (field < FIELDS && (tag & 7) != wires[field]) ||
            !value_get(&in, tag & 7, &number, &bytes))
            return false;
        last = field;
        if (field >= FIELDS)
            continue;
        if (field != FIELD_EVIDENCE) {
            f->number[field] = number;
            f->bytes[field] = bytes;
            continue;
        }
        if (f->evidence_count == 0) {
            f->bytes[field].at = bytes.at;
            f->number[field] = (uint64_t)(bytes.end - bytes.at);
        }
        f->bytes[field].end =
            bytes.end; /* of all of them: from the first's content to the last's end */
        f->evidence_count++;
        f->evidence_bytes += (size_t)(bytes.end - bytes.at);
    }
    return true;
}

/* How many varints a column has: each ends with a byte below 128. */
static size_t column_len(const struct slice *column)
{
    size_t len = 0;
    for (const uint8_t *at = column->at; at < column->end; at++)
        len += *at < 0x80;
    return len;
}

/* The rows of one kind; false: they don't hold. Returns the rows behind them in *rows. */
static bool ports_read(struct source_day_port **rows, unsigned kind, struct slice gaps,
                       struct slice packets)
{
    uint64_t port = 0, gap, value;
    bool is_first = true;
    while (gaps.at < gaps.end) {
        if (!varint_get(&gaps.at, gaps.end, &gap) ||
            !varint_get(&packets.at, packets.end, &value) || (gap == 0 && !is_first) ||
            gap > UINT16_MAX || (port += gap) > UINT16_MAX)
            return false;
        *(*rows)++ = (struct source_day_port){(uint8_t)kind, (uint16_t)port, value};
        is_first = false;
    }
    return packets.at == packets.end;
}

/* A column of numbers below `end`, ascending, with one or two columns of counts. */
static bool counts_read(struct slice numbers, struct slice first, struct slice second,
                        bool has_second, unsigned end, uint64_t *into, size_t stride)
{
    uint64_t number, next = 0;
    while (numbers.at < numbers.end) {
        if (!varint_get(&numbers.at, numbers.end, &number) || number < next || number >= end)
            return false;
        uint64_t *to = into + number * stride;
        if (!varint_get(&first.at, first.end, &to[0]) || to[0] == 0 ||
            (has_second && !varint_get(&second.at, second.end, &to[1])))
            return false;
        next = number + 1;
    }
    return first.at == first.end && second.at == second.end;
}

static bool text_read(struct source_day_buffer *b, struct slice bytes, const char **out)
{
    size_t len = (size_t)(bytes.end - bytes.at);
    if (len == 0) {
        *out = "";
        return true;
    }
    if (len > SOURCE_DAY_TEXT_MAX || memchr(bytes.at, 0, len) != NULL)
        return false;
    *out = source_day_buffer_text(b, (const char *)bytes.at, len);
    return true;
}

/* A small message: texts and numbers by field, which ascend. */
enum { SMALL_FIELDS = 6 };
struct small {
    struct slice text[SMALL_FIELDS];
    uint64_t number[SMALL_FIELDS];
};

static bool small_read(struct small *m, struct slice in, uint32_t text_fields)
{
    uint64_t last = 0;
    *m = (struct small){0};
    while (in.at < in.end) {
        uint64_t tag, number = 0;
        struct slice bytes = {NULL, NULL};
        if (!varint_get(&in.at, in.end, &tag) || tag >> 3 <= last ||
            !value_get(&in, tag & 7, &number, &bytes))
            return false;
        last = tag >> 3;
        if (last >= SMALL_FIELDS)
            continue;
        if ((tag & 7) != (text_fields >> last & 1 ? WIRE_bytes : WIRE_varint))
            return false;
        m->text[last] = bytes;
        m->number[last] = number;
    }
    return true;
}

static bool evidence_read(struct source_day_buffer *b, const struct fields *f)
{
    struct source_day_evidence *rows = b->space[1 - b->used].evidence;
    struct slice all = f->bytes[FIELD_EVIDENCE], bytes = all;
    uint64_t tag;
    struct small m;
    for (size_t i = 0; i < f->evidence_count; i++) {
        if (i ==
            0) { /* the slice begins at the first one's content, whose length is what stands before */
            bytes.end = bytes.at + f->number[FIELD_EVIDENCE];
        } else if (!varint_get(&all.at, all.end, &tag) || !slice_get(&all, &bytes)) {
            return false;
        }
        all.at = bytes.end;
        if (!small_read(&m, bytes, 1u << 1) || m.number[2] >= EVIDENCE_COUNT ||
            m.number[3] >= KIND_COUNT || m.number[4] > UINT16_MAX ||
            !text_read(b, m.text[1], &rows[i].rule))
            return false;
        rows[i].evidence = (uint8_t)m.number[2];
        rows[i].kind = (uint8_t)m.number[3];
        rows[i].port = (uint16_t)m.number[4];
        rows[i].packets = m.number[5];
    }
    return true;
}

static bool origin_read(struct source_day_buffer *b, struct slice in, struct source_day_origin *o)
{
    struct small m;
    if (!small_read(&m, in, 1u << 1 | 1u << 2 | 1u << 3 | 1u << 5) || m.number[4] > UINT32_MAX ||
        !text_read(b, m.text[1], &o->acknowledged) || !text_read(b, m.text[2], &o->bogon) ||
        !text_read(b, m.text[5], &o->as_name))
        return false;
    size_t len = (size_t)(m.text[3].end - m.text[3].at);
    if (len != 0 && len != sizeof o->country - 1)
        return false;
    if (len != 0)
        memcpy(o->country, m.text[3].at, len);
    o->asn = (uint32_t)m.number[4];
    return true;
}

static bool rest_read(const struct fields *f, struct source_day *s)
{
    uint64_t date = f->number[1];
    size_t address = (size_t)(f->bytes[2].end - f->bytes[2].at);
    int64_t lasted;
    if (date > UINT32_MAX || (address != 4 && address != 16))
        return false;
    s->date = (int32_t)((uint32_t)date >> 1 ^ -((uint32_t)date & 1));
    s->ip_version = address == 4 ? 4 : 6;
    memcpy(s->address, f->bytes[2].at, address);
    s->first_ns = (int64_t)f->number[3];
    s->last_ns = (int64_t)(f->number[3] + f->number[4]);
    if (s->last_ns < s->first_ns || __builtin_sub_overflow(s->last_ns, s->first_ns, &lasted))
        return false;
    s->evidence_ns = (int64_t)f->number[17];
    if (f->number[18] > UINT16_MAX || f->number[19] > UINT16_MAX)
        return false;
    s->evidence_src_port = (uint16_t)f->number[18];
    s->evidence_dst_port = (uint16_t)f->number[19];
    for (unsigned note = 0; note < NOTE_COUNT; note++)
        s->notes[note] = f->number[21 + note];
    s->unlisted_ports = f->number[24];
    s->unlisted_evidence = f->number[25];
    return true;
}

/* How many addresses were reached, the last packet over TCP. Behind rest_read. */
static bool tcp_read(const struct fields *f, struct source_day *s)
{
    const struct slice *reach = &f->bytes[26];
    if (reach->at != reach->end) {
        if (reach->end - reach->at != 2 * REACH_COUNT)
            return false;
        for (unsigned i = 0; i < REACH_COUNT; i++)
            s->reach[i] = (struct source_reach){reach->at[2 * i], reach->at[2 * i + 1]};
    }
    if (f->number[28] > UINT32_MAX || f->number[29] >= SOURCE_DAY_PROTOS)
        return false;
    s->evidence_proto = (uint8_t)f->number[29];
    s->tcp_src_port = (uint16_t)(f->number[28] >> 16);
    s->tcp_dst_port = (uint16_t)f->number[28];
    if (!source_day_has_tcp(s))
        return f->number[27] == 0;
    if (f->number[27] > (uint64_t)s->last_ns - (uint64_t)s->first_ns)
        return false;
    s->tcp_ns = (int64_t)((uint64_t)s->last_ns - f->number[27]);
    return true;
}

int record_unpack_source_day(struct source_day_buffer *b, const uint8_t *body, size_t len,
                             struct fault *fault)
{
    struct fields f = {0};
    struct source_day s = {0};
    char why[160];

    if (!fields_read(&f, (struct slice){body, body + len}))
        return refuse(fault, "its fields are no message, or out of order");
    size_t ports = column_len(&f.bytes[10]) + column_len(&f.bytes[12]) + column_len(&f.bytes[14]);
    size_t text =
        f.evidence_bytes + f.evidence_count + 3 + (size_t)(f.bytes[20].end - f.bytes[20].at);
    if (ports > SOURCE_DAY_PORTS_MAX || f.evidence_count > SOURCE_DAY_EVIDENCE_MAX)
        return refuse(fault, "more rows than there can be");
    if (source_day_buffer_reserve(b, ports, f.evidence_count, text) != 0)
        return fault_set(fault, ENOMEM, "no memory for a source day");

    struct source_day_port *row = b->space[1 - b->used].ports;
    if (!ports_read(&row, KIND_tcp_syn, f.bytes[10], f.bytes[11]) ||
        !ports_read(&row, KIND_tcp_data, f.bytes[12], f.bytes[13]) ||
        !ports_read(&row, KIND_udp, f.bytes[14], f.bytes[15]))
        return refuse(fault, "its ports are no columns of one length, or out of order");
    if (!counts_read(f.bytes[5], f.bytes[6], f.bytes[7], true, KIND_COUNT, &s.kinds[0].packets,
                     sizeof s.kinds[0] / sizeof(uint64_t)) ||
        !counts_read(f.bytes[8], f.bytes[9], (struct slice){NULL, NULL}, false, TOOL_COUNT, s.tools,
                     1))
        return refuse(fault, "its kinds or tools are no columns of one length, or out of order");
    if (!rest_read(&f, &s) || !tcp_read(&f, &s))
        return refuse(fault, "a number or the address is out of range");
    if (!evidence_read(b, &f) || !origin_read(b, f.bytes[20], &s.origin))
        return refuse(fault, "its evidence or origin is out of range");
    s.port_count = ports;
    s.evidence_count = f.evidence_count;
    s.ports = b->space[1 - b->used].ports;
    s.evidence = b->space[1 - b->used].evidence;
    if (!source_day_holds(&s, why, sizeof why))
        return refuse(fault, why);
    b->day = s;
    source_day_buffer_turn(b);
    return 0;
}
