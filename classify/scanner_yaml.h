/* scanner_yaml: one list's YAML to a scanner_list; how it is written stands in scanner_list.h. */
#ifndef CLASSIFY_SCANNER_YAML_H
#define CLASSIFY_SCANNER_YAML_H

#include "classify/scanner_list.h"

/* Fills `list`, which has no organisations yet. -EINVAL and "PATH:LINE:COLUMN: ...", or -ENOMEM. */
int scanner_yaml_read(struct scanner_list *list, const char *path, const void *bytes, size_t len,
                      struct fault *fault);

#endif
