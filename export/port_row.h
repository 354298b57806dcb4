/* port_row: the row of one port out of a Window or a Day, without unpacking the rest.
 *
 * A look-up of a port goes through thousands of records of which it wants some ten numbers each. The bytes are a stranger's: what is no
 * table of equal columns is refused, nothing else of the record is looked at. Pure.
 */
#ifndef EXPORT_PORT_ROW_H
#define EXPORT_PORT_ROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PORT_ROW_COLUMNS = 12 };

/* By the numbers of the fields in PortTable and DayPorts; 0 where a column is absent. */
struct port_row {
    uint64_t column[PORT_ROW_COLUMNS];
    bool has[PORT_ROW_COLUMNS];
    const char *category; /* of DayPorts: in the body, category_len bytes */
    size_t category_len;
};

enum {
    PORT_ROW_packets = 3,
    /* Of PortTable. */
    PORT_ROW_bytes = 4,
    PORT_ROW_syn,
    PORT_ROW_scan,
    PORT_ROW_sources,
    PORT_ROW_sources_high,
    /* Of DayPorts. */
    PORT_ROW_day_packets_ex = 4,
    PORT_ROW_day_sources,
    PORT_ROW_day_sources_ex,
    PORT_ROW_day_category = 10,
    PORT_ROW_day_iot,
};

/* Of a Window's body, of a Day's. 1; 0: the port had no packets; -EBADMSG. */
int port_row_of_window(struct port_row *row, const uint8_t *body, size_t len, unsigned proto,
                       uint16_t port);
int port_row_of_day(struct port_row *row, const uint8_t *body, size_t len, unsigned proto,
                    uint16_t port);

/* What else a Day says at its top. False: it is no Day. */
struct port_row_day {
    bool is_exact, is_complete, has_ex;
};
bool port_row_day(struct port_row_day *d, const uint8_t *body, size_t len);

#endif
