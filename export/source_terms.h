/* source_terms: the terms of an index while it is made, and their postings, each term's in the order in which they come.
 *
 *   source_terms_open -> number, post, count, any number -> place -> write -> fini
 *
 * Postings of a hundred thousand terms come mixed. Each term gathers its own in SOURCE_TERM bytes together with its sums, two cache
 * lines; what fills up goes to a file without a name, in turn; at the end that is read once and every piece put into its place. So the
 * source days are read once, and a posting costs one access to memory that no cache holds.
 *
 * Memory: SOURCE_TERM bytes for each term, twice that while the table grows, and 4 to 16 for finding it; 1 MB. The file: the postings
 * and about a tenth. One owner. Only source_index_build.c includes it.
 */
#ifndef EXPORT_SOURCE_TERMS_H
#define EXPORT_SOURCE_TERMS_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { SOURCE_TERM = 128, SOURCE_TERM_HELD = SOURCE_TERM - 49, SOURCE_PORTS = 2 << 16 };

struct source_term {
    uint64_t key;
    uint64_t bytes;  /* of its postings */
    uint64_t at;     /* where they begin: valid once they have their places */
    uint64_t record; /* of the last posting; then: bytes that are in their place */
    uint64_t packets, sources;
    uint8_t held; /* bytes of postings that are here still, the last ones */
    uint8_t postings[SOURCE_TERM_HELD];
};
static_assert(sizeof(struct source_term) == SOURCE_TERM, "two cache lines");

struct source_terms {
    struct source_term *at;
    uint32_t count, size;
    uint32_t *found; /* by hash: number + 1 of a term; 0: none */
    uint32_t found_size;
    uint32_t *ports;  /* by protocol and port: number + 1; 0: none */
    uint32_t *order;  /* by key; made with the places */
    FILE *spill;      /* pieces: number, length, bytes */
    uint64_t spilled; /* of them */
};

/* `dir`: where the file lies while it is needed. -ENOMEM, -errno; the caller finishes in any case. */
int source_terms_open(struct source_terms *t, const char *dir);
void source_terms_fini(struct source_terms *t); /* accepts all zero */

/* Number of a key's term, made where it is missing; of a port's, which is found faster. -ENOMEM; -E2BIG beyond INDEX_TERMS_MAX. */
int64_t source_terms_number(struct source_terms *t, uint64_t key);
int64_t source_terms_port(struct source_terms *t, unsigned proto, uint16_t port);

/* It will be posted to soon. */
static inline void source_terms_expect(const struct source_terms *t, int64_t number)
{
    __builtin_prefetch(&t->at[number], 1);
    __builtin_prefetch((const uint8_t *)&t->at[number] + SOURCE_TERM / 2, 1);
}

/* A posting of `count` numbers (1 to 4): the byte of a source's record, which ascends; its packets; more. -errno: the file. */
int source_terms_post(struct source_terms *t, int64_t number, const uint64_t *numbers,
                      unsigned count);

/* A term without postings counts a source. */
void source_terms_count(struct source_terms *t, int64_t number, uint64_t packets);

/* Puts the terms in order and gives each its place from byte `at` on: where the postings end. 0: no memory. */
uint64_t source_terms_place(struct source_terms *t, uint64_t at);

/* Puts the postings into their places in `map`. -errno: the file. */
int source_terms_write(struct source_terms *t, uint8_t *map);

/* The i-th by key. */
static inline const struct source_term *source_terms_by_key(const struct source_terms *t,
                                                            uint32_t i)
{
    return &t->at[t->order[i]];
}

#endif
