/* What one core can do at most: the file is mapped, headers are walked, packets counted by port, and a 64-byte entry per source
 * touched, with prefetch within some packets. No windows, no kinds, no rules, no feed: a limit, not a program.
 *
 *   bench_limit FILE [pairs] [events] [halves]      classic pcap, this machine's byte order, Ethernet
 *
 * pairs: a 16-byte entry per source, protocol and port, too, with packets and bytes: without it neither distinct sources of a port nor a
 * source's day can be told.
 * events: the least that events must do, too: a 64-byte entry per source, protocol and port of SYNs and of UDP, per source and protocol of
 * all else, with packets, bytes, the first and the last time, and the destinations that are different, up to 48. Nothing is
 * ever over, and nothing is told.
 * halves: what two cores can do at most: each has its half of the file, and tables of its own, that nobody adds up.
 */
#include "capture/hash.h"

#include <assert.h>
#include <fcntl.h>
#include <pthread.h>
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

struct pair_slot {
    uint64_t key; /* 0: free */
    uint32_t packets, bytes;
};

struct pair_table {
    struct pair_slot *slots;
    uint64_t size, count;
};

struct table {
    struct slot *slots;
    uint64_t size, count; /* size: a power of two */
};

struct half {
    const uint8_t *at, *end;
    uint64_t packets, bytes, sources, to_telnet, pairs, events;
};

static struct hash_key hash_key;
static bool has_pairs, has_events;

/* A thread's. */
static _Thread_local struct {
    struct table sources, events;
    struct pair_table pairs;
    uint64_t packets, bytes, ports[65536];
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
    return &t->slots[hash_u64(&hash_key, key) & (t->size - 1)];
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

/* ---- pairs ---- */

static struct pair_slot *pair_home(uint64_t key)
{
    return &limit.pairs.slots[hash_u64(&hash_key, key) & (limit.pairs.size - 1)];
}

static struct pair_slot *pair_of(uint64_t key)
{
    const struct pair_table *t = &limit.pairs;
    struct pair_slot *s = pair_home(key);
    while (s->key != key && s->key != 0)
        s = s + 1 == t->slots + t->size ? t->slots : s + 1;
    return s;
}

static void pairs_grow(void)
{
    struct pair_table *t = &limit.pairs;
    const struct pair_table old = *t;
    t->size = old.size ? old.size * 2 : 1 << 16;
    t->slots = memory(t->size * sizeof *t->slots);
    for (uint64_t i = 0; i < old.size; i++)
        if (old.slots[i].key != 0)
            *pair_of(old.slots[i].key) = old.slots[i];
    if (old.slots)
        munmap(old.slots, old.size * sizeof *old.slots);
}

static uint64_t pair_key(const struct seen *s)
{
    return s->source | (uint64_t)s->port << 32 | (uint64_t)s->proto << 48;
}

static void pairs_count(const struct seen *seen, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        __builtin_prefetch(pair_home(pair_key(&seen[i])), 1);
    for (unsigned i = 0; i < n; i++) {
        struct pair_slot *s = pair_of(pair_key(&seen[i]));
        if (s->key == 0) {
            if (++limit.pairs.count * FILL > limit.pairs.size * FILL_NUMERATOR) {
                pairs_grow();
                s = pair_of(pair_key(&seen[i]));
            }
            s->key = pair_key(&seen[i]);
        }
        s->packets++;
        s->bytes += seen[i].len;
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
    if (has_pairs)
        pairs_count(seen, n);
    if (has_events)
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

static void *half_count(void *arg)
{
    struct half *h = arg;
    grow(&limit.sources);
    grow(&limit.events);
    pairs_grow();
    walk(h->at, h->end);
    h->packets = limit.packets;
    h->bytes = limit.bytes;
    h->sources = limit.sources.count;
    h->to_telnet = limit.ports[23];
    h->pairs = limit.pairs.count;
    h->events = limit.events.count;
    return NULL;
}

/* Whether records seem to begin there: many whose lengths and times go on from one to the next. */
static bool is_record(const uint8_t *at, const uint8_t *end)
{
    enum { RECORDS = 64, SNAP = 1 << 18, NEAR_S = 3600 };
    uint32_t first;
    memcpy(&first, at, sizeof first);
    for (unsigned i = 0; i < RECORDS && end - at > RECORD_HEADER; i++) {
        uint32_t head[4];
        memcpy(head, at, sizeof head);
        if (head[0] - first + NEAR_S > 2 * NEAR_S || head[1] >= 1000000000 || head[2] > SNAP ||
            head[2] > head[3] || head[3] > SNAP || (uint64_t)(end - at) < RECORD_HEADER + head[2])
            return false;
        at += RECORD_HEADER + head[2];
    }
    return true;
}

static bool is_option(const char *word, bool *is_halved)
{
    bool *option = strcmp(word, "pairs") == 0    ? &has_pairs
                   : strcmp(word, "events") == 0 ? &has_events
                   : strcmp(word, "halves") == 0 ? is_halved
                                                 : NULL;
    if (option)
        *option = true;
    return option != NULL;
}

int main(int argc, char **argv)
{
    struct stat st;
    struct timespec cpu;
    bool is_halved = false, is_wrong = argc < 2;
    for (int i = 2; i < argc; i++)
        is_wrong |= !is_option(argv[i], &is_halved);
    int fd = is_wrong ? -1 : open(argv[1], O_RDONLY);
    if (fd < 0 || fstat(fd, &st) < 0 || st.st_size < FILE_HEADER) {
        fprintf(stderr, "bench_limit: name one capture\n");
        return 1;
    }
    const uint8_t *file = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
    if (file == MAP_FAILED) {
        perror("bench_limit");
        return 1;
    }
    hash_key_init(&hash_key);
    const uint8_t *begin = file + FILE_HEADER, *end = file + st.st_size;
    const uint8_t *middle = is_halved ? begin + (end - begin) / 2 : end;
    while (middle < end && !is_record(middle, end))
        middle++;
    struct half first = {begin, middle}, second = {middle, end};
    pthread_t thread;
    if (is_halved && pthread_create(&thread, NULL, half_count, &second)) {
        fprintf(stderr, "bench_limit: no thread\n");
        return 1;
    }
    half_count(&first);
    if (is_halved)
        pthread_join(thread, NULL);
    unsigned long packets = first.packets + second.packets;
    printf("%lu packets, %lu bytes, %lu sources, %lu to port 23\n", packets,
           (unsigned long)(first.bytes + second.bytes),
           (unsigned long)(first.sources + second.sources),
           (unsigned long)(first.to_telnet + second.to_telnet));
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
    double ns = (double)cpu.tv_sec * 1e9 + (double)cpu.tv_nsec;
    printf("%.1f ns of CPU a packet", packets ? ns / (double)packets : 0);
    if (has_pairs)
        printf(", %lu pairs", (unsigned long)(first.pairs + second.pairs));
    if (has_events)
        printf(", %lu events", (unsigned long)(first.events + second.events));
    printf("\n");
    return 0;
}
