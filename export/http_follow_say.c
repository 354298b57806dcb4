/* The events of a follower, as text for server-sent events. Part of http_follow. */
#include "export/event_print.h"
#include "export/http_follow_state.h"
#include "export/http_window.h"

#include <inttypes.h>

/* Who asks for what is behind an earlier record is told that this one is not at hand. */
void follow_lose(struct http_follow *f, uint64_t seq)
{
    pthread_mutex_lock(&f->lock);
    if (f->lost_seq < seq)
        f->lost_seq = seq;
    pthread_mutex_unlock(&f->lock);
}

static void event_add(struct http_follow *f, struct http_body *event, uint64_t seq)
{
    if (event == NULL) { /* memory ended */
        follow_lose(f, seq);
        return;
    }
    event->seq = seq;
    event->at_ns = http_follow_clock_ns();
    pthread_mutex_lock(&f->lock);
    struct http_body **at = &f->events[f->event_count++ % HTTP_EVENTS];
    struct http_body *old = *at;
    if (old != NULL && f->lost_seq < old->seq)
        f->lost_seq = old->seq;
    *at = event;
    pthread_cond_broadcast(&f->came);
    pthread_mutex_unlock(&f->lock);
    http_body_release(old);
}

void follow_say_window(struct http_follow *f, const uint8_t *body, size_t len, uint64_t seq)
{
    struct http_memory m;
    Yamiscope__Window *w = http_window_unpack(body, len);
    if (w == NULL) {
        follow_lose(f, seq);
        return;
    }
    if ((f->s.min_sources == 0 || http_window_fold(w, f->s.min_sources) == 0) &&
        http_memory_begin(&m) == 0) {
        fprintf(m.out, "id: %" PRIu64 "\nevent: window\ndata: ", seq);
        int err = http_window_json(m.out, w, seq, HTTP_EVENT_PORTS);
        fputs("\n\n", m.out);
        struct http_body *event = http_memory_end(&m);
        if (err < 0)
            http_body_release(event);
        event_add(f, err < 0 ? NULL : event, seq);
    } else {
        follow_lose(f, seq);
    }
    yamiscope__window__free_unpacked(w, NULL);
}

void follow_say_day(struct http_follow *f, int32_t date, uint64_t seq)
{
    char text[SPAN_DATE];
    struct http_memory m;
    if (http_memory_begin(&m) < 0) {
        follow_lose(f, seq);
        return;
    }
    span_date_text(date, text);
    fprintf(m.out, "id: %" PRIu64 "\nevent: day\ndata: {\"date\":\"%s\",\"seq\":%" PRIu64 "}\n\n",
            seq, text, seq);
    event_add(f, http_memory_end(&m), seq);
}

/* Says the events that were told together. */
void follow_say_told(struct http_follow *f)
{
    if (f->told_count == 0)
        return;
    fprintf(f->told.out, "]\nid: %" PRIu64 "\n\n", f->told_seq);
    f->told_count = 0;
    event_add(f, http_memory_end(&f->told), f->told_seq);
}

void follow_tell(struct http_follow *f, const struct event *e, uint64_t seq)
{
    if (f->told_count == HTTP_TOLD)
        follow_say_told(f);
    if (f->told_count == 0 && http_memory_begin(&f->told) < 0) {
        follow_lose(f, seq);
        return;
    }
    /* The id stands behind the data: the last event's is known then. */
    fputs(f->told_count == 0 ? "event: events\ndata: [" : ",", f->told.out);
    event_json_record(f->told.out, e, seq);
    f->told_count++;
    f->told_seq = seq;
}
