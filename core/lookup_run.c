#include "core/lookup_run.h"

#include "core/setup.h"
#include "core/terminal.h"
#include "core/version.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Who waits at a terminal hears what for. */
static void indexing_say(const char *path)
{
    if (!isatty(STDERR_FILENO))
        return;
    fputs("\r\033[Kyamiscope: ", stderr);
    command_print_visible(stderr, path);
    fputs(": makes its index, once; questions after this one need not\n", stderr);
}

static int settings_fill(struct lookup_run *r, struct lookup_settings *s, struct fault *fault)
{
    const struct config *c = r->config;
    *s = (struct lookup_settings){
        .top = (size_t)c->top, .no_index = c->no_index, .indexing = indexing_say};
    int err = command_check_words(c, fault);
    if (err == 0 && c->dates != NULL) {
        s->has_span = true;
        err = lookup_dates_parse(c->dates, &s->from, &s->to, fault);
        if (err < 0)
            fault_prefix(fault, config_subject(c, "dates"));
    }
    if (err == 0)
        err = setup_rules(&r->rules, c, fault);
    if (err == 0 && c->country != NULL)
        err = geo_open(&r->country, GEO_COUNTRY, c->country, fault);
    if (err == 0 && c->as != NULL)
        err = geo_open(&r->as, GEO_AS, c->as, fault);
    s->rules = r->rules;
    s->country = r->country;
    s->as = r->as;
    return err;
}

enum exit_code lookup_run_begin(struct lookup_run *r, const struct config *c, struct fault *fault)
{
    struct lookup_settings settings;
    *r = (struct lookup_run){.config = c};
    if (settings_fill(r, &settings, fault) < 0)
        return (enum exit_code)command_fail(fault, EXIT_USAGE);
    int err = lookup_open(&r->lookup, c->paths + 1, c->path_count - 1, &settings, fault);
    if (err < 0)
        return (enum exit_code)command_fail(
            fault, err == -EINVAL || err == -ENOENT || err == -ENOTDIR ? EXIT_USAGE : EXIT_FAILED);
    /* C has one local zone, the process's; no other thread runs. */
    if (setenv("TZ", lookup_timezone(r->lookup), 1) == 0)
        tzset();
    lookup_watch(r->lookup, &r->read);
    r->view = (struct lookup_view){.lookup = r->lookup,
                                   .program = VERSION,
                                   .top = (size_t)c->top,
                                   .is_japanese = strcmp(c->lang, "ja") == 0};
    r->text = (struct report_text_settings){.width = terminal_width(),
                                            .is_color = terminal_has_color(c->color),
                                            .is_utf8 = terminal_is_utf8()};
    return EXIT_DONE;
}

enum exit_code lookup_run_end(struct lookup_run *r, int err, const struct fault *fault)
{
    int code = EXIT_FAILED;
    if (r->lookup != NULL) {
        const struct damage_list *damaged = lookup_damage(r->lookup);
        if (damaged != NULL)
            command_print_damage(damaged);
        bool is_damaged = damaged == NULL || damaged->count > 0;
        code = err < 0 ? command_fail(fault, EXIT_FAILED)
                       : (int)command_flush(is_damaged ? EXIT_DAMAGED : EXIT_DONE);
    }
    lookup_close(r->lookup);
    geo_close(r->country);
    geo_close(r->as);
    ruleset_destroy(r->rules);
    return (enum exit_code)code;
}
