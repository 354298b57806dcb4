/* verdict: what UDP packets are once their payload was looked at, as a few numbers.
 *
 * A darknet's payloads are many and what they say is little: a rule, a form, a tool, of a class of ports. Each
 * label that occurs gets a number, so that an open brief (brief.h) can go on as if its headers had
 * said it. Payloads that come again and again, byte for byte, are scanners' probes: what was said of them is remembered.
 *
 * The memory of payloads is direct-mapped; one is kept when it comes twice in a row for its place, so that those with
 * random numbers in them neither cost a copy nor drive out others. All that the label follows from is compared, so an
 * answer is never another packet's.
 *
 * The labels are one table for all receivers, so that a number means the same in every batch; only who finds a
 * new one takes its lock. The memory is one receiver's.
 */
#ifndef CLASSIFY_VERDICT_H
#define CLASSIFY_VERDICT_H

#include "classify/brief.h"
#include "classify/classify.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
    VERDICT_MEMO = 256, /* places */
    VERDICT_MEMO_BYTES = BATCH_PAYLOAD,
    VERDICT_NO_SET = 0,
};

struct verdict_memo {
    uint64_t kept, seen; /* hashes: of what is kept; of what came last */
    uint64_t name;       /* of what is kept: ports, lengths */
    uint16_t set;
    uint8_t bytes[VERDICT_MEMO_BYTES];
};

/* A label stands before its number is told, and stays as it is. */
struct verdicts {
    struct label at[BRIEF_VERDICTS]; /* by number; without form and evidence, which nobody counts */
    atomic_uint count;
    atomic_ushort places[2 * BRIEF_VERDICTS]; /* numbers + 1 by hash of the label; 0: free */
    pthread_mutex_t lock;                     /* of who adds */
};

/* A receiver's; begins as all zero but for the table. */
struct verdict_memory {
    struct verdicts *of;
    struct verdict_memo at[VERDICT_MEMO];
};

/* NULL with errno. */
struct verdicts *verdicts_create(void);
void verdicts_destroy(struct verdicts *v); /* accepts NULL */

/* The set of an open brief with this payload. VERDICT_NO_SET: there are BRIEF_VERDICTS other labels; *label is
 * then the packet's. `scratch` as in classify_batch(). */
uint16_t verdict_set(struct verdict_memory *m, const struct ruleset *rules,
                     struct payload_scratch *scratch, const struct brief *b,
                     const struct udp_payload *payload, struct label *label);

#endif
