#include "export/event_check.h"

#include "capture/hash.h"

#include <stdlib.h>
#include <string.h>

/* An event that goes on. */
struct open_event {
    uint64_t id;
    int64_t first_ns, time_ns;
    uint32_t next; /* update; 0: no entry */
    uint8_t type;
};

/* Open addressing, keyed since the ids are a stranger's; an entry that goes moves those behind it up. */
struct event_check {
    struct open_event *at;
    size_t used, size; /* size: a power of two, or 0 */
    struct hash_key key;
    bool has_last, has_hole, has_window;
    struct event last;
    int64_t end_ns; /* of the latest window */
};

struct event_check *event_check_create(void)
{
    struct event_check *c = calloc(1, sizeof *c);
    if (c != NULL)
        hash_key_init(&c->key);
    return c;
}

void event_check_destroy(struct event_check *c)
{
    if (c != NULL)
        free(c->at);
    free(c);
}

void event_check_between(struct event_check *c) { c->has_last = false; }
void event_check_hole(struct event_check *c) { c->has_hole = true; }

void event_check_window(struct event_check *c, int64_t end_ns)
{
    if (!c->has_window || end_ns > c->end_ns)
        c->end_ns = end_ns;
    c->has_window = true;
}

size_t event_check_open(const struct event_check *c) { return c->used; }

static size_t home(const struct event_check *c, uint64_t id)
{
    return (size_t)hash_u64(&c->key, id) & (c->size - 1);
}

static struct open_event *open_find(const struct event_check *c, uint64_t id)
{
    size_t i = home(c, id);
    while (c->at[i].next != 0 && c->at[i].id != id)
        i = (i + 1) & (c->size - 1);
    return &c->at[i];
}

static bool grow(struct event_check *c)
{
    struct event_check grown = {.size = c->size == 0 ? 1024 : c->size * 2, .key = c->key};
    grown.at = calloc(grown.size, sizeof *grown.at);
    if (grown.at == NULL)
        return false;
    for (size_t i = 0; i < c->size; i++)
        if (c->at[i].next != 0)
            *open_find(&grown, c->at[i].id) = c->at[i];
    free(c->at);
    c->at = grown.at;
    c->size = grown.size;
    return true;
}

static void open_remove(struct event_check *c, struct open_event *gone)
{
    size_t mask = c->size - 1, hole = (size_t)(gone - c->at);
    for (size_t i = (hole + 1) & mask; c->at[i].next != 0; i = (i + 1) & mask) {
        if (((i - home(c, c->at[i].id)) & mask) < ((i - hole) & mask))
            continue; /* the hole is in front of its home */
        c->at[hole] = c->at[i];
        hole = i;
    }
    c->at[hole].next = 0;
    c->used--;
}

/* Against what is known of its id; takes it up. */
static const char *update_take(struct event_check *c, const struct event *e, bool *is_out)
{
    uint64_t id;
    memcpy(&id, e->id, sizeof id);
    if (c->used * 2 >= c->size && !grow(c)) {
        *is_out = true;
        return "no memory";
    }
    struct open_event *o = open_find(c, id);
    if (o->next == 0 && e->update > 0 && !c->has_hole)
        return "an update of an event that did not begin, or has ended";
    if (o->next > 0 && e->update != o->next)
        return "an update that does not follow the one before";
    if (o->next > 0 && (e->type != o->type || e->first_ns != o->first_ns))
        return "an update of another type or begin than its event";
    if (o->next > 0 && e->time_ns < o->time_ns)
        return "an update that was told before the one before it";
    if (e->phase == EVENT_ENDS) {
        if (o->next > 0)
            open_remove(c, o);
        return NULL;
    }
    if (e->update == UINT32_MAX)
        return "an update that none can follow";
    c->used += o->next == 0;
    *o = (struct open_event){.id = id,
                             .first_ns = e->first_ns,
                             .time_ns = e->time_ns,
                             .next = e->update + 1,
                             .type = (uint8_t)e->type};
    return NULL;
}

const char *event_check_take(struct event_check *c, const struct event *e, bool *is_out)
{
    *is_out = false;
    if (c->has_last && event_compare(&c->last, e) >= 0)
        return "events out of order";
    if (!c->has_hole && (!c->has_window || e->time_ns > c->end_ns))
        return "an event before the window that ends at its time";
    const char *wrong = update_take(c, e, is_out);
    c->last = *e;
    c->has_last = true;
    return wrong;
}
