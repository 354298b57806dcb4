/* Any text as the place of a Redis, and as an id. What is taken must be whole: named without its password. */
#include "export/feed_id.h"
#include "export/redis_url.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[1024], name[REDIS_NAME], words[FEED_ID_WORDS];
    struct redis_url url;
    struct feed_id id;
    struct fault fault;
    if (size >= sizeof text)
        return 0;
    memcpy(text, data, size);
    text[size] = 0;
    if (strstr(text, "password_file") != NULL) /* opens what it names */
        return 0;
    if (redis_url_parse(&url, text, &fault) == 0) {
        if (url.host_count == 0 || url.host_count > REDIS_HOSTS || url.timeout_ms == 0 ||
            strlen(redis_url_name(&url, name)) >= REDIS_NAME)
            abort();
    } else if (strlen(fault.text) == 0) {
        abort();
    }
    if (feed_id_parse(&id, text, size)) {
        char again[FEED_ID_TEXT];
        struct feed_id same;
        (void)feed_id_words(id, words);
        (void)feed_id_text(id, again);
        if (!feed_id_parse(&same, again, strlen(again)) || feed_id_order(id, same) != 0)
            abort();
    }
    return 0;
}
