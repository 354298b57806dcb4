/* Any text as a DPDK port and as EAL's arguments. */
#include "capture/dpdk_spec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void hold(bool holds, const char *what)
{
    if (holds)
        return;
    (void)fprintf(stderr, "does not hold: %s\n", what);
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    char *text = malloc(len + 1);
    struct dpdk_spec s;
    struct dpdk_arguments a;
    struct fault fault = {0};
    if (!text)
        return 0;
    memcpy(text, data, len);
    text[len] = '\0';
    if (dpdk_spec_parse(&s, text, &fault) == 0) {
        hold(s.queues >= 1 && s.queues <= DPDK_QUEUES_MAX, "1 to 128 queues");
        hold(s.device[0] && strlen(s.device) < DPDK_DEVICE_ROOM, "a device");
        hold(strlen(s.devargs) < strlen(text) + 1, "devargs no longer than the text");
        hold(s.kind != DPDK_NAMED || !s.devargs[0], "a named port has no items of its own");
        (void)dpdk_spec_count(&s, "rx_pcap");
        char value[16];
        hold(!dpdk_spec_value(&s, "iface", value, sizeof value) || strlen(value) < sizeof value,
             "a value fits");
    } else {
        hold(fault.text[0] && !strchr(fault.text, '\n'), "a fault is one line");
    }
    if (dpdk_arguments_parse(&a, text, &fault) == 0) {
        char out[64];
        for (unsigned i = 0; i < a.count; i++)
            hold(a.word[i] >= a.text && a.word[i] < a.text + sizeof a.text, "words in the text");
        dpdk_arguments_blame(&a, "EAL: lcore", out, sizeof out);
        hold(strlen(out) < sizeof out, "blame fits");
    }
    free(text);
    return 0;
}
