#include "classify/origin.h"

#include "classify/prefix_map.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { LISTS_MAX = 1024 };

struct origins {
    struct geo *country, *as;
    struct scanner_list **lists; /* keep the organisations' texts */
    size_t list_count;
    struct origin_list *identities;
    struct origin_organisation *organisations;
    struct prefix_map *map; /* to organisations; NULL: no list */
    struct origin_basis basis;
};

const char *origin_name(enum origin_class class)
{
/* clang-format off */
#define TEXT_(name) #name,
    static const char *const names[] = {ORIGINS(TEXT_)};
#undef TEXT_
    /* clang-format on */
    return names[class];
}

/* ---- lists ---- */

static int add_list(struct origins *o, const char *path, struct fault *fault)
{
    struct scanner_list *list;
    if (o->list_count == LISTS_MAX)
        return fault_set(fault, E2BIG, "%s: list %d; at most %d are read", path, LISTS_MAX + 1,
                         LISTS_MAX);
    int err = scanner_list_open(&list, path, fault);
    if (err)
        return err;
    for (size_t i = 0; i < o->list_count; i++) {
        if (strcmp(o->lists[i]->name, list->name) != 0)
            continue;
        bool is_same = strcmp(o->lists[i]->sha256, list->sha256) == 0;
        if (!is_same)
            err = fault_set(fault, EINVAL, "%s: another list is called %s, too", path, list->name);
        scanner_list_destroy(list);
        return err;
    }
    scanner_list_sort(list);
    o->lists[o->list_count++] = list;
    return 0;
}

static int is_list_file(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);
    return entry->d_name[0] != '.' && len > 5 && strcmp(entry->d_name + len - 5, ".yaml") == 0;
}

static int add_folder(struct origins *o, const char *dir, struct fault *fault)
{
    struct dirent **names = NULL;
    char path[4096];
    int err = 0, count = scandir(dir, &names, is_list_file, NULL);
    if (count < 0)
        return fault_set(fault, errno, "%s: %s", dir, strerror(errno));
    if (count == 0)
        err = fault_set(fault, EINVAL, "%s: no list (*.yaml) in this folder", dir);
    for (int i = 0; i < count; i++) {
        if (err == 0 &&
            snprintf(path, sizeof path, "%s/%s", dir, names[i]->d_name) >= (int)sizeof path)
            err = fault_set(fault, ENAMETOOLONG, "%s: %s", dir, strerror(ENAMETOOLONG));
        if (err == 0)
            err = add_list(o, path, fault);
        free(names[i]);
    }
    free(names);
    return err;
}

static int compare_lists(const void *a, const void *b)
{
    const struct scanner_list *x = *(struct scanner_list *const *)a,
                              *y = *(struct scanner_list *const *)b;
    return strcmp(x->name, y->name);
}

static int add_lists(struct origins *o, const struct origin_settings *s, struct fault *fault)
{
    o->lists = calloc(LISTS_MAX, sizeof *o->lists);
    if (!o->lists)
        return fault_set(fault, ENOMEM, "lists: out of memory");
    int err = 0;
    for (size_t i = 0; i < s->list_count && err == 0; i++) {
        struct stat st;
        bool is_folder = stat(s->lists[i], &st) == 0 && S_ISDIR(st.st_mode);
        err = (is_folder ? add_folder : add_list)(o, s->lists[i], fault);
    }
    if (o->list_count)
        qsort(o->lists, o->list_count, sizeof *o->lists, compare_lists);
    return err;
}

/* ---- organisations ---- */

static int compare_organisations(const void *a, const void *b)
{
    return strcmp(((const struct origin_organisation *)a)->name,
                  ((const struct origin_organisation *)b)->name);
}

/* Those of one name become one: the latest date and, of homepages, the first in bytes. */
static size_t merge_organisations(struct origin_organisation *all, size_t count)
{
    size_t kept = 0;
    if (count == 0)
        return 0;
    qsort(all, count, sizeof *all, compare_organisations);
    for (size_t i = 1; i < count; i++) {
        struct origin_organisation *top = &all[kept];
        if (strcmp(top->name, all[i].name) != 0) {
            all[++kept] = all[i];
            continue;
        }
        if (strcmp(all[i].date, top->date) > 0)
            top->date = all[i].date;
        if (all[i].homepage[0] && (!top->homepage[0] || strcmp(all[i].homepage, top->homepage) < 0))
            top->homepage = all[i].homepage;
    }
    return kept + 1;
}

static uint32_t index_of(const struct origins *o, const char *name)
{
    const struct origin_organisation key = {.name = name};
    const struct origin_organisation *found = bsearch(
        &key, o->organisations, o->basis.organisation_count, sizeof key, compare_organisations);
    return (uint32_t)(found - o->organisations);
}

static int build_map(struct origins *o, size_t prefixes)
{
    struct prefix_value *rows = calloc(prefixes + 1, sizeof *rows);
    size_t count = 0;
    if (!rows)
        return -ENOMEM;
    for (size_t i = 0; i < o->list_count; i++)
        for (size_t k = 0; k < o->lists[i]->organisation_count; k++) {
            const struct scanner_organisation *from = &o->lists[i]->organisations[k];
            uint32_t index = index_of(o, from->name);
            for (size_t p = 0; p < from->prefix_count; p++)
                rows[count++] = (struct prefix_value){from->prefixes[p], index};
        }
    int err = prefix_map_create(&o->map, rows, count);
    free(rows);
    return err;
}

static int build(struct origins *o, struct fault *fault)
{
    size_t organisations = 0, prefixes = 0, count = 0;
    for (size_t i = 0; i < o->list_count; i++) {
        organisations += o->lists[i]->organisation_count;
        prefixes += o->lists[i]->prefix_count;
    }
    o->organisations = calloc(organisations + 1, sizeof *o->organisations);
    o->identities = calloc(o->list_count + 1, sizeof *o->identities);
    if (!o->organisations || !o->identities)
        return fault_set(fault, ENOMEM, "lists: out of memory");
    for (size_t i = 0; i < o->list_count; i++) {
        const struct scanner_list *list = o->lists[i];
        struct origin_list *to = &o->identities[i];
        memcpy(to->name, list->name, sizeof to->name);
        memcpy(to->date, list->date, sizeof to->date);
        memcpy(to->sha256, list->sha256, sizeof to->sha256);
        to->organisations = (uint32_t)list->organisation_count;
        to->prefixes = (uint32_t)list->prefix_count;
        for (size_t k = 0; k < list->organisation_count; k++) {
            const struct scanner_organisation *from = &list->organisations[k];
            o->organisations[count++] =
                (struct origin_organisation){from->name, from->homepage, from->date};
        }
    }
    o->basis.organisation_count = merge_organisations(o->organisations, count);
    if (o->list_count && build_map(o, prefixes) != 0)
        return fault_set(fault, ENOMEM, "lists: out of memory");
    return 0;
}

/* ---- whole ---- */

static int said_of(int err, const char *subject, struct fault *fault)
{
    if (err != 0 && subject)
        (void)fault_prefix(fault, subject);
    return err;
}

int origins_create(struct origins **out, const struct origin_settings *settings,
                   struct fault *fault)
{
    struct origins *o = calloc(1, sizeof *o);
    int err = 0;
    *out = NULL;
    if (!o)
        return fault_set(fault, ENOMEM, "origins: out of memory");
    if (settings->country)
        err = said_of(geo_open(&o->country, GEO_COUNTRY, settings->country, fault),
                      settings->country_subject, fault);
    if (err == 0 && settings->as)
        err = said_of(geo_open(&o->as, GEO_AS, settings->as, fault), settings->as_subject, fault);
    if (err == 0)
        err = said_of(add_lists(o, settings, fault), settings->lists_subject, fault);
    if (err == 0)
        err = build(o, fault);
    if (err) {
        origins_destroy(o);
        return err;
    }
    o->basis.country = o->country ? geo_identity(o->country) : NULL;
    o->basis.as = o->as ? geo_identity(o->as) : NULL;
    o->basis.lists = o->list_count ? o->identities : NULL;
    o->basis.list_count = o->list_count;
    o->basis.has_extra_bogons = settings->has_extra_bogons;
    *out = o;
    return 0;
}

void origins_destroy(struct origins *o)
{
    if (!o)
        return;
    geo_close(o->country);
    geo_close(o->as);
    prefix_map_destroy(o->map);
    for (size_t i = 0; i < o->list_count; i++)
        scanner_list_destroy(o->lists[i]);
    free(o->lists);
    free(o->identities);
    free(o->organisations);
    free(o);
}

void origins_find_class(const struct origins *o, const uint8_t address[16], unsigned ip_version,
                        struct origin *out)
{
    *out = (struct origin){.class = ORIGIN_ordinary, .organisation = ORIGIN_NO_ORGANISATION};
    if (ip_version != 4 && ip_version != 6)
        return;
    out->bogon = bogon_find(address, ip_version, o->basis.has_extra_bogons);
    if (out->bogon) {
        out->class = ORIGIN_bogon;
    } else if (o->map) {
        out->organisation = prefix_map_find(o->map, address, ip_version);
        if (out->organisation != PREFIX_MAP_NONE)
            out->class = ORIGIN_acknowledged;
    }
}

void origins_find(const struct origins *o, const uint8_t address[16], unsigned ip_version,
                  struct origin *out)
{
    origins_find_class(o, address, ip_version, out);
    if (out->bogon || (ip_version != 4 && ip_version != 6))
        return;
    if (o->country)
        geo_find_country(o->country, address, ip_version, out->country);
    if (o->as)
        geo_find_as(o->as, address, ip_version, &out->as);
}

const struct origin_basis *origins_basis(const struct origins *o) { return &o->basis; }

const struct scanner_list *origins_list(const struct origins *o, size_t index)
{
    return o->lists[index];
}

const struct origin_organisation *origins_organisation(const struct origins *o, uint32_t index)
{
    return &o->organisations[index];
}

static_assert(ORIGIN_NO_ORGANISATION == PREFIX_MAP_NONE,
              "what no prefix holds has no organisation");
