/* Any bytes as the file of open events, and as its entries: refused, or taken into tables that can be saved again. */
#include "core/event_engine.h"
#include "core/event_indicator.h"
#include "core/event_state.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct event_table *table_of(void *context, const uint8_t address[16], unsigned ip_version,
                                    uint32_t *key_address)
{
    (void)ip_version;
    memcpy(key_address, address, sizeof *key_address);
    return event_engine_table(context, address[0] % SHARDS);
}

static void restore(struct event_engine *e, const uint8_t *at, size_t len)
{
    const uint8_t *end = at + len;
    while (at < end && event_restore(&at, end, 0, NULL, table_of, e) == 0)
        ;
    struct event_bytes saved = {0};
    event_save(e, true, &saved);
    if (saved.len > 0) /* what we write we read */
        for (const uint8_t *again = saved.at; again < saved.at + saved.len;)
            if (event_restore(&again, saved.at + saved.len, 0, NULL, table_of, e) < 0)
                abort();
    event_bytes_fini(&saved);
    const struct event_seal seal = {.end_ns = INT64_C(60000000000), .watermark_ns = INT64_MAX};
    event_told_destroy(event_engine_seal(e, &seal));
}

static void restore_indicators(const struct event_settings *settings, const uint8_t *at, size_t len)
{
    struct event_indicators *x = event_indicators_create(settings);
    struct indicator_told told = {0};
    struct event_told seal = {.looks = true, .is_last = true};
    struct event_told *all = &seal;
    const uint8_t *end = at + len;
    while (at < end && event_indicators_restore(x, &at, end) == 0)
        ;
    struct event_bytes saved = {0};
    event_indicators_save(x, &saved);
    if (saved.len > 0) /* what we write we read */
        for (const uint8_t *again = saved.at; again < saved.at + saved.len;)
            if (event_indicators_restore(x, &again, saved.at + saved.len) < 0)
                abort();
    event_bytes_fini(&saved);
    event_indicators_take(x, &all, 1, &told);
    for (size_t i = 0; i < told.count; i++) {
        struct event e;
        indicator_line_expand(&told.lines[i], "x", 0, &e);
        if (event_wrong(&e) != NULL)
            abort();
    }
    indicator_told_fini(&told);
    event_indicators_destroy(x);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct ruleset *rules;
    static struct hash_key key;
    struct event_settings settings = event_settings_published();
    struct event_file file;
    struct fault fault = {0};
    settings.types = 1 << EVENT_scan | 1 << EVENT_dos | 1 << EVENT_amplification;
    if (!rules && ruleset_create(&rules, NULL, &fault) < 0)
        abort();
    hash_key_init(&key);
    struct event_engine *e = event_engine_create(&settings, &key, rules);
    uint8_t *bytes = aligned_alloc(64, (len + 64) / 64 * 64);
    if (!e || !bytes)
        abort();
    memcpy(bytes, data, len);
    restore_indicators(&settings, bytes, len);
    if (event_file_read("x", bytes, len, &file, &fault) == 0) {
        restore(e, file.entries, file.entries_len);
        restore_indicators(&settings, file.indicators, file.indicators_len);
    } else if (fault.text[0] == '\0')
        abort();
    else
        restore(e, bytes, len);
    free(bytes);
    event_engine_destroy(e);
    return 0;
}
