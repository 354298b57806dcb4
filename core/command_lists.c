#include "classify/scanner_import.h"
#include "core/command.h"
#include "core/setup.h"
#include "export/json_string.h"
#include "export/text.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What is not there is wrong usage, as of all commands. */
static enum exit_code code_of(int err)
{
    return err == -ENOENT || err == -ENOTDIR ? EXIT_USAGE : EXIT_FAILED;
}

/* ---- import ---- */

enum { SAID_MAX = 20 }; /* lines; the rest is counted */

struct import {
    struct scanner_list *list;
    struct scanner_import settings;
    size_t said, files;
    struct fault *fault;
};

static void say_line(void *context, const char *line)
{
    struct import *i = context;
    if (i->said++ < SAID_MAX) {
        fputs("yamiscope: ", stderr);
        command_print_visible(stderr, line);
        putc('\n', stderr);
    }
}

static int import_file(struct import *i, const char *path)
{
    i->files++;
    return scanner_import_file(i->list, path, &i->settings, i->fault);
}

static bool has_ending(const char *name, const char *ending)
{
    size_t len = strlen(name), tail = strlen(ending);
    return len > tail && strcmp(name + len - tail, ending) == 0;
}

/* Files of a folder that may be lists, sorted by name; the others are said. */
static int import_folder(struct import *i, const char *dir)
{
    struct dirent **names = NULL;
    struct stat st;
    char path[4096];
    int err = 0, count = scandir(dir, &names, NULL, alphasort);
    if (count < 0)
        return fault_set(i->fault, errno, "%s: %s", dir, strerror(errno));
    for (int k = 0; k < count; k++) {
        const char *name = names[k]->d_name;
        (void)snprintf(path, sizeof path, "%s/%s", dir, name);
        if (err == 0 && name[0] != '.') {
            if (has_ending(name, ".txt") || has_ending(name, ".json"))
                err = import_file(i, path);
            else if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
                fprintf(stderr, "yamiscope: %s: a folder: left out, name it to read it\n", path);
            else
                fprintf(stderr, "yamiscope: %s: neither *.txt nor *.json: left out\n", path);
        }
        free(names[k]);
    }
    free(names);
    return err;
}

/* The list's name: that of the file it goes to, without folder and ending. */
static void list_name(const char *out, char name[64])
{
    const char *base = strrchr(out, '/');
    base = base ? base + 1 : out;
    const char *end = strrchr(base, '.');
    int len = end && end != base ? (int)(end - base) : (int)strlen(base);
    (void)snprintf(name, 64, "%.*s", len, strcmp(out, "-") == 0 ? "scanners" : base);
}

/* Of the list: as asked for, else the latest of its organisations. */
static void date_list(struct scanner_list *list, const char *date)
{
    for (size_t i = 0; i < list->organisation_count; i++)
        if (strcmp(list->organisations[i].date, list->date) > 0)
            (void)snprintf(list->date, sizeof list->date, "%s", list->organisations[i].date);
    if (date)
        (void)snprintf(list->date, sizeof list->date, "%s", date);
}

/* Written beside it and renamed, so that no half of a list is ever there. */
static int write_file(const struct scanner_list *list, const char *path, struct fault *fault)
{
    char part[4096];
    if (snprintf(part, sizeof part, "%s.part", path) >= (int)sizeof part)
        return fault_set(fault, ENAMETOOLONG, "%s: %s", path, strerror(ENAMETOOLONG));
    FILE *out = fopen(part, "we");
    if (!out)
        return fault_set(fault, errno, "%s: %s", part, strerror(errno));
    scanner_list_write(out, list);
    bool is_bad = fflush(out) != 0 || ferror(out) || fsync(fileno(out)) != 0;
    int err = is_bad ? errno : 0;
    if (fclose(out) != 0 && err == 0)
        err = errno;
    if (err == 0 && rename(part, path) != 0)
        err = errno;
    if (err == 0)
        return 0;
    (void)unlink(part);
    return fault_set(fault, err, "%s: %s", path, strerror(err));
}

static int write_list(struct import *i, const struct config *c)
{
    scanner_list_sort(i->list);
    date_list(i->list, c->date);
    if (strcmp(c->out, "-") == 0)
        scanner_list_write(stdout, i->list);
    else if (write_file(i->list, c->out, i->fault) < 0)
        return command_fail(i->fault, EXIT_FAILED);
    if (i->said > SAID_MAX)
        fprintf(stderr, "yamiscope: and %zu more such entries\n", i->said - SAID_MAX);
    char a[TEXT_COUNTED], b[TEXT_COUNTED], d[TEXT_COUNTED];
    fprintf(stderr, "yamiscope: %s with %s from %s%s\n",
            text_counted(i->list->organisation_count, "organisation", "organisations", a),
            text_counted(i->list->prefix_count, "prefix", "prefixes", b),
            text_counted(i->files, "file", "files", d),
            i->settings.skipped ? ", some entries left out" : "");
    return command_flush(i->settings.skipped ? EXIT_DAMAGED : EXIT_DONE);
}

static int check_options(const struct config *c, struct fault *fault)
{
    if (c->path_count < 2 || !c->out)
        return fault_set(fault, EINVAL, "lists import: say FILE|DIR... and -o OUT.yaml");
    if (c->name && !scanner_is_name(c->name, strlen(c->name)))
        return fault_set(fault, EINVAL, "%s: not a name of 1 to %d bytes that can be shown",
                         config_subject(c, "name"), SCANNER_NAME_MAX);
    if (c->homepage && !scanner_is_homepage(c->homepage))
        return fault_set(fault, EINVAL, "%s: '%.80s' begins with neither http:// nor https://",
                         config_subject(c, "homepage"), c->homepage);
    if (c->date && !scanner_is_date(c->date))
        return fault_set(fault, EINVAL, "%s: '%.40s' is no day, YYYY-MM-DD",
                         config_subject(c, "date"), c->date);
    return 0;
}

static int lists_import(const struct config *c)
{
    struct fault fault;
    char name[64];
    struct import i = {.settings = {.name = c->name,
                                    .homepage = c->homepage,
                                    .date = c->date,
                                    .skips_damage = c->skip_damaged,
                                    .say = say_line,
                                    .context = &i},
                       .fault = &fault};
    int err = check_options(c, &fault);
    if (err == 0) {
        list_name(c->out, name);
        err = scanner_list_create(&i.list, name, &fault);
    }
    if (err)
        return command_fail(&fault, EXIT_USAGE);
    for (size_t k = 1; k < c->path_count && err == 0; k++) {
        struct stat st;
        bool is_folder = stat(c->paths[k], &st) == 0 && S_ISDIR(st.st_mode);
        err = (is_folder ? import_folder : import_file)(&i, c->paths[k]);
    }
    if (err == 0 && i.files == 0)
        err = fault_set(&fault, EINVAL, "%s: no list (*.txt, *.json) in it", c->paths[1]);
    int code = err ? command_fail(&fault, code_of(err)) : write_list(&i, c);
    scanner_list_destroy(i.list);
    return code;
}

/* ---- show ---- */

static const char *decimal(unsigned __int128 n, char to[48])
{
    char *at = to + 47;
    *at = '\0';
    do
        *--at = (char)('0' + (int)(n % 10));
    while ((n /= 10) > 0);
    return at;
}

static const struct {
    const char *json;
    unsigned ip_version;
} versions[] = {{"ipv4", 4}, {"ipv6", 6}};

static size_t prefixes_of(const struct scanner_organisation *o, unsigned ip_version)
{
    size_t count = 0;
    for (size_t i = 0; i < o->prefix_count; i++)
        count += o->prefixes[i].ip_version == ip_version;
    return count;
}

/* How many addresses an organisation's prefixes have. All of IPv6 are one more than the number holds, which is then 0. */
static const char *size_text(const struct scanner_organisation *o, unsigned ip_version, char to[48])
{
    unsigned __int128 size = scanner_organisation_size(o, ip_version);
    if (size == 0 && prefixes_of(o, ip_version) > 0)
        return "340282366920938463463374607431768211456";
    return decimal(size, to);
}

static void show_list_json(const struct scanner_list *list)
{
    char number[48];
    printf("{\"list\":\"%s\",\"date\":\"%s\",\"sha256\":\"%s\",\"organisations\":[", list->name,
           list->date, list->sha256);
    for (size_t i = 0; i < list->organisation_count; i++) {
        const struct scanner_organisation *o = &list->organisations[i];
        printf("%s{\"name\":", i ? "," : "");
        json_string(stdout, o->name);
        printf(",\"homepage\":");
        json_string(stdout, o->homepage);
        printf(",\"date\":\"%s\"", o->date);
        for (size_t v = 0; v < 2; v++)
            printf(",\"%s_prefixes\":%zu,\"%s_addresses\":\"%s\"", versions[v].json,
                   prefixes_of(o, versions[v].ip_version), versions[v].json,
                   size_text(o, versions[v].ip_version, number));
        putchar('}');
    }
    printf("]}");
}

static void show_list(const struct scanner_list *list)
{
    char number[48], a[TEXT_COUNTED], b[TEXT_COUNTED];
    printf("%s, %s: %s, %s; sha256 %s\n", list->name, list->date[0] ? list->date : "no date",
           text_counted(list->organisation_count, "organisation", "organisations", a),
           text_counted(list->prefix_count, "prefix", "prefixes", b), list->sha256);
    for (size_t i = 0; i < list->organisation_count; i++) {
        const struct scanner_organisation *o = &list->organisations[i];
        printf("  %s: %zu IPv4 prefixes with %s addresses", o->name, prefixes_of(o, 4),
               size_text(o, 4, number));
        if (prefixes_of(o, 6))
            printf(", %zu of IPv6", prefixes_of(o, 6));
        printf("%s%s%s%s\n", o->date[0] ? ", " : "", o->date, o->homepage[0] ? ", " : "",
               o->homepage);
    }
}

/* Who an address is, as replay would take it. */
static void show_address(const struct origins *origins, const char *word, bool is_json)
{
    struct prefix address;
    struct origin origin;
    (void)prefix_parse(&address, word);
    origins_find_class(origins, address.address, address.ip_version, &origin);
    const char *name = origin.class == ORIGIN_acknowledged
                           ? origins_organisation(origins, origin.organisation)->name
                           : NULL;
    if (is_json) {
        printf("{\"address\":\"%s\",\"class\":\"%s\",\"organisation\":", word,
               origin_name(origin.class));
        name ? json_string(stdout, name) : (void)printf("null");
        printf(",\"bogon\":%s%s%s}", origin.bogon ? "\"" : "",
               origin.bogon ? origin.bogon->prefix : "null", origin.bogon ? "\"" : "");
        return;
    }
    printf("%s: %s", word, origin_name(origin.class));
    if (name)
        printf(", %s", name);
    if (origin.bogon)
        printf(", %s %s (%s)", origin.bogon->prefix, origin.bogon->name, origin.bogon->rfc);
    putchar('\n');
}

static bool is_address(const char *word)
{
    uint8_t bytes[16];
    return inet_pton(AF_INET, word, bytes) == 1 || inet_pton(AF_INET6, word, bytes) == 1;
}

struct show {
    const char **files, **addresses;
    size_t file_count, address_count;
    struct origins *origins;
};

/* A word that is none of both may be meant as either. */
static int words_check(const struct show *s, struct fault *fault)
{
    struct stat st;
    for (size_t i = 0; i < s->file_count; i++)
        if (stat(s->files[i], &st) != 0 && errno == ENOENT)
            return fault_set(fault, ENOENT, "%s: neither an address nor a file", s->files[i]);
    return 0;
}

static void show_all(const struct show *s, bool is_json)
{
    size_t count = origins_basis(s->origins)->list_count;
    printf("%s", is_json ? "{\"lists\":[" : "");
    for (size_t i = 0; i < count && (is_json || !s->address_count); i++) {
        printf("%s", is_json && i ? "," : "");
        (is_json ? show_list_json : show_list)(origins_list(s->origins, i));
    }
    printf("%s", is_json ? "],\"addresses\":[" : "");
    for (size_t i = 0; i < s->address_count; i++) {
        printf("%s", is_json && i ? "," : "");
        show_address(s->origins, s->addresses[i], is_json);
    }
    printf("%s", is_json ? "]}\n" : "");
}

static int lists_show(const struct config *c)
{
    struct fault fault;
    struct show s = {.files = calloc(c->path_count, sizeof *s.files),
                     .addresses = calloc(c->path_count, sizeof *s.addresses)};
    int code;
    if (!s.files || !s.addresses) {
        fault_set(&fault, ENOMEM, "lists: %s", strerror(ENOMEM));
        code = command_fail(&fault, EXIT_FAILED);
        goto done;
    }
    for (size_t i = 1; i < c->path_count; i++)
        if (is_address(c->paths[i]))
            s.addresses[s.address_count++] = c->paths[i];
        else
            s.files[s.file_count++] = c->paths[i];
    if (s.file_count == 0) {
        fault_set(&fault, EINVAL, "lists show: say FILE|DIR... [ADDR...]");
        code = command_fail(&fault, EXIT_USAGE);
        goto done;
    }
    struct origin_settings settings = {.lists = s.files, .list_count = s.file_count};
    int err = words_check(&s, &fault);
    err = err < 0 ? err : origins_create(&s.origins, &settings, &fault);
    if (err < 0) {
        code = command_fail(&fault, code_of(err));
        goto done;
    }
    show_all(&s, c->is_json);
    code = command_flush(EXIT_DONE);
done:
    origins_destroy(s.origins);
    free(s.files);
    free(s.addresses);
    return code;
}

int command_lists(const struct config *c)
{
    struct fault fault;
    const char *what = c->path_count ? c->paths[0] : "";
    if (strcmp(what, "import") == 0)
        return lists_import(c);
    if (strcmp(what, "show") == 0)
        return lists_show(c);
    fault_set(&fault, EINVAL,
              "lists: say `lists import FILE|DIR... -o OUT.yaml` or `lists show FILE|DIR... "
              "[ADDR...]`");
    return command_fail(&fault, EXIT_USAGE);
}
