#include "classify/reason.h"

#include "classify/fingerprint.h"
#include "classify/kind.h"
#include "classify/spoof.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Text that grows up to a size, and counts on behind it. */
struct text {
    char *at;
    size_t size, used;
};

static __attribute__((format(printf, 2, 3))) void add(struct text *t, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    size_t room = t->used < t->size ? t->size - t->used : 0;
    int len = vsnprintf(room ? t->at + t->used : NULL, room, format, args);
    va_end(args);
    if (len > 0)
        t->used += (size_t)len;
}

static void add_flags(struct text *t, unsigned flags)
{
    static const char *const names[8] = {"FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"};
    if ((flags & 0xff) == 0)
        add(t, " no flags");
    for (unsigned i = 0; i < 8; i++)
        if (flags >> i & 1)
            add(t, " %s", names[i]);
}

static void add_tcp(struct text *t, const struct observation *o)
{
    if (!(o->state & OBSERVATION_TCP_FLAGS)) {
        add(t, "TCP whose flags were not captured");
        return;
    }
    add(t, "TCP with");
    add_flags(t, o->tcp_flags);
    add(t, ", payload %u", o->payload_len);
}

static void add_icmp(struct text *t, const struct observation *o)
{
    const char *name = o->ip_version == 6 ? "ICMPv6" : "ICMP";
    if (kind_has_icmp_type(o))
        add(t, "%s type %u (%s), code %u", name, o->icmp_type,
            kind_icmp_types[o->ip_version == 6][o->icmp_type].name, o->icmp_code);
    else
        add(t, "%s whose type was not captured", name);
}

static void add_udp(struct text *t, const struct observation *o, enum kind kind,
                    const struct udp_form *form)
{
    const struct udp_group *group = udp_group_of(o);
    if (kind == KIND_stray && group)
        add(t, "UDP to a control group of one link (%s)", group->name);
    else if (kind == KIND_stray && kind_is_netbios_broadcast(o))
        add(t, "UDP %u to %u (NetBIOS broadcast)", o->src_port, o->dst_port);
    else if (kind != KIND_udp && form->name)
        add(t, "%s: UDP %s", form->name, form->what);
    else if (!(o->state & OBSERVATION_PORTS))
        add(t, "UDP whose ports were not captured");
    else
        add(t, "UDP, payload %u", o->payload_len);
}

/* What of the packet decided its kind. */
static void add_kind(struct text *t, const struct observation *o, enum kind kind,
                     const struct udp_form *form)
{
    add(t, "%s: ", kind_name(kind));
    if (kind == KIND_malformed || kind == KIND_non_ip || kind == KIND_outside)
        add(t, "%s", kind_definition(kind));
    else if (kind == KIND_fragment)
        add(t, "fragment offset > 0, IP protocol %u", o->ip_proto);
    else if (o->ip_proto == IPPROTO_NR_TCP)
        add_tcp(t, o);
    else if (o->ip_proto == IPPROTO_NR_UDP)
        add_udp(t, o, kind, form);
    else if (kind != KIND_other_ip && o->ip_proto != IPPROTO_NR_IGMP)
        add_icmp(t, o);
    else if (kind == KIND_stray)
        add(t, "IGMP");
    else
        add(t, "IP protocol %u in IPv%u", o->ip_proto, o->ip_version);
    if (o->state & OBSERVATION_SNAPPED)
        add(t, " (cut by the snap length)");
}

/* What a payload rule looks for: the rule file's own words, so no byte of the packet. */
static void add_patterns(struct text *t, const struct rule_payload *payload)
{
    enum { SHOWN = 120 };
    int left = SHOWN;
    add(t, "; its pattern%s: ", payload->pattern_count == 1 ? "" : "s");
    for (const char *line = payload->text; *line != '\0' && left > 0;) {
        int len = (int)strcspn(line, "\n"), shown = len < left ? len : left;
        while (shown < len && (line[shown] & 0xc0) == 0x80) /* not within a character */
            shown--;
        add(t, "%.*s%s", shown, line, shown < len ? "..." : "");
        left -= shown < len ? left : len;
        line += len + (line[len] == '\n');
        if (*line != '\0')
            add(t, "%s", left > 0 ? " and " : " ...");
    }
}

static void add_rule(struct text *t, const struct ruleset *set, const struct observation *o,
                     uint16_t index, bool is_payload)
{
    if (index == RULE_NONE)
        return;
    const struct rule *rule = &set->rules[index];
    const char *breadth = rule->breadth == BREADTH_shared ? ", shared" : ", strict";
    add(t, "; rule %s (%s%s) by %s %s/%u: %s; %s", rule->id, rule->category,
        strcmp(rule->category, "iot") == 0 ? breadth : "", is_payload ? "payload, port" : "port",
        o->ip_proto == IPPROTO_NR_TCP ? "tcp" : "udp", o->dst_port, rule->device_en, rule->basis);
    if (is_payload && rule->payload != NULL)
        add_patterns(t, rule->payload);
}

static void add_tools(struct text *t, const struct observation *o, unsigned tools)
{
    const char *sep = "; matches ";
    for (unsigned i = 0; i < TOOL_COUNT; i++) {
        if (!(tools >> i & 1))
            continue;
        add(t, "%s%s", sep, tool_name((enum tool)i));
        if (i == TOOL_masscan)
            add(t, " (%s)", fingerprint_masscan_form(o));
        else if (i == TOOL_mirai)
            add(t, " (sequence number = destination)");
        else if (i == TOOL_zmap)
            add(t, " (identification 54321)");
        else if (i == TOOL_nmap && o->ip_proto == IPPROTO_NR_TCP && o->payload_len == 0)
            add(t, " (window 1024, MSS 1460 alone)");
        else if (i >= TOOL_zmap4)
            add(t, " (confidence %s)",
                confidence_name((enum confidence)fingerprint_texts[i].confidence));
        sep = ", ";
    }
}

static void add_flags_of(struct text *t, const struct ruleset *set, const struct observation *o,
                         const struct label *label)
{
    const char *sep = "; likely_spoofed (";
    if (label->flags & LABEL_LIKELY_SPOOFED) {
        uint32_t tests = spoof_tests(o) & set->spoof_tests;
        for (unsigned i = 0; i < SPOOF_COUNT; i++)
            if (tests >> i & 1) {
                add(t, "%s%s", sep, spoof_texts[i].name);
                sep = ", ";
            }
        add(t, ")");
    }
    if (label->flags & LABEL_AMPLIFICATION_REQUEST)
        add(t, "; amplification_request (%s: %s)", udp_forms[label->form].name,
            udp_forms[label->form].what);
}

static void add_marks(struct text *t, uint32_t marks)
{
    const char *sep = "; counts in ";
    for (unsigned m = 0; m < SHARE_MARK_COUNT; m++)
        if (marks >> m & 1) {
            add(t, "%s%s", sep, mark_name((enum mark)m));
            sep = ", ";
        }
}

/* The strongest first; a rule that holds by port and payload once. Where the port's was overridden, both. */
static void add_rules(struct text *t, const struct ruleset *set, const struct observation *o,
                      const struct label *label)
{
    bool has_port_rule = false;
    add_rule(t, set, o, label->payload_rule, true);
    for (unsigned i = 0; i < 2; i++) {
        has_port_rule |= label->rules[i] != RULE_NONE;
        if (label->rules[i] != label->payload_rule)
            add_rule(t, set, o, label->rules[i], false);
    }
    if (kind_is_scan((enum kind)label->kind) && !has_port_rule)
        add(t, "; no rule for the port");
}

int reason_text(const struct ruleset *set, const struct observation *o, const struct label *label,
                char *text, size_t size)
{
    struct text t = {text, size, 0};
    text[0] = '\0';
    add_kind(&t, o, (enum kind)label->kind, &udp_forms[label->form]);
    add_rules(&t, set, o, label);
    add_flags_of(&t, set, o, label);
    add_tools(&t, o, label_tools(label));
    add_marks(&t, label->marks);
    return (int)t.used;
}
