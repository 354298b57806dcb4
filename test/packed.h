/* packed: bytes compressed in each format that archives are read in, and files of them, for tests. */
#ifndef TEST_PACKED_H
#define TEST_PACKED_H

#include <bzlib.h>
#include <isa-l/igzip_lib.h>
#include <lz4frame.h>
#include <lzma.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

static const char *const packed_formats[] = {"plain", "gzip", "zstd", "xz", "bzip2", "lz4"};
enum { PACKED_FORMATS = 6 };

static size_t packed_gzip(const uint8_t *in, size_t len, uint8_t *out, size_t room)
{
    static uint8_t level[ISAL_DEF_LVL1_DEFAULT];
    struct isal_zstream z;
    isal_deflate_init(&z);
    z.level = 1;
    z.level_buf = level;
    z.level_buf_size = sizeof level;
    z.gzip_flag = IGZIP_GZIP;
    z.end_of_stream = 1;
    z.flush = NO_FLUSH;
    z.next_in = (uint8_t *)in;
    z.avail_in = (uint32_t)len;
    z.next_out = out;
    z.avail_out = (uint32_t)room;
    return isal_deflate(&z) == COMP_OK ? room - z.avail_out : 0;
}

/* Both with the checksum of the content that the command line tools put in. */
static size_t packed_zstd(const uint8_t *in, size_t len, uint8_t *out, size_t room)
{
    ZSTD_CCtx *context = ZSTD_createCCtx();
    if (!context || ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)))
        abort();
    size_t n = ZSTD_compress2(context, out, room, in, len);
    ZSTD_freeCCtx(context);
    return n;
}

static size_t packed_lz4(const uint8_t *in, size_t len, uint8_t *out, size_t room)
{
    LZ4F_preferences_t settings = {0};
    settings.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled;
    return LZ4F_compressFrame(out, room, in, len, &settings);
}

/* Compresses; the caller frees. Aborts where a library fails, which only a broken test does. */
static inline uint8_t *packed_make(const char *format, const uint8_t *in, size_t len,
                                   size_t *out_len)
{
    size_t room = len + len / 2 + 65536, n = 0;
    uint8_t *out = malloc(room);
    if (!out)
        abort();
    if (strcmp(format, "plain") == 0) {
        memcpy(out, in, len);
        *out_len = len;
        return out;
    }
    if (strcmp(format, "gzip") == 0)
        n = packed_gzip(in, len, out, room);
    else if (strcmp(format, "zstd") == 0)
        n = packed_zstd(in, len, out, room);
    else if (strcmp(format, "lz4") == 0)
        n = packed_lz4(in, len, out, room);
    if (strcmp(format, "xz") == 0 &&
        lzma_easy_buffer_encode(0, LZMA_CHECK_CRC32, NULL, in, len, out, &n, room) != LZMA_OK)
        abort();
    unsigned bz_len = (unsigned)room;
    if (strcmp(format, "bzip2") == 0 &&
        BZ2_bzBuffToBuffCompress((char *)out, &bz_len, (char *)in, (unsigned)len, 1, 0, 0) == BZ_OK)
        n = bz_len;
    if (n == 0 || n > room)
        abort();
    *out_len = n;
    return out;
}

/* Writes a new file under /tmp and puts its name into `path`. */
static inline void packed_file(char path[64], const uint8_t *bytes, size_t len)
{
    strcpy(path, "/tmp/yamiscope-test-XXXXXX");
    int fd = mkstemp(path);
    if (fd < 0)
        abort();
    for (size_t done = 0; done < len;) {
        ssize_t n = write(fd, bytes + done, len - done);
        if (n <= 0)
            abort();
        done += (size_t)n;
    }
    close(fd);
}

#endif
