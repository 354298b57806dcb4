#include "capture/interface.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

int interface_socket(void)
{
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0)
        return -errno;
    struct timeval patience = {1, 0};
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return fd;
}

struct question {
    struct nlmsghdr head;
    struct ifinfomsg body;
    struct rtattr name;
    char text[IFNAMSIZ];
};

static int ask(int fd, uint32_t number, int index, const char *name)
{
    struct question q = {0};
    size_t len = offsetof(struct question, name);
    if (index == 0) {
        size_t text = strlen(name) + 1;
        if (text > sizeof q.text)
            return -ENODEV;
        q.name.rta_type = IFLA_IFNAME;
        q.name.rta_len = (unsigned short)RTA_LENGTH(text);
        memcpy(q.text, name, text);
        len += RTA_SPACE(text);
    }
    q.head.nlmsg_len = (uint32_t)len;
    q.head.nlmsg_type = RTM_GETLINK;
    q.head.nlmsg_flags = NLM_F_REQUEST;
    q.head.nlmsg_seq = number;
    q.body.ifi_index = index;
    return send(fd, &q, len, 0) < 0 ? -errno : 0;
}

static void read_link(const struct nlmsghdr *head, struct interface_state *state)
{
    const struct ifinfomsg *body = NLMSG_DATA(head);
    int left = (int)IFLA_PAYLOAD(head);
    *state = (struct interface_state){
        .index = body->ifi_index,
        .is_up = body->ifi_flags & IFF_UP,
        .has_carrier = body->ifi_flags & IFF_RUNNING,
    };
    for (const struct rtattr *a = IFLA_RTA(body); RTA_OK(a, left); a = RTA_NEXT(a, left)) {
        struct rtnl_link_stats64 stats;
        /* Newer kernels append counters: what we read is at the front. */
        if (a->rta_type != IFLA_STATS64 ||
            RTA_PAYLOAD(a) < offsetof(struct rtnl_link_stats64, tx_aborted_errors))
            continue;
        memset(&stats, 0, sizeof stats);
        size_t len = RTA_PAYLOAD(a);
        memcpy(&stats, RTA_DATA(a), len < sizeof stats ? len : sizeof stats);
        state->missed = stats.rx_missed_errors;
        state->errors = stats.rx_errors;
    }
}

int interface_read(int fd, int index, const char *name, struct interface_state *state)
{
    static _Thread_local uint32_t number;
    _Alignas(struct nlmsghdr) char reply[32768]; /* the largest that netlink sends */
    int rc = ask(fd, ++number, index, name);
    while (rc == 0) {
        ssize_t n = recv(fd, reply, sizeof reply, 0);
        if (n < 0)
            return errno == EAGAIN ? -ETIMEDOUT : -errno;
        const struct nlmsghdr *head = (const void *)reply;
        if (!NLMSG_OK(head, (size_t)n) || head->nlmsg_seq != number)
            continue; /* the late answer to a question given up */
        if (head->nlmsg_type == NLMSG_ERROR)
            return ((const struct nlmsgerr *)NLMSG_DATA(head))->error;
        if (head->nlmsg_type != RTM_NEWLINK)
            return -EPROTO;
        read_link(head, state);
        return 0;
    }
    return rc;
}

static uint32_t ethtool_flag(int fd, struct ifreq *request, uint32_t command)
{
    struct ethtool_value value = {.cmd = command};
    request->ifr_data = (void *)&value;
    return ioctl(fd, SIOCETHTOOL, request) < 0 ? 0 : value.data;
}

bool interface_merges(const char *name)
{
    struct ifreq request = {0};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    (void)snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
    bool does = ethtool_flag(fd, &request, ETHTOOL_GGRO) != 0 ||
                (ethtool_flag(fd, &request, ETHTOOL_GFLAGS) & ETH_FLAG_LRO) != 0;
    (void)close(fd);
    return does;
}

void interface_names(char *text, size_t size)
{
    size_t used = 0;
    struct if_nameindex *all = if_nameindex();
    text[0] = '\0';
    for (const struct if_nameindex *i = all; i && i->if_name; i++) {
        int n = snprintf(text + used, size - used, "%s%s", used ? ", " : "", i->if_name);
        if (n < 0 || (size_t)n >= size - used) {
            text[used] = '\0';
            break;
        }
        used += (size_t)n;
    }
    if (all)
        if_freenameindex(all);
}
