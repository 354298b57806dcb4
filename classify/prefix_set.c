#include "classify/prefix_set.h"

#include "classify/prefix.h"
#include "classify/prefix_list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int compare_ranges(const void *a, const void *b)
{
    const struct prefix_range *x = a, *y = b;
    return x->first != y->first ? (x->first < y->first ? -1 : 1)
                                : (x->last > y->last) - (x->last < y->last);
}

void prefix_ranges_merge(struct prefix_ranges *ranges)
{
    if (ranges->count == 0)
        return;
    qsort(ranges->at, ranges->count, sizeof *ranges->at, compare_ranges);
    size_t kept = 0;
    for (size_t i = 1; i < ranges->count; i++) {
        struct prefix_range *top = &ranges->at[kept];
        if (ranges->at[i].first <= top->last || ranges->at[i].first - top->last == 1) {
            if (ranges->at[i].last > top->last)
                top->last = ranges->at[i].last;
        } else {
            ranges->at[++kept] = ranges->at[i];
        }
    }
    ranges->count = kept + 1;
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
static void fill_ipv4(struct prefix_set *set, const struct prefix_ranges *list)
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

/* Takes the ranges over, merged. -ENOMEM. */
static int build(struct prefix_set **out, struct prefix_ranges ranges[2])
{
    struct prefix_set *set = calloc(1, sizeof *set);
    *out = NULL;
    if (!set)
        return -ENOMEM;
    prefix_ranges_merge(&ranges[0]);
    prefix_ranges_merge(&ranges[1]);
    set->block_count = PREFIX_SET_IN + 1;
    fill_ipv4(set, &ranges[0]);
    set->bits = calloc(set->block_count, sizeof *set->bits);
    if (!set->bits) {
        prefix_set_destroy(set);
        return -ENOMEM;
    }
    memset(set->bits[PREFIX_SET_IN], 0xff, sizeof *set->bits);
    fill_ipv4(set, &ranges[0]);
    set->ranges6 = ranges[1].at;
    set->range6_count = ranges[1].count;
    ranges[1].at = NULL;
    for (size_t i = 0; i < set->range6_count; i++)
        set->ipv6_prefixes += prefixes_of(set->ranges6[i]);
    *out = set;
    return 0;
}

int prefix_set_create_ranges(struct prefix_set **out, const struct prefix_ranges ranges[2])
{
    struct prefix_ranges copies[2] = {0};
    int err = 0;
    for (unsigned v = 0; v < 2; v++) {
        copies[v] = (struct prefix_ranges){malloc((ranges[v].count + 1) * sizeof *copies[v].at),
                                           ranges[v].count};
        if (!copies[v].at)
            err = -ENOMEM;
        else if (ranges[v].count > 0)
            memcpy(copies[v].at, ranges[v].at, ranges[v].count * sizeof *copies[v].at);
    }
    *out = NULL;
    if (err == 0)
        err = build(out, copies);
    free(copies[0].at);
    free(copies[1].at);
    return err;
}

/* Makes the set of a list that was read, which ends here. */
static int create(struct prefix_set **out, struct prefix_list *list, int err, const char *name,
                  struct fault *fault)
{
    struct prefix_ranges ranges[2] = {0};
    *out = NULL;
    for (unsigned v = 0; v < 2 && err == 0; v++) {
        ranges[v].at = malloc((list->count + 1) * sizeof *ranges[v].at);
        if (!ranges[v].at)
            err = fault_set(fault, ENOMEM, "%s: out of memory", name);
    }
    for (size_t i = 0; i < list->count && err == 0; i++) {
        const struct prefix *p = &list->at[i];
        struct prefix_ranges *to = &ranges[p->ip_version == 6];
        to->at[to->count++] =
            (struct prefix_range){prefix_number(p->address, p->ip_version), prefix_last(p)};
    }
    if (err == 0 && build(out, ranges) < 0)
        err = fault_set(fault, ENOMEM, "%s: out of memory", name);
    free(ranges[0].at);
    free(ranges[1].at);
    prefix_list_fini(list);
    return err;
}

int prefix_set_create_from(struct prefix_set **out, const char *name, const char *content,
                           size_t len, struct fault *fault)
{
    struct prefix_list list;
    int err = prefix_list_read_from(&list, name, content, len, fault);
    return create(out, &list, err, name, fault);
}

int prefix_set_create(struct prefix_set **out, const char *text, struct fault *fault)
{
    struct prefix_list list;
    int err = prefix_list_read(&list, text, fault);
    return create(out, &list, err, text, fault);
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
