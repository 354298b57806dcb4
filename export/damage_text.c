#include "export/damage_text.h"

#include "export/text.h"

static const struct {
    const char *name, *label, *many;
} kinds[DAMAGE_KINDS] = {
    [DAMAGE_BROKEN] = {"damaged", "damaged", "damaged"},
    [DAMAGE_FOREIGN] = {"foreign", "no capture", "no captures"},
    [DAMAGE_UNREAD] = {"unread", "not read", "not read"},
};

const char *damage_kind_name(enum damage_kind kind) { return kinds[kind].name; }

const char *damage_kind_label(enum damage_kind kind) { return kinds[kind].label; }

const char *damage_place(const struct damage *d, char text[DAMAGE_PLACE])
{
    bool has_place = d->kind == DAMAGE_BROKEN || d->offset > 0;
    text[0] = '\0';
    if (d->offset_to > d->offset)
        (void)snprintf(text, DAMAGE_PLACE, "bytes %llu to %llu: ", (unsigned long long)d->offset,
                       (unsigned long long)d->offset_to);
    else if (has_place)
        (void)snprintf(text, DAMAGE_PLACE, "byte %llu: ", (unsigned long long)d->offset);
    return text;
}

/* What is said of one input stands together. */
static uint64_t count_inputs(const struct damage_list *list, enum damage_kind kind)
{
    uint64_t count = 0;
    for (size_t i = 0; i < list->count; i++) {
        bool is_new = list->at[i].kind == kind;
        for (size_t j = i; is_new && j > 0 && list->at[j - 1].input == list->at[i].input; j--)
            is_new = list->at[j - 1].kind != kind;
        count += is_new;
    }
    return count;
}

int damage_count_text(const struct damage_list *list, char *text, size_t size)
{
    size_t at = 0;
    if (list == NULL || list->count == 0)
        return snprintf(text, size, "none damaged");
    for (unsigned kind = 0; kind < DAMAGE_KINDS; kind++) {
        char number[TEXT_NUMBER];
        uint64_t count = count_inputs(list, kind);
        if (count > 0)
            at += (size_t)snprintf(at < size ? text + at : NULL, at < size ? size - at : 0,
                                   "%s%s %s", at > 0 ? ", " : "", text_number(count, number),
                                   count > 1 ? kinds[kind].many : kinds[kind].label);
    }
    return (int)at;
}
