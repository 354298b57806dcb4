#include "classify/classify.h"

#include "classify/brief.h"
#include "classify/kind.h"
#include "classify/payload_tool.h"
#include "classify/spoof.h"

#include <stddef.h>
#include <string.h>

static_assert(sizeof(struct label) == 16, "a label is 16 bytes");

/* This file writes neighbouring small fields as one number. */
static_assert(offsetof(struct label, flags) == offsetof(struct label, kind) + 1 &&
                  offsetof(struct label, evidence) == offsetof(struct label, kind) + 2 &&
                  offsetof(struct label, form) == offsetof(struct label, kind) + 3 &&
                  offsetof(struct label, payload_rule) == offsetof(struct label, kind) + 4,
              "kind, flags, evidence, form and payload_rule are one number");

/* IPv4, TCP, its flags there (and so its ports), neither malformed nor a fragment: most of what a
 * darknet sees. One branch tells it apart, and there is none behind it. */
static inline bool is_plain_tcp(const struct observation *o)
{
    enum { NOT_PLAIN = OBSERVATION_MALFORMED | OBSERVATION_FRAGMENT };
    return (observation_headers(o) & HEADERS(OBSERVATION_TCP_FLAGS | NOT_PLAIN, 0xff, 0xff)) ==
           HEADERS(OBSERVATION_TCP_FLAGS, 4, IPPROTO_NR_TCP);
}

static inline __attribute__((always_inline)) void write_label(struct label *label,
                                                              const struct ruleset *rules,
                                                              enum kind kind, uint32_t is_scan,
                                                              uint32_t index, uint32_t tools,
                                                              uint32_t flags)
{
    const struct port_class *class = &rules->classes[index];
    uint32_t is_bot = tools >> TOOL_mirai & (kind == KIND_tcp_syn);
    uint32_t evidence = is_bot ? EVIDENCE_bot : index ? EVIDENCE_port : EVIDENCE_none;
    uint64_t rest = kind | flags << 8 | evidence << 16 | (uint64_t)RULE_NONE << 32;
    label->marks = class_marks(class, is_scan, tools);
    memcpy(label->rules, class->rules, sizeof label->rules);
    memcpy(&label->kind, &rest, sizeof rest);
}

/* What the headers alone say; `is_syn`: kind tcp_syn. */
static inline uint32_t flags_of(const struct ruleset *rules, const struct observation *o,
                                bool is_syn)
{
    return (spoof_applied(rules->spoof_tests, o) ? LABEL_LIKELY_SPOOFED : 0) |
           (is_syn && o->ip_version == 4 ? LABEL_ASSESSABLE : 0);
}

static inline __attribute__((always_inline)) void label_plain_tcp(struct label *label,
                                                                  const struct ruleset *rules,
                                                                  const struct observation *o)
{
    enum kind kind = kind_of_tcp(o);
    uint32_t is_syn = kind == KIND_tcp_syn;
    uint32_t is_scan = is_syn | (kind == KIND_tcp_data);
    uint32_t index = rules->port_class[PORT_PROTO_TCP][o->dst_port] & -is_scan;
    uint32_t tools = fingerprint_tools_tcp4(o, is_syn) | (is_syn ? fingerprint_later(o) : 0);
    write_label(label, rules, kind, is_scan, index, tools, flags_of(rules, o, is_syn));
}

/* All but what the payload's rule says. */
static inline void label_by_form(struct label *label, const struct ruleset *rules, enum kind kind,
                                 enum udp_form_id form, uint32_t index, uint32_t tools,
                                 uint32_t flags)
{
    if (kind == KIND_udp && udp_forms[form].class == UDP_ASKS)
        flags |= LABEL_AMPLIFICATION_REQUEST;
    write_label(label, rules, kind, kind_is_scan(kind), index, tools, flags);
    label->form = (uint8_t)form;
}

static void label_other(struct label *label, const struct ruleset *rules,
                        const struct observation *o, const uint8_t *payload, bool inside)
{
    enum udp_form_id form = kind_form(o, payload);
    enum kind kind = kind_of(o, form, inside);
    bool is_scan = kind_is_scan(kind);
    uint32_t index = 0, flags = flags_of(rules, o, kind == KIND_tcp_syn),
             tools = fingerprint_tools(o);
    if (is_scan && o->state & OBSERVATION_PORTS)
        index = rules->port_class[kind == KIND_udp ? PORT_PROTO_UDP : PORT_PROTO_TCP][o->dst_port];
    if (is_scan && payload && o->payload_caught > 0)
        tools |=
            payload_tool_set(o->ip_proto, o->dst_port, payload, o->payload_caught, o->payload_len);
    label_by_form(label, rules, kind, form, index, tools, flags);
}

/* What a payload's rule changes of the label that the header gave. */
static void apply_payload_rule(struct label *label, const struct rule *rule, uint16_t index)
{
    const uint32_t strict = 1u << MARK_iot_strict | 1u << MARK_iot_broad | 1u << MARK_iot_payload |
                            1u << MARK_iot_confirmed;
    bool is_iot = strcmp(rule->category, "iot") == 0;
    label->payload_rule = index;
    label->evidence = EVIDENCE_payload;
    /* One evidence a packet, the strongest: what its payload shows is not told by Mirai's feature, too. */
    label->marks &= ~(1u << MARK_iot_bot | 1u << MARK_iot_confirmed);
    if (!is_iot)
        label->marks &= ~strict;
    else if (rule->breadth == BREADTH_strict)
        label->marks |= strict;
    else
        label->marks |= 1u << MARK_iot_broad;
}

/* Of a scan kind with ports. */
static __attribute__((noinline)) void label_payload(struct label *label,
                                                    const struct ruleset *rules, unsigned proto,
                                                    uint16_t port, const uint8_t *bytes,
                                                    uint32_t caught,
                                                    struct payload_scratch *scratch)
{
    if (!payload_wanted(rules, proto, port, caught))
        return;
    label->flags |= LABEL_ASSESSABLE;
    uint16_t index = payload_match(rules, scratch, proto, port, bytes, caught);
    if (index != RULE_NONE)
        apply_payload_rule(label, &rules->rules[index], index);
}

void classify_udp(const struct ruleset *rules, struct payload_scratch *scratch, uint16_t src_port,
                  uint16_t dst_port, uint32_t tools, const struct udp_payload *payload,
                  struct label *label)
{
    bool is_there = payload->caught > 0;
    enum udp_form_id form = UDP_FORM_NONE;
    if (is_there || payload->len == 0)
        form = udp_form_by(brief_udp_answer(rules, src_port), brief_udp_request(rules, dst_port),
                           payload);
    enum kind kind = kind_of_form(form);
    if (kind != KIND_udp) {
        label_by_form(label, rules, kind, form, 0, tools, 0);
        return;
    }
    uint32_t first4 = udp_first4(payload->at, payload->caught);
    if (is_there && payload_tool_wants_udp(dst_port, payload->len, first4))
        tools |=
            payload_tool_set(IPPROTO_NR_UDP, dst_port, payload->at, payload->caught, payload->len);
    label_by_form(label, rules, kind, form, rules->port_class[PORT_PROTO_UDP][dst_port], tools, 0);
    if (is_there && scratch)
        label_payload(label, rules, PORT_PROTO_UDP, dst_port, payload->at, payload->caught,
                      scratch);
}

/* One instance with and one without a telescope, so that the loop asks for none. */
static inline __attribute__((always_inline)) void classify_all(
    const struct ruleset *rules, const struct prefix_set *telescope,
    const struct observation *observations, size_t count, const uint8_t *payloads,
    struct payload_scratch *scratch, struct label *labels)
{
    for (size_t i = 0; i < count; i++) {
        const struct observation *o = &observations[i];
        bool inside = !telescope || prefix_set_holds(telescope, o->dst, o->ip_version);
        const uint8_t *payload = payloads && o->payload_caught ? payloads + o->payload_at : NULL;
        if (is_plain_tcp(o) & inside & !payload)
            label_plain_tcp(&labels[i], rules, o);
        else
            label_other(&labels[i], rules, o, payload, inside);
        if (payload && scratch && kind_is_scan((enum kind)labels[i].kind) &&
            o->state & OBSERVATION_PORTS)
            label_payload(&labels[i], rules,
                          o->ip_proto == IPPROTO_NR_UDP ? PORT_PROTO_UDP : PORT_PROTO_TCP,
                          o->dst_port, payload, o->payload_caught, scratch);
    }
}

void classify_batch(const struct ruleset *rules, const struct prefix_set *telescope,
                    const struct observation *observations, size_t count, const uint8_t *payloads,
                    struct payload_scratch *scratch, struct label *labels)
{
    if (telescope)
        classify_all(rules, telescope, observations, count, payloads, scratch, labels);
    else
        classify_all(rules, NULL, observations, count, payloads, scratch, labels);
}

void classify_dated(const struct ruleset *rules, const struct telescope_dates *telescope,
                    const struct observation *observations, size_t count, const uint8_t *payloads,
                    struct payload_scratch *scratch, struct label *labels)
{
    for (size_t i = 0, end; i < count; i = end) {
        const struct prefix_set *set = NULL;
        end = count;
        if (telescope) {
            const struct telescope_span *span =
                telescope_dates_at(telescope, observations[i].ts_ns);
            set = span->set;
            for (end = i + 1;
                 end < count && telescope_span_holds_time(span, observations[end].ts_ns);)
                end++;
        }
        classify_batch(rules, set, observations + i, end - i, payloads, scratch, labels + i);
    }
}
