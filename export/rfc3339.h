/* rfc3339: a time as people, ISPs and programs read it. Pure but for the process's zone (calendar.h). */
#ifndef EXPORT_RFC3339_H
#define EXPORT_RFC3339_H

#include <stdint.h>

enum { RFC3339_TEXT = 48 };

/* "2026-11-21T09:00:00.123456+09:00" in the zone in force; `digits` of the second, 0 to 9, the rest cut. Returns `to`. */
const char *rfc3339_text(int64_t ns, unsigned digits, char to[RFC3339_TEXT]);

/* "2026-11-21T00:00:00.123Z": UTC, as STIX asks for. Returns `to`. */
const char *rfc3339_utc(int64_t ns, unsigned digits, char to[RFC3339_TEXT]);

#endif
