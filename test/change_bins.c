/* change_bins [STATE_EVERY]: new activity in bins, for a judge. stdin: lines "INDEX WHOLE PACKETS SOURCES PROTO/PORT=SOURCES ...", ports ascending,
 * tcp first; stdout: a line per alert, "INDEX SERIES PROTO PORT VALUE SCORE EXPECTED NEVER_SEEN LEAP". With a number, the state is saved
 * and loaded into a new finder after every so many bins. */
#include "export/change_finder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t BIN_NS = CHANGE_BIN_S * INT64_C(1000000000);

static void tell(void *context, const struct change_alert *a)
{
    static const char *const names[] = {"packets", "sources", "port"};
    bool of_port = a->series == CHANGE_PORT;
    printf("%lld %s %s %u %llu %.17g %.17g %d %d\n", (long long)(a->start_ns / BIN_NS),
           names[a->series],
           !of_port                      ? "-"
           : a->port.proto == CHANGE_TCP ? "tcp"
                                         : "udp",
           a->port.port, (unsigned long long)a->value, a->score, a->expected, a->is_never_seen,
           a->is_leap);
}

static struct change_finder *fresh(void)
{
    struct change_settings settings;
    struct change_finder *f;
    change_settings_default(&settings);
    if (change_finder_create(&f, &settings) < 0)
        abort();
    return f;
}

static struct change_finder *restart(struct change_finder *f)
{
    struct change_finder *next = fresh();
    struct fault fault;
    uint8_t *bytes;
    size_t len;
    if (change_finder_save(f, &bytes, &len) < 0 || change_finder_load(next, bytes, len, &fault) < 0)
        abort();
    free(bytes);
    change_finder_destroy(f);
    return next;
}

int main(int argc, char **argv)
{
    static struct change_port ports[CHANGE_PROTOS * 65536];
    long every = argc > 1 ? atol(argv[1]) : 0, bins = 0;
    struct change_finder *f = fresh();
    char *line = NULL;
    size_t size = 0;
    while (getline(&line, &size, stdin) > 0) {
        struct change_bin bin = {.ports = ports};
        char *at = strtok(line, " \n"), *words[3];
        bin.start_ns = atoll(at) * BIN_NS;
        for (int i = 0; i < 3; i++)
            words[i] = strtok(NULL, " \n");
        bin.is_whole = words[0][0] == '1';
        bin.packets = strtoull(words[1], NULL, 10);
        bin.sources = strtoull(words[2], NULL, 10);
        while ((at = strtok(NULL, " \n")) != NULL) {
            char *equals = strchr(at, '=');
            ports[bin.port_count++] =
                (struct change_port){at[0] == 't' ? CHANGE_TCP : CHANGE_UDP, (uint16_t)atoi(at + 4),
                                     1, strtoull(equals + 1, NULL, 10)};
        }
        if (change_finder_add(f, &bin, tell, NULL) < 0)
            abort();
        if (every > 0 && ++bins % every == 0)
            f = restart(f);
    }
    free(line);
    change_finder_destroy(f);
    return 0;
}
