#include "capture/decode.h"
#include "export/damage_text.h"
#include "export/render_page.h"

#include <string.h>

enum {
    NAMES = 4,
    FOREIGN_SHOWN = 5
}; /* inputs that are named; likewise those that are no capture */

static void ledger_print(const struct page *p)
{
    const struct window_ledger *l = &p->s->total->ledger;
    bool is_held = ledger_holds(l) && l->observed == p->s->total->totals.packets;
    char line[PAGE_LINE], dropped[LEDGER_TEXT];
    char a[TEXT_NUMBER], b[TEXT_NUMBER], c[TEXT_NUMBER];

    snprintf(line, sizeof line, "offered %s = observed %s + dropped %s (%s)%s",
             text_number(l->offered, a), text_number(l->observed, b),
             text_number(ledger_dropped(l), c), ledger_dropped_text(l, ", ", false, dropped),
             is_held ? "" : ": DOES NOT HOLD");
    page_line(p, "ledger", is_held ? TEXT_PLAIN : TEXT_WARN, line);
    if (l->late > 0) {
        snprintf(line, sizeof line,
                 "%s of the observed came after their window was sealed and stand in a further "
                 "part of it: nothing is lost",
                 text_number(l->late, a));
        page_line(p, "late", TEXT_PLAIN, line);
    }
}

/* What the memory cap took, and what is therefore not exact. */
static void given_up_print(const struct page *p)
{
    const struct summary_given_up *g = &p->s->given_up;
    char line[PAGE_LINE], whose[64] = "all sources", a[TEXT_NUMBER], b[TEXT_NUMBER];
    if (!g->ports && !g->sources)
        return;
    if (g->ports_packets < UINT64_MAX)
        snprintf(whose, sizeof whose, "sources with up to %s packets",
                 text_number(g->ports_packets, b));
    snprintf(line, sizeof line,
             "beyond the cap: %s gave up detail (their ports%s%s), %s packets are without it; days "
             "are not exact, and distinct sources of %s are lower bounds",
             whose, g->rules ? ", their rules" : "",
             g->sources ? "; new sources are only counted" : "", text_number(g->packets, a),
             g->sources ? "everything" : "ports and rules");
    page_line(p, "memory", TEXT_WARN, line);
}

static void withheld_print(const struct page *p)
{
    char line[PAGE_LINE], number[TEXT_COUNTED];
    if (p->s->indicators_withheld == 0)
        return;
    snprintf(line, sizeof line, "%s withheld: they mention the telescope",
             text_counted(p->s->indicators_withheld, "indicator", "indicators", number));
    page_line(p, "events", TEXT_PLAIN, line);
}

static void damage_print(const struct page *p, const struct damage *d)
{
    char line[PAGE_LINE], place[DAMAGE_PLACE];

    page_name(p, damage_kind_label(d->kind), TEXT_WARN, d->file);
    snprintf(line, sizeof line, "%s%.400s", damage_place(d, place), d->what);
    page_line(p, "", TEXT_PLAIN, line);
}

/* What was named on the command line. */
static void names_print(const struct page *p)
{
    const struct summary_settings *settings = &p->s->settings;
    char more[TEXT_COUNTED], line[PAGE_LINE];

    for (size_t i = 0; i < settings->path_count && i < NAMES; i++)
        page_name(p, "", TEXT_PLAIN, settings->paths[i]);
    if (settings->path_count > NAMES) {
        snprintf(line, sizeof line, "and %s",
                 text_counted(settings->path_count - NAMES, "more", "more", more));
        page_line(p, "", TEXT_PLAIN, line);
    }
}

static void inputs_print(const struct page *p)
{
    const struct summary *s = p->s;
    size_t damaged = s->damaged == NULL ? 0 : s->damaged->count;
    char line[PAGE_LINE], a[TEXT_COUNTED], span[64];
    int at = snprintf(line, sizeof line, "%s, ", text_counted(s->inputs, "file", "files", a));

    at += damage_count_text(s->damaged, line + at, sizeof line - (size_t)at);
    if (s->seconds > 0) {
        page_span((uint64_t)(s->seconds * 1e9), span);
        at += snprintf(line + at, sizeof line - (size_t)at, ", read in %s", span);
        if (s->total->ledger.offered > 0 && s->seconds >= 0.001)
            snprintf(line + at, sizeof line - (size_t)at, " (%.2f million packets/s)",
                     (double)s->total->ledger.offered / s->seconds / 1e6);
    }
    page_line(p, "inputs", TEXT_PLAIN, line);
    names_print(p);
    size_t foreign = 0; /* a folder may be full of them; messages and --json name each */
    for (size_t i = 0; i < damaged; i++) {
        foreign += s->damaged->at[i].kind == DAMAGE_FOREIGN;
        if (s->damaged->at[i].kind != DAMAGE_FOREIGN || foreign <= FOREIGN_SHOWN)
            damage_print(p, &s->damaged->at[i]);
    }
    if (foreign > FOREIGN_SHOWN) {
        snprintf(line, sizeof line, "and %s, named in the messages",
                 text_counted(foreign - FOREIGN_SHOWN, "more", "more", a));
        page_line(p, damage_kind_label(DAMAGE_FOREIGN), TEXT_WARN, line);
    }
}

static void windows_print(const struct page *p)
{
    const struct summary *s = p->s;
    char line[PAGE_LINE], a[TEXT_COUNTED], b[TEXT_COUNTED], c[TEXT_COUNTED];
    int at = snprintf(line, sizeof line, "%s", text_counted(s->windows, "window", "windows", a));

    if (s->settings.window_ns > 0)
        at += snprintf(line + at, sizeof line - (size_t)at, " of %g s",
                       (double)s->settings.window_ns / 1e9);
    if (s->window_parts > 0)
        snprintf(line + at, sizeof line - (size_t)at,
                 " in %s: %s, opened by packets out of order; readers add them up",
                 text_counted(s->windows + s->window_parts, "record", "records", b),
                 text_counted(s->window_parts, "further part", "further parts", c));
    page_line(p, "windows", TEXT_PLAIN, line);
}

/* What the numbers depend on besides packets and rules; `--json` has it all under "settings". */
static void settings_print(const struct page *p)
{
    const struct summary_settings *settings = &p->s->settings;
    char line[PAGE_LINE];
    int at = 0;

    if (settings->filter != NULL)
        page_line(p, "filter", TEXT_PLAIN,
                  settings->hides_filter
                      ? "given; it may name the telescope: --expose-telescope shows it"
                      : settings->filter);
    for (uint32_t bit = 1; decode_decap_name(bit) != NULL; bit <<= 1)
        if (settings->decap & bit)
            at += snprintf(line + at, sizeof line - (size_t)at, "%s%s", at > 0 ? ", " : "",
                           decode_decap_name(bit));
    if (at > 0)
        page_line(p, "unwrapped", TEXT_PLAIN, line);
    snprintf(line, sizeof line, "lateness %g s, timezone %.80s, sensor %.80s, telescope id %.80s",
             (double)settings->lateness_ns / 1e9,
             settings->timezone == NULL ? "UTC" : settings->timezone,
             settings->sensor == NULL ? "none" : settings->sensor,
             settings->telescope_id == NULL ? "none" : settings->telescope_id);
    page_line(p, "settings", TEXT_PLAIN, line);
}

void page_basis(const struct page *p)
{
    const struct summary *s = p->s;
    char line[PAGE_LINE];

    text_heading(&p->text, "What it rests on", "");
    ledger_print(p);
    given_up_print(p);
    withheld_print(p);
    inputs_print(p);
    settings_print(p);
    snprintf(line, sizeof line, "%s %s, sha256 %.16s", s->rules->name, s->rules->version,
             s->rules->sha256);
    page_line(p, "rule set", TEXT_PLAIN, line);
    windows_print(p);
    if (s->feed_dir == NULL)
        page_line(p, "feed", TEXT_PLAIN, "none written (-o DIR writes one)");
    else
        page_name(p, "feed", TEXT_PLAIN, s->feed_dir);
}
