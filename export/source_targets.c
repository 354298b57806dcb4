#include "export/source_targets.h"

#include "export/saturate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct source_target_row {
    uint64_t listed, shown;
    uint16_t port;
    uint8_t proto, kind;
};

static unsigned proto_of(unsigned kind)
{
    return kind == KIND_udp ? PORT_PROTO_UDP : PORT_PROTO_TCP;
}

static int room(void **at, size_t *size, size_t count, size_t each)
{
    if (count <= *size)
        return 0;
    size_t more = *size == 0 ? 64 : *size;
    while (more < count)
        more *= 2;
    void *grown = realloc(*at, more * each);
    if (grown == NULL)
        return -ENOMEM;
    *at = grown;
    *size = more;
    return 0;
}

/* Appends, or adds to the row before where that is the same target. */
static void target_add(struct source_targets *t, unsigned proto, uint16_t port, uint64_t packets)
{
    struct source_target *last = t->count == 0 ? NULL : &t->at[t->count - 1];
    if (last != NULL && last->proto == proto && last->port == port)
        saturate_add(&last->packets, packets);
    else
        t->at[t->count++] = (struct source_target){packets, port, (uint8_t)proto};
}

static int row_order(const void *a, const void *b)
{
    const struct source_target_row *x = a, *y = b;
    if (x->proto != y->proto)
        return x->proto - y->proto;
    return x->port != y->port ? x->port - y->port : x->kind - y->kind;
}

static int hit_order(const void *a, const void *b)
{
    const struct source_hit *x = a, *y = b;
    if (x->proto != y->proto)
        return x->proto - y->proto;
    if (x->port != y->port)
        return x->port - y->port;
    return x->evidence != y->evidence ? x->evidence - y->evidence : strcmp(x->rule, y->rule);
}

/* Without evidence: the three runs of rows, those of TCP side by side. */
static void runs_fill(struct source_targets *t, const struct source_day *s)
{
    const struct source_day_port *end = s->ports + s->port_count, *syn = s->ports, *data = syn;
    while (data < end && data->kind == KIND_tcp_syn)
        data++;
    const struct source_day_port *syn_end = data, *data_end = data;
    while (data_end < end && data_end->kind == KIND_tcp_data)
        data_end++;
    const struct source_day_port *udp = data_end;
    while (syn < syn_end || data < data_end) {
        bool is_syn = data == data_end || (syn < syn_end && syn->port <= data->port);
        const struct source_day_port *row = is_syn ? syn++ : data++;
        target_add(t, PORT_PROTO_TCP, row->port, row->packets);
    }
    for (; udp < end; udp++)
        target_add(t, PORT_PROTO_UDP, udp->port, udp->packets);
}

/* Evidence may say more of a kind and port than its row does. */
static void rows_fill(struct source_targets *t, const struct source_day *s)
{
    size_t count = 0;
    for (size_t i = 0; i < s->port_count; i++)
        t->rows[count++] =
            (struct source_target_row){s->ports[i].packets, 0, s->ports[i].port,
                                       (uint8_t)proto_of(s->ports[i].kind), s->ports[i].kind};
    for (size_t i = 0; i < s->evidence_count; i++) {
        const struct source_day_evidence *e = &s->evidence[i];
        t->rows[count++] =
            (struct source_target_row){0, e->packets, e->port, (uint8_t)proto_of(e->kind), e->kind};
        t->hits[i] = (struct source_hit){e->rule, e->packets, e->port, (uint8_t)proto_of(e->kind),
                                         e->evidence};
    }
    qsort(t->rows, count, sizeof *t->rows, row_order);
    qsort(t->hits, s->evidence_count, sizeof *t->hits, hit_order);
    for (size_t i = 0, next; i < count; i = next) {
        struct source_target_row sum = t->rows[i];
        for (next = i + 1; next < count && row_order(&t->rows[next], &sum) == 0; next++) {
            saturate_add(&sum.listed, t->rows[next].listed);
            saturate_add(&sum.shown, t->rows[next].shown);
        }
        target_add(t, sum.proto, sum.port, sum.listed > sum.shown ? sum.listed : sum.shown);
    }
    for (size_t i = 0; i < s->evidence_count; i++) {
        struct source_hit *last = t->hit_count == 0 ? NULL : &t->hits[t->hit_count - 1];
        if (last != NULL && hit_order(last, &t->hits[i]) == 0)
            saturate_add(&last->packets, t->hits[i].packets);
        else
            t->hits[t->hit_count++] = t->hits[i];
    }
}

int source_targets_fill(struct source_targets *t, const struct source_day *s)
{
    size_t rows = s->port_count + s->evidence_count;
    t->count = t->hit_count = 0;
    if (rows == 0)
        return 0;
    if (room((void **)&t->at, &t->size, rows, sizeof *t->at) != 0)
        return -ENOMEM;
    if (s->evidence_count == 0) {
        runs_fill(t, s);
        return 0;
    }
    if (room((void **)&t->hits, &t->hit_size, s->evidence_count, sizeof *t->hits) != 0 ||
        room((void **)&t->rows, &t->row_size, rows, sizeof *t->rows) != 0)
        return -ENOMEM;
    rows_fill(t, s);
    return 0;
}

void source_targets_fini(struct source_targets *t)
{
    free(t->at);
    free(t->hits);
    free(t->rows);
    *t = (struct source_targets){0};
}

const struct source_target *source_targets_find(const struct source_targets *t, unsigned proto,
                                                uint16_t port)
{
    size_t low = 0, high = t->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct source_target *at = &t->at[middle];
        if (at->proto == proto && at->port == port)
            return at;
        if (at->proto < proto || (at->proto == proto && at->port < port))
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

uint64_t source_targets_shown(const struct source_targets *t, size_t *at)
{
    const struct source_hit *first = &t->hits[*at];
    uint64_t packets = 0;
    for (; *at < t->hit_count && t->hits[*at].proto == first->proto &&
           t->hits[*at].port == first->port;
         ++*at)
        if (t->hits[*at].evidence == EVIDENCE_payload)
            saturate_add(&packets, t->hits[*at].packets);
    return packets;
}

uint32_t source_targets_tools(const struct source_day *s)
{
    uint32_t tools = 0;
    for (unsigned tool = 0; tool < TOOL_COUNT; tool++)
        if (s->tools[tool] > 0 && source_day_uses(s, tool))
            tools |= UINT32_C(1) << tool;
    return tools;
}

unsigned source_country(const char country[3])
{
    if (country[0] < 'A' || country[0] > 'Z' || country[1] < 'A' || country[1] > 'Z')
        return 0;
    return (unsigned)(country[0] - 'A') * 26 + (unsigned)(country[1] - 'A') + 1;
}

void source_country_text(unsigned number, char country[3])
{
    memset(country, 0, 3);
    if (number == 0 || number >= SOURCE_COUNTRIES)
        return;
    country[0] = (char)('A' + (number - 1) / 26);
    country[1] = (char)('A' + (number - 1) % 26);
}
