/* http_body: bytes that many connections send, made once.
 *
 * Counted references; the bytes never change. Any thread.
 */
#ifndef EXPORT_HTTP_BODY_H
#define EXPORT_HTTP_BODY_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct http_body {
    atomic_uint users;
    uint64_t seq;  /* of an event: the record that it tells of */
    int64_t at_ns; /* of an event: when it came, on the monotonic clock */
    size_t len;
    char *bytes;                    /* malloced */
    struct http_body *_Atomic gzip; /* made when it was asked for first; owned */
};

/* Takes malloced bytes, with one reference; frees them where memory ended: NULL. */
struct http_body *http_body_create(char *bytes, size_t len);
struct http_body *http_body_take(struct http_body *b); /* one reference more; returns `b` */
void http_body_release(struct http_body *b);           /* accepts NULL */

/* The bytes gzipped, made once; valid as long as `b`. NULL where memory ended. */
struct http_body *http_body_gzip(struct http_body *b);

/* A stream into memory. http_memory_end gives the body; NULL where memory ended. */
struct http_memory {
    FILE *out;
    char *text;
    size_t size;
};
int http_memory_begin(struct http_memory *m); /* 0, -errno */
struct http_body *http_memory_end(struct http_memory *m);

#endif
