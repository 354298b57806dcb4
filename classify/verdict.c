#include "classify/verdict.h"

#include <stdlib.h>
#include <string.h>

static uint64_t word_at(const uint8_t *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

/* Of the name, the first bytes and the last. Needs no key: whoever aims for a place makes it useless, no more. */
static uint64_t memo_hash(uint64_t name, const uint8_t *bytes, size_t len)
{
    enum { LOOKED_AT = 32 };
    const uint64_t odd = UINT64_C(0x9e3779b97f4a7c15);
    uint64_t hash = name * odd, last = 0;
    for (size_t i = 0; i + 8 <= len && i < LOOKED_AT; i += 8) {
        hash = (hash ^ word_at(bytes + i)) * odd;
        hash ^= hash >> 29;
    }
    if (len >= 8)
        last = word_at(bytes + len - 8);
    else if (len > 0)
        memcpy(&last, bytes, len);
    hash = (hash ^ last) * odd;
    return (hash ^ hash >> 32) | 1;
}

struct verdicts *verdicts_create(void)
{
    struct verdicts *v = calloc(1, sizeof *v);
    if (v)
        pthread_mutex_init(&v->lock, NULL);
    return v;
}

void verdicts_destroy(struct verdicts *v)
{
    if (v)
        pthread_mutex_destroy(&v->lock);
    free(v);
}

enum { PLACES = 2 * BRIEF_VERDICTS };

static unsigned label_place(const struct label *label)
{
    uint64_t words[2];
    static_assert(sizeof words == sizeof *label, "a label is two words");
    memcpy(words, label, sizeof words);
    return (unsigned)((words[0] * 3 ^ words[1]) * UINT64_C(0x9e3779b97f4a7c15) >> 40) % PLACES;
}

/* The label's number; BRIEF_VERDICTS: it has none, and *place is where it would stand. */
static unsigned verdict_find(struct verdicts *v, const struct label *label, unsigned *place)
{
    unsigned number;
    for (; (number = atomic_load_explicit(&v->places[*place], memory_order_acquire)) != 0;
         *place = (*place + 1) % PLACES)
        if (memcmp(&v->at[number - 1], label, sizeof *label) == 0)
            return number - 1;
    return BRIEF_VERDICTS;
}

/* The number of a label; BRIEF_VERDICTS: there is no more room. */
static unsigned verdict_number(struct verdicts *v, const struct label *label)
{
    unsigned place = label_place(label), number = verdict_find(v, label, &place);
    if (number != BRIEF_VERDICTS ||
        atomic_load_explicit(&v->count, memory_order_relaxed) == BRIEF_VERDICTS)
        return number;
    pthread_mutex_lock(&v->lock);
    number = verdict_find(v, label, &place); /* another may have been faster */
    unsigned count = atomic_load_explicit(&v->count, memory_order_relaxed);
    if (number == BRIEF_VERDICTS && count < BRIEF_VERDICTS) {
        number = count;
        v->at[number] = *label;
        atomic_store_explicit(&v->count, count + 1, memory_order_release);
        atomic_store_explicit(&v->places[place], (unsigned short)(count + 1), memory_order_release);
    }
    pthread_mutex_unlock(&v->lock);
    return number;
}

uint16_t verdict_set(struct verdict_memory *m, const struct ruleset *rules,
                     struct payload_scratch *scratch, const struct brief *b,
                     const struct udp_payload *payload, struct label *label)
{
    uint16_t src_port = brief_src_port(b);
    uint64_t name = b->port | (uint64_t)brief_udp_answer(rules, src_port) << 16 |
                    (uint64_t)set_tools(b->set) << 24 | (uint64_t)payload->len << 32 |
                    (uint64_t)payload->caught << 48;
    uint64_t hash = memo_hash(name, payload->at, payload->caught);
    struct verdict_memo *memo = &m->at[hash >> 8 & (VERDICT_MEMO - 1)];
    if (memo->kept == hash && memo->name == name &&
        (payload->caught == 0 || memcmp(memo->bytes, payload->at, payload->caught) == 0))
        return memo->set;
    classify_udp(rules, scratch, src_port, b->port, set_tools(b->set), payload, label);
    struct label counted = *label;
    counted.form = 0;
    counted.evidence = 0;
    unsigned number = verdict_number(m->of, &counted);
    if (number == BRIEF_VERDICTS)
        return VERDICT_NO_SET;
    uint16_t set = set_of_verdict(number, label->kind == KIND_udp);
    if (memo->seen == hash && payload->caught <= VERDICT_MEMO_BYTES) {
        memo->kept = hash;
        memo->name = name;
        memo->set = set;
        if (payload->caught > 0)
            memcpy(memo->bytes, payload->at, payload->caught);
    }
    memo->seen = hash;
    return set;
}
