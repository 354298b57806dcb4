/* A literal becomes an expression of escaped bytes, so that there is one kind of pattern behind this
 * file; `at` becomes an anchor and a gap before it. */
#include "classify/rule_payload.h"

#include "classify/payload.h"
#include "classify/payload_width.h"
#include "classify/port_list.h"
#include "classify/ruleset.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A section being read. */
struct section {
    struct rule_payload *payload;
    struct rule_pattern patterns[RULE_PATTERNS_MAX];
    const char *sep; /* before the next pattern's text */
    size_t text_len;
    char text[1 << 15]; /* for listing */
};

/* A pattern being read. */
struct pattern {
    const char *text, *hex, *regex; /* one of them, */
    const char *value;              /* and that */
    struct place place;
    const char *at;
    struct place at_place;
    unsigned first, last; /* offsets */
    bool is_nocase;
    unsigned len; /* bytes of a literal; shortest match of a regex */
};

static void say(struct section *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(struct section *s, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    size_t room = sizeof s->text - s->text_len;
    int len = vsnprintf(s->text + s->text_len, room, format, args);
    va_end(args);
    if (len > 0)
        s->text_len += (size_t)len < room ? (size_t)len : room - 1;
}

static int hex_digit(char c)
{
    const char *digits = "0123456789abcdef", *at = c ? strchr(digits, tolower(c)) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* The byte of an escape at *text (behind the backslash), moved behind it; -1: there is none such. */
static int take_escape(const char **text)
{
    static const char names[] = "\\rnt0", bytes[] = "\\\r\n\t";
    const char *at = **text ? strchr(names, **text) : NULL;
    if (at) {
        (*text)++;
        return bytes[at - names];
    }
    if ((*text)[0] != 'x' || hex_digit((*text)[1]) < 0 || hex_digit((*text)[2]) < 0)
        return -1;
    int byte = hex_digit((*text)[1]) << 4 | hex_digit((*text)[2]);
    *text += 3;
    return byte;
}

/* Writes \xHH for each byte; returns how many, -1 for a bad escape. */
static int escape_text(const char *text, char *out)
{
    int count = 0;
    while (*text) {
        int byte = (unsigned char)*text++;
        if (byte == '\\')
            byte = take_escape(&text);
        if (byte < 0)
            return -1;
        out += sprintf(out, "\\x%02x", (unsigned)byte);
        count++;
    }
    return count;
}

static int escape_hex(const char *text, char *out)
{
    int count = 0;
    while (*text) {
        if (*text == ' ') {
            text++;
            continue;
        }
        if (hex_digit(text[0]) < 0 || hex_digit(text[1]) < 0)
            return -1;
        out += sprintf(out, "\\x%c%c", text[0], text[1]);
        text += 2;
        count++;
    }
    return count;
}

/* What is at hand into an expression without its place; p->len. */
static int compile_pattern(struct yaml_reader *r, struct pattern *p, char *out)
{
    char why[160];
    out[0] = '\0';
    if (p->regex) {
        strcpy(out, p->regex);
        if (!payload_width(p->regex, &p->len) &&
            payload_regex_check(p->regex, p->is_nocase, &p->len, why, sizeof why) < 0)
            return yaml_reader_refuse(r, p->place, "%s", why);
        if (p->len == 0)
            return yaml_reader_refuse(r, p->place, "the pattern matches the empty string");
        return 0;
    }
    int count = p->text ? escape_text(p->text, out) : escape_hex(p->hex, out);
    if (count < 0)
        return yaml_reader_refuse(r, p->place, "%s",
                                  p->text ? "bad escape: expected \\\\ \\r \\n \\t \\0 or \\xHH"
                                          : "expected pairs of hex digits");
    p->len = (unsigned)count;
    return count ? 0 : yaml_reader_refuse(r, p->place, "the pattern is empty");
}

/* "12" or "4-20". */
static int read_at(struct yaml_reader *r, struct pattern *p)
{
    char *end, show[YAML_SHOWN];
    if (!p->at)
        return 0;
    bool is_number = isdigit((unsigned char)p->at[0]) && strlen(p->at) <= 9;
    p->first = p->last = (unsigned)strtoul(p->at, &end, 10);
    if (is_number && *end == '-' && isdigit((unsigned char)end[1]))
        p->last = (unsigned)strtoul(end + 1, &end, 10);
    if (!is_number || *end || p->last < p->first || p->last >= PAYLOAD_BYTES)
        return yaml_reader_refuse(r, p->at_place, "'%s': expected OFFSET or FIRST-LAST, below %d",
                                  yaml_reader_quoted(p->at, show), PAYLOAD_BYTES);
    return 0;
}

static int add_pattern(struct yaml_reader *r, struct section *s, struct pattern *p)
{
    char body[YAML_TEXT_MAX * 4 + 1], whole[YAML_TEXT_MAX * 4 + 40];
    if (s->payload->pattern_count == RULE_PATTERNS_MAX)
        return yaml_reader_refuse(r, p->place, "more than %d patterns in a rule",
                                  RULE_PATTERNS_MAX);
    int err = read_at(r, p);
    if (err == 0)
        err = compile_pattern(r, p, body);
    if (err)
        return err;
    if (p->first + p->len > PAYLOAD_BYTES)
        return yaml_reader_refuse(r, p->place,
                                  "the pattern ends at byte %u, only the first %d are looked at",
                                  p->first + p->len, PAYLOAD_BYTES);
    int anchor = 0;
    if (p->at && p->last == 0)
        anchor = snprintf(whole, sizeof whole, "^");
    else if (p->at && p->first == p->last)
        anchor = snprintf(whole, sizeof whole, "^.{%u}", p->first);
    else if (p->at)
        anchor = snprintf(whole, sizeof whole, "^.{%u,%u}", p->first, p->last);
    snprintf(whole + anchor, sizeof whole - (size_t)anchor, p->at ? "(?:%s)" : "%s", body);
    s->patterns[s->payload->pattern_count++] = (struct rule_pattern){
        .expression = arena_text(r->arena, whole, strlen(whole)),
        .place = p->place,
        .min_len = (uint16_t)(p->first + p->len),
        .first = (uint16_t)p->first,
        .last = p->at ? (uint16_t)p->last : UINT16_MAX,
        .anchor = (uint8_t)anchor,
        .clause = (uint8_t)s->payload->clause_count,
        .is_nocase = p->is_nocase,
    };
    if (!s->patterns[s->payload->pattern_count - 1].expression)
        return yaml_reader_no_memory(r);
    say(s, "%s%s '%s'", s->sep, p->text ? "text" : p->hex ? "hex" : "regex", p->value);
    if (p->at)
        say(s, " at %s", p->at);
    if (p->is_nocase)
        say(s, " nocase");
    return 0;
}

/* The value of text, hex or regex. */
static int read_value(struct yaml_reader *r, struct pattern *p, const char **into)
{
    if (p->value)
        return yaml_reader_refuse(r, yaml_reader_here(r), "one of text, hex, regex, any; not two");
    p->place = yaml_reader_here(r);
    if (r->event.type == YAML_SCALAR_EVENT && r->event.data.scalar.length == 0)
        return yaml_reader_refuse(r, p->place, "the pattern is empty");
    int err = yaml_reader_text(r, into);
    p->value = *into;
    return err;
}

static int read_literal(struct yaml_reader *r, void *into)
{
    struct pattern *p = into;
    return read_value(r, p, &p->text);
}

static int read_hex(struct yaml_reader *r, void *into)
{
    struct pattern *p = into;
    return read_value(r, p, &p->hex);
}

static int read_regex(struct yaml_reader *r, void *into)
{
    struct pattern *p = into;
    return read_value(r, p, &p->regex);
}

static int read_at_value(struct yaml_reader *r, void *into)
{
    struct pattern *p = into;
    p->at_place = yaml_reader_here(r);
    return yaml_reader_text(r, &p->at);
}

static int read_alternative(struct yaml_reader *r, void *into)
{
    struct section *s = into;
    struct pattern p = {0};
    const struct yaml_key keys[] = {
        {"text", read_literal, &p, false},
        {"hex", read_hex, &p, false},
        {"regex", read_regex, &p, false},
        {"at", read_at_value, &p, false},
        {"nocase", yaml_reader_bool, &p.is_nocase, false},
    };
    struct place start = yaml_reader_here(r);
    int err = yaml_reader_mapping(r, keys, sizeof keys / sizeof keys[0]);
    if (err == 0 && !p.value)
        return yaml_reader_refuse(r, start, "one of text, hex, regex is missing");
    if (err == 0)
        err = add_pattern(r, s, &p);
    s->sep = " or ";
    return err;
}

/* What a clause may be: a pattern, or alternatives. */
struct clause {
    struct section *section;
    struct pattern pattern;
    struct place any_place;
};

static int read_any(struct yaml_reader *r, void *into)
{
    struct clause *c = into;
    c->any_place = yaml_reader_here(r);
    return yaml_reader_list(r, RULE_PATTERNS_MAX, " of patterns (- text: ...)", read_alternative,
                            c->section);
}

static int read_clause(struct yaml_reader *r, void *into)
{
    struct section *s = into;
    struct clause c = {.section = s};
    struct pattern *p = &c.pattern;
    const struct yaml_key keys[] = {
        {"text", read_literal, p, false},
        {"hex", read_hex, p, false},
        {"regex", read_regex, p, false},
        {"at", read_at_value, p, false},
        {"nocase", yaml_reader_bool, &p->is_nocase, false},
        {"any", read_any, &c, false},
    };
    struct place start = yaml_reader_here(r);
    if (s->payload->clause_count == RULE_CLAUSES_MAX)
        return yaml_reader_refuse(r, start, "more than %d patterns that must all hold",
                                  RULE_CLAUSES_MAX);
    s->sep = "";
    int err = yaml_reader_mapping(r, keys, sizeof keys / sizeof keys[0]);
    if (err)
        return err;
    bool is_any = c.any_place.line != 0;
    if (is_any && (p->value || p->at || p->is_nocase))
        return yaml_reader_refuse(r, c.any_place,
                                  "any stands alone: what else is said, is said in it");
    if (!is_any && !p->value)
        return yaml_reader_refuse(r, start, "one of text, hex, regex, any is missing");
    if (!is_any)
        err = add_pattern(r, s, p);
    s->payload->clause_count++;
    say(s, "\n");
    return err;
}

static int read_patterns(struct yaml_reader *r, void *into)
{
    return yaml_reader_list(r, RULE_PATTERNS_MAX, " of patterns (- text: ...)", read_clause, into);
}

static int finish(struct yaml_reader *r, struct section *s)
{
    struct rule_payload *payload = s->payload;
    size_t size = payload->pattern_count * sizeof *payload->patterns;
    payload->patterns = arena_alloc(r->arena, size);
    payload->text = arena_text(r->arena, s->text, s->text_len - 1);
    if (!payload->patterns || !payload->text)
        return yaml_reader_no_memory(r);
    memcpy(payload->patterns, s->patterns, size);
    return 0;
}

int rule_payload_read(struct yaml_reader *r, void *into)
{
    struct section *s = calloc(1, sizeof *s);
    struct rule_payload *payload = arena_alloc(r->arena, sizeof *payload);
    int err = s && payload ? 0 : yaml_reader_no_memory(r);
    if (err == 0) {
        const struct yaml_key keys[] = {
            {"patterns", read_patterns, s, true},
            {"ports", port_list_read_any, &payload->ports, false},
        };
        s->payload = payload;
        payload->ports.text = "";
        err = yaml_reader_mapping(r, keys, sizeof keys / sizeof keys[0]);
    }
    if (err == 0)
        err = finish(r, s);
    free(s);
    *(struct rule_payload **)into = payload;
    return err;
}
