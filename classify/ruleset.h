/* ruleset: rule files (YAML) to lookup tables.
 *
 * A rule names ports or payloads, a category, a breadth, a device; rules are data, never code.
 * Loaded once, read by any number of threads, replaced as a whole (generation).
 * The default rule set (classify/rules/) is embedded in the program; --rules DIR takes its place.
 * How the files are written stands in rule_yaml.h.
 */
#ifndef CLASSIFY_RULESET_H
#define CLASSIFY_RULESET_H

#include "capture/fault.h"
#include "classify/arena.h"
#include "classify/label.h"
#include "classify/place.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum breadth { BREADTH_strict, BREADTH_shared };

enum { PORT_PROTO_TCP, PORT_PROTO_UDP, PORT_PROTO_COUNT };

struct port_range {
    uint16_t first, last;
    uint8_t proto; /* PORT_PROTO_* */
    bool is_any;   /* written as tcp/any, udp/any: all ports, for payloads alone */
    struct place place;
};

struct port_list {
    struct port_range *at;
    size_t count;
    const char *text; /* as written, "tcp/23 tcp/2323 udp/7000-7010", for listing; "" */
};

/* Bytes that may be found in a payload. */
struct rule_pattern {
    const char *expression; /* for Hyperscan: PCRE with its place in the payload */
    struct place place;
    uint16_t min_len;     /* bytes from the payload's begin to the end of the shortest match */
    uint16_t first, last; /* offsets that it may begin at; 0 to UINT16_MAX: anywhere */
    uint8_t anchor; /* bytes of the expression that say so; behind them is what is looked for */
    uint8_t clause; /* patterns of the same clause are alternatives; every clause must hold */
    bool is_nocase;
};

struct rule_payload {
    struct port_list ports;
    struct rule_pattern *patterns;
    uint16_t pattern_count; /* 1 to RULE_PATTERNS_MAX */
    uint16_t clause_count;
    const char *text; /* a line for each clause, for listing */
};

struct rule {
    const char *id;        /* "iot-telnet"; unique in the set */
    const char *category;  /* "iot", "web", ... */
    enum breadth breadth;  /* of iot rules; others are strict */
    const char *device_en; /* what answers there, for people */
    const char *device_ja;
    const char *basis;      /* why the rule says so: strength and source, "published: ..." */
    const char *references; /* "CVE-2017-17215 EDB-43414"; "" where there are none */
    const char *since;      /* "2016-08", when such traffic was first reported; "" unknown */
    const char *ports;      /* as written, for listing; "" where the rule is of payloads alone */
    const struct rule_payload *payload; /* NULL: the rule is of ports alone */
    bool is_exploit;                    /* its payload attacks: who sends it is no survey scanner */
    bool is_generic;  /* its payload is carried by exploits of anything: others say more */
    const char *file; /* where it stands: the file's name without its folder */
    unsigned line;
};

/* What holds for a (protocol, port): few different combinations exist, so the port table
 * holds one byte each and stays in the L2 cache. A set with more than 255 is refused. */
struct port_class {
    uint16_t rules[2]; /* as in struct label */
    uint32_t marks;    /* iot_strict, iot_broad as far as the rules give them */
};

enum port_aim { PORT_AIM_BROAD = 1, PORT_AIM_STRICT = 2 };

struct ruleset {
    uint8_t port_class[PORT_PROTO_COUNT][65536];    /* index into classes; 0: no rule */
    uint8_t port_aims[PORT_PROTO_COUNT][65536 / 4]; /* ruleset_port_aim(), four a byte */
    uint64_t udp_from[65536 / 64]; /* source ports that answers come from (udp_form.h) */
    uint64_t
        udp_to[65536 /
               64]; /* destination ports of requests and of scanners' probes (payload_tool.h) */
    struct port_class classes[256]; /* [0]: RULE_NONE twice, no marks */
    struct rule *rules;
    size_t rule_count;             /* at most RULES_MAX */
    const char *const *categories; /* distinct, in order of first use */
    size_t category_count;
    char name[64]; /* of the set, from set.yaml */
    char version[32];
    const char *folder; /* what stands before a file's name in messages, "rules/" or "" */
    char sha256[65];    /* over the files sorted by name (bytewise), of each: name, a zero byte,
                                       length as 8 bytes little-endian, bytes */
    uint32_t generation;
    uint32_t
        spoof_tests; /* set of enum spoof_test that make likely_spoofed; SPOOF_DEFAULT unless the owner says */

    /* What payload_load() adds (payload.h). */
    struct payload *payload;                              /* NULL: payload rules are off */
    const char *payload_off;                              /* why they are; NULL: they are on */
    uint64_t payload_ports[PORT_PROTO_COUNT][65536 / 64]; /* ports that rules of their own want */
    uint32_t payload_any_min[PORT_PROTO_COUNT]; /* bytes that rules of any port want at least */

    struct arena arena; /* of all text and of rules */
};

enum {
    RULES_MAX = 1024,
    RULE_FILES_MAX = 256,
    RULE_FILE_BYTES_MAX = 1 << 20,
    RULE_PATTERNS_MAX = 64, /* of a rule */
    RULE_CLAUSES_MAX = 32,
};

/* Set of enum port_aim: the marks of the port's class, at once. Small enough for the caches that many random
 * ports go through. */
static inline unsigned ruleset_port_aim(const struct ruleset *set, unsigned proto, uint16_t port)
{
    return set->port_aims[proto][port / 4] >> port % 4 * 2 & 3;
}

/* Loads every *.yaml of `dir` (hidden files left out); NULL: the embedded set. Unknown keys, bad
 * ports, bad patterns, duplicate ids, two iot rules or two service rules for one port are refused with
 * "file:line:column: ..." (-EINVAL). *out is NULL on failure. Caller destroys. Payload rules are off until
 * payload_load(). */
int ruleset_create(struct ruleset **out, const char *dir, struct fault *fault);

/* A rule file that was read. */
struct rule_source {
    const char *name; /* "iot.yaml" */
    const void *bytes;
    size_t len;
};

/* The same from files in memory, in any order. `prefix` ("rules/" or "") stands before the name
 * in messages. */
int ruleset_create_from(struct ruleset **out, const struct rule_source *sources, size_t count,
                        const char *prefix, struct fault *fault);
void ruleset_destroy(struct ruleset *set); /* accepts NULL */

#endif
