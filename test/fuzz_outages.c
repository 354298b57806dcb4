/* A window's bytes, and a gap's: taken or refused, never read behind their end; what is said of them is whole. */
#include "export/outages.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct outages o = {0};
    struct fault fault;
    char *text = NULL;
    size_t size = 0;
    outages_add_record(&o, data, len);
    outages_add_gap(&o, data, len, &fault);
    FILE *out = open_memstream(&text, &size);
    if (out != NULL) {
        outages_json(out, &o, INT64_MIN, INT64_MAX);
        fclose(out);
        if (size == 0 || text[size - 1] != '}')
            abort();
    }
    free(text);
    outages_fini(&o);
    return 0;
}
