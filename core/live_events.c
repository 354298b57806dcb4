/* Open events of a live capture over a restart. */
#include "core/event_save.h"
#include "core/live_state.h"
#include "core/memory.h"
#include "export/record_event.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- keeping ---- */

void live_events_collect(struct live *l, struct event_told *const *told)
{
    struct event_bytes *all = &l->event_bytes;
    all->len = 0;
    for (unsigned i = 0; i < l->settings->base.workers; i++)
        if (told[i])
            event_bytes_add(all, told[i]->state.at, told[i]->state.len);
}

static void say(const struct live *l, const struct fault *fault, const char *so)
{
    char line[sizeof fault->text + 128];
    (void)snprintf(line, sizeof line, "%s: %s", fault->text, so);
    if (l->settings->say)
        l->settings->say(l->settings->context, line);
}

void live_indicators_collect(struct live *l)
{
    const struct event_indicators *indicators = event_export_indicators(l->pipeline.events);
    l->indicator_bytes.len = 0;
    if (indicators && l->settings->base.events->saves)
        event_indicators_save(indicators, &l->indicator_bytes);
}

/* What can't be written is said once; the file stays behind, and is left aside where the feed is further. */
void live_events_keep(struct live *l, const struct live_unit *u)
{
    l->event_told.len = 0;
    if (u)
        event_batch_records(l->pipeline.events, &u->events, &l->event_told);
    struct event_file file = {
        .sensor = l->settings->base.events->sensor,
        .end_ns = l->told_end_ns,
        .seen = event_export_seen(l->pipeline.events),
        .entries = l->event_bytes.at,
        .entries_len = l->event_bytes.len,
        .told = l->event_told.at,
        .told_len = l->event_told.len,
        .indicators = l->indicator_bytes.at,
        .indicators_len = l->indicator_bytes.len,
    };
    struct fault fault;
    feed_log_position(l->settings->base.feed, &file.before);
    int err = event_file_write(l->settings->event_file, &file, &fault);
    if (err < 0 && !l->has_event_trouble)
        say(l, &fault, "what is open can't be kept over a restart until it can be written");
    l->has_event_trouble = err < 0;
}

static struct event_table *table_of(void *context, const uint8_t address[16], unsigned ip_version,
                                    uint32_t *key_address)
{
    struct live *l = context;
    const struct pipeline *p = &l->pipeline;
    unsigned shard = sorter_shard(&p->sorter, address, ip_version);
    memcpy(key_address, address, sizeof *key_address);
    if (ip_version == 6)
        *key_address = (uint32_t)hash_address(&p->sorter.key, address, 6);
    return event_engine_table(p->worker_of[shard]->events, shard);
}

/* ---- files ---- */

/* A file that was read; its bytes are to be freed. */
struct kept {
    char name[4096];
    uint8_t *bytes; /* NULL: there is none */
    size_t len;
    struct event_file file;
};

static uint8_t *file_bytes(const char *path, size_t *len)
{
    struct stat about;
    FILE *f = fopen(path, "rbe");
    uint8_t *bytes = NULL;
    *len = 0;
    if (f && fstat(fileno(f), &about) == 0 && about.st_size > 0 &&
        (bytes = malloc((size_t)about.st_size)))
        *len = fread(bytes, 1, (size_t)about.st_size, f);
    if (f)
        (void)fclose(f);
    return bytes;
}

/* The file that stands behind a window, or else the newest; false, and a message: the newest is none, and there is no other. */
static bool kept_read(const char *path, int64_t end_ns, struct kept *k, struct fault *fault)
{
    bool is_good = true;
    *k = (struct kept){0};
    for (unsigned number = 0; number < EVENT_FILES; number++) {
        struct kept one = {0};
        struct fault other;
        event_file_name(path, number, one.name);
        one.bytes = file_bytes(one.name, &one.len);
        bool is_read = one.bytes && event_file_read(one.name, one.bytes, one.len, &one.file,
                                                    number == 0 ? fault : &other) == 0;
        is_good = is_good && (is_read || !one.bytes || number > 0);
        if (is_read && (!k->bytes || one.file.end_ns == end_ns)) {
            free(k->bytes);
            *k = one;
            if (one.file.end_ns == end_ns)
                break;
        } else {
            free(one.bytes);
        }
    }
    return is_good || k->bytes;
}

/* ---- what the feed lacks ---- */

/* The next of the events that were to be told; false: there is none. */
static bool told_next(const uint8_t **at, const uint8_t *end, struct event *e)
{
    struct record_view view;
    struct fault fault;
    uint64_t len = 0;
    for (unsigned shift = 0; shift < 35; shift += 7) {
        if (*at == end)
            return false;
        uint8_t byte = *(*at)++;
        len |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            break;
    }
    if (len > (uint64_t)(end - *at) || record_view(&view, *at, (size_t)len) < 0 ||
        view.body_kind != RECORD_event ||
        record_unpack_event(e, view.body, view.body_len, &fault) < 0)
        return false;
    *at += len;
    return true;
}

/* Passes over what stands in the feed behind the position: they are its first ones. */
static int told_pass(const char *dir, const struct event_file *file, const uint8_t **at,
                     const uint8_t *end)
{
    struct feed_tail *tail;
    struct feed_tail_record r;
    struct fault fault;
    struct event there, next;
    int err = feed_tail_open(&tail, dir, file->before.seq ? &file->before : NULL, &fault);
    if (err < 0)
        return err;
    while ((err = feed_tail_next(tail, &r, &fault)) > 0) {
        const uint8_t *behind = *at;
        if (r.kind == RECORD_event &&
            record_unpack_event(&there, r.body, r.body_len, &fault) == 0 &&
            told_next(&behind, end, &next) && memcmp(there.id, next.id, sizeof next.id) == 0 &&
            there.update == next.update)
            *at = behind;
    }
    feed_tail_close(tail);
    return err;
}

int live_events_settle(const char *event_file, const char *dir, struct feed_log *feed,
                       const struct feed_resume *resume, struct fault *fault)
{
    struct kept k;
    struct fault other;
    struct event e;
    int err = 0;
    if (!resume->has_window || resume->was_finished ||
        !kept_read(event_file, resume->end_ns, &k, &other))
        return 0;
    const uint8_t *at = k.file.told, *end = at + k.file.told_len;
    if (k.bytes && k.file.end_ns == resume->end_ns && at < end &&
        told_pass(dir, &k.file, &at, end) == 0)
        while (err == 0 && told_next(&at, end, &e))
            err = feed_log_append_event(feed, &e, fault);
    free(k.bytes);
    return err;
}

/* ---- taking up again ---- */

/* False, and a message: it is no such file. */
static bool kept_take(struct live *l, const struct kept *k, struct fault *fault)
{
    const struct event_file *file = &k->file;
    const struct event_settings *s = l->settings->base.events;
    if (strcmp(file->sensor, s->sensor) != 0) {
        fault_set(fault, EBADMSG, "%.200s: open events of another sensor, '%s'", k->name,
                  file->sensor);
        return false;
    }
    event_export_set_seen(l->pipeline.events, file->seen);
    const uint8_t *at = file->entries, *end = at + file->entries_len;
    while (file->end_ns == l->settings->event_end_ns && at < end)
        if (event_restore(&at, end, file->end_ns, s->watched, table_of, l) < 0) {
            fault_set(fault, EBADMSG, "%.200s: byte %zu: no open event", k->name,
                      (size_t)(at - k->bytes));
            return false;
        }
    struct event_indicators *indicators = event_export_indicators(l->pipeline.events);
    at = file->indicators, end = at + file->indicators_len;
    while (indicators && file->end_ns == l->settings->event_end_ns && at < end)
        if (event_indicators_restore(indicators, &at, end) < 0) {
            fault_set(fault, EBADMSG, "%.200s: byte %zu: no open indicator", k->name,
                      (size_t)(at - k->bytes));
            return false;
        }
    return true;
}

void live_events_resume(struct live *l)
{
    struct fault fault;
    struct kept k;
    bool is_good = kept_read(l->settings->event_file, l->settings->event_end_ns, &k, &fault);
    if (is_good && k.bytes)
        is_good = kept_take(l, &k, &fault);
    if (!is_good)
        say(l, &fault, "what was open begins anew");
    free(k.bytes);
}
