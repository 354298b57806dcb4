/* payload_width: the shortest match of an expression, told without Hyperscan.
 *
 * Hyperscan builds a graph of an expression to tell it, which for the default rules took half of a start. This reads the plain ones
 * (bytes, classes, groups, alternatives, counts, anchors at begin and end), which nearly all are; others are left to Hyperscan.
 */
#ifndef CLASSIFY_PAYLOAD_WIDTH_H
#define CLASSIFY_PAYLOAD_WIDTH_H

#include <stdbool.h>

/* True: Hyperscan takes the expression, and *width is how many bytes it matches at least, 1 or more. False: it must be asked. */
bool payload_width(const char *expression, unsigned *width);

#endif
