#include "core/synth.h"

#include "capture/pcap_writer.h"
#include "core/synth_answers.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINKTYPE_ETHERNET = 1, SNAPLEN = 262144 };

static const char blanks[] = ", \t\r\n";

/* One prefix; host bits set are refused as in classify/prefix_set.h. */
static int prefix_parse(const char *word, struct synth_prefix *p, struct fault *fault)
{
    char address[INET6_ADDRSTRLEN];
    const char *slash = strchr(word, '/');
    size_t len = slash ? (size_t)(slash - word) : strlen(word);
    memset(p, 0, sizeof *p);
    if (len < sizeof address) {
        memcpy(address, word, len);
        address[len] = '\0';
        if (inet_pton(AF_INET, address, p->address) == 1)
            p->ip_version = 4;
        else if (inet_pton(AF_INET6, address, p->address) == 1)
            p->ip_version = 6;
    }
    unsigned width = p->ip_version == 4 ? 32 : 128, bits = width;
    if (p->ip_version && slash) {
        char *end;
        unsigned long n = strtoul(slash + 1, &end, 10);
        if (slash[1] < '0' || slash[1] > '9' || *end || n > width)
            p->ip_version = 0;
        bits = (unsigned)n;
    }
    if (!p->ip_version)
        return fault_set(fault, EINVAL, "'%.80s' is neither a prefix nor a file", word);
    p->bits = (uint8_t)bits;
    for (unsigned bit = bits; bit < width; bit++)
        if (p->address[bit / 8] & 0x80 >> bit % 8)
            return fault_set(fault, EINVAL, "'%.80s' has host bits set", word);
    return 0;
}

/* What a file holds, comments blanked; NULL with errno. */
static char *file_text(const char *path)
{
    FILE *in = fopen(path, "re");
    char *text = NULL, *line = NULL;
    size_t size = 0, line_size = 0;
    FILE *out = in ? open_memstream(&text, &size) : NULL;
    while (out && getline(&line, &line_size, in) >= 0) {
        line[strcspn(line, "#")] = '\0';
        fprintf(out, "%s\n", line);
    }
    if (out && fclose(out)) {
        free(text);
        text = NULL;
    }
    if (in)
        fclose(in);
    free(line);
    return text;
}

void synth_telescope_print(FILE *out, const struct synth_prefix *telescope, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char text[INET6_ADDRSTRLEN];
        const struct synth_prefix *p = &telescope[i];
        inet_ntop(p->ip_version == 4 ? AF_INET : AF_INET6, p->address, text, sizeof text);
        fprintf(out, "%s%s/%u", i > 0 ? "," : "", text, p->bits);
    }
}

int synth_telescope_parse(const char *text, struct synth_prefix **out, size_t *count,
                          struct fault *fault)
{
    *out = NULL;
    *count = 0;
    char *words = file_text(text);
    if (!words)
        words = strdup(text);
    struct synth_prefix *list = words ? calloc(strlen(words) / 2 + 1, sizeof *list) : NULL;
    if (!list) {
        free(words);
        return fault_set(fault, ENOMEM, "no memory for the telescope");
    }
    int err = 0;
    char *rest;
    for (char *word = strtok_r(words, blanks, &rest); word && !err;
         word = strtok_r(NULL, blanks, &rest))
        err = prefix_parse(word, &list[(*count)++], fault);
    free(words);
    if (err) {
        free(list);
        *count = 0;
        return err;
    }
    *out = list;
    return 0;
}

/* Writes all packets of `c`; `answers` may be NULL. */
static int write_packets(struct capture *c, struct pcap_writer *w, struct synth_answers *answers,
                         struct fault *fault)
{
    struct frame frames[FRAME_BURST];
    size_t count;
    while ((count = c->ops->burst(c, frames, FRAME_BURST)) > 0) {
        int err = pcap_writer_add(w, frames, count, fault);
        if (!err && answers)
            err = synth_answers_add(answers, capture_synth_intents(c), count, fault);
        if (err)
            return err;
    }
    return 0;
}

static int write_answers(const struct synth_answers *answers, const struct ruleset *rules,
                         const struct capture_synth_settings *traffic, const char *path,
                         struct fault *fault)
{
    FILE *out = fopen(path, "we");
    if (!out)
        return fault_set(fault, errno, "%s: %s", path, strerror(errno));
    synth_answers_print(synth_answers_totals(answers), rules, traffic, out);
    int err = ferror(out) ? EIO : 0;
    if (fclose(out))
        err = errno;
    return err ? fault_set(fault, err, "%s: %s", path, strerror(err)) : 0;
}

/* Where the answers go; those of a capture that is about to be overwritten are removed. NULL
 * where there are none. */
static int answers_path(const struct synth_settings *s, char **path, struct fault *fault)
{
    *path = NULL;
    if (!strcmp(s->out, "-"))
        return 0;
    if (asprintf(path, "%s.answers.json", s->out) < 0) {
        *path = NULL;
        return fault_set(fault, ENOMEM, "%s: no memory for the answers", s->out);
    }
    if (unlink(*path) && errno != ENOENT && errno != ENOTDIR)
        return fault_set(fault, errno, "%s: %s", *path, strerror(errno));
    return 0;
}

int synth_run(const struct synth_settings *settings, struct fault *fault)
{
    struct capture_synth_settings traffic = settings->traffic;
    struct synth_prefix *telescope;
    struct capture *c = NULL;
    struct pcap_writer *w = NULL;
    struct synth_answers *answers = NULL;
    char *path = NULL;
    int err = synth_telescope_parse(settings->telescope ? settings->telescope : SYNTH_TELESCOPE,
                                    &telescope, &traffic.telescope_count, fault);
    if (err)
        return err;
    traffic.telescope = telescope;
    err = capture_synth_create(&c, &traffic, fault);
    if (!err)
        err = answers_path(settings, &path, fault);
    if (!err && path && settings->rules)
        err = synth_answers_create(&answers, settings->rules, traffic.sources,
                                   capture_synth_destinations(c), fault);
    if (!err)
        err = pcap_writer_open(&w, settings->out, LINKTYPE_ETHERNET, SNAPLEN, fault);
    if (!err)
        err = write_packets(c, w, answers, fault);
    int close_err = pcap_writer_close(w, err ? NULL : fault);
    if (!err)
        err = close_err;
    if (!err && answers)
        err = write_answers(answers, settings->rules, &traffic, path, fault);
    synth_answers_destroy(answers);
    free(telescope);
    free(path);
    if (c)
        c->ops->close(c);
    return err;
}
