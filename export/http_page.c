/* The dashboard's files, which are in the program. Part of http. */
#include "export/html_page.h"
#include "export/http_state.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* FNV-1a: tells one version of a file from another, nothing more. */
static void tag_make(struct http_asset *a)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < a->body->len; i++)
        hash = (hash ^ (unsigned char)a->body->bytes[i]) * UINT64_C(1099511628211);
    snprintf(a->tag, sizeof a->tag, "\"%016" PRIx64 "\"", hash);
}

static struct http_body *page_make(void)
{
    struct http_memory m;
    if (http_memory_begin(&m) < 0)
        return NULL;
    html_page_print(m.out, &(struct html_page){0});
    return http_memory_end(&m);
}

static struct http_body *copy_make(const unsigned char *bytes, size_t len)
{
    char *copy = malloc(len + 1);
    if (copy != NULL)
        memcpy(copy, bytes, len);
    return http_body_create(copy, len);
}

int http_assets_make(struct http *h, struct fault *fault)
{
    struct http_asset *a = h->assets;
    a[HTTP_ROUTE_page].body = page_make();
    a[HTTP_ROUTE_page].type = "text/html; charset=utf-8";
    a[HTTP_ROUTE_style].body = copy_make(page_style, page_style_len);
    a[HTTP_ROUTE_style].type = "text/css; charset=utf-8";
    a[HTTP_ROUTE_script].body = copy_make(page_script, page_script_len);
    a[HTTP_ROUTE_script].type = "text/javascript; charset=utf-8";
    a[HTTP_ROUTE_chart].body = copy_make(page_chart, page_chart_len);
    a[HTTP_ROUTE_chart].type = "text/javascript; charset=utf-8";
    for (unsigned i = 0; i < HTTP_ROUTE_COUNT; i++) {
        if (a[i].type == NULL)
            continue;
        if (a[i].body == NULL)
            return fault_set(fault, ENOMEM, "no memory for the page");
        tag_make(&a[i]);
    }
    return 0;
}

void http_assets_free(struct http *h)
{
    for (unsigned i = 0; i < HTTP_ROUTE_COUNT; i++)
        http_body_release(h->assets[i].body);
}

enum MHD_Result http_answer_asset(struct http_request *r)
{
    const struct http_asset *a = &r->h->assets[r->route.id];
    if (!http_has_tag(http_header(r, "If-None-Match"), a->tag))
        return http_answer_body(r, 200, a->type, a->body);
    struct http_body *nothing = copy_make((const unsigned char *)"", 0);
    if (nothing == NULL)
        return http_answer_error(r, 503, "no memory");
    enum MHD_Result done = http_answer_body(r, 304, a->type, nothing);
    http_body_release(nothing);
    return done;
}
