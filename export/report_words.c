#include "export/report_words.h"

#include "export/calendar.h"
#include "export/text.h"
#include "export/words.h"

#include <stdio.h>
#include <string.h>

/* As they are said: day_result.c, span.c, span_window.c. A name stands where %s does. */
static const struct {
    const char *en, *en_behind, *ja, *ja_behind;
} reasons[] = {
    {"the telescope's size is unknown", NULL, "観測網の規模が不明です", ""},
    {"the size of telescope ", " is unknown", "観測網 ", " の規模が不明です"},
    {"the size of a telescope is not known", NULL, "規模が不明な観測網があります", ""},
    {"no IPv4 address was dark", NULL, "観測対象のIPv4アドレスがありません", ""},
    {"no telescope is named", NULL, "観測網が指定されていません", ""},
    {"made from windows: the seconds observed are known when the day is over", NULL,
     "ウィンドウからの集計です。観測時間は一日が終わるまで確定しません", ""},
    {"made from windows: they say what is taken out of the IoT shares alone", NULL,
     "ウィンドウからの集計です。除外分が分かるのはIoTの割合だけです", ""},
    {"the windows do not say what they take out: the telescope's size is not known, or days were "
     "not counted",
     NULL, "ウィンドウに除外分の記録がありません。観測網の規模が不明か、日次の集計をしていません",
     ""},
    {"some of the windows do not say what they take out: the telescope's size is not known, or "
     "days were not counted",
     NULL,
     "一部のウィンドウに除外分の記録がありません。観測網の規模が不明か、日次の集計をしていません",
     ""},
};

/* Bytes of "2026-01-02: " in front; 0: none. */
static size_t date_before(const char *why)
{
    const char *colon = strstr(why, ": ");
    size_t len = colon == NULL ? 0 : (size_t)(colon - why);
    return len > 0 && strspn(why, "0123456789-") == len ? len + 2 : 0;
}

const char *report_reason(const char *why, bool is_japanese, char to[REPORT_WORDS])
{
    size_t before = date_before(why);
    const char *text = why + before;
    snprintf(to, REPORT_WORDS, "%s", why);
    for (size_t i = 0; is_japanese && i < sizeof reasons / sizeof *reasons; i++) {
        const char *en = reasons[i].en, *behind = reasons[i].en_behind;
        size_t len = strlen(text), head = strlen(en), tail = behind == NULL ? 0 : strlen(behind);
        if (len < head + tail || (behind == NULL && len != head) || memcmp(text, en, head) != 0 ||
            (tail > 0 && memcmp(text + len - tail, behind, tail) != 0))
            continue;
        snprintf(to, REPORT_WORDS, "%.*s%s%.*s%s", (int)before, why, reasons[i].ja,
                 (int)(len - head - tail), text + head, reasons[i].ja_behind);
        break;
    }
    return to;
}

const char *report_basis_dates(const struct window_basis *b, bool is_japanese,
                               char to[REPORT_DATES])
{
    char first[CALENDAR_DATE] = "", last[CALENDAR_DATE] = "";
    bool is_one = b->first == b->last;
    if (b->has_survey) {
        calendar_text(b->first, first);
        calendar_text(b->last, last);
    }
    snprintf(to, REPORT_DATES, "%s%s%s%s%s",
             b->has_survey && !b->lacks_survey ? "" : word(WORD_none, is_japanese),
             b->has_survey && b->lacks_survey ? ", " : "", first,
             b->has_survey && !is_one ? word(WORD_to, is_japanese) : "", is_one ? "" : last);
    return to;
}

const char *report_basis(const struct window_basis *b, bool is_japanese, char to[REPORT_WORDS])
{
    struct window_basis known = *b;
    char dates[REPORT_DATES];
    known.lacks_survey = false;
    report_basis_dates(&known, is_japanese, dates);
    if (!is_japanese && !b->has_survey)
        snprintf(
            to, REPORT_WORDS,
            "_ex_survey is provisional: it leaves out bogons and acknowledged scanners, but no "
            "survey scanners, since no day was over yet");
    else if (!is_japanese)
        snprintf(to, REPORT_WORDS,
                 "_ex_survey is provisional: it leaves out bogons, acknowledged scanners, and the "
                 "survey scanners of the newest day that was over when a window opened (%s)%s",
                 dates,
                 b->lacks_survey ? "; of windows that opened before the first day was over, no "
                                   "survey scanners"
                                 : "");
    else if (!b->has_survey)
        snprintf(to, REPORT_WORDS,
                 "_ex_survey は暫定値です。実在し得ない送信元と公表されたスキャナを除きますが、"
                 "終わった日がまだないため、調査目的のスキャンは除かれていません。");
    else
        snprintf(to, REPORT_WORDS,
                 "_ex_survey は暫定値です。実在し得ない送信元、公表されたスキャナ、および各"
                 "ウィンドウの開始時に終わっていた最新の日（%s）に調査目的のスキャンと判定した"
                 "送信元を除きます。%s",
                 dates,
                 b->lacks_survey ? "最初の日が終わる前のウィンドウでは、調査目的のスキャンは"
                                   "除かれていません。"
                                 : "");
    return to;
}

const char *report_given_up(const struct day_given_up *g, bool is_japanese, char to[REPORT_WORDS])
{
    const struct {
        uint64_t packets;
        const char *en, *ja;
    } causes[] = {
        {g->damaged, "the source days of %s packets were damaged",
         "%s パケット分の送信元別日次記録が破損していました"},
        {g->sources, "the sources of %s packets were given up for memory",
         "メモリ上限により %s パケット分の送信元を省略しました"},
        {g->ports, "the ports of %s packets were given up for memory",
         "メモリ上限により %s パケット分のポートを省略しました"},
        {g->rules, "the evidence of %s packets was given up for memory",
         "メモリ上限により %s パケット分の根拠を省略しました"},
    };
    const char *before = word(WORD_inexact, is_japanese);
    char number[TEXT_NUMBER], cause[REPORT_WORDS / 4];
    size_t len = 0;
    to[0] = '\0';
    for (size_t i = 0; i < sizeof causes / sizeof *causes; i++) {
        if (causes[i].packets == 0)
            continue;
        snprintf(cause, sizeof cause, is_japanese ? causes[i].ja : causes[i].en,
                 text_number(causes[i].packets, number));
        len += (size_t)snprintf(to + len, REPORT_WORDS - len, "%s%s%s", len == 0 ? before : "",
                                len > 0       ? (is_japanese ? "、" : "; ")
                                : is_japanese ? "："
                                              : ": ",
                                cause);
    }
    return to;
}

const char *report_share_sign(const struct span *s, enum share_over over, bool by_sources)
{
    if (s->is_exact)
        return "";
    return by_sources || share_over_is_ex(over) ? "~ " : ">= ";
}

/* The mean of the days'; whole where they are equal. */
static const char *addresses_text(const struct span *s, char to[TEXT_NUMBER])
{
    uint64_t rest = s->address_days % s->days;
    text_number(s->address_days / s->days, to);
    if (rest > 0) {
        size_t len = strlen(to);
        snprintf(to + len, TEXT_NUMBER - len, ".%u",
                 (unsigned)((double)rest * 10 / (double)s->days));
    }
    return to;
}

const char *report_per_address(const struct span *s, bool ex_survey, bool is_japanese,
                               char to[REPORT_WORDS])
{
    char value[TEXT_NUMBER], packets[TEXT_NUMBER], addresses[TEXT_NUMBER];
    double per = span_packets_per_address(s, false, ex_survey);
    to[0] = '\0';
    if (per >= 0)
        snprintf(to, REPORT_WORDS,
                 is_japanese ? "%s = IPv4 %s パケット / %s アドレス"
                             : "%s = %s IPv4 packets / %s addresses",
                 text_decimal(per, value),
                 text_number(ex_survey ? s->ip4_packets_ex : s->ip4_packets, packets),
                 addresses_text(s, addresses));
    return to;
}

const char *report_observed(double share, char to[TEXT_NUMBER])
{
    double percent = share * 100;
    if (percent < 100 && percent > 99.999)
        percent = 99.999;
    snprintf(to, TEXT_NUMBER, "%.3f %%", percent);
    return to;
}

double report_observed_of(const struct span *s)
{
    return s->seconds > 0 ? s->observed_seconds / (double)s->seconds : 0;
}

const char *report_full_days(const struct span *s, bool is_japanese, char to[REPORT_WORDS])
{
    char value[TEXT_NUMBER], observed[TEXT_NUMBER];
    double per = span_packets_per_address(s, true, false);
    to[0] = '\0';
    if (per >= 0 && s->coverage_milli < 100000)
        snprintf(to, REPORT_WORDS, is_japanese ? "%s（観測 %s）" : "%s (%s was observed)",
                 text_decimal(per, value), report_observed(report_observed_of(s), observed));
    return to;
}
