#include "export/source_walk.h"

#include <errno.h>
#include <string.h>

int source_walk_begin(struct source_walk *w, struct feed_reader *r, size_t segment,
                      struct fault *fault)
{
    *w = (struct source_walk){0};
    return feed_cursor_begin(&w->cursor, r, segment, fault);
}

void source_walk_end(struct source_walk *w)
{
    feed_cursor_end(&w->cursor);
    *w = (struct source_walk){0};
}

int source_walk_facts(struct source_walk *w, struct day_facts *facts, struct day_settings *settings,
                      struct fault *fault)
{
    struct record_view view;
    struct day_basis rules;
    struct fault why;
    int found;
    while ((found = feed_cursor_next(&w->cursor, &view, fault)) > 0)
        if (view.body_kind != RECORD_header)
            break;
    if (found <= 0)
        return found;
    int err =
        view.body_kind != RECORD_day_begin
            ? fault_set(&why, EBADMSG, "is no DayBegin")
            : record_unpack_day_begin(facts, settings, &rules, view.body, view.body_len, &why);
    if (err == 0)
        return 1;
    if (view.body_kind == RECORD_day_begin)
        day_facts_fini(facts);
    if (err == -ENOMEM || feed_cursor_refuse(&w->cursor, why.text) < 0)
        return fault_set(fault, ENOMEM, "%.100s: no memory", feed_reader_name(w->cursor.reader));
    return 0;
}

/* Of the record that the cursor stands before: < 0 it is before `key` (or no source day yet), else not; `*behind`: where
 * the next one begins. */
static int record_order(struct feed_cursor *c, const uint8_t key[SOURCE_KEY], uint64_t *behind,
                        int *err, struct fault *fault)
{
    struct record_view view;
    uint8_t found[SOURCE_KEY];
    size_t shown;
    *err = feed_cursor_peek(c, &view, &shown, fault);
    if (*err <= 0)
        return 1;
    *behind = c->next + c->skip;
    if (view.body_kind == RECORD_header || view.body_kind == RECORD_day_begin)
        return -1;
    if (view.body_kind != RECORD_source_day || !source_key_parse(view.body, shown, found))
        return 1;
    return memcmp(found, key, SOURCE_KEY);
}

int source_walk_seek(struct source_walk *w, const uint8_t key[SOURCE_KEY], struct fault *fault)
{
    /* Records that begin before `low` are before the key, those that begin at `high` or behind it are not. */
    struct feed_cursor *c = &w->cursor;
    uint64_t low = 0, high = c->size, behind = 0;
    int err;
    w->has_key = false;
    memcpy(w->from, key, SOURCE_KEY);
    while (high - low > FEED_CURSOR) {
        uint64_t middle = low + (high - low) / 2;
        int found = feed_cursor_land(c, middle, high, fault);
        if (found < 0)
            return found;
        int order = found == 0 ? 1 : record_order(c, key, &behind, &err, fault);
        if (found > 0 && err < 0)
            return err;
        if (order < 0)
            low = behind;
        else
            high = middle;
    }
    return feed_cursor_stand(c, low,
                             fault); /* source_walk_next passes over the few before the key */
}

/* What follows damage: 1, the cursor stands at a record again; 0: none does. */
static int damage_pass(struct feed_cursor *c, struct fault *fault)
{
    return c->next >= c->size ? 0 : feed_cursor_land(c, c->next + 1, c->size, fault);
}

int source_walk_next(struct source_walk *w, struct record_view *view, struct fault *fault)
{
    struct feed_cursor *c = &w->cursor;
    for (;;) {
        uint8_t key[SOURCE_KEY];
        c->is_damaged = false;
        int found = feed_cursor_next(c, view, fault);
        if (found == 0 && c->is_damaged)
            found = damage_pass(c, fault) > 0 ? 1 : 0;
        else if (found > 0 && view->body_kind == RECORD_close)
            found = 0;
        if (found <= 0)
            return found;
        if (c->is_damaged || view->body_kind != RECORD_source_day)
            continue;
        if (source_key_parse(view->body, view->body_len, key) &&
            (!w->has_key || memcmp(w->key, key, SOURCE_KEY) < 0)) {
            memcpy(w->key, key, SOURCE_KEY);
            w->has_key = true;
            if (memcmp(key, w->from, SOURCE_KEY) >= 0)
                return 1;
            continue;
        }
        if (feed_cursor_refuse(c, "source days are out of order") < 0)
            return fault_set(fault, ENOMEM, "%.100s: no memory", feed_reader_name(c->reader));
        c->is_ended = false;
    }
}

int source_walk_at(struct source_walk *w, uint64_t at, struct record_view *view,
                   struct fault *fault)
{
    struct feed_cursor *c = &w->cursor;
    int found = feed_cursor_land(c, at, at + 1, fault);
    if (found > 0)
        found = feed_cursor_next(c, view, fault);
    if (found <= 0)
        return found;
    w->has_key = view->body_kind == RECORD_source_day &&
                 source_key_parse(view->body, view->body_len, w->key);
    return w->has_key;
}
