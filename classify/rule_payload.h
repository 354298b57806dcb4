/* rule_payload: the `payload:` section of a rule (rule_yaml.h) to expressions for Hyperscan. */
#ifndef CLASSIFY_RULE_PAYLOAD_H
#define CLASSIFY_RULE_PAYLOAD_H

#include "classify/yaml_reader.h"

/* Reads the section into a new struct rule_payload, in the arena, at *(struct rule_payload **)into. */
int rule_payload_read(struct yaml_reader *r, void *into);

#endif
