/* A body of arbitrary bytes as SourceDay, DayBegin or Day. What is taken must hold, pack to something
 * that is taken again as the same, merge with itself, and be counted. */
#include "export/record.h"

#include "forge.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void source_day_try(const uint8_t *data, size_t size)
{
    static struct source_day_buffer a, b;
    static struct record_buffer x, y;
    struct record_view view;
    struct fault fault;
    uint32_t crc = 0;
    if (record_unpack_source_day(&a, data, size, &fault) != 0)
        return;
    x.len = y.len = 0;
    if (record_pack_source_day(&x, 1, &crc, &a.day) != 0)
        abort();
    size_t prefix = 1;
    while (x.data[prefix - 1] >= 0x80)
        prefix++;
    if (record_view(&view, x.data + prefix, x.len - prefix) != 0 ||
        record_unpack_source_day(&b, view.body, view.body_len, &fault) != 0)
        abort();
    crc = 0;
    if (record_pack_source_day(&y, 1, &crc, &b.day) != 0 || x.len != y.len ||
        memcmp(x.data, y.data, x.len) != 0)
        abort();
    struct source_day copy = b.day; /* rows of a, which do not move */
    copy.ports = a.day.ports;
    copy.evidence = a.day.evidence;
    copy.origin = a.day.origin;
    if (source_day_merge(&b, &copy) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct day_settings settings;
    struct day_result *result;
    struct day_basis rules;
    struct day_facts facts;
    struct fault fault;
    if (size == 0)
        return 0;
    switch (data[0] % 4) {
    case 0:
        if (record_unpack_day(&result, data + 1, size - 1, &fault) == 0)
            day_result_destroy(result);
        break;
    case 1:
        record_unpack_day_begin(&facts, &settings, &rules, data + 1, size - 1, &fault);
        day_facts_fini(&facts);
        break;
    default:
        source_day_try(data + 1, size - 1);
    }
    return 0;
}
