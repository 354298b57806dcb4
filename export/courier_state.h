/* courier_state: what the files of courier share. Nobody else includes it. */
#ifndef EXPORT_COURIER_STATE_H
#define EXPORT_COURIER_STATE_H

#include "export/courier.h"
#include "export/event.h"

#include <stdatomic.h>
#include <stddef.h>

enum { COURIER_SECRET = 256, COURIER_TEXT = 1024 };

enum courier_kind { COURIER_WEBHOOK, COURIER_COMMAND, COURIER_FILE };

/* A spec, taken apart. */
struct courier_spec {
    enum courier_kind kind;
    bool has_shell;
    bool has_route;            /* types, organisation or cursor were chosen */
    char target[COURIER_TEXT]; /* URL or path */
    char name[COURIER_TEXT];
    uint32_t types, phases; /* sets of 1 << enum */
    char organisation[EVENT_NAME];
    char cursor[COURIER_TEXT]; /* "": beside the feed */
    uint64_t timeout_ms;
    unsigned tries;
    uint8_t secret[COURIER_SECRET];
    size_t secret_len; /* 0: none */
};

/* -EINVAL and a fault; -errno of the secret's file. */
int courier_spec_read(struct courier_spec *s, const char *spec, struct fault *fault);

struct courier_letter {
    const char *json; /* with a line's end behind it */
    size_t len;       /* without it */
    const struct event *event;
};

/* One attempt. 0: it arrived; -errno and a fault. Returns soon once *is_stopped. */
int courier_post(const struct courier_spec *s, const struct courier_letter *letter,
                 const atomic_bool *is_stopped, struct fault *fault);
int courier_run(const struct courier_spec *s, const struct courier_letter *letter,
                const atomic_bool *is_stopped, struct fault *fault);
int courier_write(const struct courier_spec *s, const struct courier_letter *letter,
                  const atomic_bool *is_stopped, struct fault *fault);

#endif
