/* pcap_writer: classic pcap files with nanosecond times (pcap_format), written in large pieces.
 *
 * One thread per writer.
 */
#ifndef CAPTURE_PCAP_WRITER_H
#define CAPTURE_PCAP_WRITER_H

#include "capture/capture.h"

struct pcap_writer;

/* Creates or empties `path` ("-": stdout, which is not closed) and writes the file header. On
 * failure -errno, a fault that names the file, *out NULL. */
int pcap_writer_open(struct pcap_writer **out, const char *path, uint32_t link_type,
                     uint32_t snaplen, struct fault *fault);

/* Appends frames, cut to the snap length. Times before 1970 or after 2106 do not fit the format
 * and are refused (-ERANGE). After a failure only close may be called. */
int pcap_writer_add(struct pcap_writer *w, const struct frame *frames, size_t count,
                    struct fault *fault);

/* Writes what is buffered, closes and frees; accepts NULL. Reports what only comes up now, so
 * its result matters. `fault` may be NULL. */
int pcap_writer_close(struct pcap_writer *w, struct fault *fault);

#endif
