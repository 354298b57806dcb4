/* metric: numbers for Prometheus, in its text format.
 *
 *   metric_head, then metric_number or metric_count per set of labels, all of one name together
 *
 * Names begin with yamiscope_, have base units, counters end with _total. Errors of the stream are the caller's.
 */
#ifndef EXPORT_METRIC_H
#define EXPORT_METRIC_H

#include <stdint.h>
#include <stdio.h>

/* `type`: "counter", "gauge". */
void metric_head(FILE *out, const char *name, const char *type, const char *help);

/* `label` NULL: none. A value of a label may be anybody's. */
void metric_count(FILE *out, const char *name, const char *label, const char *value,
                  uint64_t number);
void metric_number(FILE *out, const char *name, const char *label, const char *value,
                   double number);

/* With two labels. */
void metric_count2(FILE *out, const char *name, const char *label, const char *value,
                   const char *label2, const char *value2, uint64_t number);

#endif
