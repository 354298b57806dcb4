/* Any bytes as a payload to any port, under the default rules: the answer is a rule with a payload, which is
 * wanted there, or none; the same bytes give it again. The first input bytes choose protocol and port. */
#include "classify/payload.h"
#include "test/payload_rows_exploit.h"
#include "test/payload_rows_iot.h"
#include "test/payload_rows_other.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define TABLE(rows) rows, sizeof(rows) / sizeof(rows)[0]

static struct ruleset *rules;
static struct payload_scratch *scratch;
enum { PAGE = 4096 };
static uint8_t *page_end;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* The rows as first inputs, where a folder for them is given. */
static void seed(const char *dir, const char *name, const struct payload_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char path[512];
        uint8_t head[3] = {(uint8_t)rows[i].proto, (uint8_t)(rows[i].port >> 8),
                           (uint8_t)rows[i].port};
        snprintf(path, sizeof path, "%s/%s-%zu", dir, name, i);
        FILE *f = fopen(path, "w");
        if (!f)
            continue;
        (void)fwrite(head, 1, sizeof head, f);
        (void)fwrite(rows[i].bytes, 1, rows[i].len, f);
        (void)fclose(f);
    }
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static const struct payload_settings settings = {.cache_dir = ""};
    const char *last = (*argv)[*argc - 1];
    struct fault fault;
    if (ruleset_create(&rules, NULL, &fault) != 0 || payload_load(rules, &settings, &fault) != 0)
        abort();
    scratch = payload_scratch_create(rules);
    uint8_t *pages =
        mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mprotect(pages + PAGE, PAGE, PROT_NONE) != 0)
        abort();
    page_end = pages + PAGE;
    if (*argc > 1 && last[0] != '-') {
        seed(last, "iot", TABLE(payload_rows_iot));
        seed(last, "exploit", TABLE(payload_rows_exploit));
        seed(last, "other", TABLE(payload_rows_other));
    }
    return scratch ? 0 : -1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len < 3)
        return 0;
    unsigned proto = data[0] & 1 ? PORT_PROTO_UDP : PORT_PROTO_TCP;
    uint16_t port = (uint16_t)(data[1] << 8 | data[2]);
    if (len - 3 > PAGE)
        len = PAGE + 3;
    uint8_t *payload = page_end - (len - 3);
    memcpy(payload, data + 3, len - 3);
    uint16_t found = payload_match(rules, scratch, proto, port, payload, len - 3);
    if (found != RULE_NONE && (found >= rules->rule_count || !rules->rules[found].payload ||
                               !payload_wanted(rules, proto, port, (uint32_t)len - 3)))
        abort();
    if (payload_match(rules, scratch, proto, port, payload, len - 3) != found)
        abort();
    return 0;
}
