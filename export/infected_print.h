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
 *       and behind them, ours: first_seen, last_seen, addresses_reached (of the telescope, by packets over TCP to ports of strict iot rules or of
 *       Mirai; 0: not counted), change, addresses_exact (false: so many or more; from 12 on it always is), list_lacks (the same in each row:
 *       why hosts may be missing, words of infected_lack_name parted by ;)
 * JSON  an object per line: first one {"heading": ...} with counts and what they mean (exact: nothing is lacking; lacks: why not), then one per host (rules: its exploits, each with
 *       its own packets; rule: the first of them; evidence_packets: of all), then those that are gone
 * STIX  a bundle: an address and its AS, the evidence packet (network-traffic without destination), an observed-data per host; a malware and
 *       a sighting of it for each reason of the confirmed ones; a label "addresses-reached:3" ("12-or-more": not exact), and a note of what the list lacks
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
#define INFECTED_NOT_COUNTED                                                                   \
    "Which addresses these sources reached was not counted, so infected hosts may be missing " \
    "here: a replay counts them with --events infected."

/* Beside infected_list.given_up. */
#define INFECTED_GAVE_UP \
    "Detail of this day was given up for memory, so infected hosts may be missing here."

/* Beside given_up.damaged, and infected_list.damaged. */
#define INFECTED_DAMAGE                                                                         \
    "Source days of this day are damaged: infected hosts may be missing here, and one that is " \
    "suspected may have sent to other ports, too."

/* Of infected_view.before. */
#define INFECTED_BEFORE \
    "The list of the day before is not exact: what is new now may have been there."

/* The words above for what a list lacks. */
const char *infected_lack_words(enum infected_lack lack);

/* Whether the list of the day before is there and lacks something. */
static inline bool infected_before_lacks(const struct infected_view *v)
{
    return v->before != NULL && !infected_list_is_exact(v->before);
}

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
