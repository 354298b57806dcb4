#include "export/metric.h"

#include "export/utf8.h"

#include <inttypes.h>

void metric_head(FILE *out, const char *name, const char *type, const char *help)
{
    fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void label_print(FILE *out, const char *before, const char *label, const char *value)
{
    fprintf(out, "%s%s=\"", before, label);
    for (const unsigned char *s = (const unsigned char *)value; *s != '\0';) {
        size_t len = utf8_length(s);
        if (len == 0 || utf8_is_control(s, len))
            fputs("\xef\xbf\xbd", out);
        else if (*s == '"' || *s == '\\')
            fprintf(out, "\\%c", *s);
        else
            fwrite(s, 1, len, out);
        s += len == 0 ? 1 : len;
    }
    fputc('"', out);
}

static void name_print(FILE *out, const char *name, const char *label, const char *value)
{
    fputs(name, out);
    if (label != NULL) {
        label_print(out, "{", label, value);
        fputc('}', out);
    }
}

void metric_count(FILE *out, const char *name, const char *label, const char *value,
                  uint64_t number)
{
    name_print(out, name, label, value);
    fprintf(out, " %" PRIu64 "\n", number);
}

void metric_number(FILE *out, const char *name, const char *label, const char *value, double number)
{
    name_print(out, name, label, value);
    fprintf(out, " %.15g\n", number);
}

void metric_count2(FILE *out, const char *name, const char *label, const char *value,
                   const char *label2, const char *value2, uint64_t number)
{
    fputs(name, out);
    label_print(out, "{", label, value);
    label_print(out, ",", label2, value2);
    fprintf(out, "} %" PRIu64 "\n", number);
}
