#include "core/tally_share.h"

#include "core/key_set.h"
#include "core/memory.h"
#include "core/tally_state.h"

#include <string.h>

void tally_stand_beside(struct tally *to, const struct tally *from)
{
    to->open = from->open;
    to->ages = from->ages;
    to->basis = from->basis;
    for (unsigned slot = 0; slot < WINDOW_SLOTS; slot++)
        to->slots[slot].basis = from->slots[slot].basis;
    memcpy(to->set_marks, from->set_marks, sizeof to->set_marks);
    memcpy(to->set_shows, from->set_shows, sizeof to->set_shows);
    memcpy(to->set_kinds, from->set_kinds, sizeof to->set_kinds);
    to->labels = from->labels;
    to->verdict_sets = from->verdict_sets;
    to->combos = from->combos; /* pairs that move say what they count by its numbers */
    to->evidence = from->evidence;
    to->current = from->current ? tally_day_at(to, &from->current->of) : NULL;
}

void tally_shard_move(struct tally *to, struct tally *from, unsigned shard)
{
    source_table_fini(&to->shards[shard]);
    to->shards[shard] = from->shards[shard];
    from->shards[shard] = (struct source_table){0};
    memory_must(source_table_init(&from->shards[shard], from->key, from->has_days, &from->slab) == 0
                    ? from
                    : NULL);
    to->begun[shard] = from->begun[shard];
    from->begun[shard] = (struct begun_pairs){0};
    for (unsigned i = 0; i < from->day_count; i++) {
        struct day_rows *rows = &from->days[i]->rows[shard];
        tally_day_at(to, &from->days[i]->of)->rows[shard] = *rows;
        *rows = (struct day_rows){0};
    }
    if (from->shown) {
        to->shown[shard] = from->shown[shard];
        from->shown[shard] = (struct key_set){0};
    }
}
