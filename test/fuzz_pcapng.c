/* Any bytes as a pcapng file, once whole and once in pieces: the same frames (but for the times of
 * simple packets, which depend on the span), all inside what was given. */
#include "capture/pcapng_reader.h"

#include "test/fuzz_seed.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    fuzz_seed(*argc, *argv, "pcapng", "plain");
    return 0;
}

static void count_said(void *context, uint64_t offset, const char *text)
{
    *(uint64_t *)context += offset + strlen(text);
}

static uint64_t fold(uint64_t sum, const struct frame *f, const uint8_t *begin, const uint8_t *end)
{
    if (f->data < begin || f->caplen > (size_t)(end - f->data) || f->wire_len < f->caplen)
        abort();
    for (uint32_t i = 0; i < f->caplen; i++)
        sum = sum * 31 + f->data[i];
    return (sum * 31 + f->wire_len) * 31 + f->link_type;
}

static uint64_t read_all(const uint8_t *data, size_t len, size_t step, size_t max)
{
    struct pcapng_reader r;
    struct frame frames[FRAME_BURST];
    struct fault fault = {0};
    size_t at = 0, end = 0;
    uint64_t sum = 1, said = 0;
    pcapng_reader_init(&r, NULL, count_said, &said);
    for (;;) {
        uint8_t *span = malloc(end - at + 1); /* of its own, so that a read past it is seen */
        if (!span)
            break;
        memcpy(span, data + at, end - at);
        const uint8_t *from = span;
        fault.err = 0;
        size_t n = pcapng_reader_burst(&r, &from, span + (end - at), frames, max, &fault);
        for (size_t i = 0; i < n; i++)
            sum = fold(sum, &frames[i], span, span + (end - at));
        at += (size_t)(from - span);
        free(span);
        if (r.offset != at)
            abort();
        if (n)
            continue;
        if (fault.err || end == len)
            break;
        end = len - end < step ? len : end + step;
    }
    bool is_damaged = fault.err || !pcapng_reader_cut(&r, data + at, data + len, &fault);
    pcapng_reader_fini(&r);
    return sum + said + is_damaged;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (!pcapng_reader_knows(data, len))
        return 0;
    uint64_t whole = read_all(data, len, len + 1, FRAME_BURST);
    if (read_all(data, len, 13, 1) != whole || read_all(data, len, 1000, 5) != whole)
        abort();
    return 0;
}
