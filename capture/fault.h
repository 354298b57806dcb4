/* fault: the one place an error message is written.
 *
 * Whoever knows the cause writes the message, with its subject and value
 * ("a.pcap.gz: byte 1048576: record length 4294967295"), into the caller's
 * struct and returns -errno. Callers above only pass it on or print it.
 * Any thread, each with its own struct.
 */
#ifndef CAPTURE_FAULT_H
#define CAPTURE_FAULT_H

#include <stdarg.h>

struct fault {
    int err;        /* errno value, positive; 0: no fault */
    char text[256]; /* one line without newline, cut if longer */
};

/* Writes the message and returns -err, so that a caller can
 * `return fault_set(f, EINVAL, "%s: ...", path);`. `f` may be NULL. */
int fault_set(struct fault *f, int err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "SUBJECT: " before the message: what a caller above knows of where the value came from.
 * Returns -err. `f` may be NULL: 0 then. */
int fault_prefix(struct fault *f, const char *subject);

/* Puts a ? for each control character: the message repeats what somebody typed or a library said.
 * Returns -err. `f` may be NULL: 0 then. */
int fault_one_line(struct fault *f);

#endif
