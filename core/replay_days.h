/* replay_days: the days of a run, from its options to its feed. Part of the commands replay and live. */
#ifndef CORE_REPLAY_DAYS_H
#define CORE_REPLAY_DAYS_H

#include "core/config.h"
#include "core/day_store.h"
#include "core/setup.h"

struct replay_days {
    struct day_store_settings settings;
    bool is_counted;         /* days are wanted (no --no-sources) */
    struct day_store *store; /* of a replay that counts them */
    struct day_minutes minutes;
    struct tally_survey survey;
    struct day_basis *lists, databases[2];
    size_t list_count, database_count;
    char epochs[2][24];
};

/* `has_store`: a replay's. 0, or -errno and a fault. `config` and `setup` must outlive it. Caller finishes in any case. */
int replay_days_init(struct replay_days *d, const struct config *config, const struct setup *setup,
                     bool has_store, struct fault *fault);

/* The same but for the process's time zone, which is as it should be, and a store. */
int replay_days_fill(struct replay_days *d, const struct config *config, const struct setup *setup,
                     struct fault *fault);

void replay_days_fini(struct replay_days *d); /* also of a zeroed one */

/* What windows take out by; NULL: it is not known, and why is in replay_days_ex_absent, "" otherwise. */
const struct tally_survey *replay_days_survey(const struct replay_days *d);
const char *replay_days_ex_absent(const struct replay_days *d);

/* What the feed says of its days. */
void replay_days_identify(const struct replay_days *d, struct feed_identity *identity);

#endif
