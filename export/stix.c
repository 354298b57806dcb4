#include "export/stix.h"

#include "export/json_string.h"
#include "export/rfc3339.h"

#include <inttypes.h>
#include <nettle/sha1.h>
#include <string.h>

/* The standard's for observables; ours is a random one (RFC 4122, version 4). */
static const uint8_t observables[16] = {0x00, 0xab, 0xed, 0xb4, 0xaa, 0x42, 0x46, 0x6c,
                                        0x9c, 0x01, 0xfe, 0xd2, 0x33, 0x15, 0xa9, 0xb7};
static const uint8_t ours[16] = {0x6f, 0x1c, 0x7e, 0x24, 0x93, 0x0b, 0x4d, 0x58,
                                 0xa1, 0x77, 0x2e, 0xc8, 0x05, 0xb4, 0x91, 0x3d};

const char *stix_id(char to[STIX_ID], const char *type, const char *name, bool is_observable)
{
    struct sha1_ctx sha;
    uint8_t u[SHA1_DIGEST_SIZE];
    sha1_init(&sha);
    sha1_update(&sha, 16, is_observable ? observables : ours);
    if (!is_observable) /* one name, several types */
        sha1_update(&sha, strlen(type) + 1, (const uint8_t *)type);
    sha1_update(&sha, strlen(name), (const uint8_t *)name);
    sha1_digest(&sha, sizeof u, u);
    u[6] = (u[6] & 0x0f) | 0x50;
    u[8] = (u[8] & 0x3f) | 0x80;
    snprintf(to, STIX_ID,
             "%.40s--%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", type,
             u[0], u[1], u[2], u[3], u[4], u[5], u[6], u[7], u[8], u[9], u[10], u[11], u[12], u[13],
             u[14], u[15]);
    return to;
}

void stix_open(struct stix *s, const char *type, const char *id, bool is_observable)
{
    fprintf(s->out, "%s\n{\"type\":\"%s\",\"spec_version\":\"2.1\",\"id\":\"%s\"",
            s->has_object ? "," : "", type, id);
    s->has_object = true;
    if (is_observable)
        return;
    if (strcmp(type, "identity") != 0)
        fprintf(s->out, ",\"created_by_ref\":\"%s\"", s->creator);
    fprintf(s->out, ",\"created\":\"%s\",\"modified\":\"%s\"", s->time, s->time);
}

void stix_close(struct stix *s) { fputc('}', s->out); }

void stix_text(struct stix *s, const char *key, const char *text)
{
    fprintf(s->out, ",\"%s\":", key);
    json_string(s->out, text);
}

void stix_time(struct stix *s, const char *key, int64_t ns)
{
    char text[RFC3339_TEXT];
    fprintf(s->out, ",\"%s\":\"%s\"", key, rfc3339_utc(ns, 3, text));
}

void stix_begin(struct stix *s, FILE *out, const char *sensor, const char *what, int64_t time_ns)
{
    char name[STIX_VALUE], id[STIX_ID];
    *s = (struct stix){.out = out};
    rfc3339_utc(time_ns, 3, s->time);
    snprintf(name, sizeof name, "%s %s", sensor, what);
    fprintf(out, "{\"type\":\"bundle\",\"id\":\"%s\",\"objects\":[",
            stix_id(id, "bundle", name, false));
    stix_id(s->creator, "identity", sensor, false);
    stix_open(s, "identity", s->creator, false);
    stix_text(s, "name", sensor);
    fputs(",\"identity_class\":\"system\"", out);
    stix_text(s, "description",
              "a darknet telescope: unused addresses to which nobody has a reason to send");
    stix_close(s);
}

void stix_end(struct stix *s) { fputs("\n]}\n", s->out); }

static const char *as_id(char id[STIX_ID], uint32_t asn)
{
    char name[64];
    snprintf(name, sizeof name, "{\"number\":%" PRIu32 "}", asn);
    return stix_id(id, "autonomous-system", name, true);
}

void stix_as(struct stix *s, uint32_t asn, const char *name)
{
    char id[STIX_ID];
    stix_open(s, "autonomous-system", as_id(id, asn), true);
    fprintf(s->out, ",\"number\":%" PRIu32, asn);
    if (name[0] != 0)
        stix_text(s, "name", name);
    stix_close(s);
}

void stix_address(struct stix *s, unsigned ip_version, const char *address, uint32_t asn,
                  char id[STIX_ID])
{
    const char *type = ip_version == 6 ? "ipv6-addr" : "ipv4-addr";
    char name[128], as[STIX_ID];
    snprintf(name, sizeof name, "{\"value\":\"%s\"}", address);
    stix_open(s, type, stix_id(id, type, name, true), true);
    stix_text(s, "value", address);
    if (asn != 0)
        fprintf(s->out, ",\"belongs_to_refs\":[\"%s\"]", as_id(as, asn));
    stix_close(s);
}

const char *stix_quote(char *to, size_t size, const char *text)
{
    size_t len = 0;
    for (; *text != 0 && len + 3 <= size; text++) {
        if (*text == '\'' || *text == '\\')
            to[len++] = '\\';
        to[len++] = *text;
    }
    while (*text != 0 && len > 0 && (text[0] & 0xc0) == 0x80) { /* within a character */
        text--;
        len--;
    }
    to[len] = 0;
    return to;
}
