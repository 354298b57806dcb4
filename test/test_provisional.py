"""test_provisional.py: what windows take out of _ex_survey, provisionally, against the final set of the day before.

A capture of equal days. The final set of a day is computed in Python from its source days (days.py), read by
python3-protobuf; `explain` says each packet's source and marks. A packet's window, and whether it came late, follow from
the packets' times alone.
"""
import datetime
import filecmp
import ipaddress
import json
import os
import sys
import tempfile
from collections import Counter, defaultdict

import days
import feed
import reference
from judge import Verdict, replay, run

START, DAYS, ZONE = "2026-03-07", 4, "UTC"
TELESCOPE = ["--telescope", "198.18.0.0/22,2001:db8::/48"]
ADDRESSES = 1024
SECOND, MINUTE, DAY = 10**9, 60 * 10**9, 86400 * 10**9
FIRST = (datetime.date.fromisoformat(START) - datetime.date(1970, 1, 1)).days
# 520 packets in half an hour without what is taken out, of which an eighth are strict: one standard deviation is 0.014.
# A day without the survey set is 0.05 lower.
FLAT = 0.02


def packets_of(path):
    """[(ns, source, marks)] in the file's order."""
    _, out, _ = run("explain", "--json", *TELESCOPE, path)
    found = []
    for line in out.splitlines():
        p = json.loads(line)
        whole, part = p["ts"].rstrip("Z").split(".")
        seconds = datetime.datetime.fromisoformat(whole + "+00:00").timestamp()
        found.append((int(seconds) * SECOND + int(part), ipaddress.ip_address(p["src"]).packed, p["marks"]))
    return found


def by_window(packets, span, lateness):
    """{(start, is_late): [(source, marks)]}: late is what comes when its window is over."""
    found, watermark = defaultdict(list), 0
    for ns, source, marks in packets:
        watermark = max(watermark, ns)
        start = ns // span * span
        found[start, watermark >= start + span + lateness].append((source, marks))
    return found


class Sets:
    """Who is taken out, by the date whose set a window stands on; None: no day was over."""

    def __init__(self, folder):
        found, rules = days.dates(folder), days.load(reference.RULES)
        listed = {s.address for _, sources, _ in found for s in sources if s.bogon or s.acknowledged}
        self.out = {None: listed}
        for begin, sources, day in found:
            classes = days.Classes(sources, begin.settings, ADDRESSES, rules)
            seen = {s.address for s in sources}
            self.out[day.facts.date] = set(classes.of) | (listed - seen)


def said(windows):
    """Of one window's records: {mark: packets, packets out, sources out}."""
    found = {}
    for w in windows:
        for m in w.marks:
            if not m.tool:
                row = found.get(m.mark, (0, 0, 0))
                found[m.mark] = (row[0] + m.packets, row[1] + m.packets_out, row[2] + m.sources_out.high)
    return found


def counted(packets, out):
    whole, gone, sources = Counter(), Counter(), defaultdict(set)
    for source, marks in packets:
        for mark in marks:
            whole[mark] += 1
            if source in out:
                gone[mark] += 1
                sources[mark].add(source)
    return {mark: (whole[mark], gone[mark], len(sources[mark])) for mark in whole}


def exact(verdict, folder, packets, span):
    """Every window against the set of the date that it names."""
    sets, expected, groups = Sets(folder), by_window(packets, span, span), defaultdict(list)
    for w in feed.windows(folder):
        groups[w.start_ns, w.part > 0].append(w)
    verdict.equal(set(groups), set(expected), f"windows of {span // SECOND} s")
    for key, windows in sorted(groups.items()):
        name = f"window of {span // SECOND} s at {key[0] // SECOND}{' (late)' if key[1] else ''}"
        bases = {(w.survey_basis.some, w.survey_basis.first, w.survey_basis.last, w.survey_basis.without) for w in windows}
        if not verdict.check(len(bases) == 1, f"{name}: stands on {bases}"):
            continue
        some, first, last, without = bases.pop()
        verdict.check(first == last and some != without, f"{name}: survey_basis {some, first, last, without}")
        date = key[0] // DAY
        if not key[1] and key[0] >= date * DAY + 2 * span:  # the first windows open before the day before is over
            verdict.equal(first if some else None, date - 1 if date > FIRST else None, f"{name}: basis")
        want = counted(expected[key], sets.out[first if some else None])
        found = {mark: row for mark, row in said(windows).items() if row[0]}
        verdict.equal(found, {m: row for m, row in want.items() if m in found or m in days.NUMERATORS}, name)


def flat(verdict, folder):
    """The share of IoT has no step at midnight, nor anywhere, once a day is over."""
    rows = defaultdict(lambda: [0, 0, 0, 0])
    for w in feed.windows(folder):
        marks = {m.mark: m for m in w.marks}
        row = rows[w.start_ns // (30 * MINUTE)]
        for i, name in enumerate(("iot_strict", "scan")):
            row[i] += marks[name].packets - marks[name].packets_out
            row[i + 2] += marks[name].packets
    share = {at: row[0] / row[1] for at, row in rows.items()}
    known = {at: s for at, s in share.items() if at >= (FIRST + 1) * 48}
    mean = sum(known.values()) / len(known)
    verdict.equal(len(known), 48 * (DAYS - 1), "half hours with packets")
    worst = max(known, key=lambda at: abs(known[at] - mean))
    verdict.check(abs(known[worst] - mean) < FLAT, f"half hour {worst % 48}: {known[worst]:.4f}, the mean is {mean:.4f}")
    for day in range(FIRST + 2, FIRST + DAYS):
        before, after = share[day * 48 - 1], share[day * 48]
        verdict.check(abs(before - after) < FLAT, f"midnight of day {day}: {before:.4f} to {after:.4f}")
    whole = sum(r[2] for r in rows.values()) / sum(r[3] for r in rows.values())
    verdict.check(mean - whole > 2 * FLAT, f"the mean {mean:.4f} could hide a step: with survey scanners {whole:.4f}")


def summed(verdict, folder, answer):
    """`replay --json` has the sums over windows."""
    total = said(feed.windows(folder))
    for numerator in days.NUMERATORS:
        for over in ("total", "scan"):
            want = {part: total[mark][0] - total[mark][1] for part, mark in (("num", numerator), ("den", over))}
            share = answer["shares"][numerator][over + "_ex_survey"]
            verdict.equal(share, {"packets": want, "sources": None}, f"{numerator} over {over}_ex_survey")
    dates = [str(datetime.date.fromisoformat(START) + datetime.timedelta(n)) for n in (0, DAYS - 1)]
    basis = answer["survey_basis"]
    verdict.check(basis["first"] == dates[0] and basis["last"] <= dates[1] and basis["without"], f"survey_basis: {basis}")
    verdict.check(answer["ex_survey"]["absent"] is None and answer["ex_survey"]["sources_absent"], f"{answer['ex_survey']}")


def same_bytes(verdict, path, first, folder, *options):
    """Workers and batches change nothing."""
    for n, words in enumerate((["-j1", "--batch", "1"], ["-j3", "--batch", "7"])):
        other = os.path.join(folder, f"{os.path.basename(first)}-{n}")
        replay(path, *options, *words, "-o", other)
        names = sorted(os.listdir(first))
        verdict.equal(sorted(os.listdir(other)), names, f"files with {words}")
        verdict.equal(filecmp.cmpfiles(first, other, names, shallow=False)[1:], ([], []), f"{options}, {words}: files that differ")


def absent(verdict, path, folder):
    for name, words, reason in (("size", [], "size"), ("days", [*TELESCOPE, "--no-sources"], "days")):
        out = os.path.join(folder, "no-" + name)
        _, answer, _ = replay(path, *words, "-o", out)
        verdict.check(reason in answer["ex_survey"]["absent"], f"no {name}: {answer['ex_survey']}")
        verdict.equal(answer["survey_basis"], None, f"no {name}: survey_basis")
        verdict.equal(answer["shares"]["iot_strict"]["scan_ex_survey"], {"packets": None, "sources": None}, f"no {name}")
        found = [w for w in feed.windows(out) if w.HasField("survey_basis") or any(m.packets_out for m in w.marks)]
        verdict.equal(len(found), 0, f"no {name}: windows that say what is taken out")


def main():
    verdict = Verdict()
    with tempfile.TemporaryDirectory() as folder:
        path, lists = os.path.join(folder, "days.pcap"), os.path.join(folder, "lists.yaml")
        run("synth", "-o", path, "--profile", "days", "--timezone", ZONE, "--start", START, "--days", DAYS)
        rc, _, err = run("lists", "import", path + ".acknowledged.txt", "-o", lists)
        verdict.equal(rc, 0, f"the list: {err}")
        packets = packets_of(path)
        for span, at in ((MINUTE, "minutes"), (60 * MINUTE, "hours")):
            out = os.path.join(folder, at)
            options = [*TELESCOPE, "--lists", lists, "--timezone", ZONE, "--window", f"{span // SECOND}s"]
            rc, answer, err = replay(path, *options, "-o", out)
            verdict.equal((rc, err), (0, ""), f"replay in {at}")
            verdict.equal(run("verify", out)[0], 0, f"verify of {at}")
            exact(verdict, out, packets, span)
            summed(verdict, out, answer)
            if span == MINUTE:
                flat(verdict, out)
            same_bytes(verdict, path, out, folder, *options)
        # A zone of a quarter hour: windows lie in two days.
        out, options = os.path.join(folder, "split"), [*TELESCOPE, "--timezone", "Asia/Kathmandu", "--window", "1h"]
        replay(path, *options, "-o", out)
        same_bytes(verdict, path, out, folder, *options)
        verdict.equal(run("verify", out)[0], 0, "verify of windows in two days")
        bases = {w.survey_basis.last for w in feed.windows(out) if w.survey_basis.some}
        verdict.check(len(bases) >= DAYS - 1, f"windows in two days stand on {bases}")
        absent(verdict, path, folder)
    return verdict.finish()


if __name__ == "__main__":
    sys.exit(main())
