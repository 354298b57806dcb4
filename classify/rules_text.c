#include "classify/rules_text.h"

#include "classify/fingerprint.h"
#include "classify/kind.h"
#include "classify/payload.h"
#include "classify/payload_tool.h"
#include "classify/spoof.h"
#include "classify/text_width.h"
#include "classify/udp_form.h"

#include <string.h>

enum { CELLS_MAX = 4, GAP = 2 };

/* With the gaps: 100 columns. */
static const unsigned rule_widths[] = {28, 7, 18, 41};
static const unsigned pair[] = {22, 76};

static const char *const mark_definitions[SHARE_MARK_COUNT] = {
    [MARK_total] = "every packet observed",
    [MARK_scan] = "packets of the kinds tcp_syn, tcp_data, udp",
    [MARK_iot_strict] =
        ("scan packets to a port with a strict iot rule, or with a payload that shows one; not "
         "where the payload shows a rule of another category"),
    [MARK_iot_broad] = "the same with an iot rule, strict or shared",
    [MARK_iot_bot] =
        "tcp_syn packets of iot_broad that match mirai and whose payload shows no rule",
    [MARK_iot_payload] = "scan packets whose payload shows a strict iot rule",
    [MARK_iot_confirmed] = "iot_payload or iot_bot",
};

static const char share_definition[] =
    "share = numerator / denominator, by packets and by distinct sources; the evidence is the "
    "destination port or the payload (iot_strict, iot_broad), the payload alone (iot_payload), the "
    "port "
    "and the sender's fingerprint (iot_bot)";

static bool is_iot(const struct rule *rule) { return strcmp(rule->category, "iot") == 0; }

static const char *breadth_name(const struct rule *rule)
{
    return !is_iot(rule) ? "-" : rule->breadth == BREADTH_strict ? "strict" : "shared";
}

/* Writes a row whose cells wrap in their columns. In a cell, a newline begins a paragraph. */
static void write_row(FILE *out, const unsigned *widths, const char *const *cells, unsigned count)
{
    const char *rest[CELLS_MAX];
    bool is_more = true;
    for (unsigned i = 0; i < count; i++)
        rest[i] = cells[i];
    while (is_more) {
        size_t owed = 0; /* blanks are written only before text, so that no line ends in them */
        is_more = false;
        for (unsigned i = 0; i < count; i++) {
            char line[512];
            size_t paragraph = strcspn(rest[i], "\n");
            snprintf(line, sizeof line, "%.*s", (int)paragraph, rest[i]);
            size_t len = text_wrap(line, widths[i]);
            if (len > 0)
                fprintf(out, "%*s%.*s", (int)owed, "", (int)len, line);
            size_t width = text_width(line, len);
            owed = (len > 0 ? 0 : owed) + GAP + (width < widths[i] ? widths[i] - width : 0);
            rest[i] += len;
            rest[i] += strspn(rest[i], " ");
            if (*rest[i] == '\n')
                rest[i]++;
            is_more |= *rest[i] != '\0';
        }
        fputc('\n', out);
    }
}

static void write_title(FILE *out, const char *title)
{
    fprintf(out, "\n%s\n", title);
    for (size_t i = text_width(title, strlen(title)); i > 0; i--)
        fputc('-', out);
    fputc('\n', out);
}

static void write_rule(FILE *out, const struct rule *rule)
{
    char about[2048];
    bool is_same = strcmp(rule->device_en, rule->device_ja) == 0;
    int len = snprintf(about, sizeof about, "%s\n%s%s%s%s%s%s%s", rule->device_en,
                       is_same ? "" : rule->device_ja, is_same ? "" : "\n", rule->basis,
                       rule->references[0] ? "; " : "", rule->references,
                       rule->since[0] ? "; since " : "", rule->since);
    if (rule->payload && len > 0 && (size_t)len < sizeof about)
        snprintf(about + len, sizeof about - (size_t)len, "\npayload to %s: %u pattern%s",
                 rule->payload->ports.text, rule->payload->pattern_count,
                 rule->payload->pattern_count == 1 ? "" : "s");
    write_row(out, rule_widths,
              (const char *const[]){rule->id, breadth_name(rule), rule->ports, about}, 4);
}

static void write_category(FILE *out, const struct ruleset *set, const char *category)
{
    char title[64];
    snprintf(title, sizeof title, "rules: %s", category);
    write_title(out, title);
    for (size_t i = 0; i < set->rule_count; i++)
        if (strcmp(set->rules[i].category, category) == 0)
            write_rule(out, &set->rules[i]);
}

/* iot first: it is what people come for. */
static void write_rules(FILE *out, const struct ruleset *set)
{
    fputc('\n', out);
    write_row(out, rule_widths,
              (const char *const[]){"id", "breadth", "ports", "device (English, Japanese), basis"},
              4);
    for (unsigned pass = 0; pass < 2; pass++)
        for (size_t c = 0; c < set->category_count; c++)
            if ((strcmp(set->categories[c], "iot") != 0) == pass)
                write_category(out, set, set->categories[c]);
}

/* What fingerprint_text says of a tool, beyond its rule and its source. */
static void uses_text(const struct fingerprint_text *f, char *text, size_t size)
{
    char share[64] = "";
    if (f->min_permille)
        snprintf(share, sizeof share, " and %u of a thousand", f->min_permille);
    snprintf(text, size, "%u packets%s of: %s; %s", f->min_packets, share, f->eligible, f->reason);
}

static void write_entry(FILE *out, const char *name, const char *what, const char *source)
{
    char about[512];
    snprintf(about, sizeof about, "%s\nsource: %s", what, source);
    write_row(out, pair, (const char *const[]){name, about}, 2);
}

static void write_signs(FILE *out)
{
    static const char *const classes[] = {
        [UDP_ANSWER] = "UDP answers (backscatter_udp)",
        [UDP_STRAY] = "UDP that went astray (stray)",
        [UDP_ASKS] = "UDP requests that a reflector answers (label amplification_request)"};
    for (unsigned class = UDP_ANSWER; class <= UDP_ASKS; class ++) {
        write_title(out, classes[class]);
        for (unsigned id = 1; id < UDP_FORM_COUNT; id++)
            if (udp_forms[id].class == class)
                write_entry(out, udp_forms[id].name, udp_forms[id].what, udp_forms[id].source);
    }
    write_title(out, "UDP to control groups of one link (stray)");
    for (unsigned i = 0; i < udp_group_count; i++)
        write_entry(out, udp_groups[i].name, "by the destination", udp_groups[i].source);
    write_title(out,
                "signs of a forged source (label likely_spoofed; + applied unless set otherwise)");
    for (unsigned i = 0; i < SPOOF_COUNT; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s%s", SPOOF_DEFAULT >> i & 1 ? "+" : "", spoof_texts[i].name);
        write_entry(out, name, spoof_texts[i].what, spoof_texts[i].source);
    }
    write_title(out, "scanners' own probe payloads");
    for (unsigned i = 0; i < payload_tool_count; i++)
        write_entry(out, payload_tools[i].name, tool_name((enum tool)payload_tools[i].tool),
                    payload_tools[i].source);
}

static void list_text(FILE *out, const struct ruleset *set)
{
    fprintf(out, "rule set %s, version %s: %zu rules, %zu categories\nsha256 %s\n", set->name,
            set->version, set->rule_count, set->category_count, set->sha256);
    if (set->payload_off)
        fprintf(out, "payload rules: off: %s\n", set->payload_off);
    else
        fputs("payload rules: on (their patterns: --json)\n", out);
    write_rules(out, set);

    write_title(
        out,
        "kinds (the first that holds: malformed, non_ip, outside, fragment, then by protocol)");
    for (enum kind k = 0; k < KIND_COUNT; k++) {
        char about[512];
        const char *limit = kind_limit(k);
        snprintf(about, sizeof about, "%s%s%s", kind_definition(k), limit ? "\nlimit: " : "",
                 limit ? limit : "");
        write_row(out, pair, (const char *const[]){kind_name(k), about}, 2);
    }
    write_title(
        out,
        "fingerprints (a packet matches; a source uses a tool when so many of its packets match)");
    for (unsigned i = 0; i < fingerprint_text_count; i++) {
        const struct fingerprint_text *f = &fingerprint_texts[i];
        char about[1024], uses[512];
        uses_text(f, uses, sizeof uses);
        snprintf(about, sizeof about, "%s\nsource: %s\nconfidence: %s\nused by a source: %s",
                 f->rule, f->source, confidence_name((enum confidence)f->confidence), uses);
        write_row(out, pair, (const char *const[]){f->id, about}, 2);
    }
    write_signs(out);
    write_title(out, "marks (what is counted by packets and by distinct sources)");
    for (unsigned m = 0; m < SHARE_MARK_COUNT; m++) {
        char about[256];
        snprintf(about, sizeof about, "%s: %s", m < DENOMINATOR_COUNT ? "denominator" : "numerator",
                 mark_definitions[m]);
        write_row(out, pair, (const char *const[]){mark_name((enum mark)m), about}, 2);
    }
    write_row(out, pair, (const char *const[]){"shares", share_definition}, 2);
}

static void json_text(FILE *out, const char *text, size_t len)
{
    fputc('"', out);
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '"' || text[i] == '\\')
            fputc('\\', out);
        if ((unsigned char)text[i] < ' ')
            fprintf(out, "\\u%04x", (unsigned)text[i]);
        else
            fputc(text[i], out);
    }
    fputc('"', out);
}

/* `, "key": "text"`; null for NULL. */
static void json_field(FILE *out, const char *key, const char *text)
{
    fprintf(out, ", \"%s\": ", key);
    if (text)
        json_text(out, text, strlen(text));
    else
        fputs("null", out);
}

/* The parts of a text, between the separators, as a list. */
static void json_parts(FILE *out, const char *key, const char *text, const char *between)
{
    fprintf(out, "\"%s\": [", key);
    for (const char *sep = ""; *text; sep = ", ") {
        size_t len = strcspn(text, between);
        fputs(sep, out);
        json_text(out, text, len);
        text += len + strspn(text + len, between);
    }
    fputc(']', out);
}

static void json_payload(FILE *out, const struct rule_payload *payload)
{
    fputs(", \"payload\": ", out);
    if (!payload) {
        fputs("null", out);
        return;
    }
    fputc('{', out);
    json_parts(out, "ports", payload->ports.text, " ");
    fputs(", ", out);
    json_parts(out, "patterns", payload->text, "\n");
    fputc('}', out);
}

static void json_rule(FILE *out, const struct rule *rule)
{
    fprintf(out, "{\"line\": %u", rule->line);
    json_field(out, "file", rule->file);
    json_field(out, "id", rule->id);
    json_field(out, "category", rule->category);
    json_field(out, "breadth", is_iot(rule) ? breadth_name(rule) : NULL);
    fputs(", ", out);
    json_parts(out, "ports", rule->ports, " ");
    json_payload(out, rule->payload);
    fprintf(out, ", \"exploit\": %s", rule->is_exploit ? "true" : "false");
    fprintf(out, ", \"generic\": %s", rule->is_generic ? "true" : "false");
    fputs(", \"device\": {\"en\": ", out);
    json_text(out, rule->device_en, strlen(rule->device_en));
    json_field(out, "ja", rule->device_ja);
    fputc('}', out);
    json_field(out, "basis", rule->basis);
    fputs(", ", out);
    json_parts(out, "references", rule->references, " ");
    json_field(out, "since", rule->since[0] ? rule->since : NULL);
    fputc('}', out);
}

/* {"id": ..., key1: text1, key2: text2} */
static void json_entry(FILE *out, const char *sep, const char *id, const char *key1,
                       const char *text1, const char *key2, const char *text2)
{
    fprintf(out, "%s\n  {\"id\": \"%s\"", sep, id);
    json_field(out, key1, text1);
    json_field(out, key2, text2);
    fputc('}', out);
}

static void json_signs(FILE *out)
{
    static const char *const classes[] = {"", "backscatter_udp", "stray", "amplification_request"};
    fputs("],\n \"udp_forms\": [", out);
    for (unsigned id = 1; id < UDP_FORM_COUNT; id++) {
        const struct udp_form *form = &udp_forms[id];
        char what[256];
        snprintf(what, sizeof what, "%s: %s", classes[form->class], form->what);
        json_entry(out, id > 1 ? "," : "", form->name, "rule", what, "source", form->source);
    }
    fputs("],\n \"spoof_tests\": [", out);
    for (unsigned i = 0; i < SPOOF_COUNT; i++)
        json_entry(out, i ? "," : "", spoof_texts[i].name, "rule", spoof_texts[i].what, "source",
                   spoof_texts[i].source);
    fputs("],\n \"probes\": [", out);
    for (unsigned i = 0; i < payload_tool_count; i++)
        json_entry(out, i ? "," : "", payload_tools[i].name, "tool",
                   tool_name((enum tool)payload_tools[i].tool), "source", payload_tools[i].source);
}

static void list_json(FILE *out, const struct ruleset *set)
{
    fprintf(out, "{\"name\": \"%s\", \"version\": \"%s\", \"sha256\": \"%s\"", set->name,
            set->version, set->sha256);
    json_field(out, "payload_rules_off", set->payload_off);
    fputs(",\n \"rules\": [", out);
    for (size_t i = 0; i < set->rule_count; i++) {
        fprintf(out, "%s\n  ", i ? "," : "");
        json_rule(out, &set->rules[i]);
    }
    fputs("],\n \"kinds\": [", out);
    for (enum kind k = 0; k < KIND_COUNT; k++)
        json_entry(out, k ? "," : "", kind_name(k), "definition", kind_definition(k), "limit",
                   kind_limit(k));
    fputs("],\n \"fingerprints\": [", out);
    for (unsigned i = 0; i < fingerprint_text_count; i++)
        json_entry(out, i ? "," : "", fingerprint_texts[i].id, "rule", fingerprint_texts[i].rule,
                   "source", fingerprint_texts[i].source);
    json_signs(out);
    fputs("],\n \"marks\": [", out);
    for (unsigned m = 0; m < SHARE_MARK_COUNT; m++)
        json_entry(out, m ? "," : "", mark_name((enum mark)m), "role",
                   m < DENOMINATOR_COUNT ? "denominator" : "numerator", "definition",
                   mark_definitions[m]);
    fputs("]", out);
    json_field(out, "shares", share_definition);
    fputs("}\n", out);
}

void rules_list(FILE *out, const struct ruleset *set, bool is_json)
{
    if (is_json)
        list_json(out, set);
    else
        list_text(out, set);
}
