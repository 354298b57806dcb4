/* Any text as the place of a webhook or a command. What is taken is whole, and named without what may be secret. */
#include "export/courier_state.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[2 * COURIER_TEXT];
    struct courier_spec s;
    struct fault fault = {0};
    if (size >= sizeof text)
        return 0;
    memcpy(text, data, size);
    text[size] = 0;
    if (strstr(text, "secret_file") != NULL) /* opens what it names */
        return 0;
    if (courier_spec_read(&s, text, &fault) != 0) {
        if (strlen(fault.text) == 0)
            abort();
        return 0;
    }
    if (!courier_is(text) || s.target[0] == 0 || s.timeout_ms == 0 || s.tries == 0 ||
        s.types == 0 || s.phases == 0 || s.secret_len != 0)
        abort();
    if (s.kind == COURIER_WEBHOOK && (strchr(s.name, '@') != NULL || strchr(s.name, '?') != NULL))
        abort();
    return 0;
}
