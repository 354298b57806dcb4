"""A Day computed in Python from the SourceDay records of a feed and the rule files: source by source, with sets of
addresses in place of counters, in one pass over everything. Shares no line with the program."""
import glob
import os
from collections import defaultdict

import yaml

import feed
import reference

KINDS = ["tcp_syn", "tcp_data", "tcp_other", "udp", "icmp", "backscatter_tcp", "backscatter_icmp", "backscatter_udp",
         "stray", "fragment", "other_ip", "non_ip", "malformed", "outside"]
TOOLS = ["mirai", "zmap", "masscan", "nmap", "zmap4", "hajime", "unicornscan", "mirai_variant", "probe"]
SCAN = {"tcp_syn", "tcp_data", "udp"}
OVERS = ["total", "scan", "total_ex_survey", "scan_ex_survey"]
NUMERATORS = ["iot_strict", "iot_broad", "iot_bot", "iot_payload", "iot_confirmed"]


class Source:
    """A SourceDay in plain words."""

    def __init__(self, record):
        self.address = record.address
        self.site = record.address[:8] if len(record.address) == 16 else record.address
        self.kinds = {KINDS[k]: n for k, n in zip(record.kind, record.kind_packets)}
        self.tools = {TOOLS[t]: n for t, n in zip(record.tool, record.tool_packets)}
        self.packets = sum(self.kinds.values())
        self.scan = sum(n for kind, n in self.kinds.items() if kind in SCAN)
        self.notes = {name: getattr(record, name) for name in ("likely_spoofed", "amplification_request", "assessable")}
        self.ports = {}
        for name, kind in (("syn", "tcp_syn"), ("data", "tcp_data"), ("udp", "udp")):
            port = 0
            for gap, packets in zip(getattr(record, name + "_gap"), getattr(record, name + "_packets")):
                port += gap
                self.ports[kind, port] = packets
        self.evidence = [("bot" if e.evidence == 2 else "payload", e.rule, KINDS[e.kind], e.port, e.packets)
                         for e in record.evidence]
        self.acknowledged, self.bogon = record.origin.acknowledged, record.origin.bogon
        self.country, self.asn, self.as_name = record.origin.country, record.origin.asn, record.origin.as_name
        self.targets = {("udp" if kind == "udp" else "tcp", port) for kind, port in self.ports if kind != "tcp_data"}
        self.survey_packets = self.kinds.get("tcp_syn", 0) + self.kinds.get("udp", 0)


def observed(telescope):
    """Seconds of a DayTelescope of a day of 24 hours: minutes with packets, and pauses of at most 10 minutes."""
    runs, minute = [], 0
    for gap, run in zip(telescope.minute_gap, telescope.minute_run):
        runs.append((gap, run))
        minute += gap + run
    pauses = [gap for gap, _ in runs] + [1440 - minute] * bool(runs)
    return 60 * (sum(run for _, run in runs) + sum(pause for pause in pauses if pause <= 10))


def dates(folder):
    """[(DayBegin, [Source], Day)] of a feed; DayBegin is None where source days are not written."""
    found, begin, sources = [], None, []
    for records in feed.read(folder).values():
        for record in records:
            body = record.WhichOneof("body")
            if body == "day_begin":
                begin, sources = record.day_begin, []
            elif body == "source_day":
                sources.append(Source(record.source_day))
            elif body == "day":
                found.append((begin, sources, record.day))
                begin, sources = None, []
    return found


class Rules:
    """Of rule files: `iot` and `service`, {(proto, port): (id, category, breadth)}; `by_id` of payload rules, {id: (category,
    breadth, is_exploit)}."""

    def __init__(self, iot, service, by_id=None):
        self.iot, self.service, self.by_id = iot, service, by_id or {}

    def of_port(self, kind, port):
        """Category, breadth of the iot rule, ids."""
        key = ("udp" if kind == "udp" else "tcp", port)
        iot, service = self.iot.get(key), self.service.get(key)
        breadth = iot[2] if iot else None
        says = iot if breadth == "strict" else service or iot
        return says[1] if says else "other", breadth, [rule[0] for rule in (iot, service) if rule]


def load(folder):
    """Rules of a folder of rule files."""
    ports, by_id = reference.Rules(folder), {}
    for path in glob.glob(os.path.join(folder, "*.yaml")):
        with open(path, encoding="utf-8") as f:
            content = yaml.safe_load(f)
        for rule in content.get("rules", []):
            breadth = rule.get("breadth", "strict")
            known_hole = rule.get("exploit", False)
            by_id[rule["id"]] = (rule.get("category", content.get("category")), breadth, breadth == "strict" and known_hole)
    return Rules(ports.iot, ports.service, by_id)


class Classes:
    """What becomes of each source: survey scanners by address and by /64, the three classes, conflicts."""

    def __init__(self, sources, settings, addresses, rules):
        survey, self.rules, groups = settings.survey, rules, defaultdict(list)
        for s in sources:
            groups[s.site].append(s)
        self.of, self.conflicts = {}, set()
        for members in groups.values():
            packets = sum(s.survey_packets for s in members)
            targets = set().union(*(s.targets for s in members))
            if len(members[0].address) == 4:
                enough = packets >= survey.min_packets and packets * 1000 >= survey.packets_per_address_milli * addresses
                is_survey = enough and len(targets) >= survey.min_ports
            else:
                is_survey = packets >= survey.min_packets6 and len(targets) >= survey.min_ports6
            for s in members:
                name = "bogon" if s.bogon else "acknowledged" if s.acknowledged else "survey" if is_survey else ""
                if name and self.attacks(s):
                    self.conflicts.add(s.address)
                elif name:
                    self.of[s.address] = name

    def attacks(self, source):
        return any(how == "bot" or self.rules.by_id.get(rule, ("", "", False))[2]
                   for how, rule, *_ in source.evidence)


class Count:
    def __init__(self):
        self.packets = self.packets_ex = 0
        self.sources, self.sources_ex, self.sites, self.sites_ex = set(), set(), set(), set()

    def add(self, source, packets, is_in):
        if packets == 0:
            return
        self.packets += packets
        self.sources.add(source.address)
        self.sites.add(source.site)
        if is_in:
            self.packets_ex += packets
            self.sources_ex.add(source.address)
            self.sites_ex.add(source.site)

    def row(self):
        return (self.packets, self.packets_ex, len(self.sources), len(self.sources_ex), len(self.sites), len(self.sites_ex))


def row_of(count):
    return (count.packets, count.packets_ex, count.sources, count.sources_ex,
            count.sources64 or count.sources, count.sources64_ex or count.sources_ex)


def labels(rules, source):
    """Rows (packets, kind, port, category, marks, rules by evidence) that a source's scan packets fall into."""
    left = dict(source.ports)
    for how, rule, kind, port, packets in source.evidence:
        category, breadth, _ = rules.of_port(kind, port)
        if how == "bot":
            yield 0, packets, kind, port, None, {"iot_bot", "iot_confirmed"} if breadth else set(), [(rule, "bot")]
            continue
        left[kind, port] -= packets
        category_of, breadth_of, _ = rules.by_id.get(rule, ("unknown", "", False))
        marks = set()
        if category_of == "iot":
            strict = breadth_of == "strict"
            marks = {"iot_broad"} | ({"iot_strict", "iot_payload", "iot_confirmed"} if strict else set())
            marks |= {"iot_strict"} if breadth == "strict" else set()
            if not strict and category != "other":
                category_of = category
        yield packets, packets, kind, port, category_of, marks, [(rule, "payload")]
    for (kind, port), packets in left.items():
        category, breadth, ids = rules.of_port(kind, port)
        marks = {"iot_broad"} if breadth else set()
        marks |= {"iot_strict"} if breadth == "strict" else set()
        yield packets, packets, kind, port, category, marks, [(rule, "port") for rule in ids]


def counted(begin, sources, rules):
    """{(table, row...): Count} of a date, and {class: (packets, scan packets, sources)}."""
    facts = begin.facts
    addresses = sum(t.ipv4 for t in facts.telescopes)
    classes = Classes(sources, begin.settings, addresses, rules)
    counts, by_class = defaultdict(Count), defaultdict(lambda: [0, 0, 0])
    for s in sources:
        is_in = s.address not in classes.of
        names = [n for n in (classes.of.get(s.address), "conflict" if s.address in classes.conflicts else None) if n]
        for name in names:
            for i, n in enumerate((s.packets, s.scan, 1)):
                by_class[name][i] += n
        sums = defaultdict(int, {"total": s.packets, "scan": s.scan})
        for kind, n in s.kinds.items():
            counts["kind", kind].add(s, n, is_in)
        for tool, n in s.tools.items():
            counts["tool", tool].add(s, n, is_in)
        for note, n in s.notes.items():
            counts["note", note].add(s, n, is_in)
        for (kind, port), n in s.ports.items():
            counts["port", "udp" if kind == "udp" else "tcp", port].add(s, n, is_in)
        for in_pie, packets, _, _, category, marks, ids in labels(rules, s):
            counts["category", category].add(s, in_pie, is_in)
            for mark in marks:
                sums[mark] += packets
            for key in ids:
                counts[("rule", *key)].add(s, packets, is_in)
        for mark, n in sums.items():
            counts["mark", mark].add(s, n, is_in)
        for mark in ("total", "scan", "iot_strict", "iot_broad", "iot_bot"):
            counts["country", s.country, mark].add(s, sums[mark], is_in)
            counts["as", s.asn, mark].add(s, sums[mark], is_in)
    for kind in facts.kinds:
        sourceless = kind.packets - counts["kind", kind.kind].packets
        for key in (("kind", kind.kind), ("mark", "total")):
            counts[key].packets += sourceless
            counts[key].packets_ex += sourceless
    return counts, {k: tuple(v) for k, v in by_class.items()}


def compute(begin, sources, rules):
    """{(table, row...): (packets, ex, sources, ex, /64, ex)} of a date, and {class: (packets, scan packets, sources)}."""
    counts, by_class = counted(begin, sources, rules)
    return {key: count.row() for key, count in counts.items() if count.packets}, by_class


def said(day):
    """The same of a Day record."""
    rows = {}
    for table, messages, name in (("kind", day.kinds, "kind"), ("mark", day.marks, "name"), ("note", day.notes, "name"),
                                  ("category", day.categories, "name")):
        rows.update({(table, getattr(m, name)): row_of(m.count) for m in messages})
    rows.update({("tool", m.tool): row_of(m.matched) for m in day.tools})
    rows.update({("rule", m.rule, m.evidence): row_of(m.count) for m in day.rule_counts})
    for table in day.ports:
        port, wide = 0, table.sources64 or table.sources
        for i, gap in enumerate(table.gap):
            port += gap
            rows["port", table.proto, port] = (table.packets[i], table.packets_ex[i], table.sources[i], table.sources_ex[i],
                                               wide[i], (table.sources64_ex or table.sources_ex)[i])
    for table, messages, name in (("country", day.countries, "country"), ("as", day.ases, "asn")):
        for m in messages:
            rows.update({(table, getattr(m, name), mark): row_of(getattr(m, mark))
                         for mark in ("total", "scan", "iot_strict", "iot_broad", "iot_bot")})
    classes = {name: (c.packets, c.scan_packets, c.sources) for name, c in (
        ("survey", day.survey), ("conflict", day.conflict), ("acknowledged", day.acknowledged), ("bogon", day.bogon))}
    return {key: row for key, row in rows.items() if row[0]}, {name: row for name, row in classes.items() if row[2]}


def shares(day):
    """{(numerator, denominator): (packets num, den, sources num, den)} as the Day says, and from its marks."""
    marks = {m.name: row_of(m.count) for m in day.marks}
    found = {(s.numerator, s.denominator): (s.packets_num, s.packets_den, s.sources_num, s.sources_den) for s in day.shares}
    computed = {}
    for num in NUMERATORS:
        for over in OVERS:
            ex, den = over.endswith("_ex_survey"), marks[over.removesuffix("_ex_survey")]
            computed[num, over] = (marks[num][ex], den[ex], marks[num][2 + ex], den[2 + ex])
    return found, computed
