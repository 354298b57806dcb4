/* The journal of days killed at every call and at any moment, given full disks, errors and damaged files. */
#include "journal_folder.h"
#include "journal_trap.h"

#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/wait.h>

static const struct journal_pool few = {12, 6, 2};

/* ---- killed ---- */

enum { WINDOWS = 36, DROP_AT = 30 };

/* What the process that is killed says of how far it was. */
static struct progress {
    _Atomic uint64_t feed; /* windows that are in it */
    atomic_int drop;       /* of date A: 1: told, 2: done */
} * said;

/* The life of an exporter. */
static void script_run(uint64_t begin)
{
    struct fault fault;
    struct day_journal *j = journal_open(begin);
    for (uint64_t n = begin + 1; n <= WINDOWS; n++) {
        window_add(j, &few, n);
        atomic_store(&said->feed, n);
        day_journal_kept(j, n);
        if (n % 3 == 0)
            (void)day_journal_settle(j, &fault);
        if (n == DROP_AT) {
            atomic_store(&said->drop, 1);
            if (day_journal_drop(j, A, &fault) == 0)
                atomic_store(&said->drop, 2);
        }
    }
    day_journal_close(j);
}

/* What the killed one left holds all that it had said, and nothing else. */
static void assert_left(void)
{
    uint64_t last = atomic_load(&said->feed);
    int drop = atomic_load(&said->drop);
    size_t count;
    struct day_journal *j = journal_open(last);
    const int32_t *dates = day_journal_dates(j, &count);
    bool has = false;
    for (size_t i = 0; i < count; i++)
        has |= dates[i] == A;
    assert_true(drop == 1 || has == (drop == 0 && last > 0));
    assert_windows(j, &few, A, has ? 1 : WINDOWS, last);
    assert_windows(j, &few, B, 1, last);
    assert_windows(j, &few, C, 1, last);
    day_journal_close(j);
}

/* In a child, with `prepare`; whether it came to its end. */
static bool script_fork(void (*prepare)(int), int value, useconds_t kill_us)
{
    (void)fflush(NULL);
    uint64_t begin = atomic_load(&said->feed);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (prepare)
            prepare(value);
        script_run(begin);
        _exit(0);
    }
    int status;
    if (kill_us > 0) {
        (void)usleep(kill_us);
        (void)kill(child, SIGKILL);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) ? WEXITSTATUS(status) == 0 : WTERMSIG(status) == SIGKILL);
    return WIFEXITED(status);
}

static void kill_at(int call) { trap_set(call, TRAP_KILL); }

static void said_make(void)
{
    if (!said)
        said = mmap(NULL, sizeof *said, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(said != MAP_FAILED);
    *said = (struct progress){0};
}

/* Killed at the first call that changes the folder, at the second, ... */
static void survives_a_kill_at_every_call(void **state)
{
    enum { ENOUGH = 2000 };
    int call = 1;
    for (bool is_whole = false; !is_whole; call++) {
        assert_true(call < ENOUGH);
        said_make();
        is_whole = script_fork(kill_at, call, 0);
        assert_left();
        folder_clear();
    }
    assert_true(call > 4 * WINDOWS);
}

/* Killed at any moment, and begun again on what was left, again and again. */
static void survives_kills_one_after_the_other(void **state)
{
    enum { ROUNDS = 60 };
    struct random_stream r;
    random_init(&r, 7);
    said_make();
    for (unsigned round = 0; round < ROUNDS; round++) {
        bool is_whole = script_fork(NULL, 0, 200 + (useconds_t)case_random(&r, 6000));
        assert_left();
        if (is_whole || atomic_load(&said->drop) == 1) {
            said_make();
            folder_clear();
        }
    }
    folder_clear();
}

/* ---- errors ---- */

static const int errors[] = {ENOSPC, EDQUOT, EIO};

/* Each call of an addition fails in turn: nothing is left, the file is named, and the part can be added again. */
static void adds_whole_or_not_at_all(void **state)
{
    static const struct journal_pool wide = {300, 100, 1}; /* several blocks */
    struct day_journal *j = journal_open(0);
    struct fault fault;
    part_must(j, &wide, A, 1);
    for (unsigned e = 0; e < sizeof errors / sizeof *errors; e++) {
        bool is_added = false;
        for (int call = 1; !is_added; call++) {
            uint64_t number = e + 2;
            trap_set(call, errors[e]);
            int err = part_add(j, &wide, A, number, &fault);
            is_added = atomic_load(&trap.left) > 0;
            trap_set(0, 0);
            assert_int_equal(err, is_added ? 0 : -errors[e]);
            assert_int_equal(folder_list(), number - !is_added);
            char name[DAY_PART_NAME];
            day_part_name(&(struct day_part_id){A, number, number}, name);
            assert_true(is_added || strstr(fault.text, name));
            assert_windows(j, &wide, A, 1, number - !is_added);
        }
    }
    day_journal_close(j);
    folder_clear();
}

/* Writes that take less than they are given are gone on with. */
static void goes_on_after_short_writes(void **state)
{
    enum { WRITES = 3 }; /* head, a block, foot */
    struct day_journal *j = journal_open(0);
    for (int call = 1; call <= WRITES; call++) {
        trap_set(call, TRAP_SHORT);
        part_must(j, &few, A, (uint64_t)call);
        trap_set(0, 0);
    }
    assert_windows(j, &few, A, 1, WRITES);
    day_journal_close(j);
    folder_clear();
}

/* On disk before it has its name, and its name before it is said to be there. */
static void syncs_in_order(void **state)
{
    static const char *const order[] = {"pwrite",    "pwrite",   "pwrite",
                                        "fdatasync", "renameat", "fsync"};
    struct day_journal *j = journal_open(0);
    trap_set(0, 0);
    part_must(j, &few, A, 1);
    assert_int_equal(atomic_load(&trap.calls), sizeof order / sizeof *order);
    for (unsigned i = 0; i < sizeof order / sizeof *order; i++)
        assert_string_equal(atomic_load(&trap.order[i]), order[i]);
    day_journal_close(j);
    folder_clear();
}

/* A merge of files that fails leaves them as they are, says so, and is tried again. */
static void merges_later_what_fails(void **state)
{
    for (int call = 1;; call++) {
        struct day_journal *j = journal_open(0);
        struct fault fault;
        for (uint64_t n = 1; n <= DAY_JOURNAL_FAN; n++)
            part_must(j, &few, A, n);
        atomic_store(&trap.of_thread, true);
        trap_set(call, ENOSPC);
        day_journal_kept(j, DAY_JOURNAL_FAN);
        int err = day_journal_settle(j, &fault);
        bool is_sprung = atomic_load(&trap.left) == 0;
        trap_set(0, 0);
        atomic_store(&trap.of_thread, false);
        if (err < 0) {
            assert_int_equal(err, -ENOSPC);
            assert_non_null(strstr(fault.text, "000000000001-000000000016.part"));
            assert_int_equal(day_journal_trouble(j, &fault), -ENOSPC);
            assert_int_equal(folder_list(), DAY_JOURNAL_FAN);
            assert_windows(j, &few, A, 1, DAY_JOURNAL_FAN);
            assert_int_equal(day_journal_settle(j, &fault), 0);
        }
        assert_int_equal(day_journal_trouble(j, &fault), 0);
        assert_int_equal(folder_list(), 1);
        assert_windows(j, &few, A, 1, DAY_JOURNAL_FAN);
        day_journal_close(j);
        folder_clear();
        if (!is_sprung)
            break;
    }
}

/* A drop that fails is told again. */
static void drops_at_the_second_time(void **state)
{
    struct day_journal *j = journal_open(0);
    struct fault fault;
    for (int call = 1; call <= 6; call++) { /* rename, sync, delete 2, sync, delete */
        for (uint64_t n = 1; n <= 3; n++)
            part_must(j, &few, A, (uint64_t)call * 10 + n);
        trap_set(call, EIO);
        assert_int_equal(day_journal_drop(j, A, &fault), -EIO);
        trap_set(0, 0);
        assert_int_equal(day_journal_drop(j, A, &fault), 0);
        assert_int_equal(folder_list(), 0);
    }
    day_journal_close(j);
    folder_clear();
}

/* ---- a disk that is really full ---- */

static void bears_a_full_disk(void **state)
{
    static const struct journal_pool wide = {300, 200, 1};
    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("tmpfs", scratch, "tmpfs", 0, "size=1m,mode=700") != 0) {
        print_message("a full disk needs the right to mount one: %s\n", strerror(errno));
        skip();
    }
    struct day_journal *j = journal_open(0);
    struct fault fault;
    char name[DAY_PART_NAME];
    uint64_t n = 1;
    int err;
    while ((err = part_add(j, &wide, A, n, &fault)) == 0)
        n++;
    assert_int_equal(err, -ENOSPC);
    day_part_name(&(struct day_part_id){A, n, n}, name);
    assert_non_null(strstr(fault.text, name));
    assert_true(n > 2);
    assert_int_equal(folder_list(), n - 1);
    assert_windows(j, &wide, A, 1, n - 1);
    assert_int_equal(day_journal_drop(j, A, &fault), 0); /* needs no room */
    part_must(j, &wide, A, n);
    assert_windows(j, &wide, A, n, n);
    day_journal_close(j);
    folder_clear();
    assert_int_equal(umount(scratch), 0);
}

/* ---- damage ---- */

static int take_all(void *context, struct source_day *d) { return 0; }

static void file_write(const char *name, const uint8_t *bytes, size_t len)
{
    char path[PATH];
    (void)snprintf(path, sizeof path, "%s/%.*s", dir, DAY_PART_NAME, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, len), len);
    (void)close(fd);
}

/* What was said last, by the journal's thread; to be looked at behind day_journal_settle(). */
static char told[600];

static void say(void *context, const char *line) { (void)snprintf(told, sizeof told, "%s", line); }

/* Opens it, waits until all was read through: 0 or the error. */
static int journal_try(uint64_t last, struct day_journal **j, struct fault *fault)
{
    const struct day_journal_settings settings = {dir, "tokyo", "Asia/Tokyo", last,
                                                  say, NULL,    NULL};
    told[0] = '\0';
    int err = day_journal_open(j, &settings, fault);
    return err < 0 ? err : day_journal_settle(*j, fault);
}

static size_t file_read(const char *name, uint8_t *bytes, size_t room)
{
    char path[PATH];
    (void)snprintf(path, sizeof path, "%s/%.*s", dir, DAY_PART_NAME, name);
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    ssize_t len = read(fd, bytes, room);
    (void)close(fd);
    assert_in_range(len, 1, room - 1);
    return (size_t)len;
}

/* The second file was damaged so and opened again: it is refused as it is, or mended. */
static void assert_named(const uint8_t *bytes, size_t len)
{
    static uint8_t found[1 << 16];
    struct journal_sums sums;
    struct day_journal *j = NULL;
    struct fault fault = {0};
    int err = journal_try(2, &j, &fault);
    if (err != -EBADMSG || !strstr(fault.text, names[1]) || !strstr(fault.text, ": byte "))
        fail_msg("%zu bytes: %d %s", len, err, fault.text);
    if (!j) {
        assert_int_equal(folder_list(), 2);
        return;
    }
    assert_non_null(strstr(told, names[1]));
    assert_non_null(strstr(told, ": byte "));
    assert_int_equal(day_journal_read(j, A, take_all, NULL, &sums, &fault), 0);
    assert_true(sums.given_up.damaged > 0);
    assert_int_equal(folder_list(), 3);
    assert_non_null(strstr(names[2], ".part.damaged"));
    assert_non_null(strstr(told, names[2]));
    assert_int_equal(file_read(names[2], found, sizeof found), len);
    assert_memory_equal(found, bytes, len);
    day_journal_close(j);
    assert_int_equal(journal_try(2, &j, &fault), 0); /* and is whole from then on */
    assert_string_equal(told, "");
    assert_int_equal(day_journal_drop(j, A, &fault), 0);
    day_journal_close(j);
    assert_int_equal(folder_list(), 1); /* what was damaged is the operator's */
}

/* Every byte of a file altered, and the file cut anywhere: named with an offset, never believed. */
static void names_what_is_damaged(void **state)
{
    static uint8_t bytes[2][1 << 16];
    static char kept[2][DAY_PART_NAME];
    size_t len[2];
    struct day_journal *j = journal_open(0);
    for (uint64_t n = 1; n <= 2; n++)
        part_must(j, &(struct journal_pool){4, 2, 1}, A, n);
    day_journal_close(j);
    assert_int_equal(folder_list(), 2);
    memcpy(kept, names, sizeof kept);
    for (unsigned i = 0; i < 2; i++)
        len[i] = file_read(kept[i], bytes[i], sizeof bytes[i]);
    for (size_t i = 0; i < 2 * len[1] + 2; i++) {
        bool is_cut = i >= len[1] && i < 2 * len[1];
        uint8_t *at = &bytes[1][i % len[1]], was = *at;
        size_t now = is_cut ? i - len[1] : i < len[1] ? len[1] : len[1] + 1;
        folder_clear();
        assert_int_equal(mkdir(dir, 0700), 0);
        file_write(kept[0], bytes[0], len[0]);
        *at ^= (uint8_t)(is_cut ? 0 : 1 << i % 8);
        file_write(kept[1], bytes[1], now);
        assert_int_equal(folder_list(), 2);
        assert_named(bytes[1], now);
        *at = was;
    }
    folder_clear();
}

static void byte_spoil(const char *name, uint64_t at)
{
    char path[PATH];
    uint8_t byte;
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    int fd = open(path, O_RDWR);
    assert_int_equal(pread(fd, &byte, 1, (off_t)at), 1);
    byte ^= 0x10;
    assert_int_equal(syscall(SYS_pwrite64, fd, &byte, 1, at), 1);
    (void)close(fd);
}

/* A damaged file is mended when a merge comes by it, and merged then. */
static void mends_what_a_merge_finds(void **state)
{
    struct day_journal *j = journal_open(0);
    struct journal_sums sums;
    struct fault fault;
    char name[DAY_PART_NAME];
    for (uint64_t n = 1; n <= 40; n++)
        part_must(j, &few, A, n);
    day_part_name(&(struct day_part_id){A, 5, 5}, name);
    byte_spoil(name, 200);
    day_journal_kept(j, 40);
    assert_int_equal(day_journal_settle(j, &fault), -EBADMSG); /* though all went well since */
    assert_non_null(strstr(fault.text, name));
    assert_int_equal(folder_list(), 1 + 40 / 16 + 40 % 16);
    assert_int_equal(day_journal_read(j, A, take_all, NULL, &sums, &fault), 0);
    assert_true(sums.given_up.damaged > 0);
    assert_int_equal(day_journal_drop(j, A, &fault), 0);
    assert_int_equal(day_journal_trouble(j, &fault), 0);
    assert_int_equal(folder_list(), 1);
    day_journal_close(j);
    folder_clear();
}

/* A merge that was cut short before it deleted what it had merged, and whose file went bad since: `left` of them are there still. */
static void merge_undone(unsigned left, uint64_t spoilt_at)
{
    static uint8_t bytes[DAY_JOURNAL_FAN][1 << 16];
    static char kept[DAY_JOURNAL_FAN][DAY_PART_NAME];
    size_t len[DAY_JOURNAL_FAN];
    struct day_journal *j = journal_open(0);
    struct fault fault;
    for (uint64_t n = 1; n <= DAY_JOURNAL_FAN; n++)
        part_must(j, &few, A, n);
    assert_int_equal(folder_list(), DAY_JOURNAL_FAN);
    memcpy(kept, names, sizeof kept);
    for (unsigned i = 0; i < DAY_JOURNAL_FAN; i++)
        len[i] = file_read(kept[i], bytes[i], sizeof bytes[i]);
    day_journal_kept(j, DAY_JOURNAL_FAN);
    assert_int_equal(day_journal_settle(j, &fault), 0);
    day_journal_close(j);
    assert_int_equal(folder_list(), 1);
    if (spoilt_at > 0)
        byte_spoil(names[0], spoilt_at);
    for (unsigned i = DAY_JOURNAL_FAN - left; i < DAY_JOURNAL_FAN; i++)
        file_write(kept[i], bytes[i], len[i]);
}

/* What is deleted for a file that covers it is in it. */
static void believes_no_damaged_merge(void **state)
{
    static const struct {
        unsigned left;
        uint64_t spoilt_at; /* 0: whole */
        bool is_aside;
    } cases[] = {
        {DAY_JOURNAL_FAN, 0, false},
        {DAY_JOURNAL_FAN, 400, true},
        {DAY_JOURNAL_FAN, 20, true},
        {DAY_JOURNAL_FAN - 1, 0, false},
        {1, 0, false},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct day_journal *j;
        struct fault fault;
        merge_undone(cases[i].left, cases[i].spoilt_at);
        if (journal_try(DAY_JOURNAL_FAN, &j, &fault) < 0)
            fail_msg("case %u: %s", i, fault.text);
        assert_windows(j, &few, A, 1, DAY_JOURNAL_FAN);
        unsigned count = folder_list();
        assert_int_equal(count, cases[i].is_aside ? 2 : 1);
        assert_int_equal(strstr(told, ".part.damaged") != NULL, cases[i].is_aside);
        day_journal_close(j);
        folder_clear();
    }
    struct day_journal *j; /* what is not all there is not better */
    struct fault fault;
    struct journal_sums sums;
    merge_undone(DAY_JOURNAL_FAN - 1, 400);
    assert_int_equal(journal_try(DAY_JOURNAL_FAN, &j, &fault), -EBADMSG);
    assert_int_equal(day_journal_read(j, A, take_all, NULL, &sums, &fault), 0);
    assert_true(sums.given_up.damaged > 0);
    day_journal_close(j);
    folder_clear();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(survives_a_kill_at_every_call),
        cmocka_unit_test(survives_kills_one_after_the_other),
        cmocka_unit_test(adds_whole_or_not_at_all),
        cmocka_unit_test(goes_on_after_short_writes),
        cmocka_unit_test(syncs_in_order),
        cmocka_unit_test(merges_later_what_fails),
        cmocka_unit_test(drops_at_the_second_time),
        cmocka_unit_test(names_what_is_damaged),
        cmocka_unit_test(mends_what_a_merge_finds),
        cmocka_unit_test(believes_no_damaged_merge),
        cmocka_unit_test(bears_a_full_disk),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
