/* rule_yaml: one rule file to its entries, each with its place for messages.
 *
 * set.yaml names the set:
 *
 *     name: default
 *     version: 2025.11          # text; changes whenever an answer could
 *
 * Every other file holds the rules of one category:
 *
 *     category: iot             # a-z 0-9 _; "iot" answers "is IoT meant?", others name services
 *     rules:
 *       - id: iot-telnet        # a-z 0-9 -; unique in the set
 *         breadth: strict       # iot only: strict (only such devices have the port) or shared
 *         device:
 *           en: Webcams and other IoT devices
 *           ja: Webカメラ等のIoT機器
 *         ports: [tcp/23, udp/7000-7010] # evidence by the port alone; may be left out beside a payload
 *         payload:              # evidence by the payload; may be left out beside ports
 *           ports: [tcp/80, udp/any] # where such payloads are looked for, any: all ports of the
 *                               # protocol; left out: the rule's own
 *           patterns:           # all of them must be found in the payload's first 256 bytes
 *             - {text: 'GET /x?cmd=', at: 0}         # a literal; at: the offset where it begins, or
 *                                                    # a range (4-20); left out: anywhere
 *             - {hex: ff 00 01, at: 4-20}            # a literal
 *             - {regex: 'uid=[0-9]+\x00'}           # PCRE as far as Hyperscan takes it; . is any byte, ^ and $
 *                                                    # are the payload's begin and end
 *             - any: [{text: wget}, {text: CURL, nocase: true}] # one of them is enough
 *         basis:
 *           strength: published # published: read in the source named; documented: the default in
 *                               # the product's or protocol's own documentation or IANA's
 *                               # registry; unconfirmed: from memory
 *           source: NICT, observation report 2017
 *         references: [CVE-2016-10372, EDB-40740] # may be left out
 *         exploit: true         # the payload is an attack (a hole, a login, a dropper), which no survey
 *                               # scanner sends; may be left out: false
 *         generic: true         # strict iot alone: text that exploits of anything carry, so the payload's other rules
 *                               # say better what it is made for (payload.h); may be left out: false
 *         since: 2016-08        # YYYY, YYYY-MM or YYYY-MM-DD; may be left out; decides nothing
 *
 * Text knows the escapes \\ \r \n \t \0 \xHH (write it in single quotes: within double ones YAML has escapes
 * of its own). A pattern that is empty, that matches the empty string, or that ends beyond the bytes that are looked at
 * is refused. At most 64 patterns a rule. Ports of payloads may overlap: of several rules that hold the strongest is taken
 * (payload.h).
 *
 * Any other key, a key twice, an alias, an anchor, a tag, a second document, a number for words is
 * refused at its line and column; a file that is no YAML is refused before, as libyaml says it.
 */
#ifndef CLASSIFY_RULE_YAML_H
#define CLASSIFY_RULE_YAML_H

#include "capture/fault.h"
#include "classify/arena.h"
#include "classify/place.h"
#include "classify/ruleset.h"

#include <stddef.h>
#include <stdint.h>

struct rule_entry {
    struct rule_entry *next;
    struct rule rule; /* category and breadth are set where written; the rest is complete */
    struct place place, breadth_place;
    struct port_list ports; /* none where the rule is of payloads alone */
};

/* What a file said; all of it belongs to the arena. */
struct rule_file {
    const char *name, *version; /* set.yaml */
    const char *category;       /* every other file */
    struct rule_entry *rules;   /* in the file's order */
    size_t rule_count;
};

/* Reads one file; `path` stands in messages ("path:line:column: ..."), `name` in the
 * rules. A file called set.yaml has the first form. -EINVAL and a fault, or -ENOMEM. */
int rule_yaml_read(struct rule_file *out, struct arena *arena, const char *path, const char *name,
                   const void *bytes, size_t len, struct fault *fault);

#endif
