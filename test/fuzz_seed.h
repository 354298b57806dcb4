/* fuzz_seed: the rows of capture_rows.h as first inputs of a fuzz target, written into the corpus folder
 * that libFuzzer is given, where it is given one. */
#ifndef TEST_FUZZ_SEED_H
#define TEST_FUZZ_SEED_H

#include "test/capture_rows.h"
#include "test/packed.h"

enum { SEED_MAX = 4096 }; /* bytes; longer inputs only make it slow */

/* Rows whose name begins with `prefix`, compressed by `format`. */
static inline void fuzz_seed(int argc, char **argv, const char *prefix, const char *format)
{
    if (argc < 2 || argv[argc - 1][0] == '-')
        return;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        begin_file(i % 2);
        rows[i].make();
        if (!file.len || file.len > SEED_MAX || strncmp(rows[i].name, prefix, strlen(prefix)) != 0)
            continue;
        char path[512];
        size_t len;
        uint8_t *bytes = packed_make(format, file.at, file.len, &len);
        (void)snprintf(path, sizeof path, "%s/%s-%zu", argv[argc - 1], format, i);
        FILE *f = fopen(path, "w");
        if (f) {
            (void)fwrite(bytes, 1, len, f);
            (void)fclose(f);
        }
        free(bytes);
    }
}

#endif
