/* Arbitrary bytes as the state of new activity; the checksum is made right. What loads learns a bin, and is saved and loaded again. */
#include "export/change_finder.h"
#include "export/record.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void tell(void *context, const struct change_alert *alert) { ++*(unsigned *)context; }

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct change_port ports[] = {{CHANGE_TCP, 7, 9, 60}, {CHANGE_UDP, 7, 9, 3}};
    struct change_settings settings;
    struct change_finder *f;
    struct fault fault;
    uint8_t *bytes = malloc(size + 1), *again;
    size_t len;
    unsigned told = 0;
    change_settings_default(&settings);
    if (bytes == NULL || change_finder_create(&f, &settings) != 0)
        abort();
    memcpy(bytes, data, size);
    if (size >= 8 && bytes[size - 1] & 1)
        for (uint32_t crc = record_crc(0, bytes, size - 4), i = 0; i < 4; i++)
            bytes[size - 4 + i] = (uint8_t)(crc >> 8 * i);
    if (change_finder_load(f, bytes, size, &fault) == 0) {
        int64_t last = change_finder_last(f);
        struct change_bin bin = {0, true, 700, 63, ports, 2};
        if (change_finder_save(f, &again, &len) != 0 || len != size ||
            memcmp(again, bytes, len) != 0)
            abort();
        free(again);
        if (last < INT64_MAX - settings.bin_ns) {
            bin.start_ns = last == INT64_MIN ? 0 : last + settings.bin_ns;
            if (change_finder_add(f, &bin, tell, &told) != 0)
                abort();
        }
    }
    change_finder_destroy(f);
    free(bytes);
    return 0;
}
