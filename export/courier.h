/* courier: hands the events of a feed to somebody, one after the other: a webhook, a command on this machine, or a file.
 *
 *   courier_start -> courier_read (any thread, any time) -> courier_wait (where it ends by itself) -> courier_stop
 *
 * A thread of its own follows the feed (feed_tail.h) from its own cursor (cursor_file.h), which is moved on, and safe on disk, behind each event
 * that has arrived. So, whatever dies (receiver, this process, the machine) and however often:
 *   - every event arrives at least once. None is passed over, but those that a command failed `tries` times for, and those that retention
 *     deleted before they could be told; both are said
 *   - in the feed's order, one at a time: the next one is not sent before the last one has arrived. Of a live feed none is sent that is not
 *     safe on disk, so none is taken back
 *   - the one that was on its way when something died comes again, with the same bytes: id and update, as ID-UPDATE, are the key by which a
 *     receiver knows it (idempotency key). Without a death nothing comes twice, but where an answer was lost
 * It only reads the feed, so a receiver that is down, slow or answers nonsense costs nothing but its own delay.
 *
 *   webhook:URL[#OPTIONS]    http or https. POST, the event as one JSON object (event_print.h). A status 200 to 299 is an arrival; all else, and
 *                            no answer in time, is tried again: after 200 ms, doubling up to 5 min, for ever. No redirect is followed. Headers:
 *                              Content-Type: application/json
 *                              X-Yamiscope-Event: TYPE          scan, dos, ...
 *                              X-Yamiscope-Delivery: ID-UPDATE  the same for each attempt
 *                              X-Yamiscope-Signature: sha256=HEX    with a secret: HMAC-SHA256 of the body
 *   command:PATH[#OPTIONS]   run without a shell, with the type as its argument and the JSON and a line's end on its stdin, its stdout
 *                            discarded, one at a time. Exit 0 is an arrival; after `tries` failures the event is given up, which is said and
 *                            counted
 *   file:PATH[#OPTIONS]      a line of JSON for each, on disk when it counts as arrived; begun with mode 0600. A line that is not whole (a full disk, a
 *                            power cut) is ended before the next one, which says the same again. May be renamed away at any time
 * OPTIONS, joined by &:
 *   types=scan,dos           these alone; none: all
 *   phases=begin,end         likewise
 *   organisation=NAME        events of this watched network alone: what its people may get
 *   cursor=PATH              where the cursor is kept; else a file in the feed's folder, named by the rest of the spec's checksum
 *   timeout=10s              for one attempt
 *   secret_file=PATH         of a webhook: the key, without the line's end; the file is for its owner alone
 *   tries=5, shell=yes       of a command; shell: /bin/sh -c PATH
 *
 * What is sent holds addresses of sources and victims, as the operator asked; nothing of the telescope (law 6): events have none. The first start
 * begins with the first event that is kept.
 */
#ifndef EXPORT_COURIER_H
#define EXPORT_COURIER_H

#include "capture/fault.h"
#include "export/feed_durable.h"

#include <stdbool.h>
#include <stdint.h>

/* Whether a spec names a courier. */
bool courier_is(const char *spec);

/* Whether a spec is one, and its files can be read: -EINVAL, -errno, and a fault. */
int courier_check(const char *spec, struct fault *fault);

enum { COURIER_SHOWN = 256 };

/* Whether a spec is one that an organisation may have for itself: as above, but types, organisation and cursor are not its to choose. `shown`
 * becomes what may be known of it: "webhook:https://host", "command", "file". -EINVAL and a fault; -errno of its secret's file. */
int courier_check_own(const char *spec, char shown[COURIER_SHOWN], struct fault *fault);

struct courier_settings {
    const char *dir;  /* the feed's folder; copied */
    const char *spec; /* copied */
    const char *
        organisation; /* its own: alerts of its networks alone, from a cursor that is named by it, whatever the spec; copied. NULL: none's */
    struct feed_durable *durable; /* of a feed that is being written by this process; NULL: none */
    bool is_finite;               /* ends when all that is there has arrived */
    uint64_t patience_ms;         /* finite: and after so long without an arrival; 0: never */
    /* In words, from the courier's thread: nothing arrives, it does again, an event was given up. May be NULL. */
    void (*say)(void *context, const char *text);
    void *context;
};

struct courier_state {
    bool is_failing, is_over;
    uint64_t arrived, given_up, errors; /* events; events; attempts */
    int64_t arrived_ns; /* time of the last event that arrived; INT64_MIN: none since the start */
    char problem[256];  /* of the last attempt, while it fails; "" */
};

struct courier;

/* -EINVAL and a fault: a spec that is none, a cursor of another feed; -ENOMEM, -errno. */
int courier_start(struct courier **out, const struct courier_settings *settings,
                  struct fault *fault);

void courier_read(struct courier *c, struct courier_state *out);
/* Without what may be secret: "webhook:https://host"; "NAME: webhook:https://host" where it is an organisation's own. */
const char *courier_name(const struct courier *c);

/* Until it ended by itself, at most `timeout_ms`: true; *err is 0 (all has arrived) or what it gave up for, with the fault. */
bool courier_wait(struct courier *c, int timeout_ms, int *err, struct fault *fault);

/* Ends an attempt that is going on within a second, ends the thread, frees. Accepts NULL. */
void courier_stop(struct courier *c);

#endif
