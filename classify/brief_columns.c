#include "classify/brief_columns.h"

#ifdef __AVX2__
#include <immintrin.h>
#endif

enum { LINK_ETHERNET = 1 };

/* A number of each of eight frames; the answer to a question is all bits or none. */
typedef uint32_t lanes __attribute__((vector_size(4 * COLUMN_SOME)));
typedef int32_t signs __attribute__((vector_size(4 * COLUMN_SOME)));
typedef uint16_t halves __attribute__((vector_size(4 * COLUMN_SOME)));

/* Bytes 12 to 15 as they lie in memory, 16 to 19, and so on. */
struct words {
    lanes begin, length_id, kept, src, dst, ports, seq, state, caplen, wire_len;
};

#define ALL(n)                 \
    {                          \
        n, n, n, n, n, n, n, n \
    }
/* A number of 16 bits in the upper half of a word, as it lies in memory. */
#define UPPER(n) ALL((uint32_t)((n)&0xff) << 24 | (uint32_t)((n)&0xff00) << 8)

/* All numbers that are asked for, as they are used: made of instructions they would be a third of these. */
static const struct numbers {
    lanes none, upper, lower, ip, transport, no_tos, tos, begin, no_df_ttl, df, ttl, last_ttl;
    lanes tcp, udp, icmp, long_len, header, shortest, nmap_header, flags, reset, syn, accept;
    lanes zmap_id, nmap_window, zmap4_window, hajime_window, unicornscan_window;
    lanes published_port, zmap4_first, zmap4_last, hajime[5];
    lanes set_syn, set_reset, set_accept, is_mirai, is_zmap, is_masscan, is_hajime;
    lanes aim_bit, no_aim;
} numbers = {
    .upper = ALL(0xffff0000),
    .lower = ALL(0xffff),
    .ip = ALL(BRIEF_IP),
    .transport = ALL(BRIEF_TRANSPORT),
    .no_tos = ALL(0xffffff),
    .tos = ALL(0xff000000),
    .begin = ALL(0x450008),
    .no_df_ttl = ALL(0xff00ffbf),
    .df = ALL(0x40),
    .ttl = ALL(0xff0000),
    .last_ttl = ALL(FINGERPRINT_PUBLISHED_TTL << 16),
    .tcp = ALL((uint32_t)IPPROTO_NR_TCP << 24),
    .udp = ALL((uint32_t)IPPROTO_NR_UDP << 24),
    .icmp = ALL((uint32_t)IPPROTO_NR_ICMP << 24),
    .long_len = ALL((1 << BRIEF_LEN_BITS) - 1),
    .header = ALL(0x3c),
    .shortest = ALL(20),
    .nmap_header = ALL(24),
    .flags = ALL((TCP_FIN | TCP_SYN | TCP_RST | TCP_ACK) << 8),
    .reset = ALL(TCP_RST << 8),
    .syn = ALL(TCP_SYN << 8),
    .accept = ALL((TCP_SYN | TCP_ACK) << 8),
    .zmap_id = UPPER(FINGERPRINT_ZMAP_ID),
    .nmap_window = UPPER(FINGERPRINT_NMAP_WINDOW),
    .zmap4_window = UPPER(FINGERPRINT_ZMAP4_WINDOW),
    .hajime_window = UPPER(FINGERPRINT_HAJIME_WINDOW),
    .unicornscan_window = UPPER(FINGERPRINT_UNICORNSCAN_WINDOW),
    .published_port = ALL(FINGERPRINT_PUBLISHED_PORT),
    .zmap4_first = ALL(FINGERPRINT_ZMAP4_FIRST_PORT),
    .zmap4_last = ALL(FINGERPRINT_ZMAP4_LAST_PORT),
    .hajime = {UPPER(23), UPPER(5358), UPPER(5555), UPPER(7547), UPPER(9000)},
    .set_syn = ALL(BRIEF_SYN << COLUMN_SET),
    .set_reset = ALL((BRIEF_ANSWER | ANSWER_RESETS << BRIEF_AIM_SHIFT) << COLUMN_SET),
    .set_accept = ALL((BRIEF_ANSWER | ANSWER_ACCEPTS << BRIEF_AIM_SHIFT) << COLUMN_SET),
    .is_mirai = ALL(1 << (COLUMN_SET + BRIEF_TOOL_SHIFT + TOOL_mirai)),
    .is_zmap = ALL(1 << (COLUMN_SET + BRIEF_TOOL_SHIFT + TOOL_zmap)),
    .is_masscan = ALL(1 << (COLUMN_SET + BRIEF_TOOL_SHIFT + TOOL_masscan)),
    .is_hajime = ALL(1 << (COLUMN_SET + BRIEF_TOOL_SHIFT + TOOL_hajime)),
    .aim_bit = ALL(6 << 16),
    .no_aim = ALL(8 << 16),
};

static inline lanes same(lanes a, lanes b) { return (lanes)(a == b); }
static inline lanes above(lanes a, lanes b)
{
    return (lanes)((signs)a > (signs)b);
} /* below 2^31 */

/* The bytes of both halves of each number exchanged: network order to ours. */
static inline lanes halves_swapped(lanes a)
{
    halves h = (halves)a;
    return (lanes)(h << 8 | h >> 8);
}

/* The set of frames that a question is answered with yes for. */
static inline uint64_t set_of(lanes answer)
{
#ifdef __AVX2__
    return (uint32_t)_mm256_movemask_ps((__m256)answer);
#else
    uint64_t set = 0;
    for (unsigned k = 0; k < COLUMN_SOME; k++)
        set |= (uint64_t)(answer[k] & 1) << k;
    return set;
#endif
}

/* Four words from an offset on, each of eight frames. */
static inline void words_read(lanes word[4], const uint8_t *const at[COLUMN_SOME], size_t offset)
{
#ifdef __AVX2__
    __m256i row[4];
    for (unsigned k = 0; k < 4; k++)
        row[k] = _mm256_inserti128_si256(
            _mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)(at[k] + offset))),
            _mm_loadu_si128((const __m128i *)(at[k + 4] + offset)), 1);
    __m256i low[2] = {_mm256_unpacklo_epi32(row[0], row[1]), _mm256_unpacklo_epi32(row[2], row[3])};
    __m256i high[2] = {_mm256_unpackhi_epi32(row[0], row[1]),
                       _mm256_unpackhi_epi32(row[2], row[3])};
    word[0] = (lanes)_mm256_unpacklo_epi64(low[0], low[1]);
    word[1] = (lanes)_mm256_unpackhi_epi64(low[0], low[1]);
    word[2] = (lanes)_mm256_unpacklo_epi64(high[0], high[1]);
    word[3] = (lanes)_mm256_unpackhi_epi64(high[0], high[1]);
#else
    for (unsigned k = 0; k < COLUMN_SOME; k++)
        for (unsigned i = 0; i < 4; i++)
            word[i][k] = raw32(at[k] + offset + 4 * i);
#endif
}

/* Of a frame of which less was caught: the bytes of UDP and ICMP, and zeros, which are no header of TCP; of any other
 * nothing but zeros. */
static __attribute__((noinline)) const uint8_t *column_rest(const struct frame *f,
                                                            uint8_t pad[BRIEF_TCP_END])
{
    bool is_there = f->link_type == LINK_ETHERNET && f->caplen >= BRIEF_UDP_END;
    memset(pad, 0, BRIEF_TCP_END);
    return is_there ? memcpy(pad, f->data, BRIEF_UDP_END) : pad;
}

/* The frame's bytes up to the end of TCP's fixed header. */
static inline const uint8_t *column_bytes(const struct frame *f, uint8_t pad[BRIEF_TCP_END])
{
    bool is_there = f->link_type == LINK_ETHERNET && f->caplen >= BRIEF_TCP_END;
    return __builtin_expect(is_there, 1) ? f->data : column_rest(f, pad);
}

static inline void columns_read(struct words *w, const struct frame frames[COLUMN_SOME])
{
    static_assert(offsetof(struct frame, wire_len) == 12 && offsetof(struct frame, caplen) == 8,
                  "lengths are words 2 and 3");
    uint8_t pad[COLUMN_SOME][BRIEF_TCP_END];
    const uint8_t *frame[COLUMN_SOME], *bytes[COLUMN_SOME];
    lanes first[4], second[4], third[4], lengths[4];
    for (unsigned k = 0; k < COLUMN_SOME; k++) {
        frame[k] = (const uint8_t *)&frames[k];
        bytes[k] = column_bytes(&frames[k], pad[k]);
    }
    words_read(lengths, frame, 0);
    words_read(first, bytes, 12);
    words_read(second, bytes, 26);
    words_read(third, bytes, 38);
    *w = (struct words){.begin = first[0],
                        .length_id = first[1],
                        .kept = first[2],
                        .src = second[0],
                        .dst = second[1],
                        .ports = second[2],
                        .seq = second[3],
                        .state = third[2],
                        .caplen = lengths[2],
                        .wire_len = lengths[3]};
}

/* Sets of frames that may match a tool by their options. */
struct tool_sets {
    uint64_t zmap4, nmap;
};

/* What brief_read() asks of eight frames; `from`: the first one's place. */
static inline void columns_tell(struct brief_columns *c, const struct words *w, size_t from,
                                struct tool_sets *tools, const struct numbers *n)
{
    lanes total = halves_swapped(w->length_id) & n->lower, end = total + n->ip;
    lanes ports = halves_swapped(w->ports), port = ports >> 16, src_port = ports & n->lower;
    lanes header = w->state >> 2 & n->header, behind = header + n->transport;
    lanes flags = w->state & n->flags, window = w->state & n->upper;
    lanes df = w->kept & n->df, mixed = w->dst ^ w->seq;
    lanes kept = w->kept & n->no_df_ttl; /* 0: no fragment; protocol */

    lanes whole = same(w->begin & n->no_tos, n->begin) & ~above(end, w->wire_len) &
                  ~same(w->src, w->dst) & ~above(w->wire_len, n->long_len) &
                  ~above(w->caplen, w->wire_len);
    lanes is_syn = same(flags, n->syn), is_accept = same(flags, n->accept),
          is_no_reset = same(flags & n->reset, n->none);
    lanes holds = whole & same(kept, n->tcp) & ~above(n->shortest, header) & ~above(behind, end) &
                  ~same(src_port, n->none) & (is_syn | is_accept | ~is_no_reset) &
                  ~(is_syn & ~same(behind, end)); /* payload */
    lanes is_mirai = is_syn & same(mixed, n->none);
    lanes is_masscan =
        is_syn & ~is_mirai & same((mixed ^ w->ports ^ w->length_id) & n->upper, n->none);
    lanes is_zmap = same(w->length_id & n->upper, n->zmap_id);
    lanes is_late_ttl = above(w->kept & n->ttl, n->last_ttl), has_df = ~same(df, n->none);
    lanes is_published =
        same(header, n->shortest) & ~has_df & ~is_late_ttl & ~above(n->published_port, src_port);
    lanes is_rare = is_syn & (same(window, n->unicornscan_window) | (is_mirai & ~is_published));
    lanes is_zmap4 = is_syn & same(window, n->zmap4_window) & ~has_df & ~is_late_ttl & ~is_zmap &
                     same(w->begin & n->tos, n->none) & ~above(n->zmap4_first, src_port) &
                     ~above(src_port, n->zmap4_last);
    lanes port_be = w->ports & n->upper;
    lanes is_hajime_port = same(port_be, n->hajime[0]) | same(port_be, n->hajime[1]) |
                           same(port_be, n->hajime[2]) | same(port_be, n->hajime[3]) |
                           same(port_be, n->hajime[4]);
    lanes is_hajime = is_syn & ~is_mirai & is_hajime_port & same(window, n->hajime_window) &
                      above(header, n->shortest);
    lanes is_nmap = is_syn & same(header, n->nmap_header) & same(window, n->nmap_window);
    holds &= ~is_rare;

    lanes set = (is_syn & n->set_syn) | (~is_syn & ~is_no_reset & n->set_reset) |
                (is_accept & n->set_accept);
    lanes name = port | set | (is_mirai & n->is_mirai) | (is_zmap & n->is_zmap) |
                 (is_masscan & n->is_masscan) | (is_hajime & n->is_hajime);
    lanes aim = (port >> 2 & is_syn) | (port << 17 & is_syn & n->aim_bit) | (~is_syn & n->no_aim);
    lanes rest = w->wire_len << (BRIEF_TIME_BITS - 32) | ports << 16;
    memcpy(&c->src[from], &w->src, sizeof w->src);
    memcpy(&c->dst[from], &w->dst, sizeof w->dst);
    memcpy(&c->name[from], &name, sizeof name);
    memcpy(&c->aim[from], &aim, sizeof aim);
    memcpy(&c->rest[from], &rest, sizeof rest);
    c->tcp |= set_of(holds) << from;
    c->udp |= set_of(whole & same(kept, n->udp)) << from;
    c->icmp |= set_of(whole & same(kept, n->icmp)) << from;
    tools->zmap4 |= set_of(holds & is_zmap4) << from;
    tools->nmap |= set_of(holds & is_nmap) << from;
}

/* What the options of a SYN say. */
static inline uint32_t column_options(const struct frame *f, bool is_zmap4, bool is_nmap)
{
    uint32_t header = f->data[46] >> 4 << 2, tools = 0;
    bool is_caught = BRIEF_TRANSPORT + header <= f->caplen;
    if (is_zmap4 &&
        fingerprint_layout_differs(f->data + BRIEF_TRANSPORT, is_caught ? header : 20) == 0)
        tools |= 1 << TOOL_zmap4;
    if (is_nmap && f->caplen >= BRIEF_OPTIONS_END &&
        read_be32(f->data + BRIEF_TCP_END) == FINGERPRINT_MSS_1460)
        tools |= 1 << TOOL_nmap;
    return tools;
}

/* Eight frames; what lies behind the last one says nothing. */
static inline __attribute__((always_inline)) void columns_fill_some(struct brief_columns *c,
                                                                    const struct frame *frames,
                                                                    size_t from,
                                                                    struct tool_sets *tools,
                                                                    const struct numbers *n)
{
    struct words w;
    columns_read(&w, frames);
    columns_tell(c, &w, from, tools, n);
}

void columns_fill(struct brief_columns *c, const struct frame *frames, size_t count)
{
    struct tool_sets tools = {0};
    size_t whole = count / COLUMN_SOME * COLUMN_SOME;
    const struct numbers *n = &numbers;
    __asm__("" : "+r"(n)); /* or each number would be made by three instructions where it is used */
    c->tcp = c->udp = c->icmp = 0;
    for (size_t from = 0; from < whole; from += COLUMN_SOME)
        columns_fill_some(c, &frames[from], from, &tools, n);
    if (whole < count) {
        struct frame rest[COLUMN_SOME] = {0};
        memcpy(rest, &frames[whole], (count - whole) * sizeof *rest);
        columns_fill_some(c, rest, whole, &tools, n);
    }
    for (uint64_t left = tools.zmap4 | tools.nmap; left; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctzll(left);
        c->name[i] |= column_options(&frames[i], tools.zmap4 >> i & 1, tools.nmap >> i & 1)
                      << (COLUMN_SET + BRIEF_TOOL_SHIFT);
    }
}
