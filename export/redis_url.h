/* redis_url: where a Redis is, who asks, and for how long what is written there is kept.
 *
 *   redis://[USER[:PASSWORD]@]HOST[:PORT][,HOST[:PORT]...][/DB][?OPTION=VALUE[&...]]
 *   rediss://...                                   the same through TLS
 *   unix://[USER[:PASSWORD]@]/PATH/TO/SOCKET[?OPTION=VALUE...]
 *
 *   db=N                 database number; not in a cluster
 *   password_file=PATH   its first line is the password. A password in the text of a command is seen by
 *                        everyone on the machine; the third way is the variable YAMISCOPE_REDIS_PASSWORD
 *   timeout=SPAN         for a connection, and for silence while an answer is due; 10s
 *   keep_windows=SPAN    of the stream of windows; 31d
 *   keep_days=SPAN       of the stream of days and of the shares of days; 400d
 *   keep_events=SPAN     of the stream of events, which holds addresses of sources; 31d; 0: no event is told
 *   keep_hours=SPAN      of the ports and sketches of hours; 7d
 *   ca=PATH cert=PATH key=PATH   of TLS: who may have signed the server's certificate (hiredis does not hold it to the
 *                        host's name: a CA of your own is best); our own
 *
 * SPAN: whole seconds, or with s, m, h, d behind. Several hosts are nodes of one cluster (or a primary and its
 * replicas): they are tried in turn. HOST in brackets is an IPv6 address. %XX stands for a byte in user,
 * password, path and values. A plain struct; any thread.
 */
#ifndef EXPORT_REDIS_URL_H
#define EXPORT_REDIS_URL_H

#include "capture/fault.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    REDIS_TEXT = 256, /* bytes of each text, its zero included */
    REDIS_HOSTS = 8,
    REDIS_NAME = 512, /* holds every redis_url_name */
    REDIS_PORT = 6379,
};

struct redis_host {
    char name[REDIS_TEXT]; /* of a unix socket its path */
    uint16_t port;         /* 0: a unix socket */
};

struct redis_url {
    struct redis_host hosts[REDIS_HOSTS];
    unsigned host_count; /* at least 1 */
    bool is_tls;
    bool has_password_in_text;
    unsigned db;
    char user[REDIS_TEXT], password[REDIS_TEXT]; /* "": none */
    char ca[REDIS_TEXT], cert[REDIS_TEXT], key[REDIS_TEXT];
    uint64_t timeout_ms;
    uint64_t keep_windows_s, keep_days_s, keep_hours_s, keep_events_s;
};

/* Whether a text begins with one of the three schemes. */
bool redis_url_is(const char *text);

/* Takes a text apart, and reads the password's file or variable. -EINVAL and a fault that names what is wrong with
 * it, never its password; -ENOTSUP: TLS, and this program was built without; -errno of the password's file. */
int redis_url_parse(struct redis_url *out, const char *text, struct fault *fault);

/* "redis://user@host:6379/2": of all hosts, without the password. For messages. Returns `name`. */
const char *redis_url_name(const struct redis_url *url, char name[REDIS_NAME]);

#endif
