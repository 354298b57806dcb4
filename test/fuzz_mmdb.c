/* Any bytes as a database: refused with a message, or every look-up ends inside it. */
#include "classify/geo.h"
#include "test/mmdb_bytes.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static void write_seed(const char *dir, const char *name, const struct mmdb_bytes *m)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    if (f) {
        (void)fwrite(m->file, 1, m->len, f);
        (void)fclose(f);
    }
}

/* First inputs, where a corpus folder is given. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static struct mmdb_bytes m;
    const char *dir = (*argv)[*argc - 1];
    if (*argc < 2 || dir[0] == '-')
        return 0;
    mmdb_insert(&m, (uint8_t[16]){1}, 4, mmdb_country(&m, "country", "JP"));
    mmdb_insert(&m, (uint8_t[16]){0x80}, 4, mmdb_as(&m, 64496, "Example"));
    mmdb_finish(&m, "City ASN", 4);
    write_seed(dir, "ipv4", &m);
    mmdb_finish(&m, "Country ISP", 6);
    write_seed(dir, "ipv6", &m);
    return 0;
}

static void look_up(const struct geo *g, enum geo_kind kind)
{
    uint8_t address[16] = {0};
    for (unsigned i = 0; i < 64; i++) {
        char country[3];
        struct geo_as as;
        unsigned ip_version = i & 1 ? 6 : 4;
        address[0] = (uint8_t)(i << 3), address[i / 4] ^= (uint8_t)(i * 37);
        if (kind == GEO_COUNTRY)
            geo_find_country(g, address, ip_version, country);
        else
            geo_find_as(g, address, ip_version, &as);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    for (enum geo_kind kind = GEO_COUNTRY; kind <= GEO_AS; kind++) {
        struct geo *g;
        struct fault fault = {0};
        if (geo_open_from(&g, kind, "x", data, len, &fault) != 0) {
            if (g || fault.text[0] == '\0')
                abort();
            continue;
        }
        look_up(g, kind);
        geo_close(g);
    }
    return 0;
}
