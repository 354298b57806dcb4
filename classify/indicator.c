#include "classify/indicator.h"

#include "classify/indicator_dark.h"
#include "classify/indicator_finding.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { WORDS_MAX = 24, WORD_MAX = 320, HOST_MAX = 254 };

/* A command's. */
struct words {
    char at[WORDS_MAX][WORD_MAX + 1];
    unsigned count;
};

const char *indicator_kind_name(enum indicator_kind kind)
{
    static const char *const names[] = {"host", "url", "login"};
    return names[kind];
}

const char *indicator_role_name(enum indicator_role role)
{
    static const char *const names[] = {"loader", "c2", "login"};
    return names[role];
}

void finding_add(struct finding *f, enum indicator_kind kind, enum indicator_role role,
                 const char *value)
{
    struct indicators *out = f->out;
    for (unsigned n = 0; n < out->count; n++)
        if (out->at[n].kind == kind && out->at[n].role == role &&
            strcmp(out->at[n].value, value) == 0)
            return;
    if (out->count == INDICATORS_MAX || strlen(value) >= INDICATOR_VALUE)
        return;
    struct indicator *i = &out->at[out->count++];
    i->kind = (uint8_t)kind;
    i->role = (uint8_t)role;
    strcpy(i->value, value);
}

bool finding_withholds(struct finding *f, const char *text)
{
    bool mentions = indicator_mentions_dark(text, f->from);
    f->out->withheld += mentions;
    return mentions;
}

/* ---- hosts ---- */

/* A name of the Internet: labels, a dot, letters at its end; not one that is meant for a network of one's own. */
static bool is_name(const char *host)
{
    static const char *const own[] = {"local", "internal",    "arpa",    "localhost", "lan",
                                      "home",  "localdomain", "invalid", "test"};
    size_t label = 0, len = strlen(host);
    const char *last = strrchr(host, '.');
    if (last == NULL || last == host || len >= HOST_MAX || strlen(last) < 3)
        return false;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)host[i];
        if (c == '.' ? label == 0 : !(isalnum(c) || c == '-' || c == '_'))
            return false;
        label = c == '.' ? 0 : label + 1;
        if (label > 63)
            return false;
    }
    for (const char *c = last + 1; *c != 0; c++)
        if (!isalpha((unsigned char)*c))
            return false;
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (strcasecmp(last + 1, own[i]) == 0)
            return false;
    return true;
}

/* Addresses that are nobody's beyond a host or a group: this network, loopback, multicast and above; of IPv6 likewise. */
static bool is_nobody(const uint8_t address[16], unsigned ip_version)
{
    static const uint8_t zeros[15];
    if (ip_version == 4)
        return address[0] == 0 || address[0] == 127 || address[0] >= 224;
    return address[0] == 0xff || (memcmp(address, zeros, sizeof zeros) == 0 && address[15] <= 1);
}

/* The host's text where it may be told: neither dark nor nobody's. */
static bool address_make(struct finding *f, const uint8_t address[16], unsigned ip_version,
                         char to[HOST_MAX + 2])
{
    if (is_nobody(address, ip_version))
        return false;
    if (dark_is(f->from, address, ip_version)) {
        f->out->withheld++;
        return false;
    }
    if (ip_version == 4)
        return inet_ntop(AF_INET, address, to, HOST_MAX) != NULL && !finding_withholds(f, to);
    to[0] = '[';
    inet_ntop(AF_INET6, address, to + 1, HOST_MAX);
    strcat(to, "]");
    return !finding_withholds(f, to);
}

/* Makes a host plain: addresses in their usual form, names in small letters. False: it is none that may be told. */
static bool host_make(struct finding *f, const char *host, char to[HOST_MAX + 2])
{
    uint8_t address[16] = {0};
    size_t len;
    if (host[0] == '[' || strchr(host, ':') != NULL) {
        char inner[INET6_ADDRSTRLEN];
        size_t inner_len = host[0] == '[' ? strcspn(host + 1, "]") : strlen(host);
        if (inner_len >= sizeof inner)
            return false;
        memcpy(inner, host + (host[0] == '['), inner_len);
        inner[inner_len] = 0;
        return inet_pton(AF_INET6, inner, address) == 1 && address_make(f, address, 6, to);
    }
    if (dark_parse4(host, '.', 1, address, &len) > 0 && host[len] == 0)
        return address_make(f, address, 4, to);
    if (!is_name(host) || finding_withholds(f, host))
        return false;
    for (len = 0; host[len] != 0; len++)
        to[len] = (char)tolower((unsigned char)host[len]);
    to[len] = 0;
    return true;
}

/* The dots of a host in brackets. */
static size_t host_defang(char *to, const char *host)
{
    size_t len = 0;
    bool is_six = host[0] == '[';
    for (; *host != 0; host++) {
        if (*host == '.' && !is_six) {
            memcpy(to + len, "[.]", 3);
            len += 3;
        } else if (*host == ':' && is_six) {
            memcpy(to + len, "[:]", 3);
            len += 3;
        } else if (!is_six || (*host != '[' && *host != ']')) {
            to[len++] = *host;
        }
    }
    to[len] = 0;
    return len;
}

static void host_add(struct finding *f, enum indicator_role role, const char *host)
{
    char value[3 * HOST_MAX + 8];
    host_defang(value, host);
    finding_add(f, INDICATOR_HOST, role, value);
}

/* ---- URLs ---- */

/* What is left of a path: no query, no fragment, nothing that is no printable ASCII. */
static size_t path_len(const char *path)
{
    size_t len = 0;
    while (path[len] > ' ' && path[len] < 0x7f && strchr("?#\"'<>\\^`{}|", path[len]) == NULL)
        len++;
    return len;
}

/* scheme://authority/path; `path` may be without its slash. */
static void url_add(struct finding *f, const char *scheme, const char *authority, const char *path)
{
    char host_text[HOST_MAX], host[HOST_MAX + 2], value[4 * INDICATOR_VALUE], port[8] = "";
    char told[WORD_MAX + 2];
    const char *at = strrchr(authority, '@'), *end;
    size_t len;
    authority = at != NULL ? at + 1 : authority;
    end = authority[0] == '[' ? strchr(authority, ']') : strchr(authority, ':');
    if (authority[0] == '[' && end != NULL)
        end++;
    len = end != NULL ? (size_t)(end - authority) : strlen(authority);
    if (len == 0 || len >= sizeof host_text)
        return;
    memcpy(host_text, authority, len);
    host_text[len] = 0;
    if (authority[len] == ':') {
        char *rest;
        unsigned long number = strtoul(authority + len + 1, &rest, 10);
        if (*rest != 0 || number == 0 || number > 65535)
            return;
        snprintf(port, sizeof port, ":%lu", number);
    } else if (authority[len] != 0) {
        return;
    }
    if (!host_make(f, host_text, host))
        return;
    len = (size_t)snprintf(value, sizeof value, "%s://",
                           strcasecmp(scheme, "https") == 0  ? "hxxps"
                           : strcasecmp(scheme, "http") == 0 ? "hxxp"
                                                             : scheme);
    for (size_t i = 0; i < len; i++)
        value[i] = (char)tolower((unsigned char)value[i]);
    len += host_defang(value + len, host);
    snprintf(told, sizeof told, "%s%.*s", path[0] == '/' ? "" : "/", (int)path_len(path), path);
    snprintf(value + len, sizeof value - len, "%s%s", port, told);
    if (!finding_withholds(f, told))
        finding_add(f, INDICATOR_URL, INDICATOR_LOADER, value);
    host_add(f, INDICATOR_LOADER, host);
}

/* Whether it begins with an address of IPv4. */
static bool is_address(const char *word)
{
    uint8_t address[4];
    size_t len;
    return dark_parse4(word, '.', 4, address, &len) > 0 && (word[len] == 0 || word[len] == ':');
}

/* A word "scheme://..." or "host/path"; "host" where it stands alone. */
static void word_as_url(struct finding *f, const char *word, bool needs_scheme, bool is_alone)
{
    static const char *const schemes[] = {"http", "https", "ftp", "tftp",
                                          "ldap", "ldaps", "rmi", "dns"};
    char authority[WORD_MAX + 1];
    const char *at = strstr(word, "://"), *scheme = needs_scheme ? NULL : "http";
    size_t len;
    for (size_t i = 0; at != NULL && i < sizeof schemes / sizeof *schemes; i++)
        if ((size_t)(at - word) == strlen(schemes[i]) &&
            strncasecmp(word, schemes[i], strlen(schemes[i])) == 0)
            scheme = schemes[i];
    if (at != NULL && (size_t)(at - word) != (scheme != NULL ? strlen(scheme) : 0))
        return;
    if (scheme == NULL)
        return;
    if (at == NULL && !is_alone && strchr(word, '/') == NULL && !is_address(word))
        return; /* rather the value of an option */
    at = at != NULL ? at + 3 : word;
    len = strcspn(at, "/?#");
    memcpy(authority, at, len);
    authority[len] = 0;
    url_add(f, scheme, authority, at[len] == '/' ? at + len : "/");
}

/* ---- commands ---- */

static bool is_separator(char c) { return c == 0 || strchr(";|&\n\r`()<>", c) != NULL; }

/* The words of a command from `at` on, copied. What touches the end of a cut payload is left out. */
static const struct words *words_read(const struct finding *f, const char *at, struct words *words)
{
    words->count = 0;
    while (words->count < WORDS_MAX) {
        size_t len = 0;
        while (*at == ' ' || *at == '"' || *at == '\'')
            at++;
        if (is_separator(*at))
            break;
        while (!is_separator(at[len]) && strchr(" \"'$,\\", at[len]) == NULL)
            len++;
        if (len == 0)
            break;
        if (len > WORD_MAX || (f->from->is_cut && at + len == f->text + f->len))
            break;
        memcpy(words->at[words->count], at, len);
        words->at[words->count++][len] = 0;
        at += len;
        if (*at == '$' || *at == ',' || *at == '\\')
            break;
    }
    return words;
}

/* The word behind an option; "" where there is none. */
static const char *option_of(const struct words *w, const char *name)
{
    for (unsigned i = 0; i + 1 < w->count; i++)
        if (strcmp(w->at[i], name) == 0)
            return w->at[i + 1];
    return "";
}

/* The n-th word, from 0, that is no option nor the value of one of `valued`. "" where there is none. */
static const char *plain_word(const struct words *w, const char *valued, unsigned n)
{
    for (unsigned i = 0; i < w->count; i++) {
        if (w->at[i][0] == '-' && w->at[i][1] != 0) {
            i += w->at[i][2] == 0 && strchr(valued, w->at[i][1]) != NULL;
            continue;
        }
        if (n-- == 0)
            return w->at[i];
    }
    return "";
}

static void all_urls(struct finding *f, const struct words *w, const char *valued)
{
    const char *word;
    bool is_alone = plain_word(w, valued, 1)[0] == 0;
    for (unsigned n = 0; (word = plain_word(w, valued, n))[0] != 0; n++)
        word_as_url(f, word, false, is_alone);
}

static void of_curl(struct finding *f, const struct words *w) { all_urls(f, w, "oTUmHAeXdux"); }

static void of_wget(struct finding *f, const struct words *w)
{
    const char *host = option_of(w, "-g"), *path = option_of(w, "-r");
    if (host[0] != 0 && path[0] != 0)
        url_add(f, "http", host, path);
    else
        all_urls(f, w, "OoPTtUeA");
}

static void of_tftp(struct finding *f, const struct words *w)
{
    const char *file = option_of(w, "-r"), *host = plain_word(w, "rlbcm", 0);
    if (file[0] == 0)
        file = option_of(w, "get");
    if (strstr(host, "://") != NULL)
        word_as_url(f, host, true, false);
    else if (host[0] != 0 && strcmp(host, "get") != 0)
        url_add(f, "tftp", host, file);
}

static void of_ftpget(struct finding *f, const struct words *w)
{
    const char *host = plain_word(w, "upP", 0);
    const char *local = plain_word(w, "upP", 1);
    const char *remote = plain_word(w, "upP", 2);
    if (host[0] != 0)
        url_add(f, "ftp", host, remote[0] != 0 ? remote : local);
}

static bool is_port(const char *text)
{
    char *end;
    unsigned long number = strtoul(text, &end, 10);
    return isdigit((unsigned char)text[0]) && *end == 0 && number > 0 && number < 65536;
}

static void of_nc(struct finding *f, const struct words *w)
{
    const char *host = plain_word(w, "epsw", 0), *port = plain_word(w, "epsw", 1);
    char plain[HOST_MAX + 2];
    if (is_port(port) && host_make(f, host, plain))
        host_add(f, INDICATOR_C2, plain);
}

static const struct {
    const char *name;
    void (*take)(struct finding *f, const struct words *w);
} commands[] = {
    {"wget", of_wget}, {"curl", of_curl},     {"fetch", of_curl}, {"lwp-download", of_wget},
    {"tftp", of_tftp}, {"ftpget", of_ftpget}, {"nc", of_nc},      {"ncat", of_nc},
    {"telnet", of_nc},
};

/* jndi:SCHEME://... */
static void jndi_find(struct finding *f, const char *at)
{
    char word[WORD_MAX + 1];
    size_t len = strcspn(at, " }\"'\r\n");
    if (len > WORD_MAX || (at[len] == 0 && f->from->is_cut))
        return;
    memcpy(word, at, len);
    word[len] = 0;
    word_as_url(f, word, true, false);
}

static void commands_find(struct finding *f)
{
    struct words words;
    uint32_t letters = FINDING_LETTER('j');
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        letters |= FINDING_LETTER(commands[i].name[0]);
    for (const char *at = f->text; *at != 0; at++) {
        if (!finding_begins(*at, letters))
            continue;
        if (at > f->text && (isalnum((unsigned char)at[-1]) || at[-1] == '-' || at[-1] == '_'))
            continue;
        for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
            size_t len = strlen(commands[i].name);
            if (strncasecmp(at, commands[i].name, len) == 0 && at[len] == ' ')
                commands[i].take(f, words_read(f, at + len, &words));
        }
        if (strncasecmp(at, "jndi:", 5) == 0)
            jndi_find(f, at + 5);
    }
}

/* /dev/tcp/HOST/PORT. */
static void devices_find(struct finding *f)
{
    for (const char *at = f->text; (at = strstr(at, "/dev/tcp/")) != NULL; at++) {
        char host[HOST_MAX], plain[HOST_MAX + 2];
        size_t len = strcspn(at + 9, "/ ;|&");
        if (len > 0 && len < sizeof host && at[9 + len] == '/' &&
            isdigit((unsigned char)at[9 + len + 1])) {
            memcpy(host, at + 9, len);
            host[len] = 0;
            if (host_make(f, host, plain))
                host_add(f, INDICATOR_C2, plain);
        }
    }
}

/* ---- whole ---- */

int finding_hex(uint8_t c)
{
    return c >= '0' && c <= '9'                     ? c - '0'
           : tolower(c) >= 'a' && tolower(c) <= 'f' ? tolower(c) - 'a' + 10
                                                    : -1;
}

/* Percent-encoding, + and the shell's field separator become what they stand for; what is no text becomes a space. `to` may be `from`. */
static size_t text_make(char *to, const uint8_t *from, size_t len)
{
    size_t count = 0;
    for (size_t i = 0; i < len; i++) {
        uint8_t c = from[i];
        if (c == '%' && i + 2 < len && finding_hex(from[i + 1]) >= 0 &&
            finding_hex(from[i + 2]) >= 0) {
            c = (uint8_t)(finding_hex(from[i + 1]) << 4 | finding_hex(from[i + 2]));
            i += 2;
        } else if (c == '+') {
            c = ' ';
        } else if (c == '$' && len - i >= 6 && memcmp(from + i, "${IFS}", 6) == 0) {
            c = ' ';
            i += 5;
        } else if (c == '$' && len - i >= 4 && memcmp(from + i, "$IFS", 4) == 0) {
            c = ' ';
            i += 3 + (len - i >= 6 && from[i + 4] == '$' && isdigit(from[i + 5]) ? 2 : 0);
        }
        to[count++] = (char)(c == '\n' || c == '\r' || (c >= ' ' && c <= '~') ? c : ' ');
    }
    to[count] = 0;
    return count;
}

/* What a lookup of Log4j stands for, as senders hide letters in it: ${lower:X}, ${upper:X}, ${anything:-X}. False: it is another one. */
static bool lookup_read(const char *at, size_t len, const char **value, size_t *value_len)
{
    const char *colon = memchr(at, ':', len), *dash = NULL;
    for (size_t i = 0; i + 1 < len && dash == NULL; i++)
        dash = at[i] == ':' && at[i + 1] == '-' ? at + i + 2 : NULL;
    if (dash != NULL)
        *value = dash;
    else if (colon == at + 5 && (strncmp(at, "lower", 5) == 0 || strncmp(at, "upper", 5) == 0))
        *value = colon + 1;
    else
        return false;
    *value_len = len - (size_t)(*value - at);
    return true;
}

/* Resolves such lookups, the innermost first: where one ends, it begins with the last ${ before. */
static void lookups_resolve(struct finding *f)
{
    char *text = f->text;
    size_t count = 0;
    for (size_t i = 0; i < f->len; i++) {
        const char *value;
        size_t open = count, value_len;
        text[count++] = text[i];
        if (text[i] != '}')
            continue;
        while (open > 0 && !(text[open - 1] == '$' && text[open] == '{'))
            open--;
        if (open == 0 || !lookup_read(text + open + 1, count - open - 2, &value, &value_len))
            continue;
        memmove(text + open - 1, value, value_len);
        count = open - 1 + value_len;
    }
    text[count] = 0;
    f->len = count;
}

static void text_find(struct finding *f)
{
    if (strstr(f->text, "${") != NULL)
        lookups_resolve(f);
    commands_find(f);
    devices_find(f);
}

void indicators_find(struct indicators *out, const uint8_t *payload, size_t len,
                     const struct indicator_from *from)
{
    struct indicator_from of = *from;
    struct finding f = {.out = out, .from = &of};
    out->count = out->withheld = 0;
    of.is_cut |= len > INDICATOR_BYTES;
    f.raw_len = len < INDICATOR_BYTES ? len : INDICATOR_BYTES;
    for (size_t i = 0; i < f.raw_len; i++)
        f.raw[i] = payload[i] == 0 ? ' ' : (char)payload[i];
    f.raw[f.raw_len] = 0;
    f.len = text_make(f.text, payload, f.raw_len);
    text_find(&f);
    if (out->count + out->withheld == 0 && strchr(f.text, '%') != NULL) { /* encoded twice */
        f.len = text_make(f.text, (const uint8_t *)f.text, f.len);
        text_find(&f);
    }
    finding_logins(&f, payload, f.raw_len);
}

/* ---- values ---- */

/* The host of a URL's value: from where on, how long. Of others all of it. */
static size_t host_of(enum indicator_kind kind, const char *value, size_t *len)
{
    const char *at = kind == INDICATOR_URL ? strstr(value, "://") : NULL;
    size_t begin = at != NULL ? (size_t)(at + 3 - value) : 0;
    *len = strlen(value + begin);
    for (size_t i = begin; at != NULL && value[i] != 0; i++) {
        bool is_bracketed = i > begin && value[i - 1] == '[' && value[i + 1] == ']';
        if (value[i] == '/' || (value[i] == ':' && !is_bracketed)) {
            *len = i - begin;
            break;
        }
    }
    return begin;
}

const char *indicator_refang(char *to, size_t size, enum indicator_kind kind, const char *value)
{
    bool is_web = kind == INDICATOR_URL && strncmp(value, "hxxp", 4) == 0, is_six = false;
    size_t len = 0, host_len, host = host_of(kind, value, &host_len), from = 0;
    for (size_t i = host; kind == INDICATOR_URL && i + 2 < host + host_len; i++)
        is_six |= strncmp(value + i, "[:]", 3) == 0;
    for (; value[from] != 0 && len + 3 < size; from++) {
        bool is_host = kind != INDICATOR_LOGIN && from >= host && from < host + host_len;
        if (is_six && from == host + host_len)
            to[len++] = ']';
        if (is_six && from == host)
            to[len++] = '[';
        bool is_bracketed = is_host && value[from] == '[' && value[from + 1] != 0;
        to[len++] = is_bracketed                         ? value[from + 1]
                    : is_web && (from == 1 || from == 2) ? 't'
                                                         : value[from];
        from += is_bracketed && value[from + 2] != 0 ? 2 : is_bracketed;
    }
    to[len] = 0;
    return to;
}

bool indicator_is_private(enum indicator_kind kind, const char *value)
{
    char part[INDICATOR_VALUE], plain[INDICATOR_VALUE];
    uint8_t a[16];
    size_t len, host = host_of(kind, value, &len);
    if (kind == INDICATOR_LOGIN || len >= sizeof part)
        return false;
    memcpy(part, value + host, len);
    part[len] = 0;
    indicator_refang(plain, sizeof plain, INDICATOR_HOST, part);
    if (inet_pton(AF_INET6, plain, a) == 1)
        return (a[0] & 0xfe) == 0xfc || (a[0] == 0xfe && (a[1] & 0xc0) == 0x80);
    if (inet_pton(AF_INET, plain, a) != 1)
        return false;
    return a[0] == 10 || (a[0] == 172 && (a[1] & 0xf0) == 16) || (a[0] == 192 && a[1] == 168) ||
           (a[0] == 100 && (a[1] & 0xc0) == 64) || (a[0] == 169 && a[1] == 254);
}
