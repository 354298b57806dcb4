/* source_index: who was at a port, and who is in an AS, on one date, without reading its source days.
 *
 * A file beside the segment (YYYYMMDD-sources-NNNNNN.index), made from it alone in one reading and with bounded memory. It is
 * a copy for speed and never believed: it says of which segment it is (size, first seq, crc of the last record), every
 * part of it carries a checksum, and readers hold what it gives to the Day and to the records. What does not fit is made
 * again. It may be deleted at any time; whoever deletes the segment deletes it, too. Addresses do not stand in it.
 *
 *   header     INDEX_HEADER bytes
 *   postings   per port, of each source in the segment's order: varints of the record's byte minus the one before, packets, country
 *              (source_country), tools it uses (bits of enum tool); per AS the first alone
 *   names      of rules, each with a zero
 *   terms      INDEX_TERM bytes each, sorted: key, byte and length of its postings, packets, sources, their checksum, its own.
 *              Of evidence at a port there are no postings, nor of those whose packets there all show a payload's rule.
 *   All numbers little-endian, checksums CRC-32C.
 *
 * One thread per index; memory 64 KB for an open one, for making one 132 to 272 bytes for each port, AS and (port, rule) of the day
 * (INDEX_TERMS_MAX at most), 2 MB and a segment's cursor; the file is written through the page cache, as is one without a name that
 * holds its postings as they come.
 */
#ifndef EXPORT_SOURCE_INDEX_H
#define EXPORT_SOURCE_INDEX_H

#include "export/feed_reader.h"
#include "export/source_targets.h"

#include <stdatomic.h>

enum {
    INDEX_TERMS_MAX = 4 << 20, /* beyond it there is no index */
    INDEX_NAMES_MAX = 1 << 14, /* likewise: ids of rules */
    FACETS_TOP_MAX = 1000,
};

struct facet {
    uint64_t packets, sources;
};

struct facet_rule {
    const char *rule; /* of the facets' arena */
    uint8_t evidence;
    struct facet count;
};

/* A source at the port: where its record begins. */
struct facet_source {
    uint64_t at, packets;
};

/* Who was at a port on a date. */
struct port_facets {
    struct facet all, countries[SOURCE_COUNTRIES],
        tools[TOOL_COUNT];    /* tools: that the source uses */
    uint64_t shown;           /* sources all of whose packets there show a rule by their payload */
    struct facet_rule *rules; /* above `port`: by evidence, rule */
    size_t rule_count;
    struct facet_source *top; /* most packets first, then in the segment's order */
    size_t top_count, top_max;
    struct arena texts;
};

/* `top`: so many sources are kept, at most FACETS_TOP_MAX. -ENOMEM. */
int port_facets_init(struct port_facets *f, size_t top);
void port_facets_fini(struct port_facets *f); /* accepts all zero */

/* Counts a source whose record begins at `at`; `targets` are its own. -ENOMEM. Afterwards port_facets_end() once. */
int port_facets_add(struct port_facets *f, unsigned proto, uint16_t port, uint64_t at,
                    const struct source_day *s, const struct source_targets *targets);
void port_facets_end(struct port_facets *f);

struct source_index;

/* Opens the index of a segment of source days. 1; 0: there is none that fits; -ENOMEM. Caller closes. */
int source_index_open(struct source_index **out, const struct feed_reader *r, size_t segment);
void source_index_close(struct source_index *ix); /* accepts NULL */

/* The same of a file: what the segment is, as the index must say. */
struct source_index_of {
    uint64_t size, seq;
    uint32_t crc;
};
int source_index_open_file(struct source_index **out, const char *path,
                           const struct source_index_of *of);

/* Fills *f, which was initialised. 1; 0: the port had no packets; -EBADMSG: the index is wrong, *f is of no use;
 * -ENOMEM, -EIO. */
int source_index_port(struct source_index *ix, unsigned proto, uint16_t port,
                      struct port_facets *f);

/* The sources of an AS, one by one. */
struct source_index_list {
    struct source_index *index;
    uint64_t at, end; /* of the postings, in the file */
    uint64_t record, sources;
    uint8_t *bytes;
    size_t used, len;
};

/* 1; 0: it has no sources; -EBADMSG, -ENOMEM, -EIO. Ended by the caller in any case. */
int source_index_as(struct source_index *ix, uint32_t asn, struct source_index_list *list);
/* Byte of the next source's record: 1; 0: there is none; -EBADMSG, -EIO. */
int source_index_next(struct source_index_list *list, uint64_t *at);
void source_index_end(struct source_index_list *list); /* accepts all zero */

/* Makes the index of a segment, in place of any that is there. 1; 0: none was made, since the segment is damaged (it says so in
 * its list) or has more terms than the maxima; -errno and a fault: it can't be written. It ends soon, with -ECANCELED, when
 * *is_stopped (NULL: it is not) becomes true. */
int source_index_build(struct feed_reader *r, size_t segment, const atomic_bool *is_stopped,
                       struct fault *fault);

/* Path of a segment's index from the segment's own. False: it is no segment's. */
bool source_index_path(const char *segment, char path[FEED_PATH]);

#endif
