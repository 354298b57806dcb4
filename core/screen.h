/* screen: the whole of a terminal, drawn anew frame by frame, and given back as it was.
 *
 *   screen_open -> screen_draw, screen_key, any number -> screen_close; screen_pause and screen_resume around a stop
 *
 * Plain sequences that every terminal of the last decades knows (ECMA-48, and DEC's for the other screen, cursor and wrapping).
 * Between open and close the other screen is shown, the cursor hidden, typed keys are not echoed; Ctrl-C and Ctrl-Z stay signals. A
 * terminal that takes nothing is not waited for: the frame is dropped. Main thread; one at a time.
 */
#ifndef CORE_SCREEN_H
#define CORE_SCREEN_H

#include "capture/fault.h"

#include <stdbool.h>
#include <stddef.h>

struct screen;

/* Whether stdout is a terminal that can be drawn on: TERM is there and not dumb. */
bool screen_is_there(void);

/* -errno and a fault. */
int screen_open(struct screen **out, struct fault *fault);
void screen_close(struct screen *s); /* accepts NULL */

/* Gives the terminal back for a while; takes it again. Both may be called twice. Resume has no effect while another job
 * is in the foreground. */
void screen_pause(struct screen *s);
void screen_resume(struct screen *s);
bool screen_is_paused(const struct screen *s);

/* 80 x 24 where the terminal does not say. */
void screen_size(const struct screen *s, unsigned *columns, unsigned *rows);

/* Shows lines, each ended by a newline, as many as there are rows, none wider than the screen; those that differ from what stands
 * there are sent. -errno: the terminal is gone. No effect while paused. */
int screen_draw(struct screen *s, const char *lines, size_t len);

/* A file descriptor that is readable when a key was pressed, -1: there are no keys; and the key, 0: none. */
int screen_fd(const struct screen *s);
int screen_key(struct screen *s);

#endif
