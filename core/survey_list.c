#include "core/survey_list.h"

#include "core/memory.h"
#include "export/saturate.h"

#include <stdlib.h>
#include <string.h>

struct survey_maker {
    const struct survey_settings *settings;
    uint64_t packets_least; /* of an IPv4 source */
    int32_t date;
    struct survey_entry *entries;
    size_t count, room;
    bool is_group_open; /* the /64 being read: */
    size_t group_from;  /* its first entry; those that hang on it are not out yet */
    uint8_t group[8];
    uint64_t group_packets, group_targets;
    uint64_t group_bits[2 * 65536 / 64]; /* its targets */
};

struct survey_maker *survey_maker_create(const struct survey_settings *settings,
                                         uint64_t telescope_ipv4, int32_t date)
{
    struct survey_maker *m = memory_must(calloc(1, sizeof *m));
    m->settings = settings;
    m->packets_least = day_survey_min_packets(settings, telescope_ipv4);
    m->date = date;
    return m;
}

void survey_maker_destroy(struct survey_maker *m)
{
    if (m)
        free(m->entries);
    free(m);
}

static void entry_add(struct survey_maker *m, const struct source_day *d, bool is_out)
{
    if (m->count == m->room) {
        m->room = m->room ? m->room * 2 : 1024;
        m->entries = memory_must(realloc(m->entries, m->room * sizeof *m->entries));
    }
    struct survey_entry *e = &m->entries[m->count++];
    *e = (struct survey_entry){.ip_version = d->ip_version, .is_out = is_out};
    memcpy(e->address, d->address, d->ip_version == 4 ? 4 : sizeof e->address);
}

/* Entries of the /64 that say nothing of their own (a listed attacker does, and stays) are its scanners, or go. */
static void group_end(struct survey_maker *m)
{
    bool is_survey = m->group_targets >= m->settings->min_ports6 &&
                     m->group_packets >= m->settings->min_packets6;
    size_t kept = m->group_from;
    for (size_t i = m->group_from; i < m->count; i++) {
        struct survey_entry e = m->entries[i];
        if (e.is_out && !is_survey)
            continue;
        m->entries[kept++] = e;
    }
    m->count = kept;
    m->group_packets = m->group_targets = 0;
    memset(m->group_bits, 0, sizeof m->group_bits);
    m->is_group_open = false;
}

static void group_take(struct survey_maker *m, const struct source_day *d)
{
    if (m->is_group_open && memcmp(m->group, d->address, sizeof m->group) != 0)
        group_end(m);
    if (!m->is_group_open)
        m->group_from = m->count;
    memcpy(m->group, d->address, sizeof m->group);
    m->is_group_open = true;
    saturate_add(&m->group_packets, source_day_survey_packets(d));
    for (size_t i = 0; i < d->port_count; i++) {
        if (d->ports[i].kind == KIND_tcp_data)
            continue;
        uint32_t target = (uint32_t)(d->ports[i].kind == KIND_udp) << 16 | d->ports[i].port;
        uint64_t bit = UINT64_C(1) << target % 64;
        m->group_targets += !(m->group_bits[target / 64] & bit);
        m->group_bits[target / 64] |= bit;
    }
}

void survey_maker_take(struct survey_maker *m, const struct source_day *d, bool is_listed,
                       bool is_attacker)
{
    if (d->ip_version == 6)
        group_take(m, d);
    if (is_attacker) {
        if (is_listed)
            entry_add(m, d, false);
        return;
    }
    if (is_listed)
        return;
    if (d->ip_version == 6 || (source_day_targets(d) >= m->settings->min_ports &&
                               source_day_survey_packets(d) >= m->packets_least))
        entry_add(m, d, true);
}

struct survey_list *survey_maker_end(struct survey_maker *m)
{
    if (m->is_group_open)
        group_end(m);
    struct survey_list *list = memory_must(malloc(sizeof *list + m->count * sizeof *m->entries));
    list->date = m->date;
    list->count = m->count;
    if (m->count > 0)
        memcpy(list->at, m->entries, m->count * sizeof *m->entries);
    return list;
}

struct survey_list *survey_list_copy(const struct survey_list *list)
{
    if (!list)
        return NULL;
    size_t bytes = sizeof *list + list->count * sizeof *list->at;
    return memcpy(memory_must(malloc(bytes)), list, bytes);
}

static int entry_order(const struct survey_entry *e, const uint8_t address[16], unsigned ip_version)
{
    if (e->ip_version != ip_version)
        return e->ip_version < ip_version ? -1 : 1;
    return memcmp(e->address, address, ip_version == 4 ? 4 : sizeof e->address);
}

bool survey_list_takes(const struct survey_list *list, const uint8_t address[16],
                       unsigned ip_version, bool is_listed)
{
    size_t from = 0, to = list ? list->count : 0;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        int order = entry_order(&list->at[middle], address, ip_version);
        if (order == 0)
            return list->at[middle].is_out;
        if (order < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return is_listed;
}
