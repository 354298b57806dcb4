#include "export/record_ports.h"

#include "export/record_bytes.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { WINDOW_PORTS = 9 }; /* field of Window */

enum { ROWS_AHEAD = 12 };

/* By the fields of PortTable, from GAP on. */
enum column { GAP, PACKETS, BYTES, SYN, SCAN, SOURCES, SOURCES_HIGH, COLUMNS };
enum { PROTO_FIELD = 1, GAP_FIELD = 2 };

struct record_ports {
    uint64_t bits[WINDOW_PORT_WORDS];
    uint16_t ports[65536]; /* with rows, ascending */
    uint8_t column[COLUMNS][65536 * VARINT_MOST];
    size_t len[COLUMNS];
    uint8_t *table[PORT_PROTO_COUNT]; /* length, and the message */
    size_t room[PORT_PROTO_COUNT];
};

struct record_ports *record_ports_create(void) { return calloc(1, sizeof(struct record_ports)); }

void record_ports_destroy(struct record_ports *p)
{
    for (unsigned proto = 0; p != NULL && proto < PORT_PROTO_COUNT; proto++)
        free(p->table[proto]);
    free(p);
}

/* varint_put(), which writes 4 bytes of room. Most counts are below 2^28, of one byte to four by chance: no branch tells which. */
static inline uint8_t *count_put(uint8_t *at, uint64_t value)
{
    if (__builtin_expect(value >> 28 != 0, 0))
        return at + varint_put(at, value);
    uint32_t v = (uint32_t)value, top = 31 - (uint32_t)__builtin_clz(v | 1);
    uint32_t more = top * 37 >> 8; /* top / 7 */
    uint32_t bytes = (v & 0x7f) | (v & 0x3f80) << 1 | (v & 0x1fc000) << 2 | (v & 0xfe00000) << 3;
    bytes = htole32(bytes | (0x00808080 & ((UINT32_C(1) << 8 * more) - 1)));
    memcpy(at, &bytes, sizeof bytes);
    return at + more + 1;
}

static uint32_t ports_list(struct record_ports *p, const struct window *w, unsigned proto)
{
    uint32_t count = 0;
    window_port_bits(w, proto, p->bits);
    for (uint32_t word = 0; word < WINDOW_PORT_WORDS; word++)
        for (uint64_t left = p->bits[word]; left != 0; left &= left - 1)
            p->ports[count++] = (uint16_t)(word * 64 + (uint32_t)__builtin_ctzll(left));
    return count;
}

/* Writes all columns but that of the upper bounds; whether one differs from its lower bound. */
static bool columns_write(struct record_ports *p, const struct window *w, unsigned proto,
                          uint32_t count)
{
    const struct port_count *rows = w->ports[proto];
    const uint16_t *row_of = w->port_row[proto];
    uint8_t *at[COLUMNS];
    uint32_t before = 0;
    bool is_merged = false;
    for (unsigned c = 0; c < COLUMNS; c++)
        at[c] = p->column[c];
    for (uint32_t i = 0; i < count; i++) {
        if (i + ROWS_AHEAD < count)
            __builtin_prefetch(&rows[row_of[p->ports[i + ROWS_AHEAD]]]);
        const struct port_count *row = &rows[row_of[p->ports[i]]];
        at[GAP] = count_put(at[GAP], p->ports[i] - before);
        at[PACKETS] = count_put(at[PACKETS], row->packets);
        at[BYTES] = count_put(at[BYTES], row->bytes);
        at[SYN] = count_put(at[SYN], row->syn);
        at[SCAN] = count_put(at[SCAN], row->scan);
        at[SOURCES] = count_put(at[SOURCES], row->sources.low);
        is_merged |= row->sources.low != row->sources.high;
        before = p->ports[i];
    }
    for (unsigned c = 0; c < COLUMNS; c++)
        p->len[c] = (size_t)(at[c] - p->column[c]);
    if (proto != PORT_PROTO_TCP)
        p->len[SYN] = 0;
    return is_merged;
}

static void high_write(struct record_ports *p, const struct window *w, unsigned proto,
                       uint32_t count)
{
    uint8_t *at = p->column[SOURCES_HIGH];
    for (uint32_t i = 0; i < count; i++)
        at = count_put(at, w->ports[proto][w->port_row[proto][p->ports[i]]].sources.high);
    p->len[SOURCES_HIGH] = (size_t)(at - p->column[SOURCES_HIGH]);
}

/* The columns as one message, its length ahead; its bytes, or 0: no memory. */
static size_t table_write(struct record_ports *p, unsigned proto)
{
    const char *name = window_proto_name(proto);
    size_t name_len = strlen(name), body = 2 + name_len;
    for (unsigned c = 0; c < COLUMNS; c++)
        body += p->len[c] > 0 ? 1 + varint_size(p->len[c]) + p->len[c] : 0;
    if (p->room[proto] < VARINT_MOST + body) {
        free(p->table[proto]);
        p->room[proto] = 0;
        p->table[proto] = malloc(2 * (VARINT_MOST + body));
        if (p->table[proto] == NULL)
            return 0;
        p->room[proto] = 2 * (VARINT_MOST + body);
    }
    uint8_t *at = p->table[proto];
    at += varint_put(at, body);
    at = bytes_put(at, PROTO_FIELD, name, name_len);
    for (unsigned c = 0; c < COLUMNS; c++)
        at = bytes_put(at, GAP_FIELD + c, p->column[c], p->len[c]);
    return (size_t)(at - p->table[proto]);
}

int record_ports_write(struct record_ports *p, const struct window *w,
                       ProtobufCMessageUnknownField fields[PORT_PROTO_COUNT])
{
    int written = 0;
    for (unsigned proto = 0; proto < PORT_PROTO_COUNT; proto++) {
        if (w->port_used[proto] == 0)
            continue;
        uint32_t count = ports_list(p, w, proto);
        if (columns_write(p, w, proto, count))
            high_write(p, w, proto, count);
        size_t len = table_write(p, proto);
        if (len == 0)
            return -ENOMEM;
        fields[written++] = (ProtobufCMessageUnknownField){
            .tag = WINDOW_PORTS,
            .wire_type = PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED,
            .len = len,
            .data = p->table[proto],
        };
    }
    return written;
}
