/* brief_columns: the same as brief_read() of IPv4 over TCP, for a burst of frames at once.
 *
 * The words of all frames stand in columns, so that the compiler makes vectors of what is asked of them: a dozen
 * instructions a packet in place of a hundred.
 */
#ifndef CLASSIFY_BRIEF_COLUMNS_H
#define CLASSIFY_BRIEF_COLUMNS_H

#include "classify/brief.h"

/* Some are told at a time: the rest of a small burst costs nothing, and what a NIC gives at 10 GbE are small ones. */
enum { COLUMN = FRAME_BURST, COLUMN_SOME = 16 };
static_assert(COLUMN % COLUMN_SOME == 0, "all are told in whole steps");

enum {
    COLUMN_BRIEF = 1 << 0, /* it has a brief */
    COLUMN_ZMAP4 = 1 << 1, /* zmap4, if its options are ZMap's */
    COLUMN_NMAP = 1 << 2,  /* nmap, if its options are */
    COLUMN_OTHER = 1 << 3, /* UDP or ICMP, and may have one */
};

enum { COLUMN_SET = 16 }; /* where a set begins in struct brief_columns.name */

struct brief_columns {
    _Alignas(64) uint32_t begin[COLUMN]; /* bytes 12 to 15, as they lie in memory, and so on */
    uint32_t length_id[COLUMN], kept[COLUMN], src[COLUMN], dst[COLUMN], ports[COLUMN], seq[COLUMN],
        state[COLUMN];
    uint32_t wire_len[COLUMN];
    /* The answer: of the above; port and set, without aim; length and source port, where they stand in the upper half of
     * struct brief.rest. */
    uint32_t tells[COLUMN], name[COLUMN], rest[COLUMN];
};

static inline void columns_read(struct brief_columns *c, const struct frame *frames, size_t count)
{
    static const uint8_t nothing[BRIEF_TCP_END];
    for (size_t i = 0; i < count; i++) {
        const struct frame *f = &frames[i];
        const uint8_t *b =
            f->link_type == 1 && f->caplen >= BRIEF_TCP_END && f->wire_len >= f->caplen ? f->data
                                                                                        : nothing;
        c->begin[i] = raw32(b + 12);
        c->length_id[i] = raw32(b + 16);
        c->kept[i] = raw32(b + 20);
        c->src[i] = raw32(b + 26);
        c->dst[i] = raw32(b + 30);
        c->ports[i] = raw32(b + 34);
        c->seq[i] = raw32(b + 38);
        c->state[i] = raw32(b + 46);
        c->wire_len[i] = f->wire_len;
    }
}

static inline uint32_t swapped(uint32_t x)
{
    return x >> 24 | (x >> 8 & 0xff00) | (x << 8 & 0xff0000) | x << 24;
}

/* From `from` on. */
static inline void columns_tell_some(struct brief_columns *c, size_t from)
{
    for (size_t i = from; i < from + COLUMN_SOME; i++) {
        uint32_t length_id = swapped(c->length_id[i]), ports = swapped(c->ports[i]),
                 state = swapped(c->state[i]);
        uint32_t end = BRIEF_IP + (length_id >> 16), header = state >> 28 << 2,
                 behind = BRIEF_TRANSPORT + header;
        uint32_t flags = state >> 16 & 0x17, window = state & 0xffff, port = ports & 0xffff,
                 src_port = ports >> 16;
        uint32_t ttl = c->kept[i] >> 16 & 0xff, df = c->kept[i] & 0x40, tos = c->begin[i] >> 24;
        uint32_t mixed = c->dst[i] ^ c->seq[i], id = length_id & 0xffff;
        uint32_t folded = swapped(mixed) ^ port ^ id; /* its low 16 bits */
        uint32_t is_syn = flags == TCP_SYN, is_reset = (flags & TCP_RST) != 0;
        uint32_t is_accept = flags == (TCP_SYN | TCP_ACK);
        uint32_t whole = ((c->begin[i] & 0xffffff) == 0x450008) & (end <= c->wire_len[i]) &
                         (c->src[i] != c->dst[i]) & (c->wire_len[i] >> BRIEF_LEN_BITS == 0);
        uint32_t kept = c->kept[i] & 0xff00ffbf; /* all but DF, TTL; 0: no fragment; protocol */
        uint32_t holds = whole & (kept == (uint32_t)IPPROTO_NR_TCP << 24) & (header >= 20) &
                         (behind <= end) & (src_port != 0) & (is_syn | is_reset | is_accept) &
                         ((is_syn ^ 1) | (behind == end));
        uint32_t is_other = whole & ((kept == (uint32_t)IPPROTO_NR_UDP << 24) |
                                     (kept == (uint32_t)IPPROTO_NR_ICMP << 24));
        uint32_t is_mirai = is_syn & (mixed == 0),
                 is_masscan = is_syn & ((folded & 0xffff) == 0) & (is_mirai ^ 1);
        uint32_t is_zmap = id == FINGERPRINT_ZMAP_ID;
        uint32_t is_late_ttl = ttl > FINGERPRINT_PUBLISHED_TTL;
        uint32_t published = (header == 20) & (df == 0) & (is_late_ttl ^ 1) &
                             (src_port >= FINGERPRINT_PUBLISHED_PORT);
        uint32_t is_rare =
            is_syn & ((window == FINGERPRINT_UNICORNSCAN_WINDOW) | (is_mirai & (published ^ 1)));
        uint32_t is_zmap4 = is_syn & (window == FINGERPRINT_ZMAP4_WINDOW) & (df == 0) & (tos == 0) &
                            (is_late_ttl ^ 1) & (src_port >= FINGERPRINT_ZMAP4_FIRST_PORT) &
                            (src_port <= FINGERPRINT_ZMAP4_LAST_PORT) & (is_zmap ^ 1);
        uint32_t is_hajime =
            is_syn & (window == FINGERPRINT_HAJIME_WINDOW) & (header > 20) & (is_mirai ^ 1) &
            ((port == 23) | (port == 5358) | (port == 5555) | (port == 7547) | (port == 9000));
        uint32_t is_nmap = is_syn & (header == 24) & (window == FINGERPRINT_NMAP_WINDOW);
        uint32_t what = is_syn ? BRIEF_SYN : BRIEF_ANSWER;
        uint32_t answer = is_syn     ? 0
                          : is_reset ? ANSWER_RESETS << BRIEF_AIM_SHIFT
                                     : ANSWER_ACCEPTS << BRIEF_AIM_SHIFT;
        uint32_t tools = is_mirai << TOOL_mirai | is_zmap << TOOL_zmap |
                         is_masscan << TOOL_masscan | is_hajime << TOOL_hajime;
        c->tells[i] = (holds & (is_rare ^ 1)) | is_zmap4 << 1 | is_nmap << 2 | is_other << 3;
        c->name[i] = port | (what | answer | tools << BRIEF_TOOL_SHIFT) << COLUMN_SET;
        c->rest[i] = c->wire_len[i] << (BRIEF_TIME_BITS - 32) | (ports & 0xffff0000);
    }
}

static inline void columns_tell(struct brief_columns *c, size_t count)
{
    for (size_t from = 0; from < count; from += COLUMN_SOME)
        columns_tell_some(c, from);
}

/* What the options of a SYN say; `tells`: of what. */
static inline uint32_t column_options(const struct frame *f, uint32_t tells)
{
    uint32_t header = f->data[46] >> 4 << 2, tools = 0;
    bool is_caught = BRIEF_TRANSPORT + header <= f->caplen;
    if (tells & COLUMN_ZMAP4 &&
        fingerprint_layout_differs(f->data + BRIEF_TRANSPORT, is_caught ? header : 20) == 0)
        tools |= 1 << TOOL_zmap4;
    if (tells & COLUMN_NMAP && f->caplen >= BRIEF_OPTIONS_END &&
        read_be32(f->data + BRIEF_TCP_END) == FINGERPRINT_MSS_1460)
        tools |= 1 << TOOL_nmap;
    return tools;
}

/* The brief of a frame whose column says COLUMN_BRIEF; false: its time has no room. */
static inline bool column_brief(const struct brief_columns *c, size_t i, const struct frame *f,
                                const struct ruleset *rules, int64_t base_ns, struct brief *brief)
{
    uint64_t since = (uint64_t)f->ts_ns - (uint64_t)base_ns;
    uint32_t name = c->name[i], tells = c->tells[i];
    if (since >> BRIEF_TIME_BITS != 0)
        return false;
    if (tells & (COLUMN_ZMAP4 | COLUMN_NMAP))
        name |= column_options(f, tells) << (COLUMN_SET + BRIEF_TOOL_SHIFT);
    uint32_t is_syn = name >> COLUMN_SET & BRIEF_ASKS ? 1 : 0;
    uint32_t aim = ruleset_port_aim(rules, PORT_PROTO_TCP, (uint16_t)name) & -is_syn;
    name |= aim << (COLUMN_SET + BRIEF_AIM_SHIFT);
    uint64_t whole = c->src[i] | (uint64_t)name << 32;
    memcpy(brief, &whole, sizeof whole);
    brief->rest = since | (uint64_t)c->rest[i] << 32;
    return true;
}

/* brief_read() of a frame whose column says COLUMN_OTHER. */
static inline enum brief_found column_other(const struct brief_columns *c, size_t i,
                                            const struct frame *f, uint32_t decap,
                                            const struct ruleset *rules, int64_t base_ns,
                                            struct brief *brief)
{
    uint32_t end = BRIEF_IP + (swapped(c->length_id[i]) >> 16);
    uint64_t rest;
    if (!brief_rest(f->ts_ns, base_ns, f->wire_len, &rest))
        return BRIEF_NONE;
    return brief_read_other(f, decap, rules, end, rest, brief);
}

#endif
