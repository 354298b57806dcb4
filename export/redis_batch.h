/* redis_batch: commands for a Redis, put together in its own protocol (RESP), to be sent at once and, in part, again.
 *
 * Arguments are bytes, of any value. Running out of memory is remembered: redis_batch_holds says so once at the end. One owner.
 */
#ifndef EXPORT_REDIS_BATCH_H
#define EXPORT_REDIS_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct redis_command {
    size_t at, len; /* its bytes */
};

/* Begins as all zero. */
struct redis_batch {
    uint8_t *bytes;
    size_t len, size;
    struct redis_command *commands;
    size_t count, room;
    size_t due; /* arguments that the last command still wants */
    bool is_short_of_memory;
};

void redis_batch_reset(struct redis_batch *b); /* empties it, keeps its memory */
void redis_batch_free(struct redis_batch *b);

/* Begins a command of so many words, its name among them; exactly so many must follow. */
void redis_batch_begin(struct redis_batch *b, size_t words);
void redis_batch_bytes(struct redis_batch *b, const void *bytes, size_t len);
void redis_batch_text(struct redis_batch *b, const char *text);
void redis_batch_number(struct redis_batch *b, uint64_t n);

/* A whole command of texts, ended by NULL. */
void redis_batch_words(struct redis_batch *b, ...) __attribute__((sentinel));

/* A command of another batch once more. */
void redis_batch_copy(struct redis_batch *b, const struct redis_batch *from, size_t command);

/* False: there was no memory for all of it; it must not be sent. */
bool redis_batch_holds(const struct redis_batch *b);

/* Name and key of a command, "ZADD yamiscope:{x}:...", cut to fit. For messages. Returns `text`. */
enum { REDIS_COMMAND_TEXT = 120 };
const char *redis_batch_describe(const struct redis_batch *b, size_t command,
                                 char text[REDIS_COMMAND_TEXT]);

#endif
