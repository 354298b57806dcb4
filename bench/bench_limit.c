/* What one core can do at most: the file is mapped, headers are walked, packets counted by port, and a 64-byte entry per source
 * touched, with prefetch within some packets. No windows, no kinds, no rules, no feed: a limit, not a program.
 *
 *   bench_limit FILE [events]      classic pcap, this machine's byte order, Ethernet
 *
 * events: the least that events must do, too: a 64-byte entry per source, protocol and port of SYNs and of UDP, per source and protocol of
 * all else, with packets, bytes, the first and the last time, and the destinations that are different, up to 48. Nothing is
 * ever over, and nothing is told.
 */
#include "capture/hash.h"

#include <assert.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    AHEAD = 32,
    FILE_HEADER = 24,
    RECORD_HEADER = 16,
    HEADERS = 38,
    TCP_FLAGS = 47, /* where there are no IP options */
    FILL_NUMERATOR = 3,
    FILL = 4,
    FEW = 5,
    SET = 64, /* room, of which 48 are in use at most */
    SET_MOST = 48,
    BLOCK = 1 << 21
};

struct entry {
    uint32_t source; /* as it stands in the packet; 0: free, and so is not counted */
    uint32_t packets;
    uint64_t bytes;
    uint64_t ports[6];
};
static_assert(sizeof(struct entry) == 64, "a cache line");

struct event {
    uint64_t key; /* 0: free */
    uint64_t first, last;
    uint32_t packets, bytes, count; /* count: different destinations */
    union {
        uint32_t few[FEW];
        uint32_t *set;
    };
};
static_assert(sizeof(struct event) == 64, "a cache line");

static struct {
    struct entry *entries;
    uint64_t size, count; /* size: a power of two */
    struct hash_key key;
    uint64_t packets, bytes, ports[65536];
    bool has_events;
    struct event *events;
    uint64_t event_size, event_count;
    char *block; /* what is left of the last one */
    size_t block_left;
} limit;

static void *memory(uint64_t size)
{
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) {
        perror("bench_limit: memory");
        exit(1);
    }
    (void)madvise(at, size, MADV_HUGEPAGE);
    return at;
}

static struct entry *entry_of(uint32_t source)
{
    uint64_t at = hash_u64(&limit.key, source) & (limit.size - 1);
    while (limit.entries[at].source != source && limit.entries[at].source != 0)
        at = (at + 1) & (limit.size - 1);
    return &limit.entries[at];
}

static void grow(void)
{
    struct entry *old = limit.entries;
    uint64_t old_size = limit.size;
    limit.size = old_size ? old_size * 2 : 1 << 16;
    limit.entries = memory(limit.size * sizeof *old);
    for (uint64_t i = 0; i < old_size; i++)
        if (old[i].source != 0)
            *entry_of(old[i].source) = old[i];
    if (old)
        munmap(old, old_size * sizeof *old);
}

struct seen {
    uint32_t source, destination, len;
    uint16_t port;
    uint8_t proto;
    bool is_asked; /* for that port */
    uint64_t time;
};

/* ---- events ---- */

static struct event *event_home(uint64_t key)
{
    return &limit.events[hash_u64(&limit.key, key) & (limit.event_size - 1)];
}

static struct event *event_of(uint64_t key)
{
    struct event *e = event_home(key);
    while (e->key != key && e->key != 0)
        e = e + 1 == limit.events + limit.event_size ? limit.events : e + 1;
    return e;
}

static void events_grow(void)
{
    struct event *old = limit.events;
    uint64_t old_size = limit.event_size;
    limit.event_size = old_size ? old_size * 2 : 1 << 16;
    limit.events = memory(limit.event_size * sizeof *old);
    for (uint64_t i = 0; i < old_size; i++)
        if (old[i].key != 0)
            *event_of(old[i].key) = old[i];
    if (old)
        munmap(old, old_size * sizeof *old);
}

static uint32_t *place_of(uint32_t *set, uint32_t destination)
{
    uint32_t at = destination * 0x9e3779b1u >> 26;
    while (set[at] != 0 && set[at] != destination)
        at = (at + 1) % SET;
    return &set[at];
}

static uint32_t *set_new(void)
{
    if (limit.block_left < SET * sizeof(uint32_t)) {
        limit.block = memory(BLOCK);
        limit.block_left = BLOCK;
    }
    limit.block_left -= SET * sizeof(uint32_t);
    return (uint32_t *)(limit.block + limit.block_left);
}

static void destination_add(struct event *e, uint32_t destination)
{
    if (e->count <= FEW) {
        for (unsigned i = 0; i < e->count; i++)
            if (e->few[i] == destination)
                return;
        if (e->count < FEW) {
            e->few[e->count++] = destination;
            return;
        }
        uint32_t *set = set_new();
        for (unsigned i = 0; i < FEW; i++)
            *place_of(set, e->few[i]) = e->few[i];
        e->set = set;
    }
    uint32_t *place = place_of(e->set, destination);
    if (*place != 0 || e->count == SET_MOST)
        return;
    *place = destination;
    e->count++;
}

static uint64_t key_of(const struct seen *s)
{
    uint64_t port = s->is_asked ? s->port : 0;
    return s->source | port << 32 | (uint64_t)s->proto << 48 | (uint64_t)(1 + s->is_asked) << 56;
}

static void events_count(const struct seen *seen, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        __builtin_prefetch(event_home(key_of(&seen[i])), 1);
    for (unsigned i = 0; i < n; i++) {
        const struct event *e = event_home(key_of(&seen[i]));
        if (e->key == key_of(&seen[i]) && e->count > FEW)
            __builtin_prefetch(&e->set[seen[i].destination * 0x9e3779b1u >> 26], 1);
    }
    for (unsigned i = 0; i < n; i++) {
        struct event *e = event_of(key_of(&seen[i]));
        if (e->key == 0) {
            e->key = key_of(&seen[i]);
            e->first = seen[i].time;
            if (++limit.event_count * FILL > limit.event_size * FILL_NUMERATOR) {
                events_grow();
                e = event_of(key_of(&seen[i]));
            }
        }
        e->last = seen[i].time;
        e->packets++;
        e->bytes += seen[i].len;
        destination_add(e, seen[i].destination);
    }
}

/* ---- packets ---- */

static void count(const struct seen *seen, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        __builtin_prefetch(&limit.entries[hash_u64(&limit.key, seen[i].source) & (limit.size - 1)],
                           1);
    for (unsigned i = 0; i < n; i++) {
        struct entry *e = entry_of(seen[i].source);
        if (e->source == 0 && seen[i].source != 0) {
            e->source = seen[i].source;
            if (++limit.count * FILL > limit.size * FILL_NUMERATOR) {
                grow();
                e = entry_of(seen[i].source);
            }
        }
        e->packets++;
        e->bytes += seen[i].len;
        e->ports[seen[i].port % 6]++;
        limit.ports[seen[i].port]++;
        limit.bytes += seen[i].len;
    }
    limit.packets += n;
    if (limit.has_events)
        events_count(seen, n);
}

static void walk(const uint8_t *at, const uint8_t *end)
{
    struct seen seen[AHEAD];
    unsigned n = 0;
    while (end - at >= RECORD_HEADER) {
        uint32_t caplen, len;
        memcpy(&caplen, at + 8, sizeof caplen);
        memcpy(&len, at + 12, sizeof len);
        if ((uint64_t)(end - at) - RECORD_HEADER < caplen)
            break;
        const uint8_t *packet = at + RECORD_HEADER;
        seen[n] = (struct seen){.len = len};
        if (caplen >= HEADERS && packet[12] == 8 && packet[13] == 0) {
            memcpy(&seen[n].source, packet + 26, sizeof seen[n].source);
            memcpy(&seen[n].destination, packet + 30, sizeof seen[n].destination);
            memcpy(&seen[n].time, at, sizeof seen[n].time);
            seen[n].proto = packet[23];
            seen[n].is_asked = packet[23] == 17 || (packet[23] == 6 && caplen > TCP_FLAGS &&
                                                    (packet[TCP_FLAGS] & 0x17) == 2);
            seen[n].port = (uint16_t)(packet[36] << 8 | packet[37]);
        }
        if (++n == AHEAD) {
            count(seen, n);
            n = 0;
        }
        at += RECORD_HEADER + caplen;
    }
    count(seen, n);
}

int main(int argc, char **argv)
{
    struct stat st;
    struct timespec cpu;
    limit.has_events = argc == 3 && strcmp(argv[2], "events") == 0;
    int fd = argc == 2 || limit.has_events ? open(argv[1], O_RDONLY) : -1;
    if (fd < 0 || fstat(fd, &st) < 0 || st.st_size < FILE_HEADER) {
        fprintf(stderr, "bench_limit: name one capture\n");
        return 1;
    }
    const uint8_t *file = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
    if (file == MAP_FAILED) {
        perror("bench_limit");
        return 1;
    }
    hash_key_init(&limit.key);
    grow();
    events_grow();
    walk(file + FILE_HEADER, file + st.st_size);
    printf("%lu packets, %lu bytes, %lu sources, %lu to port 23\n", (unsigned long)limit.packets,
           (unsigned long)limit.bytes, (unsigned long)limit.count, (unsigned long)limit.ports[23]);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
    double ns = (double)cpu.tv_sec * 1e9 + (double)cpu.tv_nsec;
    printf("%.1f ns of CPU a packet", limit.packets ? ns / (double)limit.packets : 0);
    if (limit.has_events)
        printf(", %lu events", (unsigned long)limit.event_count);
    printf("\n");
    return 0;
}
