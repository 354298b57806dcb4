/* brief_check: what holds for a frame that is read as a brief: decode and classify say the same of
 * it. For its test and its fuzz target. */
#ifndef TEST_BRIEF_CHECK_H
#define TEST_BRIEF_CHECK_H

#include "classify/brief.h"
#include "classify/classify.h"

/* NULL, or what does not hold. *found: whether it was read as a brief. */
static inline const char *brief_check(const struct frame *f, uint32_t decap,
                                      const struct ruleset *rules, int64_t base_ns, bool *found)
{
    struct observation o;
    struct label label;
    struct brief read, from;
    decode(f, decap, &o);
    classify_batch(rules, NULL, &o, 1, f->data, NULL, &label);
    bool is_brief = brief_from(&o, f->data + o.payload_at, rules, base_ns, &from);
    *found = brief_read(f, decap, rules, base_ns, &read);
    if (*found && !is_brief)
        return "what is read as a brief is decoded as one";
    if (*found && memcmp(&read, &from, sizeof read) != 0)
        return "read and decoded, a brief is the same";
    if (!is_brief)
        return NULL;
    if (label.kind != brief_kind(&from))
        return "a brief has the kind that classify gives";
    if (label_tools(&label) != set_tools(from.set) || label.marks != set_marks(from.set))
        return "a brief has the tools and marks that classify gives";
    if (label.flags != set_notes(from.set) || label.form)
        return "a brief has the notes that classify gives, and no form";
    if ((int64_t)((uint64_t)base_ns + brief_time(&from)) != o.ts_ns ||
        brief_wire_len(&from) != o.wire_len)
        return "a brief has the packet's time and length";
    if (brief_src_port(&from) != o.src_port)
        return "a brief has the packet's source port";
    if (set_what(from.set) == BRIEF_ANSWER &&
        set_aim(from.set) != (o.tcp_flags & TCP_RST ? ANSWER_RESETS : ANSWER_ACCEPTS))
        return "an answer says whether it is a reset";
    return NULL;
}

#endif
