#include "capture/fault.h"

#include <stdio.h>

int fault_set(struct fault *f, int err, const char *format, ...)
{
    if (f) {
        va_list args;
        va_start(args, format);
        f->err = err;
        (void)vsnprintf(f->text, sizeof f->text, format, args);
        va_end(args);
    }
    return -err;
}

int fault_prefix(struct fault *f, const char *subject)
{
    if (!f)
        return 0;
    struct fault below = *f;
    (void)snprintf(f->text, sizeof f->text, "%.120s: %.130s", subject, below.text);
    return -f->err;
}

int fault_one_line(struct fault *f)
{
    if (!f)
        return 0;
    for (char *at = f->text; *at; at++)
        if ((unsigned char)*at < ' ' || *at == 127)
            *at = '?';
    return -f->err;
}
