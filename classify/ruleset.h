/* ruleset: rule files (YAML) to lookup tables.
 *
 * A rule names ports, a category, a breadth, a device; rules are data, never code.
 * Loaded once, read by any number of threads, replaced as a whole (generation).
 * The default rule set (classify/rules/) is embedded in the program; --rules DIR takes its place.
 * How the files are written stands in rule_yaml.h.
 */
#ifndef CLASSIFY_RULESET_H
#define CLASSIFY_RULESET_H

#include "capture/fault.h"
#include "classify/arena.h"
#include "classify/label.h"

#include <stddef.h>
#include <stdint.h>

enum breadth { BREADTH_strict, BREADTH_shared };

struct rule {
    const char *id;        /* "iot-telnet"; unique in the set */
    const char *category;  /* "iot", "web", ... */
    enum breadth breadth;  /* of iot rules; others are strict */
    const char *device_en; /* what answers there, for people */
    const char *device_ja;
    const char *basis;      /* why the rule says so: strength and source, "published: ..." */
    const char *references; /* "CVE-2017-17215 EDB-43414"; "" where there are none */
    const char *since;      /* "2016-08", when such traffic was first reported; "" unknown */
    const char *ports;      /* as written, "tcp/23 tcp/2323 udp/7000-7010", for listing */
    const char *file;       /* where it stands: the file's name without its folder */
    unsigned line;
};

/* What holds for a (protocol, port): few different combinations exist, so the port table
 * holds one byte each and stays in the L2 cache. A set with more than 255 is refused. */
struct port_class {
    uint16_t rules[2]; /* as in struct label */
    uint32_t marks;    /* iot_strict, iot_broad as far as the rules give them */
};

enum { PORT_PROTO_TCP, PORT_PROTO_UDP, PORT_PROTO_COUNT };

enum port_aim { PORT_AIM_BROAD = 1, PORT_AIM_STRICT = 2 };

struct ruleset {
    uint8_t port_class[PORT_PROTO_COUNT][65536]; /* index into classes; 0: no rule */
    uint8_t port_aim[PORT_PROTO_COUNT]
                    [65536];        /* set of enum port_aim: the class's marks, at once */
    struct port_class classes[256]; /* [0]: RULE_NONE twice, no marks */
    struct rule *rules;
    size_t rule_count;             /* at most RULES_MAX */
    const char *const *categories; /* distinct, in order of first use */
    size_t category_count;
    char name[64]; /* of the set, from set.yaml */
    char version[32];
    char sha256[65]; /* over the files sorted by name (bytewise), of each: name, a zero byte,
                                       length as 8 bytes little-endian, bytes */
    uint32_t generation;
    struct arena arena; /* of all text and of rules */
};

enum { RULES_MAX = 1024, RULE_FILES_MAX = 256, RULE_FILE_BYTES_MAX = 1 << 20 };

/* Loads every *.yaml of `dir` (hidden files left out); NULL: the embedded set. Unknown keys, bad
 * ports, duplicate ids, two iot rules or two service rules for one port are refused with
 * "file:line:column: ..." (-EINVAL). *out is NULL on failure. Caller destroys. */
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
