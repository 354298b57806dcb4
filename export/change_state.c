/* What a change_finder has learned, as bytes: magic and version, bin_ns, last_ns, whole_ns, pace, the sensor's two series, the
 * silent model, seen, count of ports, ports; CRC-32C of all that. Little endian; doubles by their bits. */
#include "export/change_finder_state.h"
#include "export/record.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define STATE_MAGIC "yamichf2"

enum {
    MODEL_DOUBLES = 2 * (CHANGE_ORDER + 1 + 1 + 1 + CHANGE_ORDER) + CHANGE_FIRST + CHANGE_SECOND,
    STATE_MODEL = 8 * MODEL_DOUBLES,
    STATE_SERIES = STATE_MODEL + 2,
    STATE_STEPS = CHANGE_STEPS * 3 * 8,
    STATE_PORT = STATE_SERIES + 4 + 2 + STATE_STEPS,
    STATE_FIXED = 8 + 6 * 8 + 2 * STATE_SERIES + STATE_MODEL + CHANGE_KEY_WORDS * 8 + 8,
    STATE_CRC = 4,
};
static_assert(sizeof(struct change_model) == STATE_MODEL, "nothing but doubles");
static_assert(sizeof(struct change_step) * CHANGE_STEPS == STATE_STEPS, "likewise");

/* No sum of squares of such numbers comes near the end of a double. */
static const double LARGEST = 1e60;

struct state_reader {
    const uint8_t *at;
    bool is_wrong;
};

static uint8_t *put(uint8_t *to, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        *to++ = (uint8_t)(value >> 8 * i);
    return to;
}

static uint64_t get(struct state_reader *r, unsigned bytes)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < bytes; i++)
        value |= (uint64_t)*r->at++ << 8 * i;
    return value;
}

static uint8_t *put_doubles(uint8_t *to, const void *from, unsigned count)
{
    uint64_t words[MODEL_DOUBLES];
    memcpy(words, from, count * sizeof *words);
    for (unsigned i = 0; i < count; i++)
        to = put(to, words[i], 8);
    return to;
}

static void get_doubles(struct state_reader *r, void *to, unsigned count)
{
    uint64_t words[MODEL_DOUBLES];
    for (unsigned i = 0; i < count; i++) {
        double value;
        words[i] = get(r, 8);
        memcpy(&value, &words[i], sizeof value);
        r->is_wrong |= !(fabs(value) < LARGEST);
    }
    memcpy(to, words, count * sizeof *words);
}

static uint8_t *put_model(uint8_t *to, const struct change_model *m)
{
    return put_doubles(to, m, MODEL_DOUBLES);
}

static void get_model(struct state_reader *r, struct change_model *m)
{
    get_doubles(r, m, MODEL_DOUBLES);
    for (unsigned i = 0; i < 2; i++)
        r->is_wrong |= m->stage[i].var < 0 || m->stage[i].cov[0] < 0;
}

static uint8_t *put_series(uint8_t *to, const struct change_series_state *s)
{
    to = put_model(to, &s->model);
    to = put(to, s->calm.is_alarmed, 1);
    return put(to, s->calm.below, 1);
}

static void get_series(struct state_reader *r, struct change_series_state *s)
{
    uint64_t alarmed, below;
    get_model(r, &s->model);
    alarmed = get(r, 1);
    below = get(r, 1);
    r->is_wrong |= alarmed > 1 || below >= CHANGE_QUIET || (below > 0 && !alarmed);
    s->calm = (struct change_calm){alarmed == 1, (uint8_t)below};
}

int change_finder_save(const struct change_finder *f, uint8_t **bytes, size_t *len)
{
    uint8_t *to;
    *len = STATE_FIXED + f->port_count * STATE_PORT + STATE_CRC;
    *bytes = to = malloc(*len);
    if (to == NULL)
        return -ENOMEM;
    memcpy(to, STATE_MAGIC, 8);
    to = put(to + 8, (uint64_t)f->settings.bin_ns, 8);
    to = put(to, (uint64_t)f->last_ns, 8);
    to = put(to, (uint64_t)f->whole_ns, 8);
    to = put(to, f->pace.learned[0], 8);
    to = put(to, f->pace.learned[1], 8);
    to = put(to, f->pace.filled, 8);
    to = put_series(to, &f->sensor[0]);
    to = put_series(to, &f->sensor[1]);
    to = put_model(to, &f->silent);
    for (unsigned i = 0; i < CHANGE_KEY_WORDS; i++)
        to = put(to, f->seen[i], 8);
    to = put(to, f->port_count, 8);
    for (size_t i = 0; i < f->port_count; i++) {
        to = put(to, f->ports[i].key, 4);
        to = put_series(to, &f->ports[i].series);
        to = put_doubles(to, f->ports[i].steps, STATE_STEPS / 8);
        to = put(to, f->ports[i].small, 2);
    }
    put(to, record_crc(0, *bytes, *len - STATE_CRC), STATE_CRC);
    return 0;
}

static bool time_holds(int64_t ns, int64_t bin_ns) { return ns == INT64_MIN || ns % bin_ns == 0; }

/* Everything but the ports, whose count is known to fit. */
static void get_fixed(struct state_reader *r, struct change_finder *f)
{
    const int64_t bin_ns = f->settings.bin_ns;
    f->last_ns = (int64_t)get(r, 8);
    f->whole_ns = (int64_t)get(r, 8);
    for (unsigned i = 0; i < 2; i++)
        f->pace.learned[i] = get(r, 8);
    f->pace.filled = get(r, 8);
    r->is_wrong |= !time_holds(f->last_ns, bin_ns) || !time_holds(f->whole_ns, bin_ns) ||
                   f->whole_ns > f->last_ns || f->pace.learned[0] > UINT64_C(1) << 48 ||
                   f->pace.learned[1] > f->pace.learned[0] || f->pace.filled > f->pace.learned[0] ||
                   (f->whole_ns == INT64_MIN) != (f->pace.learned[0] == 0);
    get_series(r, &f->sensor[0]);
    get_series(r, &f->sensor[1]);
    get_model(r, &f->silent);
    for (unsigned i = 0; i < CHANGE_KEY_WORDS; i++)
        f->seen[i] = get(r, 8);
}

static void get_ports(struct state_reader *r, struct change_finder *f, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct change_port_state *p = &f->ports[i];
        p->key = (uint32_t)get(r, 4);
        get_series(r, &p->series);
        get_doubles(r, p->steps, STATE_STEPS / 8);
        for (unsigned n = 0; n < CHANGE_STEPS; n++)
            r->is_wrong |= p->steps[n].sources < 0 || p->steps[n].deviation < 0;
        p->small = (uint16_t)get(r, 2);
        r->is_wrong |= p->key >= CHANGE_KEYS || p->small >= CHANGE_WEEK ||
                       (i > 0 && f->ports[i - 1].key >= p->key);
    }
    f->port_count = count;
}

/* Whether length, magic and checksum hold; *ports: so many follow. */
static bool bytes_hold(const uint8_t *bytes, size_t len, size_t *ports)
{
    struct state_reader count = {bytes + STATE_FIXED - 8}, crc = {bytes + len - STATE_CRC};
    *ports = (len - STATE_FIXED - STATE_CRC) / STATE_PORT;
    return memcmp(bytes, STATE_MAGIC, 8) == 0 && *ports <= CHANGE_KEYS &&
           (len - STATE_FIXED - STATE_CRC) % STATE_PORT == 0 && get(&count, 8) == *ports &&
           get(&crc, STATE_CRC) == record_crc(0, bytes, len - STATE_CRC);
}

int change_finder_load(struct change_finder *f, const uint8_t *bytes, size_t len,
                       struct fault *fault)
{
    struct state_reader r = {bytes + 8};
    struct change_finder *loaded;
    size_t ports;
    if (len >= 8 && memcmp(bytes, STATE_MAGIC, 7) == 0 && bytes[7] != STATE_MAGIC[7])
        return fault_set(fault, ESTALE, "state of new activity: of another version");
    if (len < STATE_FIXED + STATE_CRC || !bytes_hold(bytes, len, &ports))
        return fault_set(fault, EBADMSG, "state of new activity: damaged");
    if ((int64_t)get(&r, 8) != f->settings.bin_ns)
        return fault_set(fault, ESTALE, "state of new activity: its bins have another length");
    if (change_finder_create(&loaded, &f->settings) < 0)
        return fault_set(fault, ENOMEM, "state of new activity: no memory");
    if (change_finder_reserve(loaded, ports) < 0) {
        change_finder_destroy(loaded);
        return fault_set(fault, ENOMEM, "state of new activity: no memory");
    }
    get_fixed(&r, loaded);
    r.at += 8; /* the count of ports */
    get_ports(&r, loaded, ports);
    if (!r.is_wrong) {
        struct change_finder old = *f;
        *f = *loaded;
        *loaded = old;
    }
    change_finder_destroy(loaded);
    return r.is_wrong ? fault_set(fault, EBADMSG, "state of new activity: damaged") : 0;
}
