"""test_telescope_days.py: a telescope that changes by date, against a definition of a few lines in Python.

Packets lie on both sides of each midnight of Kolkata (18:30 UTC, in the middle of a window of an hour) and of each change.
"""
import datetime
import ipaddress
import json
import os
import random
import sys
import tempfile
from collections import Counter
from zoneinfo import ZoneInfo

import feed
import pcap
from judge import Verdict, run

ZONE = ZoneInfo("Asia/Kolkata")
RANDOM = random.Random(7)
verdict = Verdict()

# (prefixes, exceptions, first day, last day), days of January 2026; None: ever, for ever.
ENTRIES = [
    (["198.18.0.0/28"], [], None, None),
    (["198.18.1.0/28", "198.18.2.0/29"], ["198.18.1.3", "198.18.1.8/30"], 11, 12),
    (["198.18.1.0/29"], [], 12, None),
    (["198.18.3.0/29"], [], None, 11),
]
DAYS = range(9, 15)


def dark(address, day):
    """Whether an address is the telescope's on a day."""
    inside = lambda prefixes: any(address in ipaddress.ip_network(p) for p in prefixes)
    return any(inside(prefixes) and not inside(excepts) and (first is None or first <= day)
               and (last is None or day <= last) for prefixes, excepts, first, last in ENTRIES)


ALL = [ipaddress.ip_address(f"198.18.{n}.{host}") for n in range(4) for host in range(18)]


def size(day):
    return sum(dark(a, day) for a in ALL)


def ever(address):
    return any(dark(address, day) for day in DAYS)


def day_of(ns):
    return datetime.datetime.fromtimestamp(ns // 10**9, ZONE).day


def config_text():
    """The entries as a config file has them."""
    lines = ["timezone: Asia/Kolkata", "telescope:"]
    for prefixes, excepts, first, last in ENTRIES:
        lines.append(f"  - prefix: [{', '.join(prefixes)}]")
        lines += [f"    except: [{', '.join(excepts)}]"] * bool(excepts)
        lines += [f"    {word}: 2026-01-{day}" for word, day in (("from", first), ("until", last)) if day]
    return "\n".join(lines) + "\n"


def packets():
    """[(ns, frame, source, destination)]: in order of time; many just before and behind a midnight."""
    times = []
    for day in DAYS:
        midnight = int(datetime.datetime(2026, 1, day, tzinfo=ZONE).timestamp()) * 10**9
        times += [midnight + delta for delta in (-1, 0, 1, -10**9, 10**9, -1799 * 10**9, 1799 * 10**9) for _ in range(4)]
        times += [midnight + RANDOM.randrange(86400 * 10**9) for _ in range(400)]
    made = []
    for ns in sorted(times):
        dst = RANDOM.choice(ALL)
        src = RANDOM.choice(ALL) if RANDOM.random() < 0.2 else ipaddress.ip_address(0xcb007100 + RANDOM.randrange(256))
        body = pcap.tcp(40000, 23) if RANDOM.random() < 0.8 else pcap.udp(40000, 53, b"x" * 20)
        made.append((ns, pcap.ether(pcap.ip4(src, dst, 6 if len(body) == 20 else 17, body)), src, dst))
    return made


def replay(*words):
    rc, out, err = run("replay", "--json", *words)
    verdict.equal(rc, 0, f"replay {' '.join(map(str, words))}: {err}")
    return json.loads(out) if rc == 0 else {}


def days_of(folder):
    """{day: (kinds, sizes, sources)} as the feed has them."""
    found, sources = {}, {}
    for records in feed.read(folder).values():
        for record in records:
            kind = record.WhichOneof("body")
            if kind == "day_begin":
                date = datetime.date(1970, 1, 1) + datetime.timedelta(record.day_begin.facts.date)
                facts, sources = record.day_begin.facts, set()
                kinds = {k.kind: k.packets for k in facts.kinds}
                found[date.day] = (kinds, [t.ipv4 for t in facts.telescopes], sources)
            elif kind == "source_day" and len(record.source_day.address) == 4:
                sources.add(ipaddress.ip_address(record.source_day.address))
    return found


def check_days(folder, made):
    found = days_of(folder)
    verdict.equal(sorted(found), sorted({day_of(ns) for ns, *_ in made}), "days of the feed")
    for day, (kinds, sizes, sources) in found.items():
        mine = [(src, dst) for ns, _, src, dst in made if day_of(ns) == day]
        outside = sum(not dark(dst, day) for _, dst in mine)
        verdict.equal(kinds.get("outside", 0), outside, f"day {day}: outside")
        verdict.equal(sizes, [size(day)], f"day {day}: addresses of the telescope")
        hidden = {ipaddress.ip_address(0) if dark(src, day) else src for src, _ in mine}
        verdict.equal(sources, hidden, f"day {day}: sources")


def header_of(folder):
    return next(iter(feed.read(folder).values()))[0].header


def check_header(folder):
    header = header_of(folder)
    sizes = [(getattr(s, "from"), s.ipv4) for t in header.telescopes for s in t.sizes]
    epoch = datetime.date(1970, 1, 1)
    expected = [(-2**31, size(9))]
    for day in DAYS:
        if size(day) != expected[-1][1]:
            expected.append(((datetime.date(2026, 1, day) - epoch).days, size(day)))
    verdict.equal(sizes, expected, "sizes of the header")
    verdict.equal(header.telescope_ipv4, expected[-1][1], "size of the header")


def check_merge(bench, made, config, whole):
    """Pieces of one telescope merge to the whole's days; others of its id do not."""
    middle = len(made) // 2
    pieces = []
    for name, part in (("first", made[:middle]), ("second", made[middle:])):
        capture = pcap.write(os.path.join(bench, name + ".pcap"), [(ns, frame) for ns, frame, *_ in part])
        pieces.append(os.path.join(bench, name))
        replay("--config", config, capture, "-o", pieces[-1])
    merged = os.path.join(bench, "merged")
    rc, _, err = run("merge", *pieces, "-o", merged)
    verdict.equal(rc, 0, f"merge of pieces: {err}")
    verdict.equal(days_of(merged), days_of(whole), "days of merged pieces")
    verdict.equal(header_of(merged).telescopes, header_of(whole).telescopes, "header of merged pieces")
    verdict.equal(run("verify", merged)[0], 0, "verify")
    others = {"plain": "telescope: 198.18.0.0/28\n", "later": config_text().replace("from: 2026-01-11", "from: 2026-01-12")}
    for name, text in others.items():
        other = os.path.join(bench, name)
        with open(other + ".yaml", "w", encoding="utf-8") as f:
            f.write(text if "timezone" in text else "timezone: Asia/Kolkata\n" + text)
        replay("--config", other + ".yaml", os.path.join(bench, "second.pcap"), "-o", other)
        for pair in ((pieces[0], other), (other, pieces[0])):
            rc, _, err = run("merge", *pair, "-o", os.path.join(bench, "refused"))
            verdict.check(rc != 0 and "telescopes without an id have" in err, f"merge with {name}: {rc} {err}")


def check_explain(config, capture):
    """No address that is dark on any day is shown; each packet is inside or outside on its own day."""
    rc, out, err = run("explain", "--config", config, "--json", capture)
    verdict.equal(rc, 0, f"explain: {err}")
    text = out.decode()
    verdict.equal([str(a) for a in ALL if ever(a) and f'"{a}"' in text], [], "dark addresses that explain shows")
    verdict.check(any(f'"{a}"' in text for a in ALL if not ever(a)), "explain shows no other address")
    return Counter(json.loads(line)["kind"] for line in text.splitlines())


def main():
    with tempfile.TemporaryDirectory() as bench:
        made = packets()
        capture = pcap.write(os.path.join(bench, "all.pcap"), [(ns, frame) for ns, frame, *_ in made])
        config = os.path.join(bench, "config.yaml")
        with open(config, "w", encoding="utf-8") as f:
            f.write(config_text())
        outside = sum(not dark(dst, day_of(ns)) for ns, _, _, dst in made)
        feeds = []
        for name, words in (("minutes", ["-j1"]), ("three", ["-j3", "--batch", "7"]), ("hours", ["--window", "1h"]),
                            ("seconds", ["--window", "1s"])):
            feeds.append(os.path.join(bench, name))
            answer = replay("--config", config, *words, capture, "-o", feeds[-1])
            verdict.equal(answer["kinds"]["outside"], outside, f"{name}: outside")
            verdict.equal(answer["telescope"]["ipv4"], size(DAYS[-1]), f"{name}: size on the last day")
            verdict.equal(answer["telescope"]["changes_by_date"], True, f"{name}: it changes")
            check_days(feeds[-1], made)
        answer = replay("--config", config, "--no-sources", "--window", "1h", capture)
        verdict.equal(answer["kinds"]["outside"], outside, "without days: outside")
        read = [b"".join(open(p, "rb").read() for p in feed.segments(f)) for f in feeds[:2]]
        verdict.equal(read[0] == read[1], True, "the same feed, whatever the workers")
        check_header(feeds[0])
        verdict.equal(check_explain(config, capture)["outside"], outside, "explain: outside")
        check_merge(bench, made, config, feeds[0])
    return verdict.finish()


if __name__ == "__main__":
    sys.exit(main())
