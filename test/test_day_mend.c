/* Damaged files of the journal, up to the Day in the feed: what is whole is there, what is not is counted, and the feed holds. */
#include "core/day_part_mend.h"

#include "live_case.h"

#include "journal_folder.h"
#include "telling_case.h"

#include <sys/sendfile.h>

enum { WINDOWS = 4, SPOILED = 3 };

static const struct journal_pool many = {300, 150, 1};

/* ---- parts whose sums are those of their sources ---- */

static uint64_t packets_of(const struct count kinds[KIND_COUNT])
{
    uint64_t packets = 0;
    for (unsigned k = 0; k < KIND_COUNT; k++)
        packets += kinds[k].packets;
    return packets;
}

static void true_part_add(struct day_journal *j, uint64_t number)
{
    const struct calendar_day of = calendar_day_at(A);
    struct journal_part part = {.date = A, .number = number, .sums.minutes = {1}};
    struct record_buffer shards[SHARDS] = {0};
    struct random_stream r;
    struct source_day *s;
    struct fault fault;
    unsigned i = 0;
    random_init(&r, number);
    while (pool_next(&many, &r, &i, A, &s)) {
        uint32_t crc = 0;
        s->first_ns += of.start_ns + 1000;
        s->last_ns += of.start_ns + 1000;
        s->evidence_ns += source_day_has_evidence(s) ? of.start_ns + 1000 : 0;
        s->tcp_ns += source_day_has_tcp(s) ? of.start_ns + 1000 : 0;
        assert_int_equal(record_pack_source_day(&shards[i % SHARDS], 1, &crc, s), 0);
        for (unsigned k = 0; k < KIND_COUNT; k++) {
            part.sums.kinds[k].packets += s->kinds[k].packets;
            part.sums.kinds[k].bytes += s->kinds[k].bytes;
        }
    }
    part.sums.ledger.offered = part.sums.ledger.observed = packets_of(part.sums.kinds);
    for (unsigned k = 0; k < SHARDS; k++) {
        part.runs[k] = shards[k].data;
        part.lens[k] = shards[k].len;
    }
    if (day_journal_add(j, &part, &fault) < 0)
        fail_msg("%s", fault.text);
    for (unsigned k = 0; k < SHARDS; k++)
        record_buffer_free(&shards[k]);
}

/* ---- a disk that can't read a sector ---- */

static atomic_bool has_bad_sector;
static dev_t bad_dev;
static ino_t bad_ino;
static off_t bad_at;

/* In place of the C library's. */
ssize_t pread(int fd, void *to, size_t len, off_t at)
{
    struct stat is;
    if (atomic_load(&has_bad_sector) && at <= bad_at && at + (off_t)len > bad_at &&
        fstat(fd, &is) == 0 && is.st_dev == bad_dev && is.st_ino == bad_ino) {
        errno = EIO;
        return -1;
    }
    return (ssize_t)syscall(SYS_pread64, fd, to, len, at);
}

/* ---- damage ---- */

enum spoil { SPOIL_NOTHING, SPOIL_FIRST, SPOIL_LENGTH, SPOIL_LAST, SPOIL_SEVERAL, SPOIL_GONE };

static const struct {
    const char *what;
    enum spoil spoil;
    bool is_running;      /* the journal is open meanwhile, else it is opened behind it */
    unsigned least, most; /* thousandths of the file's packets that are lost */
} rows[] = {
    {"nothing", SPOIL_NOTHING, false, 0, 0},
    {"a byte of the first block", SPOIL_FIRST, false, 1, 700},
    {"a block's length", SPOIL_LENGTH, false, 1, 700},
    {"a byte of the last block", SPOIL_LAST, false, 1, 700},
    {"a byte now and then", SPOIL_SEVERAL, false, 900, 1000},
    {"a byte of the first block, while it runs", SPOIL_FIRST, true, 1, 700},
    {"a block's length, while it runs", SPOIL_LENGTH, true, 1, 700},
    {"a byte now and then, while it runs", SPOIL_SEVERAL, true, 900, 1000},
    {"the file is taken away, while it runs", SPOIL_GONE, true, 1000, 1000},
};

static void byte_flip(const char *path, uint64_t at)
{
    uint8_t byte;
    int fd = open(path, O_RDWR);
    assert_int_equal(pread(fd, &byte, 1, (off_t)at), 1);
    byte ^= 0x10;
    assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
    (void)close(fd);
}

/* All at once: a journal that runs mends a file as soon as it has read the first flipped byte. */
static void spoil_everywhere(const char *path, uint64_t from, uint64_t to)
{
    char copy[PATH];
    struct stat is;
    (void)snprintf(copy, sizeof copy, "%s/copy", scratch);
    int in = open(path, O_RDONLY), out = open(copy, O_WRONLY | O_CREAT | O_EXCL, 0600);
    assert_true(in >= 0 && out >= 0);
    assert_int_equal(fstat(in, &is), 0);
    assert_int_equal(sendfile(out, in, NULL, (size_t)is.st_size), is.st_size);
    (void)close(in);
    (void)close(out);
    for (uint64_t at = from; at < to; at += 2000)
        byte_flip(copy, at);
    assert_int_equal(rename(copy, path), 0);
}

/* The file of one window; what it holds into *packets. */
static void spoil(enum spoil how, uint64_t *packets)
{
    struct day_part_info info;
    struct fault fault;
    char name[DAY_PART_NAME], path[PATH];
    day_part_name(&(struct day_part_id){A, SPOILED, SPOILED}, name);
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    assert_int_equal(day_part_look(path, "tokyo", "Asia/Tokyo", &info, &fault), 0);
    *packets = packets_of(info.sums.kinds);
    assert_true(info.foot_at - info.run_at > DAY_PART_BLOCK); /* several blocks */
    if (how == SPOIL_FIRST)
        byte_flip(path, info.run_at + 500);
    if (how == SPOIL_LENGTH)
        byte_flip(path, info.run_at + 1);
    if (how == SPOIL_LAST)
        byte_flip(path, info.foot_at - 1);
    if (how == SPOIL_SEVERAL)
        spoil_everywhere(path, info.run_at, info.foot_at);
    if (how == SPOIL_GONE)
        assert_int_equal(unlink(path), 0);
    day_part_info_fini(&info);
}

static void journal_fill(void)
{
    struct day_journal *j = journal_open(0);
    for (uint64_t n = 1; n <= WINDOWS; n++)
        true_part_add(j, n);
    day_journal_close(j);
}

static unsigned aside_count(void)
{
    unsigned count = 0;
    for (unsigned i = folder_list(); i-- > 0;)
        count += strstr(names[i], ".part.damaged") != NULL;
    return count;
}

static void writes_the_day_of_what_is_whole(void **state)
{
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct telling t;
        struct live_days *days;
        struct feed_log *feed;
        struct feed_check checked;
        struct fault fault;
        uint64_t packets;
        telling_init(&t, WINDOWS);
        journal_fill();
        assert_int_equal(feed_log_create(&feed, t.feed, &t.identity, &fault), 0);
        if (!rows[i].is_running)
            spoil(rows[i].spoil, &packets);
        assert_int_equal(live_days_open(&days, &t.days, &fault), 0);
        if (rows[i].is_running)
            spoil(rows[i].spoil, &packets);
        if (live_days_finish(days, A + 1, feed, NULL, &fault) < 0)
            fail_msg("%s: %s", rows[i].what, fault.text);
        live_days_close(days);
        assert_int_equal(feed_log_finish(feed, &fault), 0);
        if (feed_log_verify_rules(t.feed, t.rules, &checked, &fault) < 0)
            fail_msg("%s: %s", rows[i].what, fault.text);
        assert_int_equal(checked.days, 1);
        assert_int_equal(checked.days_computed, 1);
        struct day_result *day = day_of(t.feed, A);
        uint64_t lost = day->facts->given_up.damaged;
        if (lost * 1000 < rows[i].least * packets || lost * 1000 > rows[i].most * packets)
            fail_msg("%s: %lu of %lu packets", rows[i].what, (unsigned long)lost,
                     (unsigned long)packets);
        assert_int_equal(day->is_exact, lost == 0);
        assert_int_equal(day->facts->ledger.observed, packets_of(day->facts->kinds));
        assert_int_equal(aside_count(),
                         rows[i].spoil != SPOIL_NOTHING && rows[i].spoil != SPOIL_GONE);
        day_result_destroy(day);
        telling_fini(&t);
    }
}

/* What can't be mended, as on a full disk: nothing ends a segment for it but the first try. */
static void waits_without_a_trace(void **state)
{
    struct telling t;
    struct live_days *days;
    struct feed_log *feed;
    struct feed_check checked;
    struct fault fault;
    char path[PATH + 8], name[DAY_PART_NAME];
    uint64_t packets;
    telling_init(&t, WINDOWS);
    journal_fill();
    assert_int_equal(feed_log_create(&feed, t.feed, &t.identity, &fault), 0);
    assert_int_equal(live_days_open(&days, &t.days, &fault), 0);
    day_part_name(&(struct day_part_id){A, SPOILED, SPOILED}, name);
    (void)snprintf(path, sizeof path, "%s/%s.new", dir, name);
    assert_int_equal(mkdir(path, 0700), 0); /* in its way */
    spoil(SPOIL_FIRST, &packets);
    assert_int_equal(live_days_finish(days, A + 1, feed, NULL, &fault), -EISDIR);
    uint32_t segment = feed_log_segment(feed);
    uint64_t seq = feed_log_seq(feed);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(live_days_finish(days, A + 1, feed, NULL, &fault), -EISDIR);
        assert_non_null(strstr(fault.text, name));
        assert_int_equal(feed_log_segment(feed), segment);
        assert_int_equal(feed_log_seq(feed), seq);
    }
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(live_days_finish(days, A + 1, feed, NULL, &fault), 0);
    live_days_close(days);
    assert_int_equal(feed_log_finish(feed, &fault), 0);
    assert_int_equal(feed_log_verify(t.feed, &checked, &fault), 0);
    assert_int_equal(checked.days, 1);
    assert_int_equal(aside_count(), 1);
    telling_fini(&t);
}

/* What the disk can't read may pass: it is tried once more. Then it is lost, and the rest of its file, and of its day, is not. */
static void unreadable_is_damaged(void **state)
{
    struct telling t;
    struct live_days *days;
    struct feed_log *feed;
    struct feed_check checked;
    struct day_part_info info;
    struct stat is;
    struct fault fault;
    char path[PATH], name[DAY_PART_NAME];
    telling_init(&t, WINDOWS);
    journal_fill();
    assert_int_equal(feed_log_create(&feed, t.feed, &t.identity, &fault), 0);
    assert_int_equal(live_days_open(&days, &t.days, &fault), 0);
    day_part_name(&(struct day_part_id){A, SPOILED, SPOILED}, name);
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    assert_int_equal(day_part_look(path, "tokyo", "Asia/Tokyo", &info, &fault), 0);
    uint64_t packets = packets_of(info.sums.kinds);
    assert_int_equal(stat(path, &is), 0);
    bad_dev = is.st_dev, bad_ino = is.st_ino, bad_at = (off_t)info.run_at + 500;
    assert_true(info.foot_at - info.run_at > DAY_PART_BLOCK); /* several blocks */
    atomic_store(&has_bad_sector, true);
    assert_int_equal(live_days_finish(days, A + 1, feed, NULL, &fault), -EIO);
    if (live_days_finish(days, A + 1, feed, NULL, &fault) < 0)
        fail_msg("%s", fault.text);
    atomic_store(&has_bad_sector, false);
    live_days_close(days);
    assert_int_equal(feed_log_finish(feed, &fault), 0);
    assert_int_equal(feed_log_verify(t.feed, &checked, &fault), 0);
    struct day_result *day = day_of(t.feed, A);
    assert_in_range(day->facts->given_up.damaged, 1, packets * 7 / 10);
    assert_int_equal(day->facts->ledger.observed, packets_of(day->facts->kinds));
    assert_int_equal(aside_count(), 1);
    day_result_destroy(day);
    day_part_info_fini(&info);
    telling_fini(&t);
}

/* ---- head and foot ---- */

/* A capture of its own, up to where it ends without its days. */
static void captured(struct telling *t, struct feed_log *feed, unsigned workers)
{
    static const struct script script = {.is_paced = true};
    struct fake fake = {0};
    struct live_clock clock;
    struct live_result result;
    struct live_days *days;
    struct fault fault;
    atomic_int stop = 0, left = 1;
    t->days.window_seq = 0;
    assert_int_equal(live_days_open(&days, &t->days, &fault), 0);
    live_clock_init(&clock);
    struct live_settings settings = {
        .base = {.rules = t->rules,
                 .feed = feed,
                 .workers = workers,
                 .batch = BATCH_MAX,
                 .packs_days = true,
                 .window_span_ns = SPAN_NS},
        .receivers = {{.capture = &fake.base, .cpu = LIVE_ANY_CPU}},
        .receiver_count = 1,
        .days = days,
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
    live_days_close(days);
}

static const struct {
    const char *what;
    int64_t at;      /* the byte that is flipped; below 0: from the end */
    int64_t cut;     /* bytes that go at the end; -1: all */
    bool keeps_runs; /* source days are whole for all that */
} ends[] = {
    {"the head's content", 20, 0, true},      {"the head's length", 0, 0, true},
    {"the head's checksum", 5, 0, false},     {"the foot", -30, 0, true},
    {"its last bytes are gone", 0, 40, true}, {"nothing is left", 0, -1, false},
};

static void end_spoil(unsigned row, const char *name)
{
    char path[PATH];
    struct stat is;
    (void)snprintf(path, sizeof path, "%s/%.95s", dir, name);
    assert_int_equal(stat(path, &is), 0);
    if (ends[row].cut != 0)
        assert_int_equal(truncate(path, ends[row].cut < 0 ? 0 : is.st_size - ends[row].cut), 0);
    else
        byte_flip(path, (uint64_t)(ends[row].at < 0 ? is.st_size + ends[row].at : ends[row].at));
}

/* What head and foot said is known from the feed's windows: the Days are the sum of those for all that. */
static void asks_the_feed_what_it_counted(void **state)
{
    for (unsigned i = 0; i < sizeof ends / sizeof *ends; i++) {
        struct telling t;
        struct live_days *days;
        struct feed_log *feed;
        struct feed_check checked;
        struct fault fault;
        uint64_t packets = 0, damaged = 0;
        telling_init(&t, WINDOWS);
        t.identity.window_span_ns = SPAN_NS;
        assert_int_equal(feed_log_create(&feed, t.feed, &t.identity, &fault), 0);
        captured(&t, feed, 1 + i % 2);
        unsigned files = folder_list();
        assert_true(files >= 2);
        for (unsigned k = 0; k < files; k++)
            end_spoil(i, names[k]);
        t.days.window_seq = feed_log_seq(feed);
        if (live_days_open(&days, &t.days, &fault) < 0)
            fail_msg("%s: %s", ends[i].what, fault.text);
        int32_t today = calendar_day_of(time_of(CLOCK_REALTIME)).date;
        if (live_days_finish(days, today + 1, feed, NULL, &fault) < 0)
            fail_msg("%s: %s", ends[i].what, fault.text);
        live_days_close(days);
        assert_int_equal(feed_log_finish(feed, &fault), 0);
        if (feed_log_verify_rules(t.feed, t.rules, &checked, &fault) < 0)
            fail_msg("%s: %s", ends[i].what, fault.text);
        assert_true(checked.days >= 1);
        assert_int_equal(checked.packets, PACKETS);
        for (int32_t date = today - 1; date <= today; date++) { /* it may have been midnight */
            struct day_result *day = day_of(t.feed, date);
            packets += day ? packets_of(day->facts->kinds) : 0;
            damaged += day ? day->facts->given_up.damaged : 0;
            assert_true(!day || !day->is_exact);
            day_result_destroy(day);
        }
        if (packets != PACKETS || (damaged <= files) != ends[i].keeps_runs)
            fail_msg("%s: %lu packets, %lu damaged", ends[i].what, (unsigned long)packets,
                     (unsigned long)damaged);
        assert_int_equal(aside_count(), files);
        telling_fini(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_the_day_of_what_is_whole),
        cmocka_unit_test(waits_without_a_trace),
        cmocka_unit_test(unreadable_is_damaged),
        cmocka_unit_test(asks_the_feed_what_it_counted),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
