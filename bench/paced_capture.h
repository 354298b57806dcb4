/* paced_capture: a capture that hands out a file's packets as a link of a given rate would bring them.
 *
 * Packet i is due i / rate after the first burst, whoever waits. What is due waits in a modelled ring of a NIC with 4,096
 * descriptors; what finds it full is missed, and said to be (nic_missed). The file is classic pcap, mapped, and begins
 * again at its end, with some of its sources (IPv4) changed to new ones where more sources are wanted. All frames of a burst have one time, when it was fetched, as capture_dpdk's have.
 * One thread calls burst and drops; the figures are for after it ended.
 */
#ifndef BENCH_PACED_CAPTURE_H
#define BENCH_PACED_CAPTURE_H

#include "capture/capture.h"
#include "capture/live_clock.h"

enum {
    PACED_RING = 4096, /* descriptors: the most that common 10 and 25 GbE NICs have */
    PACED_STALLS = 8,  /* the longest ones, kept */
};

struct paced_stall {
    int64_t at_ns, ns; /* since the first burst; from one burst to the next */
    uint64_t missed;
    long faults,
        switches; /* pages touched first and times put aside, since the stall before that was noted */
};

struct paced_figures {
    uint64_t warm_missed;      /* while it went slower; not in what follows */
    uint64_t overruns;         /* times that the ring was full */
    uint64_t packets, missed;  /* handed out; of the rest, due and not fetched in time */
    uint64_t bursts, polls;    /* with packets; without */
    int64_t fetch_ns, work_ns; /* in bursts that had packets; between such a burst and the next */
    struct paced_stall longest[PACED_STALLS]; /* the longest first */
};

struct paced_settings {
    const char *path;
    double rate_pps;
    /* For so long it goes slower, while sources become so many, as many in each second. */
    double warm_s, warm_pps;
    uint64_t sources;
    bool is_flood; /* every packet of IPv4 is of a source of its own */
    struct live_clock *clock;
};

/* Reads the file into memory. 0, or -errno and a fault. Caller closes. */
int paced_open(struct capture **c, const struct paced_settings *settings, struct fault *fault);

const struct paced_figures *paced_figures(const struct capture *c);

#endif
