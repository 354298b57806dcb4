#include "export/source_key.h"

#include <string.h>

bool source_key_parse(const uint8_t *body, size_t len, uint8_t key[SOURCE_KEY])
{
    enum { DATE_TAG = 1 << 3, ADDRESS_TAG = 2 << 3 | 2 };
    size_t at = 0;
    memset(key, 0, SOURCE_KEY);
    if (len > 0 && body[0] == DATE_TAG) { /* not there where it is 0 */
        for (at = 1; at < len && body[at] >= 0x80;)
            at++;
        at++;
    }
    if (at + 2 > len || body[at] != ADDRESS_TAG)
        return false;
    size_t size = body[at + 1];
    if ((size != 4 && size != 16) || at + 2 + size > len)
        return false;
    key[0] = size == 4 ? 4 : 6;
    memcpy(key + 1, body + at + 2, size);
    return true;
}
