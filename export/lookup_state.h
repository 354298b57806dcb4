/* lookup_state: what the files of lookup share. Nobody else includes it. */
#ifndef EXPORT_LOOKUP_STATE_H
#define EXPORT_LOOKUP_STATE_H

#include "export/feed_reader.h"
#include "export/lookup.h"
#include "export/source_index.h"
#include "export/source_walk.h"

struct lookup {
    struct lookup_settings settings;
    struct report_feeds *feeds;
    struct feed_progress *progress; /* or NULL */
    struct day *tables;
    struct source_day_buffer source, judged;
    struct source_targets targets;
    struct geo_as as;   /* of l->source */
    struct arena texts; /* of the answer */
    struct lookup_source by_source;
    struct lookup_port by_port;
    bool is_unwritable; /* an index could not be kept */
    char unwritable[256];
    struct report_note notes[16];
    char index_note[2][400];
};

int lookup_no_memory(struct fault *fault);

/* Whether a date was asked about. */
bool lookup_wants(const struct lookup *l, int32_t date);

/* The index of a date's source days, made where there is none (or `again`). 1; 0: there can be none; -errno and a fault. */
int lookup_index(struct lookup *l, struct feed_reader *r, size_t segment, bool again,
                 struct source_index **out, struct fault *fault);

/* Unpacks a source day into l->source, and asks the operator's databases where the feed knows no country or AS. 1;
 * 0: it is damaged (and named); -ENOMEM and a fault. */
int lookup_unpack(struct lookup *l, struct source_walk *w, const struct record_view *view,
                  struct fault *fault);

/* What a source day says of a source, for a list of them. `class` is added to what it has. */
void lookup_row_of(struct lookup_row *row, const struct source_day *s);
void lookup_row_port(struct lookup_row *row, const struct source_day *s, uint64_t *most);

void lookup_source_clear(struct lookup_source *s);
void lookup_port_clear(struct lookup_port *p);

/* The events that the filter takes, of the dates asked about, and of one AS where `asn` is not 0. -ENOMEM, -errno and a fault. */
struct event_filter;
int lookup_events_find(struct lookup *l, const struct event_filter *filter, uint32_t asn,
                       struct lookup_events *out, struct fault *fault);
void lookup_events_clear(struct lookup_events *e);

/* "events": [...], "events_total": N */
void lookup_events_json(FILE *out, const struct lookup_events *e);

/* A table; nothing where there are none. -ENOMEM. */
struct text;
int lookup_events_text(const struct text *text, const struct lookup_events *e, bool is_japanese);

void lookup_step(struct lookup *l, size_t more); /* of the progress */

#endif
