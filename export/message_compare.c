#include "export/message_compare.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { PATH = 96, DEPTH = 8 };

struct compare {
    const char *const *skip;
    char *why;
    size_t size;
    char path[PATH];
};

__attribute__((format(printf, 2, 3))) static bool differ(struct compare *c, const char *format, ...)
{
    char what[128];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    snprintf(c->why, c->size, "%s: %s", c->path, what);
    return false;
}

static bool is_skipped(const struct compare *c, const char *name)
{
    for (const char *const *at = c->skip; at != NULL && *at != NULL; at++)
        if (strcmp(*at, name) == 0)
            return true;
    return false;
}

static size_t value_size(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_ENUM:
        return sizeof(uint32_t);
    case PROTOBUF_C_TYPE_BOOL:
        return sizeof(protobuf_c_boolean);
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE:
        return sizeof(void *);
    case PROTOBUF_C_TYPE_BYTES:
        return sizeof(ProtobufCBinaryData);
    default:
        return sizeof(uint64_t);
    }
}

static bool messages_compare(struct compare *c, const ProtobufCMessage *a,
                             const ProtobufCMessage *b, unsigned depth);

static bool numbers_compare(struct compare *c, ProtobufCType type, const void *a, const void *b)
{
    uint64_t x = 0, y = 0;
    size_t size = value_size(type);
    if (memcmp(a, b, size) == 0)
        return true;
    memcpy(&x, a, size); /* little-endian */
    memcpy(&y, b, size);
    if (type == PROTOBUF_C_TYPE_SINT32 || type == PROTOBUF_C_TYPE_INT32)
        return differ(c, "%" PRId32 " and %" PRId32, (int32_t)x, (int32_t)y);
    if (type == PROTOBUF_C_TYPE_SINT64 || type == PROTOBUF_C_TYPE_INT64)
        return differ(c, "%" PRId64 " and %" PRId64, (int64_t)x, (int64_t)y);
    return differ(c, "%" PRIu64 " and %" PRIu64, x, y);
}

static bool values_compare(struct compare *c, ProtobufCType type, const char *a, const char *b,
                           unsigned depth)
{
    const void *x, *y;
    if (type == PROTOBUF_C_TYPE_BYTES) {
        const ProtobufCBinaryData *p = (const void *)a, *q = (const void *)b;
        return (p->len == q->len && (p->len == 0 || memcmp(p->data, q->data, p->len) == 0)) ||
               differ(c, "bytes differ");
    }
    if (type != PROTOBUF_C_TYPE_STRING && type != PROTOBUF_C_TYPE_MESSAGE)
        return numbers_compare(c, type, a, b);
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    if (type == PROTOBUF_C_TYPE_STRING)
        return strcmp(x, y) == 0 ||
               differ(c, "\"%.40s\" and \"%.40s\"", (const char *)x, (const char *)y);
    if (x == NULL || y == NULL)
        return x == y || differ(c, "is there and is not");
    return messages_compare(c, x, y, depth + 1);
}

static bool fields_compare(struct compare *c, const ProtobufCFieldDescriptor *f, const char *a,
                           const char *b, unsigned depth)
{
    size_t n, m, each = value_size(f->type), len = strlen(c->path);
    if (f->label != PROTOBUF_C_LABEL_REPEATED)
        return values_compare(c, f->type, a + f->offset, b + f->offset, depth);
    memcpy(&n, a + f->quantifier_offset, sizeof n);
    memcpy(&m, b + f->quantifier_offset, sizeof m);
    if (n != m)
        return differ(c, "%zu rows and %zu", n, m);
    const char *x, *y;
    memcpy(&x, a + f->offset, sizeof x);
    memcpy(&y, b + f->offset, sizeof y);
    for (size_t i = 0; i < n; i++) {
        snprintf(c->path + len, PATH - len, "[%zu]", i);
        if (!values_compare(c, f->type, x + i * each, y + i * each, depth))
            return false;
    }
    return true;
}

static bool messages_compare(struct compare *c, const ProtobufCMessage *a,
                             const ProtobufCMessage *b, unsigned depth)
{
    const ProtobufCMessageDescriptor *d = a->descriptor;
    size_t len = strlen(c->path);
    if (depth > DEPTH)
        return differ(c, "too deep");
    for (unsigned i = 0; i < d->n_fields; i++) {
        if (is_skipped(c, d->fields[i].name))
            continue;
        snprintf(c->path + len, PATH - len, "%s%s", len > 0 ? "." : "", d->fields[i].name);
        if (!fields_compare(c, &d->fields[i], (const char *)a, (const char *)b, depth))
            return false;
        c->path[len] = '\0';
    }
    return true;
}

bool message_equal(const ProtobufCMessage *a, const ProtobufCMessage *b, const char *const *skip,
                   char *why, size_t size)
{
    struct compare c = {.skip = skip, .why = why, .size = size};
    return messages_compare(&c, a, b, 0);
}
