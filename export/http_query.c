#include "export/http_query.h"

#include "export/calendar.h"
#include "export/window.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NS INT64_C(1000000000)

/* ---- paths */

static const struct {
    const char *path, *name;
    enum http_route_id id;
} routes[] = {
    {"/", "page", HTTP_ROUTE_page},
    {"/page.css", "style", HTTP_ROUTE_style},
    {"/page.js", "script", HTTP_ROUTE_script},
    {"/chart.js", "chart", HTTP_ROUTE_chart},
    {"/login", "login", HTTP_ROUTE_login},
    {"/api/v1/windows", "windows", HTTP_ROUTE_windows},
    {"/api/v1/days", "days", HTTP_ROUTE_days},
    {"/api/v1/days/", "day", HTTP_ROUTE_day},
    {"/api/v1/ports/", "port", HTTP_ROUTE_port},
    {"/api/v1/sources/", "source", HTTP_ROUTE_source},
    {"/api/v1/events", "events", HTTP_ROUTE_events},
    {"/api/v1/live", "live", HTTP_ROUTE_live},
    {"/api/v1/feed", "feed", HTTP_ROUTE_feed},
    {"/api/v1/health", "health", HTTP_ROUTE_health},
    {"/metrics", "metrics", HTTP_ROUTE_metrics},
    {"/healthz", "healthz", HTTP_ROUTE_healthz},
};

const char *http_route_name(enum http_route_id id)
{
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++)
        if (routes[i].id == id)
            return routes[i].name;
    return "other";
}

static bool port_take(const char *text, struct http_route *r)
{
    const char *slash = strchr(text, '/');
    uint64_t port;
    for (unsigned proto = 0; slash != NULL && proto < PORT_PROTO_COUNT; proto++) {
        const char *name = window_proto_name(proto);
        if (strlen(name) != (size_t)(slash - text) || strncmp(name, text, strlen(name)) != 0)
            continue;
        if (!http_number(slash + 1, UINT16_MAX, &port))
            return false;
        r->proto = proto;
        r->port = (uint16_t)port;
        return true;
    }
    return false;
}

/* Addresses, prefixes and AS numbers are made of these. */
static bool subject_take(const char *text, struct http_route *r)
{
    size_t len = strlen(text);
    if (len == 0 || len >= HTTP_SUBJECT)
        return false;
    for (const char *c = text; *c != '\0'; c++)
        if (!isxdigit((unsigned char)*c) && strchr(".:/ASas", *c) == NULL)
            return false;
    memcpy(r->subject, text, len + 1);
    return true;
}

/* False: no such path. What can't be read is a path, with a problem. */
static bool rest_take(const char *rest, struct http_route *r)
{
    bool is_open =
        r->id == HTTP_ROUTE_day || r->id == HTTP_ROUTE_port || r->id == HTTP_ROUTE_source;
    if (is_open == (rest[0] == '\0'))
        return false;
    switch (r->id) {
    case HTTP_ROUTE_day:
        r->is_today = strcmp(rest, "today") == 0;
        if (!r->is_today && !http_date(rest, &r->date))
            r->problem = "/api/v1/days/DATE: is neither a date such as 2026-01-01 nor today";
        return true;
    case HTTP_ROUTE_port:
        if (!port_take(rest, r))
            r->problem = "/api/v1/ports/PORT: is no port such as tcp/23 or udp/53";
        return true;
    case HTTP_ROUTE_source:
        if (!subject_take(rest, r))
            r->problem = "/api/v1/sources/ADDR: is no address, prefix or AS such as 198.51.100.7, "
                         "2001:db8::/32 or AS64500";
        return true;
    default:
        return true;
    }
}

struct http_route http_route_of(const char *path)
{
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        size_t len = strlen(routes[i].path);
        bool is_open = len > 1 && routes[i].path[len - 1] == '/';
        struct http_route r = {.id = routes[i].id};
        if (is_open ? strncmp(path, routes[i].path, len) != 0 : strcmp(path, routes[i].path) != 0)
            continue;
        if (rest_take(path + len, &r))
            return r;
    }
    return (struct http_route){.id = HTTP_ROUTE_none};
}

/* ---- numbers and times */

bool http_number(const char *text, uint64_t max, uint64_t *value)
{
    uint64_t n = 0;
    if (text[0] == '\0')
        return false;
    for (const char *c = text; *c != '\0'; c++) {
        if (*c < '0' || *c > '9' || __builtin_mul_overflow(n, 10, &n) ||
            __builtin_add_overflow(n, (uint64_t)(*c - '0'), &n))
            return false;
    }
    *value = n;
    return n <= max;
}

/* So many digits at `*at`, which moves behind them. */
static bool digits(const char **at, unsigned count, int *value)
{
    *value = 0;
    for (; count > 0; count--, ++*at) {
        if (**at < '0' || **at > '9')
            return false;
        *value = *value * 10 + (**at - '0');
    }
    return true;
}

static bool sign(const char **at, char c)
{
    if (**at != c)
        return false;
    ++*at;
    return true;
}

static bool date_take(const char **at, int32_t *date)
{
    int year, month, day;
    if (!digits(at, 4, &year) || !sign(at, '-') || !digits(at, 2, &month) || !sign(at, '-') ||
        !digits(at, 2, &day))
        return false;
    if (year < 1970 || year > 2261 || month < 1 || month > 12 || day < 1 || day > 31)
        return false;
    struct calendar_civil civil = {year, (uint8_t)month, (uint8_t)day};
    *date = calendar_date_of(civil);
    struct calendar_civil back = calendar_civil_of(*date); /* the 31st of a month of 30 */
    return back.month == civil.month && back.day == civil.day;
}

bool http_date(const char *text, int32_t *date) { return date_take(&text, date) && *text == '\0'; }

static bool seconds_take(const char *text, int64_t *ns)
{
    const char *point = strchr(text, '.');
    char whole[24];
    uint64_t seconds, parts = 0;
    size_t len = point == NULL ? strlen(text) : (size_t)(point - text);
    if (len >= sizeof whole)
        return false;
    memcpy(whole, text, len);
    whole[len] = '\0';
    if (!http_number(whole, INT64_MAX / NS - 1, &seconds))
        return false;
    if (point != NULL) {
        size_t count = strlen(point + 1);
        if (count > 9 || !http_number(point + 1, NS - 1, &parts))
            return false;
        for (; count < 9; count++)
            parts *= 10;
    }
    *ns = (int64_t)seconds * NS + (int64_t)parts;
    return true;
}

bool http_time(const char *text, int64_t *ns)
{
    const char *at = text;
    int32_t date;
    int hour = 0, minute = 0, second = 0;
    if (!date_take(&at, &date))
        return seconds_take(text, ns);
    if (*at != '\0' &&
        (!sign(&at, 'T') || !digits(&at, 2, &hour) || !sign(&at, ':') || !digits(&at, 2, &minute) ||
         !sign(&at, ':') || !digits(&at, 2, &second) || !sign(&at, 'Z')))
        return false;
    if (*at != '\0' || hour > 23 || minute > 59 || second > 59)
        return false;
    *ns = ((int64_t)date * 86400 + hour * 3600 + minute * 60 + second) * NS;
    return true;
}

/* ---- headers */

/* One item of a list "a;q=0.5, b": its name's length, and its weight in thousandths. Moves *at behind it. */
static size_t item_next(const char **at, const char **name, unsigned *weight)
{
    *at += strspn(*at, " \t,");
    *name = *at;
    size_t len = strcspn(*at, " \t,;");
    const char *end = *at + strcspn(*at, ","), *q = *at + len;
    *weight = 1000;
    while (q < end && *q != 'q' && *q != 'Q')
        q++;
    if (q + 1 < end && q[1] == '=') {
        unsigned unit = 1000;
        *weight = 0;
        for (q += 2; q < end && (isdigit((unsigned char)*q) || *q == '.'); q++)
            if (*q != '.') {
                *weight += (unsigned)(*q - '0') * unit;
                unit /= 10;
            }
        *weight = *weight > 1000 ? 1000 : *weight;
    }
    *at = end;
    return len;
}

static bool is_word(const char *name, size_t len, const char *word)
{
    return strlen(word) == len && strncasecmp(name, word, len) == 0;
}

bool http_wants_protobuf(const char *accept)
{
    const char *name;
    unsigned weight, protobuf = 0, json = 0;
    size_t len;
    while (accept != NULL && (len = item_next(&accept, &name, &weight)) > 0) {
        if (is_word(name, len, "application/x-protobuf") ||
            is_word(name, len, "application/protobuf"))
            protobuf = weight > protobuf ? weight : protobuf;
        else if (is_word(name, len, "application/json"))
            json = weight > json ? weight : json;
    }
    return protobuf > 0 && protobuf >= json;
}

bool http_wants_gzip(const char *accept_encoding)
{
    const char *name;
    unsigned weight;
    size_t len;
    while (accept_encoding != NULL && (len = item_next(&accept_encoding, &name, &weight)) > 0)
        if (is_word(name, len, "gzip"))
            return weight > 0;
    return false;
}

/* Value of a base64 digit; -1: none. */
static int base64_digit(char c)
{
    static const char all[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c == '\0' ? NULL : strchr(all, c);
    return at == NULL ? -1 : (int)(at - all);
}

/* Bytes decoded, at most `size`; -1: no base64, or more. */
static int base64_decode(const char *text, char *to, size_t size)
{
    uint32_t bits = 0;
    unsigned have = 0;
    size_t len = 0;
    for (; *text != '\0' && *text != '='; text++) {
        int digit = base64_digit(*text);
        if (digit < 0)
            return -1;
        bits = bits << 6 | (uint32_t)digit;
        have += 6;
        if (have < 8)
            continue;
        have -= 8;
        if (len == size)
            return -1;
        to[len++] = (char)(bits >> have & 0xff);
    }
    return text[strspn(text, "=")] == '\0' ? (int)len : -1;
}

static enum http_authorization token_take(const char *text, size_t len, char token[HTTP_TOKEN])
{
    if (len == 0 || len >= HTTP_TOKEN || memchr(text, '\0', len) != NULL)
        return HTTP_AUTHORIZATION_BAD;
    memcpy(token, text, len);
    memset(token + len, 0, HTTP_TOKEN - len);
    return HTTP_AUTHORIZATION_TOKEN;
}

enum http_authorization http_authorization(const char *header, char token[HTTP_TOKEN])
{
    char pair[2 * HTTP_TOKEN];
    memset(token, 0, HTTP_TOKEN);
    if (header == NULL)
        return HTTP_AUTHORIZATION_NONE;
    size_t word = strcspn(header, " ");
    const char *text = header + word + strspn(header + word, " ");
    if (is_word(header, word, "Bearer"))
        return token_take(text, strlen(text), token);
    if (!is_word(header, word, "Basic"))
        return HTTP_AUTHORIZATION_BAD;
    int len = base64_decode(text, pair, sizeof pair);
    const char *colon = len < 0 ? NULL : memchr(pair, ':', (size_t)len);
    if (colon == NULL)
        return HTTP_AUTHORIZATION_BAD;
    return token_take(colon + 1, (size_t)(pair + len - colon - 1), token);
}

static bool port_is(const char *text)
{
    uint64_t port;
    return text[0] == '\0' || (text[0] == ':' && http_number(text + 1, UINT16_MAX, &port));
}

bool http_host_is_plain(const char *host)
{
    char name[HTTP_HOST];
    unsigned char address[16];
    bool is_six = host != NULL && host[0] == '[';
    if (host == NULL)
        return false;
    size_t len = is_six ? strcspn(host + 1, "]") : strcspn(host, ":");
    const char *start = host + is_six, *end = start + len;
    if (len == 0 || len >= sizeof name || (is_six && *end != ']') || !port_is(end + is_six))
        return false;
    memcpy(name, start, len);
    name[len] = '\0';
    if (is_six)
        return inet_pton(AF_INET6, name, address) == 1;
    return strcasecmp(name, "localhost") == 0 || inet_pton(AF_INET, name, address) == 1;
}

bool http_listen(const char *text, char host[HTTP_HOST], uint16_t *port)
{
    unsigned char address[16];
    uint64_t number;
    const char *colon = strrchr(text, ':');
    const char *digits_at = colon == NULL ? text : colon + 1;
    if (!http_number(digits_at, UINT16_MAX, &number))
        return false;
    *port = (uint16_t)number;
    if (colon == NULL) {
        strcpy(host, "127.0.0.1");
        return true;
    }
    bool is_six = text[0] == '[';
    size_t len = (size_t)(colon - text) - 2 * is_six;
    if ((is_six && (colon - text < 2 || colon[-1] != ']')) || len == 0 || len >= HTTP_HOST)
        return false;
    memcpy(host, text + is_six, len);
    host[len] = '\0';
    return inet_pton(is_six ? AF_INET6 : AF_INET, host, address) == 1;
}

bool http_has_tag(const char *if_none_match, const char *tag)
{
    const char *at = if_none_match;
    size_t len = strlen(tag);
    while (at != NULL && *at != '\0') {
        at += strspn(at, " \t,");
        at += strncmp(at, "W/", 2) == 0 ? 2 : 0;
        size_t word = strcspn(at, " \t,");
        if (word == len && strncmp(at, tag, len) == 0)
            return true;
        at += word;
    }
    return false;
}
