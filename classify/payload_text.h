/* payload_text: the parts of an expression that say bytes, for readers of expressions that know the plain ones alone.
 *
 * What is read here means the same to Hyperscan. *text is moved behind what was read; where it is another construct, it
 * stands somewhere in it.
 */
#ifndef CLASSIFY_PAYLOAD_TEXT_H
#define CLASSIFY_PAYLOAD_TEXT_H

#include <stdbool.h>
#include <stdint.h>

/* A byte, escaped or not, outside of brackets; -1: another construct. */
int payload_text_byte(const char **text);

/* [...]: a bit for each byte that it has. False: another construct. */
bool payload_text_class(const char **text, uint64_t set[4]);

#endif
