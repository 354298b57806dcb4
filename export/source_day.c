#include "export/source_day.h"

#include "classify/fingerprint.h"
#include "export/saturate.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *words(const char *text) { return text == NULL ? "" : text; }

int source_day_order(const struct source_day *a, const struct source_day *b)
{
    if (a->date != b->date)
        return a->date < b->date ? -1 : 1;
    if (a->ip_version != b->ip_version)
        return a->ip_version < b->ip_version ? -1 : 1;
    return memcmp(a->address, b->address, a->ip_version == 4 ? 4 : sizeof a->address);
}

int source_day_port_order(const struct source_day_port *a, const struct source_day_port *b)
{
    uint32_t x = (uint32_t)a->kind << 16 | a->port, y = (uint32_t)b->kind << 16 | b->port;
    return (x > y) - (x < y);
}

int source_day_evidence_order(const struct source_day_evidence *a,
                              const struct source_day_evidence *b)
{
    if (a->evidence != b->evidence)
        return a->evidence < b->evidence ? -1 : 1;
    int by_rule = strcmp(a->rule, b->rule);
    if (by_rule != 0)
        return by_rule;
    uint32_t x = (uint32_t)a->kind << 16 | a->port, y = (uint32_t)b->kind << 16 | b->port;
    return (x > y) - (x < y);
}

static struct source_day_space *next_space(struct source_day_buffer *b)
{
    return &b->space[1 - b->used];
}

/* Makes an array of `size` elements hold `need`. */
static int grow(void *array, size_t *size, size_t need, size_t each)
{
    if (need <= *size)
        return 0;
    size_t grown = *size < 8 ? 8 : *size;
    while (grown < need)
        grown *= 2;
    void *old, *new;
    memcpy(&old, array, sizeof old);
    new = realloc(old, grown * each);
    if (new == NULL)
        return -ENOMEM;
    memcpy(array, &new, sizeof new);
    *size = grown;
    return 0;
}

int source_day_buffer_reserve(struct source_day_buffer *b, size_t ports, size_t evidence,
                              size_t text)
{
    struct source_day_space *s = next_space(b);
    if (grow(&s->ports, &s->port_size, ports, sizeof *s->ports) != 0 ||
        grow(&s->evidence, &s->evidence_size, evidence, sizeof *s->evidence) != 0 ||
        grow(&s->text, &s->text_size, text, 1) != 0)
        return -ENOMEM;
    s->text_used = 0;
    return 0;
}

void source_day_buffer_turn(struct source_day_buffer *b)
{
    b->used = 1 - b->used;
    b->day.ports = b->space[b->used].ports;
    b->day.evidence = b->space[b->used].evidence;
}

const char *source_day_buffer_text(struct source_day_buffer *b, const char *text, size_t len)
{
    struct source_day_space *s = next_space(b);
    if (len == 0)
        return "";
    char *at = s->text + s->text_used;
    assert(s->text_used + len + 1 <= s->text_size);
    memcpy(at, text, len);
    at[len] = '\0';
    s->text_used += len + 1;
    return at;
}

static const char *text_copy(struct source_day_buffer *b, const char *text)
{
    return source_day_buffer_text(b, words(text), strlen(words(text)));
}

/* Bytes of all its texts, with their ends. */
static size_t text_size(const struct source_day *s)
{
    size_t size = strlen(words(s->origin.acknowledged)) + strlen(words(s->origin.bogon)) +
                  strlen(words(s->origin.as_name)) + 3;
    for (size_t i = 0; i < s->evidence_count; i++)
        size += strlen(s->evidence[i].rule) + 1;
    return size;
}

int source_day_copy(struct source_day_buffer *b, const struct source_day *from)
{
    if (source_day_buffer_reserve(b, from->port_count, from->evidence_count, text_size(from)) != 0)
        return -ENOMEM;
    const struct source_day_space *s = next_space(b);
    if (from->port_count > 0)
        memcpy(s->ports, from->ports, from->port_count * sizeof *s->ports);
    for (size_t i = 0; i < from->evidence_count; i++) {
        s->evidence[i] = from->evidence[i];
        s->evidence[i].rule = text_copy(b, from->evidence[i].rule);
    }
    b->day = *from;
    b->day.origin.acknowledged = text_copy(b, from->origin.acknowledged);
    b->day.origin.bogon = text_copy(b, from->origin.bogon);
    b->day.origin.as_name = text_copy(b, from->origin.as_name);
    source_day_buffer_turn(b);
    return 0;
}

/* The union of two sorted lists of rows; returns its length. */
static size_t ports_unite(struct source_day_port *to, const struct source_day *a,
                          const struct source_day *b)
{
    size_t i = 0, j = 0, n = 0;
    while (i < a->port_count || j < b->port_count) {
        int order = i == a->port_count   ? 1
                    : j == b->port_count ? -1
                                         : source_day_port_order(&a->ports[i], &b->ports[j]);
        to[n] = order <= 0 ? a->ports[i] : b->ports[j];
        if (order == 0)
            saturate_add(&to[n].packets, b->ports[j].packets);
        i += order <= 0;
        j += order >= 0;
        n++;
    }
    return n;
}

static size_t evidence_unite(struct source_day_buffer *buffer, const struct source_day *a,
                             const struct source_day *b)
{
    struct source_day_evidence *to = next_space(buffer)->evidence;
    size_t i = 0, j = 0, n = 0;
    while (i < a->evidence_count || j < b->evidence_count) {
        int order = i == a->evidence_count ? 1
                    : j == b->evidence_count
                        ? -1
                        : source_day_evidence_order(&a->evidence[i], &b->evidence[j]);
        to[n] = order <= 0 ? a->evidence[i] : b->evidence[j];
        to[n].rule = text_copy(buffer, to[n].rule);
        if (order == 0)
            saturate_add(&to[n].packets, b->evidence[j].packets);
        i += order <= 0;
        j += order >= 0;
        n++;
    }
    return n;
}

/* "" is the least of all, so the greater text is the one that is not empty. */
static const char *greater(const char *a, const char *b)
{
    a = words(a);
    b = words(b);
    return strcmp(a, b) >= 0 ? a : b;
}

static void origin_merge(struct source_day_buffer *b, const struct source_day_origin *from)
{
    struct source_day_origin *into = &b->day.origin;
    into->acknowledged = text_copy(b, greater(into->acknowledged, from->acknowledged));
    into->bogon = text_copy(b, greater(into->bogon, from->bogon));
    if (strcmp(from->country, into->country) > 0)
        memcpy(into->country, from->country, sizeof into->country);
    const char *name = into->asn == from->asn  ? greater(into->as_name, from->as_name)
                       : into->asn > from->asn ? into->as_name
                                               : from->as_name;
    if (into->asn < from->asn)
        into->asn = from->asn;
    into->as_name = text_copy(b, name);
}

/* The later of two last packets with evidence. */
static void last_merge(struct source_day *into, const struct source_day *from)
{
    if (!source_day_has_evidence(from))
        return;
    uint64_t mine = (uint64_t)into->evidence_src_port << 24 |
                    (uint64_t)into->evidence_dst_port << 8 | into->evidence_proto;
    uint64_t theirs = (uint64_t)from->evidence_src_port << 24 |
                      (uint64_t)from->evidence_dst_port << 8 | from->evidence_proto;
    if (source_day_has_evidence(into) &&
        (into->evidence_ns > from->evidence_ns ||
         (into->evidence_ns == from->evidence_ns && mine >= theirs)))
        return;
    into->evidence_ns = from->evidence_ns;
    into->evidence_src_port = from->evidence_src_port;
    into->evidence_dst_port = from->evidence_dst_port;
    into->evidence_proto = from->evidence_proto;
}

/* The later of two last packets over TCP; how many addresses were reached. */
static void tcp_merge(struct source_day *into, const struct source_day *from)
{
    uint32_t mine = (uint32_t)into->tcp_src_port << 16 | into->tcp_dst_port;
    uint32_t theirs = (uint32_t)from->tcp_src_port << 16 | from->tcp_dst_port;
    if (theirs != 0 && (mine == 0 || from->tcp_ns > into->tcp_ns ||
                        (from->tcp_ns == into->tcp_ns && theirs > mine))) {
        into->tcp_ns = from->tcp_ns;
        into->tcp_src_port = from->tcp_src_port;
        into->tcp_dst_port = from->tcp_dst_port;
    }
    for (unsigned i = 0; i < REACH_COUNT; i++) {
        struct source_reach *r = &into->reach[i];
        unsigned high = r->high + from->reach[i].high;
        r->high = (uint8_t)(high < SOURCE_REACH_MAX ? high : SOURCE_REACH_MAX);
        r->low = r->low > from->reach[i].low ? r->low : from->reach[i].low;
    }
}

int source_day_merge(struct source_day_buffer *b, const struct source_day *from)
{
    struct source_day *into = &b->day;
    assert(source_day_order(into, from) == 0);
    if (source_day_buffer_reserve(b, into->port_count + from->port_count,
                                  into->evidence_count + from->evidence_count,
                                  text_size(into) + text_size(from)) != 0)
        return -ENOMEM;
    last_merge(into, from);
    tcp_merge(into, from);
    into->port_count = ports_unite(next_space(b)->ports, into, from);
    into->evidence_count = evidence_unite(b, into, from);
    origin_merge(b, &from->origin);
    if (into->first_ns > from->first_ns)
        into->first_ns = from->first_ns;
    if (into->last_ns < from->last_ns)
        into->last_ns = from->last_ns;
    for (unsigned i = 0; i < KIND_COUNT; i++) {
        saturate_add(&into->kinds[i].packets, from->kinds[i].packets);
        saturate_add(&into->kinds[i].bytes, from->kinds[i].bytes);
    }
    for (unsigned i = 0; i < TOOL_COUNT; i++)
        saturate_add(&into->tools[i], from->tools[i]);
    for (unsigned i = 0; i < NOTE_COUNT; i++)
        saturate_add(&into->notes[i], from->notes[i]);
    saturate_add(&into->unlisted_ports, from->unlisted_ports);
    saturate_add(&into->unlisted_evidence, from->unlisted_evidence);
    source_day_buffer_turn(b);
    return 0;
}

void source_day_buffer_free(struct source_day_buffer *b)
{
    for (unsigned i = 0; i < 2; i++) {
        free(b->space[i].ports);
        free(b->space[i].evidence);
        free(b->space[i].text);
    }
    *b = (struct source_day_buffer){0};
}

uint64_t source_day_packets(const struct source_day *s)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < KIND_COUNT; i++)
        saturate_add(&sum, s->kinds[i].packets);
    return sum;
}

uint64_t source_day_scan(const struct source_day *s)
{
    uint64_t sum = s->kinds[KIND_tcp_syn].packets;
    saturate_add(&sum, s->kinds[KIND_tcp_data].packets);
    saturate_add(&sum, s->kinds[KIND_udp].packets);
    return sum;
}

uint64_t source_day_targets(const struct source_day *s)
{
    uint64_t targets = 0;
    for (size_t i = 0; i < s->port_count; i++)
        targets += s->ports[i].kind != KIND_tcp_data;
    return targets;
}

uint64_t source_day_survey_packets(const struct source_day *s)
{
    uint64_t sum = s->kinds[KIND_tcp_syn].packets;
    saturate_add(&sum, s->kinds[KIND_udp].packets);
    return sum;
}

bool source_day_uses(const struct source_day *s, enum tool tool)
{
    if (s->tools[tool] == 0)
        return false;
    /* ZMap's mark is on any packet, the others' on SYN; of probe payloads no share is asked. */
    uint64_t eligible = tool == TOOL_zmap ? source_day_packets(s) : s->kinds[KIND_tcp_syn].packets;
    if (eligible < s->tools[tool])
        eligible = s->tools[tool];
    return fingerprint_uses(tool, s->tools[tool], eligible);
}
