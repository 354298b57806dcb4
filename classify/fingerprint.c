#include "classify/fingerprint.h"

const char *fingerprint_masscan_form(const struct observation *o)
{
    if (o->tcp_window == 1024 && o->tcp_header_len == 20)
        return "window 1024, no options (to 2023-11)";
    if (o->tcp_window == 1025 && o->tcp_header_len == 24 && o->tcp_options == FINGERPRINT_MSS_1460)
        return "window 1025, MSS 1460 (since 2023-11)";
    return "other header";
}

const struct fingerprint_text fingerprint_texts[] = {
    [TOOL_mirai] = {"mirai", "IPv4 SYN, sequence number = destination address",
                    "Mirai source (2016), scanner.c: tcph->seq = iph->daddr; chance 1 in 2^32"},
    [TOOL_zmap] =
        {"zmap", "any IPv4 packet with identification 54321",
         "ZMap source before 4.1.0 (2024-03-21), which randomised it; chance 1 in 65,536"},
    [TOOL_masscan] =
        {"masscan",
         "IPv4 SYN, identification = low 16 bits of (destination ^ port ^ sequence), not mirai; "
         "forms: window 1024 without options (to 2023-11), window 1025 with MSS 1460 (since)",
         "masscan source, commit 4f89257 for the second form; chance 1 in 65,536"},
    [TOOL_nmap] = {"nmap", "SYN, window 1024, options exactly 02 04 05 b4 (MSS 1460)",
                   "nmap source, -sS probes"},
};
const unsigned fingerprint_text_count = sizeof fingerprint_texts / sizeof fingerprint_texts[0];
_Static_assert(sizeof fingerprint_texts / sizeof fingerprint_texts[0] == TOOL_COUNT,
               "one per tool");
