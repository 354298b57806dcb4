/* event_list: events as a table for a terminal: the newest rows, and what there is of each type.
 *
 *   event_list_create -> event_list_add, any number -> event_list_print -> event_list_destroy
 *
 * Memory: 1 KB per row that is shown. Local times are the process's zone. One owner.
 */
#ifndef EXPORT_EVENT_LIST_H
#define EXPORT_EVENT_LIST_H

#include "export/event.h"
#include "export/text.h"

struct event_list;

/* The last `rows` of the events that are added are shown, in the order in which they began. NULL with errno. */
struct event_list *event_list_create(size_t rows);
void event_list_destroy(struct event_list *t); /* accepts NULL */

void event_list_add(struct event_list *t, const struct event *e);

/* Sorts the rows: nothing is added afterwards. `title`: what is printed above, a feed's name; a stranger's bytes. */
void event_list_print(struct event_list *t, const struct text *text, const char *title);

#endif
