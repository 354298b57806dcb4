/* indicator: what an exploit's payload says of those behind it: where its dropper loads from, whom its shell calls, with what login it tries.
 *
 * A pure parser over what was caught of a payload (INDICATOR_BYTES at most); no allocation, no clock; any thread. It takes
 *   loader   after wget, curl, fetch, lwp-download: a URL (http, https, ftp), or a host without one ("wget host/x"); busybox's "wget -g HOST -l X -r PATH";
 *            tftp ("-g -r FILE HOST", "HOST -c get FILE", tftp://), ftpget ("[-u U -p P] HOST LOCAL REMOTE"); jndi: with ldap, ldaps, rmi, dns, http
 *            (Log4Shell; lookups such as ${lower:l} and ${::-d} resolved first). A URL and its host each
 *   c2       "nc HOST PORT" and "telnet HOST PORT" in a command, /dev/tcp/HOST/PORT
 *   login    Authorization: Basic; fields such as user=..&password=.. of a query, a form or JSON; auth= in base64; over Telnet the
 *            first two lines, or all of a payload that is one line: a password, whose user is not known (":xc3511")
 * Spaces may be written +, %20, ${IFS}, $IFS or as a tab. Names of the web that stand in protocols (SOAP's and UPnP's namespaces) follow no
 * such word and are not taken. Hosts are addresses in any form that inet_aton() reads, IPv6 in brackets, and names of the Internet: with a dot, not
 * below localhost, .local, .internal, .arpa and their like. Loopback, unspecified and multicast addresses are none; private ones are told
 * (indicator_is_private() says which those are).
 *
 * The telescope stays dark (law 6). What a sender writes often names whom it writes to (a Host: header, a reflected address), so withheld, and
 * counted, is
 *   - a host that is in the telescope, or the packet's own destination;
 *   - whatever mentions one of the two anywhere in its text: dotted in four parts or fewer, in decimal, octal, hex; with - or _ in place of
 *     dots; backwards; percent-encoded; as one number in decimal or eight hex digits, either byte order; an IPv6 address as text, or in hex; the own destination
 *     in base64, too (of its bytes, of its text).
 * Queries and fragments of URLs are cut, always. A sender that hides an address in another way is not understood; so values go where source
 * addresses may go, and nowhere else.
 *
 * Values are defanged: hxxp://198.51.100[.]7/x, evil[.]example; a login is user:password, control characters, ':' in the user, '\' and what is not
 * ASCII as \xHH.
 */
#ifndef CLASSIFY_INDICATOR_H
#define CLASSIFY_INDICATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    INDICATOR_BYTES = 1472, /* the payload of a UDP packet on Ethernet; TCP carries less */
    INDICATOR_VALUE = 256,
    INDICATORS_MAX = 8,
};

enum indicator_kind { INDICATOR_HOST, INDICATOR_URL, INDICATOR_LOGIN, INDICATOR_KINDS };
enum indicator_role { INDICATOR_LOADER, INDICATOR_C2, INDICATOR_IS_LOGIN, INDICATOR_ROLES };

struct indicator {
    uint8_t kind, role;
    char value[INDICATOR_VALUE]; /* defanged; what would be longer is not taken */
};

struct indicators {
    struct indicator at
        [INDICATORS_MAX]; /* each once, as the parser comes to them; what has no room is not kept */
    unsigned count;
    unsigned withheld; /* so many were not told: they mention the telescope */
};

/* The packet that the payload came in. */
struct indicator_from {
    uint8_t dst[16], ip_version; /* IPv4: the first 4 bytes; 0: there is none */
    bool is_telnet;              /* its lines may be a login: an exploit over TCP */
    bool
        is_cut; /* its payload goes on behind what was caught: a word that touches the end may be half a word */
    /* Whether an address is the telescope's; NULL: none is configured. */
    bool (*is_dark)(const void *context, const uint8_t address[16], unsigned ip_version);
    const void *context;
};

/* Fills `out`. */
void indicators_find(struct indicators *out, const uint8_t *payload, size_t len,
                     const struct indicator_from *from);

/* "host", "url", "login"; "loader", "c2", "login". */
const char *indicator_kind_name(enum indicator_kind kind);
const char *indicator_role_name(enum indicator_role role);

/* Whether the host of a value is an address of private use (RFC 1918, 6598, 3927, 4193): of no use to whom it is given. */
bool indicator_is_private(enum indicator_kind kind, const char *value);

/* The value as it was before it was defanged, at most size - 1 bytes. Of logins the value itself. Returns `to`. */
const char *indicator_refang(char *to, size_t size, enum indicator_kind kind, const char *value);

/* Whether a text mentions an address that must not get out, in one of the ways above. */
bool indicator_mentions_dark(const char *text, const struct indicator_from *from);

#endif
