#include "export/feed_id.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

static bool number_take(uint64_t *to, const char **at, const char *end)
{
    const char *begin = *at;
    for (*to = 0; *at < end && **at >= '0' && **at <= '9'; (*at)++)
        if (__builtin_mul_overflow(*to, 10, to) ||
            __builtin_add_overflow(*to, (uint64_t)(**at - '0'), to))
            return false;
    return *at > begin;
}

bool feed_id_parse(struct feed_id *out, const char *text, size_t len)
{
    const char *at = text, *end = text + len;
    return number_take(&out->ms, &at, end) && at < end && *at++ == '-' &&
           number_take(&out->n, &at, end) && at == end;
}

const char *feed_id_text(struct feed_id id, char text[FEED_ID_TEXT])
{
    (void)snprintf(text, FEED_ID_TEXT, "%" PRIu64 "-%" PRIu64, id.ms, id.n);
    return text;
}

const char *feed_id_words(struct feed_id id, char words[FEED_ID_WORDS])
{
    char text[FEED_ID_TEXT], when[40] = "";
    time_t seconds = (time_t)(id.ms / 1000);
    struct tm tm;
    if (gmtime_r(&seconds, &tm) == NULL || strftime(when, sizeof when, "%FT%TZ", &tm) == 0)
        when[0] = 0;
    (void)snprintf(words, FEED_ID_WORDS, "%s (%s)", feed_id_text(id, text),
                   when[0] != 0 ? when : "no time");
    return words;
}
