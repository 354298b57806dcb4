/* What a request says, from arbitrary bytes: the first chooses which part it is. Whatever is taken must be within its bounds. */
#include "export/event_filter.h"
#include "export/http_query.h"
#include "export/http_token.h"

#include "export/window.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void route_try(const char *text)
{
    struct http_route r = http_route_of(text);
    if (r.id >= HTTP_ROUTE_COUNT || r.proto >= PORT_PROTO_COUNT ||
        memchr(r.subject, '\0', HTTP_SUBJECT) == NULL ||
        (r.id == HTTP_ROUTE_source && !r.problem && r.subject[0] == '\0') ||
        strlen(http_route_name(r.id)) == 0)
        abort();
}

static void numbers_try(const char *text)
{
    uint64_t value;
    int64_t ns;
    int32_t date;
    if (http_number(text, 1000, &value) && value > 1000)
        abort();
    if (http_time(text, &ns) && ns < 0)
        abort();
    if (http_date(text, &date) && (date < 0 || date > 106752))
        abort();
}

static void token_try(const char *text)
{
    static struct http_tokens tokens;
    char token[HTTP_TOKEN];
    struct fault fault;
    if (tokens.at[HTTP_ANALYST][0] == '\0') {
        static const char file[] = "public 0123456789abcdef\nanalyst fedcba9876543210\n";
        if (http_tokens_parse(&tokens, file, sizeof file - 1, "tokens", &fault) < 0)
            abort();
    }
    enum http_authorization what = http_authorization(text, token);
    if (memchr(token, '\0', HTTP_TOKEN) == NULL ||
        (what == HTTP_AUTHORIZATION_TOKEN) != (token[0] != '\0'))
        abort();
    enum http_reader reader = http_tokens_find(&tokens, token);
    if ((reader == HTTP_PUBLIC && strcmp(token, "0123456789abcdef") != 0) ||
        (reader == HTTP_ANALYST && strcmp(token, "fedcba9876543210") != 0) ||
        reader == HTTP_OPERATOR)
        abort();
}

static void file_try(const char *text, size_t len)
{
    struct http_tokens t;
    struct fault fault;
    if (http_tokens_parse(&t, text, len, "tokens", &fault) < 0)
        return;
    for (unsigned i = HTTP_PUBLIC; i < HTTP_READER_COUNT; i++)
        if (t.at[i][0] != '\0' &&
            (strlen(t.at[i]) < HTTP_TOKEN_MIN || http_tokens_find(&t, t.at[i]) != i))
            abort();
}

static void headers_try(const char *text)
{
    char host[HTTP_HOST];
    unsigned char address[16];
    uint16_t port;
    (void)http_wants_protobuf(text);
    (void)http_wants_gzip(text);
    (void)http_host_is_plain(text);
    (void)http_has_tag(text, "\"0123456789abcdef\"");
    if (http_listen(text, host, &port) && inet_pton(AF_INET, host, address) != 1 &&
        inet_pton(AF_INET6, host, address) != 1)
        abort();
}

static void filter_try(const char *text)
{
    static const struct event scan = {.type = EVENT_scan, .ip_version = 4, .has_port = true};
    struct event_filter f = {0};
    struct fault fault;
    if (event_filter_types(&f, text, &fault) == 0 && (f.types == 0 || f.types >= 1u << EVENT_TYPES))
        abort();
    if (event_filter_phases(&f, text, &fault) == 0 &&
        (f.phases == 0 || f.phases >= 1u << EVENT_PHASES))
        abort();
    if (event_filter_rate(&f, text, &fault) == 0 && !(f.min_rate >= 0))
        abort();
    (void)event_filter_network(&f, text, &fault);
    (void)event_filter_port(&f, text, &fault);
    (void)event_filter_takes(&f, &scan);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    char *text = malloc(size); /* its end is the sanitizer's to watch */
    if (text == NULL)
        return 0;
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    switch (data[0] % 6) {
    case 0:
        route_try(text);
        break;
    case 1:
        numbers_try(text);
        break;
    case 2:
        token_try(text);
        break;
    case 3:
        file_try(text, size - 1);
        break;
    case 4:
        filter_try(text);
        break;
    default:
        headers_try(text);
    }
    free(text);
    return 0;
}
