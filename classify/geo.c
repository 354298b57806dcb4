#include "classify/geo.h"

#include "classify/mmdb_check.h"
#include "classify/utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <maxminddb.h>
#include <netinet/in.h>
#include <sha2.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct geo {
    MMDB_s db;
    bool is_open;
    bool is_below_traits; /* where the AS stands */
    struct geo_identity identity;
};

static int fail(struct fault *fault, const char *name)
{
    return fault_set(fault, errno, "%s: %s", name, strerror(errno));
}

/* ---- open ---- */

static int check_type(struct geo *g, enum geo_kind kind, const char *name, struct fault *fault)
{
    static const struct {
        const char *what, *wanted;
        const char *words[3];
    } kinds[] = {
        [GEO_COUNTRY] = {"country",
                         "Country, City or Enterprise",
                         {"Country", "City", "Enterprise"}},
        [GEO_AS] = {"AS", "ASN, ISP or Enterprise", {"ASN", "ISP", "Enterprise"}},
    };
    const char *type = g->db.metadata.database_type;
    if (!type || !utf8_is_showable(type, strlen(type)) || strlen(type) >= sizeof g->identity.type)
        return fault_set(fault, EINVAL, "%s: the metadata names no type of database", name);
    for (size_t i = 0; i < 3; i++)
        if (strstr(type, kinds[kind].words[i])) {
            g->is_below_traits = kind == GEO_AS && !strstr(type, "ASN") && !strstr(type, "ISP");
            strcpy(g->identity.type, type);
            return 0;
        }
    return fault_set(fault, EINVAL, "%s: a database of type %s holds no %s; one of %s is wanted",
                     name, type, kinds[kind].what, kinds[kind].wanted);
}

/* `fd` holds bytes that nobody else can change. libmaxminddb opens files by name alone. */
static int open_db(struct geo *g, int fd, const struct mmdb_layout *layout, const char *name,
                   struct fault *fault)
{
    char path[40];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int status = MMDB_open(path, MMDB_MODE_MMAP, &g->db);
    if (status != MMDB_SUCCESS)
        return fault_set(fault, EINVAL, "%s: %s", name, MMDB_strerror(status));
    g->is_open = true;
    const MMDB_metadata_s *m = &g->db.metadata;
    if (m->node_count != layout->node_count || m->record_size != layout->record_bits ||
        m->ip_version != layout->ip_version)
        return fault_set(fault, EINVAL, "%s: the metadata says a size twice", name);
    g->identity.build_epoch_s = m->build_epoch;
    return 0;
}

static int open_checked(struct geo *g, enum geo_kind kind, int fd, size_t len, const char *name,
                        struct fault *fault)
{
    struct mmdb_layout layout;
    const uint8_t *bytes = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, 0);
    if (bytes == MAP_FAILED)
        return fail(fault, name);
    int err = mmdb_check(&layout, name, bytes, len, fault);
    if (err == 0)
        SHA256Data(bytes, len, g->identity.sha256);
    munmap((void *)bytes, len);
    if (err == 0)
        err = open_db(g, fd, &layout, name, fault);
    return err ? err : check_type(g, kind, name, fault);
}

/* Takes the bytes of `fd`, a memory file, and seals them. */
static int open_sealed(struct geo **out, enum geo_kind kind, int fd, size_t len, const char *name,
                       struct fault *fault)
{
    struct geo *g = calloc(1, sizeof *g);
    *out = NULL;
    if (!g)
        return fail(fault, name);
    int err = 0;
    if (fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
        err = fail(fault, name);
    if (err == 0)
        err = open_checked(g, kind, fd, len, name, fault);
    if (err)
        geo_close(g);
    else
        *out = g;
    return err;
}

static int write_all(int fd, const uint8_t *bytes, size_t len)
{
    for (size_t done = 0; done < len;) {
        ssize_t n = write(fd, bytes + done, len - done);
        if (n < 0 && errno != EINTR)
            return -errno;
        done += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

int geo_open_from(struct geo **out, enum geo_kind kind, const char *name, const void *bytes,
                  size_t len, struct fault *fault)
{
    *out = NULL;
    if (len == 0)
        return fault_set(fault, EINVAL, "%s: the file is empty", name);
    int fd = memfd_create("mmdb", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return fail(fault, name);
    int err = write_all(fd, bytes, len) != 0 ? fail(fault, name)
                                             : open_sealed(out, kind, fd, len, name, fault);
    close(fd);
    return err;
}

/* Copies a file, as long as it is now, into the memory file. */
static int copy_file(int from, int to, size_t *len, const char *name, struct fault *fault)
{
    static const size_t piece = 1 << 20;
    uint8_t *buffer = malloc(piece);
    ssize_t n;
    *len = 0;
    if (!buffer)
        return fail(fault, name);
    int err = 0;
    while (err == 0 && (n = read(from, buffer, piece)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n > 0)
            *len += (size_t)n;
        if (n > 0 && *len > GEO_FILE_MAX)
            err = fault_set(fault, EFBIG, "%s: more than %d bytes", name, GEO_FILE_MAX);
        else if (n < 0 || write_all(to, buffer, (size_t)n) != 0)
            err = fail(fault, name);
    }
    free(buffer);
    if (err == 0 && *len == 0)
        err = fault_set(fault, EINVAL, "%s: the file is empty", name);
    return err;
}

int geo_open(struct geo **out, enum geo_kind kind, const char *path, struct fault *fault)
{
    struct stat st;
    size_t len;
    *out = NULL;
    int from = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (from < 0)
        return fail(fault, path);
    int to = -1, err = 0;
    if (fstat(from, &st) != 0)
        err = fail(fault, path);
    else if (!S_ISREG(st.st_mode))
        err = fault_set(fault, EINVAL, "%s: no plain file", path);
    else if ((to = memfd_create("mmdb", MFD_CLOEXEC | MFD_ALLOW_SEALING)) < 0)
        err = fail(fault, path);
    if (err == 0)
        err = copy_file(from, to, &len, path, fault);
    if (err == 0)
        err = open_sealed(out, kind, to, len, path, fault);
    if (to >= 0)
        close(to);
    close(from);
    return err;
}

void geo_close(struct geo *g)
{
    if (!g)
        return;
    if (g->is_open)
        MMDB_close(&g->db);
    free(g);
}

const struct geo_identity *geo_identity(const struct geo *g) { return &g->identity; }

/* ---- find ---- */

static bool find_entry(const struct geo *g, const uint8_t address[16], unsigned ip_version,
                       MMDB_entry_s *entry)
{
    struct sockaddr_in6 to6 = {.sin6_family = AF_INET6};
    struct sockaddr_in to4 = {.sin_family = AF_INET};
    bool is_ip6 = ip_version == 6;
    int error;
    if (is_ip6)
        memcpy(&to6.sin6_addr, address, 16);
    else
        memcpy(&to4.sin_addr, address, 4);
    MMDB_lookup_result_s found = MMDB_lookup_sockaddr(
        &g->db, is_ip6 ? (struct sockaddr *)&to6 : (struct sockaddr *)&to4, &error);
    *entry = found.entry;
    return error == MMDB_SUCCESS && found.found_entry;
}

static bool find_value(MMDB_entry_s *entry, const char *const *path, uint32_t type,
                       MMDB_entry_data_s *value)
{
    return MMDB_aget_value(entry, value, path) == MMDB_SUCCESS && value->has_data &&
           value->type == type;
}

static bool is_code(const MMDB_entry_data_s *v)
{
    return v->data_size == 2 && v->utf8_string[0] >= 'A' && v->utf8_string[0] <= 'Z' &&
           v->utf8_string[1] >= 'A' && v->utf8_string[1] <= 'Z';
}

void geo_find_country(const struct geo *g, const uint8_t address[16], unsigned ip_version,
                      char country[3])
{
    static const char *const paths[][3] = {{"country", "iso_code", NULL},
                                           {"registered_country", "iso_code", NULL}};
    MMDB_entry_s entry;
    MMDB_entry_data_s value;
    memset(country, 0, 3);
    if (!find_entry(g, address, ip_version, &entry))
        return;
    for (size_t i = 0; i < 2; i++)
        if (find_value(&entry, paths[i], MMDB_DATA_TYPE_UTF8_STRING, &value) && is_code(&value)) {
            memcpy(country, value.utf8_string, 2);
            return;
        }
}

void geo_find_as(const struct geo *g, const uint8_t address[16], unsigned ip_version,
                 struct geo_as *as)
{
    static const char *const number[] = {"traits", "autonomous_system_number", NULL};
    static const char *const name[] = {"traits", "autonomous_system_organization", NULL};
    size_t skip = !g->is_below_traits;
    MMDB_entry_s entry;
    MMDB_entry_data_s value;
    as->number = 0;
    as->name[0] = '\0';
    if (!find_entry(g, address, ip_version, &entry) ||
        !find_value(&entry, number + skip, MMDB_DATA_TYPE_UINT32, &value))
        return;
    as->number = value.uint32;
    if (find_value(&entry, name + skip, MMDB_DATA_TYPE_UTF8_STRING, &value))
        utf8_clean(as->name, sizeof as->name, value.utf8_string, value.data_size);
}
