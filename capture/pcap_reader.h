/* pcap_reader: the records of a classic pcap file as frames.
 *
 * Takes the bytes in spans, in order, from whoever has them; keeps no bytes.
 * Read are: microseconds (a1b2c3d4) and nanoseconds (a1b23c4d) in both byte
 * orders; Kuznetzov's patched records (a1b2cd34, 24 or 28 bytes of header); Ixia's
 * lcap (1c0001ab, 1c0001ac); AIX's 2.2 files (nanoseconds, interface types for link
 * types); files before version 2.3 and of DG/UX (543.0), which exchange the two
 * lengths, and 2.3 where it is seen that they do. The FCS bits of the link type are
 * taken off. A fraction of a second or more is carried into the seconds. (pcap-savefile(5); draft-ietf-opsawg-pcap; which odd files exist and what
 * tells them apart is known from libpcap and Wireshark, and the results are the same.)
 * A file header of version 2.4 where a record's is expected (a1b2c3d4 or a1b23c4d, any byte order)
 * begins another capture, as `cat a.pcap b.pcap` leaves it: what follows has that header's byte
 * order, resolution and link type. It is looked for only where the record would have caught
 * nothing or too much: so its time zone field (0, or west of Greenwich) reads as a record's length.
 * One thread.
 */
#ifndef CAPTURE_PCAP_READER_H
#define CAPTURE_PCAP_READER_H

#include "capture/capture.h"
#include "capture/capture_filter.h"

enum {
    PCAP_HEADER_MAX = 28,     /* file header: 24 bytes; Ixia's 28 */
    PCAP_CAPLEN_MAX = 262144, /* a longer record is damage, whatever the snap length says */
    PCAP_WIRE_LEN_MAX =
        0x7fffffff, /* a greater length on the wire is nonsense and taken for this */
};

struct pcap_reader {
    bool swapped; /* the file's byte order is not ours */
    enum { LENGTHS_NORMAL, LENGTHS_SWAPPED, LENGTHS_MAYBE } lengths;
    uint32_t record_header; /* bytes: 16, 24 or 28 */
    uint32_t fraction_ns;   /* ns per unit of a timestamp's fraction: 1 or 1000 */
    uint32_t link_type;
    struct filter *filter; /* or NULL: link types that it can't read are refused; not owned */
    uint64_t records;      /* read so far */
    uint64_t refused_at;   /* byte of the header that pcap_reader_open refused */
};

/* True where the file begins as one of these does. */
bool pcap_reader_knows(const uint8_t *bytes, size_t len);

/* Reads the file header from the first bytes of the file: at least PCAP_HEADER_MAX of
 * them, or all there are; the more the better for a1b2cd34, whose two kinds are told apart by the
 * first three records. Returns the header's length or -EBADMSG, -ENOTSUP with the fault.
 * `filter` is asked whether it reads the link types of file headers; NULL: none. */
int pcap_reader_open(struct pcap_reader *r, struct filter *filter, const uint8_t *bytes, size_t len,
                     struct fault *fault);

/* Fills up to `max` frames from [*at, end) and moves *at behind them; their data lies in the span.
 * Returns how many. 0 with fault->err set: the record at *at is impossible (-EBADMSG), or the capture that
 * begins there can't be read (-ENOTSUP); 0 without: it goes on
 * behind `end`. */
size_t pcap_reader_burst(struct pcap_reader *r, const uint8_t **at, const uint8_t *end,
                         struct frame *frames, size_t max, struct fault *fault);

/* Says of the bytes left at the end of the data what they are the beginning of. */
void pcap_reader_cut(const struct pcap_reader *r, const uint8_t *at, const uint8_t *end,
                     struct fault *fault);

#endif
