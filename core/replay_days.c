#include "core/replay_days.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *temporary_dir(const struct config *c)
{
    const char *dir = getenv("TMPDIR");
    return c->out ? c->out : dir && *dir ? dir : "/tmp";
}

static int basis_fill(struct replay_days *d, const struct origins *origins)
{
    const struct origin_basis *basis = origins_basis(origins);
    const struct geo_identity *databases[] = {basis->country, basis->as};
    d->lists = calloc(basis->list_count + 1, sizeof *d->lists);
    if (!d->lists)
        return -ENOMEM;
    for (size_t i = 0; i < basis->list_count; i++)
        d->lists[d->list_count++] =
            (struct day_basis){basis->lists[i].name, basis->lists[i].date, basis->lists[i].sha256};
    for (unsigned i = 0; i < 2; i++) {
        if (!databases[i])
            continue;
        size_t k = d->database_count++;
        (void)snprintf(d->epochs[k], sizeof d->epochs[k], "%" PRIu64, databases[i]->build_epoch_s);
        d->databases[k] =
            (struct day_basis){databases[i]->type, d->epochs[k], databases[i]->sha256};
    }
    return 0;
}

int replay_days_fill(struct replay_days *d, const struct config *config, const struct setup *setup,
                     struct fault *fault)
{
    *d = (struct replay_days){
        .settings =
            {
                .day =
                    {
                        .rules = setup->rules,
                        .survey = setup_survey(config),
                        .complete_coverage_milli = (uint32_t)config->complete_coverage,
                        .complete_loss_milli = (uint32_t)config->complete_loss,
                    },
                .telescope_id = config->telescope_id ? config->telescope_id : "",
                .sensor = config->sensor,
                .timezone = config->timezone,
                .telescope = setup->telescope,
                .dir = temporary_dir(config),
            },
    };
    if (config->no_sources)
        return 0;
    d->is_counted = true;
    d->settings.origins = setup->origins;
    int err = basis_fill(d, setup->origins);
    d->settings.lists = d->lists;
    d->settings.databases = d->databases;
    d->settings.list_count = d->list_count;
    d->settings.database_count = d->database_count;
    d->survey = (struct tally_survey){.telescope = setup->telescope,
                                      .settings = &d->settings.day.survey,
                                      .origins = setup->origins};
    return err < 0 ? fault_set(fault, -err, "days: %s", strerror(-err)) : 0;
}

int replay_days_init(struct replay_days *d, const struct config *config, const struct setup *setup,
                     bool has_store, struct fault *fault)
{
    *d = (struct replay_days){0};
    if (calendar_zone(config->timezone) < 0)
        return fault_set(fault, ENOMEM, "time zone: %s", strerror(ENOMEM));
    int err = replay_days_fill(d, config, setup, fault);
    if (err == 0 && d->is_counted && has_store && !(d->store = day_store_create(&d->settings)))
        err = fault_set(fault, ENOMEM, "days: %s", strerror(ENOMEM));
    return err;
}

void replay_days_fini(struct replay_days *d)
{
    day_store_destroy(d->store);
    day_minutes_fini(&d->minutes);
    free(d->lists);
    *d = (struct replay_days){0};
}

const char *replay_days_ex_absent(const struct replay_days *d)
{
    return !d->is_counted          ? "days are not counted"
           : d->settings.telescope ? ""
                                   : "the telescope's size is unknown";
}

const struct tally_survey *replay_days_survey(const struct replay_days *d)
{
    return replay_days_ex_absent(d)[0] == '\0' ? &d->survey : NULL;
}

void replay_days_identify(const struct replay_days *d, struct feed_identity *identity)
{
    if (!d->is_counted)
        return;
    identity->survey = &d->settings.day.survey;
    identity->has_sources = true;
    identity->lists = d->lists;
    identity->list_count = d->list_count;
    identity->databases = d->databases;
    identity->database_count = d->database_count;
}
