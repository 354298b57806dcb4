#include "export/outages.h"

#include "export/json_string.h"
#include "export/saturate.h"
#include "export/yamiscope.pb-c.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define NS UINT64_C(1000000000)

void outages_fini(struct outages *o)
{
    for (size_t i = 0; i < o->gap_count; i++)
        free((char *)(uintptr_t)o->gaps[i].sensor);
    free(o->gaps);
    *o = (struct outages){0};
}

int outages_add_gap(struct outages *o, const uint8_t *body, size_t len, struct fault *fault)
{
    struct feed_gap gap;
    char *sensor;
    int err = record_unpack_gap(&gap, &sensor, body, len, fault);
    if (err < 0)
        return err;
    if (o->gap_count == OUTAGES_KEPT) {
        o->gaps_more++;
        free(sensor);
        return 0;
    }
    if (o->gap_count == o->gap_size) {
        size_t size = o->gap_size == 0 ? 16 : o->gap_size * 2;
        struct feed_gap *grown = realloc(o->gaps, size * sizeof *grown);
        if (grown == NULL) {
            free(sensor);
            return fault_set(fault, ENOMEM, "no memory for a gap");
        }
        o->gaps = grown;
        o->gap_size = size;
    }
    o->gaps[o->gap_count++] = gap;
    return 0;
}

void outages_drop(struct outages *o, int64_t before_ns)
{
    size_t kept = 0;
    for (size_t i = 0; i < o->gap_count; i++) {
        if (o->gaps[i].to_ns >= before_ns)
            o->gaps[kept++] = o->gaps[i];
        else
            free((char *)(uintptr_t)o->gaps[i].sensor);
    }
    o->gap_count = kept;
}

static void given_up_add(struct window_given_up *into, const struct window_given_up *from)
{
    saturate_add(&into->ports, from->ports);
    saturate_add(&into->sources, from->sources);
    saturate_add(&into->recorder_packets, from->recorder_packets);
    saturate_add(&into->windows, from->windows);
    saturate_add(&into->events, from->events);
}

void outages_add_window(struct outages *o, const struct window *w)
{
    o->windows += w->part == 0;
    o->partial += w->part == 0 && w->is_partial;
    given_up_add(&o->given_up, &w->given_up);
}

/* ---- a window's bytes */

struct field {
    uint32_t number;
    uint64_t value; /* of a varint */
    const uint8_t *bytes;
    size_t len; /* of what has a length */
};

static bool varint_next(const uint8_t **at, const uint8_t *end, uint64_t *value)
{
    *value = 0;
    for (unsigned shift = 0; *at < end && shift < 64; shift += 7) {
        uint8_t byte = *(*at)++;
        *value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return true;
    }
    return false;
}

/* The wire types that yamiscope.proto uses in these messages, and the fixed ones. */
static bool field_next(const uint8_t **at, const uint8_t *end, struct field *f)
{
    enum { VARINT, FIXED64, BYTES, FIXED32 = 5 };
    uint64_t tag, len = 0;
    if (!varint_next(at, end, &tag))
        return false;
    *f = (struct field){.number = (uint32_t)(tag >> 3)};
    if ((tag & 7) == VARINT)
        return varint_next(at, end, &f->value);
    if ((tag & 7) == BYTES) {
        if (!varint_next(at, end, &len))
            return false;
    } else if ((tag & 7) == FIXED64 || (tag & 7) == FIXED32) {
        len = (tag & 7) == FIXED64 ? 8 : 4;
    } else {
        return false;
    }
    if (len > (size_t)(end - *at))
        return false;
    f->bytes = *at;
    f->len = len;
    *at += len;
    return true;
}

static bool given_up_read(const uint8_t *at, size_t len, struct window_given_up *g)
{
    const uint8_t *end = at + len;
    struct field f;
    while (at < end) {
        if (!field_next(&at, end, &f))
            return false;
        uint64_t *fields[] = {NULL,        &g->ports, NULL, &g->sources, NULL, &g->recorder_packets,
                              &g->windows, &g->events};
        if (f.number < sizeof fields / sizeof *fields && fields[f.number] != NULL)
            *fields[f.number] = f.value;
    }
    return true;
}

int outages_add_record(struct outages *o, const uint8_t *body, size_t len)
{
    enum { PART = 3, GIVEN_UP = 11, PARTIAL = 12 }; /* yamiscope.proto, Window */
    struct window_given_up given_up = {0};
    const uint8_t *at = body, *end = body + len;
    uint64_t part = 0, partial = 0;
    struct field f;
    while (at < end) {
        if (!field_next(&at, end, &f))
            return -EBADMSG;
        if (f.number == PART)
            part = f.value;
        else if (f.number == PARTIAL)
            partial = f.value;
        else if (f.number == GIVEN_UP &&
                 (f.bytes == NULL || !given_up_read(f.bytes, f.len, &given_up)))
            return -EBADMSG;
    }
    o->windows += part == 0;
    o->partial += part == 0 && partial != 0;
    given_up_add(&o->given_up, &given_up);
    return 0;
}

/* ---- what is said */

bool outages_are_none(const struct outages *o)
{
    const struct window_given_up *g = &o->given_up;
    return o->gap_count == 0 && o->partial == 0 && g->recorder_packets == 0 && g->windows == 0 &&
           g->events == 0;
}

static bool gap_cut(const struct feed_gap *gap, int64_t from_ns, int64_t to_ns, int64_t *from,
                    int64_t *to)
{
    *from = gap->from_ns < from_ns ? from_ns : gap->from_ns;
    *to = gap->to_ns > to_ns ? to_ns : gap->to_ns;
    return *from < *to || (gap->from_ns == gap->to_ns && *from == *to && *from < to_ns);
}

static int by_gap(const void *a, const void *b) { return feed_gap_order(a, b); }

int outages_missing(const struct outages *o, int64_t from_ns, int64_t to_ns, int64_t *ns)
{
    int64_t from, to, until = from_ns;
    uint64_t missing = 0;
    struct feed_gap *sorted = malloc((o->gap_count + 1) * sizeof *sorted);
    *ns = 0;
    if (sorted == NULL)
        return -ENOMEM;
    if (o->gap_count > 0)
        memcpy(sorted, o->gaps, o->gap_count * sizeof *sorted);
    qsort(sorted, o->gap_count, sizeof *sorted, by_gap);
    for (size_t i = 0; i < o->gap_count; i++) {
        if (!gap_cut(&sorted[i], from_ns, to_ns, &from, &to) || to <= until)
            continue;
        missing += (uint64_t)to - (uint64_t)(from > until ? from : until);
        until = to;
    }
    *ns = missing > INT64_MAX ? INT64_MAX : (int64_t)missing;
    free(sorted);
    return 0;
}

static void seconds_print(FILE *out, const char *name, int64_t ns)
{
    uint64_t whole = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;
    fprintf(out, "\"%s\":%s%" PRIu64 ".%03d", name, ns < 0 ? "-" : "", whole / NS,
            (int)(whole % NS / 1000000));
}

static void gap_print(FILE *out, const struct feed_gap *gap, int64_t from, int64_t to)
{
    fputc('{', out);
    seconds_print(out, "start", from);
    fputc(',', out);
    seconds_print(out, "end", to);
    fprintf(out, ",\"reason\":\"%s\",\"said\":[", feed_gap_name(gap->reason));
    json_string(out, feed_gap_words(gap->reason, false));
    fputc(',', out);
    json_string(out, feed_gap_words(gap->reason, true));
    fprintf(out, "],\"windows\":%" PRIu64 ",\"sensor\":", gap->windows);
    json_string(out, gap->sensor == NULL ? "" : gap->sensor);
    fputc('}', out);
}

void outages_json(FILE *out, const struct outages *o, int64_t from_ns, int64_t to_ns)
{
    const struct window_given_up *g = &o->given_up;
    int64_t missing, from, to;
    const char *comma = "";
    fprintf(out, "{\"windows\":%" PRIu64 ",\"partial\":%" PRIu64 ",", o->windows, o->partial);
    if (outages_missing(o, from_ns, to_ns, &missing) == 0)
        seconds_print(out, "missing_s", missing);
    else
        fputs("\"missing_s\":null", out);
    fputs(",\"gaps\":[", out);
    for (size_t i = 0; i < o->gap_count; i++) {
        if (!gap_cut(&o->gaps[i], from_ns, to_ns, &from, &to))
            continue;
        fputs(comma, out);
        gap_print(out, &o->gaps[i], from, to);
        comma = ",";
    }
    fprintf(out,
            "],\"gaps_more\":%" PRIu64 ",\"given_up\":{\"recorder_packets\":%" PRIu64
            ",\"windows\":%" PRIu64 ",\"events\":%" PRIu64 ",\"ports\":%" PRIu64
            ",\"sources\":%" PRIu64 "}}",
            o->gaps_more, g->recorder_packets, g->windows, g->events, g->ports, g->sources);
}
