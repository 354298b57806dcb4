#include "export/feed_note.h"

#include "export/record_bytes.h"
#include "export/record_ledger.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name, *words[2];
} reasons[FEED_GAP_REASONS] = {
#define X(name, en, ja) {#name, {en, ja}},
    FEED_GAPS(X)
#undef X
};

static const char *const kind_names[FEED_KINDS] = {"windows", "sources", "days"};

const char *feed_gap_name(enum feed_gap_reason reason) { return reasons[reason].name; }

const char *feed_gap_words(enum feed_gap_reason reason, bool is_japanese)
{
    return reasons[reason].words[is_japanese];
}

/* ---- gaps ---- */

int record_pack_gap(struct record_buffer *b, uint64_t seq, uint32_t *crc,
                    const struct feed_gap *gap)
{
    Yamiscope__Record record = YAMISCOPE__RECORD__INIT;
    Yamiscope__Gap m = YAMISCOPE__GAP__INIT;
    struct ledger_message ledger;
    m.from_ns = gap->from_ns;
    m.to_ns = gap->to_ns;
    m.reason = (Yamiscope__GapReason)gap->reason;
    m.windows = gap->windows;
    if (gap->has_ledger) {
        ledger_pack(&ledger, &gap->ledger);
        m.ledger = &ledger.of;
    }
    m.sensor = gap->sensor == NULL ? "" : (char *)(uintptr_t)gap->sensor;
    record.seq = seq;
    record.body_case = YAMISCOPE__RECORD__BODY_GAP;
    record.gap = &m;
    return record_append(b, &record, crc);
}

int record_unpack_gap(struct feed_gap *gap, char **text, const uint8_t *body, size_t len,
                      struct fault *fault)
{
    const char *why = NULL;
    memset(gap, 0, sizeof *gap);
    *text = NULL;
    Yamiscope__Gap *m = yamiscope__gap__unpack(NULL, len, body);
    if (m == NULL)
        return fault_set(fault, EBADMSG, "is no Gap");
    if (m->from_ns > m->to_ns)
        why = "a gap that ends before it begins";
    else if ((unsigned)m->reason >= FEED_GAP_REASONS)
        why = "a gap for a reason that is not known";
    else if ((m->reason == YAMISCOPE__GAP_REASON__GAP_WINDOWS) != (m->windows > 0))
        why = "a gap with windows given up, for another reason, or without any";
    else if (m->ledger != NULL &&
             (!ledger_unpack(&gap->ledger, m->ledger) || !ledger_holds(&gap->ledger) ||
              gap->ledger.late > gap->ledger.observed || m->windows == 0))
        why = "a gap whose ledger does not hold";
    int err = why == NULL ? 0 : fault_set(fault, EBADMSG, "%s", why);
    if (err == 0 && (*text = strdup(m->sensor)) == NULL)
        err = fault_set(fault, ENOMEM, "no memory for a gap");
    if (err == 0) {
        gap->from_ns = m->from_ns;
        gap->to_ns = m->to_ns;
        gap->reason = (enum feed_gap_reason)m->reason;
        gap->windows = m->windows;
        gap->has_ledger = m->ledger != NULL;
        gap->sensor = *text;
    }
    yamiscope__gap__free_unpacked(m, NULL);
    return err;
}

static int compare(uint64_t a, uint64_t b) { return a < b ? -1 : a > b; }

int feed_gap_order(const struct feed_gap *a, const struct feed_gap *b)
{
    int order = a->from_ns < b->from_ns ? -1 : a->from_ns > b->from_ns;
    if (order == 0)
        order = a->to_ns < b->to_ns ? -1 : a->to_ns > b->to_ns;
    if (order == 0)
        order = compare(a->reason, b->reason);
    if (order == 0)
        order = strcmp(a->sensor == NULL ? "" : a->sensor, b->sensor == NULL ? "" : b->sensor);
    if (order == 0)
        order = compare(a->windows, b->windows);
    if (order == 0)
        order = compare(a->has_ledger, b->has_ledger);
    if (order == 0)
        order = compare(a->ledger.observed, b->ledger.observed);
    for (unsigned i = 0; i < DROP_COUNT && order == 0; i++)
        order = compare(ledger_drop(&a->ledger, i), ledger_drop(&b->ledger, i));
    if (order == 0)
        order = compare(a->ledger.late, b->ledger.late);
    return order != 0 ? order : compare(a->ledger.unknown, b->ledger.unknown);
}

/* ---- what was removed ---- */

void feed_removed_fini(struct feed_removed *r)
{
    free(r->runs);
    memset(r, 0, sizeof *r);
}

int feed_removed_add_run(struct feed_removed *r, const struct feed_removed_run *run)
{
    if (r->run_count == r->run_size) {
        size_t size = r->run_size == 0 ? 16 : r->run_size * 2;
        struct feed_removed_run *grown = realloc(r->runs, size * sizeof *grown);
        if (grown == NULL)
            return -ENOMEM;
        r->runs = grown;
        r->run_size = size;
    }
    /* Those that touch it stand next to each other: [from, to). */
    size_t from = r->run_count, to;
    while (from > 0 && (uint64_t)r->runs[from - 1].last + 1 >= run->first)
        from--;
    for (to = from; to < r->run_count && r->runs[to].first <= (uint64_t)run->last + 1;)
        to++;
    struct feed_removed_run whole = *run;
    if (to > from && r->runs[from].first < whole.first)
        whole.first = r->runs[from].first;
    if (to > from && r->runs[to - 1].last > whole.last) {
        whole.last = r->runs[to - 1].last;
        whole.seq = r->runs[to - 1].seq;
        whole.crc = r->runs[to - 1].crc;
    }
    memmove(&r->runs[from + 1], &r->runs[to], (r->run_count - to) * sizeof *r->runs);
    r->runs[from] = whole;
    r->run_count += 1 + from - to;
    return 0;
}

static void kind_add(struct feed_removed_kind *k, int64_t from, int64_t to, uint64_t segments)
{
    if (k->segments == 0 || from < k->from)
        k->from = from;
    if (k->segments == 0 || to > k->to)
        k->to = to;
    k->segments += segments;
}

void feed_removed_add_segment(struct feed_removed *r, unsigned kind, int64_t at)
{
    kind_add(&r->kinds[kind], at, at, 1);
}

const struct feed_removed_run *feed_removed_find(const struct feed_removed *r, uint32_t first,
                                                 uint32_t last)
{
    size_t low = 0, high = r->run_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (r->runs[middle].last < last)
            low = middle + 1;
        else
            high = middle;
    }
    return low < r->run_count && r->runs[low].first <= first ? &r->runs[low] : NULL;
}

int record_pack_removed(struct record_buffer *b, uint64_t seq, uint32_t *crc,
                        const struct feed_removed *r)
{
    Yamiscope__Record record = YAMISCOPE__RECORD__INIT;
    Yamiscope__Removed m = YAMISCOPE__REMOVED__INIT;
    Yamiscope__RemovedKind kinds[FEED_KINDS], *kind_at[FEED_KINDS];
    Yamiscope__RemovedRun *runs = calloc(r->run_count + 1, sizeof *runs);
    Yamiscope__RemovedRun **run_at = calloc(r->run_count + 1, sizeof(*run_at));
    int err = runs == NULL || run_at == NULL ? -ENOMEM : 0;
    for (size_t i = 0; err == 0 && i < r->run_count; i++) {
        yamiscope__removed_run__init(&runs[i]);
        runs[i].first = r->runs[i].first;
        runs[i].last = r->runs[i].last;
        runs[i].seq = r->runs[i].seq;
        runs[i].crc = r->runs[i].crc;
        run_at[i] = &runs[i];
    }
    for (unsigned kind = 0; kind < FEED_KINDS; kind++) {
        if (r->kinds[kind].segments == 0)
            continue;
        Yamiscope__RemovedKind *k = kind_at[m.n_kinds] = &kinds[m.n_kinds];
        yamiscope__removed_kind__init(k);
        k->kind = (char *)(uintptr_t)kind_names[kind];
        k->from = r->kinds[kind].from;
        k->to = r->kinds[kind].to;
        k->segments = r->kinds[kind].segments;
        m.n_kinds++;
    }
    m.runs = run_at;
    m.n_runs = r->run_count;
    m.kinds = kind_at;
    record.seq = seq;
    record.body_case = YAMISCOPE__RECORD__BODY_REMOVED;
    record.removed = &m;
    if (err == 0)
        err = record_append(b, &record, crc);
    free(runs);
    free(run_at);
    return err;
}

static int removed_take(struct feed_removed *r, const Yamiscope__Removed *m, struct fault *fault)
{
    uint64_t before = 0;
    for (size_t i = 0; i < m->n_runs; i++) {
        const Yamiscope__RemovedRun *run = m->runs[i];
        if (run->first == 0 || run->first > run->last || (i > 0 && run->first <= before + 1) ||
            run->seq == 0)
            return fault_set(fault, EBADMSG,
                             "segments %" PRIu32 " to %" PRIu32
                             " were removed: no run, or out of order",
                             run->first, run->last);
        before = run->last;
        if (feed_removed_add_run(
                r, &(struct feed_removed_run){run->first, run->last, run->seq, run->crc}) != 0)
            return fault_set(fault, ENOMEM, "no memory for what was removed");
    }
    unsigned next = 0;
    for (size_t i = 0; i < m->n_kinds; i++, next++) {
        const Yamiscope__RemovedKind *k = m->kinds[i];
        while (next < FEED_KINDS && strcmp(k->kind, kind_names[next]) != 0)
            next++;
        if (next == FEED_KINDS || k->segments == 0 || k->from > k->to)
            return fault_set(fault, EBADMSG, "kind \"%.20s\" of what was removed does not hold",
                             k->kind);
        kind_add(&r->kinds[next], k->from, k->to, k->segments);
    }
    return m->n_runs > 0 ? 0 : fault_set(fault, EBADMSG, "nothing was removed");
}

int record_unpack_removed(struct feed_removed *r, const uint8_t *body, size_t len,
                          struct fault *fault)
{
    Yamiscope__Removed *m = yamiscope__removed__unpack(NULL, len, body);
    if (m == NULL)
        return fault_set(fault, EBADMSG, "is no Removed");
    int err = removed_take(r, m, fault);
    yamiscope__removed__free_unpacked(m, NULL);
    return err;
}
