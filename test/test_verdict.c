/* The labels of verdicts: numbers, when there is no more room, and several receivers at once. */
#include "classify/verdict.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { RECEIVERS = 4, ROUNDS = 3 };

struct receiver {
    struct verdict_memory memory;
    struct ruleset *rules;
    uint16_t sets[65536];
    unsigned without; /* packets for which there was no set */
    bool is_wrong;
};

static bool same_label(const struct label *a, const struct label *b)
{
    return a->kind == b->kind && a->marks == b->marks && a->flags == b->flags &&
           memcmp(a->rules, b->rules, sizeof a->rules) == 0;
}

/* A packet for a port: its set names the label that classify gives, whenever it is asked for. */
static void ask(struct receiver *r, uint16_t port)
{
    static const uint8_t nothing[8] = {0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7};
    struct udp_payload payload = {nothing, sizeof nothing, sizeof nothing};
    struct brief b = {.port = port, .rest = UINT64_C(40000) << 48};
    struct label label, wanted;
    classify_udp(r->rules, NULL, 40000, port, 0, &payload, &wanted);
    uint16_t set = verdict_set(&r->memory, r->rules, NULL, &b, &payload, &label);
    if (set == VERDICT_NO_SET) {
        r->without++;
        r->is_wrong |= !same_label(&label, &wanted) || r->sets[port] != 0;
        return;
    }
    r->is_wrong |= set_verdict(set) >= atomic_load(&r->memory.of->count) ||
                   !same_label(&r->memory.of->at[set_verdict(set)], &wanted) ||
                   (r->sets[port] != 0 && r->sets[port] != set);
    r->sets[port] = set;
}

static void *receive(void *arg)
{
    struct receiver *r = arg;
    for (unsigned round = 0; round < ROUNDS; round++)
        for (unsigned port = 0; port < 65536; port++)
            ask(r, (uint16_t)port);
    return NULL;
}

static struct receiver *receiver_make(struct verdicts *v, struct ruleset *rules)
{
    struct receiver *r = calloc(1, sizeof *r);
    r->memory.of = v;
    r->rules = rules;
    return r;
}

static void test_receivers(void **state)
{
    (void)state;
    struct ruleset *rules;
    struct receiver *receivers[RECEIVERS];
    pthread_t threads[RECEIVERS];
    struct verdicts *v = verdicts_create();
    assert_int_equal(ruleset_create(&rules, NULL, NULL), 0);
    for (unsigned i = 0; i < RECEIVERS; i++) {
        receivers[i] = receiver_make(v, rules);
        assert_int_equal(pthread_create(&threads[i], NULL, receive, receivers[i]), 0);
    }
    for (unsigned i = 0; i < RECEIVERS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_false(receivers[i]->is_wrong);
        assert_int_equal(receivers[i]->without, 0);
        assert_memory_equal(receivers[i]->sets, receivers[0]->sets, sizeof receivers[0]->sets);
    }
    assert_true(atomic_load(&v->count) > 10); /* ports have rules */
    for (unsigned i = 0; i < RECEIVERS; i++)
        free(receivers[i]);
    ruleset_destroy(rules);
    verdicts_destroy(v);
}

/* Where all numbers are given, what has one keeps it, and the others are told by their label. */
static void test_no_room(void **state)
{
    (void)state;
    enum { LEFT = 3 };
    struct ruleset *rules;
    struct verdicts *v = verdicts_create();
    assert_int_equal(ruleset_create(&rules, NULL, NULL), 0);
    struct receiver *r = receiver_make(v, rules);
    for (unsigned i = 0; i < BRIEF_VERDICTS - LEFT; i++)
        memset(&v->at[i], 0xff, sizeof v->at[i]); /* no packet's */
    atomic_store(&v->count, BRIEF_VERDICTS - LEFT);
    receive(r);
    assert_false(r->is_wrong);
    assert_int_equal(atomic_load(&v->count), BRIEF_VERDICTS);
    assert_true(r->without > ROUNDS);
    assert_int_equal(r->without % ROUNDS, 0);
    free(r);
    ruleset_destroy(rules);
    verdicts_destroy(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_receivers),
                                       cmocka_unit_test(test_no_room)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
