/* day_make: what a Day is made of beside its sources' counts: facts, origins. For whoever finishes a date. */
#ifndef CORE_DAY_MAKE_H
#define CORE_DAY_MAKE_H

#include "core/day_journal.h"
#include "core/day_store.h"

/* The facts of a date, but for what its packets were labelled by; caller finishes them. 0, or -errno and a fault. Ends the program where memory ends. */
int day_make_facts(struct day_facts *f, const struct day_store_settings *settings,
                   const struct calendar_day *of, const struct journal_sums *sums,
                   uint32_t revision, struct fault *fault);

/* That they were labelled by what is in the settings. */
void day_make_basis(struct day_facts *f, const struct day_store_settings *settings);

/* IPv4 addresses of the telescope on that date; 0 where none is configured. */
uint64_t day_make_ipv4(const struct day_store_settings *settings, int32_t date);

/* Who a source is; texts belong to the origins. */
void day_make_origin(const struct origins *origins, struct source_day *d, struct origin *found);

/* Whether the source showed what no survey scanner shows. */
bool day_make_is_attacker(const struct ruleset *rules, const struct source_day *d);

#endif
