#include "core/watch_source.h"

#include "core/zone.h"
#include "export/calendar.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#define NS INT64_C(1000000000)

/* A folder is what nothing else is. */
static const struct watch_source_ops *const sources[] = {&watch_redis, &watch_http, &watch_feed};

int64_t watch_now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * NS + t.tv_nsec;
}

int64_t watch_begin_ns(int64_t newest_ns)
{
    int64_t day_ns = calendar_day_of(newest_ns).start_ns, series_ns;
    if (__builtin_sub_overflow(newest_ns, WATCH_SERIES_S * NS, &series_ns))
        series_ns = INT64_MIN;
    return series_ns < day_ns ? series_ns : day_ns;
}

int watch_source_open(struct watch_source **out, const struct watch_settings *s,
                      struct fault *fault)
{
    size_t i = 0;
    *out = NULL;
    while (!sources[i]->is(s->spec))
        i++;
    int err = sources[i]->open(out, s, fault);
    if (err < 0)
        return err;
    /* A zone is a file that the C library opens: not whatever a stranger names. */
    if ((*out)->zone[0] != '\0')
        err = zone_check((*out)->zone, s->spec, fault);
    if (err < 0) {
        (*out)->ops->close(*out);
        *out = NULL;
        fault->err = EPROTO;
        return -EPROTO;
    }
    return 0;
}
