#include "core/event_settings.h"

#include <errno.h>
#include <string.h>

struct event_settings event_settings_published(void)
{
    const int64_t second_ns = 1000000000;
    return (struct event_settings){
        .sensor = "",
        .window_span_ns = 60 * second_ns,
        .scan_idle_ns = 624 * second_ns,
        .scan_min_destinations = 10,
        .scan_min_rate = 10,
        .dos_idle_ns = 300 * second_ns,
        .dos_min_packets = 25,
        .dos_min_span_ns = 60 * second_ns,
        .dos_min_rate = 30,
        .watched_quiet_ns = 86400 * second_ns,
        .indicators = 10000,
        .every_ns = 3600 * second_ns,
        .memory = 1000000000,
    };
}

double event_settings_scale(const struct event_settings *s, int64_t ts_ns)
{
    if (!s->telescope)
        return 0;
    uint64_t size = prefix_set_ipv4_size(telescope_dates_at(s->telescope, ts_ns)->set);
    return size > 0 ? 4294967296.0 / (double)size : 0;
}

static bool word_is(const char *word, size_t len, const char *name)
{
    return strlen(name) == len && memcmp(word, name, len) == 0;
}

int event_types_parse(const char *text, uint32_t *types, struct fault *fault)
{
    *types = 0;
    if (strcmp(text, "none") == 0)
        return 0;
    for (const char *word = text;; word++) {
        size_t len = strcspn(word, ",");
        uint32_t found = word_is(word, len, "all") ? (1u << EVENT_TYPES) - 1 : 0;
        for (unsigned type = 0; type < EVENT_TYPES; type++)
            if (word_is(word, len, event_type_name((enum event_type)type)))
                found |= 1u << type;
        if (!found)
            return fault_set(fault, EINVAL,
                             "'%.*s' is no type of event: scan, dos, amplification, watched, "
                             "infected, indicator, new_activity; or all, or none",
                             (int)(len < 40 ? len : 40), word);
        *types |= found;
        word += len;
        if (*word == '\0')
            return 0;
    }
}
