/* Gaps of several feeds, among the windows of the merged one. */
#include "export/feed_merge_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int merge_gap_note(struct feed_merge *m, const struct feed_cursor *c,
                   const struct record_view *view, const char *sensor, struct fault *fault)
{
    struct merge_gap gap;
    struct fault why;
    int err = record_unpack_gap(&gap.of, &gap.sensor, view->body, view->body_len, &why);
    if (err != 0)
        return err == -ENOMEM ? merge_no_memory(fault) : merge_refuse(c, why.text, fault);
    if (gap.sensor[0] == '\0') {
        free(gap.sensor);
        gap.sensor = strdup(sensor);
    }
    struct merge_gap *grown =
        gap.sensor == NULL ? NULL : realloc(m->gaps, (m->gap_count + 1) * sizeof *grown);
    if (grown == NULL) {
        free(gap.sensor);
        return merge_no_memory(fault);
    }
    gap.of.sensor = gap.sensor;
    m->gaps = grown;
    m->gaps[m->gap_count++] = gap;
    return 0;
}

static int by_gap(const void *a, const void *b)
{
    return feed_gap_order(&((const struct merge_gap *)a)->of, &((const struct merge_gap *)b)->of);
}

void merge_gaps_sort(struct feed_merge *m)
{
    if (m->gap_count > 0)
        qsort(m->gaps, m->gap_count, sizeof *m->gaps, by_gap);
    m->gap_next = 0;
}

int merge_gaps_write(struct feed_merge *m, int64_t up_to_ns, struct fault *fault)
{
    int err = 0;
    while (err == 0 && m->gap_next < m->gap_count && m->gaps[m->gap_next].of.from_ns <= up_to_ns) {
        err = feed_log_append_gap(m->log, &m->gaps[m->gap_next].of, fault);
        m->gap_next += err == 0;
        m->summary.gaps += err == 0;
    }
    return err;
}

void merge_gaps_fini(struct feed_merge *m)
{
    for (size_t i = 0; i < m->gap_count; i++)
        free(m->gaps[i].sensor);
    free(m->gaps);
}
