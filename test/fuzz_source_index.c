/* Arbitrary bytes as the index of a segment. The first byte says whether header, names and terms get right checksums. */
#include "export/source_index_format.h"

#include "export/record.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* As somebody would forge it. */
static void forge_index(uint8_t *bytes, size_t size, struct source_index_of *of)
{
    struct index_header h = {0};
    const uint8_t *at = bytes + 8;
    *of = (struct source_index_of){size, 1, 2};
    h.of = *of;
    h.term_count = bytes[20] % 16;
    if (INDEX_HEADER + h.term_count * INDEX_TERM > size)
        h.term_count = (size - INDEX_HEADER) / INDEX_TERM;
    h.terms_at = size - h.term_count * INDEX_TERM;
    h.names_at = index_get(&at) % (size + 1);
    h.names_bytes = index_get(&at) % 64;
    h.name_count = bytes[40] % 8;
    if (h.names_at + h.names_bytes <= size)
        h.names_crc = record_crc(0, bytes + h.names_at, h.names_bytes);
    for (uint64_t i = 0; i < h.term_count; i++) {
        uint8_t *term = bytes + h.terms_at + i * INDEX_TERM;
        struct index_term t;
        const uint8_t *from = term;
        t.key = index_get(&from);
        t.key = t.key % 4 == 0   ? index_key_port(0, 23)
                : t.key % 4 == 1 ? index_key_as((uint32_t)(t.key >> 8) % 3)
                : t.key % 4 == 2 ? index_key_rule(0, 23, t.key >> 8 & 7, t.key >> 16 & 7)
                                 : t.key;
        t.at = index_get(&from) % (size + 9);
        t.bytes = index_get(&from) % (size + 9);
        t.packets = index_get(&from);
        t.sources = index_get(&from) % 64;
        t.crc = t.at + t.bytes <= size ? record_crc(0, bytes + t.at, t.bytes) : 0;
        index_term_put(&t, term);
    }
    index_header_put(&h, bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int fd = -1;
    char path[64];
    struct source_index_of of = {0};
    struct source_index *ix;
    struct port_facets f;
    if (size < 1 + INDEX_HEADER || size > INDEX_CHUNK)
        return 0;
    if (fd < 0 && (fd = memfd_create("index", 0)) < 0)
        abort();
    uint8_t how = *data++, *bytes = malloc(--size);
    if (bytes == NULL)
        abort();
    memcpy(bytes, data, size);
    if (how & 1)
        forge_index(bytes, size, &of);
    if (ftruncate(fd, 0) < 0 || pwrite(fd, bytes, size, 0) != (ssize_t)size)
        abort();
    free(bytes);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (source_index_open_file(&ix, path, &of) <= 0)
        return 0;
    for (uint16_t port = 0; port < 64; port += 23) {
        if (port_facets_init(&f, 3) != 0)
            abort();
        source_index_port(ix, PORT_PROTO_TCP, port, &f);
        port_facets_fini(&f);
    }
    for (uint32_t asn = 0; asn < 3; asn++) {
        struct source_index_list list;
        uint64_t at, before = 0;
        int found = source_index_as(ix, asn, &list);
        while (found > 0 && (found = source_index_next(&list, &at)) > 0) {
            if (at <= before)
                abort();
            before = at;
        }
        source_index_end(&list);
    }
    source_index_close(ix);
    return 0;
}
