#include "export/change_finder_state.h"

#include "capture/random.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MOST = 512 };
static const int64_t BIN_NS = CHANGE_BIN_S * INT64_C(1000000000);

struct told {
    struct change_alert alerts[MOST];
    size_t count;
};

static void tell(void *context, const struct change_alert *alert)
{
    struct told *t = context;
    assert_true(t->count < MOST);
    t->alerts[t->count++] = *alert;
}

static struct change_finder *fresh(void)
{
    struct change_settings settings;
    struct change_finder *f;
    change_settings_default(&settings);
    assert_int_equal(change_finder_create(&f, &settings), 0);
    return f;
}

/* A number near `mean`, by a hash of where it is. */
static uint64_t around(uint64_t mean, uint64_t a, uint64_t b)
{
    uint64_t x = (a * 0x9e3779b97f4a7c15u) ^ (b * 0xc2b2ae3d27d4eb4fu);
    x = (x ^ x >> 29) * 0xbf58476d1ce4e5b9u;
    return mean - mean / 10 + (x >> 40) % (mean / 5 + 1);
}

/* The i-th bin: ports tcp/1000 to 1007 of 40 sources, udp/53 of 30, and what a case adds. */
static int put(struct change_finder *f, int64_t i, const struct change_port *more, size_t count,
               struct told *told)
{
    struct change_port ports[32];
    size_t n = 0;
    uint64_t sources = 0;
    for (uint16_t p = 1000; p < 1008; p++)
        ports[n++] = (struct change_port){CHANGE_TCP, p, 50, around(40, (uint64_t)i, p)};
    for (size_t m = 0; m < count && more[m].proto == CHANGE_TCP; m++)
        ports[n++] = more[m];
    ports[n++] = (struct change_port){CHANGE_UDP, 53, 50, around(30, (uint64_t)i, 53)};
    for (size_t m = 0; m < count; m++)
        if (more[m].proto == CHANGE_UDP)
            ports[n++] = more[m];
    for (size_t m = 0; m < n; m++)
        sources += ports[m].sources;
    return change_finder_add(
        f, &(struct change_bin){i * BIN_NS, true, 3 * sources, sources, ports, n}, tell, told);
}

static void test_noisy(void **state)
{
    static const struct {
        const char *list;
        int rc;
        unsigned ports; /* bits */
        uint32_t one;   /* a key in it */
    } cases[] = {
        {"", 0, 0, 0},
        {"22", 0, 2, 22},
        {"tcp/22", 0, 1, 22},
        {"udp/53,22", 0, 3, 65536 + 53},
        {"0,65535", 0, 4, 131071},
        {"65536", -EINVAL, 0, 0},
        {"22,", -EINVAL, 0, 0},
        {",22", -EINVAL, 0, 0},
        {"sctp/1", -EINVAL, 0, 0},
        {"22 ", -EINVAL, 0, 0},
        {"-1", -EINVAL, 0, 0},
        {"tcp/", -EINVAL, 0, 0},
        {"000022", -EINVAL, 0, 0},
        {CHANGE_NOISY, 0, 22, 52869},
    };
    struct change_settings s;
    struct fault fault;
    change_settings_default(&s);
    assert_true(change_bit(s.noisy, 65536 + 445));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        unsigned bits = 0;
        memset(s.noisy, 0, sizeof s.noisy);
        assert_int_equal(change_settings_noisy(&s, cases[i].list, &fault), cases[i].rc);
        for (unsigned w = 0; w < CHANGE_KEY_WORDS; w++)
            bits += (unsigned)__builtin_popcountll(s.noisy[w]);
        assert_int_equal(bits, cases[i].ports);
        assert_true(bits == 0 || change_bit(s.noisy, cases[i].one));
    }
}

/* What a port's bins look like before and in bin 60, and whether it is told there. */
static void test_a_port(void **state)
{
    static const struct {
        const char *what;
        uint16_t port;
        uint64_t before, then;
        bool is_told, is_never_seen;
    } cases[] = {
        {"five times the sources", 2000, 20, 100, true, false},
        {"the same", 2000, 20, 20, false, false},
        {"twice", 2000, 20, 40, false, false},
        {"was hardly seen", 2000, 1, 15, true, false},
        {"five of one: too few", 2000, 2, 10, false, false},
        {"was never seen", 2000, 0, 11, true, true},
        {"was never seen, too few", 2000, 0, 10, false, false},
        {"noisy", 23, 20, 100, false, false},
        {"less", 2000, 100, 20, false, false},
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        struct change_finder *f = fresh();
        static struct told told;
        told.count = 0;
        for (int64_t i = 0; i <= 60; i++) {
            uint64_t n = i < 60 ? cases[c].before : cases[c].then;
            struct change_port more = {CHANGE_TCP, cases[c].port, 7, n};
            if (cases[c].port < 1000) /* in front of the others */
                more = (struct change_port){CHANGE_UDP, cases[c].port == 23 ? 80 : 2000, 7, n};
            assert_int_equal(put(f, i, &more, n > 0, &told), 0);
        }
        size_t ports = 0;
        for (size_t i = 0; i < told.count; i++) {
            const struct change_alert *a = &told.alerts[i];
            if (a->series != CHANGE_PORT)
                continue;
            ports++;
            assert_int_equal(a->port.port, cases[c].port);
            assert_int_equal(a->start_ns, 60 * BIN_NS);
            assert_int_equal(a->value, cases[c].then);
            assert_int_equal(a->port.packets, 7);
            assert_int_equal(a->is_never_seen, cases[c].is_never_seen);
            assert_true(a->is_leap || a->score > 3);
            assert_true(a->expected < (double)a->value / 2);
        }
        assert_int_equal(ports, cases[c].is_told);
        change_finder_destroy(f);
    }
}

/* Told once while it lasts; again when it was over for long enough. */
static void test_told_once(void **state)
{
    struct change_finder *f = fresh();
    static struct told told;
    told.count = 0;
    for (int64_t i = 0; i < 400; i++) {
        uint64_t n = (i >= 60 && i < 66) || (i >= 350 && i < 353) ? 200 : 12;
        assert_int_equal(put(f, i, &(struct change_port){CHANGE_TCP, 2000, 7, n}, 1, &told), 0);
    }
    size_t ports = 0;
    for (size_t i = 0; i < told.count; i++)
        ports += told.alerts[i].series == CHANGE_PORT && told.alerts[i].port.port == 2000;
    assert_int_equal(ports, 2);
    change_finder_destroy(f);
}

/* The sensor: a rise is told, a fall is not, nor what comes right behind it. */
static void test_sensor(void **state)
{
    for (unsigned rise = 0; rise < 2; rise++) {
        struct change_finder *f = fresh();
        static struct told told;
        told.count = 0;
        for (int64_t i = 0; i < 120; i++) {
            uint64_t n = around(1000, (uint64_t)i, 1);
            if (i >= 100)
                n = rise ? n * 5 : n / 5;
            assert_int_equal(
                change_finder_add(f, &(struct change_bin){i * BIN_NS, true, n * 2, n, NULL, 0},
                                  tell, &told),
                0);
        }
        assert_int_equal(told.count, rise ? 2 : 0);
        if (rise) {
            assert_int_equal(told.alerts[0].series, CHANGE_PACKETS);
            assert_int_equal(told.alerts[1].series, CHANGE_SOURCES);
            assert_int_equal(told.alerts[1].start_ns, 100 * BIN_NS);
            assert_true(told.alerts[1].expected > 0);
        }
        change_finder_destroy(f);
    }
}

/* A hole of `missing` bins in front of bin 60, in which a port that is new shows up; first bins of all. */
static void test_holes(void **state)
{
    static const struct {
        int64_t at, missing, onset; /* onset: the bin with the new port */
        bool partly, is_told;
    } cases[] = {
        {60, 0, 60, false, true},  {60, 3, 60, false, true}, {60, 4, 60, false, false},
        {60, 4, 74, false, false}, {60, 4, 75, false, true}, {60, 4, 60, true, false},
        {0, 0, 14, false, false},  {0, 0, 15, false, true},  {60, 100000, 75, false, true},
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        struct change_finder *f = fresh();
        static struct told told;
        told.count = 0;
        for (int64_t i = 0; i <= cases[c].onset; i++) {
            int64_t at = i < cases[c].at ? i : i + cases[c].missing;
            struct change_port more = {CHANGE_UDP, 4000, 7, 50};
            if (cases[c].partly && i == cases[c].at)
                for (int64_t hole = i; hole < at; hole++)
                    assert_int_equal(
                        change_finder_add(f, &(struct change_bin){.start_ns = hole * BIN_NS}, tell,
                                          &told),
                        0);
            assert_int_equal(put(f, at, &more, i == cases[c].onset, &told), 0);
        }
        size_t ports = 0;
        for (size_t i = 0; i < told.count; i++)
            ports += told.alerts[i].series == CHANGE_PORT;
        assert_int_equal(ports, cases[c].is_told);
        change_finder_destroy(f);
    }
}

static void test_refused(void **state)
{
    struct change_port ports[] = {{CHANGE_TCP, 2, 1, 1}, {CHANGE_TCP, 2, 1, 1}};
    struct change_finder *f = fresh();
    struct change_settings settings;
    struct told told = {.count = 0};
    assert_int_equal(change_finder_last(f), INT64_MIN);
    assert_int_equal(put(f, 5, NULL, 0, &told), 0);
    assert_int_equal(change_finder_last(f), 5 * BIN_NS);
    assert_int_equal(put(f, 5, NULL, 0, &told), -EINVAL);
    assert_int_equal(put(f, 4, NULL, 0, &told), -EINVAL);
    assert_int_equal(
        change_finder_add(f, &(struct change_bin){6 * BIN_NS + 1, true, 1, 1, NULL, 0}, tell, NULL),
        -EINVAL);
    assert_int_equal(
        change_finder_add(f, &(struct change_bin){6 * BIN_NS, true, 1, 1, ports, 2}, tell, NULL),
        -EINVAL);
    ports[1] = (struct change_port){CHANGE_UDP, 2, 0, 0};
    assert_int_equal(
        change_finder_add(f, &(struct change_bin){6 * BIN_NS, true, 1, 1, ports, 2}, tell, NULL),
        -EINVAL);
    change_finder_destroy(f);
    change_settings_default(&settings);
    settings.threshold = 0;
    assert_int_equal(change_finder_create(&f, &settings), -EINVAL);
    change_finder_destroy(NULL);
}

/* Once the whole range of ports is swept, all have a model; a week of silence later none has. */
static void test_models_are_bounded(void **state)
{
    static struct change_port all[CHANGE_KEYS];
    struct change_finder *f = fresh();
    struct told told = {.count = 0};
    for (uint32_t key = 0; key < CHANGE_KEYS; key++)
        all[key] = (struct change_port){(uint8_t)(key >> 16), (uint16_t)key, 6, 6};
    struct change_bin bin = {0, true, 1, 1, all, CHANGE_KEYS};
    assert_int_equal(change_finder_add(f, &bin, tell, &told), 0);
    assert_int_equal(change_finder_models(f), CHANGE_KEYS);
    uint8_t *bytes;
    size_t len;
    assert_int_equal(change_finder_save(f, &bytes, &len), 0);
    assert_true(len < 40u << 20);
    free(bytes);
    /* Not all of a week of silence here: what is left of it is set. */
    for (size_t i = 0; i < f->port_count; i++)
        f->ports[i].small = (uint16_t)(CHANGE_WEEK - 2 + i % 2);
    for (int64_t i = 1; i <= 2; i++) {
        bin = (struct change_bin){i * BIN_NS, true, 1, 1, NULL, 0};
        assert_int_equal(change_finder_add(f, &bin, tell, &told), 0);
        assert_int_equal(change_finder_models(f), i == 1 ? CHANGE_KEYS / 2 : 0);
    }
    change_finder_destroy(f);
}

/* Saved and loaded after any bin, it goes on as though nothing had happened. */
static void test_restart(void **state)
{
    struct change_finder *a = fresh(), *b = fresh();
    static struct told told[2];
    uint8_t *bytes, *again;
    size_t len, again_len;
    struct fault fault;
    told[0].count = told[1].count = 0;
    for (int64_t i = 0; i < 150; i++) {
        struct change_port more = {CHANGE_TCP, (uint16_t)(2000 + i % 7), 7, 1 + i % 40};
        assert_int_equal(put(a, i, &more, 1, &told[0]), 0);
        assert_int_equal(put(b, i, &more, 1, &told[1]), 0);
        assert_int_equal(change_finder_save(b, &bytes, &len), 0);
        change_finder_destroy(b);
        b = fresh();
        assert_int_equal(change_finder_load(b, bytes, len, &fault), 0);
        assert_int_equal(change_finder_save(b, &again, &again_len), 0);
        assert_int_equal(again_len, len);
        assert_memory_equal(again, bytes, len);
        free(bytes);
        free(again);
    }
    assert_true(told[0].count > 0);
    assert_int_equal(told[0].count, told[1].count);
    for (size_t i = 0; i < told[0].count; i++) {
        assert_true(told[0].alerts[i].score == told[1].alerts[i].score);
        assert_int_equal(told[0].alerts[i].start_ns, told[1].alerts[i].start_ns);
    }
    change_finder_destroy(a);
    change_finder_destroy(b);
}

static void test_damaged_state(void **state)
{
    struct change_finder *f = fresh(), *other;
    struct change_settings settings;
    struct told told = {.count = 0};
    struct fault fault;
    uint8_t *bytes;
    size_t len;
    for (int64_t i = 0; i < 20; i++)
        assert_int_equal(put(f, i, NULL, 0, &told), 0);
    assert_int_equal(change_finder_save(f, &bytes, &len), 0);
    for (size_t at = 0; at < len; at += 97) {
        bytes[at] ^= 1;
        assert_int_equal(change_finder_load(f, bytes, len, &fault), at == 7 ? -ESTALE : -EBADMSG);
        bytes[at] ^= 1;
    }
    for (size_t cut = 0; cut < len; cut += 101)
        assert_int_equal(change_finder_load(f, bytes, cut, &fault), -EBADMSG);
    bytes[7] = '1';
    assert_int_equal(change_finder_load(f, bytes, len, &fault), -ESTALE);
    bytes[7] = '2';
    change_settings_default(&settings);
    settings.bin_ns = BIN_NS / 2;
    assert_int_equal(change_finder_create(&other, &settings), 0);
    assert_int_equal(change_finder_load(other, bytes, len, &fault), -ESTALE);
    assert_int_equal(change_finder_last(other), INT64_MIN);
    assert_int_equal(change_finder_load(f, bytes, len, &fault), 0);
    free(bytes);
    change_finder_destroy(f);
    change_finder_destroy(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_noisy),
        cmocka_unit_test(test_a_port),
        cmocka_unit_test(test_told_once),
        cmocka_unit_test(test_sensor),
        cmocka_unit_test(test_holes),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_models_are_bounded),
        cmocka_unit_test(test_restart),
        cmocka_unit_test(test_damaged_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
