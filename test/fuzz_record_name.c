/* Any text as the name of a file in a recording's folder: taken only if it is written the same way again. */
#include "capture/record_dir.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    char text[256], again[RECORD_NAME_MAX];
    struct record_name n;
    if (len >= sizeof text)
        return 0;
    if (len > 0)
        memcpy(text, data, len);
    text[len] = '\0';
    if (!record_name_parse(text, &n))
        return 0;
    record_name_format(&n, again);
    if (strcmp(again, text) != 0 || n.second < 0 || n.number > 9999)
        abort();
    return 0;
}
