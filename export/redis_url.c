#include "export/redis_url.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DAY_S = 86400, DB_MAX = 65535 };

static const struct scheme {
    const char *text;
    bool is_tls, is_unix;
} schemes[] = {{"redis://", false, false}, {"rediss://", true, false}, {"unix://", false, true}};

static const struct scheme *scheme_find(const char *text)
{
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
        if (strncmp(text, schemes[i].text, strlen(schemes[i].text)) == 0)
            return &schemes[i];
    return NULL;
}

bool redis_url_is(const char *text) { return scheme_find(text) != NULL; }

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* `from`..`end` with %XX taken as bytes. False: too long, a broken %, or a zero. */
static bool text_take(char to[REDIS_TEXT], const char *from, const char *end)
{
    size_t len = 0;
    for (; from < end; from++) {
        char c = *from;
        if (c == '%') {
            int high = end - from > 2 ? hex_digit(from[1]) : -1;
            int low = high >= 0 ? hex_digit(from[2]) : -1;
            if (low < 0 || high * 16 + low == 0)
                return false;
            c = (char)(high * 16 + low);
            from += 2;
        }
        if (len + 1 == REDIS_TEXT)
            return false;
        to[len++] = c;
    }
    to[len] = 0;
    return true;
}

static bool number_take(uint64_t *to, const char *from, const char *end, uint64_t max)
{
    if (from == end)
        return false;
    for (*to = 0; from < end; from++) {
        if (*from < '0' || *from > '9')
            return false;
        *to = *to * 10 + (uint64_t)(*from - '0');
        if (*to > max)
            return false;
    }
    return true;
}

/* Seconds. At most 100 years, which no product of ours overflows on. */
static bool span_take(uint64_t *to, const char *text)
{
    static const struct {
        char unit;
        uint64_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', DAY_S}};
    const uint64_t max = UINT64_C(36525) * DAY_S;
    const char *end = text + strlen(text);
    uint64_t unit = 1;
    for (size_t i = 0; i < sizeof units / sizeof *units && end > text; i++)
        if (end[-1] == units[i].unit) {
            unit = units[i].seconds;
            end--;
            break;
        }
    if (!number_take(to, text, end, max))
        return false;
    *to *= unit;
    return *to > 0 && *to <= max;
}

/* ---- options ---- */

static int password_read(struct redis_url *out, const char *path, struct fault *fault)
{
    char line[REDIS_TEXT + 2];
    FILE *in = fopen(path, "re");
    if (in == NULL)
        return fault_set(fault, errno, "%s: %s", path, strerror(errno));
    bool is_read = fgets(line, sizeof line, in) != NULL;
    fclose(in);
    size_t len = is_read ? strcspn(line, "\r\n") : 0;
    if (len == 0 || len >= REDIS_TEXT)
        return fault_set(fault, EINVAL, "%s: its first line is no password of 1 to %d bytes", path,
                         REDIS_TEXT - 1);
    memcpy(out->password, line, len);
    out->password[len] = 0;
    return 0;
}

static int option_take(struct redis_url *out, const char *name, size_t name_len, const char *value,
                       struct fault *fault)
{
    static const struct {
        const char *name;
        size_t at;
    } texts[] = {{"ca", offsetof(struct redis_url, ca)},
                 {"cert", offsetof(struct redis_url, cert)},
                 {"key", offsetof(struct redis_url, key)}},
      spans[] = {{"keep_windows", offsetof(struct redis_url, keep_windows_s)},
                 {"keep_days", offsetof(struct redis_url, keep_days_s)},
                 {"keep_hours", offsetof(struct redis_url, keep_hours_s)},
                 {"keep_events", offsetof(struct redis_url, keep_events_s)},
                 {"timeout", offsetof(struct redis_url, timeout_ms)}};
#define IS(text) (strlen(text) == name_len && memcmp(text, name, name_len) == 0)
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (IS(texts[i].name)) {
            memcpy((char *)out + texts[i].at, value, strlen(value) + 1);
            return 0;
        }
    for (size_t i = 0; i < sizeof spans / sizeof *spans; i++)
        if (IS(spans[i].name)) {
            uint64_t seconds;
            uint64_t *to = (uint64_t *)(void *)((char *)out + spans[i].at);
            if (to == &out->keep_events_s && strcmp(value, "0") == 0)
                seconds = 0; /* none is told */
            else if (!span_take(&seconds, value))
                return fault_set(fault, EINVAL, "%s: '%s' is no span (90, 90s, 5m, 6h, 31d)",
                                 spans[i].name, value);
            *to = to == &out->timeout_ms ? seconds * 1000 : seconds;
            return 0;
        }
    if (IS("password_file"))
        return password_read(out, value, fault);
    if (IS("db")) {
        uint64_t db;
        if (!number_take(&db, value, value + strlen(value), DB_MAX))
            return fault_set(fault, EINVAL, "db: '%s' is no number of a database", value);
        out->db = (unsigned)db;
        return 0;
    }
#undef IS
    return fault_set(fault, EINVAL,
                     "'%.*s' is none of its options: db, password_file, timeout, "
                     "keep_windows, keep_days, keep_hours, keep_events, ca, cert, key",
                     (int)(name_len < 64 ? name_len : 64), name);
}

static int options_take(struct redis_url *out, const char *at, struct fault *fault)
{
    while (*at != 0) {
        char value[REDIS_TEXT];
        const char *end = at + strcspn(at, "&"), *equals = memchr(at, '=', (size_t)(end - at));
        if (equals == NULL)
            return fault_set(fault, EINVAL, "option '%.*s' has no value",
                             (int)(end - at < 64 ? end - at : 64), at);
        if (!text_take(value, equals + 1, end))
            return fault_set(fault, EINVAL, "value of %.*s: too long, or a broken %%XX",
                             (int)(equals - at < 64 ? equals - at : 64), at);
        int err = option_take(out, at, (size_t)(equals - at), value, fault);
        if (err < 0)
            return err;
        at = end + (*end == '&');
    }
    return 0;
}

/* ---- hosts ---- */

/* The first `c` in [at, end); NULL: there is none. */
static const char *find(const char *at, const char *end, char c)
{
    while (at < end && *at != c)
        at++;
    return at < end ? at : NULL;
}

static int host_take(struct redis_url *out, const char *at, const char *end, struct fault *fault)
{
    struct redis_host *host = &out->hosts[out->host_count];
    const char *name_end, *port = NULL;
    uint64_t number = REDIS_PORT;

    if (out->host_count == REDIS_HOSTS)
        return fault_set(fault, EINVAL, "more than %d hosts", REDIS_HOSTS);
    if (at < end && *at == '[') {
        at++;
        name_end = find(at, end, ']');
        if (name_end == NULL || (name_end + 1 < end && name_end[1] != ':'))
            return fault_set(fault, EINVAL, "a host in brackets does not end with ]");
        port = name_end + 1 < end ? name_end + 2 : NULL;
    } else {
        name_end = find(at, end, ':');
        port = name_end != NULL ? name_end + 1 : NULL;
        name_end = name_end != NULL ? name_end : end;
    }
    if (name_end == at)
        return fault_set(fault, EINVAL, "names no host");
    if (!text_take(host->name, at, name_end))
        return fault_set(fault, EINVAL, "host %.*s: too long, or a broken %%XX",
                         (int)(name_end - at < 64 ? name_end - at : 64), at);
    if (port != NULL && (!number_take(&number, port, end, 65535) || number == 0))
        return fault_set(fault, EINVAL, "port '%.*s' is none",
                         (int)(end - port < 64 ? end - port : 64), port);
    host->port = (uint16_t)number;
    out->host_count++;
    return 0;
}

/* Takes "user:password@" off. */
static int user_take(struct redis_url *out, const char **at, const char *end, struct fault *fault)
{
    const char *sign = memrchr(*at, '@', (size_t)(end - *at));
    if (sign == NULL)
        return 0;
    const char *colon = find(*at, sign, ':');
    if (!text_take(out->user, *at, colon != NULL ? colon : sign) ||
        (colon != NULL && !text_take(out->password, colon + 1, sign)))
        return fault_set(fault, EINVAL, "user or password: too long, or a broken %%XX");
    out->has_password_in_text = colon != NULL;
    *at = sign + 1;
    return 0;
}

static int place_take(struct redis_url *out, const struct scheme *scheme, const char *at,
                      const char *end, struct fault *fault)
{
    const char *slash = find(at, end, '/');
    int err = 0;
    if (scheme->is_unix) {
        if (slash != at || end - at < 2 || !text_take(out->hosts[0].name, at, end))
            return fault_set(fault, EINVAL, "names no socket: its path begins with /");
        out->host_count = 1;
        return 0;
    }
    const char *hosts_end = slash != NULL ? slash : end;
    for (const char *next; err == 0; at = next + 1) {
        next = find(at, hosts_end, ',');
        err = host_take(out, at, next != NULL ? next : hosts_end, fault);
        if (next == NULL)
            break;
    }
    if (err == 0 && slash != NULL && slash + 1 < end) {
        uint64_t db;
        if (!number_take(&db, slash + 1, end, DB_MAX))
            return fault_set(fault, EINVAL, "'%.*s' is no number of a database",
                             (int)(end - slash - 1 < 64 ? end - slash - 1 : 64), slash + 1);
        out->db = (unsigned)db;
    }
    return err;
}

int redis_url_parse(struct redis_url *out, const char *text, struct fault *fault)
{
    const struct scheme *scheme = scheme_find(text);
    *out = (struct redis_url){.timeout_ms = 10000,
                              .keep_windows_s = 31 * DAY_S,
                              .keep_days_s = 400 * DAY_S,
                              .keep_hours_s = 7 * DAY_S,
                              .keep_events_s = 31 * DAY_S};
    if (scheme == NULL)
        return fault_set(fault, EINVAL, "begins with none of redis://, rediss://, unix://");
    out->is_tls = scheme->is_tls;
    const char *at = text + strlen(scheme->text), *end = at + strcspn(at, "?");
    /* The @ of a socket's path is no user's: users end before the first slash. */
    const char *user_end = scheme->is_unix ? at + strcspn(at, "/?") : end;
    int err = user_take(out, &at, user_end, fault);
    if (err == 0)
        err = place_take(out, scheme, at, end, fault);
    if (err == 0 && *end == '?')
        err = options_take(out, end + 1, fault);
    const char *password = getenv("YAMISCOPE_REDIS_PASSWORD");
    if (err == 0 && out->password[0] == 0 && password != NULL) {
        if (strlen(password) >= REDIS_TEXT)
            return fault_set(fault, EINVAL, "YAMISCOPE_REDIS_PASSWORD: more than %d bytes",
                             REDIS_TEXT - 1);
        memcpy(out->password, password, strlen(password) + 1);
    }
#ifndef HAVE_HIREDIS_SSL
    if (err == 0 && out->is_tls)
        err = fault_set(fault, ENOTSUP,
                        "rediss:// needs hiredis_ssl (hiredis 1.0 or newer), which this program "
                        "was built without; stunnel can stand between");
#endif
    return err;
}

const char *redis_url_name(const struct redis_url *url, char name[REDIS_NAME])
{
    bool is_unix = url->hosts[0].port == 0;
    size_t len = (size_t)snprintf(name, REDIS_NAME, "%s%.60s%s",
                                  is_unix       ? "unix://"
                                  : url->is_tls ? "rediss://"
                                                : "redis://",
                                  url->user, url->user[0] != 0 ? "@" : "");
    for (unsigned i = 0; i < url->host_count && len < REDIS_NAME; i++) {
        const struct redis_host *host = &url->hosts[i];
        const char *is_6 = strchr(host->name, ':');
        len += (size_t)snprintf(name + len, REDIS_NAME - len,
                                is_unix ? "%s%s%.100s%s" : "%s%s%.100s%s:%u", i > 0 ? "," : "",
                                !is_unix && is_6 ? "[" : "", host->name,
                                !is_unix && is_6 ? "]" : "", (unsigned)host->port);
    }
    if (url->db != 0 && len < REDIS_NAME)
        (void)snprintf(name + len, REDIS_NAME - len, is_unix ? "?db=%u" : "/%u", url->db);
    return name;
}
