/* Any bytes as a stored file: opened, decompressed, read twice with different tails kept. */
#include "capture/archive.h"

#include "test/fuzz_seed.h"

#include <sys/mman.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { ENOUGH = 8 << 20 }; /* bytes read of one input: a few bytes may stand for gigabytes */

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    for (int f = 0; f < PACKED_FORMATS; f++)
        fuzz_seed(*argc, *argv, "pcap", packed_formats[f]);
    return 0;
}

static uint64_t read_all(const char *path, size_t keep)
{
    struct archive *a;
    struct fault fault = {0};
    if (archive_open(&a, path, &fault))
        abort();
    uint64_t sum = 0, got = 0;
    size_t have = 0;
    int64_t n;
    const uint8_t *span;
    while ((n = archive_fill(a, &span, have, &fault)) > (int64_t)have && got < ENOUGH) {
        for (size_t i = have; i < (size_t)n; i++)
            sum = sum * 31 + span[i];
        got += (size_t)n - have;
        have = keep < (size_t)n ? keep : (size_t)n;
    }
    if (n < 0 && !fault.text[0])
        abort();
    archive_close(a);
    return sum + (n < 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    char path[64];
    int fd = memfd_create("stored", MFD_CLOEXEC);
    if (fd < 0 || write(fd, data, len) != (ssize_t)len)
        abort();
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    uint64_t first = read_all(path, 0);
    if (read_all(path, 300000) != first)
        abort();
    close(fd);
    return 0;
}
