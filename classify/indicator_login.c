/* Logins in payloads. */
#include "classify/indicator_finding.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { LOGIN_MAX = 64 };

/* Bytes of a payload, or of what was decoded of it. */
struct part {
    const char *at;
    size_t len;
};

/* `user` and `password` as a value; neither is longer than LOGIN_MAX. */
static void login_add(struct finding *f, struct part user, struct part password)
{
    char value[2 * 4 * LOGIN_MAX + 2], plain[2 * LOGIN_MAX + 2];
    size_t len = 0, at = 0;
    if (user.len + password.len == 0 || user.len > LOGIN_MAX || password.len > LOGIN_MAX)
        return;
    for (unsigned part = 0; part < 2; part++) {
        const struct part *w = part == 0 ? &user : &password;
        for (size_t i = 0; i < w->len; i++) {
            unsigned char c = (unsigned char)w->at[i];
            plain[at++] = (char)(c != 0 ? c : ' ');
            if (c < ' ' || c > '~' || c == '\\' || (part == 0 && c == ':'))
                len += (size_t)sprintf(value + len, "\\x%02x", c);
            else
                value[len++] = (char)c;
        }
        if (part == 0)
            value[len++] = plain[at++] = ':';
    }
    value[len] = plain[at] = 0;
    if (!finding_withholds(f, plain) && !finding_withholds(f, value))
        finding_add(f, INDICATOR_LOGIN, INDICATOR_IS_LOGIN, value);
}

/* ---- base64 ---- */

static int base64_value(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c == 0 ? NULL : strchr(digits, c);
    return at == NULL ? -1 : (int)(at - digits);
}

/* A login in base64, from `text` on. A line's end behind it is none of it. */
static void coded_take(struct finding *f, const char *text)
{
    char plain[2 * LOGIN_MAX + 2];
    size_t at = 0, len = 0;
    unsigned bits = 0, held = 0;
    for (int value; (value = base64_value(text[at])) >= 0 && len < sizeof plain; at++) {
        bits = bits << 6 | (unsigned)value;
        held += 6;
        if (held >= 8)
            plain[len++] = (char)(bits >> (held -= 8));
    }
    if (len == sizeof plain || (f->from->is_cut && text + at == f->raw + f->raw_len))
        return;
    while (len > 0 && (plain[len - 1] == '\n' || plain[len - 1] == '\r'))
        len--;
    const char *colon = memchr(plain, ':', len);
    if (colon != NULL && colon > plain)
        login_add(f, (struct part){plain, (size_t)(colon - plain)},
                  (struct part){colon + 1, len - 1 - (size_t)(colon - plain)});
}

/* Authorization: Basic ...; and ?auth=... */
static void coded_find(struct finding *f)
{
    static const char name[] = "authorization:";
    for (const char *at = f->raw; *at != 0; at++) {
        if (!finding_begins(*at, FINDING_LETTER('a')))
            continue;
        if (strncasecmp(at, name, sizeof name - 1) == 0) {
            const char *value = at + sizeof name - 1;
            value += strspn(value, " ");
            if (strncasecmp(value, "basic ", 6) == 0)
                coded_take(f, value + 6 + strspn(value + 6, " "));
        } else if (at > f->raw && (at[-1] == '?' || at[-1] == '&') &&
                   strncasecmp(at, "auth=", 5) == 0) {
            coded_take(f, at + 5);
        }
    }
}

/* ---- fields ---- */

/* The value behind a field's name: of a query or a form, or of JSON. Its length is SIZE_MAX where there is none. */
static struct part value_at(const struct finding *f, const char *at)
{
    const struct part none = {NULL, SIZE_MAX};
    const char *ends = "& \r\n\"';<>";
    if (*at == '"') {
        at++;
        at += strspn(at, " ");
        if (*at++ != ':')
            return none;
        at += strspn(at, " ");
        if (*at++ != '"')
            return none;
        ends = "\"\r\n";
    } else if (*at++ != '=') {
        return none;
    }
    size_t len = strcspn(at, ends);
    bool is_half = f->from->is_cut && at + len == f->raw + f->raw_len;
    return is_half ? none : (struct part){at, len};
}

/* The value of the first of the fields that is there. */
static struct part field_find(const struct finding *f, const char *const *names, size_t count)
{
    struct part found = {NULL, SIZE_MAX};
    uint32_t letters = 0;
    for (size_t i = 0; i < count; i++)
        letters |= FINDING_LETTER(names[i][0]);
    for (const char *at = f->raw; *at != 0 && found.len == SIZE_MAX; at++) {
        if (!finding_begins(*at, letters))
            continue;
        if (at > f->raw && strchr("?& \n\";,{", at[-1]) == NULL)
            continue;
        for (size_t i = 0; i < count && found.len == SIZE_MAX; i++) {
            size_t len = strlen(names[i]);
            if (strncasecmp(at, names[i], len) == 0)
                found = value_at(f, at + len);
        }
    }
    return found;
}

/* Percent-encoding and + made plain; what is too long stays so. */
static struct part field_decode(struct part from, char to[LOGIN_MAX + 1])
{
    size_t len = 0;
    for (size_t i = 0; i < from.len; i++) {
        char c = from.at[i];
        if (len > LOGIN_MAX)
            return from;
        if (c == '%' && i + 2 < from.len && finding_hex((uint8_t)from.at[i + 1]) >= 0 &&
            finding_hex((uint8_t)from.at[i + 2]) >= 0) {
            c = (char)(finding_hex((uint8_t)from.at[i + 1]) << 4 |
                       finding_hex((uint8_t)from.at[i + 2]));
            i += 2;
        } else if (c == '+') {
            c = ' ';
        }
        to[len++] = c;
    }
    return (struct part){to, len};
}

static void fields_find(struct finding *f)
{
    static const char *const users[] = {"username", "user", "login", "loginuse",
                                        "uname",    "usr",  "luser", "userid"};
    static const char *const passwords[] = {"password", "passwd",   "pass", "pwd",
                                            "psd",      "loginpas", "psw",  "passwrd"};
    struct part user = field_find(f, users, sizeof users / sizeof *users);
    struct part password = field_find(f, passwords, sizeof passwords / sizeof *passwords);
    char plain_user[LOGIN_MAX + 1], plain_password[LOGIN_MAX + 1];
    if (user.len != SIZE_MAX && user.len > 0 && password.len != SIZE_MAX)
        login_add(f, field_decode(user, plain_user), field_decode(password, plain_password));
}

/* ---- Telnet ---- */

/* Telnet's commands taken out (RFC 854): IAC and what belongs to it. */
static size_t telnet_plain(const uint8_t *payload, size_t len, char *to)
{
    enum { IAC = 255, SB = 250, SE = 240, WILL = 251 };
    size_t count = 0;
    for (size_t i = 0; i < len; i++) {
        if (payload[i] != IAC) {
            to[count++] = (char)payload[i];
        } else if (i + 1 < len && payload[i + 1] == SB) {
            while (i + 1 < len && !(payload[i] == IAC && payload[i + 1] == SE))
                i++;
            i++;
        } else {
            i += i + 1 < len && payload[i + 1] >= WILL ? 2 : 1;
        }
    }
    return count;
}

static bool ends_line(char c) { return c == '\r' || c == '\n' || c == 0; }

/* The next line, which may be a name or a password, and ends; *at goes behind its end. */
static bool line_read(const char *text, size_t count, size_t *at, struct part *line)
{
    while (*at < count && ends_line(text[*at]))
        ++*at;
    *line = (struct part){text + *at, 0};
    for (; *at < count && !ends_line(text[*at]); ++*at, line->len++)
        if (text[*at] <= ' ' || text[*at] > '~' || strchr("/;|`$", text[*at]) != NULL)
            return false;
    return line->len > 0 && line->len <= 32 && *at < count;
}

static bool is_shell(struct part line)
{
    static const char *const words[] = {"enable",      "system", "shell", "sh", "linuxshell",
                                        "start-shell", "ping",   "cat",   "cd", "echo",
                                        "ls",          "su",     "exit"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (line.len == strlen(words[i]) && strncmp(line.at, words[i], line.len) == 0)
            return true;
    return false;
}

/* The first two lines, where they can be a login: no commands of a shell; or the only one. */
static void telnet_find(struct finding *f, const uint8_t *payload, size_t len)
{
    char text[INDICATOR_BYTES];
    struct part first, second;
    size_t count = telnet_plain(payload, len, text), at = 0;
    if (!line_read(text, count, &at, &first) || is_shell(first))
        return;
    if (line_read(text, count, &at, &second))
        login_add(f, first, second);
    else if (at == count && second.len == 0)
        login_add(f, second, first);
}

void finding_logins(struct finding *f, const uint8_t *payload, size_t len)
{
    coded_find(f);
    fields_find(f);
    if (f->from->is_telnet)
        telnet_find(f, payload, len);
}
