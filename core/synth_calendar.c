#include "core/synth_calendar.h"

#include "capture/pcap_writer.h"
#include "core/synth.h"
#include "core/synth_day.h"
#include "core/zone.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINKTYPE_ETHERNET = 1, SNAPLEN = 262144 };

static const char answers_ending[] = ".answers.json", list_ending[] = ".acknowledged.txt";

/* What lies beside a capture that is about to be overwritten goes. */
static int beside_remove(const char *out, const char *ending, struct fault *fault)
{
    char *path;
    int err = 0;
    if (asprintf(&path, "%s%s", out, ending) < 0)
        return fault_set(fault, ENOMEM, "%s: no memory for what goes beside it", out);
    if (unlink(path) && errno != ENOENT && errno != ENOTDIR)
        err = fault_set(fault, errno, "%s: %s", path, strerror(errno));
    free(path);
    return err;
}

typedef void beside_print(const struct synth_days *answers, const struct synth_days_facts *facts,
                          FILE *file);

static int beside_write(const char *out, const char *ending, beside_print *print,
                        const struct synth_days *answers, const struct synth_days_facts *facts,
                        struct fault *fault)
{
    char *path;
    if (asprintf(&path, "%s%s", out, ending) < 0)
        return fault_set(fault, ENOMEM, "%s: no memory for what goes beside it", out);
    FILE *file = fopen(path, "we");
    int err = file ? 0 : errno;
    if (file) {
        print(answers, facts, file);
        err = ferror(file) ? EIO : 0;
        if (fclose(file))
            err = errno;
    }
    if (err)
        err = fault_set(fault, err, "%s: %s", path, strerror(err));
    free(path);
    return err;
}

static void list_print(const struct synth_days *answers, const struct synth_days_facts *facts,
                       FILE *file)
{
    (void)answers;
    for (size_t i = 0; i < facts->cast->listed_count; i++) {
        const struct synth_listed *l = &facts->cast->listed[i];
        char text[INET6_ADDRSTRLEN];
        inet_ntop(l->ip_version == 4 ? AF_INET : AF_INET6, l->address, text, sizeof text);
        fprintf(file, "%s/%u\n", text, l->bits);
    }
}

static int packets_write(struct capture *c, struct pcap_writer *w, struct synth_days *answers,
                         struct fault *fault)
{
    struct frame frames[FRAME_BURST];
    size_t count;
    int err = 0;
    while (!err && (count = c->ops->burst(c, frames, FRAME_BURST)) > 0) {
        err = pcap_writer_add(w, frames, count, fault);
        if (!err && answers)
            err = synth_days_add(answers, capture_cast_intents(c), count, fault);
    }
    return err;
}

/* The capture with its answers, which are made where there are rules and a file to stand beside. */
static int calendar_write(struct capture *c, const struct synth_calendar_settings *s,
                          const struct synth_days_facts *facts, struct fault *fault)
{
    struct synth_days *answers = NULL;
    struct pcap_writer *w = NULL;
    bool is_file = strcmp(s->out, "-") != 0;
    int err = is_file ? beside_remove(s->out, answers_ending, fault) : 0;
    if (!err && is_file)
        err = beside_remove(s->out, list_ending, fault);
    if (!err && s->rules && is_file)
        err = synth_days_create(&answers,
                                &(struct synth_day_settings){.rules = s->rules,
                                                             .cast = facts->cast,
                                                             .days = facts->traffic->days,
                                                             .is_detailed = !s->year},
                                fault);
    if (!err)
        err = pcap_writer_open(&w, s->out, LINKTYPE_ETHERNET, SNAPLEN, fault);
    if (!err)
        err = packets_write(c, w, answers, fault);
    int close_err = pcap_writer_close(w, err ? NULL : fault);
    if (!err)
        err = close_err;
    if (!err && answers)
        err = synth_days_end(answers, fault);
    if (!err && answers && facts->cast->listed_count)
        err = beside_write(s->out, list_ending, list_print, answers, facts, fault);
    if (!err && answers)
        err = beside_write(s->out, answers_ending, synth_days_print, answers, facts, fault);
    synth_days_destroy(answers);
    return err;
}

static size_t days_of(const struct synth_calendar_settings *s)
{
    if (!s->year)
        return s->days ? s->days : SYNTH_CALENDAR_DAYS;
    size_t year = (size_t)(zone_date(s->year->year + 1, 1, 1) - zone_date(s->year->year, 1, 1));
    return s->days && s->days < year ? s->days : year;
}

int synth_calendar_run(const struct synth_calendar_settings *s, struct fault *fault)
{
    const char *own = s->year ? s->year->telescope : SYNTH_CALENDAR_TELESCOPE;
    struct synth_prefix *telescope;
    struct capture *c = NULL;
    struct capture_cast_settings traffic = {
        .seed = s->seed, .year = s->year, .scale = s->scale, .days = days_of(s), .vlan = s->vlan};
    int err = synth_telescope_parse(s->telescope ? s->telescope : own, &telescope,
                                    &traffic.telescope_count, fault);
    if (err)
        return err;
    int64_t *starts_ns = calloc(traffic.days + 1, sizeof *starts_ns);
    if (!starts_ns || zone_days(s->timezone, s->date, traffic.days, starts_ns) < 0)
        err = fault_set(fault, ENOMEM, "synth: no memory for %zu days", traffic.days);
    traffic.telescope = telescope;
    traffic.starts_ns = starts_ns;
    if (s->year)
        traffic.period_days =
            (size_t)(zone_date(s->year->year + 1, 1, 1) - zone_date(s->year->year, 1, 1));
    if (!err)
        err = capture_cast_create(&c, &traffic, fault);
    if (!err) {
        const struct synth_cast *cast = capture_cast_of(c);
        struct synth_days_facts facts = {.traffic = &traffic,
                                         .cast = cast,
                                         .rules = s->rules,
                                         .timezone = s->timezone,
                                         .date = s->date,
                                         .addresses = cast->address->count4};
        err = calendar_write(c, s, &facts, fault);
        c->ops->close(c);
    }
    free(telescope);
    free(starts_ns);
    return err;
}
