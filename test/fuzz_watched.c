/* Any bytes as a file of watched networks: refused with a message, or networks that hold their own addresses. */
#include "core/watched.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct watched *w;
    struct fault fault = {0};
    if (watched_create_from(&w, "x", data, len, &fault) < 0) {
        if (fault.text[0] == '\0' || w)
            abort();
        return 0;
    }
    uint8_t address[16] = {0};
    for (unsigned i = 0; i < sizeof address && i < len; i++)
        address[i] = data[i];
    (void)watched_find(w, address, 6);
    const struct watched_network *n = watched_find(w, address, 4);
    if (watched_count(w) == 0 || (n && (!n->organisation || !n->delivery)))
        abort();
    watched_destroy(w);
    return 0;
}
