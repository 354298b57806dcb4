#include "export/courier_state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TIMEOUT_MS = 10000, TIMEOUT_MAX_S = 3600, TRIES = 5, TRIES_MAX = 1000 };

static const struct {
    const char *name;
    size_t len;
} kinds[] = {[COURIER_WEBHOOK] = {"webhook:", 8},
             [COURIER_COMMAND] = {"command:", 8},
             [COURIER_FILE] = {"file:", 5}};
enum { KINDS = sizeof kinds / sizeof *kinds };

static unsigned kind_find(const char *spec)
{
    unsigned kind = 0;
    while (kind < KINDS && strncmp(spec, kinds[kind].name, kinds[kind].len) != 0)
        kind++;
    return kind;
}

bool courier_is(const char *spec) { return kind_find(spec) < KINDS; }

/* Names joined by commas, as a set of 1 << what `find` says of each; `end`: it knows none. */
static int set_read(uint32_t *set, char *words, unsigned (*find)(const char *name), unsigned end,
                    struct fault *fault)
{
    char *rest = words;
    *set = 0;
    for (char *word; (word = strsep(&rest, ",")) != NULL;) {
        unsigned found = find(word);
        if (found >= end)
            return fault_set(fault, EINVAL, "'%.40s' is no type or phase of events", word);
        *set |= UINT32_C(1) << found;
    }
    return 0;
}

static unsigned type_find(const char *name) { return event_type_find(name); }
static unsigned phase_find(const char *name) { return event_phase_find(name); }

/* The file's bytes without the line's end. */
static int secret_read(struct courier_spec *s, const char *path, struct fault *fault)
{
    struct stat st;
    ssize_t len = -1;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), err = 0;
    if (fd < 0 || fstat(fd, &st) < 0)
        err = fault_set(fault, errno, "%.200s: %s", path, strerror(errno));
    else if (!S_ISREG(st.st_mode) || (st.st_mode & 077) != 0)
        err = fault_set(fault, EINVAL,
                        "%.200s: others may read the secret, or it is no file: chmod 600", path);
    else if ((len = read(fd, s->secret, sizeof s->secret)) < 0)
        err = fault_set(fault, errno, "%.200s: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    while (len > 0 && (s->secret[len - 1] == '\n' || s->secret[len - 1] == '\r'))
        len--;
    if (err == 0 && (len == 0 || len == sizeof s->secret))
        err =
            fault_set(fault, EINVAL, "%.200s: a secret is 1 to %d bytes", path, COURIER_SECRET - 1);
    s->secret_len = err == 0 ? (size_t)len : 0;
    return err;
}

static int number_read(const char *text, const char *unit, uint64_t max, uint64_t *value)
{
    char *end;
    if (*text < '0' || *text > '9')
        return -EINVAL;
    errno = 0;
    *value = strtoull(text, &end, 10);
    return errno == 0 && strcmp(end, unit) == 0 && *value > 0 && *value <= max ? 0 : -EINVAL;
}

static int option_read(struct courier_spec *s, const char *key, char *value, struct fault *fault)
{
    uint64_t number;
    s->has_route |=
        strcmp(key, "types") == 0 || strcmp(key, "organisation") == 0 || strcmp(key, "cursor") == 0;
    if (strcmp(key, "types") == 0)
        return set_read(&s->types, value, type_find, EVENT_TYPES, fault);
    if (strcmp(key, "phases") == 0)
        return set_read(&s->phases, value, phase_find, EVENT_PHASES, fault);
    if (strcmp(key, "organisation") == 0 && value[0] != 0) {
        event_text(s->organisation, sizeof s->organisation, value);
        return 0;
    }
    if (strcmp(key, "cursor") == 0 && value[0] != 0) {
        snprintf(s->cursor, sizeof s->cursor, "%s", value);
        return 0;
    }
    if (strcmp(key, "timeout") == 0 && s->kind != COURIER_FILE &&
        number_read(value, "s", TIMEOUT_MAX_S, &number) == 0) {
        s->timeout_ms = number * 1000;
        return 0;
    }
    if (strcmp(key, "secret_file") == 0 && s->kind == COURIER_WEBHOOK)
        return secret_read(s, value, fault);
    if (strcmp(key, "tries") == 0 && s->kind == COURIER_COMMAND &&
        number_read(value, "", TRIES_MAX, &number) == 0) {
        s->tries = (unsigned)number;
        return 0;
    }
    if (strcmp(key, "shell") == 0 && s->kind == COURIER_COMMAND && strcmp(value, "yes") == 0) {
        s->has_shell = true;
        return 0;
    }
    return fault_set(fault, EINVAL, "%.40s=%.80s: no option, or no value of it", key, value);
}

static bool is_begin(const char *text, const char *begin)
{
    return strncasecmp(text, begin, strlen(begin)) == 0;
}

/* A webhook's name ends with its host: users, passwords and paths may be secret. */
static int target_check(struct courier_spec *s, struct fault *fault)
{
    size_t from, host;
    if (s->kind != COURIER_WEBHOOK) {
        if (s->target[0] != '/' && (!s->has_shell || s->target[0] == 0))
            return fault_set(fault, EINVAL, "%.208s: name it by its whole path", s->name);
        return 0;
    }
    if (!is_begin(s->target, "http://") && !is_begin(s->target, "https://"))
        return fault_set(fault, EINVAL, "webhook: its URL begins with http:// or https://");
    from = strcspn(s->target, ":") + 3;
    host = strcspn(s->target + from, "/?");
    for (size_t i = from; i < from + host; i++)
        if (s->target[i] == '@')
            return fault_set(fault, EINVAL,
                             "webhook: a user in a URL is seen by everyone: use secret_file");
    if (host == 0)
        return fault_set(fault, EINVAL, "webhook: its URL has no host");
    snprintf(s->name, sizeof s->name, "webhook:%.*s", (int)(from + host), s->target);
    return 0;
}

int courier_spec_read(struct courier_spec *s, const char *spec, struct fault *fault)
{
    char text[COURIER_TEXT], *options, *rest;
    int err = 0;
    *s = (struct courier_spec){
        .types = UINT32_MAX, .phases = UINT32_MAX, .timeout_ms = TIMEOUT_MS, .tries = TRIES};
    if (!courier_is(spec) || strlen(spec) >= sizeof text - 16)
        return fault_set(fault, EINVAL, "'%.40s' names no webhook:URL, command:PATH or file:PATH",
                         spec);
    s->kind = (enum courier_kind)kind_find(spec);
    snprintf(text, sizeof text, "%s", spec + kinds[s->kind].len);
    options = strchr(text, '#');
    if (options != NULL)
        *options++ = 0;
    snprintf(s->target, sizeof s->target, "%s", text);
    snprintf(s->name, sizeof s->name, "%s%.1000s", kinds[s->kind].name, text);
    rest = options;
    for (char *word; err == 0 && (word = strsep(&rest, "&")) != NULL;) {
        char *value = strchr(word, '=');
        if (value == NULL)
            return fault_set(fault, EINVAL, "'%.80s' is no option", word);
        *value++ = 0;
        err = option_read(s, word, value, fault);
    }
    return err == 0 ? target_check(s, fault) : err;
}

int courier_check(const char *spec, struct fault *fault)
{
    struct courier_spec s;
    int err = courier_spec_read(&s, spec, fault);
    explicit_bzero(&s, sizeof s);
    return err;
}

int courier_check_own(const char *spec, char shown[COURIER_SHOWN], struct fault *fault)
{
    struct courier_spec s;
    int err = courier_spec_read(&s, spec, fault);
    if (err == 0 && s.has_route)
        err = fault_set(fault, EINVAL,
                        "types, organisation and cursor are not an organisation's to choose");
    if (err == 0 && s.kind == COURIER_WEBHOOK)
        snprintf(shown, COURIER_SHOWN, "%.*s", COURIER_SHOWN - 1, s.name);
    else if (err == 0)
        snprintf(shown, COURIER_SHOWN, "%.*s", (int)kinds[s.kind].len - 1, kinds[s.kind].name);
    return err;
}
