#include "classify/payload.h"
#include "classify/ruleset.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define SET  "name: test\nversion: 1\n"
#define RULE "category: iot\nrules:\n"
#define R(id, ports)                                                           \
    "  - {id: " id ", breadth: strict, device: {en: e, ja: j}, ports: [" ports \
    "], basis: {strength: published, source: s}}\n"
#define W(id, ports)                                          \
    "  - {id: " id ", device: {en: e, ja: j}, ports: [" ports \
    "], basis: {strength: published, source: s}}\n"

/* A rule of payloads alone; the section begins at column 106. */
#define N(payload)                                                                               \
    "  - {id: a, breadth: strict, device: {en: e, ja: j}, basis: {strength: published, source: " \
    "src}, "                                                                                     \
    "payload: " payload "}\n"

/* The iot file is text[0], the web file text[1] (may be NULL). */
static int create(struct ruleset **set, const char *set_yaml, const char *iot, const char *web,
                  struct fault *fault)
{
    struct rule_source sources[3];
    size_t count = 0;
    if (web)
        sources[count++] = (struct rule_source){"web.yaml", web, strlen(web)};
    if (set_yaml)
        sources[count++] = (struct rule_source){"set.yaml", set_yaml, strlen(set_yaml)};
    if (iot)
        sources[count++] = (struct rule_source){"iot.yaml", iot, strlen(iot)};
    *fault = (struct fault){0};
    return ruleset_create_from(set, sources, count, "", fault);
}

static const struct port_class *class_of(const struct ruleset *set, unsigned proto, unsigned port)
{
    return &set->classes[set->port_class[proto][port]];
}

static const char *rule_id(const struct ruleset *set, unsigned proto, unsigned port, unsigned slot)
{
    uint16_t rule = class_of(set, proto, port)->rules[slot];
    return rule == RULE_NONE ? "" : set->rules[rule].id;
}

static void test_embedded(void **state)
{
    static const struct {
        unsigned proto, port;
        const char *iot, *service;
        unsigned marks;
    } rows[] = {
        {PORT_PROTO_TCP, 23, "iot-telnet", "", 3},
        {PORT_PROTO_TCP, 2323, "iot-telnet", "", 3},
        {PORT_PROTO_TCP, 37215, "iot-huawei-hg532", "", 3},
        {PORT_PROTO_TCP, 52869, "iot-realtek-miniigd", "", 3},
        {PORT_PROTO_TCP, 22, "iot-ssh", "ssh", 2},
        {PORT_PROTO_TCP, 80, "iot-web-admin", "web-http", 2},
        {PORT_PROTO_TCP, 85, "iot-web-camera", "web-http-other", 2},
        {PORT_PROTO_TCP, 443, "iot-web-admin-tls", "web-https", 2},
        {PORT_PROTO_TCP, 554, "iot-rtsp", "", 2},
        {PORT_PROTO_TCP, 1883, "iot-mqtt", "", 2},
        {PORT_PROTO_UDP, 1900, "iot-ssdp", "", 2},
        {PORT_PROTO_UDP, 5353, "iot-mdns", "dns-mdns", 2},
        {PORT_PROTO_UDP, 47808, "iot-bacnet", "industrial-bacnet", 3},
        {PORT_PROTO_UDP, 53413, "iot-netis", "", 3},
        {PORT_PROTO_TCP, 445, "", "windows-smb", 0},
        {PORT_PROTO_TCP, 3389, "", "windows-rdp", 0},
        {PORT_PROTO_TCP, 5900, "", "remote-vnc", 0},
        {PORT_PROTO_TCP, 6379, "", "database-redis", 0},
        {PORT_PROTO_UDP, 23, "", "", 0},
        {PORT_PROTO_TCP, 53413, "", "", 0},
        {PORT_PROTO_TCP, 0, "", "", 0},
    };
    struct ruleset *set;
    struct fault fault = {0};
    if (ruleset_create(&set, NULL, &fault) != 0)
        fail_msg("%s", fault.text);
    assert_string_equal(set->name, "default");
    assert_int_equal(strlen(set->sha256), 64);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_string_equal(rule_id(set, rows[i].proto, rows[i].port, 0), rows[i].iot);
        assert_string_equal(rule_id(set, rows[i].proto, rows[i].port, 1), rows[i].service);
        assert_int_equal(class_of(set, rows[i].proto, rows[i].port)->marks,
                         rows[i].marks << MARK_iot_strict);
    }
    ruleset_destroy(set);
}

static void write_file(const char *dir, const char *name, const void *bytes, size_t len)
{
    char path[300];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    fclose(file);
}

static void remove_file(const char *dir, const char *name)
{
    char path[300];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    unlink(path);
}

/* The same bytes give the same set from memory and from a folder, whatever else lies there. */
static void test_folder(void **state)
{
    char dir[] = "/tmp/ruleset_XXXXXX";
    struct ruleset *set, *other;
    struct fault fault = {0};
    assert_non_null(mkdtemp(dir));
    assert_int_equal(create(&other, SET, RULE R("a", "tcp/23"), NULL, &fault), 0);
    write_file(dir, "set.yaml", SET, sizeof SET - 1);
    write_file(dir, "iot.yaml", RULE R("a", "tcp/23"), sizeof(RULE R("a", "tcp/23")) - 1);
    write_file(dir, "README", "x", 1);
    write_file(dir, ".hidden.yaml", "x", 1);
    assert_int_equal(ruleset_create(&set, dir, &fault), 0);
    assert_string_equal(set->sha256, other->sha256);
    assert_string_equal(set->rules[0].file, "iot.yaml");
    assert_int_equal(set->rules[0].line, 3);
    ruleset_destroy(set);
    ruleset_destroy(other);

    char expected[300], *huge = calloc(1, RULE_FILE_BYTES_MAX + 1);
    write_file(dir, "iot.yaml", "category: iot\nrules: [x]\n", 25);
    assert_int_equal(ruleset_create(&set, dir, &fault), -EINVAL);
    snprintf(expected, sizeof expected, "%s/iot.yaml:2:9: expected keys (id: ...)", dir);
    assert_string_equal(fault.text, expected);
    write_file(dir, "iot.yaml", huge, RULE_FILE_BYTES_MAX + 1);
    free(huge);
    assert_int_equal(ruleset_create(&set, dir, &fault), -EFBIG);
    assert_null(set);
    remove_file(dir, "set.yaml"), remove_file(dir, "iot.yaml"), remove_file(dir, "README");
    remove_file(dir, ".hidden.yaml");
    assert_int_equal(ruleset_create(&set, dir, &fault), -EINVAL);
    assert_non_null(strstr(fault.text, "set.yaml: missing"));
    assert_int_equal(rmdir(dir), 0);
    assert_int_equal(ruleset_create(&set, dir, &fault), -ENOENT);
    ruleset_destroy(NULL);
}

/* One byte of a file or a name gives another digest. */
static void test_digest(void **state)
{
    struct ruleset *a, *b;
    struct fault fault;
    char digest[65];
    assert_int_equal(create(&a, SET, RULE R("a", "tcp/23"), NULL, &fault), 0);
    strcpy(digest, a->sha256);
    ruleset_destroy(a);
    assert_int_equal(create(&a, SET, RULE R("a", "tcp/24"), NULL, &fault), 0);
    assert_int_equal(create(&b, SET, RULE R("a", "tcp/23") "#\n", NULL, &fault), 0);
    assert_string_not_equal(digest, a->sha256);
    assert_string_not_equal(digest, b->sha256);
    ruleset_destroy(a);
    ruleset_destroy(b);
    /* name, zero byte, length as 8 bytes, bytes; computed with Python's hashlib */
    assert_int_equal(create(&a, SET, NULL, NULL, &fault), 0);
    assert_string_equal(a->sha256,
                        "cc288163c661dc8cccf37adbc79618fa6cd112383fef90f33235bfcb5bb90f92");
    ruleset_destroy(a);
}

static void test_ports(void **state)
{
    struct ruleset *set;
    struct fault fault;
    assert_int_equal(create(&set, SET,
                            RULE R("a", "tcp/0, tcp/7000-7010, udp/65535") R("b", "tcp/7011"),
                            "category: web\nrules:\n" W("w", "tcp/7005"), &fault),
                     0);
    assert_string_equal(set->rules[0].ports, "tcp/0 tcp/7000-7010 udp/65535");
    assert_string_equal(rule_id(set, PORT_PROTO_TCP, 0, 0), "a");
    assert_string_equal(rule_id(set, PORT_PROTO_TCP, 6999, 0), "");
    assert_string_equal(rule_id(set, PORT_PROTO_TCP, 7000, 0), "a");
    assert_string_equal(rule_id(set, PORT_PROTO_TCP, 7010, 0), "a");
    assert_string_equal(rule_id(set, PORT_PROTO_TCP, 7011, 0), "b");
    assert_string_equal(rule_id(set, PORT_PROTO_UDP, 65535, 0), "a");
    assert_string_equal(rule_id(set, PORT_PROTO_TCP, 7005, 1), "w");
    assert_int_equal(set->category_count, 2);
    ruleset_destroy(set);
}

static const struct bad {
    const char *set, *iot, *web, *message;
} bads[] = {
    {NULL, RULE R("a", "tcp/1"), NULL, "set.yaml: missing (it gives name and version)"},
    {"name: x\n", NULL, NULL, "set.yaml:1:1: key 'version' is missing"},
    {SET "colour: red\n", NULL, NULL, "set.yaml:3:1: unknown key 'colour'"},
    {SET "name: y\n", NULL, NULL, "set.yaml:3:1: key 'name' a second time"},
    {SET "---\nname: y\n", NULL, NULL, "set.yaml:3:1: a second document"},
    {"", NULL, NULL, "set.yaml:1:1: the file is empty"},
    {"[]", NULL, NULL, "set.yaml:1:1: expected keys (name: ...)"},
    {SET, "rules: []\n", NULL, "iot.yaml:1:1: key 'category' is missing"},
    {SET, "category: IoT\nrules: []\n", NULL,
     "iot.yaml:1:11: 'IoT': expected at most 24 of abcdefghijklmnopqrstuvwxyz0123456789_"},
    {SET, RULE "  - {id: a}\n", NULL, "iot.yaml:3:5: key 'device' is missing"},
    {SET, RULE "  - {id: a, payload: x}\n", NULL, "iot.yaml:3:22: expected keys (patterns: ...)"},
    {SET, RULE N("{}"), NULL, "iot.yaml:3:106: key 'patterns' is missing"},
    {SET, RULE N("{colour: red}"), NULL, "iot.yaml:3:107: unknown key 'colour'"},
    {SET, RULE N("{patterns: x}"), NULL,
     "iot.yaml:3:117: expected a list of patterns (- text: ...)"},
    {SET, RULE N("{patterns: []}"), NULL, "iot.yaml:3:117: the list is empty"},
    {SET, RULE N("{patterns: [x]}"), NULL, "iot.yaml:3:118: expected keys (text: ...)"},
    {SET, RULE N("{patterns: [{}]}"), NULL,
     "iot.yaml:3:118: one of text, hex, regex, any is missing"},
    {SET, RULE N("{patterns: [{at: 1}]}"), NULL,
     "iot.yaml:3:118: one of text, hex, regex, any is missing"},
    {SET, RULE N("{patterns: [{depth: 1}]}"), NULL, "iot.yaml:3:119: unknown key 'depth'"},
    {SET, RULE N("{patterns: [{text: a, hex: 00}]}"), NULL,
     "iot.yaml:3:133: one of text, hex, regex, any; not two"},
    {SET, RULE N("{patterns: [{text: ''}]}"), NULL, "iot.yaml:3:125: the pattern is empty"},
    {SET, RULE N("{patterns: [{regex: ''}]}"), NULL, "iot.yaml:3:126: the pattern is empty"},
    {SET, RULE N("{patterns: [{hex: ' '}]}"), NULL, "iot.yaml:3:124: the pattern is empty"},
    {SET, RULE N("{patterns: [{hex: 0g}]}"), NULL, "iot.yaml:3:124: expected pairs of hex digits"},
    {SET, RULE N("{patterns: [{hex: 00 1}]}"), NULL,
     "iot.yaml:3:124: expected pairs of hex digits"},
    {SET, RULE N("{patterns: [{text: 'a\\q'}]}"), NULL,
     "iot.yaml:3:125: bad escape: expected \\\\ \\r \\n \\t \\0 or \\xHH"},
    {SET, RULE N("{patterns: [{text: 'a\\x1'}]}"), NULL,
     "iot.yaml:3:125: bad escape: expected \\\\ \\r \\n \\t \\0 or \\xHH"},
    {SET, RULE N("{patterns: [{text: 'a\\'}]}"), NULL,
     "iot.yaml:3:125: bad escape: expected \\\\ \\r \\n \\t \\0 or \\xHH"},
    {SET, RULE N("{patterns: [{text: a, at: x}]}"), NULL,
     "iot.yaml:3:132: 'x': expected OFFSET or FIRST-LAST, below 256"},
    {SET, RULE N("{patterns: [{text: a, at: 256}]}"), NULL,
     "iot.yaml:3:132: '256': expected OFFSET or FIRST-LAST, below 256"},
    {SET, RULE N("{patterns: [{text: a, at: 5-4}]}"), NULL,
     "iot.yaml:3:132: '5-4': expected OFFSET or FIRST-LAST, below 256"},
    {SET, RULE N("{patterns: [{text: a, at: -4}]}"), NULL,
     "iot.yaml:3:132: '-4': expected OFFSET or FIRST-LAST, below 256"},
    {SET, RULE N("{patterns: [{text: ab, at: 255}]}"), NULL,
     "iot.yaml:3:125: the pattern ends at byte 257, only the first 256 are looked at"},
    {SET, RULE N("{patterns: [{text: a, nocase: yes}]}"), NULL,
     "iot.yaml:3:136: 'yes': expected true or false"},
    {SET, RULE N("{patterns: [{any: [{text: a}], at: 0}]}"), NULL,
     "iot.yaml:3:124: any stands alone: what else is said, is said in it"},
    {SET, RULE N("{patterns: [{any: []}]}"), NULL, "iot.yaml:3:124: the list is empty"},
    {SET, RULE N("{patterns: [{any: [{any: x}]}]}"), NULL, "iot.yaml:3:126: unknown key 'any'"},
    {SET, RULE N("{patterns: [{any: [{nocase: true}]}]}"), NULL,
     "iot.yaml:3:125: one of text, hex, regex is missing"},
    {SET, RULE N("{patterns: [{text: a}]}"), NULL,
     "iot.yaml:3:5: the payload needs ports (tcp/any: all), since the rule has none"},
    {SET, RULE N("{patterns: [{text: a}], ports: [tcp]}"), NULL,
     "iot.yaml:3:138: 'tcp': expected tcp/PORT, udp/PORT or tcp/FIRST-LAST, ports 0 to 65535, or "
     "tcp/any, udp/any"},
    {SET, RULE N("{patterns: [{text: a}], ports: [tcp/65536]}"), NULL,
     "iot.yaml:3:138: 'tcp/65536': expected tcp/PORT, udp/PORT or tcp/FIRST-LAST, ports 0 to "
     "65535, or tcp/any, udp/any"},
    {SET, RULE R("a", "tcp/any"), NULL,
     "iot.yaml:3:62: 'tcp/any': expected tcp/PORT, udp/PORT or tcp/FIRST-LAST, ports 0 to 65535"},
    {SET,
     RULE "  - {id: a, breadth: strict, device: {en: e, ja: j}, basis: {strength: published, "
          "source: s}}\n",
     NULL, "iot.yaml:3:5: a rule needs ports, a payload, or both"},
    {SET, RULE "  - {id: a, patterns: x}\n", NULL, "iot.yaml:3:13: unknown key 'patterns'"},
    {SET, RULE R("a", "tcp/65536"), NULL,
     "iot.yaml:3:62: 'tcp/65536': expected tcp/PORT, udp/PORT or tcp/FIRST-LAST, ports 0 to 65535"},
    {SET, RULE R("a", "23"), NULL,
     "iot.yaml:3:62: '23': expected tcp/PORT, udp/PORT or tcp/FIRST-LAST, ports 0 to 65535"},
    {SET, RULE R("a", "tcp/9-8"), NULL,
     "iot.yaml:3:62: 'tcp/9-8': expected tcp/PORT, udp/PORT or tcp/FIRST-LAST, ports 0 to 65535"},
    {SET, RULE R("a", "tcp/080"), NULL,
     "iot.yaml:3:62: 'tcp/080': expected tcp/PORT, udp/PORT or tcp/FIRST-LAST, ports 0 to 65535"},
    {SET, RULE R("a", "tcp/1-"), NULL,
     "iot.yaml:3:62: 'tcp/1-': expected tcp/PORT, udp/PORT or tcp/FIRST-LAST, ports 0 to 65535"},
    {SET, RULE R("a", "sctp/1"), NULL,
     "iot.yaml:3:62: 'sctp/1': expected tcp/PORT, udp/PORT or tcp/FIRST-LAST, ports 0 to 65535"},
    {SET, RULE R("a", ""), NULL, "iot.yaml:3:61: the list is empty"},
    {SET, RULE R("a", "tcp/1") R("a", "tcp/2"), NULL,
     "iot.yaml:4:5: id 'a' is taken by iot.yaml:3"},
    {SET, RULE R("a", "tcp/1"), "category: web\nrules:\n" W("a", "tcp/1"),
     "web.yaml:3:5: id 'a' is taken by iot.yaml:3"},
    {SET, RULE R("a", "tcp/1") R("b", "tcp/0-2"), NULL,
     "iot.yaml:4:62: tcp/1 has an iot rule already: a"},
    {SET, RULE R("a", "udp/1, udp/1"), NULL, "iot.yaml:3:69: udp/1 stands twice in this rule"},
    {SET, NULL, "category: web\nrules:\n" W("a", "tcp/1") W("b", "tcp/1"),
     "web.yaml:4:45: tcp/1 has a service rule already: a"},
    {SET, RULE W("a", "tcp/1"), NULL,
     "iot.yaml:3:5: an iot rule needs a breadth (strict or shared)"},
    {SET, NULL, "category: web\nrules:\n" R("a", "tcp/1"),
     "web.yaml:3:22: only iot rules have a breadth"},
    {SET,
     "category: web\nrules:\n  - {id: a, generic: true, device: {en: e, ja: j}, ports: [tcp/1], "
     "basis: {strength: published, source: s}}\n",
     NULL, "iot.yaml:3:5: only strict iot rules with a payload are generic"},
    {SET, RULE "  - {id: a, generic: yes}\n", NULL, "iot.yaml:3:22: 'yes': expected true or false"},
    {SET, RULE "  - {breadth: broad}\n", NULL, "iot.yaml:3:15: 'broad': expected strict or shared"},
    {SET, RULE "  - {since: 2016-13}\n", NULL,
     "iot.yaml:3:13: '2016-13': expected YYYY, YYYY-MM or YYYY-MM-DD"},
    {SET, RULE "  - {basis: {strength: sure}}\n", NULL,
     "iot.yaml:3:24: 'sure': expected published, documented or unconfirmed"},
    {SET, RULE "  - {device: {en: \"a\\e[31m\"}}\n", NULL,
     "iot.yaml:3:19: control character in text"},
    {SET, RULE "  - {device: {en: \"a\\x9b31m\"}}\n", NULL,
     "iot.yaml:3:19: control character in text"},
    {SET, RULE "  - {device: {en: ''}}\n", NULL,
     "iot.yaml:3:19: text of 0 bytes, expected 1 to 400"},
    {SET, RULE "  - {device: {en: [x]}}\n", NULL, "iot.yaml:3:19: expected text"},
    {SET, RULE "  - {? [x] : y}\n", NULL, "iot.yaml:3:8: expected a key"},
    {SET, RULE "  - &a {id: a}\n", NULL, "iot.yaml:3:5: anchors, aliases and tags are not read"},
    {SET, RULE "  - *a\n", NULL, "iot.yaml:3:5: anchors, aliases and tags are not read"},
    {SET, RULE "  - {id: !!str a}\n", NULL,
     "iot.yaml:3:10: anchors, aliases and tags are not read"},
    {SET, "category: iot\nrules: [", NULL,
     "iot.yaml:3:1: did not find expected node content while parsing a flow node that begins at "
     "3:1"},
    {SET,
     RULE "  - id: a\n    breadth: strict\n    device: {en: e, ja: j}\n    ports: [tcp/23, tcp/24\n"
          "    basis:\n      strength: published\n      source: s\n",
     NULL,
     "iot.yaml:7:10: did not find expected ',' or ']' while parsing a flow sequence that begins at "
     "6:12"},
    {SET, RULE "  - {colour: red}\n  - {id: \"a\n", NULL,
     "iot.yaml:5:1: found unexpected end of stream while scanning a quoted scalar that begins at "
     "4:10"},
    {SET, RULE "  - {device: {en: 5}}\n", NULL, "iot.yaml:3:19: '5' is no text without quotes"},
    {SET, RULE "  - {device: {en: '5', ja: 0x10}}\n", NULL,
     "iot.yaml:3:28: '0x10' is no text without quotes"},
    {SET, RULE "  - {basis: {strength: published, source: True}}\n", NULL,
     "iot.yaml:3:43: 'True' is no text without quotes"},
    {SET, "category: \xff\n", NULL, "iot.yaml:1:11: invalid leading UTF-8 octet"},
    {SET, "a: [[[[[[[[[[[[[[[[[[[[", NULL, "iot.yaml:1:1: unknown key 'a'"},
};

static void test_bad(void **state)
{
    for (size_t i = 0; i < sizeof bads / sizeof bads[0]; i++) {
        struct ruleset *set = (void *)1;
        struct fault fault;
        int err = create(&set, bads[i].set, bads[i].iot, bads[i].web, &fault);
        if (err != -EINVAL || set || strcmp(fault.text, bads[i].message) != 0)
            fail_msg("row %zu: %d \"%s\", expected \"%s\"", i, err, fault.text, bads[i].message);
    }
}

/* What Hyperscan says of a pattern, with the pattern's place: as it is read, and as it is compiled. */
static void test_bad_regex(void **state)
{
    static const struct {
        const char *section, *message;
    } rows[] = {
        {"{patterns: [{regex: 'a('}]}",
         "iot.yaml:3:126: Missing close parenthesis for group started at index 1."},
        {"{patterns: [{regex: '[z-a]'}]}",
         "iot.yaml:3:126: Range out of order in character class at index 3."},
        {"{patterns: [{regex: 'a(?=b)', at: 3}]}",
         "iot.yaml:3:126: Zero-width assertions are not supported."},
        {"{patterns: [{text: a}, {any: [{text: b}, {regex: '(a)\\1'}]}]}",
         "iot.yaml:3:155: Back-references are unsupported."},
        {"{patterns: [{regex: 'a*'}]}", "iot.yaml:3:126: the pattern matches the empty string"},
        {"{patterns: [{regex: 'a{257}'}]}",
         "iot.yaml:3:126: the pattern ends at byte 257, only the first 256 are looked at"},
    };
    if (!payload_is_built)
        skip();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[1024];
        struct ruleset *set;
        struct fault fault;
        snprintf(text, sizeof text, RULE N("%s"), rows[i].section);
        int err = create(&set, SET, text, NULL, &fault);
        if (err != -EINVAL || set || strcmp(fault.text, rows[i].message) != 0)
            fail_msg("row %zu: %d \"%s\", expected \"%s\"", i, err, fault.text, rows[i].message);
    }
}

/* 300 rules on 300 ports are more than a port's byte can tell apart. */
static void test_limits(void **state)
{
    struct ruleset *set;
    struct fault fault;
    char *text = malloc(1200 * 120), id[16], port[16];
    for (unsigned count = 255; count <= 1025; count += 385) {
        size_t at = (size_t)sprintf(text, "%s", RULE);
        for (unsigned i = 0; i < count; i++) {
            sprintf(id, "r%u", i);
            sprintf(port, "tcp/%u", i);
            at += (size_t)sprintf(
                text + at,
                "  - {id: %s, breadth: shared, device: {en: e, ja: j}, ports: [%s], "
                "basis: {strength: published, source: s}}\n",
                id, port);
        }
        int err = create(&set, SET, text, NULL, &fault);
        assert_int_equal(err, count == 255 ? 0 : -EINVAL);
        if (count == 640)
            assert_string_equal(fault.text,
                                "*.yaml: more than 255 different combinations of rules on a port");
        if (count == 1025)
            assert_string_equal(fault.text, "iot.yaml:1027:5: more than 1024 rules");
        ruleset_destroy(set);
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_embedded),  cmocka_unit_test(test_folder),
        cmocka_unit_test(test_digest),    cmocka_unit_test(test_ports),
        cmocka_unit_test(test_bad_regex), cmocka_unit_test(test_bad),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
