#include "export/watch_text_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NS INT64_C(1000000000)
enum {
    COLUMNS_MIN = 20, /* below that text is cut all the same */
    WIDE = 132,       /* from here on tables stand side by side */
    TOP = 10,
    PORTS_MIN = 3,
    HEADING = 3 /* a blank line, the heading, the names of columns */
};

const char *watch_say(const struct watch_page *p, const char *en, const char *ja)
{
    return p->is_japanese ? ja : en;
}

struct text watch_ink(const struct watch_page *p, FILE *out, unsigned columns)
{
    return (struct text){.out = out,
                         .width = columns < COLUMNS_MIN ? COLUMNS_MIN : columns,
                         .is_color = p->f->is_color,
                         .is_utf8 = p->f->is_utf8};
}

const char *watch_clock(int64_t ns, bool is_long, char to[64])
{
    time_t at = (time_t)(ns / NS - (ns % NS < 0));
    struct tm tm;
    if (localtime_r(&at, &tm) == NULL ||
        strftime(to, 64, is_long ? "%H:%M:%S %Z" : "%H:%M", &tm) == 0)
        strcpy(to, "-");
    return to;
}

void watch_line(const struct text *t, enum text_style style, const char *words)
{
    text_print(t, style, words, t->width);
    fputc('\n', t->out);
}

/* ---- putting the parts together */

struct parts {
    struct text_part head, ports, tools, kinds, status;
};

static void page_init(struct watch_page *p, const struct watch *w, const struct watch_frame *f)
{
    *p = (struct watch_page){.w = w, .f = f, .is_japanese = f->is_japanese && f->is_utf8};
    p->s = w->views[0] == NULL ? NULL : http_view_span(w->views[0]);
    p->over = f->over;
    if (p->over == SHARE_OVER_COUNT)
        p->over = p->s != NULL && span_has_ex(p->s) ? SHARE_OVER_scan_ex_survey : SHARE_OVER_scan;
    p->by_ex = p->s != NULL && span_rows_have_ex(p->s) && share_over_is_ex(p->over);
}

/* Rows for ports and how the rest is shown, by what room there is. */
struct plan {
    size_t ports;
    bool has_ports, is_beside, is_tool_line, has_tools, has_kinds;
};

static struct plan plan_beside(const struct watch_page *p, size_t room)
{
    size_t top = p->f->top == 0 ? TOP : p->f->top;
    struct plan plan = {.is_beside = true, .has_ports = room > HEADING};
    if (p->f->rows > 0)
        top = room > HEADING ? room - HEADING : 0;
    if (p->f->top > 0 && top > p->f->top)
        top = p->f->top;
    plan.ports = top;
    plan.has_tools = true;
    plan.has_kinds = true;
    return plan;
}

/* Ports want a few rows before tools get a table; kinds come last. */
static struct plan plan_below(const struct watch_page *p, size_t room)
{
    size_t top = p->f->top == 0 ? TOP : p->f->top;
    size_t tools = HEADING + watch_tool_rows(p), kinds = HEADING + watch_kind_rows(p);
    struct plan plan = {.ports = top};
    size_t least = HEADING + (top < TOP ? top : TOP);
    plan.has_tools = room >= least + tools;
    plan.has_kinds = room >= least + tools + kinds;
    plan.is_tool_line = !plan.has_tools && room > 0;
    size_t rest = room -
                  (plan.has_tools      ? tools
                   : plan.is_tool_line ? 1
                                       : 0) -
                  (plan.has_kinds ? kinds : 0);
    plan.has_ports = rest >= HEADING + PORTS_MIN || (rest > HEADING && room > 0);
    if (p->f->rows > 0)
        plan.ports = plan.has_ports ? rest - HEADING : 0;
    if (p->f->top > 0 && plan.ports > p->f->top)
        plan.ports = p->f->top;
    return plan;
}

static int parts_print(const struct watch_page *p, struct parts *x, const struct plan *plan,
                       unsigned left, unsigned right)
{
    struct text t;
    int err = text_part_begin(&x->ports);
    if (err == 0) {
        t = watch_ink(p, x->ports.out, left);
        if (plan->has_ports)
            watch_print_ports(p, &t, plan->ports);
        err = text_part_end(&x->ports);
    }
    err = err < 0 ? err : text_part_begin(&x->tools);
    if (err == 0) {
        t = watch_ink(p, x->tools.out, right);
        if (plan->has_tools || plan->is_tool_line)
            watch_print_tools(p, &t, plan->is_tool_line);
        if (plan->has_kinds)
            watch_print_kinds(p, &t);
        err = text_part_end(&x->tools);
    }
    return err;
}

static int compose(FILE *out, const struct watch_page *p, struct parts *x)
{
    const struct watch_frame *f = p->f;
    unsigned columns = f->columns;
    size_t rows = f->rows == 0 ? SIZE_MAX / 2 : f->rows, used;
    struct text t;
    int err = text_part_begin(&x->head);
    if (err < 0)
        return err;
    t = watch_ink(p, x->head.out, columns);
    watch_print_head(p, &t);
    watch_print_rates(p, &t);
    if (p->s != NULL)
        watch_print_shares(p, &t);
    err = text_part_end(&x->head);
    err = err < 0 ? err : text_part_begin(&x->status);
    if (err < 0)
        return err;
    t = watch_ink(p, x->status.out, columns);
    watch_print_status(p, &t);
    err = text_part_end(&x->status);
    size_t last = rows > 2 ? text_part_rows(&x->status) : 0;
    size_t body = rows - last;
    used = text_part_print(out, &x->head, 0, body, columns);
    if (err == 0 && p->s != NULL && body > used) {
        struct plan plan =
            columns >= WIDE ? plan_beside(p, body - used) : plan_below(p, body - used);
        unsigned left = plan.is_beside ? columns * 11 / 20 : columns;
        err = parts_print(p, x, &plan, left, plan.is_beside ? columns - left - 3 : columns);
        if (plan.is_beside) {
            used += text_part_print_beside(out, &x->ports, &x->tools, body - used, left, columns);
        } else {
            used += text_part_print(out, &x->ports, 0, body - used, columns);
            used += text_part_print(out, &x->tools, 0, body - used, columns);
        }
    }
    for (; f->rows > 0 && used < body; used++)
        fputc('\n', out);
    (void)text_part_print(out, &x->status, 0, last, columns);
    return err;
}

int watch_text(FILE *out, const struct watch *w, const struct watch_frame *f)
{
    struct watch_page page;
    struct parts x = {{0}, {0}, {0}, {0}, {0}};
    page_init(&page, w, f);
    int err = compose(out, &page, &x);
    text_part_fini(&x.head);
    text_part_fini(&x.ports);
    text_part_fini(&x.tools);
    text_part_fini(&x.kinds);
    text_part_fini(&x.status);
    return err;
}
