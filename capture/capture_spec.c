#include "capture/capture_spec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const char *const capture_backend_names[CAPTURE_BACKEND_COUNT] = {
    [CAPTURE_BACKEND_PCAP] = "pcap",
    [CAPTURE_BACKEND_DPDK] = "dpdk",
};

/* Takes ",queues=N" off the target's end, if it is there. */
static int queues_take(struct capture_spec *spec, const char *text, struct fault *fault)
{
    static const char key[] = "queues=";
    char *comma = strrchr(spec->target, ',');
    if (!comma || strncmp(comma + 1, key, strlen(key)) != 0)
        return 0;
    const char *number = comma + 1 + strlen(key);
    char *end;
    unsigned long queues = strtoul(number, &end, 10);
    if (number[0] < '0' || number[0] > '9' || *end || queues < 1 || queues > CAPTURE_QUEUES_MAX)
        return fault_set(fault, EINVAL, "'%.160s': queues is not a number from 1 to %d", text,
                         CAPTURE_QUEUES_MAX);
    spec->queues = (uint32_t)queues;
    *comma = '\0';
    return 0;
}

static int dpdk_parse(struct capture_spec *spec, const char *text, struct fault *fault)
{
    static const char vdev[] = "vdev=";
    int err = queues_take(spec, text, fault);
    if (err < 0)
        return err;
    spec->is_vdev = strncmp(spec->target, vdev, strlen(vdev)) == 0;
    if (spec->is_vdev)
        memmove(spec->target, spec->target + strlen(vdev), strlen(spec->target + strlen(vdev)) + 1);
    else if (strchr(spec->target, ','))
        return fault_set(fault, EINVAL, "'%.160s': behind a port there is only ,queues=N", text);
    return spec->target[0] && spec->target[0] != ','
               ? 0
               : fault_set(fault, EINVAL, "'%.160s': names no port", text);
}

static int pcap_parse(struct capture_spec *spec, const char *text, struct fault *fault)
{
    size_t len = strlen(spec->target);
    if (len == 0 || len > CAPTURE_INTERFACE_MAX || strpbrk(spec->target, "/, \t"))
        return fault_set(fault, EINVAL, "'%.160s': names no interface: 1 to %d bytes, no /", text,
                         CAPTURE_INTERFACE_MAX);
    return 0;
}

int capture_spec_parse(struct capture_spec *spec, const char *text, struct fault *fault)
{
    static int (*const parse[])(struct capture_spec *, const char *, struct fault *) = {
        [CAPTURE_BACKEND_PCAP] = pcap_parse,
        [CAPTURE_BACKEND_DPDK] = dpdk_parse,
    };
    size_t len = strcspn(text, ":");
    *spec = (struct capture_spec){0};
    unsigned backend = 0;
    while (backend < CAPTURE_BACKEND_COUNT &&
           (strlen(capture_backend_names[backend]) != len ||
            memcmp(capture_backend_names[backend], text, len) != 0))
        backend++;
    if (backend == CAPTURE_BACKEND_COUNT || text[len] == '\0')
        return fault_set(fault, EINVAL, "'%.160s': expected pcap:IFACE or dpdk:PORT[,queues=N]",
                         text);
    const char *target = text + len + 1;
    if (strlen(target) >= sizeof spec->target)
        return fault_set(fault, EINVAL, "'%.80s...': is longer than %d bytes", text,
                         CAPTURE_TARGET - 1);
    spec->backend = (enum capture_backend)backend;
    strcpy(spec->target, target);
    return parse[backend](spec, text, fault);
}
