/* message_compare: the first difference of two messages of one type, by the fields' names.
 *
 * Walks protobuf-c's own descriptors, so that a new field is compared without a word here. Pure.
 */
#ifndef EXPORT_MESSAGE_COMPARE_H
#define EXPORT_MESSAGE_COMPARE_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>

/* Where they differ: "ports[0].packets[17]: 5 and 6". `skip` (NULL, or names ended by NULL): fields that are not compared,
 * at any depth. */
bool message_equal(const ProtobufCMessage *a, const ProtobufCMessage *b, const char *const *skip,
                   char *why, size_t size);

#endif
