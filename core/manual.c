#include "core/manual.h"

#include "core/command.h"
#include "core/config_options.h"
#include "core/roff.h"
#include "core/version.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define PROGRAM "yamiscope"

/* What examples stand on: a capture darknet.pcap, a feed and other one, rules/, censys.txt, live.yaml. A test runs
 * those that end by themselves, in this order. */
static const struct example {
    enum command_bit command;
    const char *what, *line;
} examples[] = {
    {COMMAND_SYNTH, "An hour of darknet traffic, made up but believable:",
     "yamiscope synth -o darknet.pcap --packets 1M --sources 50k --span 1h"},
    {COMMAND_SYNTH, "Three calendar days with sources of every origin:",
     "yamiscope synth -o days.pcap --profile days"},
    {COMMAND_REPLAY,
     "What a capture holds, and a feed of it:", "yamiscope replay darknet.pcap -o feed"},
    {COMMAND_REPLAY, "The same for programs, of a telescope, in the zone of its operator:",
     "yamiscope replay --json --telescope 198.18.0.0/16 --timezone Asia/Tokyo darknet.pcap"},
    {COMMAND_LIVE, "An interface, with a dashboard on http://127.0.0.1:8470/:",
     "yamiscope live --from pcap:eth1 --telescope 192.0.2.0/24 -o feed --listen 127.0.0.1:8470"},
    {COMMAND_LIVE,
     "Four queues of a DPDK port:", "yamiscope live --from dpdk:0000:3b:00.0,queues=4 -o feed"},
    {COMMAND_EXPLAIN, "Why packets to Telnet count as what they count:",
     "yamiscope explain --filter \"tcp port 23\" darknet.pcap"},
    {COMMAND_VERIFY, "Whether a feed is whole:", "yamiscope verify feed"},
    {COMMAND_MERGE, "Two pieces of an archive:", "yamiscope merge feed other -o both"},
    {COMMAND_EXPORT, "A key, and a feed to give away under it:", "yamiscope export --new-key key"},
    {COMMAND_EXPORT, NULL, "yamiscope export feed -o public --anonymise key"},
    {COMMAND_REPORT, "A row for each day:", "yamiscope report --per day feed"},
    {COMMAND_REPORT, "A page with charts:", "yamiscope report --html report.html feed"},
    {COMMAND_SOURCE, "What an address did, and a prefix:", "yamiscope source 198.51.100.7 feed"},
    {COMMAND_SOURCE, NULL, "yamiscope source 2001:db8::/32 feed"},
    {COMMAND_PORT, "What happens on Telnet:", "yamiscope port tcp/23 feed"},
    {COMMAND_PUBLISH, "Tell a Redis, and go on as the feed grows:",
     "yamiscope publish --to redis://localhost --follow feed"},
    {COMMAND_SERVE, "The dashboard of a feed, on http://127.0.0.1:8470/:", "yamiscope serve feed"},
    {COMMAND_EVENTS,
     "What is not over, and large:", "yamiscope events feed --open --min-rate 1000"},
    {COMMAND_EVENTS, "Where exploits load their programs from, for an analyst's tools:",
     "yamiscope events feed --stix --since 2026-01-01"},
    {COMMAND_INFECTED, "For an analyst's tools:", "yamiscope infected feed --format stix"},
    {COMMAND_WATCH, "A feed that grows, in the terminal:", "yamiscope watch feed"},
    {COMMAND_CHECK, "Before a service is started again:", "yamiscope check live.yaml"},
    {COMMAND_RULES, "What is in force:", "yamiscope rules list"},
    {COMMAND_RULES, "Rules of your own:", "yamiscope rules check rules"},
    {COMMAND_LISTS, "A list of research scanners, and whether it has an address:",
     "yamiscope lists import censys.txt -o research.yaml"},
    {COMMAND_LISTS, NULL, "yamiscope lists show research.yaml 198.51.100.7"},
};

static void print_head(FILE *out, const char *page, int section, const char *what)
{
    fputs(".TH \"", out);
    for (const char *c = page; *c; c++)
        fputs((char[]){(char)toupper((unsigned char)*c), '\0'}, out);
    fprintf(out, "\" %d %s \"" PROGRAM " " VERSION "\" \"" PROGRAM " manual\"\n.SH NAME\n", section,
            VERSION_DATE);
    roff_text(out, page);
    fputs(" \\-\n", out);
    roff_text(out, what);
    putc('\n', out);
}

/* A row of a list: its name in bold, what its value is called in italics. */
static void print_option(FILE *out, const struct option *o)
{
    fputs(".TP\n", out);
    if (o->letter) {
        roff_font(out, 'B', (char[]){'-', o->letter}, 2);
        fputs(", ", out);
    }
    char name[64];
    snprintf(name, sizeof name, "--%s", o->name);
    roff_font(out, 'B', name, strlen(name));
    if (o->argument) {
        putc(' ', out);
        roff_font(out, 'I', o->argument, strlen(o->argument));
    }
    char text[OPTION_TEXT_MAX];
    config_option_text(o, text);
    putc('\n', out);
    roff_text(out, text);
    fputs(".\n", out);
}

static void print_exit(FILE *out)
{
    fputs(".SH EXIT STATUS\n"
          ".TP\n0\ndone.\n"
          ".TP\n1\nfailed.\n"
          ".TP\n2\nwrong usage or config.\n"
          ".TP\n3\ndone, but some input was damaged, is no capture, or could not be read: it is\n"
          "named on stderr.\n",
          out);
}

/* Behind a heading, or behind text. */
static void print_examples(FILE *out, unsigned of, bool is_behind_text)
{
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        const struct example *e = &examples[i];
        if (!(e->command & of))
            continue;
        if (e->what) {
            fputs(is_behind_text ? ".PP\n" : "", out);
            is_behind_text = true;
            roff_text(out, e->what);
            putc('\n', out);
        }
        fputs(".PP\n.RS 4\n.EX\n", out);
        roff_line(out, e->line);
        fputs("\n.EE\n.RE\n", out);
    }
}

/* All pages but `page`. */
static void print_see_also(FILE *out, const char *page)
{
    const char *comma = "";
    fputs(".SH SEE ALSO\n", out);
    if (strcmp(page, PROGRAM) != 0) {
        fputs(".BR " PROGRAM " (1)", out);
        comma = ",\n";
    }
    for (unsigned i = 0; i < command_count; i++) {
        char name[64];
        snprintf(name, sizeof name, PROGRAM "-%s", commands[i].name);
        if (!strcmp(page, name))
            continue;
        fprintf(out, "%s.BR " PROGRAM "\\-%s (1)", comma, commands[i].name);
        comma = ",\n";
    }
    if (strcmp(page, PROGRAM "-config") != 0)
        fprintf(out, "%s.BR " PROGRAM "\\-config (5)", comma);
    putc('\n', out);
}

static void print_command(FILE *out, const struct command *command)
{
    char page[64];
    snprintf(page, sizeof page, PROGRAM "-%s", command->name);
    print_head(out, page, 1, command->summary);
    fprintf(out, ".SH SYNOPSIS\n.B " PROGRAM " %s\n[\\fIOPTION\\fR...]\n", command->name);
    roff_arguments(out, command->arguments);
    fputs("\n.SH DESCRIPTION\n", out);
    roff_text(out, command->about);
    fputs("\n.SH OPTIONS\n", out);
    for (size_t i = 0; i < config_option_count; i++)
        if (config_options[i].commands & command->bit)
            print_option(out, &config_options[i]);
    if (command->bit == COMMAND_PUBLISH)
        fputs(".SH ENVIRONMENT\n.TP\n.B YAMISCOPE_REDIS_PASSWORD\nthe password of the Redis, where "
              "no file names it.\n",
              out);
    print_exit(out);
    fputs(".SH EXAMPLES\n", out);
    print_examples(out, command->bit, false);
    print_see_also(out, page);
}

static void print_program(FILE *out)
{
    print_head(out, PROGRAM, 1, "a darknet telescope packet analyzer");
    fputs(".SH SYNOPSIS\n"
          ".B " PROGRAM "\n\\fICOMMAND\\fR [\\fIOPTION\\fR...] [\\fIARGUMENT\\fR...]\n.br\n"
          ".B " PROGRAM " help\n[\\fICOMMAND\\fR]\n.br\n"
          ".B " PROGRAM " help \\-\\-man\n\\fIPAGE\\fR\n.br\n"
          ".B " PROGRAM " help \\-\\-completion\n\\fBbash\\fR|\\fBzsh\\fR|\\fBfish\\fR\n.br\n"
          ".B " PROGRAM " \\-\\-version\n"
          ".SH DESCRIPTION\n",
          out);
    roff_text(out,
              "yamiscope reads the unsolicited packets that arrive at unused addresses (a darknet, "
              "or telescope), says of each\nwhat it is (a scan, backscatter, pollution and the "
              "like) and on what evidence, and computes the attack-ratio statistics\nthat follow: "
              "above all the share that aims at IoT devices, by packets and by sources, each with "
              "numerator, denominator and\ndefinition. Every packet is accounted for.\n\n"
              "Results stand on stdout, messages on stderr. Every option may stand in a YAML file, "
              "too, by its name (`--config`).\n");
    fputs("\n.SH COMMANDS\n", out);
    for (unsigned i = 0; i < command_count; i++) {
        fputs(".TP\n", out);
        roff_font(out, 'B', commands[i].name, strlen(commands[i].name));
        putc(' ', out);
        roff_arguments(out, commands[i].arguments);
        putc('\n', out);
        roff_text(out, commands[i].summary);
        fputs(".\n", out);
    }
    print_exit(out);
    fputs(
        ".SH FILES\n"
        ".TP\n.I /etc/yamiscope/live.yaml\nwhat the service \\fByamiscope.service\\fR runs with.\n"
        ".TP\n.I /var/lib/yamiscope\nits feeds, and recordings where they are asked for.\n"
        ".TP\n.I /var/cache/yamiscope\npatterns of payload rules, compiled; may be deleted at any\n"
        "time. Without the service:\n.IR \\(ti/.cache/yamiscope .\n"
        ".SH ENVIRONMENT\n"
        ".TP\n.B COLUMNS\nhow wide text may be.\n"
        ".TP\n.B NO_COLOR\nno colours, unless \\fB\\-\\-color\\fR asks for them.\n"
        ".TP\n.B TMPDIR\nwhere calendar days that do not fit memory wait for the end of a replay.\n"
        ".TP\n.B TZDIR\nwhere time zones are described.\n"
        ".TP\n.B XDG_CACHE_HOME\nwhere the cache lies, in place of\n.IR \\(ti/.cache .\n"
        ".TP\n.B YAMISCOPE_REDIS_PASSWORD\nthe password of the Redis, where no file names it.\n"
        ".SH EXAMPLES\nFrom nothing to a report:\n",
        out);
    print_examples(out, COMMAND_SYNTH | COMMAND_REPLAY | COMMAND_REPORT, true);
    print_see_also(out, PROGRAM);
}

/* "replay, live": the commands that take an option. */
static void print_takers(FILE *out, const struct option *o)
{
    char text[512] = "";
    for (unsigned i = 0; i < command_count; i++) {
        size_t len = strlen(text);
        if (o->commands & commands[i].bit)
            snprintf(text + len, sizeof text - len, "%s`%s`", len ? ", " : "For ",
                     commands[i].name);
    }
    roff_text(out, text);
}

static void print_key(FILE *out, const struct option *o)
{
    fputs(".TP\n", out);
    roff_font(out, 'B', o->name, strlen(o->name));
    fputs(": ", out);
    const char *value = o->type == OPTION_FLAG ? "true|false" : o->argument;
    roff_font(out, o->type == OPTION_FLAG ? 'B' : 'I', value, strlen(value));
    putc('\n', out);
    char text[OPTION_TEXT_MAX];
    config_option_text(o, text);
    roff_text(out, text);
    fputs(o->type == OPTION_LIST || o->type == OPTION_ENTRIES || o->type == OPTION_EACH
              ? ".\nA value or a list.\n"
              : ".\n",
          out);
    print_takers(out, o);
    fputs(".\n", out);
}

static void print_config(FILE *out)
{
    print_head(out, PROGRAM "-config", 5, "options of yamiscope in a file");
    fputs(".SH DESCRIPTION\n", out);
    roff_text(
        out,
        "A config file is a YAML mapping from names of options to their values, as the command "
        "line has them. `--config` names it;\nthe service reads /etc/yamiscope/live.yaml. One file "
        "serves all commands: each takes what it knows. An option stands in it once,\nand the "
        "command line wins. Flags are `true` or `false`, no other word. What is given several "
        "times, or joined by commas, is a\nsequence here, too. `yamiscope check` reads a file as "
        "`live` does and loads all that it names.\n\n"
        "A config that names a telescope is a secret: mode 0600, of the user who runs `live`. Who "
        "may read feeds, such as the group of the service, must not read it.\n");
    fputs("\n.SH TELESCOPES\n", out);
    roff_text(out,
              "`telescope` takes prefixes, and mappings whose keys are `prefix` (one or a list), "
              "`except` (live hosts within), and `from` and\n`until` (the first and last day on "
              "which they are dark).\n");
    fputs("\n.PP\n.RS 4\n.EX\n"
          "telescope:\n"
          "  \\- 192.0.2.0/24\n"
          "  \\- prefix: [198.51.100.0/24, \"2001:db8::/48\"]\n"
          "    except: [198.51.100.1, 198.51.100.128/25]\n"
          "    from: 2026\\-01\\-01\n"
          "    until: 2026\\-06\\-30\n"
          ".EE\n.RE\n"
          ".SH OPTIONS\n",
          out);
    for (size_t i = 0; i < config_option_count; i++)
        if (strcmp(config_options[i].name, "config") && strcmp(config_options[i].name, "help"))
            print_key(out, &config_options[i]);
    fputs(".SH EXAMPLES\n.EX\n"
          "from: [pcap:eth1]\n"
          "telescope: [192.0.2.0/24]\n"
          "telescope\\-id: tokyo\n"
          "sensor: tokyo\\-1\n"
          "timezone: Asia/Tokyo\n"
          "out: /var/lib/yamiscope/feed\n"
          "keep\\-sources: 90d\n"
          ".EE\n",
          out);
    print_see_also(out, PROGRAM "-config");
}

int manual_print(FILE *out, const char *page)
{
    static const char prefix[] = PROGRAM "-";
    if (!strcmp(page, PROGRAM)) {
        print_program(out);
        return 0;
    }
    if (!strcmp(page, PROGRAM "-config")) {
        print_config(out);
        return 0;
    }
    for (unsigned i = 0; i < command_count; i++)
        if (!strncmp(page, prefix, sizeof prefix - 1) &&
            !strcmp(page + sizeof prefix - 1, commands[i].name)) {
            print_command(out, &commands[i]);
            return 0;
        }
    return -ENOENT;
}
