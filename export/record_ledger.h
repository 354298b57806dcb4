/* record_ledger: a Ledger message to and from the plain values. Nobody but the record files includes it. */
#ifndef EXPORT_RECORD_LEDGER_H
#define EXPORT_RECORD_LEDGER_H

#include "export/ledger.h"
#include "export/yamiscope.pb-c.h"

/* The message and what it points to. */
struct ledger_message {
    Yamiscope__Ledger of;
    Yamiscope__Drop unknown[DROP_COUNT];
};

void ledger_pack(struct ledger_message *to, const struct window_ledger *from);

/* False: its unknown reasons are not known ones, ascending. */
bool ledger_unpack(struct window_ledger *to, const Yamiscope__Ledger *from);

#endif
