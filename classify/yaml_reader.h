/* yaml_reader: the values of a YAML file, each with its place for messages.
 *
 * A reader over libyaml's event stream. Each function that reads a value begins at the value's first event
 * and ends at its last; what the shape does not ask for is refused where it begins, so nothing nests
 * deeper than the shape. Texts live in the arena. All return 0, or -errno with a fault that begins
 * "PATH:LINE:COLUMN: "; columns count characters from 1.
 */
#ifndef CLASSIFY_YAML_READER_H
#define CLASSIFY_YAML_READER_H

#include "capture/fault.h"
#include "classify/arena.h"
#include "classify/place.h"

#include <stdbool.h>
#include <stddef.h>
#include <yaml.h>

struct yaml_reader {
    yaml_parser_t parser;
    yaml_event_t event;
    const char *path; /* in messages */
    const unsigned char *bytes;
    size_t len;
    struct arena *arena;
    struct fault *fault;
    const void *context; /* the caller's */
    bool is_checked;     /* for being YAML to its end */
};

/* A key of a mapping: how its value is read, and into what. */
struct yaml_key {
    const char *name;
    int (*read)(struct yaml_reader *r, void *into);
    void *into;
    bool is_required;
};

enum { YAML_TEXT_MAX = 400, YAML_SHOWN = 48 };

/* Begins at the document's first event. Refuses an empty file. What is no YAML is refused as that, even where something before it
 * would be refused, too. Finish in any case. */
int yaml_reader_init(struct yaml_reader *r, struct arena *arena, const char *path,
                     const void *bytes, size_t len, struct fault *fault);
void yaml_reader_fini(struct yaml_reader *r);

/* Refuses anything behind the value that was read last. */
int yaml_reader_end(struct yaml_reader *r);

struct place yaml_reader_here(const struct yaml_reader *r);
int yaml_reader_refuse(struct yaml_reader *r, struct place place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int yaml_reader_no_memory(struct yaml_reader *r);

/* Text of the user's for a message: cut, and nothing that a terminal obeys. */
const char *yaml_reader_quoted(const char *text, char shown[YAML_SHOWN]);

/* Moves to the next event; anchors, aliases and tags are refused. */
int yaml_reader_next(struct yaml_reader *r);

/* The text at hand as it stands in the file, empty or with control characters, but without zero bytes; valid
 * until the next event. *text and *len are set in any case. */
int yaml_reader_scalar(struct yaml_reader *r, const char **text, size_t *len);

/* Text of 1 to YAML_TEXT_MAX bytes without control characters, into a const char *. */
int yaml_reader_text(struct yaml_reader *r, void *into);

/* The same for people: no number, truth value or nothing without quotes. */
int yaml_reader_words(struct yaml_reader *r, void *into);

/* Text of at most `max` of the characters of `allowed`. */
int yaml_reader_word(struct yaml_reader *r, void *into, const char *allowed, size_t max);

/* `true` or `false`, into a bool. */
int yaml_reader_bool(struct yaml_reader *r, void *into);

/* A mapping of at most 32 keys: each at most once, the required ones there. */
int yaml_reader_mapping(struct yaml_reader *r, const struct yaml_key *keys, size_t count);

/* A list of 0 to `max` values, each read by `read` into `into`; *count: how many those were. */
int yaml_reader_entries(struct yaml_reader *r, size_t max, const char *of_what,
                        int (*read)(struct yaml_reader *r, void *into), void *into, size_t *count);

/* A list of 1 to `max` values, each read by `read` into `into`. */
int yaml_reader_list(struct yaml_reader *r, size_t max, const char *of_what,
                     int (*read)(struct yaml_reader *r, void *into), void *into);

/* A list of texts, joined by blanks into *joined; each goes through `take` first, if there is one. */
int yaml_reader_texts(struct yaml_reader *r, size_t max, const char **joined,
                      int (*take)(struct yaml_reader *r, void *into, const char *text), void *into);

#endif
