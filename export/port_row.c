#include "export/port_row.h"

#include "export/record_bytes.h"
#include "export/window.h"

#include <errno.h>
#include <string.h>

enum { WIRE_varint = 0, WIRE_fixed64 = 1, WIRE_bytes = 2, WIRE_fixed32 = 5 };
enum { F_proto = 1, F_gap = 2, F_categories = 9 };
enum { WINDOW_PORTS = 9, DAY_PORTS = 16, DAY_EXACT = 5, DAY_COMPLETE = 6, DAY_EX_ABSENT = 7 };

struct slice {
    const uint8_t *at, *end;
};

/* The next field: 1; 0: there is none; -EBADMSG. */
static int field_get(struct slice *in, unsigned *field, uint64_t *number, struct slice *bytes)
{
    uint64_t tag;
    *number = 0;
    *bytes = (struct slice){NULL, NULL};
    if (in->at == in->end)
        return 0;
    if (!varint_get(&in->at, in->end, &tag) || tag > UINT32_MAX || tag >> 3 == 0)
        return -EBADMSG;
    *field = (unsigned)(tag >> 3);
    size_t left = (size_t)(in->end - in->at), fixed = (tag & 7) == WIRE_fixed64 ? 8 : 4;
    switch (tag & 7) {
    case WIRE_varint:
        return varint_get(&in->at, in->end, number) ? 1 : -EBADMSG;
    case WIRE_bytes:
        if (!varint_get(&in->at, in->end, number) || *number > (uint64_t)(in->end - in->at))
            return -EBADMSG;
        *bytes = (struct slice){in->at, in->at + *number};
        in->at = bytes->end;
        return 1;
    case WIRE_fixed64:
    case WIRE_fixed32:
        if (left < fixed)
            return -EBADMSG;
        in->at += fixed;
        return 1;
    default:
        return -EBADMSG;
    }
}

/* Number of the row whose gaps add up to the port: 1; 0: there is none. */
static int row_number(struct slice gaps, uint16_t port, size_t *row)
{
    uint64_t at = 0, gap;
    for (*row = 0; gaps.at < gaps.end; ++*row) {
        if (!varint_get(&gaps.at, gaps.end, &gap) || gap > UINT16_MAX || (at += gap) > UINT16_MAX ||
            (gap == 0 && *row > 0))
            return -EBADMSG;
        if (at >= port)
            return at == port;
    }
    return 0;
}

static bool column_get(struct slice column, size_t row, uint64_t *value)
{
    for (; row > 0; row--) { /* each number ends with a byte below 128 */
        while (column.at < column.end && *column.at >= 0x80)
            column.at++;
        if (column.at == column.end)
            return false;
        column.at++;
    }
    return varint_get(&column.at, column.end, value);
}

/* Text number `index` of the table's categories. */
static bool category_get(struct slice table, uint64_t index, struct port_row *row)
{
    unsigned field;
    uint64_t number;
    struct slice bytes;
    while (field_get(&table, &field, &number, &bytes) > 0)
        if (field == F_categories && index-- == 0 && bytes.at != NULL) {
            row->category = (const char *)bytes.at;
            row->category_len = (size_t)(bytes.end - bytes.at);
            return true;
        }
    return false;
}

/* The row in one table. 1; 0: it is not there. */
static int table_find(struct port_row *row, struct slice table, uint16_t port, bool is_day)
{
    struct slice columns[PORT_ROW_COLUMNS] = {{NULL, NULL}}, in = table, bytes;
    unsigned field;
    uint64_t number;
    size_t index;
    int found;
    while ((found = field_get(&in, &field, &number, &bytes)) > 0)
        if (field < PORT_ROW_COLUMNS && field > F_proto && field != F_categories) {
            if (bytes.at == NULL || columns[field].at != NULL)
                return -EBADMSG;
            columns[field] = bytes;
        }
    if (found < 0 || (found = row_number(columns[F_gap], port, &index)) <= 0)
        return found;
    *row = (struct port_row){0};
    for (field = PORT_ROW_packets; field < PORT_ROW_COLUMNS; field++) {
        row->has[field] = columns[field].at != NULL && field != F_categories;
        if (row->has[field] && !column_get(columns[field], index, &row->column[field]))
            return -EBADMSG;
    }
    if (is_day && !category_get(table, row->column[PORT_ROW_day_category], row))
        return -EBADMSG;
    return row->has[PORT_ROW_packets] ? 1 : -EBADMSG;
}

static bool is_of(struct slice table, unsigned proto)
{
    const char *name = window_proto_name(proto);
    unsigned field;
    uint64_t number;
    struct slice bytes;
    while (field_get(&table, &field, &number, &bytes) > 0)
        if (field == F_proto)
            return bytes.at != NULL && (size_t)(bytes.end - bytes.at) == strlen(name) &&
                   memcmp(bytes.at, name, strlen(name)) == 0;
    return false;
}

static int body_find(struct port_row *row, struct slice in, unsigned wanted, unsigned proto,
                     uint16_t port)
{
    unsigned field;
    uint64_t number;
    struct slice bytes;
    int found;
    while ((found = field_get(&in, &field, &number, &bytes)) > 0)
        if (field == wanted && bytes.at != NULL && is_of(bytes, proto))
            return table_find(row, bytes, port, wanted == DAY_PORTS);
    return found;
}

int port_row_of_window(struct port_row *row, const uint8_t *body, size_t len, unsigned proto,
                       uint16_t port)
{
    return body_find(row, (struct slice){body, body + len}, WINDOW_PORTS, proto, port);
}

int port_row_of_day(struct port_row *row, const uint8_t *body, size_t len, unsigned proto,
                    uint16_t port)
{
    return body_find(row, (struct slice){body, body + len}, DAY_PORTS, proto, port);
}

bool port_row_day(struct port_row_day *d, const uint8_t *body, size_t len)
{
    struct slice in = {body, body + len}, bytes;
    unsigned field;
    uint64_t number;
    int found;
    *d = (struct port_row_day){.has_ex = true};
    while ((found = field_get(&in, &field, &number, &bytes)) > 0) {
        d->is_exact |= field == DAY_EXACT && number != 0;
        d->is_complete |= field == DAY_COMPLETE && number != 0;
        d->has_ex &= field != DAY_EX_ABSENT || number == 0;
    }
    return found == 0;
}
