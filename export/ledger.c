#include "export/ledger.h"

#include "export/saturate.h"
#include "export/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name, *en, *ja;
    size_t at;
} drops[DROP_COUNT] = {
#define X(name, en, ja) {#name, en, ja, offsetof(struct window_ledger, name)},
    LEDGER_DROPS(X)
#undef X
};

const char *ledger_drop_name(enum ledger_drop drop) { return drops[drop].name; }

uint64_t ledger_drop(const struct window_ledger *l, enum ledger_drop drop)
{
    return *(const uint64_t *)((const char *)l + drops[drop].at);
}

void ledger_drop_set(struct window_ledger *l, enum ledger_drop drop, uint64_t packets)
{
    *(uint64_t *)((char *)l + drops[drop].at) = packets;
}

uint64_t ledger_dropped(const struct window_ledger *l)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < DROP_COUNT; i++)
        saturate_add(&sum, ledger_drop(l, i));
    return sum;
}

uint64_t ledger_lost(const struct window_ledger *l)
{
    struct window_ledger wanted = *l;
    wanted.filtered = 0;
    return ledger_dropped(&wanted);
}

bool ledger_holds(const struct window_ledger *l)
{
    uint64_t sum = l->observed;
    saturate_add(&sum, ledger_dropped(l));
    return l->offered == sum;
}

void ledger_merge(struct window_ledger *into, const struct window_ledger *from)
{
    saturate_add(&into->offered, from->offered);
    saturate_add(&into->observed, from->observed);
    saturate_add(&into->late, from->late);
    into->unknown |= from->unknown;
    for (unsigned i = 0; i < DROP_COUNT; i++) {
        uint64_t sum = ledger_drop(into, i);
        saturate_add(&sum, ledger_drop(from, i));
        ledger_drop_set(into, i, sum);
    }
}

const char *ledger_dropped_text(const struct window_ledger *l, const char *joint, bool is_japanese,
                                char to[LEDGER_TEXT])
{
    static const enum ledger_drop order[DROP_COUNT] = {DROP_filtered,   DROP_ring_full,
                                                       DROP_nic_missed, DROP_nic_nombuf,
                                                       DROP_nic_error,  DROP_kernel};
    size_t len = 0;
    to[0] = '\0';
    for (unsigned i = 0; i < DROP_COUNT; i++) {
        char number[TEXT_NUMBER];
        enum ledger_drop drop = order[i];
        uint64_t packets = ledger_drop(l, drop);
        bool is_unknown = l->unknown >> drop & 1;
        if (i > 1 && packets == 0 && !is_unknown)
            continue;
        len += (size_t)snprintf(to + len, LEDGER_TEXT - len, "%s%s %s%s%s", i > 0 ? joint : "",
                                is_japanese ? drops[drop].ja : drops[drop].en,
                                is_unknown && packets > 0 && !is_japanese ? "at least " : "",
                                is_unknown && packets == 0 ? is_japanese ? "不明" : "unknown"
                                                           : text_number(packets, number),
                                is_unknown && packets > 0 && is_japanese ? "以上" : "");
        if (len >= LEDGER_TEXT)
            break;
    }
    return to;
}

const char *ledger_json(const struct window_ledger *l, const char *comma, const char *colon,
                        char into[LEDGER_JSON])
{
    size_t len = 0;
    for (unsigned i = 0; i < DROP_COUNT && len < LEDGER_JSON; i++) {
        uint64_t packets = ledger_drop(l, i);
        len += (size_t)snprintf(into + len, LEDGER_JSON - len, "%s\"%s\"%s", i > 0 ? comma : "",
                                drops[i].name, colon);
        if (len >= LEDGER_JSON)
            break;
        len += (size_t)(packets == 0 && l->unknown >> i & 1
                            ? snprintf(into + len, LEDGER_JSON - len, "\"unknown\"")
                            : snprintf(into + len, LEDGER_JSON - len, "%" PRIu64, packets));
    }
    return into;
}

const char *ledger_json_bounds(const struct window_ledger *l, char into[LEDGER_JSON])
{
    size_t len = (size_t)snprintf(into, LEDGER_JSON, "[");
    for (unsigned i = 0; i < DROP_COUNT; i++)
        if (l->unknown >> i & 1 && ledger_drop(l, i) > 0)
            len += (size_t)snprintf(into + len, LEDGER_JSON - len, "%s\"%s\"", len > 1 ? ", " : "",
                                    drops[i].name);
    snprintf(into + len, LEDGER_JSON - len, "]");
    return into;
}
