#include "capture/dpdk_sockets.h"

#include <dirent.h>
#include <linux/if_packet.h>
#include <linux/if_xdp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

void dpdk_sockets_find(struct dpdk_sockets *s, int domain)
{
    memset(s, 0, sizeof *s);
    s->domain = domain;
    DIR *dir = opendir("/proc/self/fd");
    struct dirent *entry;
    while (dir && (entry = readdir(dir)) && s->count < sizeof s->fd / sizeof *s->fd) {
        int fd = atoi(entry->d_name), found = -1;
        socklen_t length = sizeof found;
        if (entry->d_name[0] != '.' &&
            getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &found, &length) == 0 && found == domain)
            s->fd[s->count++] = fd;
    }
    if (dir)
        (void)closedir(dir);
}

void dpdk_sockets_less(struct dpdk_sockets *s, const struct dpdk_sockets *before)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < s->count; i++) {
        bool is_old = false;
        for (unsigned k = 0; k < before->count; k++)
            is_old |= before->fd[k] == s->fd[i];
        if (!is_old)
            s->fd[kept++] = s->fd[i];
    }
    s->count = kept;
}

int64_t dpdk_sockets_dropped(struct dpdk_sockets *s)
{
    uint64_t xdp_dropped = 0;
    for (unsigned i = 0; i < s->count; i++) {
        struct tpacket_stats packet = {0};
        struct xdp_statistics xdp = {0};
        socklen_t length = s->domain == AF_XDP ? sizeof xdp : sizeof packet;
        int err = s->domain == AF_XDP
                      ? getsockopt(s->fd[i], SOL_XDP, XDP_STATISTICS, &xdp, &length)
                      : getsockopt(s->fd[i], SOL_PACKET, PACKET_STATISTICS, &packet, &length);
        if (err)
            return -1;
        s->dropped += packet.tp_drops;
        /* No buffer or too long; ring full. */
        xdp_dropped += xdp.rx_dropped + xdp.rx_ring_full;
    }
    if (!s->count)
        return -1;
    return (int64_t)(s->domain == AF_XDP ? xdp_dropped : s->dropped);
}
