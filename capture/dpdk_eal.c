#include "capture/dpdk_eal.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_log.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const uint64_t mebibyte = 1 << 20;

/* DPDK's log, and what else it writes: one per process, as DPDK itself. Lines come under the lock of the
 * stream. */
struct dpdk_quiet {
    sigset_t signals;
    FILE *out, *err, *nowhere; /* standard output and error as they were */
    char text[1024];
    size_t used;
};

static struct {
    bool is_started;
    void (*say)(void *context, const char *line);
    void *context;
    FILE *stream;
    pthread_mutex_t one_at_a_time;
    struct dpdk_quiet quiet;
    bool is_quiet;
    char line[256];
    size_t length;
} eal = {.one_at_a_time = PTHREAD_MUTEX_INITIALIZER};

static void line_end(void)
{
    eal.line[eal.length] = '\0';
    if (eal.length && eal.is_quiet && eal.quiet.used < sizeof eal.quiet.text)
        eal.quiet.used += (size_t)snprintf(eal.quiet.text + eal.quiet.used,
                                           sizeof eal.quiet.text - eal.quiet.used, "%s%s",
                                           eal.quiet.used ? "; " : "", eal.line);
    else if (eal.length && !eal.is_quiet && eal.say)
        eal.say(eal.context, eal.line);
    eal.length = 0;
}

static ssize_t log_write(void *cookie, const char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (bytes[i] == '\n')
            line_end();
        else if (eal.length < sizeof eal.line - 1)
            eal.line[eal.length++] = bytes[i];
    }
    return (ssize_t)count;
}

struct dpdk_quiet *dpdk_quiet_begin(bool takes_output)
{
    sigset_t all;
    sigfillset(&all);
    pthread_mutex_lock(&eal.one_at_a_time);
    struct dpdk_quiet *q = &eal.quiet;
    pthread_sigmask(SIG_SETMASK, &all, &q->signals);
    q->used = 0;
    q->text[0] = '\0';
    q->nowhere = takes_output ? fopen("/dev/null", "we") : NULL;
    if (q->nowhere) {
        q->out = stdout;
        q->err = stderr;
        stdout = stderr = q->nowhere;
    }
    eal.is_quiet = true;
    return q;
}

const char *dpdk_quiet_end(struct dpdk_quiet *q)
{
    if (eal.stream)
        (void)fflush(eal.stream);
    line_end();
    eal.is_quiet = false;
    if (q->nowhere) {
        stdout = q->out;
        stderr = q->err;
        (void)fclose(q->nowhere);
    }
    pthread_sigmask(SIG_SETMASK, &q->signals, NULL);
    pthread_mutex_unlock(&eal.one_at_a_time);
    return q->text;
}

static uint64_t number_in(const char *path)
{
    uint64_t number = 0;
    FILE *f = fopen(path, "re");
    if (!f)
        return 0;
    if (fscanf(f, "%lu", &number) != 1)
        number = 0;
    (void)fclose(f);
    return number;
}

/* The size of hugepage of which most memory is free. */
static void hugepages_find(struct dpdk_eal_info *info)
{
    static const char folder[] = "/sys/kernel/mm/hugepages";
    DIR *dir = opendir(folder);
    struct dirent *entry;
    while (dir && (entry = readdir(dir))) {
        uint64_t kib;
        char path[400];
        if (sscanf(entry->d_name, "hugepages-%lukB", &kib) != 1)
            continue;
        (void)snprintf(path, sizeof path, "%s/%s/free_hugepages", folder, entry->d_name);
        uint64_t bytes = number_in(path) * kib * 1024;
        if (bytes > info->free_bytes) {
            info->free_bytes = bytes;
            info->page_bytes = kib * 1024;
        }
    }
    if (dir)
        (void)closedir(dir);
}

uint64_t dpdk_eal_need(const struct dpdk_spec *spec, uint64_t page_bytes)
{
    uint64_t mbufs = spec->mbufs ? spec->mbufs : DPDK_MBUFS_DEFAULT;
    /* Data room of 2,048 + 128, or what the MTU asks for; struct rte_mbuf 128, the pool's header and
     * padding up to 192. */
    uint64_t bytes = (spec->mtu > 2000 ? spec->mtu + 200u : 2176) + 128 + 192;
    if (bytes > page_bytes / 2 && bytes <= page_bytes)
        bytes = page_bytes;
    else if (bytes > page_bytes)
        bytes = (bytes + page_bytes - 1) / page_bytes * page_bytes;
    /* The pool's ring (a power of two of pointers); caches of 128 lcores, 8 KiB each. */
    return spec->queues * (mbufs * (bytes + 16) + (5 << 18));
}

/* EAL's own, its drivers' rings and queues. */
enum { BESIDE_MIB = 64 };

static uint64_t need_of(const struct dpdk_eal_settings *s, uint64_t page_bytes)
{
    uint64_t need = BESIDE_MIB * mebibyte;
    for (size_t i = 0; i < s->spec_count; i++)
        need += dpdk_eal_need(&s->specs[i], page_bytes);
    return need;
}

static void memory_choose(const struct dpdk_eal_settings *s, const struct dpdk_arguments *a,
                          struct dpdk_eal_info *info)
{
    hugepages_find(info);
    info->need_bytes = need_of(s, info->page_bytes ? info->page_bytes : 2 * mebibyte);
    info->has_hugepages = !dpdk_arguments_have(a, "no-huge");
    if (!info->has_hugepages)
        (void)snprintf(info->why, sizeof info->why, "--eal says --no-huge");
    else if (dpdk_arguments_have(a, "huge-dir") || dpdk_arguments_have(a, "socket-mem") ||
             dpdk_arguments_have(a, "legacy-mem"))
        return; /* the caller knows of some */
    else if (!info->free_bytes)
        (void)snprintf(info->why, sizeof info->why, "no hugepage is free");
    else if (info->free_bytes < info->need_bytes)
        (void)snprintf(info->why, sizeof info->why,
                       "only %llu MiB of hugepages are free, %llu MiB are needed",
                       (unsigned long long)(info->free_bytes / mebibyte),
                       (unsigned long long)(info->need_bytes / mebibyte));
    info->has_hugepages = !info->why[0];
    if (info->has_hugepages)
        return;
    info->page_bytes = 0;
    info->need_bytes = need_of(s, 4096);
    info->memory_bytes = info->need_bytes + info->need_bytes / 8;
}

/* EAL's argv. Words of ours lie in `text`. */
struct command_line {
    char *word[256];
    int count;
    char text[8192];
    size_t used;
};

static __attribute__((format(printf, 2, 3))) void word_add(struct command_line *c,
                                                           const char *format, ...)
{
    va_list args;
    va_start(args, format);
    size_t room = sizeof c->text - c->used;
    int length = vsnprintf(c->text + c->used, room, format, args);
    va_end(args);
    if (length < 0 || (size_t)length >= room ||
        c->count + 1 >= (int)(sizeof c->word / sizeof *c->word))
        return;
    c->word[c->count++] = c->text + c->used;
    c->used += (size_t)length + 1;
}

/* "0@(0,2,3)": the processors that the caller may use. */
static void lcores_add(struct command_line *c)
{
    cpu_set_t may;
    char list[2048];
    size_t used = 0;
    CPU_ZERO(&may);
    if (sched_getaffinity(0, sizeof may, &may) != 0)
        CPU_SET(0, &may);
    for (int cpu = 0; cpu < CPU_SETSIZE && used + 8 < sizeof list; cpu++)
        if (CPU_ISSET(cpu, &may))
            used += (size_t)snprintf(list + used, sizeof list - used, "%s%d", used ? "," : "", cpu);
    word_add(c, "--lcores=0@(%s)", list);
}

static void devices_add(struct command_line *c, const struct dpdk_eal_settings *s)
{
    size_t pci = 0, named = 0;
    for (size_t i = 0; i < s->spec_count; i++) {
        pci += s->specs[i].kind == DPDK_PCI;
        named += s->specs[i].kind == DPDK_NAMED;
    }
    if (named)
        return; /* it may be any device's: all are looked at */
    if (!pci)
        word_add(c, "--no-pci");
    for (size_t i = 0; i < s->spec_count; i++)
        if (s->specs[i].kind == DPDK_PCI)
            word_add(c, "--allow=%s%s%s", s->specs[i].device, s->specs[i].devargs[0] ? "," : "",
                     s->specs[i].devargs);
}

static bool have_any(const struct dpdk_arguments *a, const char *const *names)
{
    for (; *names; names++)
        if (dpdk_arguments_have(a, *names))
            return true;
    return false;
}

static void command_line_make(struct command_line *c, const struct dpdk_eal_settings *s,
                              const struct dpdk_arguments *a, const struct dpdk_eal_info *info)
{
    static const char *const lcores[] = {"lcores", "l", "c", "main-lcore", NULL};
    static const char *const devices[] = {"allow", "a", "block", "b", "no-pci", NULL};
    static const char *const files[] = {"in-memory",  "huge-dir",   "no-shconf", "huge-unlink",
                                        "legacy-mem", "socket-mem", NULL};
    static const char *const telemetry[] = {"telemetry", "no-telemetry", NULL};
    word_add(c, "yamiscope");
    if (!have_any(a, lcores))
        lcores_add(c);
    if (!have_any(a, devices))
        devices_add(c, s);
    if (!have_any(a, telemetry))
        word_add(c, "--no-telemetry");
    if (!dpdk_arguments_have(a, "file-prefix"))
        word_add(c, "--file-prefix=yamiscope-%ld", (long)getpid());
    if (!info->has_hugepages) {
        if (!dpdk_arguments_have(a, "no-huge"))
            word_add(c, "--no-huge");
        if (!have_any(a, files)) /* --in-memory does not go with --no-huge */
            word_add(c, "--no-shconf");
        if (!dpdk_arguments_have(a, "m") && !dpdk_arguments_have(a, "socket-mem"))
            word_add(c, "-m%llu", (unsigned long long)(info->memory_bytes / mebibyte));
    } else if (!have_any(a, files)) {
        word_add(c, "--in-memory");
    }
    for (unsigned i = 0; i < a->count; i++)
        word_add(c, "%s", a->word[i]);
    c->word[c->count] = NULL;
}

static void arguments_say(const struct command_line *c, struct dpdk_eal_info *info)
{
    size_t used = 0;
    for (int i = 1; i < c->count && used < sizeof info->arguments; i++)
        used += (size_t)snprintf(info->arguments + used, sizeof info->arguments - used, "%s%s",
                                 used ? " " : "", c->word[i]);
}

/* EAL writes its usage to standard output where an argument is wrong. */
static int eal_run(struct command_line *c, const char **log)
{
    struct sigaction handlers[NSIG];
    cpu_set_t may;
    bool has_affinity = pthread_getaffinity_np(pthread_self(), sizeof may, &may) == 0;
    struct dpdk_quiet *quiet = dpdk_quiet_begin(true);
    for (int i = 1; i < NSIG; i++)
        (void)sigaction(i, NULL, &handlers[i]);
    int result = rte_eal_init(c->count, c->word);
    int cause = rte_errno;
    for (int i = 1; i < NSIG; i++)
        (void)sigaction(i, &handlers[i], NULL);
    if (has_affinity)
        (void)pthread_setaffinity_np(pthread_self(), sizeof may, &may);
    *log = dpdk_quiet_end(quiet);
    return result < 0 ? (cause ? -cause : -EIO) : 0;
}

static int log_open(const struct dpdk_eal_settings *s, const struct dpdk_arguments *a,
                    struct fault *fault)
{
    if (!eal.stream)
        eal.stream = fopencookie(NULL, "w", (cookie_io_functions_t){.write = log_write});
    if (!eal.stream)
        return fault_set(fault, ENOMEM, "dpdk: no memory");
    setvbuf(eal.stream, NULL, _IOLBF, 256);
    rte_openlog_stream(eal.stream);
    if (!dpdk_arguments_have(a, "log-level"))
        rte_log_set_global_level(RTE_LOG_ERR);
    eal.say = s->say;
    eal.context = s->context;
    return 0;
}

/* The folder /run/dpdk/PREFIX that EAL makes, where it holds nothing. */
static void folder_remove(void)
{
    const char *folder = rte_eal_get_runtime_dir();
    if (folder && folder[0])
        (void)rmdir(folder);
}

int dpdk_eal_init(const struct dpdk_eal_settings *settings, struct dpdk_eal_info *info,
                  struct fault *fault)
{
    static struct dpdk_arguments arguments; /* EAL keeps pointers into its argv */
    static struct command_line line;
    if (eal.is_started)
        return fault_set(fault, EALREADY, "dpdk: EAL is started already");
    memset(info, 0, sizeof *info);
    memset(&line, 0, sizeof line);
    int err = dpdk_arguments_parse(&arguments, settings->eal, fault);
    if (err)
        (void)fault_prefix(fault, "--eal");
    else
        err = log_open(settings, &arguments, fault);
    if (err)
        return err;
    memory_choose(settings, &arguments, info);
    command_line_make(&line, settings, &arguments, info);
    arguments_say(&line, info);
    const char *log;
    err = eal_run(&line, &log);
    if (err) {
        char blamed[100];
        dpdk_arguments_blame(&arguments, log, blamed, sizeof blamed);
        folder_remove();
        (void)fault_set(fault, -err, "--eal: %s%s%s", blamed, blamed[0] ? ": " : "",
                        log[0] ? log : strerror(-err));
        (void)fault_one_line(fault);
        return err;
    }
    eal.is_started = true;
    return 0;
}

void dpdk_eal_fini(void)
{
    if (!eal.is_started)
        return;
    struct dpdk_quiet *quiet = dpdk_quiet_begin(false);
    folder_remove();
    (void)rte_eal_cleanup();
    folder_remove();
    (void)dpdk_quiet_end(quiet);
    rte_openlog_stream(NULL);
    (void)fclose(eal.stream);
    eal.stream = NULL;
}

int dpdk_thread_enter(struct fault *fault)
{
    if (rte_lcore_id() != LCORE_ID_ANY)
        return 0; /* the thread that started EAL */
    struct dpdk_quiet *quiet = dpdk_quiet_begin(false);
    int result = rte_thread_register();
    int cause = rte_errno;
    const char *log = dpdk_quiet_end(quiet);
    if (result == 0)
        return 0;
    return fault_set(fault, cause, "dpdk: a thread can't become an lcore: %s",
                     log[0] ? log : strerror(cause));
}

void dpdk_thread_leave(void)
{
    if (rte_lcore_id() != LCORE_ID_ANY && rte_lcore_id() != rte_get_main_lcore())
        rte_thread_unregister();
}
