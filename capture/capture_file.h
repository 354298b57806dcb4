/* capture_file: a row of stored captures as one capture.
 *
 * Reads classic pcap (four magics, and the modified and reserved-field variants
 * that readers usually take) and pcapng (SHB, IDB, EPB, SPB, the obsolete PB;
 * both byte orders, several sections and interfaces, any if_tsresol and
 * if_tsoffset). Inputs are delivered strictly in order; the next ones are opened
 * and decompressed ahead, in parallel. A damaged input gives everything before
 * the damage, goes on the damage list, and the next input follows.
 */
#ifndef CAPTURE_CAPTURE_FILE_H
#define CAPTURE_CAPTURE_FILE_H

#include "capture/capture.h"
#include "capture/capture_filter.h"

struct capture_file_settings {
    const char *const *paths; /* files, folders (recursive, sorted by name), "-" */
    size_t path_count;
    unsigned ahead; /* inputs opened ahead; 0: a sensible number */
    /* Frames of link types that it does not compile for are not given: the input is refused, as one of a
     * link type that is not supported. The matching is the caller's. NULL: none. Not owned; used by
     * the thread that reads. */
    struct filter *filter;
};

/* Whether a file begins as a pcap or pcapng file does, compressed or not. What can't be read is none. */
bool capture_file_is(const char *path);

/* Opens the row. Fails (-errno, fault) only where no input is there at all, since paths do not exist or folders are empty: beside others a
 * path that does not exist or cannot be read is damage like any other, at offset
 * 0; or where stdin is named twice. An empty folder is damage too. Caller closes. */
int capture_file_open(struct capture **out, const struct capture_file_settings *settings,
                      struct fault *fault);

/* Name of the input that the last burst came from ("-" for stdin), for messages
 * and for explain; valid until close. */
const char *capture_file_current(const struct capture *c);

/* Number of the frame that the last burst, a burst of one, gave: in its own file, from 1, as Wireshark
 * counts; frames of interfaces that are left out count, too. */
uint64_t capture_file_frame(const struct capture *c);

/* Inputs in the row, folders taken apart, damaged ones included. */
size_t capture_file_inputs(const struct capture *c);

/* Whether the first input is decompressed by a thread of its own (or comes through a pipe). */
bool capture_file_unpacks(const struct capture *c);

#endif
