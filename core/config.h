/* config: one table of options for the command line, the config file and the help.
 *
 * An option has one name and one meaning everywhere; a command takes those that its column
 * in the table names. A config file (YAML mapping) may hold any option by its name, those of other
 * commands too (one file serves all commands), each once, values as on the command line, lists as
 * sequences; the command line wins.
 */
#ifndef CORE_CONFIG_H
#define CORE_CONFIG_H

#include "capture/fault.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum command_bit {
    COMMAND_REPLAY = 1 << 0,
    COMMAND_EXPLAIN = 1 << 1,
    COMMAND_VERIFY = 1 << 2,
    COMMAND_SYNTH = 1 << 3,
    COMMAND_RULES = 1 << 4,
    COMMAND_LISTS = 1 << 5,
    COMMAND_MERGE = 1 << 6,
    COMMAND_REPORT = 1 << 7,
    COMMAND_LIVE = 1 << 8,
    COMMAND_CHECK = 1 << 9,
    COMMAND_SOURCE = 1 << 10,
    COMMAND_PORT = 1 << 11,
    COMMAND_EXPORT = 1 << 12,
    COMMAND_PUBLISH = 1 << 13,
    COMMAND_SERVE = 1 << 14,
    COMMAND_WATCH = 1 << 15,
    COMMAND_EVENTS = 1 << 16,
    COMMAND_INFECTED = 1 << 17,
    COMMANDS_ALL = (1 << 18) - 1,
};

/* What may be given several times: on the command line again and again, in a file as a sequence. */
struct config_list {
    char **at;
    size_t count;
};

/* Values of all options; texts belong to the config. */
struct config {
    char *config, *out, *telescope, *telescope_id, *decap, *filter, *rules, *timezone, *sensor;
    char *dates, *anonymise, *new_key;
    char *type, *since, *until, *network, *port, *phase, *min_rate; /* of events */
    char *format, *per_as;
    char *start, *profile, *lang, *color, *per, *html, *to;
    char *receiver_cores, *worker_cores, *record, *user;
    struct config_list from, eal, sinks;
    uint64_t snaplen, pcap_buffer; /* bytes */
    uint64_t record_size, record_span_ns, record_keep_age_ns, record_keep_bytes, record_zstd;
    uint64_t keep_windows_ns, keep_days_ns, keep_sources_ns, keep_events_ns; /* 0: for ever */
    uint64_t status_every_ns;
    bool no_promiscuous, stage_table;
    uint64_t payload_bytes;
    char *listen, *tokens, *tls_cert, *tls_key;
    char *spoof_tests, *country, *as, *lists, *name, *homepage, *date;
    bool telescope_is_yaml; /* `telescope` is YAML out of the config file, places and all */
    bool is_stix, is_csv, is_json, is_help, is_following, skip_damaged, extra_bogons, no_sources,
        no_answers, expose_telescope, no_index;
    bool is_public, is_once, is_open, has_updates;
    char *token, *tls_ca;
    uint64_t interval_ns;
    uint64_t publish_delay_ns, publish_min_sources, http_connections;
    uint64_t memory; /* bytes; 0: no cap */
    char *events, *events_watched;
    uint64_t events_scan_idle_ns, events_scan_min_destinations,
        events_scan_min_rate; /* rate * 1000 */
    uint64_t events_dos_idle_ns, events_dos_min_packets, events_dos_min_span_ns,
        events_dos_min_rate;
    uint64_t events_activity_threshold, events_activity_min_sources;
    char *events_activity_noisy;
    uint64_t events_every_ns, events_watched_quiet_ns, events_memory, events_indicators;
    uint64_t event_rows, workers, batch, top, packets, sources, ports_per_source, seed, disorder_ns,
        vlan;
    uint64_t days, scale;
    uint64_t window_ns, lateness_ns, span_ns, patience_ns;
    uint64_t survey_ports, survey_packets, survey_per_address, survey_ports6, survey_packets6;
    uint64_t complete_coverage, complete_loss; /* percent * 1000 */
    char **paths;                              /* what is not an option */
    size_t path_count;
    char **said_at;    /* per option: how messages name where its value was given */
    uint64_t given[4]; /* a bit for each row of the option table */
};

/* Reads argv[1..] (argv[0] is the command's name) and the config file it names. 0, or -EINVAL with a
 * fault that names the option or the file, line and column. Caller finishes in any case. */
int config_init(struct config *c, enum command_bit command, int argc, char **argv,
                struct fault *fault);
void config_fini(struct config *c);

/* What is wrong in a file; `key`: of which key; NULL: of none, or it stands in front of the fault (config_subject_find). */
typedef void (*config_finding)(void *context, const char *key, const struct fault *fault);

/* Reads a config file as `check` does: goes on behind what is wrong, each of which `finding` gets; what was wrong has
 * its default. How many there were, or -ENOMEM. Caller finishes in any case; `path` must outlive it. */
int config_check(struct config *c, enum command_bit command, const char *path,
                 config_finding finding, void *context);

/* How a message about an option's value begins: "--filter" where it came from the command line (or nowhere),
 * "FILE:LINE:COLUMN: filter" where it came from the config file. Valid until the config is finished. */
const char *config_subject(const struct config *c, const char *option);

/* The option, of those that were given, whose subject a message begins with; NULL: none's. */
const char *config_subject_find(const struct config *c, const char *text);

/* Whether the command line or the config file has the option; what was given need not differ from the default. */
bool config_is_given(const struct config *c, const char *option);

/* The options of a command, one a line, for its help. */
void config_print_options(FILE *out, enum command_bit command);

/* "60s", "5m", "1h", "2d", "500ms", "100ns"; a bare number is seconds. */
int config_parse_span(const char *text, uint64_t *span_ns);

/* "1", "99.5", "0.125": thousandths; at most three decimals. */
int config_parse_milli(const char *text, uint64_t *milli);

/* "1000", "60k", "60M", "2G" (decimal). */
int config_parse_count(const char *text, uint64_t *count);

#endif
