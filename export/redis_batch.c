#include "export/redis_batch.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void redis_batch_reset(struct redis_batch *b)
{
    b->len = b->count = b->due = 0;
    b->is_short_of_memory = false;
}

void redis_batch_free(struct redis_batch *b)
{
    free(b->bytes);
    free(b->commands);
    *b = (struct redis_batch){0};
}

static uint8_t *room_make(struct redis_batch *b, size_t len)
{
    if (b->is_short_of_memory)
        return NULL;
    if (len > b->size - b->len) {
        size_t size = (b->len + len) * 2;
        uint8_t *grown = realloc(b->bytes, size);
        if (grown == NULL) {
            b->is_short_of_memory = true;
            return NULL;
        }
        b->bytes = grown;
        b->size = size;
    }
    uint8_t *at = b->bytes + b->len;
    b->len += len;
    return at;
}

static void raw_add(struct redis_batch *b, const void *bytes, size_t len)
{
    uint8_t *at = room_make(b, len);
    if (at != NULL && len > 0)
        memcpy(at, bytes, len);
    if (at != NULL)
        b->commands[b->count - 1].len += len;
}

void redis_batch_begin(struct redis_batch *b, size_t words)
{
    char head[32];
    assert(b->due == 0 && words > 0);
    b->due = words;
    if (b->count == b->room) {
        size_t room = b->room ? b->room * 2 : 64;
        struct redis_command *grown = realloc(b->commands, room * sizeof *grown);
        if (grown == NULL) {
            b->is_short_of_memory = true;
            return;
        }
        b->commands = grown;
        b->room = room;
    }
    b->commands[b->count++] = (struct redis_command){.at = b->len};
    raw_add(b, head, (size_t)snprintf(head, sizeof head, "*%zu\r\n", words));
}

void redis_batch_bytes(struct redis_batch *b, const void *bytes, size_t len)
{
    char head[32];
    assert(b->due > 0);
    b->due--;
    if (b->is_short_of_memory)
        return;
    raw_add(b, head, (size_t)snprintf(head, sizeof head, "$%zu\r\n", len));
    raw_add(b, bytes, len);
    raw_add(b, "\r\n", 2);
}

void redis_batch_text(struct redis_batch *b, const char *text)
{
    redis_batch_bytes(b, text, strlen(text));
}

void redis_batch_number(struct redis_batch *b, uint64_t n)
{
    char text[24];
    redis_batch_bytes(b, text, (size_t)snprintf(text, sizeof text, "%" PRIu64, n));
}

void redis_batch_words(struct redis_batch *b, ...)
{
    va_list words;
    size_t count = 0;
    va_start(words, b);
    while (va_arg(words, const char *) != NULL)
        count++;
    va_end(words);
    redis_batch_begin(b, count);
    va_start(words, b);
    for (const char *word; (word = va_arg(words, const char *)) != NULL;)
        redis_batch_text(b, word);
    va_end(words);
}

void redis_batch_copy(struct redis_batch *b, const struct redis_batch *from, size_t command)
{
    redis_batch_begin(b, 1);
    b->due = 0;
    if (b->is_short_of_memory)
        return;
    b->len = b->commands[b->count - 1].at; /* its own first line comes with the copy */
    b->commands[b->count - 1].len = 0;
    raw_add(b, from->bytes + from->commands[command].at, from->commands[command].len);
}

bool redis_batch_holds(const struct redis_batch *b)
{
    return !b->is_short_of_memory && b->due == 0;
}

/* The word at `at`, "$LEN\r\nBYTES\r\n"; *at goes behind it. */
static const char *word_at(const struct redis_batch *b, size_t *at, size_t end, int *len)
{
    const char *begin = (const char *)b->bytes + *at;
    const char *line = *at < end ? memchr(begin, '\n', end - *at) : NULL;
    if (line == NULL || *begin != '$')
        return NULL;
    size_t size = strtoul(begin + 1, NULL, 10), left = end - *at - (size_t)(line + 1 - begin);
    *len = (int)(size < left ? size : left);
    *at += (size_t)(line + 1 - begin) + size + 2;
    return line + 1;
}

const char *redis_batch_describe(const struct redis_batch *b, size_t command,
                                 char text[REDIS_COMMAND_TEXT])
{
    const struct redis_command *c = &b->commands[command];
    size_t at = c->at, end = c->at + c->len, used = 0;
    const uint8_t *line = memchr(b->bytes + at, '\n', c->len);
    text[0] = 0;
    at = line != NULL ? (size_t)(line + 1 - b->bytes) : end;
    for (unsigned i = 0; i < 2 && used < REDIS_COMMAND_TEXT; i++) {
        int len;
        const char *word = word_at(b, &at, end, &len);
        if (word == NULL)
            break;
        /* AUTH's words are a user and a password. */
        if (i == 1 && strcmp(text, "AUTH") == 0)
            break;
        used += (size_t)snprintf(text + used, REDIS_COMMAND_TEXT - used, "%s%.*s", i > 0 ? " " : "",
                                 len < 90 ? len : 90, word);
    }
    return text;
}
