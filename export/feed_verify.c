#include "export/feed_verify.h"

#include "capture/hash.h"
#include "export/day_check.h"
#include "export/event_check.h"
#include "export/feed_note.h"
#include "export/record_event.h"
#include "export/unpack_budget.h"
#include "export/window_check.h"
#include "export/yamiscope.pb-c.h"

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum {
    PATH_SHOWN = 120, /* characters of a path in a fault */
};

/* Next part of every window start: open addressing, keyed since the starts are a stranger's. */
struct part_map {
    struct part {
        int64_t start_ns;
        uint64_t next; /* 0: no entry */
    } * at;
    size_t used, size; /* size: a power of two, or 0 */
    struct hash_key key;
};

struct feed_verify {
    struct feed_check *check;
    const struct ruleset *rules; /* or NULL */
    bool is_alone;
    bool is_first_record;
    uint64_t seq; /* of the last record */
    uint32_t crc; /* of the last record */
    uint32_t segment;
    bool has_holes;        /* some segments were deleted: parts need not begin with 0 */
    bool is_unchained;     /* what the next record continues is not known */
    bool is_behind_hole;   /* the segment before this one was */
    enum feed_begin begin; /* of the segment */
    bool is_segment_closed;
    struct part_map parts;
    struct unpack_budget budget; /* of the record being read */
    struct day_check *days;
    struct event_check *events;
    char timezone[64]; /* of the last Header */
    uint8_t *bytes;    /* of the record */
    size_t bytes_size;
    struct window_check window;

    /* Of the segment being read. */
    const char *path;
    FILE *in;
    uint64_t offset, size, at; /* at: where the record's length begins */
    uint64_t records;
    bool has_window, has_note;
    bool has_event;         /* its first record behind Header and notes is one */
    int64_t event_ns;       /* told at */
    enum feed_segment kind; /* by its first record behind the Header */
    int64_t first_ns;       /* start of the first window of the last segment that has any */
    bool has_first;         /* there is one */
};

const char *feed_verify_shown(const char *path)
{
    size_t len = strlen(path);
    return len > PATH_SHOWN ? path + len - PATH_SHOWN : path;
}

/* The record at `at` breaks a rule. */
__attribute__((format(printf, 3, 4))) static int violation(const struct feed_verify *v,
                                                           struct fault *fault, const char *format,
                                                           ...)
{
    char what[200];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    return fault_set(fault, EBADMSG, "%s: byte %" PRIu64 ": record %" PRIu64 ": %s",
                     feed_verify_shown(v->path), v->at, v->seq + 1, what);
}

static struct part *part_find(const struct part_map *m, int64_t start_ns)
{
    size_t i = (size_t)hash_u64(&m->key, (uint64_t)start_ns) & (m->size - 1);
    while (m->at[i].next != 0 && m->at[i].start_ns != start_ns)
        i = (i + 1) & (m->size - 1);
    return &m->at[i];
}

static int part_map_grow(struct part_map *m)
{
    struct part_map grown = {.size = m->size == 0 ? 1024 : m->size * 2, .key = m->key};
    grown.at = calloc(grown.size, sizeof *grown.at);
    if (grown.at == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < m->size; i++)
        if (m->at[i].next != 0)
            *part_find(&grown, m->at[i].start_ns) = m->at[i];
    grown.used = m->used;
    free(m->at);
    *m = grown;
    return 0;
}

/* The part that a window of this start must have; counts it. -ENOMEM at worst. */
static int64_t part_next(struct part_map *m, int64_t start_ns)
{
    if (m->used * 2 >= m->size && part_map_grow(m) != 0)
        return -ENOMEM;
    struct part *part = part_find(m, start_ns);
    if (part->next == 0) {
        part->start_ns = start_ns;
        m->used++;
    }
    return (int64_t)part->next++;
}

struct feed_verify *feed_verify_create(const struct ruleset *rules, bool is_alone,
                                       struct feed_check *check)
{
    struct feed_verify *v = calloc(1, sizeof *v);
    if (v == NULL)
        return NULL;
    memset(check, 0, sizeof *check);
    v->days = day_check_create(rules);
    v->events = event_check_create();
    if (v->days == NULL || v->events == NULL) {
        feed_verify_destroy(v);
        return NULL;
    }
    v->check = check;
    v->rules = rules;
    v->is_alone = is_alone;
    v->is_first_record = true;
    if (is_alone)
        event_check_hole(v->events);
    unpack_budget_init(&v->budget);
    hash_key_init(&v->parts.key);
    return v;
}

void feed_verify_destroy(struct feed_verify *v)
{
    if (v == NULL)
        return;
    day_check_destroy(v->days);
    event_check_destroy(v->events);
    free(v->parts.at);
    free(v->bytes);
    free(v);
}

static int bytes_read(struct feed_verify *v, void *to, size_t len, struct fault *fault)
{
    if (fread(to, 1, len, v->in) != len)
        return fault_set(fault, EIO, "%s: byte %" PRIu64 ": can't read %zu bytes",
                         feed_verify_shown(v->path), v->offset, len);
    v->offset += len;
    return 0;
}

/* The varint in front of a record; only the shortest form is one. */
static int length_read(struct feed_verify *v, uint64_t *len, struct fault *fault)
{
    *len = 0;
    for (unsigned shift = 0;; shift += 7) {
        uint8_t byte;
        if (v->offset == v->size)
            return violation(v, fault, "cut within its length");
        int err = bytes_read(v, &byte, 1, fault);
        if (err != 0)
            return err;
        *len |= (uint64_t)(byte & 0x7f) << shift;
        if (shift > 0 && byte == 0)
            return violation(v, fault, "length is not in its shortest form");
        if (*len > RECORD_MAX || (shift == 28 && byte >= 0x80))
            return violation(v, fault, "length exceeds %d bytes", RECORD_MAX);
        if (byte < 0x80)
            break;
    }
    if (*len > v->size - v->offset)
        return violation(v, fault, "cut: %" PRIu64 " of %" PRIu64 " bytes are there",
                         v->size - v->offset, *len);
    if (*len <= RECORD_CRC)
        return violation(v, fault, "%" PRIu64 " bytes are no record", *len);
    return 0;
}

static int crc_check(struct feed_verify *v, uint64_t len, struct fault *fault)
{
    uint32_t crc;
    memcpy(&crc, v->bytes + len - sizeof crc, sizeof crc);
    crc = le32toh(crc);
    if (v->bytes[len - RECORD_CRC] != RECORD_CRC_TAG)
        return violation(v, fault, "does not end with a crc");
    uint32_t computed = record_crc(v->crc, v->bytes, len - RECORD_CRC);
    bool is_chained = (!v->is_first_record || !v->is_alone) && !v->is_unchained;
    if (is_chained && crc != computed)
        return violation(v, fault, "crc is %08" PRIx32 ", its bytes give %08" PRIx32, crc,
                         computed);
    v->crc = crc;
    return 0;
}

/* Reads length, bytes and crc of the next record. */
static int record_read(struct feed_verify *v, uint64_t *record_len, struct fault *fault)
{
    uint64_t len;
    v->at = v->offset;
    int err = length_read(v, &len, fault);
    if (err != 0)
        return err;
    if (len > v->bytes_size) {
        uint8_t *bytes = realloc(v->bytes, len);
        if (bytes == NULL)
            return fault_set(fault, ENOMEM, "%s: no memory for a record",
                             feed_verify_shown(v->path));
        v->bytes = bytes;
        v->bytes_size = len;
    }
    err = bytes_read(v, v->bytes, len, fault);
    *record_len = len;
    return err != 0 ? err : crc_check(v, len, fault);
}

/* Days are held to what the Header says of them. */
static void days_header(struct feed_verify *v, const Yamiscope__Header *h)
{
    struct day_check_header header = {.timezone = v->timezone,
                                      .has_days = h->survey != NULL,
                                      .has_sources = h->survey != NULL && h->sources};
    snprintf(v->timezone, sizeof v->timezone, "%s", h->timezone);
    if (h->survey != NULL)
        header.survey = (struct survey_settings){
            .min_ports = h->survey->min_ports,
            .min_packets = h->survey->min_packets,
            .packets_per_address_milli = h->survey->packets_per_address_milli,
            .min_ports6 = h->survey->min_ports6,
            .min_packets6 = h->survey->min_packets6,
        };
    day_check_header(v->days, &header);
}

static int header_check(struct feed_verify *v, const Yamiscope__Header *h, struct fault *fault)
{
    if (v->records != 0)
        return violation(v, fault, "a Header inside a segment");
    if (h->format != RECORD_FORMAT)
        return violation(v, fault, "format %" PRIu32 " is not known", h->format);
    if (h->segment != v->segment + 1 && !(v->is_alone && v->is_first_record && h->segment > 0))
        return violation(v, fault, "segment %" PRIu32 " where %" PRIu32 " must be", h->segment,
                         v->segment + 1);
    if (h->window_span_ns <= 0 || h->lateness_ns < 0)
        return violation(v, fault, "window span %" PRId64 " ns, lateness %" PRId64 " ns",
                         h->window_span_ns, h->lateness_ns);
    if ((unsigned)h->begin >= FEED_BEGINS)
        return violation(v, fault, "begins for a reason that is not known");
    v->begin = (enum feed_begin)h->begin;
    if (h->rules == NULL)
        return violation(v, fault, "names no rule set");
    v->segment = h->segment;
    v->window.span_ns = h->window_span_ns;
    v->window.is_filtered =
        h->filtered || h->filter[0] != '\0'; /* at first the text alone said it */
    days_header(v, h);
    bool is_known = v->rules != NULL && strcmp(v->rules->sha256, h->rules->sha256) == 0;
    v->window.rules = is_known ? v->rules : NULL;
    v->check->rules_checked = is_known && (v->check->rules_checked || v->check->segments == 0);
    return 0;
}

/* Where a window stands among the others: the cut of the segments, the order of its parts. */
static int order_check(struct feed_verify *v, const Yamiscope__Window *w, struct fault *fault)
{
    bool is_taken = v->has_first && feed_segment_takes(v->first_ns, w->start_ns);
    bool is_begun = is_taken && !v->has_window && v->begin != FEED_BEGIN_TIME;
    if (is_taken != v->has_window && !is_begun)
        return violation(v, fault, "the segment is cut at another place than its hours say");
    if (v->has_event && !v->has_window)
        return violation(v, fault, "a window in a segment that began with an event");
    if (!v->has_window)
        v->first_ns = w->start_ns;
    v->has_first = v->has_window = true;

    int64_t part = part_next(&v->parts, w->start_ns);
    if (part < 0)
        return fault_set(fault, ENOMEM, "%s: no memory", feed_verify_shown(v->path));
    if ((v->is_alone || v->has_holes) &&
        part == 0) { /* earlier ones may stand in segments before */
        part = w->part;
        part_find(&v->parts, w->start_ns)->next = w->part + UINT64_C(1);
    }
    if (w->part != (uint64_t)part)
        return violation(v, fault, "part %" PRIu32 " where %" PRId64 " must be", w->part, part);
    return 0;
}

static int64_t window_end(const Yamiscope__Window *w)
{
    int64_t end_ns;
    return __builtin_add_overflow(w->start_ns, w->span_ns, &end_ns) ? INT64_MAX : end_ns;
}

static void window_add(struct feed_check *check, const struct window_check *window,
                       const Yamiscope__Window *w)
{
    const Yamiscope__Totals *t = w->totals;
    check->windows++;
    check->parts += w->part > 0;
    if (t->packets > 0) {
        if (check->packets == 0 || check->first_ns > t->first_ns)
            check->first_ns = t->first_ns;
        if (check->packets == 0 || check->last_ns < t->last_ns)
            check->last_ns = t->last_ns;
    }
    check->packets += t->packets;
    check->bytes += t->bytes;
    check->partial += w->partial;
    ledger_merge(&check->ledger, &window->ledger);
    for (unsigned kind = 0; kind < KIND_COUNT; kind++)
        check->kinds[kind] += window->kinds[kind];
}

/* Where a record may stand, by its seq and what the segment holds. */
static int place_check(struct feed_verify *v, uint64_t seq, uint32_t body, struct fault *fault)
{
    if ((v->is_first_record && v->is_alone) || v->is_unchained)
        v->seq = seq - 1;
    v->is_unchained = false;
    if (seq != v->seq + 1)
        return violation(v, fault, "seq is %" PRIu64, seq);
    if (v->is_segment_closed)
        return violation(v, fault, "stands behind a Close");
    if (v->records == 0 && body != RECORD_header)
        return violation(v, fault, "the segment does not begin with a Header");
    enum feed_segment kind = body == RECORD_day_begin || body == RECORD_source_day ? FEED_SOURCES
                             : body == RECORD_day                                  ? FEED_DAY
                                                                                   : FEED_WINDOWS;
    if (v->records == 1)
        v->kind = kind;
    bool is_first = body == RECORD_day_begin || body == RECORD_day;
    if (body != RECORD_header && body != RECORD_close &&
        (kind != v->kind || is_first != (v->records == 1 && kind != FEED_WINDOWS)))
        return violation(v, fault, "its segment holds other records");
    if (v->records == 1 && v->begin == FEED_BEGIN_RUN && kind != FEED_DAY)
        day_check_abandon(v->days);
    if (v->records == 1 && day_check_is_open(v->days) && kind != FEED_DAY)
        return violation(v, fault, "the Day of date %" PRId32 " is missing",
                         day_check_date(v->days));
    if (v->records == 1 && kind != FEED_WINDOWS)
        v->has_first = false; /* the next windows begin a new segment, whatever their hour */
    return 0;
}

/* What the feed says among its windows. */
static int note_check(struct feed_verify *v, const struct record_view *r, struct fault *fault)
{
    struct feed_removed removed = {0};
    struct feed_gap gap;
    struct fault why;
    char *text = NULL;
    int err = place_check(v, r->seq, r->body_kind, fault);
    if (err != 0)
        return err;
    err = r->body_kind == RECORD_gap ? record_unpack_gap(&gap, &text, r->body, r->body_len, &why)
                                     : record_unpack_removed(&removed, r->body, r->body_len, &why);
    v->has_note = true;
    v->check->gaps += r->body_kind == RECORD_gap;
    if (err == 0 && r->body_kind == RECORD_gap)
        v->check->windows_given_up += gap.windows;
    free(text);
    feed_removed_fini(&removed);
    if (err == -ENOMEM)
        return fault_set(fault, ENOMEM, "%s: no memory", feed_verify_shown(v->path));
    return err == 0 ? 0 : violation(v, fault, "%s", why.text);
}

static int event_body_check(struct feed_verify *v, const struct record_view *r, struct fault *fault)
{
    struct event e;
    struct fault why;
    bool is_out = false;
    int err = place_check(v, r->seq, r->body_kind, fault);
    if (err == 0 && (err = record_unpack_event(&e, r->body, r->body_len, &why)) != 0)
        err = violation(v, fault, "%s", why.text);
    if (err != 0)
        return err;
    const char *wrong = event_check_take(v->events, &e, &is_out);
    if (is_out)
        return fault_set(fault, ENOMEM, "%s: no memory", feed_verify_shown(v->path));
    if (wrong != NULL)
        return violation(v, fault, "%s", wrong);
    if (!v->has_window && !v->has_event) {
        v->has_event = true;
        v->event_ns = e.time_ns;
        v->has_first = false; /* the next windows begin a new segment, whatever their hour */
    }
    v->check->events[e.type]++;
    return 0;
}

static int close_check(struct feed_verify *v, const Yamiscope__Close *c, struct fault *fault)
{
    if (c->records != v->records + 1)
        return violation(v, fault, "Close counts %" PRIu64 " records, there are %" PRIu64,
                         c->records, v->records + 1);
    if (c->abandoned && v->kind != FEED_SOURCES)
        return violation(v, fault, "abandoned, but holds no source days");
    if (c->abandoned)
        day_check_abandon(v->days);
    v->is_segment_closed = true;
    v->check->closed = c->finished;
    return 0;
}

static int body_check(struct feed_verify *v, const Yamiscope__Record *r, struct fault *fault)
{
    int err = place_check(v, r->seq, r->body_case, fault);
    if (err != 0)
        return err;
    switch (r->body_case) {
    case YAMISCOPE__RECORD__BODY_HEADER:
        return header_check(v, r->header, fault);
    case YAMISCOPE__RECORD__BODY_WINDOW:
        err = order_check(v, r->window, fault);
        if (err == 0 && !window_check(&v->window, r->window))
            err = violation(v, fault, "%s", v->window.why);
        if (err == 0)
            window_add(v->check, &v->window, r->window);
        if (err == 0)
            event_check_window(v->events, window_end(r->window));
        return err;
    case YAMISCOPE__RECORD__BODY_CLOSE:
        return close_check(v, r->close, fault);
    default:
        return violation(v, fault, "its body is of no kind that this version knows");
    }
}

/* DayBegin, SourceDay, Day: a hundred million of them, without a Record unpacked around each. */
static int day_body_check(struct feed_verify *v, const struct record_view *r, struct fault *fault)
{
    bool is_day = r->body_kind == RECORD_day;
    int err = place_check(v, r->seq, r->body_kind, fault);
    if (err != 0)
        return err;
    if (r->body_kind == RECORD_source_day)
        err = day_check_source(v->days, r->body, r->body_len);
    else if (is_day)
        err = day_check_day(v->days, r->body, r->body_len, v->is_alone || v->is_behind_hole);
    else
        err = day_check_begin(v->days, r->body, r->body_len);
    if (err == -ENOMEM)
        return fault_set(fault, ENOMEM, "%s: no memory", feed_verify_shown(v->path));
    if (err != 0)
        return violation(v, fault, "%s", day_check_why(v->days));
    v->check->source_days += r->body_kind == RECORD_source_day;
    v->check->days += is_day;
    v->check->days_computed += is_day && day_check_was_computed(v->days);
    v->check->days_restated += is_day && day_check_was_restated(v->days);
    return 0;
}

static int record_check(struct feed_verify *v, uint64_t len, struct fault *fault)
{
    struct record_view view;
    bool is_whole = record_view(&view, v->bytes, len) == 0;
    if (is_whole && view.body_kind == RECORD_event)
        return event_body_check(v, &view, fault);
    event_check_between(v->events);
    if (is_whole && (view.body_kind == RECORD_source_day || view.body_kind == RECORD_day ||
                     view.body_kind == RECORD_day_begin))
        return day_body_check(v, &view, fault);
    if (view.body_kind == RECORD_gap || view.body_kind == RECORD_removed)
        return note_check(v, &view, fault);
    v->budget.used = 0;
    Yamiscope__Record *record = yamiscope__record__unpack(&v->budget.allocator, len, v->bytes);
    if (record == NULL)
        return violation(v, fault, "%s",
                         unpack_budget_is_out(&v->budget) ? "unpacks to too much" : "is no Record");
    int err = body_check(v, record, fault);
    yamiscope__record__free_unpacked(record, &v->budget.allocator);
    return err;
}

/* The name says where the segment belongs. */
static int name_check(const struct feed_verify *v, struct fault *fault)
{
    char name[FEED_NAME];
    const char *slash = strrchr(v->path, '/');
    const char *is = slash == NULL ? v->path : slash + 1;
    if (v->kind == FEED_WINDOWS && !v->has_window && !v->has_event && v->has_note)
        return 0; /* its writer died before the window that it is named by */
    int64_t at_ns = v->has_window ? v->first_ns : v->has_event ? v->event_ns : 0;
    if (v->kind == FEED_WINDOWS)
        feed_segment_name(at_ns, v->segment, name);
    else
        feed_day_segment_name(day_check_date(v->days), v->kind, v->segment, name);
    if (strcmp(is, name) != 0)
        return fault_set(fault, EBADMSG, "%s: by its content its name is %s",
                         feed_verify_shown(v->path), name);
    return 0;
}

int feed_verify_segment(struct feed_verify *v, const char *path, FILE *in, uint64_t size,
                        struct fault *fault)
{
    v->path = path;
    v->in = in;
    v->offset = v->at = v->records = 0;
    v->size = size;
    v->has_window = v->has_note = v->has_event = false;
    v->kind = FEED_WINDOWS;
    v->begin = FEED_BEGIN_TIME;
    if (v->check->segments > 0 && !v->is_segment_closed)
        return violation(v, fault, "the segment before has no Close");
    v->is_segment_closed = v->check->closed = false;
    if (size == 0)
        return violation(v, fault, "the segment is empty");

    while (v->offset < size) {
        uint64_t len = 0;
        int err = record_read(v, &len, fault);
        if (err == 0)
            err = record_check(v, len, fault);
        if (err != 0)
            return err;
        v->is_first_record = false;
        v->seq++;
        v->records++;
        v->check->records++;
    }
    v->is_behind_hole = false;
    v->check->segments++;
    v->check->feed_bytes += size;
    return name_check(v, fault);
}

uint32_t feed_verify_last(const struct feed_verify *v) { return v->segment; }

int feed_verify_skip(struct feed_verify *v, const struct feed_removed_run *run, uint32_t last,
                     struct fault *fault)
{
    if (v->check->segments > 0 && !v->is_segment_closed)
        return violation(v, fault, "the segment before has no Close");
    v->check->removed += last - v->segment;
    v->segment = last;
    v->seq = run->seq;
    v->crc = run->crc;
    v->is_unchained = last != run->last; /* the deletion was cut short */
    v->has_first = false;
    v->has_holes = v->is_behind_hole = true;
    event_check_hole(v->events);
    day_check_abandon(v->days);
    return 0;
}

int feed_verify_end(struct feed_verify *v, struct fault *fault)
{
    if (v->is_segment_closed && (v->check->closed || v->is_alone)) {
        if (!day_check_is_open(v->days) || v->is_alone)
            return 0;
        return fault_set(fault, ENODATA,
                         "%s: the feed is not finished: the Day of date %" PRId32 " is missing",
                         feed_verify_shown(v->path), day_check_date(v->days));
    }
    return fault_set(fault, ENODATA, "%s: byte %" PRIu64 ": the feed is not finished: %s",
                     feed_verify_shown(v->path), v->size,
                     v->is_segment_closed ? "a further segment was to follow" : "no Close");
}
