/* Any bytes as a pcap file, once whole and once in pieces: the same frames, all inside what was given. */
#include "capture/pcap_reader.h"

#include "test/fuzz_seed.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    fuzz_seed(*argc, *argv, "pcap", "plain");
    return 0;
}

/* Folds a frame into a sum, after seeing that it lies in the span. */
static uint64_t fold(uint64_t sum, const struct frame *f, const uint8_t *begin, const uint8_t *end)
{
    if (f->data < begin || f->caplen > (size_t)(end - f->data) || f->wire_len < f->caplen)
        abort();
    for (uint32_t i = 0; i < f->caplen; i++)
        sum = sum * 31 + f->data[i];
    return ((sum * 31 + f->wire_len) * 31 + (uint64_t)f->ts_ns) * 31 + f->link_type;
}

/* Reads with a span that grows by `step` bytes; what is unread stays in it. */
static uint64_t read_all(const uint8_t *data, size_t len, size_t step, size_t max)
{
    struct pcap_reader r;
    struct fault fault = {0};
    struct frame frames[FRAME_BURST];
    int header = pcap_reader_open(&r, NULL, data, len, &fault);
    if (header <= 0)
        return 0;
    size_t at = (size_t)header, end = at;
    uint64_t sum = 1;
    for (;;) {
        uint8_t *span = malloc(end - at + 1); /* of its own, so that a read past it is seen */
        if (!span)
            return 0;
        memcpy(span, data + at, end - at);
        const uint8_t *from = span;
        fault.err = 0;
        size_t n = pcap_reader_burst(&r, &from, span + (end - at), frames, max, &fault);
        for (size_t i = 0; i < n; i++)
            sum = fold(sum, &frames[i], span, span + (end - at));
        at += (size_t)(from - span);
        free(span);
        if (n)
            continue;
        if (fault.err || end == len)
            break;
        end = len - end < step ? len : end + step;
    }
    if (!fault.err && at < len)
        pcap_reader_cut(&r, data + at, data + len, &fault);
    return sum + (fault.err != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    uint64_t whole = read_all(data, len, len + 1, FRAME_BURST);
    if (read_all(data, len, 13, 1) != whole || read_all(data, len, 1000, 5) != whole)
        abort();
    return 0;
}
