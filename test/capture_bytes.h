/* capture_bytes: a capture file under construction, byte by byte, in either byte order. */
#ifndef TEST_CAPTURE_BYTES_H
#define TEST_CAPTURE_BYTES_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct bytes {
    uint8_t at[400000];
    size_t len;
    bool big; /* byte order of the numbers put */
};

static struct bytes file; /* one at a time; too large for the stack */

static void put(const void *bytes, size_t len)
{
    if (file.len + len > sizeof file.at)
        abort();
    memcpy(file.at + file.len, bytes, len);
    file.len += len;
}

static void put16(unsigned value)
{
    uint8_t b[2] = {(uint8_t)(value >> 8), (uint8_t)value};
    uint8_t l[2] = {b[1], b[0]};
    put(file.big ? b : l, 2);
}

static void put32(uint32_t value)
{
    file.big ? (put16(value >> 16), put16(value & 0xffff))
             : (put16(value & 0xffff), put16(value >> 16));
}

static void put_fill(size_t len, int byte)
{
    while (len--)
        put(&(uint8_t){(uint8_t)byte}, 1);
}

static void begin_file(bool big)
{
    file.len = 0;
    file.big = big;
}

/* Classic pcap. */

static void put_pcap_header(uint32_t magic, unsigned major, unsigned minor, uint32_t link_type)
{
    put32(magic);
    put16(major);
    put16(minor);
    put32(0);
    put32(0);
    put32(65535);
    put32(link_type);
}

static void put_record(uint32_t seconds, uint32_t fraction, uint32_t caplen, uint32_t wire_len)
{
    put32(seconds);
    put32(fraction);
    put32(caplen);
    put32(wire_len);
    put_fill(caplen, 0xaa);
}

/* pcapng. */

static size_t begin_block(uint32_t type)
{
    put32(type);
    put32(0);
    return file.len - 8;
}

static void set32(size_t at, uint32_t value)
{
    size_t len = file.len;
    file.len = at;
    put32(value);
    file.len = len;
}

static void end_block(size_t begin)
{
    put_fill(-file.len & 3, 0);
    put32((uint32_t)(file.len + 4 - begin));
    set32(begin + 4, (uint32_t)(file.len - begin));
}

static void put_section(unsigned major, unsigned minor)
{
    size_t block = begin_block(0x0a0d0d0a);
    put32(0x1a2b3c4d);
    put16(major);
    put16(minor);
    put32(0xffffffff);
    put32(0xffffffff);
    end_block(block);
}

/* `tsresol` 0: without the option. */
static void put_interface(unsigned link_type, uint32_t snaplen, unsigned tsresol)
{
    size_t block = begin_block(1);
    put16(link_type);
    put16(0);
    put32(snaplen);
    if (tsresol) {
        put16(9);
        put16(1);
        put(&(uint8_t){(uint8_t)tsresol}, 1);
        put_fill(3, 0);
        put32(0);
    }
    end_block(block);
}

static void put_packet(uint32_t interface, uint64_t units, uint32_t caplen, uint32_t wire_len)
{
    size_t block = begin_block(6);
    put32(interface);
    put32((uint32_t)(units >> 32));
    put32((uint32_t)units);
    put32(caplen);
    put32(wire_len);
    put_fill(caplen, 0xbb);
    end_block(block);
}

static void put_packet_old(unsigned interface, uint64_t units, uint32_t caplen)
{
    size_t block = begin_block(2);
    put16(interface);
    put16(0xffff);
    put32((uint32_t)(units >> 32));
    put32((uint32_t)units);
    put32(caplen);
    put32(caplen);
    put_fill(caplen, 0xbb);
    end_block(block);
}

static void put_simple(uint32_t caplen, uint32_t wire_len)
{
    size_t block = begin_block(3);
    put32(wire_len);
    put_fill(caplen, 0xbb);
    end_block(block);
}

#endif
