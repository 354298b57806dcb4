/* survey_list: who was a survey scanner on a day, apart from any table of sources: for windows of the next day.
 *
 * Made of a day's source days in their order, by what export/day.h says of a Day. It names the sources of that day for which
 * more is to be said than whether they are listed: survey scanners (IPv6: all sources of their /64), and listed
 * ones with evidence of a bot or an exploit, which stay. 24 bytes each. One thread makes it; then it does not change.
 */
#ifndef CORE_SURVEY_LIST_H
#define CORE_SURVEY_LIST_H

#include "classify/origin.h"
#include "export/day.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct survey_entry {
    uint8_t address[16];
    uint8_t ip_version;
    bool is_out;
};

struct survey_list {
    int32_t date;
    size_t count;
    struct survey_entry at[]; /* sorted: IPv4 first, then by address */
};

struct survey_maker;

/* `telescope_ipv4` > 0. Ends the program where memory ends, as all of these. */
struct survey_maker *survey_maker_create(const struct survey_settings *settings,
                                         uint64_t telescope_ipv4, int32_t date);
void survey_maker_destroy(struct survey_maker *m); /* accepts NULL */

/* The next source. `is_listed`: a bogon or acknowledged; `is_attacker`: evidence of a bot, or of an exploit. */
void survey_maker_take(struct survey_maker *m, const struct source_day *d, bool is_listed,
                       bool is_attacker);

/* The list; the caller's to free(). The maker is to be destroyed. */
struct survey_list *survey_maker_end(struct survey_maker *m);

/* A copy; the caller's to free(). NULL of NULL. */
struct survey_list *survey_list_copy(const struct survey_list *list);

/* Whether a source is taken out under the list, which may be NULL: nothing is known but who is listed. */
bool survey_list_takes(const struct survey_list *list, const uint8_t address[16],
                       unsigned ip_version, bool is_listed);

#endif
