#include "classify/classify.h"

#include "classify/fingerprint.h"
#include "classify/kind.h"

static_assert(sizeof(struct label) == 12, "a label is 12 bytes");

enum {
    SCAN_KINDS = 1 << KIND_tcp_syn | 1 << KIND_tcp_data | 1 << KIND_udp,
};

/* One instance with and one without a telescope, so that the loop asks for none. */
static inline __attribute__((always_inline)) void classify_all(
    const struct ruleset *rules, const struct prefix_set *telescope,
    const struct observation *observations, size_t count, struct label *labels)
{
    for (size_t i = 0; i < count; i++) {
        const struct observation *o = &observations[i];
        bool inside = !telescope || prefix_set_holds(telescope, o->dst, o->ip_version);
        enum kind kind = kind_of(o, inside);
        uint32_t tools = fingerprint_tools(o);

        unsigned is_scan = SCAN_KINDS >> kind & 1;
        unsigned has_port = is_scan & ((o->state & OBSERVATION_PORTS) != 0);
        const uint8_t *classes =
            rules->port_class[kind == KIND_udp ? PORT_PROTO_UDP : PORT_PROTO_TCP];
        const struct port_class *class = &rules->classes[classes[o->dst_port] & -has_port];

        uint32_t is_bot =
            class->marks >> MARK_iot_broad & tools >> TOOL_mirai & (kind == KIND_tcp_syn);
        labels[i] = (struct label){
            .marks = 1u << MARK_total | is_scan << MARK_scan | class->marks |
                     is_bot << MARK_iot_bot | tools << MARK_tool_mirai,
            .rules = {class->rules[0], class->rules[1]},
            .kind = (uint8_t)kind,
            .tools = (uint8_t)tools,
            .evidence = class == &rules->classes[0] ? EVIDENCE_none : EVIDENCE_port,
        };
    }
}

void classify_batch(const struct ruleset *rules, const struct prefix_set *telescope,
                    const struct observation *observations, size_t count, struct label *labels)
{
    if (telescope)
        classify_all(rules, telescope, observations, count, labels);
    else
        classify_all(rules, NULL, observations, count, labels);
}
