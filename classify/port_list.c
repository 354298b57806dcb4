#include "classify/port_list.h"

#include <errno.h>
#include <string.h>

enum { PORTS_MAX = 512 };

/* A port at *text, moved behind it; -1 where there is none. */
static int take_port(const char **text)
{
    const char *at = *text;
    int port = 0, digits = 0;
    for (; at[digits] >= '0' && at[digits] <= '9' && digits < 6; digits++)
        port = port * 10 + (at[digits] - '0');
    if (digits == 0 || port > 65535 || (digits > 1 && at[0] == '0'))
        return -1;
    *text += digits;
    return port;
}

/* "tcp/23", "udp/7000-7010", "tcp/any". */
static int parse_ports(const char *text, struct port_range *range)
{
    if (strncmp(text, "tcp/", 4) == 0)
        range->proto = PORT_PROTO_TCP;
    else if (strncmp(text, "udp/", 4) == 0)
        range->proto = PORT_PROTO_UDP;
    else
        return -EINVAL;
    text += 4;
    if (strcmp(text, "any") == 0) {
        *range = (struct port_range){.last = 65535, .proto = range->proto, .is_any = true};
        return 0;
    }
    int first = take_port(&text), last = first;
    if (*text == '-') {
        text++;
        last = take_port(&text);
    }
    if (first < 0 || last < first || *text != '\0')
        return -EINVAL;
    range->is_any = false;
    range->first = (uint16_t)first;
    range->last = (uint16_t)last;
    return 0;
}

static int take(struct yaml_reader *r, struct port_list *list, const char *text, bool takes_any)
{
    char show[YAML_SHOWN];
    size_t count = list->count;
    if ((count & (count - 1)) == 0) { /* full at every power of two */
        struct port_range *grown = arena_alloc(r->arena, (count ? count * 2 : 1) * sizeof *grown);
        if (!grown)
            return yaml_reader_no_memory(r);
        if (count)
            memcpy(grown, list->at, count * sizeof *grown);
        list->at = grown;
    }
    struct port_range *range = &list->at[count];
    if (parse_ports(text, range) != 0 || (range->is_any && !takes_any))
        return yaml_reader_refuse(
            r, yaml_reader_here(r),
            "'%s': expected tcp/PORT, udp/PORT or tcp/FIRST-LAST, ports 0 to 65535%s",
            yaml_reader_quoted(text, show), takes_any ? ", or tcp/any, udp/any" : "");
    range->place = yaml_reader_here(r);
    list->count++;
    return 0;
}

static int take_range(struct yaml_reader *r, void *into, const char *text)
{
    return take(r, into, text, false);
}

static int take_range_or_any(struct yaml_reader *r, void *into, const char *text)
{
    return take(r, into, text, true);
}

int port_list_read(struct yaml_reader *r, void *into)
{
    struct port_list *list = into;
    return yaml_reader_texts(r, PORTS_MAX, &list->text, take_range, list);
}

int port_list_read_any(struct yaml_reader *r, void *into)
{
    struct port_list *list = into;
    return yaml_reader_texts(r, PORTS_MAX, &list->text, take_range_or_any, list);
}
