/* http_follow_state: what the files of http_follow share. Nobody else includes it. */
#ifndef EXPORT_HTTP_FOLLOW_STATE_H
#define EXPORT_HTTP_FOLLOW_STATE_H

#include "export/http_follow.h"
#include "export/record_window.h"

#include <pthread.h>

enum { HTTP_PRINTED = 4 };

/* A day that was printed, until it changes. */
struct printed {
    int32_t date;
    uint64_t seq, before_seq;
    size_t top;
    int32_t previous, next;
    bool has_previous, has_next;
    struct http_body *body;
};

struct http_follow {
    struct http_follow_settings s;
    pthread_t thread;
    pthread_mutex_t lock; /* over all below but what the thread alone uses */
    pthread_cond_t came;
    bool is_stopping, is_ready;
    const struct ruleset *next_rules; /* that names are to be of; NULL: they are */
    struct http_view *views[2];       /* newest first */
    struct outages gaps;              /* that reach into their days */
    struct http_body *events[HTTP_EVENTS];
    uint64_t event_count; /* ever */
    uint64_t
        lost_seq; /* of the last record that would be an event and is none at hand; 0: there is none */
    struct http_follow_counts counts;
    struct printed printed[HTTP_PRINTED];
    unsigned printed_next;

    /* The thread's. */
    struct record_window *unpacker;
    struct window *window;
    struct rule_names names;
    struct day_basis
        labelled; /* the rules that the newest Header names; name NULL: none was read */
    struct http_memory
        told; /* events that are to be said together, the array not closed; of told_count > 0 */
    unsigned told_count;
    uint64_t told_seq;
    bool has_names, says_events;
    bool is_behind_others; /* records stand before the one that is read first */
    bool is_again;     /* the record was read before, and what it stands on was taken away since */
    uint64_t seen_seq; /* greatest that was read */
    int32_t oldest;    /* date from which on all windows are read */
};

/* ---- http_follow_say.c; the thread's */

/* A record that is no event at hand: who asks for what is behind an earlier one is told so. */
void follow_lose(struct http_follow *f, uint64_t seq);
void follow_say_window(struct http_follow *f, const uint8_t *body, size_t len, uint64_t seq);
void follow_say_day(struct http_follow *f, int32_t date, uint64_t seq);

/* An event of the feed is said together with others: with those up to follow_say_told. */
void follow_tell(struct http_follow *f, const struct event *e, uint64_t seq);
void follow_say_told(struct http_follow *f);

/* Monotonic. */
int64_t http_follow_clock_ns(void);

/* Under the lock. False: the time is over. */
bool http_follow_wait(struct http_follow *f, int64_t end_ns);

#endif
