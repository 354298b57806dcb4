#include "capture/dpdk_spec.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

static int complain(struct fault *fault, const char *text, const char *at, const char *what)
{
    (void)fault_set(fault, EINVAL, "dpdk:%.100s: character %zu: %s", text, (size_t)(at - text) + 1,
                    what);
    (void)fault_one_line(fault);
    return -EINVAL;
}

static bool word_is(const char *at, size_t length, const char *word)
{
    return strlen(word) == length && memcmp(at, word, length) == 0;
}

/* Hexadecimal digits, `least` to `most`; moves *at behind them. */
static bool hex_read(const char **at, int least, int most, unsigned *value)
{
    int count = 0;
    for (*value = 0; count < most && is_hex(**at); count++, (*at)++) {
        unsigned c = (unsigned char)**at;
        *value = *value * 16 + (is_digit((char)c) ? c - '0' : (c | 32) - 'a' + 10);
    }
    return count >= least;
}

/* [DOMAIN:]BUS:DEVICE.FUNCTION, the whole of `length`. */
static bool pci_read(const char *at, size_t length, char device[DPDK_DEVICE_ROOM])
{
    unsigned part[4] = {0};
    const char *end = at + length, *colon = memchr(at, ':', length);
    const char *second = colon ? memchr(colon + 1, ':', (size_t)(end - colon - 1)) : NULL;
    if (second && (!hex_read(&at, 1, 4, &part[0]) || *at++ != ':'))
        return false;
    if (!colon || !hex_read(&at, 1, 2, &part[1]) || *at++ != ':' ||
        !hex_read(&at, 1, 2, &part[2]) || *at++ != '.' || !hex_read(&at, 1, 1, &part[3]) ||
        at != end)
        return false;
    (void)snprintf(device, DPDK_DEVICE_ROOM, "%04x:%02x:%02x.%x", part[0], part[1], part[2],
                   part[3]);
    return part[2] < 32 && part[3] < 8;
}

static int port_read(struct dpdk_spec *spec, const char *text, const char **at, struct fault *fault)
{
    if (strncmp(*at, "vdev=", 5) == 0) {
        spec->kind = DPDK_VDEV;
        *at += 5;
    }
    const char *begin = *at;
    size_t length = strcspn(begin, ",");
    *at += length;
    if (!length)
        return complain(fault, text, begin, "a port is expected: a PCI address, a name, vdev=NAME");
    if (spec->kind != DPDK_VDEV && pci_read(begin, length, spec->device)) {
        spec->kind = DPDK_PCI;
        return 0;
    }
    for (size_t i = 0; i < length; i++)
        if (!is_letter(begin[i]) && !is_digit(begin[i]) && (!i || !strchr("_.:-@", begin[i])))
            return complain(fault, text, begin + i,
                            "a port's name holds letters, digits, _ . : - @ and begins with one of "
                            "the first two");
    if (length >= DPDK_DEVICE_ROOM)
        return complain(fault, text, begin + DPDK_DEVICE_ROOM - 1,
                        "a port's name has at most 63 characters");
    if (spec->kind != DPDK_VDEV)
        spec->kind = DPDK_NAMED;
    memcpy(spec->device, begin, length);
    spec->device[length] = '\0';
    return 0;
}

/* Our items: what they may be. */
static const struct own_item {
    const char *key;
    uint32_t least, most;
    const char *what;
} own_items[] = {
    {"queues", 1, DPDK_QUEUES_MAX, "queues is a number from 1 to 128"},
    {"mtu", 68, 65535, "mtu is a number from 68 to 65535"},
    {"mbufs", 256, 1 << 26, "mbufs is a number from 256 to 67108864"},
};

struct own_values {
    uint32_t at[sizeof own_items / sizeof *own_items];
};

static int own_read(const struct own_item *item, uint32_t *value, const char *text, const char *key,
                    const char *at, size_t length, struct fault *fault)
{
    uint64_t number = 0;
    if (*value)
        return complain(fault, text, key, "said twice");
    for (size_t i = 0; i < length; i++) {
        if (!is_digit(at[i]) || number > item->most)
            return complain(fault, text, at, item->what);
        number = number * 10 + (uint64_t)(at[i] - '0');
    }
    if (number < item->least || number > item->most)
        return complain(fault, text, at, item->what);
    *value = (uint32_t)number;
    return 0;
}

static int devarg_add(struct dpdk_spec *spec, const char *text, const char *at, size_t length,
                      struct fault *fault)
{
    size_t used = strlen(spec->devargs);
    if (spec->kind == DPDK_NAMED)
        return complain(fault, text, at,
                        "only queues=, mtu= and mbufs= go with a port that is there already");
    if (used + length + 2 > DPDK_DEVARGS_ROOM)
        return complain(fault, text, at, "the device's items are longer than 1,023 characters");
    if (used)
        spec->devargs[used++] = ',';
    memcpy(spec->devargs + used, at, length);
    spec->devargs[used + length] = '\0';
    return 0;
}

static int item_read(struct dpdk_spec *spec, struct own_values *own, const char *text,
                     const char *at, size_t length, struct fault *fault)
{
    for (size_t i = 0; i < length; i++)
        if (at[i] <= ' ' || at[i] == 127)
            return complain(fault, text, at + i, "a space or control character");
    if (!length)
        return complain(fault, text, at, "an item is expected: KEY=VALUE");
    const char *equals = memchr(at, '=', length);
    size_t key = equals ? (size_t)(equals - at) : length;
    if (!key)
        return complain(fault, text, at, "an item begins with its key");
    for (size_t i = 0; i < sizeof own_items / sizeof *own_items; i++) {
        if (!word_is(at, key, own_items[i].key))
            continue;
        if (!equals)
            return complain(fault, text, at + key, own_items[i].what);
        return own_read(&own_items[i], &own->at[i], text, at, equals + 1, length - key - 1, fault);
    }
    if (key > 7 && memcmp(at, "device.", 7) == 0)
        return devarg_add(spec, text, at + 7, length - 7, fault);
    return devarg_add(spec, text, at, length, fault);
}

/* Where the vdev's own items say how many queues it has. */
static uint32_t queues_of(const struct dpdk_spec *spec)
{
    static const struct {
        const char *driver, *key;
    } rows[] = {{"net_af_packet", "qpairs="},
                {"net_af_xdp", "queue_count="},
                {"net_virtio_user", "queues="}};
    if (dpdk_spec_is(spec, "net_pcap")) {
        unsigned count = dpdk_spec_count(spec, "rx_pcap") + dpdk_spec_count(spec, "rx_iface") +
                         dpdk_spec_count(spec, "rx_iface_in");
        return count ? count : 1;
    }
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *found = strstr(spec->devargs, rows[i].key);
        bool is_key = found && (found == spec->devargs || found[-1] == ',');
        if (dpdk_spec_is(spec, rows[i].driver) && is_key) {
            unsigned long count = strtoul(found + strlen(rows[i].key), NULL, 10);
            return count >= 1 && count <= DPDK_QUEUES_MAX ? (uint32_t)count : 1;
        }
    }
    return 1;
}

int dpdk_spec_parse(struct dpdk_spec *spec, const char *text, struct fault *fault)
{
    struct own_values own = {{0}};
    memset(spec, 0, sizeof *spec);
    const char *at = text;
    int err = port_read(spec, text, &at, fault);
    while (!err && *at) {
        size_t length = strcspn(++at, ",");
        err = item_read(spec, &own, text, at, length, fault);
        at += length;
    }
    if (err)
        return err;
    uint32_t queues = own.at[0] ? own.at[0] : queues_of(spec);
    if (queues > DPDK_QUEUES_MAX)
        return complain(fault, text, text, own_items[0].what);
    spec->queues = (uint16_t)queues;
    spec->mtu = (uint16_t)own.at[1];
    spec->mbufs = own.at[2];
    return 0;
}

bool dpdk_spec_is(const struct dpdk_spec *spec, const char *driver)
{
    size_t length = strlen(driver);
    return spec->kind == DPDK_VDEV && length > 4 && strlen(spec->device) >= length &&
           (memcmp(spec->device, "net_", 4) == 0 || memcmp(spec->device, "eth_", 4) == 0) &&
           memcmp(spec->device + 4, driver + 4, length - 4) == 0;
}

unsigned dpdk_spec_count(const struct dpdk_spec *spec, const char *key)
{
    unsigned count = 0;
    for (const char *at = spec->devargs; *at;) {
        size_t length = strcspn(at, ",");
        const char *equals = memchr(at, '=', length);
        count += word_is(at, equals ? (size_t)(equals - at) : length, key);
        at += length + (at[length] == ',');
    }
    return count;
}

bool dpdk_spec_value(const struct dpdk_spec *spec, const char *key, char *value, size_t size)
{
    for (const char *at = spec->devargs; *at;) {
        size_t length = strcspn(at, ",");
        const char *equals = memchr(at, '=', length);
        if (equals && word_is(at, (size_t)(equals - at), key)) {
            size_t len = length - (size_t)(equals + 1 - at);
            if (len >= size)
                return false;
            memcpy(value, equals + 1, len);
            value[len] = '\0';
            return true;
        }
        at += length + (at[length] == ',');
    }
    return false;
}
