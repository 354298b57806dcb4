/* What one core can do at most: the file is mapped, headers are walked, packets counted by port, and a 64-byte entry per source
 * touched, with prefetch within some packets. No windows, no kinds, no rules, no feed: a limit, not a program.
 *
 *   bench_limit FILE        classic pcap, this machine's byte order, Ethernet
 */
#include "capture/hash.h"

#include <assert.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    AHEAD = 32,
    FILE_HEADER = 24,
    RECORD_HEADER = 16,
    HEADERS = 38,
    FILL_NUMERATOR = 3,
    FILL = 4
};

struct entry {
    uint32_t source; /* as it stands in the packet; 0: free, and so is not counted */
    uint32_t packets;
    uint64_t bytes;
    uint64_t ports[6];
};
static_assert(sizeof(struct entry) == 64, "a cache line");

static struct {
    struct entry *entries;
    uint64_t size, count; /* size: a power of two */
    struct hash_key key;
    uint64_t packets, bytes, ports[65536];
} limit;

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
    limit.entries = mmap(NULL, limit.size * sizeof *old, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (limit.entries == MAP_FAILED) {
        perror("bench_limit: memory");
        exit(1);
    }
    for (uint64_t i = 0; i < old_size; i++)
        if (old[i].source != 0)
            *entry_of(old[i].source) = old[i];
    if (old)
        munmap(old, old_size * sizeof *old);
}

struct seen {
    uint32_t source, len;
    uint16_t port;
};

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
    int fd = argc == 2 ? open(argv[1], O_RDONLY) : -1;
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
    walk(file + FILE_HEADER, file + st.st_size);
    printf("%lu packets, %lu bytes, %lu sources, %lu to port 23\n", (unsigned long)limit.packets,
           (unsigned long)limit.bytes, (unsigned long)limit.count, (unsigned long)limit.ports[23]);
    return 0;
}
