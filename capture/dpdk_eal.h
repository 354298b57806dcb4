/* dpdk_eal: DPDK's environment, started once per process.
 *
 * Only what uses DPDK pays for it: the libraries load with the program (about 1.5 ms); drivers are plugins
 * that EAL loads here (0.2 to 0.4 s for all of Debian's).
 *
 * What is chosen where `--eal` does not say otherwise:
 *   --lcores 0@(CPUS)     one lcore, floating over the processors that the caller may use: EAL pins
 *                         nothing and polls nothing. Receivers are threads of ours (dpdk_thread_enter).
 *   --in-memory           hugepages without files or a mount. Not beside what it excludes.
 *   --no-huge -m MB       where too few hugepages are free (said in the info).
 *   --no-telemetry        no socket, no thread.
 *   --file-prefix         one of its own; the folder that EAL makes for it is removed at the end.
 *   --allow PCI,...       the PCI ports that the specs name and no other NIC; --no-pci where they are all vdevs.
 * Signals stay the caller's: EAL's threads are born with all blocked, handlers are as before. So is the
 * caller's processor affinity. EAL's log is kept to errors; they go into the fault of the call that
 * failed, and else to `say`.
 */
#ifndef CAPTURE_DPDK_EAL_H
#define CAPTURE_DPDK_EAL_H

#include "capture/dpdk_spec.h"

struct dpdk_eal_settings {
    const char *eal; /* of --eal; may be NULL */
    const struct dpdk_spec *specs;
    size_t spec_count;
    /* Called with an error that DPDK logs later, one line, by the thread it concerns; may be NULL. */
    void (*say)(void *context, const char *line);
    void *context;
};

/* For the lines at start. */
struct dpdk_eal_info {
    bool has_hugepages;
    uint64_t page_bytes;   /* size of a hugepage in use; 0 without */
    uint64_t free_bytes;   /* in hugepages of that size before the start */
    uint64_t need_bytes;   /* what the ports will take, by formula */
    uint64_t memory_bytes; /* reserved without hugepages; 0 with */
    char why[128];         /* why there are none in use; empty with */
    char arguments[1024];  /* as EAL was given them */
};

/* Starts EAL. Main thread, before others, once: -EALREADY after that. `info` and what `settings` points
 * to are the caller's; `context` must live until dpdk_eal_fini. Fault: the --eal argument
 * that EAL complains of and its own words. Standard output and error are not written to. */
int dpdk_eal_init(const struct dpdk_eal_settings *settings, struct dpdk_eal_info *info,
                  struct fault *fault);

/* After all ports are closed; does nothing where EAL was not started. EAL can't be started again. */
void dpdk_eal_fini(void);

/* Makes the calling thread known, so that its mbufs come from a cache of its own (up to 127 threads). Before its
 * first burst; it leaves again before it ends. Returns 0, -errno with fault. */
int dpdk_thread_enter(struct fault *fault);
void dpdk_thread_leave(void);

/* Bytes that a spec's packet buffers take in pages of `page_bytes`. No buffer crosses a page where it
 * fits into one, so that without hugepages (4,096) each takes a whole one. */
uint64_t dpdk_eal_need(const struct dpdk_spec *spec, uint64_t page_bytes);

/* For other files of the backend: between the two, signals are held back from threads that are born,
 * and the log goes to the text that `end` gives instead of to `say`. `takes_output`: what libraries write to
 * standard output and error (libbpf does) goes nowhere; only while the caller is the only thread that
 * writes there. */
struct dpdk_quiet;
struct dpdk_quiet *dpdk_quiet_begin(bool takes_output);
/* Ends it. The lines are put one behind the other, cut at the end; "" where nothing was logged; valid until the
 * next begin. */
const char *dpdk_quiet_end(struct dpdk_quiet *quiet);

#endif
