/* record_event: an event to a Record and back.
 *
 * The bytes are a function of the event alone. What is read is a stranger's: every field is held to its range (event_wrong) before
 * anything is believed; fields that a later version added are passed over. No allocation is left behind; any thread.
 */
#ifndef EXPORT_RECORD_EVENT_H
#define EXPORT_RECORD_EVENT_H

#include "capture/fault.h"
#include "export/event.h"
#include "export/record.h"

/* Longest body of an Event that is read; a longer one is refused. One of this program takes 4 KB at most. */
enum { RECORD_EVENT_MAX = 64 << 10 };

/* Appends varint length + Record to the buffer and moves *crc on, as those of record.h. Strings that are no UTF-8 are put right
 * (event_text). -EINVAL: event_wrong; -ENOMEM. Buffer and *crc are as before then. */
int record_pack_event(struct record_buffer *b, uint64_t seq, uint32_t *crc, const struct event *e);

/* The message alone, without length and Record around it: what streams and sinks send. Appended to the buffer. */
int record_pack_event_body(struct record_buffer *b, const struct event *e);

/* Fills *e from a body's bytes. Strings that are longer than their fields are cut between two characters. -EBADMSG: the fault says what does not
 * hold; -ENOMEM. */
int record_unpack_event(struct event *e, const uint8_t *body, size_t len, struct fault *fault);

/* From the first fields of a body, all that a reader needs to pass an event over: false where they do not stand there in their order, as
 * this program writes them. `len` may be less than the whole body (feed_cursor_peek shows enough of it). */
struct event_brief {
    uint8_t id[8];
    enum event_type type;
    enum event_phase phase;
    int64_t time_ns;
};
bool record_event_brief(struct event_brief *out, const uint8_t *body, size_t len);

#endif
