/* redis_link: one connection to a Redis, on which commands are sent at once and their answers read in turn.
 *
 * Never blocks longer than its timeout of silence, and returns soon when it is interrupted from another thread (but for the look-up of
 * a name). All that a server says is a stranger's: replies are bounded in size, their text is only ever shown.
 * hiredis connects and takes replies apart. One thread per link; redis_link_interrupt: any.
 */
#ifndef EXPORT_REDIS_LINK_H
#define EXPORT_REDIS_LINK_H

#include "capture/fault.h"
#include "export/redis_batch.h"
#include "export/redis_url.h"

#include <hiredis/hiredis.h>

struct redis_link;

enum {
    REDIS_REPLY_BYTES = 96 << 20, /* of one reply: the greatest record (64 MB) fits */
    REDIS_REPLY_ROWS = 4096,      /* of one array */
};

/* `url` must outlive it. Connects to nothing. NULL with errno. */
struct redis_link *redis_link_create(const struct redis_url *url);
void redis_link_destroy(struct redis_link *l); /* accepts NULL */

/* Connects to a host (copied), then says who we are (AUTH) and which database (SELECT). A connection that is there is
 * closed before. -ETIMEDOUT, -ECONNREFUSED, ...; -EACCES; -EINVAL: no such database; all with a fault. */
int redis_link_open(struct redis_link *l, const struct redis_host *host, struct fault *fault);

/* Takes over a connected socket as it is, for tests. */
int redis_link_adopt(struct redis_link *l, int fd, struct fault *fault);

void redis_link_close(struct redis_link *l);
bool redis_link_is_open(const struct redis_link *l);
const struct redis_host *redis_link_host(const struct redis_link *l);

/* Silence may last so long. */
void redis_link_patience(struct redis_link *l, uint64_t timeout_ms);

/* Sends commands [from, from + count) of a batch and gives each answer, in turn, to `take` (which does not keep it), whatever it
 * says. A failure of the connection closes it: -errno and a fault; answers that were given before hold. `take` returns 0 to
 * go on, else what redis_link_run is to return; the connection stays then only if every answer was read. */
typedef int (*redis_take)(void *context, size_t command, const redisReply *reply);
int redis_link_run(struct redis_link *l, const struct redis_batch *b, size_t from, size_t count,
                   redis_take take, void *context, struct fault *fault);

/* From any thread: a call that waits returns -ECANCELED soon, and so do all later ones. */
void redis_link_interrupt(struct redis_link *l);

/* What an error of the server means, as sink.h tells errors apart; `text` is its text. -EXDEV: ASK. */
int redis_error(const char *text);

/* Takes "MOVED 3999 host:port" or "ASK ..." apart; a host that is not said is that of `from`. False: it is none. */
bool redis_redirect(const char *text, const struct redis_host *from, struct redis_host *to);

#endif
