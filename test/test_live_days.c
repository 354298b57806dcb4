/* Days of a live capture, whatever fails while they are told: all of a date is told once, and what windows stand on next is known. */
#include "core/event_infected.h"

#include "live_case.h"

#include "journal_folder.h"
#include "telling_case.h"

#include <sys/wait.h>

enum { HOSTS = 5, KILLED = 7 };

/* ---- a disk that fails to sync, a process that is killed */

static atomic_uint syncs, fails_at;    /* calls so far; that which fails, 0: none */
static atomic_uint moments, killed_at; /* likewise of what changes the disk; what it is killed at */

static void moment(void)
{
    if (atomic_fetch_add(&moments, 1) + 1 == atomic_load(&killed_at))
        _exit(KILLED);
}

/* In place of the C library's. */
int fdatasync(int fd)
{
    moment();
    if (atomic_fetch_add(&syncs, 1) + 1 == atomic_load(&fails_at)) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_fdatasync, fd);
}

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t at)
{
    moment();
    return syscall(SYS_pwrite64, fd, bytes, len, at);
}

int unlinkat(int fd, const char *path, int flags)
{
    moment();
    return (int)syscall(SYS_unlinkat, fd, path, flags);
}

int unlink(const char *path)
{
    moment();
    return (int)syscall(SYS_unlink, path);
}

/* ---- infected hosts */

static void host_add(struct record_buffer *to, int32_t date, unsigned host,
                     struct journal_sums *sums)
{
    const struct calendar_day of = calendar_day_at(date);
    struct source_day_port port = {.kind = KIND_tcp_syn, .port = 23, .packets = 10};
    struct source_day s = {
        .date = date,
        .ip_version = 4,
        .address = {9, 9, 9, (uint8_t)(host + 1)},
        .first_ns = of.start_ns + 1000,
        .last_ns = of.start_ns + 2000,
        .tcp_ns = of.start_ns + 2000,
        .tcp_src_port = 40000,
        .tcp_dst_port = 23,
        .kinds[KIND_tcp_syn] = {10, 600},
        .tools[TOOL_mirai] = 10,
        .reach = {[REACH_TCP] = {5, 5}, [REACH_MIRAI] = {5, 5}},
        .ports = &port,
        .port_count = 1,
    };
    uint32_t crc = 0;
    assert_int_equal(record_pack_source_day(to, 1, &crc, &s), 0);
    sums->kinds[KIND_tcp_syn].packets += 10;
    sums->kinds[KIND_tcp_syn].bytes += 600;
}

static void hosts_fill(const int32_t *dates, unsigned count)
{
    struct day_journal *j = journal_open(0);
    struct fault fault;
    for (unsigned i = 0; i < count; i++) {
        struct journal_part part = {.date = dates[i], .number = i + 1, .sums.minutes = {1}};
        struct record_buffer run = {0};
        for (unsigned host = 0; host < HOSTS; host++)
            host_add(&run, dates[i], host, &part.sums);
        part.sums.ledger.offered = part.sums.ledger.observed = 10 * HOSTS;
        part.runs[0] = run.data;
        part.lens[0] = run.len;
        if (day_journal_add(j, &part, &fault) < 0)
            fail_msg("%s", fault.text);
        record_buffer_free(&run);
    }
    day_journal_close(j);
}

/* ---- a telescope, whose days tell of infected hosts */

static int64_t day_start(int32_t date) { return calendar_day_at(date).start_ns; }

struct hosts {
    struct telling t;
    struct telescope_dates *telescope;
    struct event_infected *infected;
    struct live_days *days;
    struct feed_log *feed;
};

static void hosts_make(struct hosts *h, unsigned count)
{
    struct fault fault;
    telling_init(&h->t, count);
    assert_int_equal(telescope_dates_create(&h->telescope, "192.0.2.0/24", &fault), 0);
    telescope_dates_zone(h->telescope, day_start);
    h->infected = event_infected_create(h->t.rules, "tokyo");
    event_infected_look_back(h->infected, h->t.feed);
    h->t.identity.telescope_id = h->t.days.day.telescope_id = "dark";
    h->t.identity.telescope_configured = true;
    h->t.identity.telescope_ipv4 = 256;
    h->t.days.day.telescope = h->telescope;
    h->t.days.day.infected = h->infected;
    h->t.days.has_survey = true;
}

static void hosts_begin(struct hosts *h, const int32_t *dates, unsigned count)
{
    struct fault fault;
    hosts_make(h, count);
    hosts_fill(dates, count);
    assert_int_equal(feed_log_create(&h->feed, h->t.feed, &h->t.identity, &fault), 0);
    for (unsigned i = 0; i < count; i++) { /* their packets lie in it */
        struct window *w = window_create();
        w->start_ns = calendar_day_at(dates[i]).start_ns;
        w->span_ns = h->t.identity.window_span_ns;
        assert_int_equal(feed_log_append(h->feed, w, &fault), 0);
        window_destroy(w);
    }
    assert_int_equal(feed_log_sync(h->feed, &fault), 0);
    if (live_days_open(&h->days, &h->t.days, &fault) < 0)
        fail_msg("%s", fault.text);
}

/* What the feed holds then. */
static void hosts_end(struct hosts *h, struct feed_check *checked)
{
    struct fault fault;
    live_days_close(h->days);
    if (feed_log_finish(h->feed, &fault) < 0 || feed_log_verify(h->t.feed, checked, &fault) < 0)
        fail_msg("%s", fault.text);
    event_infected_destroy(h->infected);
    telling_fini(&h->t);
    telescope_dates_destroy(h->telescope);
}

/* Other rules know nothing of who tells of hosts: those of the start do. */
static void other_rules(void **state)
{
    static const int32_t dates[] = {A};
    struct hosts h;
    struct feed_check checked;
    struct fault fault;
    struct ruleset *rules;
    hosts_begin(&h, dates, 1);
    struct day_store_settings other = h.t.days.day;
    other.infected = NULL;
    assert_int_equal(ruleset_create(&rules, NULL, &fault), 0);
    assert_int_equal(payload_load(rules, NULL, &fault), 0);
    other.day.rules = rules;
    live_days_turn(h.days, &other);
    if (live_days_finish(h.days, A + 1, h.feed, NULL, &fault) < 0)
        fail_msg("%s", fault.text);
    live_days_turn(h.days, &h.t.days.day);
    ruleset_destroy(rules);
    hosts_end(&h, &checked);
    assert_int_equal(checked.events[EVENT_infected], HOSTS);
    assert_int_equal(checked.days, 1);
}

/* Every sync in turn fails once, and what could not be done is done the next time. */
static void a_sync_fails(void **state)
{
    static const int32_t dates[] = {A, B};
    enum { TRIES = 4, MOST = 100 };
    unsigned calls = MOST;
    for (unsigned n = 0; n <= calls; n++) {
        struct hosts h;
        struct feed_check checked;
        struct survey_list *survey, *last = NULL;
        struct fault fault;
        unsigned tries = 0;
        hosts_begin(&h, dates, 2);
        atomic_store(&syncs, 0);
        atomic_store(&fails_at, n);
        int err;
        do {
            err = live_days_finish(h.days, B + 1, h.feed, &survey, &fault);
            if (survey) {
                free(last);
                last = survey;
            }
        } while (err < 0 && ++tries < TRIES);
        calls = n == 0 ? atomic_load(&syncs) : calls;
        atomic_store(&fails_at, 0);
        if (err < 0 || tries != (n > 0) || !last || last->date != B)
            fail_msg("sync %u: %d after %u tries: %s", n, err, tries, err < 0 ? fault.text : "");
        free(last);
        hosts_end(&h, &checked);
        if (checked.events[EVENT_infected] != 2 * HOSTS || checked.days != 2)
            fail_msg("sync %u: %lu hosts, %lu days", n,
                     (unsigned long)checked.events[EVENT_infected], (unsigned long)checked.days);
    }
    assert_in_range(calls, 4, MOST);
}

/* ---- a date that can't be written */

/* It holds up none behind it, and is written when what stands in its way is gone. */
static void a_date_waits_alone(void **state)
{
    static const int32_t dates[] = {A, B};
    struct hosts h;
    struct day_part_info info;
    struct feed_check checked;
    struct fault fault;
    char path[PATH], in_the_way[PATH + 8], name[DAY_PART_NAME];
    uint8_t byte;
    hosts_begin(&h, dates, 2);
    day_part_name(&(struct day_part_id){A, 1, 1}, name);
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    (void)snprintf(in_the_way, sizeof in_the_way, "%s.new", path); /* of who mends it */
    assert_int_equal(mkdir(in_the_way, 0700), 0);
    assert_int_equal(day_part_look(path, "tokyo", "Asia/Tokyo", &info, &fault), 0);
    int fd = open(path, O_RDWR);
    assert_int_equal(pread(fd, &byte, 1, (off_t)info.run_at + 40), 1);
    byte ^= 0x10;
    assert_int_equal(pwrite(fd, &byte, 1, (off_t)info.run_at + 40), 1);
    (void)close(fd);
    for (unsigned i = 0; i < 3; i++) {
        struct day_result *of_a, *of_b;
        assert_int_equal(live_days_finish(h.days, B + 1, h.feed, NULL, &fault), -EISDIR);
        assert_non_null(strstr(fault.text, name));
        of_a = day_of(h.t.feed, A), of_b = day_of(h.t.feed, B);
        assert_null(of_a);
        assert_non_null(of_b);
        day_result_destroy(of_b);
    }
    assert_int_equal(rmdir(in_the_way), 0);
    assert_int_equal(live_days_finish(h.days, B + 1, h.feed, NULL, &fault), 0);
    day_part_info_fini(&info);
    hosts_end(&h, &checked);
    assert_int_equal(checked.days, 2);
    assert_int_equal(checked.events[EVENT_infected], HOSTS); /* of B: A's one block is lost */
}

/* ---- a process that is killed */

/* Exits with KILLED, or with 0 where it came to its end before that. */
static void days_until_killed(const int32_t *dates, unsigned count, unsigned at)
{
    struct hosts h;
    struct feed_check checked;
    struct fault fault;
    hosts_begin(&h, dates, count);
    atomic_store(&moments, 0);
    atomic_store(&killed_at, at);
    if (live_days_finish(h.days, dates[count - 1] + 1, h.feed, NULL, &fault) < 0)
        _exit(1);
    atomic_store(&killed_at, 0);
    hosts_end(&h, &checked);
    _exit(0);
}

/* Wherever that is, who goes on tells each host of each date once. */
static void killed(void **state)
{
    static const int32_t dates[] = {A, B};
    enum { MOST = 200 };
    for (unsigned at = 1;; at++) {
        struct hosts h;
        struct feed_resume resume;
        struct feed_check checked;
        struct survey_list *survey;
        struct fault fault;
        int32_t due;
        int status;
        pid_t child = fork();
        if (child == 0)
            days_until_killed(dates, 2, at);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        if (WEXITSTATUS(status) == 0) {
            assert_in_range(at, 20, MOST);
            break;
        }
        assert_int_equal(WEXITSTATUS(status), KILLED);
        hosts_make(&h, 2);
        if (feed_log_continue(&h.feed, &resume, h.t.feed, &h.t.identity, &fault) < 0)
            fail_msg("moment %u: %s", at, fault.text);
        h.t.days.window_seq = resume.window_seq;
        if (live_days_open(&h.days, &h.t.days, &fault) < 0 ||
            live_days_begin(h.days, B + 1, h.feed, &survey, &due, &fault) < 0 || due != 0)
            fail_msg("moment %u: %s", at, fault.text);
        free(survey);
        hosts_end(&h, &checked);
        if (checked.events[EVENT_infected] != 2 * HOSTS || checked.days != 2)
            fail_msg("moment %u: %lu hosts, %lu days", at,
                     (unsigned long)checked.events[EVENT_infected], (unsigned long)checked.days);
    }
}

/* ---- the start */

static unsigned lines;

static void say(void *context, const char *line) { lines++; }

/* What stands in the way of a Day is said; the capture begins for all that, and writes it when it can. */
static void begins_without_a_day(void **state)
{
    static const int32_t dates[] = {A};
    static const struct script script = {.is_paced = true};
    struct hosts h;
    struct feed_check checked;
    struct survey_list *survey;
    struct fault fault;
    struct fake fake = {0};
    struct live_clock clock;
    struct live_result result;
    atomic_int stop = 0, left = 1;
    int32_t due = 0;
    hosts_begin(&h, dates, 1);
    h.t.days.say = say;
    lines = 0;
    atomic_store(&syncs, 0);
    atomic_store(&fails_at, 1);
    assert_int_equal(live_days_begin(h.days, B, h.feed, &survey, &due, &fault), 0);
    atomic_store(&fails_at, 0);
    assert_null(survey);
    assert_int_equal(due, B);
    assert_int_equal(lines, 1);
    live_clock_init(&clock);
    struct live_settings settings = {
        .base = {.rules = h.t.rules,
                 .feed = h.feed,
                 .workers = 1,
                 .batch = BATCH_MAX,
                 .packs_days = true,
                 .window_span_ns = h.t.identity.window_span_ns},
        .receivers = {{.capture = &fake.base, .cpu = LIVE_ANY_CPU}},
        .receiver_count = 1,
        .days = h.days,
        .due = due,
        .clock = &clock,
        .batches = 6000,
        .stop = &stop,
    };
    for (unsigned i = 0; i < SHARDS; i++)
        settings.worker_cpus[i] = LIVE_ANY_CPU;
    fake_open(&fake, &script, 1, &clock, &left, &stop);
    if (live_run(&settings, &result, &fault) < 0)
        fail_msg("%s", fault.text);
    pipeline_result_fini(&result.pipeline);
    fake.packets->ops->close(fake.packets);
    hosts_end(&h, &checked);
    assert_int_equal(checked.days, 1);
    assert_int_equal(checked.events[EVENT_infected], HOSTS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(other_rules),          cmocka_unit_test(a_sync_fails),
        cmocka_unit_test(a_date_waits_alone),   cmocka_unit_test(killed),
        cmocka_unit_test(begins_without_a_day),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
