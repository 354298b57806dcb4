"""test_events_feed.py: events in a feed, judged by python3-protobuf and csv: what make_events was told is what the feed holds and `events` prints; its
filters; verify; merge of sensors and pieces; anonymising; look-ups. What is expected is worked out here from event_lines.py.
"""
import csv
import io
import ipaddress
import json
import os
import re
import sys
import tempfile
from dataclasses import replace
from datetime import datetime, timezone

import feed
from event_lines import START, Event, last_of, lines, make, sample
from judge import Verdict, run

MINUTES = 12


def rfc3339(ns):
    return datetime.fromtimestamp(ns // 10**9, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S") + f".{ns % 10**9:09d}Z"


def events_of(folder):
    """The Event messages of a feed, in its order."""
    return [r.event for rs in feed.read(folder).values() for r in rs if r.WhichOneof("body") == "event"]


def brief(m):
    """What a message and an Event of event_lines both say."""
    name = feed.proto.EventType.Name(m.type)[len("EVENT_"):].lower()
    phase = feed.proto.EventPhase.Name(m.phase)[len("PHASE_"):].lower()
    return name, phase, m.update, m.first_ns, m.last_ns, m.time_ns, m.packets, bytes(m.address)


def brief_of(e):
    return e.type, e.phase, e.update, e.first_ns, e.last_ns, e.time_ns, e.packets, e.packed()


def shown(*words, status=0):
    rc, out, err = run("events", *words, "--json")
    assert rc == status, (words, rc, err)
    return [json.loads(line) for line in out.decode().splitlines()]


class Bench:
    def __init__(self, folder):
        self.folder, self.verdict = folder, Verdict()
        self.told = sample()
        self.feed = make(self.path("feed"), lines(self.told, MINUTES))

    def path(self, name):
        return os.path.join(self.folder, name)


def feed_holds(b):
    v = b.verdict
    found, expected = events_of(b.feed), [e for m in sorted(b.told) for e in b.told[m]]
    v.equal(sorted(map(brief, found)), sorted(map(brief_of, expected)), "what the feed holds")
    order = [(m.time_ns, m.type, bytes(m.id), m.update) for m in found]
    v.equal(order, sorted(order), "in order")
    ids = {}
    for m in found:
        ids.setdefault(bytes(m.id), set()).add((m.type, bytes(m.address), m.first_ns))
    v.check(all(len(keys) == 1 for keys in ids.values()), "one id, one event")
    v.equal(len(ids), len(last_of(b.told)), "ids")
    rc, out, err = run("verify", b.feed, "--json")
    v.equal(rc, 0, f"verify: {err}")
    v.equal(sum(json.loads(out)["events"].values()), len(found), "verify counts them")


def one_byte(b):
    """One altered byte in an event's record is found."""
    name = sorted(os.listdir(b.feed))[0]
    with open(os.path.join(b.feed, name), "rb") as f:
        whole = f.read()
    place = whole.index("例大学".encode())
    broken = b.path("broken")
    os.mkdir(broken)
    with open(os.path.join(broken, name), "wb") as f:
        f.write(whole[:place] + b"\xe5" + whole[place + 1:place + 8] + bytes([whole[place + 8] ^ 1]) + whole[place + 9:])
    rc, _, err = run("verify", broken)
    b.verdict.check(rc == 1 and name in err, f"one altered byte: {rc} {err}")
    rc, out, err = run("events", broken, "--json")
    b.verdict.equal(rc, 3, "events of a damaged feed: exit")
    b.verdict.check(name in err and out, f"what is damaged is named: {err}")


def command_json(b):
    v = b.verdict
    rows, last = shown(b.feed), last_of(b.told)
    v.equal(len(rows), len(last), "each event once")
    by_key = {(r["type"], r["address"] or "", r["first"]): r for r in rows}
    for e in last:
        r = by_key.get((e.type, e.address and str(ipaddress.ip_address(e.address)), rfc3339(e.first_ns)))
        if not v.check(r is not None, f"{e}: not printed"):
            continue
        v.equal((r["phase"], r["update"], r["packets"], r["last"], r["time"]),
                (e.phase, e.update, e.packets, rfc3339(e.last_ns), rfc3339(e.time_ns)), f"{e.type} {e.address}")
        v.equal(r["port"], None if e.port == "-" else int(e.port), f"{e.type}: port")
        v.equal(r["rate"] and r["rate"]["value"], None if e.rate == "-" else float(e.rate), f"{e.type}: rate")
        v.equal(r["asn"], None if e.asn == "-" else int(e.asn), f"{e.type}: asn")
    v.equal(by_key[("indicator", "", rfc3339(Event(first=2).first_ns))]["indicator"]["value"],
            'hxxp://192.0.2[.]66/bins/mips, =x"y', "indicator")
    v.equal(len(shown(b.feed, "--updates")), sum(map(len, b.told.values())), "--updates")
    times = [r["time"] for r in rows]
    v.equal(times, sorted(times), "by the time they were told")


def filters(b):
    last = last_of(b.told)
    day = "2026-01-01T12:"
    network = ipaddress.ip_network("198.51.100.0/24")
    cases = [
        (["--type", "scan"], lambda e: e.type == "scan"),
        (["--type", "dos,watched"], lambda e: e.type in ("dos", "watched")),
        (["--open"], lambda e: e.phase != "end"),
        (["--phase", "end"], lambda e: e.phase == "end"),
        (["--phase", "goes_on"], lambda e: False),
        (["--since", day + "08:00Z"], lambda e: e.last_ns >= (START + 8) * 60 * 10**9),
        (["--until", day + "02:00Z"], lambda e: e.first < 2),
        (["--network", "198.51.100.0/24"], lambda e: ":" not in e.address and e.address and ipaddress.ip_address(e.address) in network),
        (["--network", "198.51.100.2/31"], lambda e: e.address in ("198.51.100.2", "198.51.100.3")),
        (["--network", "2001:db8::/32"], lambda e: ":" in e.address),
        (["--port", "tcp/2323"], lambda e: e.port == "2323"),
        (["--port", "443"], lambda e: e.type == "dos"),
        (["--port", "udp/53"], lambda e: e.type == "amplification"),
        (["--port", "tcp/53"], lambda e: False),
        (["--min-rate", "1000"], lambda e: e.rate != "-" and float(e.rate) >= 1000),
        (["--min-rate", "0.5"], lambda e: e.rate != "-"),
        (["--type", "scan", "--port", "23", "--phase", "end"], lambda e: e.type == "scan" and e.port == "23"),
    ]
    for words, takes in cases:
        found = sorted((r["type"], r["first"], r["packets"]) for r in shown(b.feed, *words))
        expected = sorted((e.type, rfc3339(e.first_ns), e.packets) for e in last if takes(e))
        b.verdict.equal(found, expected, " ".join(words))
    wrong = [["--type", "scans"], ["--phase", "begun"], ["--network", "198.51.100.1/24"], ["--port", "icmp/1"], ["--port", "65536"],
             ["--port", "tcp/"], ["--min-rate", "x"], ["--min-rate", "inf"], ["--since", "yesterday"], ["--json", "--csv"], ["--color", "red"]]
    for words in wrong:
        rc, out, err = run("events", b.feed, *words)
        b.verdict.check(rc == 2 and not out and words[-1] in err, f"{words}: {rc} {err}")
    b.verdict.equal(run("events", b.path("none"))[0], 2, "no feed")
    b.verdict.equal(run("events")[0], 2, "none named")


def command_csv(b):
    v = b.verdict
    rc, out, err = run("events", b.feed, "--csv")
    v.equal(rc, 0, f"--csv: {err}")
    table = list(csv.DictReader(io.StringIO(out.decode(), newline="")))
    rows = shown(b.feed)
    v.equal(len(table), len(rows), "rows of CSV")
    for line, r in zip(table, rows):
        v.check(None not in line and None not in line.values(), f"as many cells as columns: {line}")
        for name in ("id", "type", "phase", "first", "last", "time", "address", "proto", "country", "as_name"):
            v.equal(line[name], r[name] or "", f"CSV {name}")
        for name in ("packets", "bytes", "update", "port", "asn"):
            v.equal(line[name], "" if r[name] is None else str(r[name]), f"CSV {name}")
        v.equal(line["rate"], "" if r["rate"] is None else f"{r['rate']['value']:.15g}", "CSV rate")
        for group in ("watched", "infected", "indicator", "new_activity"):
            cells = {n: c for n, c in line.items() if n.startswith(group + "_") and c}
            v.equal(bool(cells), group in r, f"CSV {group}")
            for name, value in r.get(group, {}).items():
                text = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
                v.equal(line[f"{group}_{name}"], text, f"CSV {group}_{name}")
    tools = next(line for line in table if line["type"] == "scan")
    v.equal(tools["tools"], f"mirai={tools['packets']}", "CSV tools")


def command_text(b):
    v = b.verdict
    rc, out, err = run("events", b.feed)
    text = out.decode()
    v.equal(rc, 0, f"text: {err}")
    for e in last_of(b.told):
        v.check(not e.address or e.address in text, f"text: {e.address}")
    v.check("6 scans (1 not over)" in text and "1 attack (1 not over)" in text, f"text: counts:\n{text}")
    v.check("\x1b" not in text, "no colours where no terminal is")
    began = re.findall(r"^  (\d{4}-\d\d-\d\d \d\d:\d\d) ", text, re.M)
    v.check(len(began) > 3 and began == sorted(began), f"text: rows are not in the order of their first column: {began}")
    rc, out, _ = run("events", b.feed, "--top", "3")
    v.check(f"{len(last_of(b.told)) - 3} events told before these" in out.decode(), f"--top: {out.decode()}")
    rc, out, _ = run("events", b.feed, "--type", "scan", "--phase", "goes_on")
    v.check("no events" in out.decode(), "none")


def merged(v, out, *feeds, key=None):
    words = ["export", *feeds, "-o", out, "--anonymise", key] if key else ["merge", *feeds, "-o", out]
    rc, text, err = run(*words, "--json")
    v.equal(rc, 0, f"{words[0]}: {err}")
    v.equal(run("verify", out)[0], 0, f"{words[0]}: verify: {run('verify', out)[2]}")
    return json.loads(text) if rc == 0 else {}


def same(v, a, b, text):
    v.check(sorted(os.listdir(a)) == sorted(os.listdir(b)) and
            all(open(os.path.join(a, n), "rb").read() == open(os.path.join(b, n), "rb").read() for n in os.listdir(a)), f"{text}: differ")


def merge(b):
    """Sensors side by side, in any grouping; of one id the feed that told it last."""
    v, told = b.verdict, b.told
    two = make(b.path("two"), lines(told, MINUTES), sensor="dark2")
    late = {m: [replace(e, address=e.address.replace(".113.", ".112.").replace(".100.", ".99.")) for e in told[m] if e.type == "scan"] for m in told}
    three = make(b.path("three"), lines(late, 90), sensor="dark3")
    said = merged(v, b.path("all"), b.feed, two, three)
    wanted = events_of(b.feed) + events_of(two) + events_of(three)
    v.equal((said["events_read"], said["events"], said["events_left_out"]), (len(wanted), len(wanted), 0), "merge says")
    found = events_of(b.path("all"))
    order = [(m.time_ns, m.type, bytes(m.id), m.update) for m in found]
    v.equal(order, sorted(order), "merged: in order")
    v.equal(sorted(m.SerializeToString() for m in found), sorted(m.SerializeToString() for m in wanted), "merged: all, as they were")
    merged(v, b.path("left"), b.feed, two)
    merged(v, b.path("grouped"), three, b.path("left"))
    same(v, b.path("all"), b.path("grouped"), "merged in another grouping")
    # The first half of the same sensor's time, as another feed: what it says of an event, the whole says later.
    half = make(b.path("half"), lines({m: told[m] for m in told if m <= 6}, 7))
    merged(v, b.path("halves"), half, b.feed)
    v.equal([brief(m) for m in events_of(b.path("halves"))], [brief(m) for m in events_of(b.feed)], "of one id the last update wins")
    # What retention left of it: of two that end alike the one that tells all stays, whichever is named first.
    tail = make(b.path("tail"), lines({m: [e for e in told[m] if e.update == 2] for m in told}, MINUTES))
    merged(v, b.path("whole, tail"), b.feed, tail)
    merged(v, b.path("tail, whole"), tail, b.feed)
    same(v, b.path("whole, tail"), b.path("tail, whole"), "merged in another order")
    return two, three


def anonymised(b, two, three):
    """Addresses by Crypto-PAn, ids that tell nothing; watched networks and indicators left out; merging and anonymising commute."""
    from test_export import CryptoPan
    v, key = b.verdict, b.path("key")
    v.equal(run("export", "--new-key", key)[0], 0, "--new-key")
    with open(key, encoding="ascii") as f:
        pan = CryptoPan(bytes.fromhex(f.read()))
    said = merged(v, b.path("anonymous"), b.feed, key=key)
    kept = [m for m in events_of(b.feed) if m.type not in (feed.proto.EVENT_WATCHED, feed.proto.EVENT_INDICATOR)]
    v.equal(said["events_left_out"], len(events_of(b.feed)) - len(kept), "left out")
    found = events_of(b.path("anonymous"))
    wanted = sorted((pan.address(m.address) if m.address else b"", m.type, m.update, m.first_ns, m.packets, m.port) for m in kept)
    v.equal(sorted((bytes(m.address), m.type, m.update, m.first_ns, m.packets, m.port) for m in found), wanted, "addresses")
    ids = {bytes(m.id) for m in found}
    v.check(not ids & {bytes(m.id) for m in kept} and len(ids) == len({bytes(m.id) for m in kept}), "ids: others, as many")
    for n, source in enumerate((b.feed, two, three)):
        merged(v, b.path(f"a{n}"), source, key=key)
    merged(v, b.path("first merged"), b.feed, two, three)
    merged(v, b.path("then anonymised"), b.path("first merged"), key=key)
    merged(v, b.path("then merged"), *(b.path(f"a{n}") for n in range(3)))
    same(v, b.path("then anonymised"), b.path("then merged"), "merging and anonymising commute")
    secrets = [e.packed() for e in last_of(b.told) if e.address] + ["例大学".encode(), b"hxxp", b"noc@example.net"]
    for name in os.listdir(b.path("anonymous")):
        with open(os.path.join(b.path("anonymous"), name), "rb") as f:
            data = f.read()
        v.check(not any(secret in data for secret in secrets), f"{name}: holds what it must not")


def lookups(b):
    """`source` and `port` have the events of what they are asked about; `report` goes past them."""
    v, last = b.verdict, last_of(b.told)
    for words, takes in ((["source", "203.0.113.7"], lambda e: e.address == "203.0.113.7"), (["source", "198.51.100.0/24"], lambda e: e.address.startswith("198.51.100.")),
                         (["source", "AS64500"], lambda e: e.asn == "64500"), (["source", "2001:db8::/32"], lambda e: ":" in e.address),
                         (["source", "9.9.9.9"], lambda e: False), (["port", "tcp/2323"], lambda e: e.port == "2323"), (["port", "tcp/443"], lambda e: e.type == "dos"),
                         (["port", "udp/53"], lambda e: e.type == "amplification"),
                         (["source", "203.0.113.7", "--dates", "2026-01-01"], lambda e: e.address == "203.0.113.7"),
                         (["source", "203.0.113.7", "--dates", "2025-12-31"], lambda e: False)):
        rc, out, err = run(words[0], words[1], b.feed, *words[2:], "--json")
        if not v.equal(rc, 0, f"{words}: {err}"):
            continue
        answer, wanted = json.loads(out), [e for e in last if takes(e)]
        v.equal(answer["events_total"], len(wanted), f"{words}: events_total")
        v.equal(sorted((e["type"], e["first"], e["packets"]) for e in answer["events"]),
                sorted((e.type, rfc3339(e.first_ns), e.packets) for e in wanted), f"{words}: events")
        rc, out, _ = run(words[0], words[1], b.feed, *words[2:])
        v.check(rc == 0 and ("Events" in out.decode()) == bool(wanted), f"{words}: text")
    rc, out, _ = run("source", "AS64500", b.feed, "--top", "2", "--json")
    newest = shown(b.feed)
    v.equal([e["id"] for e in json.loads(out)["events"]], [e["id"] for e in newest if e["asn"] == 64500][-2:], "the newest, in their order")
    with_events = json.loads(run("report", b.feed, "--json")[1])
    without = json.loads(run("report", make(b.path("without"), lines({}, MINUTES)), "--json")[1])
    v.equal(with_events["spans"], without["spans"], "report")


def main():
    with tempfile.TemporaryDirectory() as folder:
        b = Bench(folder)
        for case in (feed_holds, one_byte, command_json, filters, command_csv, command_text):
            case(b)
        anonymised(b, *merge(b))
        lookups(b)
        return b.verdict.finish()


if __name__ == "__main__":
    sys.exit(main())
