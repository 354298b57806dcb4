/* Any bytes as a telescope's file: refused with a message, or spans that agree with themselves. */
#include "classify/telescope_dates.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* First inputs, where a corpus folder is given. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static const char *const seeds[] = {
        ("- 192.0.2.0/24\n- prefix: [198.51.100.0/24, \"2001:db8::/48\"]\n  except: 198.51.100.1\n"
         "  from: 2026-01-01\n  until: 2026-06-30\n"),
        "[{prefix: 0.0.0.0/0, except: [255.255.255.255]}, \"::/0\"]",
        "192.0.2.0/24 # plain\n2001:db8::/32\n",
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct telescope_dates *t;
    struct fault fault = {0};
    if (telescope_dates_create_from(&t, "fuzz", (const char *)data, len, &fault) != 0) {
        if (t || fault.text[0] == '\0')
            abort();
        return 0;
    }
    uint8_t address[16] = {0};
    for (size_t i = 0; i < t->span_count; i++) {
        const struct telescope_span *s = &t->spans[i];
        if (telescope_dates_on(t, s->from) != s)
            abort();
        for (unsigned k = 0; k < 64; k++) {
            address[k & 15] ^= data[k % len];
            for (unsigned version = 4; version <= 6; version += 2) {
                uint32_t number = telescope_span_index(s, address, version);
                bool is_in = prefix_set_holds(s->set, address, version);
                if ((number != TELESCOPE_NONE) != is_in ||
                    (is_in && !prefix_set_holds(t->ever, address, version)) ||
                    (is_in && number >= t->prefix_count))
                    abort();
            }
        }
    }
    telescope_dates_destroy(t);
    return 0;
}
