/* day_state: what the files of a Day's computation share. Nobody else includes it.
 *
 * Every number that is counted whole and without survey scanners is a cell. Of an IPv4 source it is known at
 * once whether it is taken out; of an IPv6 source only when its /64 is over, so what it adds to
 * `ex` is pending until then. Cells with something pending stand on a list, which is as long as there are cells,
 * however many sources a /64 has.
 */
#ifndef EXPORT_DAY_STATE_H
#define EXPORT_DAY_STATE_H

#include "capture/hash.h"
#include "export/day.h"
#include "export/day_span.h"

#include <stdbool.h>

struct cell {
    struct day_count count;
    uint64_t pending_packets, pending_sources; /* of the /64 being read */
    uint64_t source, source_ex;                /* the last counted: numbers in struct day */
    uint64_t group, group_ex;
};

struct class_cell {
    struct day_class count;
    uint64_t group;
    uint64_t source, source_scan; /* the last counted, in a span */
};

/* Counts of sources that may turn out to be a survey scanner or a conflict. */
struct group_class {
    uint64_t packets, scan_packets, sources, scan_sources;
};

enum { PLACE_total, PLACE_scan, PLACE_iot_strict, PLACE_iot_broad, PLACE_iot_bot, PLACE_CELLS };

struct place_cells {
    struct cell at[PLACE_CELLS];
};

struct as_row {
    uint32_t asn;
    uint32_t name_size;
    char *name; /* "" where none is known */
    struct place_cells cells;
};

/* What source days call by name. */
enum name_kind { NAME_payload, NAME_bot, NAME_organisation, NAME_block };

struct name_row {
    enum name_kind kind;
    const char *text;
    const struct rule *rule; /* of payload: NULL where the rule set does not know it */
    struct cell cell;        /* of payload and bot */
    struct class_cell class; /* of organisation and block */
};

enum {
    CATEGORY_other,
    CATEGORY_unknown,
    CATEGORY_unlisted,
    CATEGORY_OWN,
    CATEGORIES_MAX = CATEGORY_OWN + 2 * RULES_MAX,
    COUNTRIES = 26 * 26 + 1, /* the last: unknown */
    PLACES = 3,              /* kinds with ports */
    CLASSES = 256,           /* of the rule set's ports */
};

/* What becomes of the source in the columns ex. */
enum fate { FATE_in, FATE_out, FATE_pending };

/* Evidence at a kind and port, while a source is being added. */
struct evidence_at {
    uint64_t all, payload;
};

struct day {
    struct day_settings settings;
    const struct day_facts *facts;
    struct hash_key key;
    struct arena arena; /* of rows and names, begun anew with each date */
    int err;            /* -errno of what could not be kept */

    bool is_used; /* the tables hold something */
    bool has_ex;
    uint64_t survey_min_packets; /* of an IPv4 source */

    /* Several dates are summed up (day_span.h): what a /64 is, is known beforehand. */
    bool is_span, is_survey64;
    struct day_facts span_facts;
    struct source_day judged; /* date and address of the one before */

    /* The source being added. */
    struct source_day last; /* date and address of the one before */
    bool has_last;
    uint64_t source, group; /* numbers, from 1; a group is an IPv4 source or a /64 */
    enum fate fate;
    enum day_span_class span_class;                /* in a span */
    struct evidence_at evidence_at[PLACES][65536]; /* zero between sources */

    /* The /64 being read. */
    bool is_group_open;
    uint64_t group_packets;
    uint32_t group_targets;
    uint32_t group_target[2 * 65536];    /* the distinct ones */
    uint64_t group_bits[2 * 65536 / 64]; /* the same */
    struct group_class group_survey, group_kept;
    struct cell **pending;
    size_t pending_count, pending_size;

    struct cell kinds[KIND_COUNT], marks[SHARE_MARK_COUNT], notes[NOTE_COUNT];
    struct cell tools[TOOL_COUNT], tools_used[TOOL_COUNT], ip4;
    struct cell ports[PORT_PROTO_COUNT][65536];
    uint64_t has_port[PORT_PROTO_COUNT][65536 / 64]; /* a bit for each that is not zero */
    struct cell rules[RULES_MAX];                    /* by their ports */
    struct cell categories[CATEGORIES_MAX];
    const char *category_names[CATEGORIES_MAX];
    size_t category_count;
    uint16_t class_category[CLASSES];
    uint8_t class_iot[CLASSES]; /* enum day_iot */
    struct place_cells countries[COUNTRIES];
    struct class_cell survey, conflict, acknowledged, bogon;

    struct as_row **ases; /* open addressing */
    size_t as_count, as_size;
    struct name_row **names; /* likewise */
    size_t name_count, name_size;

    struct day_result result;
};

/* The category of a rule, by its index in `categories`; unknown where there are too many. */
unsigned day_category_of(const struct day *d, const struct rule *rule);
bool day_rule_is_iot(const struct rule *rule);

/* A source whose numbers are set: judged and counted. */
int day_count_source(struct day *d, const struct source_day *s, struct fault *fault);

/* What its /64 is told by. */
void day_group_take(struct day *d, const struct source_day *s);

/* Ends the /64 being read, if there is one: what is pending is decided. */
void day_group_end(struct day *d);

/* Rows by key, made where missing; NULL and d->err where they can't be. */
struct as_row *day_as(struct day *d, uint32_t asn, const char *name);
struct name_row *day_name(struct day *d, enum name_kind kind, const char *text);

/* From cells to rows. */
int day_result_build(struct day *d, struct fault *fault);

#endif
