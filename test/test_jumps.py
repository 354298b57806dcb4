"""test_jumps.py: captures whose packets jump between days: the same feed byte for byte for any number of workers, any batch and
in every run; a day is judged on all its packets so far, also on those that were counted when it had its turn before; many
days cost what they hold, so that captures of many days end at all."""
import datetime
import filecmp
import json
import os
import random
import struct
import sys
import tempfile

import feed
import pcap
import serving
from judge import Verdict, ledger_faults, replay, run

SECOND, MINUTE, HOUR, DAY = 10**9, 60 * 10**9, 3600 * 10**9, 86400 * 10**9
FIRST = (datetime.date(2026, 3, 7) - datetime.date(1970, 1, 1)).days
OPTIONS = ["--telescope", "198.18.0.0/22", "--survey-packets", 20, "--survey-packets-per-address", "0.01"]
RUNS = [["-j", j, "--batch", b] for j, b in ((1, 1), (1, 64), (2, 1), (2, 512), (3, 7), (3, 512), (8, 64))] + [["-j", 8]] * 4


def packet(ns, source, port, seq=7):
    return ns, pcap.ether(pcap.ip4(source, "198.18.0.1", 6, pcap.tcp(40000, port, seq=seq)))


def same_feeds(a, b):
    names = sorted(os.listdir(a))
    return names == sorted(os.listdir(b)) and not any(filecmp.cmpfiles(a, b, names, shallow=False)[1:])


def jumping(seed):
    """Runs of packets of one minute, a few sources of which some scan many ports; each run lies in any of a few days."""
    r = random.Random(seed)
    days, step = r.choice((2, 3, 6)), r.choice((6 * HOUR, DAY, 40 * DAY))
    found, at = [], [FIRST * DAY + n * step for n in range(days)]
    for _ in range(300):
        day = r.randrange(days)
        at[day] += r.choice((SECOND, MINUTE, 7 * MINUTE, -MINUTE))
        for _ in range(r.choice((1, 3, 30, 200))):
            host = r.choice((r.randrange(8), r.randrange(4000)))
            found.append(packet(at[day] + r.randrange(SECOND), f"11.2.{host // 200}.{host % 200 + 1}", r.randrange(12 if host < 8 else 4)))
    return found


def same_bytes(verdict, path, folder, *options):
    first = os.path.join(folder, "first")
    rc, answer, err = replay(path, *options, "-j", 1, "-o", first)
    verdict.equal((rc, err), (0, ""), "replay")
    verdict.equal(ledger_faults(answer), [], "ledger")
    verdict.equal(run("verify", first)[0], 0, "verify")
    for n, words in enumerate(RUNS):
        other = os.path.join(folder, str(n))
        replay(path, *options, *words, "-o", other)
        verdict.check(same_feeds(first, other), f"{options}, {words}: another feed than of -j 1")
    return first


def out_of(folder, start):
    """(date of the survey set, packets, packets taken out) of the records of a window."""
    found = []
    for w in feed.windows(folder):
        if w.start_ns == start:
            marks = {m.mark: m for m in w.marks if not m.tool}
            found.append((w.survey_basis.first if w.survey_basis.some else None, marks["total"].packets, marks["total"].packets_out))
    return found


def in_two_halves(verdict, folder):
    """A day ends, comes again with late packets and ends again: a source that has half of a survey scanner's ports in each half
    is one only then. Between the halves its day was packed."""
    begin = FIRST * DAY + 18 * HOUR
    first = [packet(begin + n, "11.0.0.1", 100 + n % 20) for n in range(60)]
    noon = [packet(begin + 12 * HOUR, "11.0.0.1", 1), packet(begin + 12 * HOUR + 1, "11.0.0.2", 1)]
    late = [packet(begin + HOUR + n * MINUTE, "11.0.0.1", 120 + n) for n in range(20)]
    again = [(ns + HOUR, frame) for ns, frame in noon]
    path = pcap.write(os.path.join(folder, "halves.pcap"), first + noon + late + again)
    out = same_bytes(verdict, path, os.path.join(folder, "halves"), *OPTIONS)
    verdict.equal(out_of(out, begin + 12 * HOUR), [(FIRST, 2, 0)], "the next day's first window: half of the ports were seen")
    verdict.equal(out_of(out, begin + HOUR + 9 * MINUTE), [(FIRST, 1, 0)], "a late window: half of the ports were seen")
    verdict.equal(out_of(out, begin + 13 * HOUR), [(FIRST, 2, 1)], "a window behind the other half")


def many_days(verdict, folder):
    """A packet a day, and some packets on any of many days: each day costs what it holds. When a turn packed all days again, a
    year of days took minutes."""
    r = random.Random(1)
    daily = [packet((FIRST + n) * DAY, "11.0.0.1", 23) for n in range(1000)]
    mixed = [packet((FIRST + r.randrange(100)) * DAY + r.randrange(DAY), f"11.{r.randrange(3)}.0.9", r.randrange(9999)) for _ in range(300)]
    path = pcap.write(os.path.join(folder, "daily.pcap"), daily)
    rc, answer, err = replay(path, *OPTIONS)
    verdict.equal((rc, err, answer["packets"], ledger_faults(answer)), (0, "", len(daily), []), "a packet a day")
    path, out = pcap.write(os.path.join(folder, "mixed.pcap"), mixed), os.path.join(folder, "mixed")
    rc, answer, err = replay(path, *OPTIONS, "--window", "1h", "-o", out)
    verdict.equal((rc, err, answer["packets"], ledger_faults(answer)), (0, "", len(mixed), []), "days in any order")
    bodies = [getattr(record, record.WhichOneof("body")) for records in feed.read(out).values() for record in records]
    days = [b.facts.date for b in bodies if type(b).__name__ == "Day"]
    verdict.equal(days, sorted({ns // DAY for ns, _ in mixed}), "dates")
    sources = [(b.date, b.address) for b in bodies if type(b).__name__ == "SourceDay"]
    verdict.equal(sources, sorted({(ns // DAY, frame[26:30]) for ns, frame in mixed}), "source days")
    verdict.equal(run("verify", out)[0], 0, "verify of days in any order")


def pcapng(path, times):
    """One packet for each time: only pcapng has room for all that 64 bits of nanoseconds hold."""
    def block(kind, body):
        return struct.pack("<II", kind, 12 + len(body)) + body + struct.pack("<I", 12 + len(body))

    offset = min(times) // SECOND  # of the interface, in seconds
    options = struct.pack("<HHB3xHHqHH", 9, 1, 9, 14, 8, offset, 0, 0)
    found = block(0x0a0d0d0a, struct.pack("<IHHq", 0x1a2b3c4d, 1, 0, -1)) + block(1, struct.pack("<HHI", 1, 0, 65535) + options)
    for n, ns in enumerate(times):
        _, frame = packet(ns, f"11.0.0.{n + 1}", 23)
        at = ns - offset * SECOND
        body = struct.pack("<IIIII", 0, at >> 32, at % 2**32, len(frame), len(frame)) + frame
        found += block(6, body + bytes(-len(body) % 4))
    with open(path, "wb") as f:
        f.write(found)
    return path


def ends_of_time(verdict, folder):
    """The first and the last nanosecond of 64 bits have a day that verify takes, and are shown."""
    for name, times, year in (("last", [2**63 - 1 - n for n in (3 * DAY, MINUTE, 1, 0)], "2262-04-11"),
                              ("first", [-2**63 + n for n in (0, 1, MINUTE, 3 * DAY)], "1677-09-21")):
        path, out = pcapng(os.path.join(folder, name + ".pcapng"), times), os.path.join(folder, name)
        rc, text, err = run("replay", *OPTIONS, "-o", out, path)
        verdict.equal((rc, err), (0, ""), f"the {name} times")
        verdict.check(year in text.decode(), f"the {name} times are not shown: {text.decode()[:300]}")
        rc, _, err = run("verify", out)
        verdict.equal((rc, err), (0, ""), f"verify of the {name} times")
        rc, _, err = run("replay", "--no-sources", "-o", out + " windows", path)
        verdict.equal((rc, err), (0, ""), f"windows of the {name} times")
        spans = [float(s["start_ts"]) for s in json.loads(run("report", out + " windows", "--per", "hour", "--json")[1])["spans"]]
        verdict.check(len(spans) == 2 and spans == sorted(spans), f"report of the {name} times by hour: {spans}")
        hours = [float(h["start_ts"]) for h in json.loads(run("port", "tcp/23", out + " windows", "--json")[1])["hours"]]
        verdict.check(hours == sorted(hours) and all(any(h <= t / SECOND < h + 3600 for h in hours) for t in times), f"hours of the {name} times: {hours}")
    begin = os.path.join(folder, "begin")  # an hour before its end there is no time
    run("replay", *OPTIONS, "-o", begin, pcapng(begin + ".pcapng", [-2**63 + n for n in (0, 1, MINUTE)]))
    server = serving.Server(begin)
    answer = json.loads(server.get("/api/v1/windows")[2])
    verdict.equal(sum(w["packets"] for w in answer["windows"]), 3, "the newest hour is the first of time")
    verdict.equal(server.stop(), 0, "serve")


def main():
    verdict = Verdict()
    with tempfile.TemporaryDirectory() as folder:
        for name in ("halves", "jumps"):
            os.mkdir(os.path.join(folder, name))
        in_two_halves(verdict, folder)
        for seed in range(4):
            here = os.path.join(folder, "jumps", str(seed))
            os.mkdir(here)
            path = pcap.write(os.path.join(here, "jumps.pcap"), jumping(seed))
            ports = ["--survey-ports", 8]
            span = ("1m", "1h")[seed % 2]
            same_bytes(verdict, path, here, *OPTIONS, *ports, "--window", span, "--timezone", ("UTC", "Asia/Kathmandu")[seed // 2])
        many_days(verdict, folder)
        ends_of_time(verdict, folder)
    return verdict.finish()


if __name__ == "__main__":
    sys.exit(main())
