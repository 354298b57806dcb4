/* record_ports: the port tables of a window, as bytes of its record.
 *
 * A window may have 131,072 rows, which protobuf-c would put down number by number, twice over. Here each column is written while rows
 * are read, and goes into the Window message as a field that protobuf-c copies (PortTable in yamiscope.proto). Fields that protobuf-c
 * does not know stand behind all others of a message, which no reader minds.
 */
#ifndef EXPORT_RECORD_PORTS_H
#define EXPORT_RECORD_PORTS_H

#include "export/window.h"

#include <protobuf-c/protobuf-c.h>

struct
    record_ports; /* what is written last, and room for it: 10 MB of addresses, touched as far as there are rows */

struct record_ports *record_ports_create(void);    /* NULL: no memory */
void record_ports_destroy(struct record_ports *p); /* accepts NULL */

/* Writes a window's tables, one field for each protocol with rows; returns how many there are, or -ENOMEM. What they point to is
 * valid until the next call. */
int record_ports_write(struct record_ports *p, const struct window *w,
                       ProtobufCMessageUnknownField fields[PORT_PROTO_COUNT]);

#endif
