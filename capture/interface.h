/* interface: what the kernel knows of a network interface.
 *
 * Asked through rtnetlink, so that it is right in any network namespace, whatever is mounted at /sys, and
 * counters have 64 bits. A few microseconds a question; no packet waits for it. One thread per socket.
 */
#ifndef CAPTURE_INTERFACE_H
#define CAPTURE_INTERFACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct interface_state {
    int index;
    bool is_up; /* set up by the administrator; whether a cable is in is has_carrier */
    bool has_carrier;
    uint64_t missed; /* rx_missed_errors: the host gave the device no room for them */
    uint64_t errors; /* rx_errors: packets that came in broken; never those that are `missed` */
};

/* A socket for the questions; closed with close(). -errno. */
int interface_socket(void);

/* Asks for the interface of that number, or, where `index` is 0, of that name. -ENODEV where there is
 * none, another -errno where the kernel does not answer within a second. */
int interface_read(int socket, int index, const char *name, struct interface_state *state);

/* Whether the kernel or the device puts packets together before they are captured (GRO, LRO), so that one
 * is seen where several were sent. False where that can't be asked. */
bool interface_merges(const char *name);

/* Writes the names of all interfaces, ", " between them, as far as `size` holds whole names. */
void interface_names(char *text, size_t size);

#endif
