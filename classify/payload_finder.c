#include "classify/payload_finder.h"

#include "classify/payload.h"

#include <errno.h>
#include <hs.h>
#include <stdlib.h>
#include <string.h>

struct payload_finder {
    const struct ruleset *set;
    hs_database_t
        *databases[RULES_MAX][RULE_PATTERNS_MAX]; /* NULL: not asked for yet, or can't be */
    bool is_tried[RULES_MAX];
    hs_scratch_t *scratch;
};

struct payload_finder *payload_finder_create(const struct ruleset *set)
{
    struct payload_finder *f = calloc(1, sizeof *f);
    if (f != NULL)
        f->set = set;
    return f;
}

void payload_finder_destroy(struct payload_finder *f)
{
    if (f == NULL)
        return;
    for (size_t rule = 0; rule < RULES_MAX; rule++)
        for (size_t i = 0; i < RULE_PATTERNS_MAX; i++)
            hs_free_database(f->databases[rule][i]);
    hs_free_scratch(f->scratch);
    free(f);
}

/* What is looked for, without where: each on its own, since one that Hyperscan can't tell the begin of is to spoil no other. */
static void compile(struct payload_finder *f, uint16_t rule, const struct rule_payload *payload)
{
    f->is_tried[rule] = true;
    for (unsigned i = 0; i < payload->pattern_count; i++) {
        const struct rule_pattern *p = &payload->patterns[i];
        hs_compile_error_t *error = NULL;
        unsigned flags =
            HS_FLAG_SOM_LEFTMOST | HS_FLAG_DOTALL | (p->is_nocase ? HS_FLAG_CASELESS : 0);
        hs_database_t **database = &f->databases[rule][i];
        if (hs_compile(p->expression + p->anchor, flags, HS_MODE_BLOCK, NULL, database, &error) !=
            HS_SUCCESS)
            *database = NULL;
        else if (hs_alloc_scratch(*database, &f->scratch) != HS_SUCCESS) {
            hs_free_database(*database);
            *database = NULL;
        }
        hs_free_compile_error(error);
    }
}

struct search {
    const struct rule_pattern *pattern;
    uint16_t *offset;
};

static int found(unsigned id, unsigned long long from, unsigned long long to, unsigned flags,
                 void *context)
{
    const struct search *s = context;
    uint64_t at = from + s->pattern->first;
    if (at <= s->pattern->last && at < *s->offset)
        *s->offset = (uint16_t)at;
    return 0;
}

unsigned payload_finder_find(struct payload_finder *f, uint16_t rule, const uint8_t *bytes,
                             size_t len, uint16_t offsets[RULE_CLAUSES_MAX])
{
    const struct rule_payload *payload = f->set->rules[rule].payload;
    if (payload == NULL)
        return 0;
    if (!f->is_tried[rule])
        compile(f, rule, payload);
    if (len > PAYLOAD_BYTES)
        len = PAYLOAD_BYTES;
    uint8_t copy[PAYLOAD_SCAN_ROOM + PAYLOAD_BYTES + PAYLOAD_SCAN_ROOM] = {0};
    if (len > 0)
        memcpy(copy + PAYLOAD_SCAN_ROOM, bytes, len);
    for (unsigned i = 0; i < payload->clause_count; i++)
        offsets[i] = UINT16_MAX;
    for (unsigned i = 0; i < payload->pattern_count; i++) {
        const struct rule_pattern *p = &payload->patterns[i];
        struct search search = {p, &offsets[p->clause]};
        if (f->databases[rule][i] != NULL && len > p->first)
            (void)hs_scan(f->databases[rule][i], (const char *)copy + PAYLOAD_SCAN_ROOM + p->first,
                          (unsigned)(len - p->first), 0, f->scratch, found, &search);
    }
    return payload->clause_count;
}
