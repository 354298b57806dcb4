/* infected_print: the infected hosts of a day, for people, ISPs and programs.
 *
 * Sources are in it: for readers who may see them (law 6); nothing of the telescope is: columns for it are there, since readers expect them,
 * and empty. Times in the zone in force, RFC 3339 with offset, of the capture.
 *
 * CSV   a line of column names, then a line per host that is there (none that is gone). Names as Shadowserver's report of darknet events has them
 *       (event4_honeypot_darknet), of which we fill:
 *         timestamp, protocol, src_ip, src_port   of the last evidence packet: what an ISP behind carrier NAT needs
 *         src_asn, src_geo                        as the databases of that day knew; 0, "" unknown
 *         severity                                high: confirmed; medium: suspected
 *         dst_port, public_source                 the sensor's name
 *         infection, family                       "mirai", "iot-exploit"; "iot-suspected"; the exploit's rule, of several the last packet's
 *         tag                                     mirai, payload, ports; and new, continuing
 *         count                                   packets of scan kinds over TCP
 *       and behind them, ours: first_seen, last_seen, addresses_reached (capped at 12), change
 * JSON  an object per line: first one {"heading": ...} with counts and what they mean, then one per host (rules: its exploits, each with
 *       its own packets; rule: the first of them; evidence_packets: of all), then those that are gone
 * STIX  a bundle: an address and its AS, the evidence packet (network-traffic without destination), an observed-data per host; a malware and
 *       a sighting of it for each reason of the confirmed ones
 * text  counts, by country and AS, and what changed
 */
#ifndef EXPORT_INFECTED_PRINT_H
#define EXPORT_INFECTED_PRINT_H

#include "export/infected.h"
#include "export/text.h"

struct infected_view {
    const struct infected_list *list;
    const struct infected_list *before; /* of the day before; NULL: it is not there */
    const size_t *gone;                 /* indexes in it */
    size_t gone_count;
    const char *sensor, *timezone;
    int64_t end_ns; /* of the day */
    bool has_asn;   /* only this AS; 0: those without one */
    uint32_t asn;
    size_t top; /* rows of the text's tables */
};

#define INFECTED_HEADING                                                                           \
    "Addresses, not devices: behind one address may be many devices, and one device may have had " \
    "several addresses in the day."

/* Beside infected_list.undecided. */
#define INFECTED_LOWER_BOUND                                                                     \
    "A lower bound: this day was merged of pieces or sensors, each of which counted by itself "  \
    "how "                                                                                       \
    "many addresses a source reached. Undecided are those who would be listed if no two pieces " \
    "had counted the same address."

/* Beside infected_list.uncounted. */
#define INFECTED_UNCOUNTED                                                                     \
    "Which addresses these sources reached was not counted, so infected hosts may be missing " \
    "here: a replay counts them with --events infected."

struct infected_counts {
    uint64_t hosts, confirmed, fresh, continuing, gone;
};
struct infected_counts infected_count(const struct infected_view *v);

void infected_csv(FILE *out, const struct infected_view *v);
void infected_json(FILE *out, const struct infected_view *v);
void infected_stix(FILE *out, const struct infected_view *v);
/* -1: no memory. */
int infected_text(const struct text *t, const struct infected_view *v);

/* "198.51.100.7". Returns `to`. */
enum { INFECTED_ADDRESS = 48 };
const char *infected_address(const struct infected_host *h, char to[INFECTED_ADDRESS]);

#endif
