#include "export/courier_state.h"
#include "export/event_print.h"

#include <curl/curl.h>
#include <errno.h>
#include <nettle/hmac.h>
#include <stdio.h>
#include <string.h>

enum { ANSWER_MAX = 64 << 10, CONNECT_MS = 5000 };

struct answer {
    size_t bytes;
    const atomic_bool *is_stopped;
};

/* Nobody reads what is said beyond the status; more than so much of it ends the attempt. */
static size_t answer_take(char *bytes, size_t size, size_t count, void *context)
{
    struct answer *a = context;
    a->bytes += size * count;
    return a->bytes > ANSWER_MAX ? 0 : size * count;
}

static int progress(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    const struct answer *answer = context;
    return atomic_load_explicit(answer->is_stopped, memory_order_relaxed);
}

static struct curl_slist *header_add(struct curl_slist *list, const char *text)
{
    struct curl_slist *grown = curl_slist_append(list, text);
    if (grown == NULL)
        curl_slist_free_all(list);
    return grown;
}

/* NULL: no memory. */
static struct curl_slist *headers_make(const struct courier_spec *s,
                                       const struct courier_letter *letter)
{
    char line[256], id[EVENT_ID];
    uint8_t digest[SHA256_DIGEST_SIZE];
    struct hmac_sha256_ctx hmac;
    struct curl_slist *list = header_add(NULL, "Content-Type: application/json");
    snprintf(line, sizeof line, "X-Yamiscope-Event: %s", event_type_name(letter->event->type));
    if (list != NULL)
        list = header_add(list, line);
    snprintf(line, sizeof line, "X-Yamiscope-Delivery: %s-%u", event_id(letter->event, id),
             letter->event->update);
    if (list != NULL)
        list = header_add(list, line);
    if (list != NULL) /* no wait for an answer to the headers alone */
        list = header_add(list, "Expect:");
    if (s->secret_len == 0 || list == NULL)
        return list;
    hmac_sha256_set_key(&hmac, s->secret_len, s->secret);
    hmac_sha256_update(&hmac, letter->len, (const uint8_t *)letter->json);
    hmac_sha256_digest(&hmac, sizeof digest, digest);
    int at = snprintf(line, sizeof line, "X-Yamiscope-Signature: sha256=");
    for (unsigned i = 0; i < sizeof digest; i++)
        at += snprintf(line + at, sizeof line - (size_t)at, "%02x", digest[i]);
    return header_add(list, line);
}

static void options_set(CURL *curl, const struct courier_spec *s,
                        const struct courier_letter *letter, struct curl_slist *headers,
                        struct answer *answer)
{
    curl_easy_setopt(curl, CURLOPT_URL, s->target);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)s->timeout_ms);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
                     (long)(s->timeout_ms < CONNECT_MS ? s->timeout_ms : CONNECT_MS));
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "yamiscope");
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_POST, 1L);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, letter->json);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)letter->len);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, answer_take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, progress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, answer);
}

int courier_post(const struct courier_spec *s, const struct courier_letter *letter,
                 const atomic_bool *is_stopped, struct fault *fault)
{
    struct answer answer = {.is_stopped = is_stopped};
    struct curl_slist *headers = headers_make(s, letter);
    CURL *curl = headers == NULL ? NULL : curl_easy_init();
    CURLcode code;
    long status = 0;
    if (curl == NULL) {
        curl_slist_free_all(headers);
        return fault_set(fault, ENOMEM, "%.150s: no memory", s->name);
    }
    options_set(curl, s, letter, headers, &answer);
    code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_cleanup(curl);
    curl_slist_free_all(headers);
    /* A long answer was cut by us: its status counts. */
    if (code == CURLE_OK || code == CURLE_WRITE_ERROR)
        return status >= 200 && status < 300
                   ? 0
                   : fault_set(fault, EPROTO, "%.150s: answered with status %ld", s->name, status);
    if (code == CURLE_ABORTED_BY_CALLBACK)
        return fault_set(fault, ECANCELED, "%.150s: stopped", s->name);
    return fault_set(fault, EIO, "%.150s: %s", s->name, curl_easy_strerror(code));
}
