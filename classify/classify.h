/* classify: labels for a batch.
 *
 * Kind, tools, port rules and marks of every observation, in one pass without
 * allocation or shared state; any thread. Marks: total always; scan for the scan kinds;
 * iot_strict and iot_broad for scan kinds whose port has an iot rule (strict; strict or shared);
 * iot_bot for a tcp_syn of iot_broad that matches mirai; one per tool matched.
 */
#ifndef CLASSIFY_CLASSIFY_H
#define CLASSIFY_CLASSIFY_H

#include "capture/batch.h"
#include "classify/label.h"
#include "classify/prefix_set.h"
#include "classify/ruleset.h"

/* Writes labels[i] for observations[i]. `telescope` may be NULL (everything is inside). `payloads`: what
 * payload_at is an offset in; NULL: no payload is at hand, and none tells a form or a tool. */
void classify_batch(const struct ruleset *rules, const struct prefix_set *telescope,
                    const struct observation *observations, size_t count, const uint8_t *payloads,
                    struct label *labels);

#endif
