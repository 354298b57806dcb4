/* A plugin of DPDK's EAL (-d), for judges: feeds the rings of a net_ring port of whatever program loads it.
 *
 *   RING_FEED_PORT   the port
 *   RING_FEED_QUEUES its queues
 *   RING_FEED_PCAP   the packets, to one queue after the other
 *   RING_FEED_GO     a file: when it is there, they go
 *
 * Nothing but a process of its own can reach a net_ring; so the packets have to come from inside, without the program knowing of it.
 */
#include <pthread.h>
#include <rte_mbuf.h>
#include <rte_ring.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <pcap/pcap.h>

static void packet_put(struct rte_mempool *pool, struct rte_ring *ring, const u_char *bytes,
                       unsigned len)
{
    struct rte_mbuf *m;
    while (!(m = rte_pktmbuf_alloc(pool)))
        usleep(50);
    char *to = rte_pktmbuf_append(m, (uint16_t)len);
    if (!to)
        abort();
    memcpy(to, bytes, len);
    while (rte_ring_enqueue(ring, m) != 0)
        usleep(50);
}

static struct rte_ring *ring_of(unsigned queue)
{
    char name[RTE_RING_NAMESIZE];
    (void)snprintf(name, sizeof name, "ETH_RXTX%u_%s", queue, getenv("RING_FEED_PORT"));
    return rte_ring_lookup(name);
}

static void *feed(void *arg)
{
    const char *go = getenv("RING_FEED_GO"), *path = getenv("RING_FEED_PCAP");
    unsigned queues = (unsigned)atoi(getenv("RING_FEED_QUEUES")), queue = 0;
    char error[PCAP_ERRBUF_SIZE];
    struct pcap_pkthdr *header;
    const u_char *bytes;
    (void)arg;
    while (access(go, F_OK) != 0)
        usleep(10000);
    pcap_t *file = pcap_open_offline(path, error);
    struct rte_mempool *pool = rte_pktmbuf_pool_create("feed", 4095, 0, 0, 4096, SOCKET_ID_ANY);
    while (file && pool && pcap_next_ex(file, &header, &bytes) == 1) {
        packet_put(pool, ring_of(queue), bytes, header->caplen);
        queue = (queue + 1) % queues;
    }
    if (file)
        pcap_close(file);
    if (!file || !pool)
        (void)fprintf(stderr, "ring_feed: %s can't be fed\n", path);
    return NULL;
}

__attribute__((constructor)) static void begin(void)
{
    pthread_t thread;
    if (getenv("RING_FEED_PORT") && pthread_create(&thread, NULL, feed, NULL) == 0)
        (void)pthread_detach(thread);
}
