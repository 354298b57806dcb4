#include "classify/telescope_dates.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const int64_t DAY_NS = INT64_C(86400) * 1000000000;

/* A prefix on its way into spans. */
struct row {
    unsigned __int128 first, last;
    const struct prefix_ranges *excepts; /* of its entry, of its IP version; merged */
    int32_t from, until;
    uint32_t number;
    uint8_t length, ip_version;
};

struct range {
    unsigned __int128 first, last;
    uint32_t number;
};

/* What spans are made of. */
struct plan {
    struct row
        *rows; /* by IP version, first address, then the longest last: prefixes nest or are apart */
    size_t row_count;
    struct prefix_ranges (*excepts)[2]; /* of each entry */
    size_t entry_count;
    int32_t *days; /* on which something changes; ascending, distinct */
    size_t day_count;
    unsigned __int128 *bounds; /* for one span: where its answer may change */
    const struct row **stack;  /* the rows that hold a place */
    struct range *ranges;
    size_t range_count, range_room;
};

/* ---- plan ---- */

static int compare_rows(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    if (x->ip_version != y->ip_version)
        return x->ip_version < y->ip_version ? -1 : 1;
    if (x->first != y->first)
        return x->first < y->first ? -1 : 1;
    if (x->length != y->length)
        return x->length < y->length ? -1 : 1;
    return x->number > y->number ? -1 : 1; /* of equal ones the first lies on top */
}

static int compare_days(const void *a, const void *b)
{
    const int32_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static int compare_bounds(const void *a, const void *b)
{
    const unsigned __int128 *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static int excepts_fill(struct prefix_ranges to[2], const struct prefix_list *list)
{
    for (unsigned v = 0; v < 2; v++) {
        to[v].at = malloc((list->count + 1) * sizeof *to[v].at);
        if (!to[v].at)
            return -ENOMEM;
    }
    for (size_t i = 0; i < list->count; i++) {
        const struct prefix *p = &list->at[i];
        struct prefix_ranges *r = &to[p->ip_version == 6];
        r->at[r->count++] =
            (struct prefix_range){prefix_number(p->address, p->ip_version), prefix_last(p)};
    }
    prefix_ranges_merge(&to[0]);
    prefix_ranges_merge(&to[1]);
    return 0;
}

static void days_add(struct plan *plan, const struct telescope_entry *e)
{
    if (e->from != TELESCOPE_SINCE_EVER)
        plan->days[plan->day_count++] = e->from;
    if (e->until != TELESCOPE_FOR_EVER)
        plan->days[plan->day_count++] = e->until + 1;
}

static void rows_add(struct plan *plan, const struct telescope_entry *e,
                     const struct prefix_ranges excepts[2], struct telescope_dates *t)
{
    for (size_t k = 0; k < e->prefixes.count; k++) {
        const struct prefix *p = &e->prefixes.at[k];
        t->prefixes[plan->row_count] = (struct telescope_prefix){*p, e->from, e->until};
        plan->rows[plan->row_count] = (struct row){
            .first = prefix_number(p->address, p->ip_version),
            .last = prefix_last(p),
            .excepts = &excepts[p->ip_version == 6],
            .from = e->from,
            .until = e->until,
            .number = (uint32_t)plan->row_count,
            .length = p->length,
            .ip_version = p->ip_version,
        };
        plan->row_count++;
    }
}

static size_t unique_days(int32_t *days, size_t count)
{
    size_t kept = 0;
    qsort(days, count, sizeof *days, compare_days);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || days[i] != days[kept - 1])
            days[kept++] = days[i];
    return kept;
}

static int plan_init(struct plan *plan, const struct telescope_entries *entries,
                     struct telescope_dates *t)
{
    size_t rows = 0, excepts = 0;
    for (size_t i = 0; i < entries->count; i++) {
        rows += entries->at[i].prefixes.count;
        excepts += entries->at[i].excepts.count;
    }
    *plan = (struct plan){
        .rows = calloc(rows + 1, sizeof *plan->rows),
        .excepts = calloc(entries->count + 1, sizeof *plan->excepts),
        .entry_count = entries->count,
        .days = calloc(2 * entries->count + 1, sizeof *plan->days),
        .bounds = calloc(2 * (rows + excepts) + 1, sizeof *plan->bounds),
        .stack = calloc(rows + 1, sizeof *plan->stack),
    };
    t->prefixes = calloc(rows + 1, sizeof *t->prefixes);
    t->prefix_count = rows;
    if (!plan->rows || !plan->excepts || !plan->days || !plan->bounds || !plan->stack ||
        !t->prefixes)
        return -ENOMEM;
    for (size_t i = 0; i < entries->count; i++) {
        if (excepts_fill(plan->excepts[i], &entries->at[i].excepts) != 0)
            return -ENOMEM;
        days_add(plan, &entries->at[i]);
        rows_add(plan, &entries->at[i], plan->excepts[i], t);
    }
    qsort(plan->rows, plan->row_count, sizeof *plan->rows, compare_rows);
    plan->day_count = unique_days(plan->days, plan->day_count);
    return 0;
}

static void plan_fini(struct plan *plan)
{
    for (size_t i = 0; plan->excepts && i < plan->entry_count; i++) {
        free(plan->excepts[i][0].at);
        free(plan->excepts[i][1].at);
    }
    free(plan->rows);
    free(plan->excepts);
    free(plan->days);
    free(plan->bounds);
    free(plan->stack);
    free(plan->ranges);
}

/* ---- a span's ranges ---- */

/* The exception that holds an address, or the first one behind it; NULL: there is none. */
static const struct prefix_range *except_from(const struct prefix_ranges *excepts,
                                              unsigned __int128 address)
{
    size_t low = 0, high = excepts->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (excepts->at[middle].last < address)
            low = middle + 1;
        else
            high = middle;
    }
    return low < excepts->count ? &excepts->at[low] : NULL;
}

static bool is_excepted(const struct row *row, unsigned __int128 address)
{
    const struct prefix_range *except = except_from(row->excepts, address);
    return except && except->first <= address;
}

/* Those on [first, last] of the row that is on top there; neighbours of one number are joined. */
static int range_add(struct plan *plan, size_t begin, unsigned __int128 first,
                     unsigned __int128 last, uint32_t number)
{
    struct range *top = plan->range_count > begin ? &plan->ranges[plan->range_count - 1] : NULL;
    if (top && top->number == number && first - top->last == 1) {
        top->last = last;
        return 0;
    }
    if (plan->range_count == plan->range_room) {
        size_t room = plan->range_room ? plan->range_room * 2 : 64;
        void *grown = realloc(plan->ranges, room * sizeof *plan->ranges);
        if (!grown)
            return -ENOMEM;
        plan->ranges = grown;
        plan->range_room = room;
    }
    plan->ranges[plan->range_count++] = (struct range){first, last, number};
    return 0;
}

static bool is_on(const struct row *row, unsigned ip_version, int32_t date, bool is_ever)
{
    return row->ip_version == ip_version && (is_ever || (row->from <= date && date <= row->until));
}

/* Where the rows of a day, and their exceptions, begin and end: the answer changes nowhere else. An end is the
 * address behind it; behind the last address of all there is none. */
static size_t bounds_fill(struct plan *plan, unsigned ip_version, int32_t date, bool is_ever)
{
    const unsigned __int128 most =
        ip_version == 6 ? ~(unsigned __int128)0 : (unsigned __int128)UINT32_MAX;
    size_t count = 0, kept = 0;
    for (size_t i = 0; i < plan->row_count; i++) {
        const struct row *row = &plan->rows[i];
        if (!is_on(row, ip_version, date, is_ever))
            continue;
        plan->bounds[count++] = row->first;
        if (row->last < most)
            plan->bounds[count++] = row->last + 1;
    }
    for (size_t i = 0; i < plan->entry_count; i++) {
        const struct prefix_ranges *e = &plan->excepts[i][ip_version == 6];
        for (size_t k = 0; k < e->count; k++) {
            plan->bounds[count++] = e->at[k].first;
            if (e->at[k].last < most)
                plan->bounds[count++] = e->at[k].last + 1;
        }
    }
    qsort(plan->bounds, count, sizeof *plan->bounds, compare_bounds);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || plan->bounds[i] != plan->bounds[kept - 1])
            plan->bounds[kept++] = plan->bounds[i];
    return kept;
}

/* Goes over the addresses once, with the rows that hold the place on a stack: the innermost on top. */
static int ranges_fill(struct plan *plan, unsigned ip_version, int32_t date, bool is_ever)
{
    const unsigned __int128 most =
        ip_version == 6 ? ~(unsigned __int128)0 : (unsigned __int128)UINT32_MAX;
    size_t count = bounds_fill(plan, ip_version, date, is_ever), next = 0, depth = 0;
    size_t begin = plan->range_count;
    int err = 0;
    for (size_t i = 0; i < count && err == 0; i++) {
        unsigned __int128 at = plan->bounds[i],
                          last = i + 1 < count ? plan->bounds[i + 1] - 1 : most;
        while (depth > 0 && plan->stack[depth - 1]->last < at)
            depth--;
        for (; next < plan->row_count &&
               (plan->rows[next].ip_version < ip_version ||
                (plan->rows[next].ip_version == ip_version && plan->rows[next].first <= at));
             next++)
            if (is_on(&plan->rows[next], ip_version, date, is_ever))
                plan->stack[depth++] = &plan->rows[next];
        size_t top = depth;
        while (top > 0 && is_excepted(plan->stack[top - 1], at))
            top--;
        if (top > 0)
            err = range_add(plan, begin, at, last, plan->stack[top - 1]->number);
    }
    return err;
}

static int set_fill(struct prefix_set **out, const struct plan *plan, size_t count4)
{
    struct prefix_ranges ranges[2] = {0};
    size_t counts[2] = {count4, plan->range_count - count4};
    int err = 0;
    for (unsigned v = 0; v < 2; v++) {
        size_t begin = v ? count4 : 0;
        ranges[v] =
            (struct prefix_ranges){malloc((counts[v] + 1) * sizeof *ranges[v].at), counts[v]};
        if (!ranges[v].at)
            err = -ENOMEM;
        for (size_t i = 0; i < counts[v] && err == 0; i++)
            ranges[v].at[i] =
                (struct prefix_range){plan->ranges[begin + i].first, plan->ranges[begin + i].last};
    }
    if (err == 0)
        err = prefix_set_create_ranges(out, ranges);
    free(ranges[0].at);
    free(ranges[1].at);
    return err;
}

/* Whether a span answers as the plan's ranges do. */
static bool is_same(const struct telescope_span *s, const struct plan *plan, size_t count4)
{
    if (s->range4_count != count4 || s->range6_count != plan->range_count - count4)
        return false;
    for (size_t i = 0; i < plan->range_count; i++) {
        const struct range *r = &plan->ranges[i];
        if (i < count4 ? s->ranges4[i].first != r->first || s->ranges4[i].last != r->last
                       : s->ranges6[i - count4].first != r->first ||
                             s->ranges6[i - count4].last != r->last)
            return false;
        if ((i < count4 ? s->ranges4[i].number : s->ranges6[i - count4].number) != r->number)
            return false;
    }
    return true;
}

static int span_fill(struct telescope_span *s, const struct plan *plan, size_t count4)
{
    size_t count6 = plan->range_count - count4;
    s->ranges4 = malloc((count4 + 1) * sizeof *s->ranges4);
    s->ranges6 = malloc((count6 + 1) * sizeof *s->ranges6);
    if (!s->ranges4 || !s->ranges6)
        return -ENOMEM;
    s->range4_count = count4;
    s->range6_count = count6;
    for (size_t i = 0; i < count4; i++)
        s->ranges4[i] =
            (struct telescope_range4){(uint32_t)plan->ranges[i].first,
                                      (uint32_t)plan->ranges[i].last, plan->ranges[i].number};
    for (size_t i = 0; i < count6; i++) {
        const struct range *r = &plan->ranges[count4 + i];
        s->ranges6[i] = (struct telescope_range6){r->first, r->last, r->number};
    }
    int err = telescope_index_init(&s->index, s->ranges4, s->range4_count);
    return err < 0 ? err : set_fill(&s->set, plan, count4);
}

/* Makes the ranges of a day: IPv4 first, *count4 of them. */
static int day_fill(struct plan *plan, int32_t date, bool is_ever, size_t *count4)
{
    plan->range_count = 0;
    int err = ranges_fill(plan, 4, date, is_ever);
    *count4 = plan->range_count;
    return err < 0 ? err : ranges_fill(plan, 6, date, is_ever);
}

static int spans_fill(struct telescope_dates *t, struct plan *plan)
{
    size_t count4;
    t->spans = calloc(plan->day_count + 1, sizeof *t->spans);
    int err = t->spans ? 0 : -ENOMEM;
    for (size_t i = 0; i <= plan->day_count && err == 0; i++) {
        int32_t from = i == 0 ? TELESCOPE_SINCE_EVER : plan->days[i - 1];
        err = day_fill(plan, from, false, &count4);
        if (err < 0 || (i > 0 && is_same(&t->spans[t->span_count - 1], plan, count4)))
            continue;
        t->spans[t->span_count].from = from;
        err = span_fill(&t->spans[t->span_count++], plan, count4);
    }
    if (err == 0)
        err = day_fill(plan, 0, true, &count4);
    return err < 0 ? err : set_fill(&t->ever, plan, count4);
}

/* ---- whole ---- */

static int64_t utc_day_start(int32_t date)
{
    int64_t ns;
    if (__builtin_mul_overflow((int64_t)date, DAY_NS, &ns))
        return date < 0 ? INT64_MIN : INT64_MAX;
    return ns;
}

/* Makes the telescope of what was read, which ends here. */
static int create(struct telescope_dates **out, struct telescope_entries *entries, int err,
                  const char *name, struct fault *fault)
{
    struct telescope_dates *t = NULL;
    struct plan plan = {0};
    *out = NULL;
    if (err == 0) {
        t = calloc(1, sizeof *t);
        err = t ? plan_init(&plan, entries, t) : -ENOMEM;
        if (err == 0 && plan.day_count >= TELESCOPE_SPANS_MAX)
            err = fault_set(fault, EINVAL, "%s: it changes on %zu days, at most %d are kept", name,
                            plan.day_count, TELESCOPE_SPANS_MAX - 1);
        else if (err == 0)
            err = spans_fill(t, &plan);
        if (err == -ENOMEM)
            fault_set(fault, ENOMEM, "%s: out of memory", name);
    }
    plan_fini(&plan);
    telescope_entries_fini(entries);
    if (err < 0) {
        telescope_dates_destroy(t);
        return err;
    }
    telescope_dates_zone(t, utc_day_start);
    *out = t;
    return 0;
}

/* Of a plain list: one entry of every day. */
static int create_plain(struct telescope_dates **out, struct prefix_list *list, int err,
                        const char *name, struct fault *fault)
{
    struct telescope_entries entries = {0};
    if (err == 0 && telescope_entries_add(&entries, list) != 0)
        err = fault_set(fault, ENOMEM, "%s: out of memory", name);
    prefix_list_fini(list);
    return create(out, &entries, err, name, fault);
}

int telescope_dates_create_yaml(struct telescope_dates **out, const char *name, const char *content,
                                size_t len, struct fault *fault)
{
    struct telescope_entries entries;
    int err = telescope_yaml_read(&entries, name, content, len, fault);
    return create(out, &entries, err, name, fault);
}

int telescope_dates_create_from(struct telescope_dates **out, const char *name, const char *content,
                                size_t len, struct fault *fault)
{
    struct prefix_list list;
    if (telescope_yaml_is(content, len))
        return telescope_dates_create_yaml(out, name, content, len, fault);
    int err = prefix_list_read_from(&list, name, content, len, fault);
    return create_plain(out, &list, err, name, fault);
}

int telescope_dates_create(struct telescope_dates **out, const char *text, struct fault *fault)
{
    struct stat st;
    struct prefix_list list;
    char *content;
    size_t len;
    *out = NULL;
    if (stat(text, &st) != 0) {
        int err = prefix_list_read(&list, text, fault);
        return create_plain(out, &list, err, text, fault);
    }
    int err = prefix_file_read(text, &content, &len, fault);
    if (err == 0)
        err = telescope_dates_create_from(out, text, content, len, fault);
    free(content);
    return err;
}

void telescope_dates_destroy(struct telescope_dates *t)
{
    if (!t)
        return;
    for (size_t i = 0; i < t->span_count; i++) {
        prefix_set_destroy(t->spans[i].set);
        free(t->spans[i].ranges4);
        telescope_index_fini(&t->spans[i].index);
        free(t->spans[i].ranges6);
    }
    free(t->spans);
    free(t->prefixes);
    prefix_set_destroy(t->ever);
    free(t);
}

void telescope_dates_zone(struct telescope_dates *t, int64_t (*day_start)(int32_t date))
{
    for (size_t i = 0; i < t->span_count; i++) {
        struct telescope_span *s = &t->spans[i];
        s->start_ns = i == 0 ? INT64_MIN : day_start(s->from);
        s->end_ns = INT64_MAX;
        if (i > 0)
            s[-1].end_ns = s->start_ns;
    }
}

const struct telescope_span *telescope_dates_at(const struct telescope_dates *t, int64_t ts_ns)
{
    size_t low = 0, high = t->span_count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (t->spans[middle].start_ns <= ts_ns)
            low = middle;
        else
            high = middle;
    }
    return &t->spans[low];
}

const struct telescope_span *telescope_dates_on(const struct telescope_dates *t, int32_t date)
{
    size_t at = t->span_count - 1;
    while (at > 0 && t->spans[at].from > date)
        at--;
    return &t->spans[at];
}

bool telescope_dates_split(const struct telescope_dates *t, int64_t start_ns, int64_t span_ns)
{
    const struct telescope_span *s = telescope_dates_at(t, start_ns);
    return s->end_ns != INT64_MAX && (uint64_t)s->end_ns - (uint64_t)start_ns < (uint64_t)span_ns;
}

uint32_t telescope_span_index6(const struct telescope_span *s, const uint8_t address[16])
{
    unsigned __int128 a = prefix_number(address, 6);
    size_t low = 0, high = s->range6_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (s->ranges6[middle].last < a)
            low = middle + 1;
        else
            high = middle;
    }
    return low < s->range6_count && s->ranges6[low].first <= a ? s->ranges6[low].number
                                                               : TELESCOPE_NONE;
}
