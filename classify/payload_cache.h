/* payload_cache: bytes that took long to make, kept on disk under a digest of what they were made of.
 *
 * Nothing here fails: what can't be read, is not whole, or does not belong to this user is as if it were
 * not there, and what can't be written is not kept.
 */
#ifndef CLASSIFY_PAYLOAD_CACHE_H
#define CLASSIFY_PAYLOAD_CACHE_H

#include <stddef.h>

/* The bytes kept under `key` (a file name's worth of hex digits); NULL: none. Caller frees. `dir` as in
 * struct payload_settings. */
void *payload_cache_read(const char *dir, const char *key, size_t *len);

/* Keeps them: written beside under a temporary name, then renamed. */
void payload_cache_write(const char *dir, const char *key, const void *bytes, size_t len);

#endif
