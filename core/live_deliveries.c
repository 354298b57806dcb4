#include "core/live_deliveries.h"

#include "core/memory.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct delivery {
    char *organisation, *spec;
    struct courier *courier; /* NULL: it can't begin */
};

struct live_deliveries {
    const char *dir;
    struct feed_durable *durable;
    void (*say)(void *context, const char *line);
    void *context;
    pthread_mutex_t lock; /* of what follows */
    struct delivery *at;  /* by organisation */
    size_t count;
    struct live_deliveries_state over; /* of couriers that are no more */
};

struct live_deliveries *live_deliveries_create(const char *dir, struct feed_durable *durable,
                                               void (*say)(void *context, const char *line),
                                               void *context)
{
    struct live_deliveries *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    d->dir = dir;
    d->durable = durable;
    d->say = say;
    d->context = context;
    (void)pthread_mutex_init(&d->lock, NULL);
    return d;
}

static void state_add(const struct delivery *one, struct live_deliveries_state *sum)
{
    struct courier_state s = {0};
    if (one->courier)
        courier_read(one->courier, &s);
    sum->failing += s.is_failing || !one->courier;
    sum->arrived += s.arrived;
    sum->given_up += s.given_up;
    sum->errors += s.errors;
}

static void delivery_fini(struct delivery *one)
{
    courier_stop(one->courier);
    free(one->organisation);
    free(one->spec);
}

void live_deliveries_destroy(struct live_deliveries *d)
{
    if (!d)
        return;
    for (size_t i = 0; i < d->count; i++)
        delivery_fini(&d->at[i]);
    free(d->at);
    (void)pthread_mutex_destroy(&d->lock);
    free(d);
}

/* `goes_on`: its courier, where it has one already. */
static int delivery_begin(const struct live_deliveries *d, const struct watched_delivery *of,
                          struct courier *goes_on, struct delivery *one, struct fault *fault)
{
    const struct courier_settings settings = {.dir = d->dir,
                                              .spec = of->spec,
                                              .organisation = of->organisation,
                                              .durable = d->durable,
                                              .say = d->say,
                                              .context = d->context};
    *one = (struct delivery){memory_must(strdup(of->organisation)), memory_must(strdup(of->spec)),
                             goes_on};
    if (goes_on)
        return 0;
    int err = courier_start(&one->courier, &settings, fault);
    return err < 0 ? fault_prefix(fault, of->organisation) : 0;
}

/* Of the organisation, where it may go on as it is; taken out. */
static struct courier *courier_take(struct delivery *old, size_t count,
                                    const struct watched_delivery *of)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(old[i].organisation, of->organisation) == 0 &&
            strcmp(old[i].spec, of->spec) == 0 && !strstr(of->spec, "secret_file=")) {
            struct courier *c = old[i].courier;
            old[i].courier = NULL;
            return c;
        }
    return NULL;
}

/* What goes on keeps its place, all else ends: before an organisation's next courier takes its cursor. */
static void others_end(struct live_deliveries *d, struct delivery *old, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct live_deliveries_state last = {0};
        state_add(&old[i], &last);
        d->over.arrived += last.arrived;
        d->over.given_up += last.given_up;
        d->over.errors += last.errors;
        delivery_fini(&old[i]);
    }
}

int live_deliveries_set(struct live_deliveries *d, const struct watched *networks,
                        struct fault *fault)
{
    size_t count = 0;
    const struct watched_delivery *to = networks ? watched_deliveries(networks, &count) : NULL;
    struct delivery *next = memory_must(calloc(count + 1, sizeof *next));
    int err = 0;
    (void)pthread_mutex_lock(&d->lock);
    struct delivery *old = d->at;
    for (size_t i = 0; i < count; i++)
        next[i].courier = courier_take(old, d->count, &to[i]);
    others_end(d, old, d->count);
    for (size_t i = 0; i < count; i++) {
        struct courier *goes_on = next[i].courier;
        struct fault other;
        int failed = delivery_begin(d, &to[i], goes_on, &next[i], err == 0 ? fault : &other);
        err = err == 0 ? failed : err;
    }
    free(old);
    d->at = next;
    d->count = count;
    (void)pthread_mutex_unlock(&d->lock);
    return err;
}

void live_deliveries_read(struct live_deliveries *d, struct live_deliveries_state *out)
{
    (void)pthread_mutex_lock(&d->lock);
    *out = d->over;
    out->organisations = (unsigned)d->count;
    for (size_t i = 0; i < d->count; i++)
        state_add(&d->at[i], out);
    (void)pthread_mutex_unlock(&d->lock);
}
