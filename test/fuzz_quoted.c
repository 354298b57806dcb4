/* Any bytes as the packet that an ICMP error quotes. */
#include "capture/decode.h"
#include "capture/quoted.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const struct quoted none;
    uint8_t *bytes = malloc(len + 1); /* of its own, so that a read past the end is seen */
    struct quoted q;
    if (!bytes)
        return 0;
    memcpy(bytes, data, len);
    bool is_there = quoted_read(bytes, len, &q);
    bool has_sense = is_there ? (q.ip_version == 4 && len >= 20) || (q.ip_version == 6 && len >= 40)
                              : memcmp(&q, &none, sizeof q) == 0;
    if (!has_sense ||
        (q.has_ports && q.ip_proto != IPPROTO_NR_TCP && q.ip_proto != IPPROTO_NR_UDP)) {
        (void)fprintf(stderr, "does not hold: what is read of a quote lies in it\n");
        abort();
    }
    free(bytes);
    return 0;
}
