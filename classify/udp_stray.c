/* Peer-to-peer packets that went astray.
 *
 * These rows hold on any port, so each must be a form that no hostile packet to a device has by chance: what hides a
 * scan of port 37215 by two bytes would lower the share of IoT that this program is there to
 * measure. Hence fixed bytes of 8 and more, and for uTP exact lengths besides: a packet of 20
 * bytes of header, or of 30 with the extension that clients send, has no room for a command. uTP's data
 * packets (type 0, then anything) are not told.
 */
#include "classify/udp_form_tests.h"

/* The text length of a bencoded string in front of its colon, and the string, at *at. */
static bool bencode_string(const struct udp_payload *p, uint32_t *at, const uint8_t **text,
                           uint32_t *len)
{
    uint32_t i = *at, n = 0;
    for (; i < p->caught && i < *at + 4 && p->at[i] >= '0' && p->at[i] <= '9'; i++)
        n = n * 10 + (p->at[i] - '0');
    if (i == *at || form_8(p, i, 0) != ':' || i + 1 + n > p->caught)
        return false;
    *text = p->at + i + 1;
    *len = n;
    *at = i + 1 + n;
    return true;
}

/* KRPC: a dictionary whose keys are in order, so that a ("arguments"), r ("response") or e ("error") comes
 * first, but for ip. */
bool udp_stray_dht(const struct udp_payload *p)
{
    uint32_t at = 1, len;
    const uint8_t *key;
    if (form_8(p, 0, 0) != 'd' || !bencode_string(p, &at, &key, &len))
        return false;
    if (len == 2 && memcmp(key, "ip", 2) == 0 &&
        (!bencode_string(p, &at, &key, &len) || !bencode_string(p, &at, &key, &len)))
        return false;
    if (len != 1)
        return false;
    if (*key == 'a' || *key == 'r')
        return form_text(p, at, "d") && form_holds(p, at, "2:id20:");
    return *key == 'e' && (form_text(p, at, "li20") || form_text(p, at, "li30")) &&
           form_holds(p, at, "1:y1:e");
}

/* BEP 29: version 1. A SYN has no time difference yet and acknowledges nothing. */
bool udp_stray_utp(const struct udp_payload *p)
{
    enum { HEADER = 20, EXTENDED = 30, DATA = 0, SYN = 4, BITS = 2, WINDOW_TOP = 12 };
    if (!form_has(p, HEADER))
        return false;
    uint32_t type = p->at[0] >> 4, extension = p->at[1];
    if ((p->at[0] & 15) != 1 || type == DATA || type > SYN || p->at[WINDOW_TOP] != 0)
        return false;
    if (type == SYN && (read_be32(p->at + 8) != 0 || read_be16(p->at + 18) != 0 ||
                        read_be32(p->at + WINDOW_TOP) == 0))
        return false;
    if (extension == 0)
        return p->len == HEADER && (read_be32(p->at + 4) != 0) && read_be16(p->at + 16) != 0;
    static const uint8_t none[10] = {0, 8};
    return extension == BITS && p->len == EXTENDED && form_bytes(p, HEADER, none, sizeof none);
}

/* A handshake, or (BEP 14) a search for peers nearby. */
bool udp_stray_bittorrent(const struct udp_payload *p)
{
    return form_text(p, 0,
                     "\x13"
                     "BitTorrent protocol") ||
           form_text(p, 0, "BT-SEARCH * HTTP/1.1\r\n");
}

/* BEP 15: the number that opens a connection to a tracker. */
bool udp_stray_tracker(const struct udp_payload *p)
{
    return form_32(p, 0, 0) == 0x417 && form_32(p, 4, 0) == 0x27101980 && form_32(p, 8, 1) == 0 &&
           p->len == 16;
}
