"""reference_feed.py: the SourceDays and Days of a feed, read with python3-protobuf, in reference_day.py's words; and where the two
differ. Shares no line with the program.
"""
import datetime
import ipaddress

import feed

KINDS, TOOLS = ([name.removeprefix(prefix).lower() for name in feed.proto.DESCRIPTOR.enum_types_by_name[enum].values_by_name]
                for enum, prefix in (("Kind", "KIND_"), ("Tool", "TOOL_")))
EVIDENCE = {2: "bot", 3: "payload"}


def ascending(gaps):
    port = 0
    for gap in gaps:
        port += gap
        yield port


def flat_source(m):
    """A SourceDay of the feed in reference_day's words."""
    kinds = [KINDS[kind] for kind in m.kind]
    ports = {(kind, port): n for kind, gaps, counts in (("tcp_syn", m.syn_gap, m.syn_packets), ("tcp_data", m.data_gap, m.data_packets),
                                                        ("udp", m.udp_gap, m.udp_packets))
             for port, n in zip(ascending(gaps), counts, strict=True)}
    notes = {name: getattr(m, name) for name in ("likely_spoofed", "amplification_request", "assessable")}
    origin = m.origin
    return {"first": m.first_ns, "last": m.first_ns + m.lasted_ns, "kinds": dict(zip(kinds, m.kind_packets, strict=True)),
            "bytes": dict(zip(kinds, m.kind_bytes, strict=True)),
            "tools": dict(zip((TOOLS[t] for t in m.tool), m.tool_packets, strict=True)),
            "notes": {name: n for name, n in notes.items() if n}, "ports": ports,
            "evidence": {(EVIDENCE[e.evidence], e.rule, KINDS[e.kind], e.port): e.packets for e in m.evidence},
            "last evidence": (m.evidence_ns, m.evidence_src_port, m.evidence_dst_port) if m.evidence else None,
            "origin": (origin.acknowledged, origin.bogon, origin.country, origin.asn, origin.as_name),
            "unlisted ports": m.unlisted_ports, "unlisted evidence": m.unlisted_evidence}


def count(m):
    return (m.packets, m.packets_ex, m.sources, m.sources_ex, m.sources64 or m.sources, m.sources64_ex or m.sources_ex)


def flat_class(m):
    return m.packets, m.scan_packets, m.sources, m.scan_sources, m.sources64


def flat_ports(table):
    for i, port in enumerate(ascending(table.gap)):
        at = lambda column: column[i] if column else 0
        iot = {0: None, 1: "strict", 2: "shared"}[table.iot[i]]
        counts = (table.packets[i], at(table.packets_ex), table.sources[i], at(table.sources_ex),
                  at(table.sources64) or table.sources[i], at(table.sources64_ex) or at(table.sources_ex))
        yield (table.proto, port), (table.categories[table.category[i]], iot, counts)


def flat_place(m):
    return tuple(count(getattr(m, name)) for name in ("total", "scan", "iot_strict", "iot_broad", "iot_bot"))


def named(rows):
    return [(row.name, row.version, row.sha256) for row in rows]


def fields(m):
    return {field.name: getattr(m, field.name) for field in m.DESCRIPTOR.fields if not field.message_type}


def flat_facts(m):
    minutes, at = set(), 0
    telescope, = m.telescopes
    for gap, length in zip(telescope.minute_gap, telescope.minute_run, strict=True):
        minutes |= set(range(at + gap, at + gap + length))
        at += gap + length
    return {"date": m.date, "start": m.start_ns, "end": m.end_ns, "zone": m.timezone, "revision": m.revision,
            "offered": m.ledger.offered, "observed": m.ledger.observed, "late": m.ledger.late,
            "kinds": {row.kind: (row.packets, row.bytes) for row in m.kinds}, "minutes": minutes,
            "telescope": (telescope.id, telescope.configured, telescope.ipv4), "rules": named(m.rules), "lists": named(m.lists),
            "databases": named(m.databases), "sensors": list(m.sensors), "exact": not m.HasField("given_up")}


def flat_day(m):
    """A Day of the feed in reference_day's words."""
    cover = m.coverage
    a_class = lambda name: flat_class(getattr(m, name)) if m.HasField(name) else None
    return {
        **{"facts " + key: value for key, value in flat_facts(m.facts).items()},
        "kinds": {row.kind: (count(row.count), row.bytes) for row in m.kinds},
        "marks": {row.name: count(row.count) for row in m.marks}, "notes": {row.name: count(row.count) for row in m.notes},
        "shares": {(s.numerator, s.denominator): (s.packets_num, s.packets_den, s.sources_num, s.sources_den, s.absent) for s in m.shares},
        "tools": {row.tool: (count(row.matched), count(row.used)) for row in m.tools},
        "categories": {row.name: count(row.count) for row in m.categories},
        "rules": {(row.rule, row.category, row.evidence): count(row.count) for row in m.rule_counts},
        "ports": dict(row for table in m.ports for row in flat_ports(table)),
        "countries": {row.country: flat_place(row) for row in m.countries}, "ases": {row.asn: flat_place(row) for row in m.ases},
        "as names": {row.asn: row.name for row in m.ases},
        **{name: a_class(name) for name in ("survey", "conflict", "acknowledged", "bogon")},
        "organisations": {row.name: flat_class(row) for row in m.organisations},
        "blocks": {row.name: flat_class(row) for row in m.blocks},
        "watches": [(w.id, w.configured, w.ipv4, w.seconds) for w in cover.watches], "seconds": cover.seconds,
        "ip4": (cover.ip4_packets, cover.ip4_packets_ex), "ipv4": cover.ipv4, "address seconds": cover.address_seconds,
        "coverage": cover.coverage_milli, "offered": cover.offered, "lost": cover.lost, "complete": m.complete,
        "survey settings": fields(m.settings.survey), "complete settings": fields(m.settings),
        "computed under": (m.rules.name, m.rules.version, m.rules.sha256), "mixed": m.mixed, "exact": m.exact, "state": m.state,
        "ex absent": m.ex_absent}


def feed_days(folder):
    """({date: Day}, {date: {address: SourceDay}}) of a feed's records."""
    days, sources = {}, {}
    for records in feed.read(folder).values():
        for record in records:
            body = record.WhichOneof("body")
            if body == "day":
                days[date_of(record.day.facts.date)] = record.day
            elif body == "source_day":
                m = record.source_day
                sources.setdefault(date_of(m.date), {})[ipaddress.ip_address(m.address)] = m
    return days, sources


def date_of(number):
    return datetime.date(1970, 1, 1) + datetime.timedelta(number)


def differing(about, found, expected):
    """A line per thing that is otherwise; of tables the first rows."""
    for key in {**found, **expected}:
        got, value = found.get(key), expected.get(key)
        if got == value:
            continue
        if isinstance(got, dict) and isinstance(value, dict):
            rows = [row for row in {**got, **value} if got.get(row) != value.get(row)][:3]
            for row in rows:
                yield key, f"{about}: {key} {row}: feed {got.get(row)}, reference {value.get(row)}"
        else:
            yield key, f"{about}: {key}: feed {got}, reference {value}"


def differences(folder, expected):
    """[(field, line)] of a feed's days and {date: reference_day.Day}."""
    days, sources = feed_days(folder)
    if set(days) != set(expected):
        yield "dates", f"dates: feed {sorted(days)}, reference {sorted(expected)}"
    for date in sorted(set(days) & set(expected)):
        yield from differing(date, flat_day(days[date]), expected[date].flat())
        mine, theirs = expected[date].sources, sources.get(date, {})
        if set(mine) != set(theirs):
            yield "sources", f"{date}: sources that only one has: {sorted(map(str, set(mine) ^ set(theirs)))[:5]}"
        for address in set(mine) & set(theirs):
            yield from differing(f"{date} {address}", flat_source(theirs[address]), mine[address].flat())
