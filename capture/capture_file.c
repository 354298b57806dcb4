#include "capture/capture_file.h"

#include "capture/archive.h"
#include "capture/input_list.h"
#include "capture/pcap_reader.h"
#include "capture/pcapng_reader.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    AHEAD_MAX = 64,
    CAUSE_WITHIN = 64 << 20, /* bytes decompressed to learn why what they hold is damaged */
    HEAD = 64 * 1024,        /* bytes wanted, where there are so many, before the format is told */
};

/* An input opened ahead: either an archive, or why it could not be opened. */
struct opened {
    struct archive *archive;
    struct fault fault;
};

struct capture_file {
    struct capture base;
    struct input_list inputs;
    struct filter *filter;
    size_t current;     /* input being read */
    size_t opened_upto; /* inputs before this one are or were opened */
    unsigned ahead;
    struct opened *opened; /* ring of ahead + 1, input i at i % (ahead + 1) */
    struct damage_list damaged;
    const char *current_path;
    uint64_t done_before; /* stored bytes of the inputs before the current one */
    uint64_t total;
    _Atomic uint64_t done;

    /* The current input. */
    enum { FORMAT_UNKNOWN, FORMAT_PCAP, FORMAT_PCAPNG } format;
    struct pcap_reader pcap;
    struct pcapng_reader pcapng;
    const uint8_t *at, *end; /* unread part of the span */
    uint64_t filled;         /* bytes of decompressed data up to `end` */
};

/* Damage. */

/* Bytes of the stored file. */
struct place {
    uint64_t from, to;
};

static struct archive *packed_archive(const struct capture_file *f)
{
    struct archive *archive = f->opened[f->current % (f->ahead + 1)].archive;
    return archive && strcmp(archive_format(archive), "plain") != 0 ? archive : NULL;
}

/* Where something is wrong that shows in what was last filled, or in the fill that has failed. `at`
 * is the byte of the decompressed data. */
static struct place place_of(const struct capture_file *f, uint64_t at)
{
    struct place place = {at, at};
    const struct archive *packed = packed_archive(f);
    if (packed)
        archive_stored_range(packed, &place.from, &place.to);
    return place;
}

/* The words for damage: cause, byte, and what else a person has to know; NULL without memory. */
static char *format_damage(const struct capture_file *f, uint64_t at, const char *what,
                           const char *why, bool is_corrupt)
{
    char *text, byte[64] = "";
    if (packed_archive(f))
        (void)snprintf(byte, sizeof byte, ", at byte %llu of the decompressed data",
                       (unsigned long long)at);
    int rc = asprintf(&text, "%s%s%s%s%s", what, byte, why ? "; " : "", why ? why : "",
                      is_corrupt && at > 0 ? "; packets read before it may be wrong, too" : "");
    return rc < 0 ? NULL : text;
}

/* Puts damage of the current input on the list; without memory for it the list stays
 * as it is. Takes `what`. */
static void add_damage(struct capture_file *f, enum damage_kind kind, struct place place,
                       char *what)
{
    struct damage_list *list = &f->damaged;
    struct damage *grown = realloc(list->at, (list->count + 1) * sizeof *grown);
    char *file = strdup(f->inputs.at[f->current].path);
    if (grown)
        list->at = grown;
    if (!grown || !file || !what) {
        free(file);
        free(what);
        return;
    }
    list->at[list->count++] = (struct damage){.file = file,
                                              .offset = place.from,
                                              .offset_to = place.to,
                                              .what = what,
                                              .kind = kind,
                                              .input = f->current};
}

/* What is wrong with the kind of the input, or a part of it, not with its bytes. */
static void add_refusal(struct capture_file *f, enum damage_kind kind, uint64_t at,
                        const char *what)
{
    struct place place = {at, at};
    if (packed_archive(f))
        place = (struct place){0, 0};
    add_damage(f, kind, place, format_damage(f, at, what, NULL, false));
}

static void say_interface(void *context, uint64_t offset, const char *text)
{
    add_refusal(context, DAMAGE_UNREAD, offset, text);
}

/* Bytes that are wrong are one thing; what can't be had or is of no kind that is read, another. */
static enum damage_kind kind_of(const struct fault *fault)
{
    return fault->err == EBADMSG ? DAMAGE_BROKEN : DAMAGE_UNREAD;
}

/* No more bytes could be had. */
static void add_fill_damage(struct capture_file *f, const struct fault *fault)
{
    const struct archive *packed = packed_archive(f);
    add_damage(
        f, kind_of(fault), place_of(f, f->filled),
        format_damage(f, f->filled, fault->text, NULL, packed && archive_is_corrupt(packed)));
}

/* What the bytes hold is wrong. Where they were compressed, the decompressor may know why, at the
 * next checksum: it is asked, within reason; a pipe, which may have no end, is not. */
static void add_content_damage(struct capture_file *f, uint64_t at, const struct fault *fault)
{
    struct archive *packed = packed_archive(f);
    struct place place = place_of(f, at);
    struct fault cause = {0};
    int64_t len = 1;
    if (packed && fault->err == EBADMSG && f->inputs.at[f->current].size > 0) {
        const uint8_t *data;
        for (int64_t more = CAUSE_WITHIN; more > 0 && len > 0; more -= len)
            len = archive_fill(packed, &data, 0, &cause);
    }
    bool is_known = len < 0 && cause.err == EBADMSG;
    add_damage(f, kind_of(fault), place,
               format_damage(f, at, fault->text, is_known ? cause.text : NULL,
                             is_known && archive_is_corrupt(packed)));
}

static uint64_t offset_of(const struct capture_file *f, const uint8_t *at)
{
    return f->filled - (uint64_t)(f->end - at);
}

/* Inputs. */

static struct opened *current_opened(struct capture_file *f)
{
    return &f->opened[f->current % (f->ahead + 1)];
}

/* Whether opening it waits for somebody: for a writer who may write another input first. */
static bool is_fifo(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISFIFO(st.st_mode);
}

static void open_ahead(struct capture_file *f)
{
    while (f->opened_upto < f->inputs.count && f->opened_upto <= f->current + f->ahead) {
        const struct input *input = &f->inputs.at[f->opened_upto];
        struct opened *slot = &f->opened[f->opened_upto % (f->ahead + 1)];
        if (f->opened_upto > f->current && is_fifo(input->path))
            return;
        memset(slot, 0, sizeof *slot);
        if (input->problem)
            fault_set(&slot->fault, input->err, "%s", input->problem);
        else
            archive_open(&slot->archive, input->path, &slot->fault);
        f->opened_upto++;
    }
}

/* Leaves the current input; its readers, its archive, its share of the progress. */
static void leave_input(struct capture_file *f)
{
    if (f->format == FORMAT_PCAPNG)
        pcapng_reader_fini(&f->pcapng);
    struct opened *slot = current_opened(f);
    archive_close(slot->archive);
    slot->archive = NULL;
    f->format = FORMAT_UNKNOWN;
    f->at = f->end = NULL;
    f->filled = 0;
    f->done_before += f->inputs.at[f->current].size;
    atomic_store_explicit(&f->done, f->done_before, memory_order_relaxed);
    f->current++;
}

/* More bytes behind those unread. 1: there are, 0: the data ends here, -errno: damage. */
static int fill(struct capture_file *f, struct fault *fault)
{
    struct archive *archive = current_opened(f)->archive;
    size_t keep = (size_t)(f->end - f->at);
    int64_t len = archive_fill(archive, &f->at, keep, fault);
    if (len < 0) {
        f->end = f->at + keep;
        return (int)len;
    }
    f->end = f->at + len;
    f->filled += (uint64_t)len - keep;
    atomic_store_explicit(&f->done, f->done_before + archive_stored_at(archive),
                          memory_order_relaxed);
    return (size_t)len > keep;
}

/* What a file is that is no capture that we read, where its first bytes say so. */
static const char *name_foreign(const uint8_t *bytes, size_t len)
{
    static const struct {
        const char *magic;
        size_t len;
        const char *name;
    } foreign[] = {
        {"snoop\0\0\0", 8, "a snoop capture"},
        {"GMBU", 4, "a Network Monitor capture"},
        {"RTSS", 4, "a Network Monitor capture"},
        {"TRSNIFF data", 12, "a Sniffer capture"},
        {"XCP\0", 4, "a NetXray capture"},
        {"PK\3\4", 4, "a zip archive"},
        {"7z\xbc\xaf\x27\x1c", 6, "a 7z archive"},
        {"Rar!", 4, "a rar archive"},
        {"\x1f\x9d", 2, "compressed by compress(1)"},
        {"\x02\x21\x4c\x18", 4, "compressed in lz4's legacy format"},
        {"\x1f\x8b", 2, "compressed a second time"},
        {"\x28\xb5\x2f\xfd", 4, "compressed a second time"},
        {"\xfd"
         "7zXZ",
         5, "compressed a second time"},
    };
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++) {
        if (len >= foreign[i].len && memcmp(bytes, foreign[i].magic, foreign[i].len) == 0)
            return foreign[i].name;
    }
    return NULL;
}

bool capture_file_is(const char *path)
{
    static const uint32_t magics[] = {0xa1b2c3d4, 0xd4c3b2a1, 0xa1b23c4d, 0x4d3cb2a1, 0x0a0d0d0a};
    struct archive *a;
    struct fault fault; /* it is not ours to say */
    struct stat st;
    const uint8_t *bytes;
    uint32_t magic = 0;
    bool is_one = false;
    if (stat(path, &st) < 0 || !S_ISREG(st.st_mode) || archive_open(&a, path, &fault) < 0)
        return false;
    if (archive_fill(a, &bytes, 0, &fault) >= (int64_t)sizeof magic)
        memcpy(&magic, bytes, sizeof magic);
    archive_close(a);
    for (size_t i = 0; i < sizeof magics / sizeof *magics; i++)
        is_one |= magic == magics[i];
    return is_one;
}

static void refuse_foreign(struct capture_file *f)
{
    size_t len = (size_t)(f->end - f->at);
    const char *name = name_foreign(f->at, len);
    char text[128], hex[3 * 8 + 1] = "";
    for (size_t i = 0; i < 8 && i < len; i++)
        (void)snprintf(hex + 3 * i, 4, " %02x", f->at[i]);
    if (len == 0)
        (void)snprintf(text, sizeof text, "is empty");
    else if (name)
        (void)snprintf(text, sizeof text, "is neither pcap nor pcapng: %s", name);
    else
        (void)snprintf(text, sizeof text, "is no capture, neither pcap nor pcapng: begins with%s",
                       hex);
    add_refusal(f, name ? DAMAGE_UNREAD : DAMAGE_FOREIGN, 0, text);
}

/* Reads the beginning of the current input; false: refused, and said. */
static bool begin_input(struct capture_file *f)
{
    struct opened *slot = current_opened(f);
    struct fault fault = slot->fault;
    f->current_path = f->inputs.at[f->current].path;
    if (!slot->archive) {
        add_refusal(f, kind_of(&fault), 0, fault.text);
        return false;
    }
    f->at = f->end = (const uint8_t *)"";
    int rc;
    do
        rc = fill(f, &fault);
    while (rc > 0 && f->end - f->at < HEAD);
    size_t len = (size_t)(f->end - f->at);
    if (pcap_reader_knows(f->at, len)) {
        int header = pcap_reader_open(&f->pcap, f->filter, f->at, len, &fault);
        if (header > 0) {
            f->at += header;
            f->format = FORMAT_PCAP;
            return true;
        }
        if (fault.err == EBADMSG)
            add_content_damage(f, f->pcap.refused_at, &fault);
        else
            add_refusal(f, DAMAGE_UNREAD, f->pcap.refused_at, fault.text);
    } else if (pcapng_reader_knows(f->at, len)) {
        pcapng_reader_init(&f->pcapng, f->filter, say_interface, f);
        f->format = FORMAT_PCAPNG;
        return true;
    } else if (rc < 0) {
        add_fill_damage(f, &fault);
    } else {
        refuse_foreign(f);
    }
    return false;
}

/* The span holds nothing whole any more. False: the input ends, and what is wrong is said. */
static bool go_on(struct capture_file *f)
{
    struct fault fault = {0};
    int rc = fill(f, &fault);
    if (rc > 0)
        return true;
    bool is_whole = false;
    if (rc == 0 && f->format == FORMAT_PCAP && !(is_whole = f->at == f->end))
        pcap_reader_cut(&f->pcap, f->at, f->end, &fault);
    else if (rc == 0 && f->format == FORMAT_PCAPNG)
        is_whole = pcapng_reader_cut(&f->pcapng, f->at, f->end, &fault);
    if (rc < 0)
        add_fill_damage(f, &fault);
    else if (!is_whole)
        add_content_damage(f, offset_of(f, f->at), &fault);
    return false;
}

/* The calls. */

static size_t file_burst(struct capture *c, struct frame *frames, size_t max)
{
    struct capture_file *f = (struct capture_file *)c;
    while (f->current < f->inputs.count) {
        struct fault fault;
        size_t n = 0;
        fault.err = 0;
        if (f->format == FORMAT_PCAP)
            n = pcap_reader_burst(&f->pcap, &f->at, f->end, frames, max, &fault);
        else if (f->format == FORMAT_PCAPNG)
            n = pcapng_reader_burst(&f->pcapng, &f->at, f->end, frames, max, &fault);
        if (n)
            return n;
        bool goes_on;
        if (f->format == FORMAT_UNKNOWN) {
            open_ahead(f);
            goes_on = begin_input(f);
        } else if (fault.err) {
            add_content_damage(f, offset_of(f, f->at), &fault);
            goes_on = false;
        } else {
            goes_on = go_on(f);
        }
        if (!goes_on)
            leave_input(f);
    }
    return 0;
}

static const struct damage_list *file_damaged(const struct capture *c)
{
    return &((const struct capture_file *)c)->damaged;
}

/* A stored file loses nothing on its way. */
static void file_drops(const struct capture *c, struct capture_drops *drops)
{
    (void)c;
    memset(drops, 0, sizeof *drops);
}

static void file_progress(const struct capture *c, uint64_t *done, uint64_t *total)
{
    struct capture_file *f = (struct capture_file *)c;
    *done = atomic_load_explicit(&f->done, memory_order_relaxed);
    *total = f->total;
}

static void file_close(struct capture *c)
{
    struct capture_file *f = (struct capture_file *)c;
    if (!f)
        return;
    if (f->format == FORMAT_PCAPNG) {
        f->pcapng.say = NULL;
        pcapng_reader_fini(&f->pcapng);
    }
    for (size_t i = 0; f->opened && i <= f->ahead; i++)
        archive_close(f->opened[i].archive);
    for (size_t i = 0; i < f->damaged.count; i++) {
        free(f->damaged.at[i].file);
        free(f->damaged.at[i].what);
    }
    free(f->damaged.at);
    free(f->opened);
    input_list_fini(&f->inputs);
    free(f);
}

static const struct capture_ops file_ops = {
    .name = "file",
    .burst = file_burst,
    .damaged = file_damaged,
    .drops = file_drops,
    .progress = file_progress,
    .close = file_close,
};

/* Half the processors, the other half has the packets to count; more than a few inputs at once
 * only cost memory (16 MiB each). */
static unsigned sensible_ahead(void)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    return processors < 4 ? 1 : processors > 16 ? 8 : (unsigned)processors / 2;
}

/* The total is known where every size is; a pipe makes it unknown. */
static void add_sizes(struct capture_file *f)
{
    for (size_t i = 0; i < f->inputs.count; i++) {
        const struct input *input = &f->inputs.at[i];
        if (!input->problem && input->size == 0) {
            f->total = 0;
            return;
        }
        f->total += input->size;
    }
}

int capture_file_open(struct capture **out, const struct capture_file_settings *settings,
                      struct fault *fault)
{
    *out = NULL;
    struct capture_file *f = calloc(1, sizeof *f);
    if (!f)
        return fault_set(fault, ENOMEM, "no memory to read captures");
    f->base.ops = &file_ops;
    f->filter = settings->filter;
    int rc = input_list_init(&f->inputs, settings->paths, settings->path_count, fault);
    if (rc)
        goto fail;
    size_t missing = 0;
    for (size_t i = 0; i < f->inputs.count; i++)
        missing += f->inputs.at[i].problem != NULL &&
                   (f->inputs.at[i].err == ENOENT || f->inputs.at[i].err == ENODATA);
    if (missing == f->inputs.count) {
        const struct input *first = f->inputs.at;
        rc = first ? fault_set(fault, first->err, "%s: %s", first->path, first->problem)
                   : fault_set(fault, EINVAL, "no input was named");
        goto fail;
    }
    f->ahead = settings->ahead ? settings->ahead : sensible_ahead();
    if (f->ahead > AHEAD_MAX)
        f->ahead = AHEAD_MAX;
    f->opened = calloc(f->ahead + 1, sizeof *f->opened);
    if (!f->opened) {
        rc = fault_set(fault, ENOMEM, "no memory to read captures");
        goto fail;
    }
    f->current_path = f->inputs.at[0].path;
    add_sizes(f);
    open_ahead(f);
    *out = &f->base;
    return 0;
fail:
    file_close(&f->base);
    return rc;
}

const char *capture_file_current(const struct capture *c)
{
    return ((const struct capture_file *)c)->current_path;
}

uint64_t capture_file_frame(const struct capture *c)
{
    const struct capture_file *f = (const struct capture_file *)c;
    return f->format == FORMAT_PCAPNG ? f->pcapng.packets : f->pcap.records;
}

size_t capture_file_inputs(const struct capture *c)
{
    return ((const struct capture_file *)c)->inputs.count;
}

bool capture_file_unpacks(const struct capture *c)
{
    const struct capture_file *f = (const struct capture_file *)c;
    return f->opened[0].archive && archive_unpacks(f->opened[0].archive);
}
