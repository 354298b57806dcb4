#include "export/words.h"

static const struct {
    const char *en, *ja;
} words[WORD_COUNT] = {
    [WORD_report] = {"Darknet report", "ダークネット観測レポート"},
    [WORD_final] = {"final", "確定"},
    [WORD_provisional] = {"provisional", "暫定"},
    [WORD_complete] = {"complete", "欠測なし"},
    [WORD_incomplete] = {"incomplete", "欠測あり"},
    [WORD_mixed] = {"several rule sets", "ルールセットの混在"},
    [WORD_inexact] = {"not exact", "近似値を含む"},
    [WORD_inexact_note] =
        {"So many packets may be missing in a numerator: shares marked >= are at least that, those "
         "marked ~ (_ex_survey, by sources) may be off either way.",
         "分子には最大でその数のパケットが欠けています。>= の割合は下限です。~ の割合（_ex_survey、"
         "送信元数）は上下どちらにもずれ得ます。"},
    [WORD_bounds] = {"Distinct sources, or those that rules decide, are known as bounds only, low "
                     "to high: the source days of this span "
                     "are not at hand, or were labelled under other rules.",
                     "送信元数は下限～上限のみ判明しています（この期間の送信元別日次記録がないか、"
                     "別のルールセットで付与されたもの）。"},
    [WORD_packets] = {"packets", "パケット数"},
    [WORD_sources] = {"sources", "送信元数"},
    [WORD_to] = {" to ", "～"},
    [WORD_days] = {"days", "日数"},
    [WORD_windows] = {"windows", "ウィンドウ"},
    [WORD_by_packets] = {"by packets", "パケット数"},
    [WORD_by_sources] = {"by sources", "送信元数"},
    [WORD_per_address] = {"packets per address", "1アドレスあたり"},
    [WORD_per_address_full] = {"extrapolated to full days", "全時間を観測した場合の推計"},
    [WORD_shares] = {"How much of it aims at IoT devices", "IoT機器を狙う割合"},
    [WORD_shares_note] = {"Numerators overlap; each is over the denominator named.",
                          "分子は互いに重なり、それぞれ明記した分母に対する割合です。"},
    [WORD_numerator] = {"numerator", "分子"},
    [WORD_denominator] = {"denominator", "分母"},
    [WORD_share] = {"share", "割合"},
    [WORD_num_den] = {"numerator / denominator", "分子 / 分母"},
    [WORD_absent] = {"absent", "算出不可"},
    [WORD_categories] = {"What is aimed at", "狙われた対象"},
    [WORD_categories_note] =
        {"Each scan packet is in exactly one category; a shared port goes to its own "
         "service. The slices sum to the denominator.",
         "各スキャンパケットはちょうど一つの分類に属し、共用ポートは固有のサービスに"
         "数えます。合計は分母に一致します。"},
    [WORD_categories_sources] =
        {"By sources: one source may aim at several categories, so bars don't sum up.",
         "送信元数：一つの送信元が複数の分類を狙うため、合計は一致しません。"},
    [WORD_overlapping] = {"Overlapping numerators", "重なりのある分子"},
    [WORD_overlapping_note] = {"By wider and narrower definitions of what aims at IoT.",
                               "「IoTを狙う」の広い定義と狭い定義による割合です。"},
    [WORD_category] = {"category", "分類"},
    [WORD_series] = {"Over time", "推移"},
    [WORD_series_kinds] = {"Packets by kind", "種別ごとのパケット数"},
    [WORD_series_shares] = {"IoT shares by packets", "IoTの割合（パケット数）"},
    [WORD_span] = {"span", "期間"},
    [WORD_ports] = {"Top ports", "上位ポート"},
    [WORD_ports_note] = {"Scan packets to each destination port.",
                         "宛先ポートごとのスキャンパケット数。"},
    [WORD_port] = {"port", "ポート"},
    [WORD_device] = {"what answers there", "対象機器・サービス"},
    [WORD_iot] = {"IoT", "IoT"},
    [WORD_iot_strict] = {"strict", "固有"},
    [WORD_iot_shared] = {"shared", "共用"},
    [WORD_more_ports] = {"further ports", "その他のポート"},
    [WORD_kinds] = {"What the packets are", "パケットの種別"},
    [WORD_kind] = {"kind", "種別"},
    [WORD_meaning] = {"meaning", "意味"},
    [WORD_evidence] = {"On what evidence", "判定の根拠"},
    [WORD_evidence_note] =
        {"A port says what a packet aims at; a payload says it more surely; a bot's feature "
         "says who sends it and overlaps with both.",
         "ポートは狙いを示し、ペイロードはより確かな根拠です。ボットの特徴は送信者を示し、"
         "両者と重なります。"},
    [WORD_evidence_port] = {"port", "ポート"},
    [WORD_evidence_payload] = {"payload", "ペイロード"},
    [WORD_evidence_bot] = {"bot (sender)", "ボット（送信者）"},
    [WORD_assessable] = {"assessable", "判定可能"},
    [WORD_assessable_note] =
        {"packets that could have shown more than a port: the rest carry no payload and no "
         "field that a bot would mark",
         "ポート以上の根拠を示し得たパケット（その他はペイロードもボットの特徴が現れる"
         "欄もない）"},
    [WORD_rule] = {"rule", "ルール"},
    [WORD_tools] = {"Scanning tools", "スキャンツール"},
    [WORD_tools_note] =
        {"A single packet may match by chance; a source uses a tool when enough of its packets "
         "match. Tools are evidence of neither target nor bot.",
         "個々のパケットは偶然一致し得ます。十分な数が一致した送信元を「使用」とします。"
         "ツールは狙いやボットの根拠ではありません。"},
    [WORD_tool] = {"tool", "ツール"},
    [WORD_matched] = {"packets that match", "一致したパケット"},
    [WORD_used] = {"of sources that use it", "使用する送信元のパケット"},
    [WORD_survey] = {"Survey scanners, and what is taken out", "調査目的のスキャンと除外対象"},
    [WORD_survey_note] =
        {"_ex_survey leaves out acknowledged scanners, sources that behaved as survey scanners "
         "that day, and sources that can't be real. A source with bot or exploit evidence is "
         "never taken out (conflict).",
         "_ex_survey は、公表されたスキャナ、その日に調査目的のスキャンと判定した送信元、"
         "実在し得ない送信元を除きます。ボットや攻撃コードの根拠がある送信元は除きません"
         "（競合）。"},
    [WORD_survey_share] = {"survey share", "調査目的のスキャンの割合"},
    [WORD_survey_windows] = {"made from windows: they do not part survey scanners from what else "
                             "is taken out",
                             "ウィンドウからの集計です。除外分のうち調査目的のスキャンだけの数は"
                             "分かりません"},
    [WORD_survey_basis] = {"survey scanners of", "調査判定の日"},
    [WORD_class] = {"class", "区分"},
    [WORD_class_survey] = {"survey", "調査目的（挙動による）"},
    [WORD_class_acknowledged] = {"acknowledged", "公表されたスキャナ"},
    [WORD_class_bogon] = {"bogon", "実在し得ない送信元"},
    [WORD_class_conflict] = {"conflict (kept in)", "競合（除外しない）"},
    [WORD_organisations] = {"Acknowledged organisations", "公表されたスキャナの組織"},
    [WORD_places] = {"Where it comes from", "送信元の国とAS"},
    [WORD_blocks] = {"Blocks of sources that can't be real", "実在し得ない送信元のブロック"},
    [WORD_countries] = {"Where it comes from: countries", "送信元の国"},
    [WORD_ases] = {"Where it comes from: AS", "送信元のAS"},
    [WORD_no_databases] = {"no database of countries or AS was given (replay --country, --as)",
                           "国とASのデータベースは指定されていません（replay --country、--as）"},
    [WORD_no_places] = {"the databases know none of the sources",
                        "データベースに該当する送信元がありません"},
    [WORD_no_countries] = {"no source's country is known: --country names a database to replay",
                           "国の分かる送信元はありません（replay の --country で指定します）"},
    [WORD_no_ases] = {"no source's AS is known: --as names a database to replay",
                      "ASの分かる送信元はありません（replay の --as で指定します）"},
    [WORD_country] = {"country", "国"},
    [WORD_as] = {"AS", "AS"},
    [WORD_unknown] = {"unknown", "不明"},
    [WORD_none] = {"none", "なし"},
    [WORD_coverage] = {"Coverage and loss", "観測率と欠損"},
    [WORD_coverage_note] =
        {"Incomplete days are listed and never rescaled. Packets per address are over the days "
         "that are there.",
         "欠測のある日は一覧に示し、補正はしません。1アドレスあたりの値は記録のある日に"
         "ついてのものです。"},
    [WORD_observed] = {"observed", "観測時間の割合"},
    [WORD_lost] = {"lost", "欠損パケット"},
    [WORD_telescope] = {"telescope", "観測網"},
    [WORD_no_id] = {"without an id", "IDなし"},
    [WORD_addresses] = {"IPv4 addresses", "IPv4アドレス数"},
    [WORD_size_unknown] = {"size unknown", "規模不明"},
    [WORD_incomplete_days] = {"Incomplete days", "欠測のある日"},
    [WORD_date] = {"date", "日付"},
    [WORD_basis] = {"What it rests on", "算出の根拠"},
    [WORD_ledger] = {"ledger", "収支"},
    [WORD_rules_computed] = {"rule set of the ports", "ポートのルールセット"},
    [WORD_rules_labelled] = {"rule set of payloads", "ペイロードのルールセット"},
    [WORD_restated] = {"restated", "再計算"},
    [WORD_lists] = {"scanner lists", "スキャナ一覧"},
    [WORD_no_lists] = {"no list of acknowledged scanners was loaded",
                       "公表されたスキャナの一覧は読み込まれていません"},
    [WORD_databases] = {"databases", "データベース"},
    [WORD_survey_settings] = {"survey settings", "調査判定の設定"},
    [WORD_sensors] = {"sensors", "センサー"},
    [WORD_timezone] = {"time zone", "タイムゾーン"},
    [WORD_rules_in_force] = {"rule set in force", "使用中のルールセット"},
    [WORD_definitions] = {"Definitions", "定義"},
    [WORD_notes] = {"Notes", "注意"},
    [WORD_state] = {"state", "状態"},
    [WORD_no_data] = {"No packets", "パケットなし"},
    [WORD_chart_needs] = {"Charts need JavaScript; the tables hold all numbers.",
                          "グラフにはJavaScriptが必要です。数値はすべて表にあります。"},
    [WORD_other] = {"others", "その他"},
    [WORD_hours_provisional] = {"the hours below are provisional", "以下の時間別の値は暫定"},
    [WORD_damaged] = {"damaged", "破損"},
    [WORD_given_up] = {"given up", "省略"},
};

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
