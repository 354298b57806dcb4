/* pcap_format: the bytes of classic pcap files with nanosecond times, as yamiscope writes them.
 *
 * Little-endian on every machine, magic a1b23c4d, version 2.4 (draft-ietf-opsawg-pcap).
 */
#ifndef CAPTURE_PCAP_FORMAT_H
#define CAPTURE_PCAP_FORMAT_H

#include "capture/capture.h"

#include <endian.h>
#include <string.h>

enum { PCAP_FILE_HEADER = 24, PCAP_RECORD_HEADER = 16 };

static inline void pcap_put_le32(uint8_t *at, uint32_t v)
{
    v = htole32(v);
    memcpy(at, &v, 4);
}

/* Writes PCAP_FILE_HEADER bytes. */
static inline void pcap_put_file_header(uint8_t *at, uint32_t link_type, uint32_t snaplen)
{
    memset(at, 0, PCAP_FILE_HEADER);
    pcap_put_le32(at, 0xa1b23c4d);
    pcap_put_le32(at + 4, 4u << 16 | 2);
    pcap_put_le32(at + 16, snaplen);
    pcap_put_le32(at + 20, link_type);
}

/* Whether the format can say a time: 1970 to 2106. */
static inline bool pcap_holds_time(int64_t ts_ns)
{
    return ts_ns >= 0 && ts_ns / 1000000000 <= UINT32_MAX;
}

/* Writes PCAP_RECORD_HEADER bytes of a packet whose time the format holds. */
static inline void pcap_put_record_header(uint8_t *at, int64_t ts_ns, uint32_t caplen,
                                          uint32_t wire_len)
{
    pcap_put_le32(at, (uint32_t)(ts_ns / 1000000000));
    pcap_put_le32(at + 4, (uint32_t)(ts_ns % 1000000000));
    pcap_put_le32(at + 8, caplen);
    pcap_put_le32(at + 12, wire_len);
}

#endif
