/* label: the words for what a packet is, each list in one place.
 *
 * Kinds, tools and marks are X-macros: a new one is a word in a list, and every counter,
 * table and output has it. The order is part of the feed's contract; append only.
 */
#ifndef CLASSIFY_LABEL_H
#define CLASSIFY_LABEL_H

#include <stdint.h>

/* clang-format never comes to rest on lists of X(...). */
/* clang-format off */
/* What an observation is evidence of; exactly one each (kind.h says when). */
#define KINDS(X) \
    X(tcp_syn) X(tcp_data) X(tcp_other) X(udp) X(icmp) \
    X(backscatter_tcp) X(backscatter_icmp) X(backscatter_udp) \
    X(stray) X(fragment) X(other_ip) X(non_ip) X(malformed) X(outside)

/* Programs that leave a fingerprint (fingerprint.h says which). */
#define TOOLS(X) \
    X(mirai) X(zmap) X(masscan) X(nmap) \
    X(zmap4) X(hajime) X(unicornscan) X(mirai_variant) X(probe)

/* Sets of packets that are counted by packets and by distinct sources: the
 * denominators and numerators of shares, then one per tool. */
#define DENOMINATORS(X) X(total) X(scan)
#define NUMERATORS(X)   X(iot_strict) X(iot_broad) X(iot_bot) X(iot_payload) X(iot_confirmed)

/* What is said of a packet beside all that; counted by packets. */
#define NOTES(X) X(likely_spoofed) X(amplification_request) X(assessable)

#define LABEL_KIND_(name)  KIND_##name,
#define LABEL_TOOL_(name)  TOOL_##name,
#define LABEL_MARK_(name)  MARK_##name,
#define LABEL_TMARK_(name) MARK_tool_##name,
#define LABEL_NOTE_(name)  NOTE_##name,

enum kind { KINDS(LABEL_KIND_) KIND_COUNT };
enum tool { TOOLS(LABEL_TOOL_) TOOL_COUNT };
enum mark {
    DENOMINATORS(LABEL_MARK_) NUMERATORS(LABEL_MARK_)
    TOOLS(LABEL_TMARK_) MARK_COUNT
};
enum note { NOTES(LABEL_NOTE_) NOTE_COUNT };
/* clang-format on */
enum { DENOMINATOR_COUNT = MARK_iot_strict, SHARE_MARK_COUNT = MARK_tool_mirai };

/* On what evidence. The stronger holds: a rule for the port; a tcp_syn that matches mirai; a rule for the
 * payload. */
enum evidence { EVIDENCE_none, EVIDENCE_port, EVIDENCE_bot, EVIDENCE_payload, EVIDENCE_COUNT };

enum { RULE_NONE = 0xffff };

/* What stands beside the kind. */
enum label_flag {
    LABEL_LIKELY_SPOOFED = 1 << NOTE_likely_spoofed, /* a test of spoof.h that is applied holds */
    LABEL_AMPLIFICATION_REQUEST =
        1 << NOTE_amplification_request, /* udp that asks a reflector: udp_form.h */
    LABEL_ASSESSABLE =
        1 << NOTE_assessable, /* could have shown more than a port: an IPv4 tcp_syn, or a scan
                                                kind with payload caught that some rule for payloads wants */
};

/* What classification says of one observation; stands beside it in the batch's order. */
struct label {
    uint32_t marks;        /* set of 1 << enum mark; total is always in it */
    uint16_t rules[2];     /* indexes into the rule set: [0] the iot rule, [1] the service's own
                          rule (web, ssh, ...); RULE_NONE where none holds. Scan kinds only. */
    uint8_t kind;          /* enum kind */
    uint8_t flags;         /* set of enum label_flag */
    uint8_t evidence;      /* enum evidence, the strongest */
    uint8_t form;          /* enum udp_form_id of a UDP packet's payload; 0: none told */
    uint16_t payload_rule; /* index into the rule set of the payload's rule; RULE_NONE */
    uint16_t reserved;
};

/* The tools that the packet matches, whatever its kind: a set of 1 << enum tool. */
static inline uint32_t label_tools(const struct label *label)
{
    return label->marks >> MARK_tool_mirai;
}

static inline int kind_is_scan(enum kind kind)
{
    return kind == KIND_tcp_syn || kind == KIND_tcp_data || kind == KIND_udp;
}

const char *kind_name(enum kind kind);
const char *tool_name(enum tool tool);
const char *mark_name(enum mark mark); /* "scan", "iot_strict", ..., "mirai" for a tool's */
const char *note_name(enum note note);
const char *evidence_name(enum evidence evidence); /* "none", "port", "bot", "payload" */

#endif
