#include "export/sink.h"

#include "export/sink_redis.h"

#include <errno.h>
#include <string.h>

/* A new sink is a line here. */
static const struct {
    const char *scheme;
    int (*open)(struct sink **out, const char *spec, const char *sensor, struct fault *fault);
} sinks[] = {
    {"redis://", sink_redis_open},
    {"rediss://", sink_redis_open},
    {"unix://", sink_redis_open},
};

int sink_open(struct sink **out, const char *spec, const char *sensor, struct fault *fault)
{
    *out = NULL;
    for (size_t i = 0; i < sizeof sinks / sizeof *sinks; i++)
        if (strncmp(spec, sinks[i].scheme, strlen(sinks[i].scheme)) == 0)
            return sinks[i].open(out, spec, sensor, fault);
    return fault_set(fault, EINVAL,
                     "'%.*s' names no sink: redis://..., rediss://..., unix://..., webhook:URL, "
                     "command:PATH, file:PATH",
                     (int)strcspn(spec, "/?@"), spec);
}
