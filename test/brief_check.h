/* brief_check: what holds for a frame that is read as a brief: decode and classify say the same of
 * it. For its test and its fuzz target. */
#ifndef TEST_BRIEF_CHECK_H
#define TEST_BRIEF_CHECK_H

#include "classify/brief_columns.h"
#include "classify/classify.h"
#include "classify/verdict.h"

/* What an open brief says once its payload was looked at. */
static inline const char *open_brief_check(const struct observation *o, const uint8_t *payload,
                                           const struct ruleset *rules,
                                           struct payload_scratch *scratch, const struct brief *b,
                                           const struct label *label)
{
    static struct verdicts verdicts = {.lock = PTHREAD_MUTEX_INITIALIZER};
    static struct verdict_memory memory = {.of = &verdicts};
    struct udp_payload p = {payload, o->payload_caught, o->payload_len};
    struct label own;
    for (unsigned i = 0; i < 3; i++) { /* the second one remembers, the third is remembered */
        uint16_t set = verdict_set(&memory, rules, scratch, b, &p, &own);
        if (set == VERDICT_NO_SET)
            return "there is room for all verdicts";
        const struct label *verdict = &verdicts.at[set_verdict(set)];
        if (verdict->kind != label->kind || verdict->marks != label->marks ||
            verdict->flags != label->flags || verdict->payload_rule != label->payload_rule ||
            memcmp(verdict->rules, label->rules, sizeof label->rules) != 0)
            return "an open brief's verdict is the label that classify gives";
        if (set_what(set) != (kind_is_scan((enum kind)label->kind) ? BRIEF_UDP : BRIEF_UDP_OTHER) ||
            !set_is_verdict(set))
            return "a verdict's set says whether it is a scan";
    }
    return NULL;
}

/* Whether a frame's column in a burst says what brief_read() says of it alone: NULL, or what does not hold. */
static inline const char *column_check(const struct brief_columns *c, size_t i,
                                       const struct frame *f, uint32_t decap,
                                       const struct ruleset *rules, int64_t base_ns)
{
    struct brief read, column;
    enum brief_found found = brief_read(f, decap, rules, base_ns, &read);
    if (c->tcp >> i & 1) {
        bool has_room = column_brief(c, i, f, rules, base_ns, &column);
        if (has_room != (found == BRIEF_WHOLE) ||
            (has_room && memcmp(&column, &read, sizeof read) != 0))
            return "a column's brief is the one that is read";
    } else if ((c->udp | c->icmp) >> i & 1) {
        enum brief_found is_found = column_other(f, decap, rules, base_ns, &column);
        if (is_found != found || (is_found && memcmp(&column, &read, sizeof read) != 0))
            return "a column's brief of UDP or ICMP is the one that is read";
    } else if (found != BRIEF_NONE) {
        return "what is read as a brief has its column";
    }
    return NULL;
}

/* NULL, or what does not hold. *found: how it was read as a brief. `scratch`: NULL where payload rules are off. */
static inline const char *brief_check(const struct frame *f, uint32_t decap,
                                      const struct ruleset *rules, struct payload_scratch *scratch,
                                      int64_t base_ns, enum brief_found *found)
{
    struct observation o;
    struct label label;
    struct brief read, from;
    decode(f, decap, &o);
    classify_batch(rules, NULL, &o, 1, f->data, scratch, &label);
    const uint8_t *payload = f->data + o.payload_at;
    enum brief_found is_brief = brief_from(&o, payload, rules, base_ns, &from);
    *found = brief_read(f, decap, rules, base_ns, &read);
    struct brief_columns columns;
    columns_fill(&columns, f, 1);
    const char *broken = column_check(&columns, 0, f, decap, rules, base_ns);
    if (broken)
        return broken;
    if (*found && is_brief != *found)
        return "what is read as a brief is decoded as one";
    if (*found && memcmp(&read, &from, sizeof read) != 0)
        return "read and decoded, a brief is the same";
    if (!is_brief)
        return NULL;
    if ((int64_t)((uint64_t)base_ns + brief_time(&from)) != o.ts_ns ||
        brief_wire_len(&from) != o.wire_len)
        return "a brief has the packet's time and length";
    if (brief_src_port(&from) != o.src_port)
        return "a brief has the packet's source port";
    if (*found == BRIEF_OPEN) {
        struct udp_payload p = brief_payload(f);
        if (p.at != payload || p.caught != o.payload_caught || p.len != o.payload_len)
            return "an open brief's payload is the packet's";
    }
    if (is_brief == BRIEF_OPEN)
        return open_brief_check(&o, payload, rules, scratch, &from, &label);
    if (label.kind != brief_kind(&from))
        return "a brief has the kind that classify gives";
    if (label_tools(&label) != set_tools(from.set) || label.marks != set_marks(from.set))
        return "a brief has the tools and marks that classify gives";
    if (label.flags != set_notes(from.set) || label.form || label.payload_rule != RULE_NONE)
        return "a brief has the notes that classify gives, and neither form nor rule";
    if (set_what(from.set) == BRIEF_ANSWER &&
        set_aim(from.set) != (o.tcp_flags & TCP_RST ? ANSWER_RESETS : ANSWER_ACCEPTS))
        return "an answer says whether it is a reset";
    return NULL;
}

#endif
