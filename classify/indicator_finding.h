/* indicator_finding: what the files of indicator share. Nobody else includes it. */
#ifndef CLASSIFY_INDICATOR_FINDING_H
#define CLASSIFY_INDICATOR_FINDING_H

#include "classify/indicator.h"

struct finding {
    struct indicators *out;
    const struct indicator_from *from;
    char
        raw[INDICATOR_BYTES + 1]; /* the payload, with a space for each zero byte; a zero ends it */
    char text[INDICATOR_BYTES + 1]; /* with what is encoded made plain; likewise */
    size_t raw_len, len;
};

/* Takes a value that is not there yet. */
void finding_add(struct finding *f, enum indicator_kind kind, enum indicator_role role,
                 const char *value);

/* Whether the text mentions the telescope; it is counted then. */
bool finding_withholds(struct finding *f, const char *text);

/* The value of a hex digit; -1: it is none. */
int finding_hex(uint8_t c);

/* What a word may begin with: a bit for each letter from a on. Nearly every byte of a payload is told by it to begin nothing. */
#define FINDING_LETTER(letter) (UINT32_C(1) << ((letter) - 'a'))
static inline bool finding_begins(char c, uint32_t letters)
{
    unsigned at = ((unsigned char)c | 0x20u) - 'a'; /* in either case */
    return at < 26 && (letters >> at & 1);
}

/* All logins of the payload. */
void finding_logins(struct finding *f, const uint8_t *payload, size_t len);

#endif
