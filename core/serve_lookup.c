#include "core/serve_lookup.h"

#include "core/command.h"
#include "core/messages.h"
#include "export/lookup.h"

#include <time.h>

enum { TOP = 100 };

static int open(struct lookup **out, struct serve_context *c, const struct http_lookup_dates *dates,
                struct fault *fault)
{
    struct lookup_settings settings = {.rules = atomic_load(&c->rules),
                                       .top = TOP,
                                       .has_span = dates->has,
                                       .from = dates->from,
                                       .to = dates->to};
    return lookup_open(out, (char *const[]){c->feed}, 1, &settings, fault);
}

static int source(void *context, const char *subject, const struct http_lookup_dates *dates,
                  FILE *out, struct fault *fault)
{
    struct serve_context *c = context;
    const struct lookup_source *found;
    struct lookup_key key;
    struct lookup *l = NULL;
    int err = lookup_key_parse(&key, subject, fault);
    err = err < 0 ? err : open(&l, c, dates, fault);
    err = err < 0 ? err : lookup_source(l, &key, &found, fault);
    if (err == 0)
        lookup_json_source(out, &(struct lookup_view){.lookup = l, .program = c->program}, found);
    lookup_close(l);
    return err;
}

static int port(void *context, unsigned proto, uint16_t number,
                const struct http_lookup_dates *dates, FILE *out, struct fault *fault)
{
    struct serve_context *c = context;
    const struct lookup_port *found;
    struct lookup *l = NULL;
    int err = open(&l, c, dates, fault);
    err = err < 0 ? err : lookup_port(l, proto, number, &found, fault);
    if (err == 0)
        lookup_json_port(out, &(struct lookup_view){.lookup = l, .program = c->program}, found);
    lookup_close(l);
    return err;
}

const struct http_lookup serve_lookup = {.source = source, .port = port};

int64_t serve_now_ns(void *context)
{
    struct timespec t;
    (void)context;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void serve_say(void *context, const char *text)
{
    char line[MESSAGES_LINE];
    (void)context;
    FILE *to = fmemopen(line, sizeof line, "w");
    if (!to)
        return;
    fputs("yamiscope: ", to);
    command_print_visible(to, text);
    (void)fclose(to);
    line[sizeof line - 1] = '\0';
    messages_say(&messages_stderr, line);
}
