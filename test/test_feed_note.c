#include "export/feed_note.h"

#include "sample_window.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

/* The body of the only record in a buffer. */
static struct record_view view_of(const struct record_buffer *b)
{
    struct record_view view;
    size_t skip = b->data[0] < 0x80 ? 1 : b->data[1] < 0x80 ? 2 : 3;
    assert_int_equal(record_view(&view, b->data + skip, b->len - skip), 0);
    return view;
}

static void gaps(void **state)
{
    static const struct {
        struct feed_gap gap;
        const char *refused; /* NULL: it holds */
    } cases[] = {
        {{.from_ns = -5, .to_ns = 7}, NULL},
        {{.from_ns = 7, .to_ns = 7, .reason = FEED_GAP_clock, .sensor = "a"}, NULL},
        {{.to_ns = 1, .reason = FEED_GAP_source}, NULL},
        {{.to_ns = 1, .reason = FEED_GAP_windows, .windows = 3}, NULL},
        {{.to_ns = 1,
          .reason = FEED_GAP_windows,
          .windows = 3,
          .has_ledger = true,
          .ledger = {.offered = 9, .observed = 4, .kernel = 5, .unknown = 1}},
         NULL},
        {{.from_ns = 7, .to_ns = 6}, "before it begins"},
        {{.reason = FEED_GAP_REASONS}, "not known"},
        {{.reason = FEED_GAP_windows}, "without any"},
        {{.windows = 3}, "for another reason"},
        {{.reason = FEED_GAP_windows, .windows = 1, .has_ledger = true, .ledger = {.offered = 1}},
         "ledger"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct record_buffer b = {0};
        struct feed_gap back;
        struct fault fault = {0};
        uint32_t crc = 0;
        char *text;
        assert_int_equal(record_pack_gap(&b, 1, &crc, &cases[i].gap), 0);
        struct record_view view = view_of(&b);
        assert_int_equal(view.body_kind, RECORD_gap);
        int err = record_unpack_gap(&back, &text, view.body, view.body_len, &fault);
        if (cases[i].refused == NULL ? err != 0 : strstr(fault.text, cases[i].refused) == NULL)
            fail_msg("case %zu: %d: %s", i, err, fault.text);
        if (err == 0)
            assert_int_equal(feed_gap_order(&back, &cases[i].gap), 0);
        for (size_t k = 0; k < i; k++)
            assert_true(feed_gap_order(&cases[i].gap, &cases[k].gap) != 0);
        free(text);
        record_buffer_free(&b);
    }
}

/* Runs in any order, against a bit per segment; through records and back. */
static void runs(void **state)
{
    enum { SEGMENTS = 64 };
    for (uint64_t seed = 1; seed < 300; seed++) {
        struct feed_removed r = {0}, back = {0};
        struct record_buffer b = {0};
        struct fault fault;
        bool is_gone[SEGMENTS + 2] = {0};
        uint64_t random = seed;
        uint32_t crc = 0;
        for (unsigned i = 0; i < 12; i++) {
            uint32_t first = 1 + (uint32_t)(sample_random(&random) % SEGMENTS);
            uint32_t last = first + (uint32_t)(sample_random(&random) % 6);
            last = last > SEGMENTS ? SEGMENTS : last;
            struct feed_removed_run run = {first, last, last * 10, last};
            assert_int_equal(feed_removed_add_run(&r, &run), 0);
            feed_removed_add_segment(&r, i % FEED_KINDS, (int64_t)i - 5);
            for (uint32_t k = first; k <= last; k++)
                is_gone[k] = true;
        }
        assert_int_equal(record_pack_removed(&b, 1, &crc, &r), 0);
        struct record_view view = view_of(&b);
        assert_int_equal(record_unpack_removed(&back, view.body, view.body_len, &fault), 0);
        assert_int_equal(back.run_count, r.run_count);
        for (size_t i = 0; i < r.run_count; i++)
            assert_true(back.runs[i].first == r.runs[i].first &&
                        back.runs[i].last == r.runs[i].last && back.runs[i].seq == r.runs[i].seq &&
                        back.runs[i].crc == r.runs[i].crc);
        assert_memory_equal(back.kinds, r.kinds, sizeof r.kinds);
        for (uint32_t first = 1; first <= SEGMENTS; first++)
            for (uint32_t last = first; last <= SEGMENTS; last++) {
                const struct feed_removed_run *run = feed_removed_find(&back, first, last);
                bool is_all = true;
                for (uint32_t k = first; k <= last; k++)
                    is_all &= is_gone[k];
                assert_int_equal(run != NULL, is_all);
                if (run != NULL) /* up to its end all is gone, and its end is the last one's */
                    assert_true(!is_gone[run->last + 1] && run->seq == run->last * 10 &&
                                run->crc == run->last);
            }
        feed_removed_fini(&r);
        feed_removed_fini(&back);
        record_buffer_free(&b);
    }
}

/* No bytes do harm. */
static void any_bytes(void **state)
{
    for (uint64_t seed = 1; seed < 20000; seed++) {
        uint8_t bytes[40];
        uint64_t random = seed;
        struct feed_removed r = {0};
        struct feed_gap gap;
        struct fault fault;
        char *text;
        size_t len = sample_random(&random) % sizeof bytes;
        for (size_t i = 0; i < len; i++)
            bytes[i] = (uint8_t)(sample_random(&random) >> (sample_random(&random) % 60));
        record_unpack_removed(&r, bytes, len, &fault);
        record_unpack_gap(&gap, &text, bytes, len, &fault);
        free(text);
        feed_removed_fini(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gaps),
        cmocka_unit_test(runs),
        cmocka_unit_test(any_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
