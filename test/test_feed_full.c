#include "export/feed_note.h"

#include "event_case.h"
#include "feed_live_case.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>

static char small[PATH_LEN], filler[PATH_LEN + 8];

static void map_write(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY);
    if (fd >= 0 && write(fd, text, strlen(text)) < 0)
        print_message("%s: %s\n", path, strerror(errno));
    if (fd >= 0)
        close(fd);
}

/* A file system of `kb` KB for this process alone. False: it can't be had here. */
static bool small_mount(unsigned kb)
{
    char options[32];
    snprintf(small, sizeof small, "%s/small", scratch);
    snprintf(filler, sizeof filler, "%s/filler", small);
    snprintf(options, sizeof options, "size=%uk", kb);
    if (unshare(CLONE_NEWNS) != 0) {
        uid_t uid = getuid();
        gid_t gid = getgid();
        if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
            return false;
        map_write("/proc/self/setgroups", "deny");
        char map[32];
        snprintf(map, sizeof map, "0 %u 1", uid);
        map_write("/proc/self/uid_map", map);
        snprintf(map, sizeof map, "0 %u 1", gid);
        map_write("/proc/self/gid_map", map);
    }
    return mkdir(small, 0777) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("tmpfs", small, "tmpfs", 0, options) == 0;
}

/* Fills the disk but for `pages`. */
static void disk_fill(unsigned pages)
{
    static const char page[4096];
    int fd = open(filler, O_WRONLY | O_CREAT | O_APPEND, 0666);
    assert_true(fd >= 0);
    while (write(fd, page, sizeof page) == sizeof page)
        ;
    struct stat st;
    assert_int_equal(fstat(fd, &st), 0);
    off_t left = st.st_size - (off_t)pages * 4096;
    assert_int_equal(ftruncate(fd, left < 0 ? 0 : left), 0);
    close(fd);
}

static int op_window(struct feed_log *log, int step, struct fault *fault)
{
    return window_put(log, 3 * step, 0, 40, fault);
}

static int op_hour(struct feed_log *log, int step, struct fault *fault)
{
    return window_put(log, 60 * (step + 1), 0, 40, fault);
}

static int op_gap(struct feed_log *log, int step, struct fault *fault)
{
    return feed_log_append_gap(log, &(struct feed_gap){.to_ns = step}, fault);
}

/* Behind the one window that the feed begins with. */
static int op_event(struct feed_log *log, int step, struct fault *fault)
{
    struct event e = event_case(EVENT_scan, 1, step, (step + 1) * minute_ns / 100, 0, EVENT_ENDS);
    int err = feed_log_seq(log) == 0 ? window_put(log, 0, 0, 40, fault) : 0;
    return err == 0 ? feed_log_append_event(log, &e, fault) : err;
}

static int op_date(struct feed_log *log, int step, struct fault *fault)
{
    int err = date_put(log, DATE + step, 150, fault), cancelled = 0;
    if (err != 0)
        cancelled = feed_log_day_cancel(log, NULL);
    assert_int_equal(cancelled, 0);
    return err;
}

/* Every kind of append meets a disk with 0, 1, 2, ... free pages: nothing of it stays, what stands holds, and when there is
 * room again it succeeds. */
static void disk_full(void **state)
{
    static const struct {
        const char *name;
        int (*run)(struct feed_log *log, int step, struct fault *fault);
    } ops[] = {{"window", op_window},
               {"hour", op_hour},
               {"gap", op_gap},
               {"event", op_event},
               {"date", op_date}};
    enum { PAGES = 24 };
    pid_t child = fork();
    if (child > 0) {
        int status;
        waitpid(child, &status, 0);
        assert_true(WIFEXITED(status));
        if (WEXITSTATUS(status) == 77)
            print_message("NOT TESTED: a full disk: no file system can be mounted here\n");
        else
            assert_int_equal(WEXITSTATUS(status), 0);
        return;
    }
    if (!small_mount(2048))
        _exit(77);
    for (size_t op = 0; op < sizeof ops / sizeof *ops; op++) {
        char dir[2 * PATH_LEN], what[64];
        unsigned failures = 0;
        snprintf(dir, sizeof dir, "%s/%s", small, ops[op].name);
        struct feed_log *log = begin(dir);
        struct fault fault;
        for (int pages = 0; pages < PAGES; pages++) {
            snprintf(what, sizeof what, "%s with %d pages", ops[op].name, pages);
            disk_fill((unsigned)pages);
            int err = ops[op].run(log, pages, &fault);
            if (err != 0) {
                failures++;
                if (err != -ENOSPC)
                    fail_msg("%s: %s", what, fault.text);
                struct feed_check check;
                int is = feed_log_verify_rules(dir, rules, &check, &fault);
                if (is != -ENODATA && is != -ENOENT)
                    fail_msg("%s: verify %d: %s", what, is, fault.text);
            }
            unlink(filler);
            if (err != 0 && ops[op].run(log, pages, &fault) != 0)
                fail_msg("%s: again: %s", what, fault.text);
            if (feed_log_sync(log, &fault) != 0)
                fail_msg("%s: sync: %s", what, fault.text);
        }
        assert_int_equal(feed_log_finish(log, &fault), 0);
        assert_holds(dir, 0, ops[op].name);
        if (failures == 0 && ops[op].run != op_gap)
            fail_msg("%s never met a full disk", ops[op].name);
        snprintf(dir, sizeof dir, "rm -rf '%s'/*", small);
        assert_int_equal(system(dir), 0);
    }
    _exit(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(disk_full),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
