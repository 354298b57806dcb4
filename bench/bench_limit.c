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

struct slot {
    uint64_t key; /* 0: free */
    union {
        struct {
            uint64_t packets, bytes, ports[5];
        } source;
        struct {
            uint64_t first, last;
            uint32_t packets, bytes, count; /* count: different destinations */
            union {
                uint32_t few[FEW];
                uint32_t *set;
            };
        } event;
    };
};
static_assert(sizeof(struct slot) == 64, "a cache line");

struct table {
    struct slot *slots;
    uint64_t size, count; /* size: a power of two */
};

static struct {
    struct table sources, events;
    struct hash_key key;
    uint64_t packets, bytes, ports[65536];
    bool has_events;
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

static struct slot *home_of(const struct table *t, uint64_t key)
{
    return &t->slots[hash_u64(&limit.key, key) & (t->size - 1)];
}

static struct slot *slot_of(const struct table *t, uint64_t key)
{
    struct slot *s = home_of(t, key);
    while (s->key != key && s->key != 0)
        s = s + 1 == t->slots + t->size ? t->slots : s + 1;
    return s;
}

static void grow(struct table *t)
{
    const struct table old = *t;
    t->size = old.size ? old.size * 2 : 1 << 16;
    t->slots = memory(t->size * sizeof *t->slots);
    for (uint64_t i = 0; i < old.size; i++)
        if (old.slots[i].key != 0)
            *slot_of(t, old.slots[i].key) = old.slots[i];
    if (old.slots)
        munmap(old.slots, old.size * sizeof *old.slots);
}

/* The slot of a key, which has it from now on. */
static struct slot *slot_take(struct table *t, uint64_t key)
{
    struct slot *s = slot_of(t, key);
    if (s->key != 0)
        return s;
    if (++t->count * FILL > t->size * FILL_NUMERATOR) {
        grow(t);
        s = slot_of(t, key);
    }
    s->key = key;
    return s;
}

struct seen {
    uint32_t source, destination, len;
    uint16_t port;
    uint8_t proto;
    bool is_asked; /* for that port */
    uint64_t time;
};

/* ---- events ---- */

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

static void destination_add(struct slot *s, uint32_t destination)
{
    if (s->event.count <= FEW) {
        for (unsigned i = 0; i < s->event.count; i++)
            if (s->event.few[i] == destination)
                return;
        if (s->event.count < FEW) {
            s->event.few[s->event.count++] = destination;
            return;
        }
        uint32_t *set = set_new();
        for (unsigned i = 0; i < FEW; i++)
            *place_of(set, s->event.few[i]) = s->event.few[i];
        s->event.set = set;
    }
    uint32_t *place = place_of(s->event.set, destination);
    if (*place != 0 || s->event.count == SET_MOST)
        return;
    *place = destination;
    s->event.count++;
}

static uint64_t key_of(const struct seen *s)
{
    uint64_t port = s->is_asked ? s->port : 0;
    return s->source | port << 32 | (uint64_t)s->proto << 48 | (uint64_t)(1 + s->is_asked) << 56;
}

static void events_count(const struct seen *seen, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        __builtin_prefetch(home_of(&limit.events, key_of(&seen[i])), 1);
    for (unsigned i = 0; i < n; i++) {
        const struct slot *s = home_of(&limit.events, key_of(&seen[i]));
        if (s->key == key_of(&seen[i]) && s->event.count > FEW)
            __builtin_prefetch(&s->event.set[seen[i].destination * 0x9e3779b1u >> 26], 1);
    }
    for (unsigned i = 0; i < n; i++) {
        struct slot *s = slot_take(&limit.events, key_of(&seen[i]));
        if (s->event.packets == 0)
            s->event.first = seen[i].time;
        s->event.last = seen[i].time;
        s->event.packets++;
        s->event.bytes += seen[i].len;
        destination_add(s, seen[i].destination);
    }
}

/* ---- packets ---- */

static void count(const struct seen *seen, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        __builtin_prefetch(home_of(&limit.sources, seen[i].source), 1);
    for (unsigned i = 0; i < n; i++) {
        limit.ports[seen[i].port]++;
        limit.bytes += seen[i].len;
        if (seen[i].source == 0)
            continue;
        struct slot *s = slot_take(&limit.sources, seen[i].source);
        s->source.packets++;
        s->source.bytes += seen[i].len;
        s->source.ports[seen[i].port % 5]++;
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
    grow(&limit.sources);
    grow(&limit.events);
    walk(file + FILE_HEADER, file + st.st_size);
    printf("%lu packets, %lu bytes, %lu sources, %lu to port 23\n", (unsigned long)limit.packets,
           (unsigned long)limit.bytes, (unsigned long)limit.sources.count,
           (unsigned long)limit.ports[23]);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
    double ns = (double)cpu.tv_sec * 1e9 + (double)cpu.tv_nsec;
    printf("%.1f ns of CPU a packet", limit.packets ? ns / (double)limit.packets : 0);
    if (limit.has_events)
        printf(", %lu events", (unsigned long)limit.events.count);
    printf("\n");
    return 0;
}
