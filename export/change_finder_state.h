/* change_finder_state: what learning and saving share. Nobody else includes it. */
#ifndef EXPORT_CHANGE_FINDER_STATE_H
#define EXPORT_CHANGE_FINDER_STATE_H

#include "export/change_finder.h"
#include "export/change_model.h"

enum {
    CHANGE_KEYS = CHANGE_PROTOS << 16, /* proto << 16 | port */
    CHANGE_KEY_WORDS = CHANGE_KEYS / 64,
    CHANGE_QUIET = CHANGE_FIRST + CHANGE_SECOND, /* bins below, until an alert is over */
    CHANGE_MODELLED = 5,                         /* sources: more of them begin a model */
    CHANGE_WEEK = 1008,                          /* bins */
    CHANGE_BRIDGED = 3,                          /* bins that may be missing */
};

/* Since when the score was above the threshold for the last time. */
struct change_calm {
    bool is_alarmed;
    uint8_t below; /* bins since, < CHANGE_QUIET */
};

struct change_series_state {
    struct change_model model;
    struct change_calm calm;
};

/* What a bin was, and what the model made of it. */
struct change_step {
    double sources, expected, deviation; /* expected, deviation: of log(1 + x) */
};

enum { CHANGE_STEPS = 2 };

struct change_port_state {
    struct change_series_state series;
    struct change_step steps[CHANGE_STEPS]; /* the bins before, the latest first */
    uint32_t key;
    uint16_t small; /* bins in a row with at most CHANGE_MODELLED sources, < CHANGE_WEEK */
};

struct change_finder {
    struct change_settings settings;
    int64_t last_ns;
    int64_t whole_ns; /* the last whole bin; INT64_MIN: none */
    struct change_pace pace;
    struct change_series_state sensor[2];
    struct change_model silent; /* of all ports that have no model */
    uint64_t seen[CHANGE_KEY_WORDS];
    struct change_port_state *ports; /* ascending by key */
    size_t port_count, port_size;
};

/* Room for so many ports. -ENOMEM. */
int change_finder_reserve(struct change_finder *f, size_t ports);

static inline bool change_bit(const uint64_t *words, uint32_t key)
{
    return words[key / 64] >> key % 64 & 1;
}

#endif
