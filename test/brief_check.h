/* brief_check: what holds for a frame that is read as a brief: decode and classify say the same of
 * it. For its test and its fuzz target. */
#ifndef TEST_BRIEF_CHECK_H
#define TEST_BRIEF_CHECK_H

#include "classify/brief.h"
#include "classify/classify.h"

/* NULL, or what does not hold. *found: whether it was read as a brief. */
static inline const char *brief_check(const struct frame *f, uint32_t decap,
                                      const struct ruleset *rules, bool *found)
{
    struct observation o;
    struct label label;
    struct brief read, from;
    decode(f, decap, &o);
    classify_batch(rules, NULL, &o, 1, &label);
    bool is_brief = brief_from(&o, rules, &from);
    *found = brief_read(f, decap, rules, &read);
    if (*found && !is_brief)
        return "what is read as a brief is decoded as one";
    if (*found && memcmp(&read, &from, sizeof read) != 0)
        return "read and decoded, a brief is the same";
    if (!is_brief)
        return NULL;
    const struct port_class *class =
        &rules->classes[kind_is_scan(label.kind) ? set_class(from.set) : 0];
    if (label.kind != brief_kind(&from))
        return "a brief has the kind that classify gives";
    if (label.tools != set_tools(from.set) || label.marks != set_marks(rules, from.set))
        return "a brief has the tools and marks that classify gives";
    if (memcmp(label.rules, class->rules, sizeof label.rules) != 0)
        return "a brief has the rules that classify gives";
    if (set_what(from.set) == BRIEF_ANSWER &&
        set_class(from.set) != (o.tcp_flags & TCP_RST ? ANSWER_RESETS : ANSWER_ACCEPTS))
        return "an answer says whether it is a reset";
    return NULL;
}

#endif
