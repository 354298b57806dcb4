/* probe_check: what holds for a frame that is read as a probe: decode and classify say the same of
 * it. For its test and its fuzz target. */
#ifndef TEST_PROBE_CHECK_H
#define TEST_PROBE_CHECK_H

#include "classify/classify.h"
#include "classify/probe.h"

/* NULL, or what does not hold. *found: whether it was read as a probe. */
static inline const char *probe_check(const struct frame *f, uint32_t decap,
                                      const struct ruleset *rules, bool *found)
{
    struct observation o;
    struct label label;
    struct probe read, from;
    decode(f, decap, &o);
    classify_batch(rules, NULL, &o, 1, &label);
    bool is_probe = probe_from(&o, rules, &from);
    *found = probe_read(f, decap, rules, &read);
    if (*found && !is_probe)
        return "what is read as a probe is decoded as one";
    if (*found && memcmp(&read, &from, sizeof read) != 0)
        return "read and decoded, a probe is the same";
    if (!is_probe)
        return NULL;
    const struct port_class *class = &rules->classes[from.set >> PROBE_CLASS_SHIFT & 0xff];
    uint32_t tools = from.set % PROBE_TOOLS;
    if (label.kind != (from.set & PROBE_UDP ? KIND_udp : KIND_tcp_syn))
        return "a probe is tcp_syn or udp";
    if (label.tools != tools || label.marks != class_marks(class, 1, tools))
        return "a probe has the tools and marks that classify gives";
    if (memcmp(label.rules, class->rules, sizeof label.rules) != 0)
        return "a probe has the rules that classify gives";
    return NULL;
}

#endif
