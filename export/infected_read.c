#include "export/infected_read.h"

#include "export/feed_reader.h"
#include "export/source_walk.h"

#include <errno.h>
#include <string.h>

/* One record; what is damaged is passed over and named. */
static int take(struct infected *i, struct source_walk *w, const struct record_view *view,
                struct source_day_buffer *buffer, struct fault *fault)
{
    struct fault why;
    int err = record_unpack_source_day(buffer, view->body, view->body_len, &why);
    if (err == -EBADMSG) {
        w->cursor.is_ended = false; /* others follow */
        return feed_cursor_refuse(&w->cursor, why.text) < 0
                   ? fault_set(fault, ENOMEM, "no memory for infected hosts")
                   : 0;
    }
    if (err < 0)
        return fault_set(fault, -err, "%s", why.text);
    return infected_add(i, &buffer->day, fault);
}

/* Places that are damaged in a segment. */
static uint64_t damage_in(const struct feed_reader *r, size_t segment)
{
    const struct damage_list *list = feed_reader_damage(r);
    char path[FEED_PATH];
    uint64_t count = 0;
    feed_reader_path(r, segment, path);
    for (size_t n = 0; n < list->count; n++)
        count += strcmp(list->at[n].file, path) == 0;
    return count;
}

int infected_read(struct infected *i, struct report_feeds *feeds, size_t index,
                  const struct infected_list **list, struct fault *fault)
{
    struct feed_reader *reader;
    const struct feed_reader_date *place = report_feeds_place(feeds, index, &reader);
    struct source_walk w = {0};
    struct source_day_buffer buffer = {0};
    struct day_facts facts = {0};
    struct day_settings settings = {.survey = survey_defaults};
    struct record_view view;
    const char *unknown;
    uint64_t ipv4 = 0;
    int found;
    if (place->sources == FEED_NO_SEGMENT)
        return 0;
    found = source_walk_begin(&w, reader, place->sources, fault);
    if (found == 0)
        found = source_walk_facts(&w, &facts, &settings, fault);
    if (found >= 0) {
        bool has_ex = found > 0 && day_facts_ipv4(&facts, &ipv4, &unknown);
        static const uint8_t from[SOURCE_KEY];
        found = infected_begin(i, place->date, &settings.survey, has_ex, ipv4);
        if (found == 0)
            found = source_walk_seek(&w, from, fault);
    }
    while (found == 0 && (found = source_walk_next(&w, &view, fault)) > 0)
        found = take(i, &w, &view, &buffer, fault);
    if (found == 0)
        infected_lost(i, &facts.given_up, damage_in(reader, place->sources));
    day_facts_fini(&facts);
    source_walk_end(&w);
    source_day_buffer_free(&buffer);
    if (found == 0)
        found = infected_end(i, list, fault);
    return found < 0 ? found : 1;
}
