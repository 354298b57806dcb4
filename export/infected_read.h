/* infected_read: the infected hosts of a date, from the source days of feeds. */
#ifndef EXPORT_INFECTED_READ_H
#define EXPORT_INFECTED_READ_H

#include "export/infected.h"
#include "export/report_feeds.h"

/* Reads the source days of a date (an index of report_feeds_count) into `i`: 1, *list is as infected_end gives it; 0: the date has no
 * source days. What is damaged is left out and named (report_feeds_damage). -errno and a fault. Nothing of the telescope is read. */
int infected_read(struct infected *i, struct report_feeds *feeds, size_t index,
                  const struct infected_list **list, struct fault *fault);

#endif
