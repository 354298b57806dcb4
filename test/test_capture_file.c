#include "capture/capture_file.h"

#include "test/capture_rows.h"
#include "test/packed.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/stat.h>

#include <cmocka.h>

struct seen {
    uint64_t packets, bytes, caplen_sum, byte_sum;
    int64_t first_ns, last_ns;
    uint64_t link_sum;
};

/* Reads all there is, in bursts of `max`. */
static struct seen read_capture(struct capture *c, size_t max)
{
    struct frame frames[FRAME_BURST];
    struct seen seen = {0};
    size_t n;
    while ((n = c->ops->burst(c, frames, max))) {
        assert_true(n <= max);
        for (size_t i = 0; i < n; i++) {
            const struct frame *f = &frames[i];
            if (seen.packets++ == 0)
                seen.first_ns = f->ts_ns;
            seen.last_ns = f->ts_ns;
            seen.bytes += f->wire_len;
            seen.caplen_sum += f->caplen;
            seen.link_sum += f->link_type;
            assert_true(f->wire_len >= f->caplen);
            for (uint32_t k = 0; k < f->caplen; k++)
                seen.byte_sum += f->data[k];
        }
    }
    assert_int_equal(c->ops->burst(c, frames, max), 0);
    return seen;
}

static struct capture *open_paths(const char *const *paths, size_t count, unsigned ahead)
{
    struct capture_file_settings settings = {paths, count, ahead, NULL};
    struct fault fault = {0};
    struct capture *c;
    assert_int_equal(capture_file_open(&c, &settings, &fault), 0);
    return c;
}

static void check_row(const struct row *row, const char *path, size_t max, bool is_plain)
{
    struct capture *c = open_paths(&path, 1, 0);
    struct seen seen = read_capture(c, max);
    const struct damage_list *damaged = c->ops->damaged(c);
    if (seen.packets != row->packets || damaged->count != (row->damage != NULL))
        print_message("%s: %" PRIu64 " packets, damage: %s\n", row->name, seen.packets,
                      damaged->count ? damaged->at[0].what : "none");
    assert_int_equal(seen.packets, row->packets);
    assert_int_equal(seen.bytes, row->bytes);
    assert_int_equal(seen.first_ns, row->first_ns);
    assert_int_equal(seen.last_ns, row->last_ns);
    assert_int_equal(seen.caplen_sum, row->caplen_sum);
    assert_int_equal(damaged->count, row->damage != NULL);
    if (row->damage) {
        assert_string_equal(damaged->at[0].file, path);
        assert_ptr_equal(strstr(damaged->at[0].what, row->damage), damaged->at[0].what);
        if (is_plain && row->offset >= 0)
            assert_int_equal(damaged->at[0].offset, row->offset);
        bool is_foreign = row->make == make_text || row->make == make_nothing;
        assert_int_equal(damaged->at[0].kind == DAMAGE_FOREIGN, is_foreign);
        assert_int_equal(damaged->at[0].kind == DAMAGE_UNREAD,
                         strstr(row->damage, "not supported") || strstr(row->damage, "reserved") ||
                             row->make == make_snoop);
        assert_int_equal(strstr(damaged->at[0].what, "of the decompressed data") == NULL, is_plain);
    }
    assert_string_equal(capture_file_current(c), path);
    uint64_t done, total;
    c->ops->progress(c, &done, &total);
    assert_int_equal(done, file.len && is_plain ? file.len : done);
    assert_int_equal(done, total);
    c->ops->close(c);
}

static void test_every_kind_of_file(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (int big = 0; big < 2; big++) {
            begin_file(big);
            rows[i].make();
            char path[64];
            packed_file(path, file.at, file.len);
            check_row(&rows[i], path, FRAME_BURST, true);
            check_row(&rows[i], path, 1, true);
            unlink(path);
        }
    }
}

static void test_every_kind_compressed(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (int format = 1; format < PACKED_FORMATS; format++) {
            begin_file(false);
            rows[i].make();
            if (!file.len)
                continue;
            size_t len;
            uint8_t *packed = packed_make(packed_formats[format], file.at, file.len, &len);
            char path[64];
            packed_file(path, packed, len);
            check_row(&rows[i], path, FRAME_BURST, false);
            unlink(path);
            free(packed);
        }
    }
}

/* Frames have the numbers that they have in their own files, whatever is left out. */
static void test_numbers_of_frames(void **state)
{
    static const struct {
        size_t file;
        uint64_t number;
    } expected[] = {{0, 1}, {0, 2}, {1, 2}, {2, 1}, {2, 2}, {2, 3}, {2, 4},
                    {2, 5}, {3, 1}, {3, 2}, {3, 3}, {0, 1}, {0, 2}};
    static void (*const makes[])(void) = {make_pcap_too_large, make_ng_two_links, make_pcap_joined,
                                          make_ng};
    (void)state;
    char names[4][64];
    const char *paths[] = {names[0], names[1], names[2], names[3], names[0]};
    for (size_t i = 0; i < 4; i++) {
        begin_file(false);
        makes[i]();
        packed_file(names[i], file.at, file.len);
    }
    struct capture *c = open_paths(paths, 5, 1);
    struct frame frame;
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        assert_int_equal(c->ops->burst(c, &frame, 1), 1);
        assert_string_equal(capture_file_current(c), names[expected[i].file]);
        assert_int_equal(capture_file_frame(c), expected[i].number);
    }
    assert_int_equal(c->ops->burst(c, &frame, 1), 0);
    c->ops->close(c);
    for (size_t i = 0; i < 4; i++)
        unlink(names[i]);
}

/* Each capture of a joined file counts by its own header. */
static void test_joined_captures(void **state)
{
    static const struct {
        uint32_t link_type, caplen;
        int64_t ts_ns;
    } expected[] = {{1, 60, 1000001000},
                    {101, 40, 2000000002},
                    {101, 0, 3000000003},
                    {113, 50, 4000000004},
                    {1, 60, 5000005000}};
    (void)state;
    for (int big = 0; big < 2; big++) {
        begin_file(big);
        make_pcap_joined();
        char path[64];
        const char *paths[] = {path};
        packed_file(path, file.at, file.len);
        struct capture *c = open_paths(paths, 1, 0);
        struct frame frame;
        for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
            assert_int_equal(c->ops->burst(c, &frame, 1), 1);
            assert_int_equal(frame.link_type, expected[i].link_type);
            assert_int_equal(frame.caplen, expected[i].caplen);
            assert_int_equal(frame.ts_ns, expected[i].ts_ns);
        }
        assert_int_equal(c->ops->burst(c, &frame, 1), 0);
        assert_int_equal(c->ops->damaged(c)->count, 0);
        c->ops->close(c);
        unlink(path);
    }
}

/* An input of a link type that the filter does not compile for is named, and the others are read. */
static void test_link_types_without_a_filter(void **state)
{
    static const char says[] = "filter does not compile for link type RAW: ethernet addresses";
    static const struct {
        const char *says;
        uint64_t offset;
        size_t input;
    } expected[] = {{"the ", 20, 1}, {"interface 1: the ", 48, 2}, {"a further capture ", 116, 3}};
    (void)state;
    char names[4][64];
    const char *paths[] = {names[0], names[1], names[2], names[3]};
    begin_file(false);
    make_pcap_micro();
    packed_file(names[0], file.at, file.len);
    put_pcap_header(0xa1b2c3d4, 2, 4, 101);
    put_record(1, 0, 40, 40);
    packed_file(names[3], file.at, file.len);
    begin_file(false);
    make_pcap_nano();
    packed_file(names[1], file.at, file.len);
    begin_file(false);
    put_section(1, 0);
    put_interface(1, 0, 0);
    put_interface(101, 0, 0);
    put_packet(1, 1, 40, 40);
    put_packet(0, 2, 60, 60);
    put_packet(1, 3, 40, 40);
    packed_file(names[2], file.at, file.len);

    struct capture_file_settings settings = {paths, 4, 1, NULL};
    struct fault fault = {0};
    struct capture *c;
    assert_int_equal(filter_create(&settings.filter, "ether dst 2:0:0:0:0:1", &fault), 0);
    assert_int_equal(capture_file_open(&c, &settings, &fault), 0);
    struct seen seen = read_capture(c, FRAME_BURST);
    assert_int_equal(seen.packets, 5);
    assert_int_equal(seen.link_sum, 5); /* all Ethernet */
    const struct damage_list *damaged = c->ops->damaged(c);
    assert_int_equal(damaged->count, sizeof expected / sizeof *expected);
    for (size_t i = 0; i < damaged->count; i++) {
        assert_int_equal(damaged->at[i].kind, DAMAGE_UNREAD);
        assert_int_equal(damaged->at[i].input, expected[i].input);
        assert_int_equal(damaged->at[i].offset, expected[i].offset);
        assert_ptr_equal(strstr(damaged->at[i].what, expected[i].says), damaged->at[i].what);
        assert_non_null(strstr(damaged->at[i].what, says));
    }
    c->ops->close(c);
    filter_destroy(settings.filter);
    for (size_t i = 0; i < 4; i++)
        unlink(names[i]);
}

/* What breaks inside the data was broken by what stores it, where its checksum says so; else the
 * capture itself is damaged. */
static void test_damage_inside_compressed_data(void **state)
{
    static const char begin[] = "record 3 has an impossible length: 262145 bytes, at byte 116 of "
                                "the decompressed data";
    static const char cause[] = "; gzip stream is damaged: its data is corrupt: the member's "
                                "checksum or length does not match; packets read before it may be "
                                "wrong, too";
    (void)state;
    for (int is_spoiled = 0; is_spoiled < 2; is_spoiled++) {
        begin_file(false);
        make_pcap_too_large();
        size_t len;
        uint8_t *packed = packed_make("gzip", file.at, file.len, &len);
        packed[len - 8] ^= is_spoiled;
        char path[64];
        const char *paths[] = {path};
        packed_file(path, packed, len);
        struct capture *c = open_paths(paths, 1, 0);
        assert_int_equal(read_capture(c, FRAME_BURST).packets, 2);
        const struct damage_list *damaged = c->ops->damaged(c);
        assert_int_equal(damaged->count, 1);
        assert_int_equal(damaged->at[0].offset, 0);
        assert_int_equal(damaged->at[0].offset_to, len);
        assert_memory_equal(damaged->at[0].what, begin, sizeof begin - 1);
        assert_string_equal(damaged->at[0].what + sizeof begin - 1, is_spoiled ? cause : "");
        c->ops->close(c);
        unlink(path);
        free(packed);
    }
}

/* Many records over many blocks, of lengths that cut everywhere. */
static size_t make_long_file(uint8_t **out, size_t records)
{
    size_t room = 24 + records * (16 + 1600), len = 0;
    uint8_t *bytes = malloc(room);
    assert_non_null(bytes);
    begin_file(false);
    put_pcap_header(0xa1b2c3d4, 2, 4, 1);
    memcpy(bytes, file.at, len = file.len);
    uint32_t state = 7;
    for (size_t i = 0; i < records; i++) {
        state = state * 1664525 + 1013904223;
        begin_file(false);
        put_record((uint32_t)i, state >> 16, (state >> 8) % 1500, 1500);
        memcpy(bytes + len, file.at, file.len);
        len += file.len;
    }
    *out = bytes;
    return len;
}

static void test_inputs_in_order_whatever_is_ahead(void **state)
{
    enum { RECORDS = 5000 };
    (void)state;
    uint8_t *bytes;
    size_t len = make_long_file(&bytes, RECORDS);
    char names[PACKED_FORMATS][64];
    const char *paths[PACKED_FORMATS];
    for (int f = 0; f < PACKED_FORMATS; f++) {
        size_t packed_len;
        uint8_t *packed = packed_make(packed_formats[f], bytes, len, &packed_len);
        packed_file(names[f], packed, packed_len);
        paths[f] = names[f];
        free(packed);
    }
    struct seen first = {0};
    for (int f = 0; f < PACKED_FORMATS; f++) {
        struct capture *c = open_paths(&paths[f], 1, 0);
        struct seen seen = read_capture(c, FRAME_BURST);
        assert_int_equal(seen.packets, RECORDS);
        if (f == 0)
            first = seen;
        assert_memory_equal(&seen, &first, sizeof seen);
        assert_int_equal(c->ops->damaged(c)->count, 0);
        c->ops->close(c);
    }
    for (unsigned ahead = 1; ahead <= 8; ahead *= 2) {
        struct capture *c = open_paths(paths, PACKED_FORMATS, ahead);
        struct frame frames[FRAME_BURST];
        uint64_t packets = 0;
        size_t n;
        while ((n = c->ops->burst(c, frames, FRAME_BURST))) {
            assert_string_equal(capture_file_current(c), paths[packets / RECORDS]);
            for (size_t i = 0; i < n; i++)
                assert_int_equal(frames[i].ts_ns / 1000000000, packets++ % RECORDS);
        }
        assert_int_equal(packets, PACKED_FORMATS * (uint64_t)RECORDS);
        c->ops->close(c);
        c = open_paths(paths, PACKED_FORMATS, ahead); /* closed in the middle */
        assert_true(c->ops->burst(c, frames, 1) == 1);
        c->ops->close(c);
    }
    for (int f = 0; f < PACKED_FORMATS; f++)
        unlink(names[f]);
    free(bytes);
}

static void write_at(const char *folder, const char *name, uint32_t seconds)
{
    char path[128];
    begin_file(false);
    put_pcap_header(0xa1b2c3d4, 2, 4, 1);
    put_record(seconds, 0, 1, 1);
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(file.at, 1, file.len, f), file.len);
    assert_int_equal(fclose(f), 0);
}

static void remove_tree(const char *path)
{
    DIR *folder = opendir(path);
    struct dirent *entry;
    while (folder && (entry = readdir(folder))) {
        char name[600];
        (void)snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..") && unlink(name) < 0)
            remove_tree(name);
    }
    if (folder)
        closedir(folder);
    rmdir(path);
}

static void test_folders_are_read_sorted(void **state)
{
    static const char *const names[] = {"b", "a/z", "a/b", "c", "a.pcap", ".hidden", "a/.hidden"};
    static const uint32_t order[] = {3, 2, 5, 1, 4}; /* a/b, a/z, a.pcap, b, c */
    (void)state;
    char root[] = "/tmp/yamiscope-test-XXXXXX", path[128];
    assert_non_null(mkdtemp(root));
    (void)snprintf(path, sizeof path, "%s/a", root);
    assert_int_equal(mkdir(path, 0700), 0);
    for (uint32_t i = 0; i < sizeof names / sizeof *names; i++)
        write_at(root, names[i], i + 1);
    (void)snprintf(path, sizeof path, "%s/a/up", root);
    assert_int_equal(symlink(root, path), 0); /* a folder: not followed */

    const char *paths[] = {root};
    struct capture *c = open_paths(paths, 1, 2);
    struct frame frame;
    size_t n = 0;
    while (c->ops->burst(c, &frame, 1) == 1) {
        assert_true(n < sizeof order / sizeof *order);
        assert_int_equal(frame.ts_ns, order[n++] * INT64_C(1000000000));
    }
    assert_int_equal(n, sizeof order / sizeof *order);
    assert_int_equal(c->ops->damaged(c)->count, 0);
    c->ops->close(c);
    remove_tree(root);
}

static void test_what_is_wrong_stands_at_its_place(void **state)
{
    (void)state;
    char root[] = "/tmp/yamiscope-test-XXXXXX", empty[128], good[128];
    assert_non_null(mkdtemp(root));
    (void)snprintf(empty, sizeof empty, "%s/empty", root);
    (void)snprintf(good, sizeof good, "%s/good", root);
    assert_int_equal(mkdir(empty, 0700), 0);
    write_at(root, "good", 1);
    const char *paths[] = {"/nonexistent/a", good, empty, good};
    struct capture *c = open_paths(paths, 4, 3);
    struct seen seen = read_capture(c, FRAME_BURST);
    assert_int_equal(seen.packets, 2);
    const struct damage_list *damaged = c->ops->damaged(c);
    assert_int_equal(damaged->count, 2);
    assert_string_equal(damaged->at[0].file, "/nonexistent/a");
    assert_string_equal(damaged->at[0].what, strerror(ENOENT));
    assert_string_equal(damaged->at[1].file, empty);
    assert_string_equal(damaged->at[1].what, "holds no files: there is no capture in it");
    assert_int_equal(damaged->at[0].kind, DAMAGE_UNREAD);
    assert_int_equal(damaged->at[0].input, 0);
    assert_int_equal(damaged->at[1].input, 2);
    c->ops->close(c);

    struct fault fault = {0};
    struct capture_file_settings settings = {paths, 1, 0, NULL};
    assert_int_equal(capture_file_open(&c, &settings, &fault), -ENOENT);
    assert_null(c);
    assert_non_null(strstr(fault.text, "/nonexistent/a: "));
    settings.path_count = 0;
    assert_int_equal(capture_file_open(&c, &settings, &fault), -EINVAL);
    const char *twice[] = {"-", good, "-"};
    settings = (struct capture_file_settings){twice, 3, 0, NULL};
    assert_int_equal(capture_file_open(&c, &settings, &fault), -EINVAL);
    assert_string_equal(fault.text, "-: stdin can be read only once");
    settings = (struct capture_file_settings){paths + 2, 1, 0, NULL};
    assert_int_equal(capture_file_open(&c, &settings, &fault), -ENODATA);
    assert_null(c);
    assert_non_null(strstr(fault.text, "/empty: holds no files: there is no capture in it"));
    remove_tree(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_kind_of_file),
        cmocka_unit_test(test_every_kind_compressed),
        cmocka_unit_test(test_numbers_of_frames),
        cmocka_unit_test(test_joined_captures),
        cmocka_unit_test(test_damage_inside_compressed_data),
        cmocka_unit_test(test_link_types_without_a_filter),
        cmocka_unit_test(test_inputs_in_order_whatever_is_ahead),
        cmocka_unit_test(test_folders_are_read_sorted),
        cmocka_unit_test(test_what_is_wrong_stands_at_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
