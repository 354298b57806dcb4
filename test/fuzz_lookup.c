/* Arbitrary bytes as a segment of source days, walked through and indexed. The first byte says whether they are cut into records that get
 * right lengths and checksums (as in fuzz_feed.c). What a seek gives must be in order and not before its key; what an index says of
 * a port must be what the source days say. */
#include "export/port_row.h"
#include "export/source_index.h"
#include "export/source_walk.h"

#include "forge.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PATH = 128 };

static struct {
    char dir[32];
    struct feed_pool *pool;
    struct source_day_buffer source;
    struct source_targets targets;
} s;

static void state_make(void)
{
    if (s.pool != NULL)
        return;
    strcpy(s.dir, "/tmp/fuzz_lookup.XXXXXX");
    s.pool = feed_pool_create(2);
    if (mkdtemp(s.dir) == NULL || s.pool == NULL)
        abort();
}

/* Walks from a key on; with facets adds up those of tcp/23. */
static void walk_try(struct feed_reader *r, const uint8_t key[SOURCE_KEY], struct port_facets *f)
{
    struct source_walk w;
    struct record_view view;
    struct fault fault;
    uint8_t before[SOURCE_KEY] = {0};
    if (source_walk_begin(&w, r, 0, &fault) != 0)
        abort();
    if (source_walk_seek(&w, key, &fault) == 0)
        while (source_walk_next(&w, &view, &fault) > 0) {
            if (memcmp(w.key, key, SOURCE_KEY) < 0 || memcmp(before, w.key, SOURCE_KEY) >= 0)
                abort();
            memcpy(before, w.key, SOURCE_KEY);
            if (record_unpack_source_day(&s.source, view.body, view.body_len, &fault) != 0)
                continue;
            if (source_targets_fill(&s.targets, &s.source.day) != 0 ||
                (f != NULL && port_facets_add(f, PORT_PROTO_TCP, 23, w.cursor.at, &s.source.day,
                                              &s.targets) != 0))
                abort();
        }
    source_walk_end(&w);
}

static void index_try(struct feed_reader *r)
{
    struct source_index *ix;
    struct port_facets walked, found;
    struct fault fault;
    uint8_t all[SOURCE_KEY] = {0};
    if (source_index_build(r, 0, NULL, &fault) <= 0)
        return;
    if (source_index_open(&ix, r, 0) != 1 || port_facets_init(&walked, 3) != 0 ||
        port_facets_init(&found, 3) != 0)
        abort();
    walk_try(r, all, &walked);
    port_facets_end(&walked);
    int says = source_index_port(ix, PORT_PROTO_TCP, 23, &found);
    if (says != (walked.all.sources > 0) ||
        memcmp(&walked.all, &found.all, sizeof found.all) != 0 ||
        memcmp(walked.tools, found.tools, sizeof found.tools) != 0 ||
        walked.rule_count != found.rule_count || walked.top_count != found.top_count)
        abort();
    port_facets_fini(&walked);
    port_facets_fini(&found);
    source_index_close(ix);
}

static void rows_try(const uint8_t *data, size_t size)
{
    struct port_row row;
    struct port_row_day day;
    for (unsigned port = 0; port < 512; port += 23)
        for (unsigned proto = 0; proto < PORT_PROTO_COUNT; proto++) {
            port_row_of_window(&row, data, size, proto, (uint16_t)port);
            if (port_row_of_day(&row, data, size, proto, (uint16_t)port) > 0 &&
                (row.category == NULL || row.category_len > size))
                abort();
        }
    port_row_day(&day, data, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct forge forge = {0};
    struct feed_reader *r;
    struct fault fault;
    char path[PATH], index[FEED_PATH];
    uint8_t key[SOURCE_KEY] = {0};
    if (size < 2 + SOURCE_KEY)
        return 0;
    state_make();
    uint8_t how = *data++;
    memcpy(key, data, SOURCE_KEY);
    data += SOURCE_KEY;
    size -= 1 + SOURCE_KEY;
    rows_try(data, size);
    for (size_t at = 0; how & 1 && at + 2 <= size;) {
        size_t len = data[at] | (size_t)data[at + 1] << 8;
        at += 2;
        if (len > size - at)
            len = size - at;
        forge_bytes(&forge, data + at, len);
        at += len;
    }
    snprintf(path, sizeof path, "%s/19700101-sources-000001.yami", s.dir);
    FILE *f = fopen(path, "wb");
    if (f == NULL)
        abort();
    fwrite(how & 1 ? forge.data : data, 1, how & 1 ? forge.len : size, f);
    fclose(f);
    free(forge.data);
    if (feed_reader_open(&r, s.dir, s.pool, &fault) != 0)
        abort();
    walk_try(r, key, NULL);
    index_try(r);
    feed_reader_close(r);
    unlink(path);
    if (source_index_path(path, index))
        unlink(index);
    return 0;
}
