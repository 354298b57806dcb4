/* The yardstick: a bare pcap_next_ex loop that only counts.
 *
 *   bench_libpcap FILE
 */
#include <pcap/pcap.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    char error[PCAP_ERRBUF_SIZE];
    struct pcap_pkthdr *header;
    const u_char *data;
    unsigned long packets = 0, bytes = 0;
    pcap_t *p = argc == 2 ? pcap_open_offline(argv[1], error) : NULL;

    if (!p) {
        fprintf(stderr, "bench_libpcap: %s\n", argc == 2 ? error : "name one capture");
        return 1;
    }
    while (pcap_next_ex(p, &header, &data) == 1) {
        packets++;
        bytes += header->len;
    }
    printf("%lu packets, %lu bytes\n", packets, bytes);
    pcap_close(p);
    return 0;
}
