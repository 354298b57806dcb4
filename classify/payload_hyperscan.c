/* payload with Hyperscan. Every pattern reports at most once a scan (SINGLEMATCH); a rule holds when
 * each of its clauses has been reported. */
#include "classify/payload.h"
#include "classify/payload_cache.h"
#include "classify/payload_group.h"
#include "classify/payload_prefix.h"

#include <assert.h>
#include <errno.h>
#include <hs.h>
#include <sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const bool payload_is_built = true;

/* ---- which of the library's code runs ---- */

/* Where a processor has AVX-512 the library takes it. Some (Skylake to Cascade Lake) then lower their clock for a millisecond, for
 * all that runs on the core: one payload of a hundred packets is enough to keep it low, and cost a tenth of the whole replay
 * (bench/replay.py rules). So the library's code for AVX2 is called where it has one; its builds for several
 * processors export it by this name, others (Vectorscan, a build for one processor) do not. */
typedef hs_error_t scan_function(const hs_database_t *, const char *, unsigned, unsigned,
                                 hs_scratch_t *, match_event_handler, void *);
extern scan_function avx2_hs_scan __attribute__((weak));

/* What databases are compiled for, and by what they are scanned. */
static scan_function *scan_chosen(hs_platform_info_t *platform)
{
    const unsigned long long wide = HS_CPU_FEATURES_AVX512 | HS_CPU_FEATURES_AVX512VBMI;
    if (hs_populate_platform(platform) != HS_SUCCESS) {
        *platform = (hs_platform_info_t){0};
        return hs_scan;
    }
    if (!avx2_hs_scan || !(platform->cpu_features & wide))
        return hs_scan;
    platform->cpu_features &= ~wide;
    return avx2_hs_scan;
}

/* What a report of a pattern means. */
struct meaning {
    uint16_t rule;
    uint32_t clause; /* bit */
};

struct strength {
    uint32_t full; /* all clauses */
    uint16_t rank; /* the lower, the stronger */
};

/* A row of a pattern that is a whole rule: what may be asked without the library. */
struct quick {
    uint16_t rank, rule;
    struct payload_prefix prefix;
};

/* The rows of a group, the strongest rule first; `unsure` is the rank of the strongest that other patterns may show, too. */
struct quick_group {
    unsigned first, count;
    uint16_t unsure; /* RULES_MAX: none */
};

struct payload {
    struct payload_groups groups;
    hs_database_t *databases[PAYLOAD_GROUPS_MAX]; /* NULL: the group has no rules */
    hs_platform_info_t platform;
    scan_function *scan;
    unsigned bytes;
    bool is_cached;
    struct meaning *meanings; /* by pattern: rules in the set's order, patterns as written */
    unsigned pattern_count;
    struct strength strengths[RULES_MAX];
    struct quick *quicks; /* by group */
    struct quick_group quick_groups[PAYLOAD_GROUPS_MAX];
    struct payload_classes classes;
};

struct payload_scratch {
    hs_scratch_t *hs;
    const struct payload *payload;
    uint16_t best; /* rank */
    uint16_t best_rule;
    unsigned touched_count;
    uint16_t touched[RULES_MAX]; /* rules with clauses in `found` */
    uint32_t found[RULES_MAX];
    /* What is scanned, with room around it. */
    uint8_t copy[PAYLOAD_SCAN_ROOM + PAYLOAD_BYTES_MAX + PAYLOAD_SCAN_ROOM];
};

/* The patterns of a group as Hyperscan wants them. */
struct job {
    const char **expressions;
    unsigned *flags, *ids, count;
};

static unsigned flags_of(const struct rule_pattern *pattern)
{
    return HS_FLAG_SINGLEMATCH | HS_FLAG_DOTALL | (pattern->is_nocase ? HS_FLAG_CASELESS : 0);
}

int payload_regex_check(const char *regex, bool is_nocase, unsigned *min_len, char *why,
                        size_t size)
{
    hs_expr_info_t *info = NULL;
    hs_compile_error_t *error = NULL;
    unsigned flags = HS_FLAG_SINGLEMATCH | HS_FLAG_DOTALL | (is_nocase ? HS_FLAG_CASELESS : 0);
    int err = 0;
    if (hs_expression_info(regex, flags, &info, &error) == HS_SUCCESS) {
        *min_len = info->min_width;
        free(info);
    } else {
        snprintf(why, size, "%s", error && error->message ? error->message : "not a pattern");
        err = -EINVAL;
    }
    hs_free_compile_error(error);
    return err;
}

/* ---- rules to tables ---- */

static bool is_iot(const struct rule *rule) { return strcmp(rule->category, "iot") == 0; }

static unsigned rank_class(const struct rule *rule)
{
    if (!is_iot(rule))
        return 1;
    return rule->breadth != BREADTH_strict ? 3 : rule->is_generic ? 2 : 0;
}

static int build_tables(struct payload *p, const struct ruleset *set)
{
    uint16_t rank = 0;
    for (size_t i = 0; i < set->rule_count; i++)
        p->pattern_count += set->rules[i].payload ? set->rules[i].payload->pattern_count : 0;
    p->meanings = calloc(p->pattern_count + 1, sizeof *p->meanings);
    if (!p->meanings)
        return -ENOMEM;
    for (unsigned class = 0; class < 4; class ++)
        for (size_t i = 0; i < set->rule_count; i++)
            if (rank_class(&set->rules[i]) == class)
                p->strengths[i].rank = rank++;
    struct meaning *next = p->meanings;
    for (size_t i = 0; i < set->rule_count; i++) {
        const struct rule_payload *payload = set->rules[i].payload;
        for (unsigned k = 0; payload && k < payload->pattern_count; k++, next++) {
            *next = (struct meaning){(uint16_t)i, 1u << payload->patterns[k].clause};
            p->strengths[i].full |= next->clause;
        }
    }
    return 0;
}

static const struct rule_pattern *pattern_of(const struct payload *p, const struct ruleset *set,
                                             unsigned id)
{
    unsigned first = id;
    while (first > 0 && p->meanings[first - 1].rule == p->meanings[id].rule)
        first--;
    return &set->rules[p->meanings[id].rule].payload->patterns[id - first];
}

static void gather(const struct payload *p, const struct ruleset *set, unsigned group,
                   struct job *job)
{
    job->count = 0;
    for (unsigned id = 0; id < p->pattern_count; id++) {
        if (!payload_groups_has(&p->groups, group, p->meanings[id].rule))
            continue;
        const struct rule_pattern *pattern = pattern_of(p, set, id);
        job->expressions[job->count] = pattern->expression;
        job->flags[job->count] = flags_of(pattern);
        job->ids[job->count++] = id;
    }
}

/* ---- compiling ---- */

static int refuse(const struct payload *p, const struct ruleset *set, const struct job *job,
                  const hs_compile_error_t *error, struct fault *fault)
{
    if (!error || error->expression < 0)
        return fault_set(fault, ENOMEM, "%s*.yaml: Hyperscan: %s", set->folder,
                         error ? error->message : "out of memory");
    unsigned id = job->ids[error->expression];
    const struct place *place = &pattern_of(p, set, id)->place;
    return fault_set(fault, EINVAL, "%s%s:%u:%u: %s", set->folder,
                     set->rules[p->meanings[id].rule].file, place->line, place->column,
                     error->message);
}

static int compile(struct payload *p, const struct ruleset *set, struct job *job,
                   struct fault *fault)
{
    for (unsigned g = 0; g < p->groups.count; g++) {
        hs_compile_error_t *error = NULL;
        gather(p, set, g, job);
        if (job->count == 0)
            continue;
        if (hs_compile_multi(job->expressions, job->flags, job->ids, job->count, HS_MODE_BLOCK,
                             &p->platform, &p->databases[g], &error) == HS_SUCCESS)
            continue;
        int err = refuse(p, set, job, error, fault);
        hs_free_compile_error(error);
        return err;
    }
    return 0;
}

/* ---- the cache's bytes: for each group the length as 8 bytes in this machine's order, the database ---- */

static void databases_free(struct payload *p)
{
    for (unsigned g = 0; g < PAYLOAD_GROUPS_MAX; g++) {
        hs_free_database(p->databases[g]);
        p->databases[g] = NULL;
    }
}

static bool databases_from(struct payload *p, const uint8_t *bytes, size_t len)
{
    for (unsigned g = 0; g < p->groups.count; g++) {
        uint64_t size;
        if (len < sizeof size)
            return false;
        memcpy(&size, bytes, sizeof size);
        bytes += sizeof size, len -= sizeof size;
        if (size > len)
            return false;
        if (size > 0 && hs_deserialize_database((const char *)bytes, size, &p->databases[g]) != 0)
            return false;
        bytes += size, len -= size;
    }
    return len == 0;
}

static void cache(const struct payload *p, const char *dir, const char *key)
{
    char *all = NULL, *part = NULL;
    size_t all_len = 0;
    FILE *out = open_memstream(&all, &all_len);
    bool is_good = out;
    for (unsigned g = 0; g < p->groups.count && is_good; g++) {
        size_t len = 0;
        part = NULL;
        if (p->databases[g])
            is_good = hs_serialize_database(p->databases[g], &part, &len) == HS_SUCCESS;
        uint64_t size = len;
        is_good = is_good && fwrite(&size, sizeof size, 1, out) == 1 &&
                  (!len || fwrite(part, len, 1, out) == 1);
        free(part);
    }
    if (out)
        is_good &= fclose(out) == 0;
    if (is_good)
        payload_cache_write(dir, key, all, all_len);
    free(all);
}

static void add_text(SHA2_CTX *sha, const char *text)
{
    SHA256Update(sha, (const uint8_t *)text, strlen(text) + 1);
}

/* All that a database is made of. */
static void key_of(const struct payload *p, const struct ruleset *set,
                   char key[SHA256_DIGEST_STRING_LENGTH])
{
    SHA2_CTX sha;
    uint64_t about[] = {p->platform.tune, p->platform.cpu_features, p->groups.count};
    SHA256Init(&sha);
    add_text(&sha, "payload 2");
    add_text(&sha, set->sha256);
    add_text(&sha, hs_version());
    SHA256Update(&sha, (const uint8_t *)about, sizeof about);
    for (unsigned id = 0; id < p->pattern_count; id++) {
        const struct rule_pattern *pattern = pattern_of(p, set, id);
        unsigned about_it[] = {p->meanings[id].rule, flags_of(pattern)};
        add_text(&sha, pattern->expression);
        SHA256Update(&sha, (const uint8_t *)about_it, sizeof about_it);
    }
    SHA256Update(&sha, (const uint8_t *)p->groups.rules, p->groups.count * sizeof *p->groups.rules);
    SHA256End(&sha, key);
}

static int databases_make(struct payload *p, const struct ruleset *set, const char *cache_dir,
                          struct fault *fault)
{
    char key[SHA256_DIGEST_STRING_LENGTH];
    size_t len = 0;
    struct job job = {
        .expressions = calloc(p->pattern_count + 1, sizeof *job.expressions),
        .flags = calloc(p->pattern_count + 1, sizeof *job.flags),
        .ids = calloc(p->pattern_count + 1, sizeof *job.ids),
    };
    int err = 0;
    if (!job.expressions || !job.flags || !job.ids) {
        err = fault_set(fault, ENOMEM, "%s*.yaml: out of memory", set->folder);
        goto done;
    }
    key_of(p, set, key);
    void *kept = payload_cache_read(cache_dir, key, &len);
    p->is_cached = kept && databases_from(p, kept, len);
    free(kept);
    if (p->is_cached)
        goto done;
    databases_free(p);
    err = compile(p, set, &job, fault);
    if (err == 0)
        cache(p, cache_dir, key);
done:
    free(job.expressions);
    free(job.flags);
    free(job.ids);
    return err;
}

/* ---- what needs no library ---- */

static int quick_compare(const void *a, const void *b)
{
    const struct quick *x = a, *y = b;
    return (int)x->rank - (int)y->rank;
}

/* Adds the rows of a rule; false: it has none, or some pattern is not of that kind. */
static bool quicks_add(struct payload *p, const struct rule *rule, uint16_t number, size_t *count)
{
    bool is_told = rule->payload->clause_count == 1;
    for (unsigned k = 0; k < rule->payload->pattern_count && rule->payload->clause_count == 1;
         k++) {
        const struct rule_pattern *pattern = &rule->payload->patterns[k];
        struct payload_prefix rows[PAYLOAD_PREFIX_ROWS];
        unsigned made =
            pattern->is_nocase ? 0 : payload_prefix_make(rows, &p->classes, pattern->expression);
        is_told &= made > 0;
        for (unsigned i = 0; i < made; i++)
            p->quicks[(*count)++] = (struct quick){p->strengths[number].rank, number, rows[i]};
    }
    return is_told;
}

static int quicks_make(struct payload *p, const struct ruleset *set)
{
    size_t count = 0, room = 0;
    for (unsigned g = 0; g < p->groups.count; g++)
        for (size_t i = 0; i < set->rule_count; i++)
            if (payload_groups_has(&p->groups, g, (unsigned)i))
                room += set->rules[i].payload->pattern_count;
    p->quicks = calloc(room * PAYLOAD_PREFIX_ROWS + 1, sizeof *p->quicks);
    if (!p->quicks)
        return -ENOMEM;
    for (unsigned g = 0; g < p->groups.count; g++) {
        struct quick_group *group = &p->quick_groups[g];
        *group = (struct quick_group){.first = (unsigned)count, .unsure = RULES_MAX};
        for (size_t i = 0; i < set->rule_count; i++)
            if (payload_groups_has(&p->groups, g, (unsigned)i) &&
                !quicks_add(p, &set->rules[i], (uint16_t)i, &count) &&
                p->strengths[i].rank < group->unsure)
                group->unsure = p->strengths[i].rank;
        group->count = (unsigned)count - group->first;
        qsort(p->quicks + group->first, group->count, sizeof *p->quicks, quick_compare);
    }
    return 0;
}

int payload_load(struct ruleset *set, const struct payload_settings *settings, struct fault *fault)
{
    static const struct payload_settings usual = {0};
    const struct payload_settings *s = settings ? settings : &usual;
    if (hs_valid_platform() != HS_SUCCESS) {
        set->payload_off = "Hyperscan needs a processor with SSSE3";
        return 0;
    }
    struct payload *p = calloc(1, sizeof *p);
    int err = p ? build_tables(p, set) : -ENOMEM;
    if (err == 0)
        err = payload_groups_init(&p->groups, set);
    if (err == -E2BIG)
        err = fault_set(fault, EINVAL,
                        "%s*.yaml: more than %d different combinations of payload rules on a port",
                        set->folder, PAYLOAD_GROUPS_MAX - PAYLOAD_GROUP_FIRST);
    else if (err)
        err = fault_set(fault, ENOMEM, "%s*.yaml: out of memory", set->folder);
    if (err == 0) {
        p->bytes = s->bytes ? s->bytes : PAYLOAD_BYTES;
        p->scan = scan_chosen(&p->platform);
        err = databases_make(p, set, s->cache_dir, fault);
    }
    if (err == 0)
        err = quicks_make(p, set);
    if (err) {
        payload_destroy(p);
        return err;
    }
    payload_groups_want(&p->groups, set);
    set->payload = p;
    set->payload_off = NULL;
    return 0;
}

void payload_destroy(struct payload *p)
{
    if (!p)
        return;
    databases_free(p);
    payload_groups_fini(&p->groups);
    free(p->quicks);
    free(p->meanings);
    free(p);
}

unsigned payload_databases(const struct ruleset *set)
{
    unsigned count = 0;
    for (unsigned g = 0; set->payload && g < PAYLOAD_GROUPS_MAX; g++)
        count += set->payload->databases[g] != NULL;
    return count;
}

bool payload_is_cached(const struct ruleset *set)
{
    return set->payload && set->payload->is_cached;
}

/* ---- scanning ---- */

struct payload_scratch *payload_scratch_create(const struct ruleset *set)
{
    struct payload_scratch *s = calloc(1, sizeof *s);
    if (!s || !set->payload)
        return s;
    s->payload = set->payload;
    for (unsigned g = 0; g < s->payload->groups.count; g++)
        if (s->payload->databases[g] &&
            hs_alloc_scratch(s->payload->databases[g], &s->hs) != HS_SUCCESS) {
            payload_scratch_destroy(s);
            errno = ENOMEM;
            return NULL;
        }
    return s;
}

void payload_scratch_destroy(struct payload_scratch *s)
{
    if (!s)
        return;
    hs_free_scratch(s->hs);
    free(s);
}

static int reported(unsigned id, unsigned long long from, unsigned long long to, unsigned flags,
                    void *context)
{
    struct payload_scratch *s = context;
    const struct meaning *m = &s->payload->meanings[id];
    const struct strength *strength = &s->payload->strengths[m->rule];
    if (s->found[m->rule] == 0)
        s->touched[s->touched_count++] = m->rule;
    s->found[m->rule] |= m->clause;
    if (s->found[m->rule] == strength->full && strength->rank < s->best) {
        s->best = strength->rank;
        s->best_rule = m->rule;
    }
    return 0;
}

static void scan(struct payload_scratch *s, unsigned group, const uint8_t *bytes, size_t len)
{
    const struct payload *p = s->payload;
    if (!p->databases[group] || len < p->groups.min_len[group])
        return;
    hs_error_t err =
        p->scan(p->databases[group], (const char *)bytes, (unsigned)len, 0, s->hs, reported, s);
    assert(err == HS_SUCCESS);
    (void)err;
}

/* The strongest rule where first bytes tell it; false: they don't. */
static bool quick_match(const struct payload *p, unsigned proto, unsigned group,
                        const uint8_t *bytes, size_t len, uint16_t *rule)
{
    const struct quick_group *q = &p->quick_groups[group];
    const struct quick *found = NULL, *end = p->quicks + q->first + q->count;
    /* The rules of any port are never asked here: where there are some, all of them may hold. */
    uint16_t unsure = p->databases[proto] && len >= p->groups.min_len[proto] ? 0 : q->unsure;
    for (const struct quick *at = p->quicks + q->first; at < end && at->rank <= unsure && !found;
         at++)
        if (payload_prefix_holds(&at->prefix, &p->classes, bytes, len))
            found = at;
    *rule = found ? found->rule : RULE_NONE;
    return found || unsure == RULES_MAX;
}

static bool is_http_answer(unsigned proto, const uint8_t *bytes, size_t len)
{
    static const char begins[] = "HTTP/1.";
    return proto == PORT_PROTO_TCP && len >= sizeof begins - 1 &&
           memcmp(bytes, begins, sizeof begins - 1) == 0;
}

uint16_t payload_match(const struct ruleset *set, struct payload_scratch *scratch, unsigned proto,
                       uint16_t port, const uint8_t *bytes, size_t len)
{
    const struct payload *p = set->payload;
    uint16_t rule;
    if (!p || is_http_answer(proto, bytes, len))
        return RULE_NONE;
    if (len > p->bytes)
        len = p->bytes;
    unsigned group = p->groups.of[proto][port];
    if (group && quick_match(p, proto, group, bytes, len, &rule))
        return rule;
    return payload_scan(set, scratch, proto, port, bytes, len);
}

uint16_t payload_scan(const struct ruleset *set, struct payload_scratch *scratch, unsigned proto,
                      uint16_t port, const uint8_t *bytes, size_t len)
{
    const struct payload *p = set->payload;
    if (!p || is_http_answer(proto, bytes, len))
        return RULE_NONE;
    assert(scratch->payload == p);
    if (len > p->bytes)
        len = p->bytes;
    scratch->best = UINT16_MAX;
    scratch->best_rule = RULE_NONE;
    uint8_t *copy = scratch->copy + PAYLOAD_SCAN_ROOM;
    if (len > 0)
        memcpy(copy, bytes, len);
    memset(copy + len, 0, PAYLOAD_SCAN_ROOM);
    unsigned group = p->groups.of[proto][port];
    if (group)
        scan(scratch, group, copy, len);
    scan(scratch, proto, copy, len);
    while (scratch->touched_count)
        scratch->found[scratch->touched[--scratch->touched_count]] = 0;
    return scratch->best_rule;
}
