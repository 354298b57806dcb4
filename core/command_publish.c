#include "core/command.h"
#include "export/calendar.h"
#include "export/courier.h"
#include "export/feed_header.h"
#include "export/json_string.h"
#include "export/publisher.h"
#include "export/redis_url.h"
#include "export/text.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>

enum { LOOK_MS = 200 };

static void say(void *context, const char *text)
{
    fputs("yamiscope: ", stderr);
    command_print_visible(stderr, text);
    putc('\n', stderr);
}

static volatile sig_atomic_t stop_asked;

static void stop_ask(int signal) { stop_asked = 1; }

static void print_json(const struct publisher_state *s, const char *sink)
{
    char windows[FEED_ID_TEXT], days[FEED_ID_TEXT], events[FEED_ID_TEXT];
    printf("{\"sink\":");
    json_string(stdout, sink);
    printf(",\"windows\":%" PRIu64 ",\"days\":%" PRIu64 ",\"events\":%" PRIu64 ",\"bytes\":%" PRIu64
           ",\"errors\":%" PRIu64
           ",\"last_window\":\"%s\",\"last_day\":\"%s\",\"last_event\":\"%s\","
           "\"note\":",
           s->items[SINK_WINDOWS], s->items[SINK_DAYS], s->items[SINK_EVENTS], s->bytes, s->errors,
           feed_id_text(s->last[SINK_WINDOWS], windows), feed_id_text(s->last[SINK_DAYS], days),
           feed_id_text(s->last[SINK_EVENTS], events));
    json_string(stdout, s->note);
    printf("}\n");
}

static void print_text(const struct publisher_state *s, const char *sink)
{
    char a[TEXT_COUNTED], b[TEXT_COUNTED], c[TEXT_COUNTED], d[TEXT_COUNTED];
    command_print_visible(stdout, sink);
    printf(": %s, %s and %s told, %s\n",
           text_counted(s->items[SINK_WINDOWS], "window record", "window records", a),
           text_counted(s->items[SINK_DAYS], "day", "days", b),
           text_counted(s->items[SINK_EVENTS], "record of an event", "records of events", d),
           text_counted(s->bytes, "byte", "bytes", c));
}

/* Until it ends by itself, or someone asks for it. */
static enum exit_code publish_run(struct publisher *p, const struct config *c)
{
    struct publisher_state state;
    struct fault fault = {0};
    enum exit_code code = EXIT_DONE;
    int err = 0;
    while (!stop_asked && !publisher_wait(p, LOOK_MS, &err, &fault))
        continue;
    publisher_read(p, &state);
    if (err < 0)
        code = command_fail(&fault, err == -EINVAL || err == -ENOENT ? EXIT_USAGE : EXIT_FAILED);
    if (c->is_json)
        print_json(&state, publisher_name(p));
    else if (err == 0)
        print_text(&state, publisher_name(p));
    if (state.note[0] != 0)
        say(NULL, state.note);
    return code;
}

/* What stands in a command is seen by everyone on the machine; what stands in the config file is not. */
static void password_warn(const struct config *c)
{
    struct redis_url url;
    struct fault fault;
    if (!strncmp(config_subject(c, "to"), "--", 2) && redis_url_is(c->to) &&
        redis_url_parse(&url, c->to, &fault) == 0 && url.has_password_in_text)
        say(NULL, "--to: a password in a command is seen by everyone on this machine: "
                  "?password_file=PATH and YAMISCOPE_REDIS_PASSWORD are not");
}

static int settings_check(const struct config *c, struct fault *fault)
{
    if (c->path_count != 1)
        return fault_set(fault, EINVAL, "publish: name one feed (a folder)");
    if (c->to == NULL)
        return fault_set(fault, EINVAL, "publish: --to says whom to tell: redis://HOST");
    return 0;
}

/* A webhook or a command: events alone, from a cursor of its own. */
static enum exit_code courier_publish(const struct config *c)
{
    const struct courier_settings settings = {.dir = c->paths[0],
                                              .spec = c->to,
                                              .is_finite = !c->is_following,
                                              .patience_ms = c->patience_ns / 1000000,
                                              .say = say};
    struct courier *courier;
    struct courier_state state;
    struct fault fault = {0};
    enum exit_code code = EXIT_DONE;
    int err = courier_start(&courier, &settings, &fault);
    if (err == -EINVAL)
        (void)fault_prefix(&fault, config_subject(c, "to"));
    if (err < 0)
        return command_fail(&fault, err == -EINVAL || err == -ENOENT ? EXIT_USAGE : EXIT_FAILED);
    while (!stop_asked && !courier_wait(courier, LOOK_MS, &err, &fault))
        continue;
    courier_read(courier, &state);
    if (err < 0)
        code = command_fail(&fault, EXIT_FAILED);
    if (c->is_json) {
        fputs("{\"sink\":", stdout);
        json_string(stdout, courier_name(courier));
        printf(",\"events\":%" PRIu64 ",\"given_up\":%" PRIu64 ",\"errors\":%" PRIu64 "}\n",
               state.arrived, state.given_up, state.errors);
    } else if (err == 0) {
        char text[TEXT_COUNTED];
        command_print_visible(stdout, courier_name(courier));
        printf(": %s told", text_counted(state.arrived, "event", "events", text));
        if (state.given_up > 0)
            printf(", %s given up, not to be told again",
                   text_counted(state.given_up, "event", "events", text));
        putchar('\n');
    }
    if (code == EXIT_DONE && state.given_up > 0)
        code = EXIT_FAILED;
    courier_stop(courier);
    return command_flush(code);
}

int command_publish(const struct config *c)
{
    const struct sigaction asked = {.sa_handler = stop_ask};
    struct feed_header header;
    struct publisher *p = NULL;
    struct fault fault;
    if (settings_check(c, &fault) < 0)
        return command_fail(&fault, EXIT_USAGE);
    struct publisher_settings settings = {.dir = c->paths[0],
                                          .is_finite = !c->is_following,
                                          .patience_ms = c->patience_ns / 1000000,
                                          .say = say};
    int err = feed_header_read(&header, c->paths[0], &fault);
    if (err == 0 && (err = calendar_zone(header.timezone)) < 0)
        fault_set(&fault, -err, "%s: %s", header.timezone, strerror(-err));
    if (err < 0)
        return command_fail(&fault, err == -ENOENT || err == -ENOTDIR ? EXIT_USAGE : EXIT_FAILED);
    if (courier_is(c->to)) {
        (void)sigaction(SIGINT, &asked, NULL);
        (void)sigaction(SIGTERM, &asked, NULL);
        return courier_publish(c);
    }
    err = sink_open(&settings.sink, c->to, config_is_given(c, "sensor") ? c->sensor : header.sensor,
                    &fault);
    if (err < 0) {
        (void)fault_prefix(&fault, config_subject(c, "to"));
        return command_fail(&fault, EXIT_USAGE);
    }
    password_warn(c);
    (void)sigaction(SIGINT, &asked, NULL);
    (void)sigaction(SIGTERM, &asked, NULL);
    err = publisher_start(&p, &settings, &fault);
    if (err < 0)
        return command_fail(&fault, EXIT_FAILED);
    enum exit_code code = publish_run(p, c);
    publisher_stop(p);
    return command_flush(code);
}
