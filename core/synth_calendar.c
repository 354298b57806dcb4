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

/* OUT + ending, open for writing; one that lies there goes. NULL with 0: nothing is to be written. */
static int beside_open(FILE **file, const char *out, const char *ending, bool is_wanted,
                       struct fault *fault)
{
    char *path;
    int err = 0;
    *file = NULL;
    if (!strcmp(out, "-"))
        return 0;
    if (asprintf(&path, "%s%s", out, ending) < 0)
        return fault_set(fault, ENOMEM, "%s: no memory for what goes beside it", out);
    if (unlink(path) && errno != ENOENT && errno != ENOTDIR)
        err = fault_set(fault, errno, "%s: %s", path, strerror(errno));
    else if (is_wanted && !(*file = fopen(path, "we")))
        err = fault_set(fault, errno, "%s: %s", path, strerror(errno));
    free(path);
    return err;
}

static int beside_close(FILE *file, const char *out, const char *ending, struct fault *fault)
{
    if (!file)
        return 0;
    int err = ferror(file) ? EIO : 0;
    if (fclose(file))
        err = errno;
    return err ? fault_set(fault, err, "%s%s: %s", out, ending, strerror(err)) : 0;
}

static int list_write(const struct synth_cast *cast, const char *out, bool is_wanted,
                      struct fault *fault)
{
    static const char ending[] = ".acknowledged.txt";
    FILE *file;
    int err = beside_open(&file, out, ending, is_wanted && cast->listed_count, fault);
    for (size_t i = 0; file && i < cast->listed_count; i++) {
        const struct synth_listed *l = &cast->listed[i];
        char text[INET6_ADDRSTRLEN];
        inet_ntop(l->ip_version == 4 ? AF_INET : AF_INET6, l->address, text, sizeof text);
        fprintf(file, "%s/%u\n", text, l->bits);
    }
    return err ? err : beside_close(file, out, ending, fault);
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
    static const char ending[] = ".answers.json";
    struct synth_days *answers = NULL;
    struct pcap_writer *w = NULL;
    FILE *file = NULL;
    int err = 0;
    if (s->rules && strcmp(s->out, "-") != 0)
        err = synth_days_create(&answers,
                                &(struct synth_day_settings){.rules = s->rules,
                                                             .cast = facts->cast,
                                                             .days = facts->traffic->days,
                                                             .is_detailed = !s->year},
                                fault);
    if (!err)
        err = pcap_writer_open(&w, s->out, LINKTYPE_ETHERNET, SNAPLEN, fault);
    if (!err)
        err = list_write(facts->cast, s->out, answers != NULL, fault);
    if (!err)
        err = beside_open(&file, s->out, ending, answers != NULL, fault);
    if (!err)
        err = packets_write(c, w, answers, fault);
    int close_err = pcap_writer_close(w, err ? NULL : fault);
    if (!err)
        err = close_err;
    if (!err && answers)
        err = synth_days_end(answers, fault);
    if (!err && file)
        synth_days_print(answers, facts, file);
    close_err = beside_close(file, s->out, ending, err ? NULL : fault);
    synth_days_destroy(answers);
    return err ? err : close_err;
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
    free(telescope);
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
    free(starts_ns);
    return err;
}
