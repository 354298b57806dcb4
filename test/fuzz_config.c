/* Any bytes as a config file, and as --from and the lists of processors: values, or a message. What the config says of
 * the telescope has its places: a telescope's fault names a line that the file has. */
#include "capture/capture_spec.h"
#include "classify/telescope_dates.h"
#include "core/config.h"
#include "core/core_list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* First inputs, where a corpus folder is given. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static const char *const seeds[] = {
        "workers: 2\nfrom: [pcap:lo, \"dpdk:vdev=a,b,queues=2\"]\neal: -n4\ndecap: [gre]\njson: "
        "true\n"
        "telescope:\n  - 192.0.2.0/24\n  - {prefix: 192.0.3.0/24, except: 192.0.3.1}\nmemory: "
        "16G\n",
        "# \xc3\xbc\n{telescope: [{prefix: \"::/0\", from: 2026-01-01}], window: 60s}",
        "2,4-7",
    };
    const char *dir = (*argv)[*argc - 1];
    for (size_t i = 0; *argc > 1 && dir[0] != '-' && i < sizeof seeds / sizeof *seeds; i++) {
        char path[512];
        (void)snprintf(path, sizeof path, "%s/seed-%zu", dir, i);
        FILE *f = fopen(path, "w");
        if (f) {
            (void)fputs(seeds[i], f);
            (void)fclose(f);
        }
    }
    return 0;
}

static void finding(void *context, const char *key, const struct fault *fault)
{
    ++*(int *)context;
    if (fault->text[0] == '\0')
        abort();
}

/* At most as many lines as there can be breaks. */
static void must_have_line(const char *text, size_t len)
{
    unsigned line;
    if (sscanf(text, "c:%u:", &line) == 1 && line > len + 1)
        abort();
}

static void text_take(const uint8_t *data, size_t len)
{
    char *text = strndup((const char *)data, len);
    static struct core_list list;
    struct capture_spec spec;
    struct fault fault = {0};
    if (!text)
        return;
    if (core_list_parse(&list, text, &fault) != 0 && fault.text[0] == '\0')
        abort();
    fault = (struct fault){0};
    if (capture_spec_parse(&spec, text, &fault) != 0 && fault.text[0] == '\0')
        abort();
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    char path[64];
    struct config c;
    int found = 0, fd = memfd_create("config", MFD_CLOEXEC);
    text_take(data, len);
    if (fd < 0 || write(fd, data, len) != (ssize_t)len)
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (config_check(&c, COMMAND_LIVE, path, finding, &found) != found)
        abort();
    if (c.telescope_is_yaml) {
        struct telescope_dates *t;
        struct fault fault = {0};
        if (telescope_dates_create_yaml(&t, "c", c.telescope, strlen(c.telescope), &fault) != 0)
            must_have_line(fault.text, len);
        telescope_dates_destroy(t);
    }
    config_fini(&c);
    close(fd);
    return 0;
}
