#include "export/share.h"

#include <stdio.h>

struct share share_of(const uint64_t counts[MARK_COUNT], enum mark numerator, enum mark denominator)
{
    return (struct share){.num = counts[numerator], .den = counts[denominator]};
}

struct share share_of_ex(const uint64_t counts[MARK_COUNT], const uint64_t out[SHARE_MARK_COUNT],
                         enum mark numerator, enum mark denominator)
{
    return (struct share){.num = counts[numerator] - out[numerator],
                          .den = counts[denominator] - out[denominator]};
}

double share_ratio(struct share s) { return s.den == 0 ? 0.0 : (double)s.num / (double)s.den; }

const char *share_text(struct share s, char text[SHARE_TEXT])
{
    if (s.den == 0) {
        snprintf(text, SHARE_TEXT, "-");
        return text;
    }
    double percent = share_ratio(s) * 100.0;
    if (s.num > 0 && percent < 0.1)
        snprintf(text, SHARE_TEXT, "<0.1 %%");
    else if (s.num < s.den && percent > 99.9)
        snprintf(text, SHARE_TEXT, ">99.9 %%");
    else
        snprintf(text, SHARE_TEXT, "%.1f %%", percent);
    return text;
}

static const char *const definitions[SHARE_MARK_COUNT] = {
    [MARK_total] = "every packet observed, backscatter and pollution included",
    [MARK_scan] = "packets that ask for something: kinds tcp_syn, tcp_data and udp",
    [MARK_iot_strict] = "scan packets to a port or with a payload that only IoT devices have",
    [MARK_iot_broad] = "iot_strict, and ports that IoT devices share with others",
    [MARK_iot_bot] = "tcp_syn packets of iot_broad that match Mirai's fingerprint",
    [MARK_iot_payload] = "scan packets whose payload shows a strict iot rule",
    [MARK_iot_confirmed] = "iot_payload or iot_bot",
};

const char *share_definition(enum mark mark)
{
    return (unsigned)mark < SHARE_MARK_COUNT ? definitions[mark] : "";
}

static const struct {
    const char *name, *definition;
    enum mark mark;
    bool is_ex;
} overs[SHARE_OVER_COUNT] = {
    [SHARE_OVER_total] = {"total", "every packet observed, backscatter and pollution included",
                          MARK_total, false},
    [SHARE_OVER_scan] = {"scan", "packets that ask for something: kinds tcp_syn, tcp_data and udp",
                         MARK_scan, false},
    [SHARE_OVER_total_ex_survey] = {"total_ex_survey",
                                    "total without acknowledged scanners, sources that behaved as "
                                    "survey scanners that day, and sources that can't be real",
                                    MARK_total, true},
    [SHARE_OVER_scan_ex_survey] = {"scan_ex_survey",
                                   "scan without acknowledged scanners, sources that behaved as "
                                   "survey scanners that day, and sources that can't be real",
                                   MARK_scan, true},
};

const char *share_over_name(enum share_over over) { return overs[over].name; }
const char *share_over_definition(enum share_over over) { return overs[over].definition; }
enum mark share_over_mark(enum share_over over) { return overs[over].mark; }
bool share_over_is_ex(enum share_over over) { return overs[over].is_ex; }

const char *share_words(struct share s, enum share_over over, char words[SHARE_WORDS])
{
    char text[SHARE_TEXT];
    snprintf(words, SHARE_WORDS, "%s of %s", share_text(s, text), share_over_name(over));
    return words;
}
