/* payload_row: a test packet's payload and the rule that it is for. */
#ifndef TEST_PAYLOAD_ROW_H
#define TEST_PAYLOAD_ROW_H

#include "classify/ruleset.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct payload_row {
    const char *rule;
    unsigned proto;
    uint16_t port;
    bool holds; /* false: a near miss, one byte or one condition off */
    const char *bytes;
    size_t len;
};

#define PAYLOAD_ROW(rule, proto, port, holds, bytes) \
    {rule, PORT_PROTO_##proto, port, holds, bytes, sizeof(bytes) - 1},

#endif
