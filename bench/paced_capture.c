#include "bench/paced_capture.h"

#include "bench/bench.h"
#include "capture/pcap_format.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

struct place {
    uint64_t at : 40;
    uint64_t len : 16;
    uint64_t group : 8; /* of the source; NO_GROUP: it stays */
};

enum { GROUPS = 255, NO_GROUP = GROUPS };

struct paced {
    struct capture base;
    struct clock_reader clock;
    uint8_t *file;
    size_t size;
    struct place *places;
    size_t count, next;
    double warm_ns, warm_per_ns;
    bool is_flood;
    uint32_t flooded;           /* sources that it made */
    double per_ns;              /* packets due in a nanosecond */
    int64_t start_ns, entry_ns, /* of the burst before; */
        exit_ns;                /* when it had packets, else 0 */
    uint64_t taken;             /* of what was due: handed out or missed */
    unsigned pass;              /* over the file, from 0 */
    double groups_per_pass;     /* of sources that become new ones */
    unsigned from, to;          /* those groups, in this pass, modulo GROUPS */
    struct rusage used;         /* at the last stall */
    struct paced_figures figures;
};

static void stall_note(struct paced *p, const struct paced_stall *s)
{
    struct paced_stall *longest = p->figures.longest;
    struct rusage now;
    unsigned i = PACED_STALLS - 1;
    if (s->ns <= longest[i].ns && s->missed == 0)
        return;
    (void)getrusage(RUSAGE_THREAD, &now);
    p->figures.overruns += s->missed > 0;
    if (s->ns > longest[i].ns) {
        for (; i > 0 && longest[i - 1].ns < s->ns; i--)
            longest[i] = longest[i - 1];
        longest[i] = *s;
        longest[i].faults = now.ru_minflt - p->used.ru_minflt;
        longest[i].switches = now.ru_nivcsw - p->used.ru_nivcsw;
    }
    p->used = now;
}

static void pass_begin(struct paced *p);

static void skip(struct paced *p, uint64_t packets)
{
    for (p->next += packets; p->next >= p->count;) {
        size_t over = p->next - p->count;
        pass_begin(p);
        p->next = over;
    }
}

/* Packets until then. */
static uint64_t due(const struct paced *p, double ns)
{
    double warm_ns = ns < p->warm_ns ? ns : p->warm_ns;
    return (uint64_t)(warm_ns * p->warm_per_ns + (ns - warm_ns) * p->per_ns);
}

/* How many packets wait; what finds no room is missed. */
static uint64_t ring_fill(struct paced *p, int64_t now_ns)
{
    struct paced_stall stall = {.at_ns = now_ns - p->start_ns, .ns = now_ns - p->entry_ns};
    uint64_t waiting = due(p, (double)stall.at_ns) - p->taken;
    bool is_warming = (double)stall.at_ns < p->warm_ns;
    if (waiting > PACED_RING) {
        stall.missed = waiting - PACED_RING;
        *(is_warming ? &p->figures.warm_missed : &p->figures.missed) += stall.missed;
        p->taken += stall.missed;
        skip(p, stall.missed);
        waiting = PACED_RING;
    }
    if (!is_warming)
        stall_note(p, &stall);
    return waiting;
}

/* Source addresses of a group become others, each its own; the first byte stays. */
static void source_renew(struct paced *p, struct place at)
{
    uint8_t *src = p->file + at.at + 26;
    uint32_t low = (uint32_t)src[1] << 16 | (uint32_t)src[2] << 8 | src[3];
    low = low * 0x9e3779b1 + p->pass * 0x61c88647; /* odd: one to one */
    src[1] = (uint8_t)(low >> 16), src[2] = (uint8_t)(low >> 8), src[3] = (uint8_t)low;
}

/* The next of 2^32, in no order. */
static void source_make(struct paced *p, struct place at)
{
    uint32_t src = ++p->flooded * UINT32_C(0x9e3779b1); /* odd: one to one */
    memcpy(p->file + at.at + 26, &src, sizeof src);
}

static bool is_renewed(const struct paced *p, unsigned group)
{
    return group != NO_GROUP && (group + GROUPS - p->from) % GROUPS < p->to - p->from;
}

static void pass_begin(struct paced *p)
{
    p->next = 0;
    p->pass++;
    p->from = p->to = 0;
    if ((double)(p->entry_ns - p->start_ns) >= p->warm_ns)
        return;
    unsigned done = (unsigned)(p->groups_per_pass * (p->pass - 1)),
             until = (unsigned)(p->groups_per_pass * p->pass);
    p->from = done % GROUPS;
    p->to = p->from + (until - done < GROUPS ? until - done : GROUPS);
}

static size_t burst(struct capture *c, struct frame *frames, size_t max)
{
    struct paced *p = (struct paced *)c;
    int64_t now_ns = bench_clock_ns();
    if (p->start_ns == 0)
        p->start_ns = p->entry_ns = now_ns;
    if (p->exit_ns > 0)
        p->figures.work_ns += now_ns - p->exit_ns;
    uint64_t waiting = ring_fill(p, now_ns);
    p->entry_ns = now_ns;
    p->exit_ns = 0;
    if (waiting == 0) {
        p->figures.polls++;
        return 0;
    }
    size_t count = waiting < max ? waiting : max;
    int64_t ts_ns = live_clock_now(&p->clock);
    for (size_t i = 0; i < count; i++) {
        struct place at = p->places[p->next];
        if (p->is_flood && at.group != NO_GROUP)
            source_make(p, at);
        else if (p->to > p->from && is_renewed(p, at.group))
            source_renew(p, at);
        frames[i] = (struct frame){p->file + at.at, at.len, at.len, ts_ns, 1};
        if (++p->next == p->count)
            pass_begin(p);
    }
    p->taken += count;
    p->figures.packets += count;
    p->figures.bursts++;
    p->exit_ns = bench_clock_ns();
    p->figures.fetch_ns += p->exit_ns - now_ns;
    return count;
}

static void drops(const struct capture *c, struct capture_drops *d)
{
    *d = (struct capture_drops){.nic_missed = (int64_t)((const struct paced *)c)->figures.missed};
}

static void close_paced(struct capture *c)
{
    struct paced *p = (struct paced *)c;
    if (!p)
        return;
    if (p->file)
        (void)munmap(p->file, p->size);
    free(p->places);
    free(p);
}

static const struct capture_ops ops = {
    .name = "paced", .burst = burst, .drops = drops, .close = close_paced};

static int file_read(struct paced *p, const char *path)
{
    struct stat s;
    int fd = open(path, O_RDONLY | O_CLOEXEC), err = 0;
    if (fd < 0)
        return -errno;
    if (fstat(fd, &s) < 0 || s.st_size <= PCAP_FILE_HEADER)
        err = -EBADMSG;
    p->size = err < 0 ? 0 : (size_t)s.st_size;
    void *map =
        err < 0 ? MAP_FAILED
                : mmap(NULL, p->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    p->file = map == MAP_FAILED ? NULL : map;
    if (err == 0 && !p->file)
        err = -ENOMEM;
    for (size_t at = 0; err == 0 && at < p->size;) {
        ssize_t got = read(fd, p->file + at, p->size - at);
        if (got <= 0)
            err = got < 0 ? -errno : -EBADMSG;
        else
            at += (size_t)got;
    }
    (void)close(fd);
    return err;
}

static struct place place_of(const struct paced *p, size_t at, uint32_t len)
{
    struct place place = {at, len, NO_GROUP};
    uint32_t src;
    if (len >= 34 && p->file[at + 12] == 8 && p->file[at + 13] == 0) {
        memcpy(&src, p->file + at + 26, 4);
        place.group = (uint8_t)((src * UINT32_C(0x9e3779b1) >> 16) % GROUPS);
    }
    return place;
}

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* How many of them there are. */
static uint64_t sources_count(const struct paced *p)
{
    uint32_t *sources = calloc(p->count, sizeof *sources);
    uint64_t count = 0;
    size_t used = 0;
    for (size_t i = 0; sources && i < p->count; i++)
        if (p->places[i].group != NO_GROUP)
            memcpy(&sources[used++], p->file + p->places[i].at + 26, 4);
    if (sources)
        qsort(sources, used, sizeof *sources, compare);
    for (size_t i = 0; sources && i < used; i++)
        count += i == 0 || sources[i] != sources[i - 1];
    free(sources);
    return count;
}

static int places_read(struct paced *p)
{
    size_t room = 0;
    for (size_t at = PCAP_FILE_HEADER; at + PCAP_RECORD_HEADER <= p->size; p->count++) {
        uint32_t len;
        memcpy(&len, p->file + at + 8, 4);
        len = le32toh(len);
        at += PCAP_RECORD_HEADER;
        if (len > p->size - at || len > UINT16_MAX)
            break;
        if (p->count == room) {
            room = room ? 2 * room : 1 << 20;
            struct place *more = realloc(p->places, room * sizeof *more);
            if (!more)
                return -ENOMEM;
            p->places = more;
        }
        p->places[p->count] = place_of(p, at, len);
        at += len;
    }
    return p->count > 0 ? 0 : -EBADMSG;
}

int paced_open(struct capture **c, const struct paced_settings *settings, struct fault *fault)
{
    struct paced *p = calloc(1, sizeof *p);
    int err = p ? file_read(p, settings->path) : -ENOMEM;
    if (err == 0)
        err = places_read(p);
    if (err < 0) {
        close_paced(p ? &p->base : NULL);
        return fault_set(fault, -err, "%s: %s", settings->path, strerror(-err));
    }
    p->base.ops = &ops;
    p->per_ns = settings->rate_pps / 1e9;
    p->is_flood = settings->is_flood;
    p->warm_ns = settings->warm_s * 1e9;
    p->warm_per_ns = settings->warm_pps / 1e9;
    if (settings->sources > 0) {
        uint64_t have = sources_count(p);
        double passes = settings->warm_pps * settings->warm_s / (double)p->count;
        if (have > 0 && settings->sources > have && passes > 1)
            p->groups_per_pass =
                (double)(settings->sources - have) / (double)have * GROUPS / passes;
    }
    clock_reader_init(&p->clock, settings->clock);
    *c = &p->base;
    return 0;
}

const struct paced_figures *paced_figures(const struct capture *c)
{
    return &((const struct paced *)c)->figures;
}
