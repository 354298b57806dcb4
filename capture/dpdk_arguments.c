/* The arguments of `--eal`: see dpdk_spec.h. */
#include "capture/dpdk_spec.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum takes { TAKES_NONE, TAKES_VALUE, MAY_TAKE };

/* What EAL of DPDK 22.11 knows (doc/guides/linux_gsg/linux_eal_parameters), and a word of its complaint
 * where that does not name the option. */
static const struct eal_option {
    const char *name;
    enum takes takes;
    const char *complaint;
} options[] = {
    {"a", TAKES_VALUE, NULL},
    {"b", TAKES_VALUE, NULL},
    {"c", TAKES_VALUE, "coremask"},
    {"s", TAKES_VALUE, "service coremask"},
    {"d", TAKES_VALUE, ".so"},
    {"l", TAKES_VALUE, "core list"},
    {"S", TAKES_VALUE, "service core list"},
    {"m", TAKES_VALUE, NULL},
    {"n", TAKES_VALUE, "channel number"},
    {"r", TAKES_VALUE, "rank number"},
    {"v", TAKES_NONE, NULL},
    {"allow", TAKES_VALUE, NULL},
    {"base-virtaddr", TAKES_VALUE, NULL},
    {"block", TAKES_VALUE, NULL},
    {"create-uio-dev", TAKES_NONE, NULL},
    {"file-prefix", TAKES_VALUE, "prefix"},
    {"force-max-simd-bitwidth", TAKES_VALUE, NULL},
    {"huge-dir", TAKES_VALUE, NULL},
    {"huge-unlink", MAY_TAKE, NULL},
    {"huge-worker-stack", MAY_TAKE, NULL},
    {"in-memory", TAKES_NONE, NULL},
    {"iova-mode", TAKES_VALUE, NULL},
    {"lcores", TAKES_VALUE, "lcore"},
    {"legacy-mem", TAKES_NONE, NULL},
    {"log-level", TAKES_VALUE, "log level"},
    {"main-lcore", TAKES_VALUE, "main lcore"},
    {"match-allocations", TAKES_NONE, NULL},
    {"mbuf-pool-ops-name", TAKES_VALUE, NULL},
    {"no-hpet", TAKES_NONE, NULL},
    {"no-huge", TAKES_NONE, NULL},
    {"no-pci", TAKES_NONE, NULL},
    {"no-shconf", TAKES_NONE, NULL},
    {"no-telemetry", TAKES_NONE, NULL},
    {"single-file-segments", TAKES_NONE, NULL},
    {"socket-limit", TAKES_VALUE, NULL},
    {"socket-mem", TAKES_VALUE, NULL},
    {"syslog", TAKES_VALUE, "facility"},
    {"telemetry", TAKES_NONE, NULL},
    {"trace", TAKES_VALUE, NULL},
    {"trace-bufsz", TAKES_VALUE, NULL},
    {"trace-dir", TAKES_VALUE, NULL},
    {"trace-mode", TAKES_VALUE, NULL},
    {"vdev", TAKES_VALUE, NULL},
    {"vfio-intr", TAKES_VALUE, NULL},
    {"vfio-vf-token", TAKES_VALUE, NULL},
    {"vmware-tsc-map", TAKES_NONE, NULL},
};

enum { OPTIONS = sizeof options / sizeof *options };

/* Splits in place: words end with 0. A quote may begin and end within a word. */
static int split(struct dpdk_arguments *a, struct fault *fault)
{
    char *at = a->text, *out = a->text;
    for (;;) {
        while (*at == ' ' || *at == '\t' || *at == '\n')
            at++;
        if (!*at)
            return 0;
        /* Two places are kept: for the end, and so that a caller can add. */
        if (a->count + 2 >= sizeof a->word / sizeof *a->word)
            return fault_set(fault, E2BIG, "more than %u arguments", a->count);
        a->word[a->count++] = out;
        char quote = 0;
        for (; *at && (quote || (*at != ' ' && *at != '\t' && *at != '\n')); at++) {
            if (quote ? *at == quote : *at == '"' || *at == '\'')
                quote = quote ? 0 : *at;
            else
                *out++ = *at;
        }
        if (quote)
            return fault_set(fault, EINVAL, "character %zu: a quote (%c) that does not end",
                             (size_t)(at - a->text) + 1, quote);
        bool is_last = !*at;
        *out++ = '\0';
        if (is_last)
            return 0;
        at++;
    }
}

/* The option that a word names, and where its value begins: NULL where it is not in this word. */
static const struct eal_option *option_of(const char *word, const char **value)
{
    *value = NULL;
    if (word[0] != '-' || !word[1])
        return NULL;
    bool is_long = word[1] == '-';
    size_t length = is_long ? strcspn(word + 2, "=") : 1;
    const char *name = word + 1 + is_long;
    for (size_t i = 0; i < OPTIONS; i++) {
        if (strlen(options[i].name) != length || memcmp(options[i].name, name, length) != 0 ||
            is_long != (length > 1))
            continue;
        if (name[length])
            *value = name + length + is_long;
        return &options[i];
    }
    return NULL;
}

static bool is_refused(const char *word)
{
    static const char *const refused[] = {"-h", "--help", "--proc-type"};
    size_t length = strcspn(word, "=");
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (strlen(refused[i]) == length && memcmp(refused[i], word, length) == 0)
            return true;
    return strcmp(word, "--log-level=help") == 0 || strcmp(word, "--") == 0;
}

static int words_check(const struct dpdk_arguments *a, struct fault *fault)
{
    for (unsigned i = 0; i < a->count; i++) {
        const char *word = a->word[i], *value;
        if (is_refused(word))
            return fault_set(fault, EINVAL, "%.80s: can't be had here", word);
        const struct eal_option *option = option_of(word, &value);
        if (!option)
            return fault_set(fault, EINVAL, "%.80s: no argument that EAL knows", word);
        if (value && option->takes == TAKES_NONE)
            return fault_set(fault, EINVAL, "%.80s: takes no value", word);
        if (value || option->takes != TAKES_VALUE)
            continue;
        if (++i == a->count)
            return fault_set(fault, EINVAL, "%.80s: its value is missing", word);
    }
    return 0;
}

int dpdk_arguments_parse(struct dpdk_arguments *a, const char *text, struct fault *fault)
{
    memset(a, 0, sizeof *a);
    if (!text)
        return 0;
    if (strlen(text) >= sizeof a->text)
        return fault_set(fault, E2BIG, "longer than %zu characters", sizeof a->text - 1);
    memcpy(a->text, text, strlen(text) + 1);
    int err = split(a, fault);
    if (!err)
        err = words_check(a, fault);
    if (err)
        (void)fault_one_line(fault);
    return err;
}

bool dpdk_arguments_have(const struct dpdk_arguments *a, const char *name)
{
    for (unsigned i = 0; i < a->count; i++) {
        const char *value;
        const struct eal_option *option = option_of(a->word[i], &value);
        if (option && strcmp(option->name, name) == 0)
            return true;
        i += option && option->takes == TAKES_VALUE && !value;
    }
    return false;
}

static bool is_about(const struct eal_option *option, const char *complaint)
{
    char dashed[40];
    (void)snprintf(dashed, sizeof dashed, "%s%s", option->name[1] ? "--" : "-", option->name);
    const char *found = strstr(complaint, dashed);
    char behind = found ? found[strlen(dashed)] : 'x';
    bool is_named = found && !((behind >= 'a' && behind <= 'z') || behind == '-');
    return is_named || (option->complaint && strstr(complaint, option->complaint));
}

void dpdk_arguments_blame(const struct dpdk_arguments *a, const char *complaint, char *out,
                          size_t room)
{
    size_t used = 0;
    out[0] = '\0';
    for (int pass = 0; pass < 2 && !used; pass++)
        for (unsigned i = 0; i < a->count; i++) {
            const char *value;
            const struct eal_option *option = option_of(a->word[i], &value);
            bool has_next = option && option->takes == TAKES_VALUE && !value;
            bool is_meant = pass == 1 || (option && is_about(option, complaint));
            if (is_meant && used < room)
                used += (size_t)snprintf(out + used, room - used, "%s%s%s%s", used ? " " : "",
                                         a->word[i], has_next ? " " : "",
                                         has_next ? a->word[i + 1] : "");
            i += has_next;
        }
}
