/* port_list: the ports of a rule file's entry: [tcp/23, udp/7000-7010]. */
#ifndef CLASSIFY_PORT_LIST_H
#define CLASSIFY_PORT_LIST_H

#include "classify/ruleset.h"
#include "classify/yaml_reader.h"

/* Reads a list of at most 512 ports and ranges into a struct port_list, as yaml_reader.h says. */
int port_list_read(struct yaml_reader *r, void *into);

/* The same, in which tcp/any and udp/any may stand, too. */
int port_list_read_any(struct yaml_reader *r, void *into);

#endif
