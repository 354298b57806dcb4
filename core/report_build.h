/* report_build: the spans of a report, one after the other.
 *
 * Reads days where the feeds have them, else windows; hours always from windows. Main thread.
 */
#ifndef CORE_REPORT_BUILD_H
#define CORE_REPORT_BUILD_H

#include "export/report_feeds.h"

struct report_build {
    struct report_feeds *feeds;
    const struct ruleset *rules;
    enum span_unit per;
    /* Takes each span of the series as it is whole; it is freed afterwards. NULL: not wanted. */
    void (*take)(void *context, const struct span *s);
    void *context;
};

/* Makes the spans of `per`, ascending. For SPAN_all there is none. 0 or -errno and a fault. */
int report_build_series(const struct report_build *b, struct fault *fault);

/* All there is as one span: from days, else from windows. *out is NULL where there is nothing; the caller destroys it. */
int report_build_whole(const struct report_build *b, struct span **out, struct fault *fault);

#endif
