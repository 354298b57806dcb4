/* Any bytes as a list of ours, and as one to import: refused with a message, or a list that is written and
 * read back as the same. */
#include "classify/scanner_import.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* First inputs, where a corpus folder is given. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static const char *const seeds[] = {
        "list: x\ndate: 2026-01-01\norganisations:\n  - name: \"a\"\n    homepage: https://a.org\n"
        "    date: 2025-01-01\n    cidrs:\n      - 192.0.2.0/24\n      - \"2001:db8::/32\"\n",
        "# comment\n192.0.2.0/24\n2001:db8::/32 ; more\n10.0.0.1/8\n",
        "{\"name\": \"m\", \"type\": \"cidr\", \"version\": 20260811, \"list\": [\"192.0.2.1\", "
        "\"::/0\"]}",
    };
    const char *dir = (*argv)[*argc - 1];
    for (size_t i = 0; *argc > 1 && dir[0] != '-' && i < sizeof seeds / sizeof *seeds; i++) {
        char path[512];
        (void)snprintf(path, sizeof path, "%s/seed-%zu", dir, i);
        FILE *f = fopen(path, "w");
        if (f) {
            (void)fputs(seeds[i], f);
            (void)fclose(f);
        }
    }
    return 0;
}

static size_t write_text(const struct scanner_list *list, char **text)
{
    size_t len;
    FILE *out = open_memstream(text, &len);
    if (!out)
        abort();
    scanner_list_write(out, list);
    (void)fclose(out);
    return len;
}

static void check(struct scanner_list *list)
{
    struct scanner_list *again;
    struct fault fault;
    char *text, *same;
    scanner_list_sort(list);
    size_t len = write_text(list, &text);
    if (scanner_list_open_from(&again, "again", text, len, &fault) != 0)
        abort();
    scanner_list_sort(again);
    if (write_text(again, &same) != len || memcmp(text, same, len) != 0)
        abort();
    free(text);
    free(same);
    scanner_list_destroy(again);
}

static void must_say(int err, const struct fault *fault)
{
    if (err && fault->text[0] == '\0')
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct scanner_list *list;
    struct fault fault = {0};
    char *bytes = malloc(len + 1);
    if (!bytes)
        return 0;
    memcpy(bytes, data, len);
    bytes[len] = '\0';
    int err = scanner_list_open_from(&list, "x", bytes, len, &fault);
    must_say(err, &fault);
    if (err == 0)
        check(list);
    scanner_list_destroy(list);
    for (int skips = 0; skips < 2; skips++) {
        struct scanner_import settings = {.skips_damage = skips};
        fault = (struct fault){0};
        if (scanner_list_create(&list, "x", &fault) != 0)
            abort();
        err = scanner_import_from(list, "x.txt", bytes, len, &settings, &fault);
        must_say(err, &fault);
        if (err == 0 && settings.skipped == 0)
            check(list);
        scanner_list_destroy(list);
    }
    free(bytes);
    return 0;
}
