#include "classify/prefix_set.h"

#include "classify/prefix.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { FILE_MAX = 64 << 20, WORD_MAX = 64 };

struct prefix_range {
    unsigned __int128 first, last;
};

struct range_list {
    struct prefix_range *at;
    size_t count, size;
};

/* Where a word stands; `line` 0: in a list, which messages don't name. */
struct place {
    const char *name;
    unsigned line;
};

/* A list of one word may have been meant for a file's name. */
static const char neither[] = "neither an IPv4 or IPv6 prefix nor a file";

static int refuse(struct fault *fault, const struct place *place, const char *word, const char *why)
{
    if (place->line == 0)
        return fault_set(fault, EINVAL, "%.80s: %s", word, why);
    return fault_set(fault, EINVAL, "%s:%u: %.80s: %s", place->name, place->line, word, why);
}

static int range_add(struct range_list *list, unsigned __int128 first, unsigned __int128 last)
{
    if (list->count == list->size) {
        size_t size = list->size ? list->size * 2 : 64;
        void *grown = realloc(list->at, size * sizeof *list->at);
        if (!grown)
            return -ENOMEM;
        list->at = grown;
        list->size = size;
    }
    list->at[list->count++] = (struct prefix_range){first, last};
    return 0;
}

/* Adds the prefix in `word` to lists[0] (IPv4) or [1] (IPv6). */
static int read_prefix(struct range_list lists[2], const char *word, const struct place *place,
                       struct fault *fault)
{
    struct prefix prefix;
    enum prefix_fault found = prefix_parse(&prefix, word);
    if (found == PREFIX_NO_ADDRESS && place->line == 0 && strcmp(word, place->name) == 0)
        return refuse(fault, place, word, neither);
    if (found != PREFIX_GOOD)
        return refuse(fault, place, word, prefix_fault_text(found));
    if (range_add(&lists[prefix.ip_version == 6], prefix_number(prefix.address, prefix.ip_version),
                  prefix_last(&prefix)) != 0)
        return fault_set(fault, ENOMEM, "%s: out of memory", place->name);
    return 0;
}

/* Reads what stands between two separators: nothing, or one word between blanks. */
static int read_item(struct range_list lists[2], const char *item, size_t len,
                     const struct place *place, struct fault *fault)
{
    char word[WORD_MAX];
    while (len > 0 && strchr(" \t\r", item[len - 1]) && item[len - 1])
        len--;
    while (len > 0 && strchr(" \t\r", item[0]) && item[0])
        item++, len--;
    if (len == 0)
        return 0;
    size_t kept = len < sizeof word ? len : sizeof word - 1;
    for (size_t i = 0; i < kept; i++)
        word[i] = item[i] >= ' ' && item[i] <= '~' ? item[i] : '?'; /* it may go to a terminal */
    word[kept] = '\0';
    for (size_t i = 0; i < len; i++)
        if (item[i] == ' ' || item[i] == '\t' || item[i] == ',')
            return refuse(fault, place, word,
                          place->line == 0 ? "commas part prefixes, blanks don't"
                                           : "a line holds one prefix, and no commas");
    if (kept < len)
        return refuse(fault, place, word,
                      place->line == 0 && strlen(place->name) == len ? neither
                                                                     : "too long for a prefix");
    return read_prefix(lists, word, place, fault);
}

static int compare_ranges(const void *a, const void *b)
{
    const struct prefix_range *x = a, *y = b;
    return x->first != y->first ? (x->first < y->first ? -1 : 1)
                                : (x->last > y->last) - (x->last < y->last);
}

/* Sorts; joins what overlaps or touches. */
static void merge_ranges(struct range_list *list)
{
    if (list->count == 0)
        return;
    qsort(list->at, list->count, sizeof *list->at, compare_ranges);
    size_t kept = 0;
    for (size_t i = 1; i < list->count; i++) {
        struct prefix_range *top = &list->at[kept];
        if (list->at[i].first <= top->last || list->at[i].first - top->last == 1) {
            if (list->at[i].last > top->last)
                top->last = list->at[i].last;
        } else {
            list->at[++kept] = list->at[i];
        }
    }
    list->count = kept + 1;
}

static void set_bits(uint64_t *bits, unsigned first, unsigned last)
{
    for (unsigned word = first >> 6; word <= last >> 6; word++) {
        uint64_t mask = ~UINT64_C(0);
        if (word == first >> 6)
            mask &= ~UINT64_C(0) << (first & 63);
        if (word == last >> 6)
            mask &= ~UINT64_C(0) >> (63 - (last & 63));
        bits[word] |= mask;
    }
}

/* Walks the parts that fall into one /16 each. Without `bits` it only numbers the blocks. */
static void fill_ipv4(struct prefix_set *set, const struct range_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        uint64_t first = (uint64_t)list->at[i].first, last = (uint64_t)list->at[i].last;
        for (uint64_t from = first; from <= last; from = (from | 0xffff) + 1) {
            uint64_t to = (from | 0xffff) < last ? (from | 0xffff) : last;
            uint32_t *block = &set->block[from >> 16];
            if (to - from == 0xffff)
                *block = PREFIX_SET_IN;
            else if (*block == PREFIX_SET_OUT)
                *block = (uint32_t)set->block_count++;
            if (set->bits && *block != PREFIX_SET_IN)
                set_bits(set->bits[*block], from & 0xffff, to & 0xffff);
            if (!set->bits)
                set->ipv4_size += to - from + 1;
        }
    }
}

/* How many prefixes a range takes: the greatest that begins where it does and ends within it, then
 * the same for the rest. */
static uint64_t prefixes_of(struct prefix_range range)
{
    for (uint64_t count = 1;; count++) {
        unsigned __int128 hosts = 0; /* the prefix is `first` to `first | hosts` */
        while (hosts != ~(unsigned __int128)0) {
            unsigned __int128 more = hosts << 1 | 1;
            if ((range.first & more) != 0 || more > range.last - range.first)
                break;
            hosts = more;
        }
        if (range.last - range.first == hosts)
            return count;
        range.first += hosts + 1;
    }
}

static int build(struct prefix_set **out, struct range_list lists[2], const char *name,
                 struct fault *fault)
{
    if (lists[0].count + lists[1].count == 0)
        return fault_set(fault, EINVAL, "'%.120s' holds no prefix", name);
    struct prefix_set *set = calloc(1, sizeof *set);
    if (!set)
        return fault_set(fault, ENOMEM, "%s: out of memory", name);
    merge_ranges(&lists[0]);
    merge_ranges(&lists[1]);
    set->block_count = PREFIX_SET_IN + 1;
    fill_ipv4(set, &lists[0]);
    set->bits = calloc(set->block_count, sizeof *set->bits);
    if (!set->bits) {
        prefix_set_destroy(set);
        return fault_set(fault, ENOMEM, "%s: out of memory", name);
    }
    memset(set->bits[PREFIX_SET_IN], 0xff, sizeof *set->bits);
    fill_ipv4(set, &lists[0]);
    set->ranges6 = lists[1].at;
    set->range6_count = lists[1].count;
    lists[1].at = NULL;
    for (size_t i = 0; i < set->range6_count; i++)
        set->ipv6_prefixes += prefixes_of(set->ranges6[i]);
    *out = set;
    return 0;
}

static int create(struct prefix_set **out, struct place place, const char *content, size_t len,
                  char separator, struct fault *fault)
{
    struct range_list lists[2] = {0};
    bool is_file = place.line != 0;
    int err = 0;
    *out = NULL;
    for (size_t at = 0; at <= len && err == 0;) {
        const char *end = at < len ? memchr(content + at, separator, len - at) : NULL;
        size_t item_len = end ? (size_t)(end - content) - at : len - at;
        const char *comment = is_file && item_len > 0 ? memchr(content + at, '#', item_len) : NULL;
        err = read_item(lists, content + at, comment ? (size_t)(comment - content) - at : item_len,
                        &place, fault);
        at += item_len + 1;
        place.line += is_file;
    }
    if (err == 0)
        err = build(out, lists, place.name, fault);
    free(lists[0].at);
    free(lists[1].at);
    return err;
}

int prefix_set_create_from(struct prefix_set **out, const char *name, const char *content,
                           size_t len, struct fault *fault)
{
    return create(out, (struct place){name, 1}, content, len, '\n', fault);
}

static int create_from_file(struct prefix_set **out, const char *path, off_t size,
                            struct fault *fault)
{
    *out = NULL;
    if (size > FILE_MAX)
        return fault_set(fault, EFBIG, "%s: %lld bytes, at most %d are read", path, (long long)size,
                         FILE_MAX);
    char *content = malloc((size_t)size + 1);
    if (!content)
        return fault_set(fault, ENOMEM, "%s: out of memory", path);
    FILE *file = fopen(path, "re");
    size_t len = file ? fread(content, 1, (size_t)size, file) : 0;
    int err = !file || ferror(file)
                  ? fault_set(fault, errno ? errno : EIO, "%s: %s", path, strerror(errno))
                  : prefix_set_create_from(out, path, content, len, fault);
    if (file)
        fclose(file);
    free(content);
    return err;
}

int prefix_set_create(struct prefix_set **out, const char *text, struct fault *fault)
{
    struct stat st;
    *out = NULL;
    if (stat(text, &st) == 0) {
        if (S_ISREG(st.st_mode))
            return create_from_file(out, text, st.st_size, fault);
        return fault_set(fault, EINVAL, "%s: is %s; a file with prefixes is wanted", text,
                         S_ISDIR(st.st_mode) ? "a folder" : "no plain file");
    }
    return create(out, (struct place){text, 0}, text, strlen(text), ',', fault);
}

void prefix_set_destroy(struct prefix_set *set)
{
    if (!set)
        return;
    free(set->bits);
    free(set->ranges6);
    free(set);
}

bool prefix_set_holds6(const struct prefix_set *set, const uint8_t address[16])
{
    unsigned __int128 a = prefix_number(address, 6);
    size_t low = 0, high = set->range6_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (set->ranges6[middle].last < a)
            low = middle + 1;
        else
            high = middle;
    }
    return low < set->range6_count && set->ranges6[low].first <= a;
}
