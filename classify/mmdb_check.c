#include "classify/mmdb_check.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const char marker[] = "\xab\xcd\xefMaxMind.com";

enum { MARKER_LEN = sizeof marker - 1, SEPARATOR = 16, METADATA_MAX = 128 << 10 };

enum value_type { /* as the format numbers them */
                  TYPE_POINTER = 1,
                  TYPE_TEXT = 2,
                  TYPE_DOUBLE = 3,
                  TYPE_BYTES = 4,
                  TYPE_UINT16 = 5,
                  TYPE_UINT32 = 6,
                  TYPE_MAP = 7,
                  TYPE_INT32 = 8,
                  TYPE_UINT64 = 9,
                  TYPE_UINT128 = 10,
                  TYPE_ARRAY = 11,
                  TYPE_BOOL = 14,
                  TYPE_FLOAT = 15,
};

/* A run of values: the data section, or the metadata. Offsets count from its begin. */
struct section {
    const uint8_t *at;
    size_t len, file_offset;
    uint8_t *height; /* of values that are pointed to: 0 not seen, IN_WORK, else 1 + nesting */
    uint64_t work;   /* values that may still be looked at */
    const char *name;
    struct fault *fault;
};

enum { IN_WORK = 255 };

struct value {
    enum value_type type;
    uint32_t size;      /* bytes; pairs of a map; values of an array; a pointer's target */
    size_t body, after; /* behind the head; `after` for what holds no other values */
};

static bool refuse(const struct section *s, size_t offset, const char *what)
{
    fault_set(s->fault, EINVAL, "%s: byte %zu: %s", s->name, s->file_offset + offset, what);
    return false;
}

static uint32_t number_of(const uint8_t *bytes, size_t count)
{
    uint32_t n = 0;
    for (size_t i = 0; i < count; i++)
        n = n << 8 | bytes[i];
    return n;
}

/* Whether a value of the type may have that many bytes. */
static bool is_size_good(enum value_type type, uint32_t size)
{
    static const uint8_t most[] = {[TYPE_UINT16] = 2, [TYPE_UINT32] = 4,   [TYPE_INT32] = 4,
                                   [TYPE_UINT64] = 8, [TYPE_UINT128] = 16, [TYPE_BOOL] = 1};
    switch (type) {
    case TYPE_DOUBLE:
        return size == 8;
    case TYPE_FLOAT:
        return size == 4;
    case TYPE_UINT16:
    case TYPE_UINT32:
    case TYPE_INT32:
    case TYPE_UINT64:
    case TYPE_UINT128:
    case TYPE_BOOL:
        return size <= most[type];
    default:
        return type == TYPE_TEXT || type == TYPE_BYTES || type == TYPE_MAP || type == TYPE_ARRAY;
    }
}

static bool read_pointer(const struct section *s, size_t at, struct value *v)
{
    static const uint32_t base[] = {0, 2048, 526336, 0};
    unsigned extra = (s->at[at] >> 3 & 3) + 1;
    if (s->len - at - 1 < extra)
        return refuse(s, at, "a pointer is cut off");
    uint32_t high = extra == 4 ? 0 : s->at[at] & 7;
    v->size = (extra == 4 ? 0 : high << 8 * extra) + number_of(s->at + at + 1, extra);
    v->size += base[extra - 1];
    v->after = at + 1 + extra;
    return v->size < s->len || refuse(s, at, "a pointer leads out of the data");
}

static bool read_head(const struct section *s, size_t at, struct value *v)
{
    if (at >= s->len)
        return refuse(s, at, "a value is cut off");
    size_t body = at + 1;
    v->type = s->at[at] >> 5;
    if (v->type == TYPE_POINTER)
        return read_pointer(s, at, v);
    if (v->type == 0) {
        if (body >= s->len || s->at[body] == 0)
            return refuse(s, at, "a value of no known type");
        v->type = 7 + s->at[body++];
    }
    unsigned bits = s->at[at] & 31, extra = bits > 28 ? bits - 28 : 0;
    static const uint32_t base[] = {0, 29, 285, 65821};
    if (s->len - body < extra)
        return refuse(s, at, "a value's size is cut off");
    v->size = extra ? base[extra] + number_of(s->at + body, extra) : bits;
    v->body = body + extra;
    if (!is_size_good(v->type, v->size))
        return refuse(s, at, "a value of no known type or of a wrong size");
    bool has_bytes = v->type != TYPE_MAP && v->type != TYPE_ARRAY && v->type != TYPE_BOOL;
    v->after = v->body + (has_bytes ? v->size : 0);
    if (v->after > s->len)
        return refuse(s, at, "a value reaches beyond the data");
    return true;
}

static bool check_value(struct section *s, size_t at, unsigned depth, size_t *after,
                        unsigned *height);

/* A value that something points to; what is known of one is not looked at again. */
static bool check_target(struct section *s, size_t from, size_t at, unsigned depth,
                         unsigned *height)
{
    size_t after;
    if (s->height[at] == IN_WORK)
        return refuse(s, from, "a pointer leads back to itself");
    if (s->height[at] == 0) {
        s->height[at] = IN_WORK;
        if (!check_value(s, at, depth, &after, height))
            return false;
        s->height[at] = (uint8_t)(1 + *height);
    }
    *height = s->height[at] - 1u;
    return depth + *height <= MMDB_NEST_MAX || refuse(s, from, "values nest too deep");
}

/* A key is text, or a pointer to text. */
static bool check_key(const struct section *s, size_t at)
{
    struct value v;
    if (!read_head(s, at, &v))
        return false;
    if (v.type == TYPE_POINTER && !read_head(s, v.size, &v))
        return false;
    return v.type == TYPE_TEXT || refuse(s, at, "a map's key is no text");
}

/* Height: 0 for a value that holds no other; what it holds adds one. */
static bool check_value(struct section *s, size_t at, unsigned depth, size_t *after,
                        unsigned *height)
{
    struct value v;
    if (depth > MMDB_NEST_MAX)
        return refuse(s, at, "values nest too deep");
    if (s->work-- == 0) {
        s->work = 0;
        return refuse(s, at, "values point to each other too often");
    }
    if (!read_head(s, at, &v))
        return false;
    *height = 0;
    *after = v.after;
    if (v.type == TYPE_POINTER) {
        struct value target;
        if (!read_head(s, v.size, &target))
            return false;
        if (target.type == TYPE_POINTER)
            return refuse(s, at, "a pointer leads to a pointer");
        return check_target(s, at, v.size, depth, height);
    }
    if (v.type != TYPE_MAP && v.type != TYPE_ARRAY)
        return true;
    uint32_t parts = v.type == TYPE_MAP ? v.size * 2 : v.size;
    for (uint32_t i = 0; i < parts; i++) {
        unsigned part_height;
        if (v.type == TYPE_MAP && i % 2 == 0 && !check_key(s, *after))
            return false;
        if (!check_value(s, *after, depth + 1, after, &part_height))
            return false;
        if (part_height + 1 > *height)
            *height = part_height + 1;
    }
    return true;
}

static bool section_init(struct section *s)
{
    s->height = calloc(s->len + 1, 1);
    s->work = (uint64_t)s->len * MMDB_WORK_FACTOR + 1024;
    return s->height ||
           (fault_set(s->fault, ENOMEM, "%s: out of memory for a check", s->name), false);
}

/* ---- metadata ---- */

/* The whole number under a key of the metadata's map, which was checked; false where there is none. */
static bool find_number(const struct section *s, const char *key, uint64_t *number)
{
    struct value map, v;
    size_t at;
    unsigned height;
    if (!read_head(s, 0, &map) || map.type != TYPE_MAP)
        return false;
    at = map.body;
    for (uint32_t i = 0; i < map.size; i++) {
        struct section copy = *s; /* its budget stays */
        copy.work = UINT64_MAX;
        if (!read_head(s, at, &v))
            return false;
        size_t value_at = v.after;
        if (v.type == TYPE_POINTER && !read_head(s, v.size, &v))
            return false;
        bool is_it = v.size == strlen(key) && !memcmp(s->at + v.body, key, v.size);
        if (is_it) {
            bool is_read =
                read_head(s, value_at, &v) && (v.type != TYPE_POINTER || read_head(s, v.size, &v));
            if (!is_read || v.size > 4 ||
                (v.type != TYPE_UINT16 && v.type != TYPE_UINT32 && v.type != TYPE_UINT64))
                return false;
            *number = number_of(s->at + v.body, v.size);
            return true;
        }
        if (!check_value(&copy, value_at, 1, &at, &height))
            return false;
    }
    return false;
}

/* The byte behind the last marker; 0: there is none where readers look. */
static size_t find_metadata(const uint8_t *bytes, size_t len)
{
    size_t least = len > METADATA_MAX ? len - METADATA_MAX : 0;
    for (size_t at = len; at-- > least;)
        if (len - at >= MARKER_LEN && !memcmp(bytes + at, marker, MARKER_LEN))
            return at + MARKER_LEN;
    return 0;
}

static bool read_layout(struct section *s, struct mmdb_layout *out)
{
    uint64_t nodes, bits, version, format;
    if (!find_number(s, "node_count", &nodes) || !find_number(s, "record_size", &bits) ||
        !find_number(s, "ip_version", &version) ||
        !find_number(s, "binary_format_major_version", &format))
        return refuse(s, 0, "the metadata says no size of its search tree");
    if (format != 2 || (bits != 24 && bits != 28 && bits != 32) || (version != 4 && version != 6))
        return refuse(s, 0, "the metadata names a format that is not read");
    *out = (struct mmdb_layout){(uint32_t)nodes, (uint32_t)version, (unsigned)bits};
    return true;
}

static bool check_metadata(struct section *s, struct mmdb_layout *out)
{
    size_t after;
    unsigned height;
    if (!section_init(s))
        return false;
    s->height[0] = IN_WORK;
    bool is_good = check_value(s, 0, 1, &after, &height) && read_layout(s, out);
    free(s->height);
    return is_good;
}

/* ---- tree ---- */

static uint32_t record_of(const uint8_t *node, unsigned bits, unsigned side)
{
    if (bits == 28)
        return side == 0 ? number_of(node, 3) | (uint32_t)(node[3] >> 4) << 24
                         : number_of(node + 4, 3) | (uint32_t)(node[3] & 15) << 24;
    return number_of(node + side * (bits / 8), bits / 8);
}

/* Every record leads to a node, to nothing, or to a value that is good. */
static bool check_tree(struct section *data, const uint8_t *bytes, const struct mmdb_layout *layout)
{
    size_t node_len = layout->record_bits / 4;
    unsigned height;
    for (uint32_t n = 0; n < layout->node_count; n++)
        for (unsigned side = 0; side < 2; side++) {
            uint32_t record = record_of(bytes + n * node_len, layout->record_bits, side);
            if (record <= layout->node_count)
                continue;
            uint32_t behind = record - layout->node_count;
            struct section tree = *data;
            tree.file_offset = n * node_len;
            if (behind < SEPARATOR || behind - SEPARATOR >= data->len)
                return refuse(&tree, 0, "a record of the search tree leads out of the data");
            if (!check_target(data, behind - SEPARATOR, behind - SEPARATOR, 1, &height))
                return false;
        }
    return true;
}

int mmdb_check(struct mmdb_layout *out, const char *name, const uint8_t *bytes, size_t len,
               struct fault *fault)
{
    struct fault found = {.err = EINVAL};
    size_t metadata_at = find_metadata(bytes, len);
    if (metadata_at == 0)
        return fault_set(fault, EINVAL, "%s: not a MaxMind DB file (no metadata)", name);
    struct section metadata = {
        bytes + metadata_at, len - metadata_at, metadata_at, NULL, 0, name, &found};
    bool is_good = check_metadata(&metadata, out);
    if (is_good) {
        uint64_t tree_len = (uint64_t)out->node_count * (out->record_bits / 4);
        size_t data_end = metadata_at - MARKER_LEN;
        if (out->node_count == 0 || tree_len + SEPARATOR > data_end) {
            is_good = refuse(&metadata, 0, "the search tree is larger than the file, or empty");
        } else {
            size_t begin = (size_t)tree_len + SEPARATOR;
            struct section data = {bytes + begin, data_end - begin, begin, NULL, 0, name, &found};
            is_good = section_init(&data) && check_tree(&data, bytes, out);
            free(data.height);
        }
    }
    if (!is_good)
        return fault_set(fault, found.err, "%s", found.text);
    return 0;
}
