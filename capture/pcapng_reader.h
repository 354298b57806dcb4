/* pcapng_reader: the packets of a pcapng file as frames.
 *
 * Takes the bytes in spans, in order, from whoever has them; keeps no bytes.
 * Read are section headers (both byte orders, any number of sections), interface
 * descriptions (if_tsresol, if_tsoffset), enhanced, simple and the obsolete
 * packet blocks; all others are skipped, whatever their length. Blocks are
 * checked as strictly as Wireshark does where it decides what is read: lengths,
 * their copies at the end, options that overrun. (draft-ietf-opsawg-pcapng)
 *
 * A simple packet block holds no time: its frame takes that of the packet before it,
 * at the beginning that of the first one found behind it in the span, else 0.
 * A time that does not fit struct frame stands at that end of its type.
 * Packets of an interface whose link type is not supported, or for which the filter does not
 * compile, are left out; each such
 * interface is said once, with their number, at the end of its section.
 * One thread.
 */
#ifndef CAPTURE_PCAPNG_READER_H
#define CAPTURE_PCAPNG_READER_H

#include "capture/capture.h"
#include "capture/capture_filter.h"

struct pcapng_interface;

/* Something worth saying that does not end the file; `offset` is a byte of the file. */
typedef void (*pcapng_say)(void *context, uint64_t offset, const char *text);

struct pcapng_reader {
    bool swapped; /* the section's byte order is not ours */
    bool in_section;
    struct pcapng_interface *interfaces; /* of the section */
    uint32_t interface_count, interface_room;
    uint32_t skip_total; /* length of the block being skipped; 0: none */
    uint64_t skip_left;  /* bytes of it still to come, its trailing length included */
    uint64_t offset;     /* byte of the file at the next span's beginning */
    uint64_t packets;    /* read so far, those left out included */
    int64_t last_ns;     /* time of the last packet that had one */
    bool has_last, looked_ahead;
    unsigned said;         /* interfaces said of this file */
    struct filter *filter; /* or NULL; not owned */
    pcapng_say say;
    void *say_context;
};

bool pcapng_reader_knows(const uint8_t *bytes, size_t len);

/* Allocates nothing; `say` may be NULL. `filter` is asked whether it reads the link types of
 * interfaces; NULL: none. */
void pcapng_reader_init(struct pcapng_reader *r, struct filter *filter, pcapng_say say,
                        void *context);

/* Fills up to `max` frames from [*at, end) and moves *at behind what it has read; their data lies in
 * the span. Returns how many. 0 with fault->err set: the block at *at is damaged; 0 without:
 * it goes on behind `end`, and at most 16 MiB of it have to be kept. */
size_t pcapng_reader_burst(struct pcapng_reader *r, const uint8_t **at, const uint8_t *end,
                           struct frame *frames, size_t max, struct fault *fault);

/* True where the data may end here, with [at, end) unread; else says what is missing. */
bool pcapng_reader_cut(const struct pcapng_reader *r, const uint8_t *at, const uint8_t *end,
                       struct fault *fault);

/* Says the interfaces left out and frees all. */
void pcapng_reader_fini(struct pcapng_reader *r);

#endif
