#include "export/words.h"

#define SAY(name, en, ja) [WORD_##name] = {#name, en, ja}

static const struct {
    const char *name, *en, *ja;
} words[WORD_COUNT] = {
    SAY(report, "Darknet report", "ダークネット観測レポート"),
    SAY(final, "final", "確定"),
    SAY(provisional, "provisional", "暫定"),
    SAY(complete, "complete", "欠測なし"),
    SAY(incomplete, "incomplete", "欠測あり"),
    SAY(mixed, "several rule sets", "ルールセットの混在"),
    SAY(inexact, "not exact", "近似値を含む"),
    SAY(inexact_note,
        "So many packets may be missing in a numerator: shares marked >= are at least that, those "
        "marked ~ (_ex_survey, by sources) may be off either way.",
        "分子には最大でその数のパケットが欠けています。>= の割合は下限です。~ の割合（_ex_survey、"
        "送信元数）は上下どちらにもずれ得ます。"),
    SAY(bounds,
        "Distinct sources, or those that rules decide, are known as bounds only, low "
        "to high: the source days of this span "
        "are not at hand, or were labelled under other rules.",
        "送信元数は下限～上限のみ判明しています（この期間の送信元別日次記録がないか、"
        "別のルールセットで付与されたもの）。"),
    SAY(packets, "packets", "パケット数"),
    SAY(sources, "sources", "送信元数"),
    SAY(to, " to ", "～"),
    SAY(days, "days", "日数"),
    SAY(windows, "windows", "ウィンドウ"),
    SAY(by_packets, "by packets", "パケット数"),
    SAY(by_sources, "by sources", "送信元数"),
    SAY(per_address, "packets per address", "1アドレスあたり"),
    SAY(per_address_full, "extrapolated to full days", "全時間を観測した場合の推計"),
    SAY(shares, "How much of it aims at IoT devices", "IoT機器を狙う割合"),
    SAY(shares_note, "Numerators overlap; each is over the denominator named.",
        "分子は互いに重なり、それぞれ明記した分母に対する割合です。"),
    SAY(numerator, "numerator", "分子"),
    SAY(denominator, "denominator", "分母"),
    SAY(share, "share", "割合"),
    SAY(num_den, "numerator / denominator", "分子 / 分母"),
    SAY(absent, "absent", "算出不可"),
    SAY(categories, "What is aimed at", "狙われた対象"),
    SAY(categories_note,
        "Each scan packet is in exactly one category; a shared port goes to its own "
        "service. The slices sum to the denominator.",
        "各スキャンパケットはちょうど一つの分類に属し、共用ポートは固有のサービスに"
        "数えます。合計は分母に一致します。"),
    SAY(categories_sources,
        "By sources: one source may aim at several categories, so bars don't sum up.",
        "送信元数：一つの送信元が複数の分類を狙うため、合計は一致しません。"),
    SAY(overlapping, "Overlapping numerators", "重なりのある分子"),
    SAY(overlapping_note, "By wider and narrower definitions of what aims at IoT.",
        "「IoTを狙う」の広い定義と狭い定義による割合です。"),
    SAY(category, "category", "分類"),
    SAY(series, "Over time", "推移"),
    SAY(series_kinds, "Packets by kind", "種別ごとのパケット数"),
    SAY(series_shares, "IoT shares by packets", "IoTの割合（パケット数）"),
    SAY(span, "span", "期間"),
    SAY(ports, "Top ports", "上位ポート"),
    SAY(ports_note, "Scan packets to each destination port.",
        "宛先ポートごとのスキャンパケット数。"),
    SAY(port, "port", "ポート"),
    SAY(device, "what answers there", "対象機器・サービス"),
    SAY(iot, "IoT", "IoT"),
    SAY(iot_strict, "strict", "固有"),
    SAY(iot_shared, "shared", "共用"),
    SAY(more_ports, "further ports", "その他のポート"),
    SAY(kinds, "What the packets are", "パケットの種別"),
    SAY(kind, "kind", "種別"),
    SAY(meaning, "meaning", "意味"),
    SAY(evidence, "On what evidence", "判定の根拠"),
    SAY(evidence_note,
        "A port says what a packet aims at; a payload says it more surely; a bot's feature "
        "says who sends it and overlaps with both.",
        "ポートは狙いを示し、ペイロードはより確かな根拠です。ボットの特徴は送信者を示し、"
        "両者と重なります。"),
    SAY(evidence_port, "port", "ポート"),
    SAY(evidence_payload, "payload", "ペイロード"),
    SAY(evidence_bot, "bot (sender)", "ボット（送信者）"),
    SAY(assessable, "assessable", "判定可能"),
    SAY(assessable_note,
        "packets that could have shown more than a port: the rest carry no payload and no "
        "field that a bot would mark",
        "ポート以上の根拠を示し得たパケット（その他はペイロードもボットの特徴が現れる"
        "欄もない）"),
    SAY(rule, "rule", "ルール"),
    SAY(tools, "Scanning tools", "スキャンツール"),
    SAY(tools_note,
        "A single packet may match by chance; a source uses a tool when enough of its packets "
        "match. Tools are evidence of neither target nor bot.",
        "個々のパケットは偶然一致し得ます。十分な数が一致した送信元を「使用」とします。"
        "ツールは狙いやボットの根拠ではありません。"),
    SAY(tool, "tool", "ツール"),
    SAY(matched, "packets that match", "一致したパケット"),
    SAY(used, "of sources that use it", "使用する送信元のパケット"),
    SAY(survey, "Survey scanners, and what is taken out", "調査目的のスキャンと除外対象"),
    SAY(survey_note,
        "_ex_survey leaves out acknowledged scanners, sources that behaved as survey scanners "
        "that day, and sources that can't be real. A source with bot or exploit evidence is "
        "never taken out (conflict).",
        "_ex_survey は、公表されたスキャナ、その日に調査目的のスキャンと判定した送信元、"
        "実在し得ない送信元を除きます。ボットや攻撃コードの根拠がある送信元は除きません"
        "（競合）。"),
    SAY(survey_share, "survey share", "調査目的のスキャンの割合"),
    SAY(survey_windows,
        "made from windows: they do not part survey scanners from what else "
        "is taken out",
        "ウィンドウからの集計です。除外分のうち調査目的のスキャンだけの数は"
        "分かりません"),
    SAY(survey_basis, "survey scanners of", "調査判定の日"),
    SAY(class, "class", "区分"),
    SAY(class_survey, "survey", "調査目的（挙動による）"),
    SAY(class_acknowledged, "acknowledged", "公表されたスキャナ"),
    SAY(class_bogon, "bogon", "実在し得ない送信元"),
    SAY(class_conflict, "conflict (kept in)", "競合（除外しない）"),
    SAY(organisations, "Acknowledged organisations", "公表されたスキャナの組織"),
    SAY(places, "Where it comes from", "送信元の国とAS"),
    SAY(blocks, "Blocks of sources that can't be real", "実在し得ない送信元のブロック"),
    SAY(countries, "Where it comes from: countries", "送信元の国"),
    SAY(ases, "Where it comes from: AS", "送信元のAS"),
    SAY(no_databases, "no database of countries or AS was given (replay --country, --as)",
        "国とASのデータベースは指定されていません（replay --country、--as）"),
    SAY(no_places, "the databases know none of the sources",
        "データベースに該当する送信元がありません"),
    SAY(no_countries, "no source's country is known: --country names a database to replay",
        "国の分かる送信元はありません（replay の --country で指定します）"),
    SAY(no_ases, "no source's AS is known: --as names a database to replay",
        "ASの分かる送信元はありません（replay の --as で指定します）"),
    SAY(country, "country", "国"),
    SAY(as, "AS", "AS"),
    SAY(unknown, "unknown", "不明"),
    SAY(none, "none", "なし"),
    SAY(coverage, "Coverage and loss", "観測率と欠損"),
    SAY(coverage_note,
        "Incomplete days are listed and never rescaled. Packets per address are over the days "
        "that are there.",
        "欠測のある日は一覧に示し、補正はしません。1アドレスあたりの値は記録のある日に"
        "ついてのものです。"),
    SAY(observed, "observed", "観測時間の割合"),
    SAY(lost, "lost", "欠損パケット"),
    SAY(telescope, "telescope", "観測網"),
    SAY(no_id, "without an id", "IDなし"),
    SAY(addresses, "IPv4 addresses", "IPv4アドレス数"),
    SAY(size_unknown, "size unknown", "規模不明"),
    SAY(outages, "not watched", "未観測の時間"),
    SAY(outages_none, "no gap is in the windows at hand", "手元のウィンドウに空白はありません"),
    SAY(outages_unread, "gaps were not looked for: more days than are read through for them",
        "空白は調べていません（日数が多いため、ウィンドウを読んでいません）"),
    SAY(partial, "partly watched windows", "一部観測のウィンドウ"),
    SAY(no_windows, "not known: there are no windows", "不明（ウィンドウがありません）"),
    SAY(ipv6_alone, "IPv6 alone", "IPv6のみ"),
    SAY(recorder, "packets not recorded", "未記録のパケット"),
    SAY(unwritten, "windows not written", "未書込のウィンドウ"),
    SAY(incomplete_days, "Incomplete days", "欠測のある日"),
    SAY(date, "date", "日付"),
    SAY(basis, "What it rests on", "算出の根拠"),
    SAY(ledger, "ledger", "収支"),
    SAY(rules_computed, "rule set of the ports", "ポートのルールセット"),
    SAY(rules_labelled, "rule set of payloads", "ペイロードのルールセット"),
    SAY(restated, "restated", "再計算"),
    SAY(lists, "scanner lists", "スキャナ一覧"),
    SAY(no_lists, "no list of acknowledged scanners was loaded",
        "公表されたスキャナの一覧は読み込まれていません"),
    SAY(databases, "databases", "データベース"),
    SAY(survey_settings, "survey settings", "調査判定の設定"),
    SAY(sensors, "sensors", "センサー"),
    SAY(timezone, "time zone", "タイムゾーン"),
    SAY(rules_in_force, "rule set in force", "使用中のルールセット"),
    SAY(definitions, "Definitions", "定義"),
    SAY(notes, "Notes", "注意"),
    SAY(state, "state", "状態"),
    SAY(no_data, "No packets", "パケットなし"),
    SAY(chart_needs, "Charts need JavaScript; the tables hold all numbers.",
        "グラフにはJavaScriptが必要です。数値はすべて表にあります。"),
    SAY(other, "others", "その他"),
    SAY(hours_provisional, "the hours below are provisional", "以下の時間別の値は暫定"),
    SAY(damaged, "damaged", "破損"),
    SAY(given_up, "given up", "省略"),
#undef SAY
};

const char *word_name(enum word w) { return words[w].name; }

const char *word(enum word w, bool is_japanese) { return is_japanese ? words[w].ja : words[w].en; }

const char *word_unit(enum unit unit, uint64_t count, bool is_japanese)
{
    static const char *const units[][3] = {
        [UNIT_packet] = {"packet", "packets", "パケット"},
        [UNIT_source] = {"source", "sources", "送信元"},
        [UNIT_day] = {"day", "days", "日"},
    };
    return units[unit][is_japanese ? 2 : count != 1];
}

const char *word_numerator(enum mark mark, bool is_japanese)
{
    static const char *const ja[SHARE_MARK_COUNT] = {
        [MARK_total] = "バックスキャッタ等を含む、観測した全パケット",
        [MARK_scan] = "何かを求めるパケット（種別 tcp_syn、tcp_data、udp）",
        [MARK_iot_strict] = "IoT機器だけが使うポート宛、またはIoT機器だけに送られるペイロードを持つ"
                            "スキャンパケット",
        [MARK_iot_broad] = "iot_strict に、IoT機器が他と共用するポート宛を加えたもの",
        [MARK_iot_bot] =
            "iot_broad のうち、Miraiの特徴（TCPシーケンス番号が宛先アドレスに等しい）を持つ"
            "接続要求（種別 tcp_syn）",
        [MARK_iot_payload] = "IoT機器だけに送られるペイロードを持つスキャンパケット",
        [MARK_iot_confirmed] = "iot_payload または iot_bot（ポート以上の根拠があるもの）",
    };
    return is_japanese ? ja[mark] : share_definition(mark);
}

const char *word_denominator(enum share_over over, bool is_japanese)
{
    static const char *const ja[SHARE_OVER_COUNT] = {
        [SHARE_OVER_total] = "バックスキャッタ等を含む、観測した全パケット",
        [SHARE_OVER_scan] = "何かを求めるパケット（種別 tcp_syn、tcp_data、udp）",
        [SHARE_OVER_total_ex_survey] =
            "total から、公表されたスキャナ、その日に調査目的のスキャンと判定した"
            "送信元、実在し得ない送信元を除いたもの",
        [SHARE_OVER_scan_ex_survey] =
            "scan から、公表されたスキャナ、その日に調査目的のスキャンと判定した"
            "送信元、実在し得ない送信元を除いたもの",
    };
    return is_japanese ? ja[over] : share_over_definition(over);
}

const char *word_kind(enum kind kind, bool is_japanese)
{
    static const struct {
        const char *en, *ja;
    } kinds[KIND_COUNT] = {
        [KIND_tcp_syn] = {"asks for a connection", "接続要求"},
        [KIND_tcp_data] = {"TCP data out of the blue", "接続のないTCPデータ"},
        [KIND_tcp_other] = {"other TCP flags", "その他のTCPフラグ"},
        [KIND_udp] = {"UDP", "UDP"},
        [KIND_icmp] = {"ICMP requests", "ICMP要求"},
        [KIND_backscatter_tcp] = {"answers to forged TCP", "詐称されたTCPへの応答"},
        [KIND_backscatter_icmp] = {"ICMP replies and errors", "ICMP応答・エラー"},
        [KIND_backscatter_udp] = {"answers of reflectors", "リフレクタの応答"},
        [KIND_stray] = {"pollution that is no scan", "スキャンでない迷入"},
        [KIND_fragment] = {"later fragments", "後続フラグメント"},
        [KIND_other_ip] = {"other IP protocols", "その他のIPプロトコル"},
        [KIND_non_ip] = {"no IP", "IP以外"},
        [KIND_malformed] = {"broken headers", "不正なヘッダ"},
        [KIND_outside] = {"not to the telescope", "観測網宛でない"},
    };
    return is_japanese ? kinds[kind].ja : kinds[kind].en;
}
