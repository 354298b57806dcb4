/* A segment of arbitrary bytes. An even first byte: as they are. An odd one: the bytes are cut into
 * records (2 bytes of length before each) that get right lengths and checksums, so that what lies
 * behind those is reached too. The bytes are read as an event's, too: what holds packs again, to an event that is the same. */
#include "export/feed_verify.h"
#include "export/record_event.h"

#include "forge.h"

#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void event_fuzz(const uint8_t *data, size_t size)
{
    struct record_buffer first = {0}, second = {0};
    struct event_brief brief;
    struct event e;
    struct fault fault;
    record_event_brief(&brief, data, size);
    if (record_unpack_event(&e, data, size, &fault) == 0) {
        if (record_pack_event_body(&first, &e) != 0 ||
            record_unpack_event(&e, first.data, first.len, &fault) != 0 ||
            record_pack_event_body(&second, &e) != 0 || first.len != second.len ||
            memcmp(first.data, second.data, first.len) != 0)
            abort();
    }
    record_buffer_free(&first);
    record_buffer_free(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct forge forge = {0};
    struct feed_check check;
    struct fault fault;
    bool is_forged = size > 0 && data[0] & 1;

    if (size < 2)
        return 0;
    data++;
    size--;
    event_fuzz(data, size);
    for (size_t at = 0; is_forged && at + 2 <= size;) {
        size_t len = data[at] | (size_t)data[at + 1] << 8;
        at += 2;
        if (len > size - at)
            len = size - at;
        forge_bytes(&forge, data + at, len);
        at += len;
    }
    if (is_forged) {
        data = forge.data;
        size = forge.len;
    }
    FILE *in = size == 0 ? NULL : fmemopen((void *)(uintptr_t)data, size, "rb");
    struct feed_verify *v = feed_verify_create(NULL, false, &check);
    if (in != NULL && v != NULL &&
        feed_verify_segment(v, "19700101T000000Z-000001.yami", in, size, &fault) == 0)
        feed_verify_end(v, &fault);
    feed_verify_destroy(v);
    if (in != NULL)
        fclose(in);
    free(forge.data);
    return 0;
}
