/* What readers without a token don't get (law 6), and records as they do. Part of http_window. */
#include "export/http_window.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Keeps of a repeated field what `keep` says; the rest is freed. */
#define ROWS_KEEP(list, count, row, is_kept, free_row) \
    do {                                               \
        size_t kept_ = 0;                              \
        for (size_t i_ = 0; i_ < (count); i_++) {      \
            __typeof__((list)[0]) row = (list)[i_];    \
            if (is_kept)                               \
                (list)[kept_++] = row;                 \
            else                                       \
                free_row(row, NULL);                   \
        }                                              \
        (count) = kept_;                               \
    } while (0)

/* Adds the row `i` to the rest of its table. */
static void rest_add(Yamiscope__PortTable *p, size_t i)
{
    p->rest->packets += p->packets[i];
    p->rest->bytes += p->bytes[i];
    p->rest->syn += p->n_syn > 0 ? p->syn[i] : 0;
    p->rest->scan += p->scan[i];
}

static int table_fold(Yamiscope__PortTable *p, unsigned min_sources)
{
    size_t kept = 0;
    uint32_t port = 0, last = 0;
    if (p->rest == NULL) {
        p->rest = malloc(sizeof *p->rest);
        if (p->rest == NULL)
            return -ENOMEM;
        yamiscope__port_rest__init(p->rest);
    }
    for (size_t i = 0; i < p->n_gap; i++) {
        port += p->gap[i];
        if (p->sources[i] < min_sources) {
            rest_add(p, i);
            continue;
        }
        p->gap[kept] = kept == 0 ? port : port - last;
        last = port;
        p->packets[kept] = p->packets[i];
        p->bytes[kept] = p->bytes[i];
        if (p->n_syn > 0)
            p->syn[kept] = p->syn[i];
        p->scan[kept] = p->scan[i];
        p->sources[kept] = p->sources[i];
        if (p->n_sources_high > 0)
            p->sources_high[kept] = p->sources_high[i];
        kept++;
    }
    p->n_gap = p->n_packets = p->n_bytes = p->n_scan = p->n_sources = kept;
    p->n_syn = p->n_syn > 0 ? kept : 0;
    p->n_sources_high = p->n_sources_high > 0 ? kept : 0;
    return 0;
}

static void sketch_drop(Yamiscope__SourceCount *s)
{
    if (s == NULL || s->hll == NULL)
        return;
    yamiscope__hll__free_unpacked(s->hll, NULL);
    s->hll = NULL;
}

int http_window_fold(Yamiscope__Window *w, unsigned min_sources)
{
    ROWS_KEEP(w->rules, w->n_rules, r, false && r != NULL, yamiscope__rule_count__free_unpacked);
    ROWS_KEEP(w->marks, w->n_marks, m,
              !m->tool || (m->sources != NULL && m->sources->low >= min_sources),
              yamiscope__mark_count__free_unpacked);
    for (size_t i = 0; i < w->n_marks; i++)
        sketch_drop(w->marks[i]->sources);
    if (w->totals != NULL)
        w->totals->first_ns = w->totals->last_ns = 0;
    for (size_t i = 0; i < w->n_ports; i++) {
        int err = table_fold(w->ports[i], min_sources);
        if (err < 0)
            return err;
    }
    return 0;
}

/* ---- a Day */

Yamiscope__Day *http_day_unpack(const uint8_t *body, size_t len)
{
    return yamiscope__day__unpack(NULL, len, body);
}

static bool is_enough(const Yamiscope__DayCount *c, unsigned min_sources)
{
    return c != NULL && c->sources >= min_sources;
}

/* A column of the table, where it is there, moves with its row. */
#define COLUMN_KEEP(p, column, to, from)         \
    do {                                         \
        if ((p)->n_##column > (from))            \
            (p)->column[to] = (p)->column[from]; \
    } while (0)
#define COLUMN_END(p, column, kept)   \
    do {                              \
        if ((p)->n_##column > (kept)) \
            (p)->n_##column = (kept); \
    } while (0)

static void day_ports_fold(Yamiscope__DayPorts *p, unsigned min_sources)
{
    size_t kept = 0;
    uint32_t port = 0, last = 0;
    for (size_t i = 0; i < p->n_gap; i++) {
        port += p->gap[i];
        if (i >= p->n_sources || p->sources[i] < min_sources)
            continue;
        p->gap[kept] = kept == 0 ? port : port - last;
        last = port;
        COLUMN_KEEP(p, packets, kept, i);
        COLUMN_KEEP(p, packets_ex, kept, i);
        COLUMN_KEEP(p, sources, kept, i);
        COLUMN_KEEP(p, sources_ex, kept, i);
        COLUMN_KEEP(p, sources64, kept, i);
        COLUMN_KEEP(p, sources64_ex, kept, i);
        COLUMN_KEEP(p, category, kept, i);
        COLUMN_KEEP(p, iot, kept, i);
        kept++;
    }
    p->n_gap = kept;
    COLUMN_END(p, packets, kept);
    COLUMN_END(p, packets_ex, kept);
    COLUMN_END(p, sources, kept);
    COLUMN_END(p, sources_ex, kept);
    COLUMN_END(p, sources64, kept);
    COLUMN_END(p, sources64_ex, kept);
    COLUMN_END(p, category, kept);
    COLUMN_END(p, iot, kept);
}

int http_day_fold(Yamiscope__Day *d, unsigned min_sources)
{
    for (size_t i = 0; i < d->n_ports; i++)
        day_ports_fold(d->ports[i], min_sources);
    ROWS_KEEP(d->rule_counts, d->n_rule_counts, r, is_enough(r->count, min_sources),
              yamiscope__day_rule__free_unpacked);
    ROWS_KEEP(d->tools, d->n_tools, t, is_enough(t->matched, min_sources),
              yamiscope__day_tool__free_unpacked);
    ROWS_KEEP(d->countries, d->n_countries, p, is_enough(p->total, min_sources),
              yamiscope__day_place__free_unpacked);
    ROWS_KEEP(d->ases, d->n_ases, p, is_enough(p->total, min_sources),
              yamiscope__day_place__free_unpacked);
    ROWS_KEEP(d->organisations, d->n_organisations, c, c->sources >= min_sources,
              yamiscope__day_class__free_unpacked);
    ROWS_KEEP(d->blocks, d->n_blocks, c, c->sources >= min_sources,
              yamiscope__day_class__free_unpacked);
    return 0;
}

/* ---- records */

static int record_pack(FILE *out, Yamiscope__Record *r)
{
    size_t len = yamiscope__record__get_packed_size(r);
    size_t whole = len + RECORD_CRC;
    uint8_t *bytes = malloc(whole);
    if (bytes == NULL)
        return -ENOMEM;
    yamiscope__record__pack(r, bytes);
    uint32_t crc = record_crc(0, bytes, len);
    bytes[len] = RECORD_CRC_TAG;
    for (unsigned i = 0; i < 4; i++)
        bytes[len + 1 + i] = (uint8_t)(crc >> 8 * i);
    size_t left = whole;
    for (; left >= 0x80; left >>= 7)
        fputc((int)(left & 0x7f) | 0x80, out);
    fputc((int)left, out);
    fwrite(bytes, 1, whole, out);
    free(bytes);
    return 0;
}

int http_window_pack(FILE *out, Yamiscope__Window *w, uint64_t seq)
{
    Yamiscope__Record r = YAMISCOPE__RECORD__INIT;
    r.seq = seq;
    r.body_case = YAMISCOPE__RECORD__BODY_WINDOW;
    r.window = w;
    return record_pack(out, &r);
}

int http_day_pack(FILE *out, Yamiscope__Day *d, uint64_t seq)
{
    Yamiscope__Record r = YAMISCOPE__RECORD__INIT;
    r.seq = seq;
    r.body_case = YAMISCOPE__RECORD__BODY_DAY;
    r.day = d;
    return record_pack(out, &r);
}
