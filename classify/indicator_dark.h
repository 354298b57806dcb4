/* indicator_dark: addresses in texts, however they are written. Part of indicator; nobody else includes it. */
#ifndef CLASSIFY_INDICATOR_DARK_H
#define CLASSIFY_INDICATOR_DARK_H

#include "classify/indicator.h"

/* One to four numbers in decimal, octal or hex joined by `separator`, as inet_aton() has them; *len: bytes read. 0: there is none. Returns how
 * many numbers. `parts_min`: fewer are none. */
unsigned dark_parse4(const char *text, char separator, unsigned parts_min, uint8_t address[4],
                     size_t *len);

/* Whether an address must not get out. IPv4 in IPv6 is looked at, too. */
bool dark_is(const struct indicator_from *from, const uint8_t address[16], unsigned ip_version);

#endif
