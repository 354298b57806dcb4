/* ledger: what became of every packet that was offered.
 *
 *   offered = observed + sum of dropped; observed = sum over kinds
 *
 * A reason that the backend can't see is `unknown`: what stands there is then a lower bound (0 unless merged), and so is
 * offered. Merged: values add, and unknown is what either did not know. Plain values, any thread its own.
 */
#ifndef EXPORT_LEDGER_H
#define EXPORT_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* name; English; Japanese. In the order of replay --json. */
#define LEDGER_DROPS(X)                               \
    X(nic_missed, "NIC missed", "NIC取りこぼし")      \
    X(nic_nombuf, "no NIC buffer", "NICバッファ不足") \
    X(nic_error, "NIC errors", "NICエラー")           \
    X(kernel, "kernel", "カーネル")                   \
    X(ring_full, "full ring", "リング満杯")           \
    X(filtered, "filter", "フィルタ")

enum ledger_drop {
#define X(name, en, ja) DROP_##name,
    LEDGER_DROPS(X)
#undef X
        DROP_COUNT
};

struct window_ledger {
    uint64_t offered, observed;
#define X(name, en, ja) uint64_t name;
    LEDGER_DROPS(X)
#undef X
    uint64_t late;    /* of observed */
    uint32_t unknown; /* set of 1 << enum ledger_drop */
};

/* "nic_missed", ... */
const char *ledger_drop_name(enum ledger_drop drop);

uint64_t ledger_drop(const struct window_ledger *l, enum ledger_drop drop);
void ledger_drop_set(struct window_ledger *l, enum ledger_drop drop, uint64_t packets);

/* Both saturate. Lost: all that was dropped but not asked for (filtered). */
uint64_t ledger_dropped(const struct window_ledger *l);
uint64_t ledger_lost(const struct window_ledger *l);

/* What was offered without what a filter took out. */
static inline uint64_t ledger_wanted(const struct window_ledger *l)
{
    return l->offered - l->filtered;
}

/* Whether offered = observed + dropped. */
bool ledger_holds(const struct window_ledger *l);

/* Saturates: associative and commutative. */
void ledger_merge(struct window_ledger *into, const struct window_ledger *from);

/* "filter 0, full ring 0", then the other reasons that have packets or are unknown, joined by `joint`. Returns `to`. */
enum { LEDGER_TEXT = 416 };
const char *ledger_dropped_text(const struct window_ledger *l, const char *joint, bool is_japanese,
                                char to[LEDGER_TEXT]);

/* Reasons as the members of a JSON object, without braces: "nic_missed": 0, ... An unknown one without packets is "unknown";
 * with packets (merged) it is the number, a lower bound. Returns `into`. */
enum { LEDGER_JSON = 256 };
const char *ledger_json(const struct window_ledger *l, const char *comma, const char *colon,
                        char into[LEDGER_JSON]);

/* Those whose number is a lower bound: ["kernel"]; "[]": none. */
const char *ledger_json_bounds(const struct window_ledger *l, char into[LEDGER_JSON]);

#endif
