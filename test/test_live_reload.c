/* Reading rules again, and an end that comes meanwhile. */
#include "core/live_reload.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct reading {
    struct live_reload *reload;
    bool ends_early; /* the capture ends when the reading has begun */
    pthread_mutex_t lock;
    pthread_cond_t change;
    unsigned done, watched;
};

static void begin(void *context)
{
    struct reading *r = context;
    (void)pthread_mutex_lock(&r->lock); /* `reload` is there */
    struct live_reload *reload = r->reload;
    (void)pthread_mutex_unlock(&r->lock);
    if (r->ends_early)
        live_reload_end(reload);
}

static void end(void *context)
{
    struct reading *r = context;
    (void)pthread_mutex_lock(&r->lock);
    r->done++;
    (void)pthread_cond_signal(&r->change);
    (void)pthread_mutex_unlock(&r->lock);
}

static void watched(void *context, const struct watched *networks)
{
    (void)networks;
    ((struct reading *)context)->watched++;
}

static void say(void *context, const char *line)
{
    (void)context;
    (void)line;
}

/* Who is told of networks may be closed behind live_reload_end(), as taken() has it: nobody is told any more. */
static void nobody_is_told_behind_the_end(void **state)
{
    (void)state;
    for (int ends_early = 0; ends_early < 2; ends_early++) {
        struct reading r = {.ends_early = ends_early,
                            .lock = PTHREAD_MUTEX_INITIALIZER,
                            .change = PTHREAD_COND_INITIALIZER};
        char *words[] = {"live"};
        struct config c;
        struct setup setup;
        struct fault fault;
        if (config_init(&c, COMMAND_LIVE, 1, words, &fault) < 0 ||
            setup_open(&setup, &c, &fault) < 0)
            fail_msg("%s", fault.text);
        const struct live_reload_settings settings = {
            .config = &c,
            .setup = &setup,
            .offer = live_offer_create(),
            .watched = watched,
            .say = say,
            .begin = begin,
            .end = end,
            .context = &r,
        };
        (void)pthread_mutex_lock(&r.lock);
        if (live_reload_start(&r.reload, &settings, &fault) < 0)
            fail_msg("%s", fault.text);
        live_reload_ask(r.reload);
        while (r.done == 0)
            (void)pthread_cond_wait(&r.change, &r.lock);
        (void)pthread_mutex_unlock(&r.lock);
        live_reload_end(r.reload);
        live_reload_destroy(r.reload);
        assert_int_equal(r.watched, !ends_early);
        live_offer_destroy(settings.offer);
        setup_fini(&setup);
        config_fini(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(nobody_is_told_behind_the_end)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
