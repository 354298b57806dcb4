"""test_feeds.py: the same packets give the same feed, whatever carried them.

Byte for byte for any number of workers, batch size, compression, stdin and splitting into pieces; after merging
parts, for inputs out of order. verify passes on each feed, and fails where one byte or one count is
altered. Damaged inputs: what came before the damage is counted, the damage is named, the exit status is 3.
"""
import bz2
import gzip
import json
import lzma
import os
import random
import shutil
import subprocess
import sys
import tempfile
import zlib
from datetime import date

import feed
import pcap
from judge import PROGRAM, Verdict, ledger_faults, replay, run

START = 1_700_000_000 * 10**9 // (60 * 10**9) * 60 * 10**9
SECOND = 10**9
PORTS = [23, 23, 23, 2323, 80, 22, 445, 8080, 37215, 5555, 3389, 6379]


def frame(dice):
    """One packet of a small darknet."""
    src = f"198.51.{dice.randrange(4)}.{dice.randrange(100)}"
    dst = f"203.0.113.{dice.randrange(256)}"
    port, sport = dice.choice(PORTS), dice.randrange(1024, 65536)
    seq = int.from_bytes(bytes(int(n) for n in dst.split(".")), "big")
    return pcap.ether(dice.choices([
        lambda: pcap.ip4(src, dst, 6, pcap.tcp(sport, port, seq=dice.randrange(2**32)), dice.randrange(65536)),
        lambda: pcap.ip4(src, dst, 6, pcap.tcp(sport, port, seq=seq)),
        lambda: pcap.ip4(src, dst, 6, pcap.tcp(sport, port), 54321),
        lambda: pcap.ip4(src, dst, 6, pcap.tcp(port, sport, pcap.SYN | pcap.ACK)),
        lambda: pcap.ip4(src, dst, 6, pcap.tcp(sport, port, pcap.ACK | pcap.PSH, body=b"GET /")),
        lambda: pcap.ip4(src, dst, 17, pcap.udp(sport, dice.choice([53413, 1900, 5060, 53]), b"x" * dice.randrange(40))),
        lambda: pcap.ip4(src, dst, 1, pcap.icmp(dice.choice([0, 3, 8]))),
        lambda: b"\x60" + b"\0" * 7,
    ], [40, 10, 5, 10, 5, 15, 10, 2])[0]())


def sample(count, span_s, seed=1):
    dice = random.Random(seed)
    times = sorted(START + dice.randrange(span_s * SECOND) for _ in range(count))
    return [(ns, frame(dice)) for ns in times]


class Bench:
    """A scratch folder with the sample and feeds made of it."""

    def __init__(self, folder):
        self.folder = folder
        self.verdict = Verdict()
        self.packets = sample(6000, 3 * 3600)
        self.whole = pcap.write(self.path("whole.pcap"), self.packets)
        self.feeds = 0

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, packets):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        return pcap.write(self.path(name), packets)

    def feed(self, *words, stdin=None, status=0, name=""):
        """Replays into a new folder, holds the run to its status, its ledger and to verify."""
        self.feeds += 1
        out = self.path(f"feed{self.feeds}")
        rc, answer, err = replay("-o", out, *words, stdin=stdin)
        name = name or " ".join(os.path.basename(str(word)) for word in words)
        records = feed.windows(out) if answer else []
        counted = len({window.start_ns for window in records}), sum(window.part > 0 for window in records)
        self.verdict.equal((answer.get("windows"), answer.get("window_parts")), counted, f"{name}: windows, further parts")
        self.verdict.check(rc == status, f"{name}: exit {rc}, expected {status}: {err.strip()} {answer.get('damaged')}")
        for fault in ledger_faults(answer):
            self.verdict.check(False, f"{name}: {fault}")
        self.verified(out, 0, name)
        return out, answer

    def verified(self, out, status, name):
        rc, _, err = run("verify", out)
        self.verdict.check(rc == status, f"verify of {name}: exit {rc}, expected {status}: {err.strip()}")

    def same(self, out, reference, name):
        self.verdict.check(contents(out) == contents(reference), f"{name}: the feed's bytes differ: {unlike(out, reference)}")


def contents(folder):
    found = {}
    for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
        with open(os.path.join(folder, name), "rb") as f:
            found[name] = f.read()
    return found


def unlike(one, other):
    a, b = contents(one), contents(other)
    return sorted(name for name in {*a, *b} if a.get(name) != b.get(name))[:3]


def compressions(bench):
    """{name: path} of the whole capture, stored in every way that we read."""
    with open(bench.whole, "rb") as f:
        raw = f.read()
    half = len(raw) // 2
    parts = raw[:half], raw[half:]
    tool = lambda *words: lambda data: subprocess.run(words, input=data, capture_output=True, check=True).stdout
    zstd, lz4 = tool("zstd", "-qc"), tool("lz4", "-qzc")
    made = {"gz": gzip.compress(raw), "members.gz": b"".join(map(gzip.compress, parts)),
            "zst": zstd(raw), "frames.zst": b"".join(map(zstd, parts)), "xz": lzma.compress(raw),
            "streams.xz": b"".join(map(lzma.compress, parts)), "bz2": bz2.compress(raw),
            "streams.bz2": b"".join(map(bz2.compress, parts)), "lz4": lz4(raw), "frames.lz4": b"".join(map(lz4, parts))}
    for name, data in made.items():
        with open(bench.path("whole.pcap." + name), "wb") as f:
            f.write(data)
    return {name: bench.path("whole.pcap." + name) for name in made}


def carriers(bench, reference):
    """Workers, batches, compressions, stdin, pieces: byte-identical feeds."""
    for workers in (1, 2, 3, 8):
        bench.same(bench.feed("-j", workers, bench.whole)[0], reference, f"-j {workers}")
    for batch in (1, 2, 7, 64, 256):
        bench.same(bench.feed("--batch", batch, "-j", 2, bench.whole)[0], reference, f"--batch {batch}")
    for name, path in compressions(bench).items():
        bench.same(bench.feed(path)[0], reference, name)
        bench.same(bench.feed("-", stdin=path, name=f"stdin of {name}")[0], reference, f"stdin of {name}")
    bench.same(bench.feed("-", stdin=bench.whole, name="stdin")[0], reference, "stdin")
    pieces = [bench.write(f"pieces/{i:02}.pcap", bench.packets[i * 1000:i * 1000 + 1000]) for i in range(6)]
    bench.same(bench.feed(*pieces)[0], reference, "six pieces")
    bench.same(bench.feed(bench.path("pieces"))[0], reference, "a folder of six pieces")
    with open(pieces[2], "rb") as f, open(pieces[2] + ".gz", "wb") as out:
        out.write(gzip.compress(f.read()))
    bench.same(bench.feed(*pieces[:2], pieces[2] + ".gz", *pieces[3:], "-j", 3)[0], reference, "pieces, one compressed")


def large(bench):
    """More packets than lie between two of the reader's marks."""
    path = bench.path("large.pcap")
    rc, _, err = run("synth", "-o", path, "--packets", "1200k", "--sources", "20k", "--span", "1h", "--seed", 5)
    if bench.verdict.check(rc == 0, f"synth: exit {rc}: {err.strip()}"):
        outs = {workers: bench.feed("-j", workers, path)[0] for workers in (1, 2, 3, 8)}
        for workers in (2, 3, 8):
            bench.same(outs[workers], outs[1], f"1.2 million packets, -j {workers}")
    os.unlink(path)


def second_worker(bench):
    """On two processors a second worker comes where there are many sources, in the midst of windows and days."""
    processors = sorted(os.sched_getaffinity(0))[:2]
    if len(processors) < 2:
        print("not run: a second worker for many sources, since there is one processor")
        return
    path = bench.path("many.pcap")
    run("synth", "-o", path, "--no-answers", "--packets", "5M", "--sources", "2M", "--profile", "uniform",
        "--span", "60h", "--disorder", "20m")
    for cap in ("1G", "300M"):
        words = "--window", "30m", "--lateness", "15m", "--telescope", "198.18.0.0/16", "--memory", cap, path
        alone, answer = bench.feed("-j", 1, *words, name=f"two million sources, {cap}, -j 1")
        ledger = answer.get("ledger", {})
        bench.verdict.check(ledger.get("late"), f"{cap}: no packet is late: {ledger}")
        bench.verdict.equal(ledger.get("given_up", {}).get("source_detail", 0) > 0, cap == "300M", f"{cap}: detail given up")
        all_processors = os.sched_getaffinity(0)
        os.sched_setaffinity(0, processors)
        beside = bench.feed(*words, name=f"two million sources, {cap}, two processors")[0]
        os.sched_setaffinity(0, all_processors)
        bench.same(beside, alone, f"two million sources, {cap}, two processors")
        for folder in (alone, beside):
            shutil.rmtree(folder)
    os.unlink(path)


def same_windows(bench, out, reference, name):
    """Equal but for what merging can't keep exact, distinct sources, whose bounds must hold the exact number."""
    found, expected = feed.merged(out), feed.merged(reference)
    other = sorted({*found} ^ {*expected})[:3]
    if not bench.verdict.check(not other, f"{name}: other windows: {other}"):
        return
    for start, (counts, sketches, bounds, times) in found.items():
        whole = expected[start]
        odd = {key: (counts.get(key), whole[0].get(key)) for key in {*counts, *whole[0]}
               if counts.get(key) != whole[0].get(key)}
        bench.verdict.check(not odd, f"{name}: window {start}: {list(odd.items())[:3]}")
        bench.verdict.check(sketches == whole[1], f"{name}: window {start}: sketches differ")
        bench.verdict.check(times == whole[3], f"{name}: window {start}: times {times}, expected {whole[3]}")
        loose = [key for key, (low, high) in whole[2].items() if not bounds[key][0] <= low <= high <= bounds[key][1]]
        bench.verdict.check(not loose, f"{name}: window {start}: bounds don't hold the number: {loose[:3]}")


def orders(bench, reference):
    """Inputs out of order give the sorted capture's windows."""
    packets = bench.packets
    odd, even = (bench.write(f"order/{i}.pcap", packets[i::2]) for i in (0, 1))
    same_windows(bench, bench.feed(odd, even)[0], reference, "two files that interleave")
    for i in (0, 1):
        for part in (0, 1):
            half = packets[i::2][part * 1500:part * 1500 + 1500]
            bench.write(f"sensors/sensor{i}/{part}.pcap", half)
    same_windows(bench, bench.feed(bench.path("sensors"))[0], reference, "two sensors one after the other")
    mixed = packets[:]
    random.Random(3).shuffle(mixed)
    outs = [bench.feed("-j", j, bench.write("order/mixed.pcap", mixed))[0] for j in (1, 3)]
    bench.same(outs[1], outs[0], "shuffled, -j 3")
    same_windows(bench, outs[0], reference, "shuffled")
    stray = (START + 400 * 86400 * SECOND, packets[0][1])
    plain = bench.feed(bench.write("order/sorted.pcap", packets + [stray]))[0]
    far = bench.feed(bench.write("order/far.pcap", packets[:3000] + [stray] + packets[3000:]))[0]
    same_windows(bench, far, plain, "a far-future packet in the middle")
    parts = sum(window.part > 0 for window in feed.windows(far))
    bench.verdict.check(parts == 0, f"a far-future packet in the middle: {parts} windows were sealed by it too early")
    past = (START - 400 * 86400 * SECOND, packets[0][1])
    plain = bench.feed(bench.write("order/sorted.pcap", [past] + packets))[0]
    same_windows(bench, bench.feed(bench.write("order/past.pcap", packets[:3000] + [past] + packets[3000:]))[0], plain,
                 "a packet of long ago in the middle")


def clocks(bench):
    """A broken clock at the start, or behind a gap, makes nothing late and names no other hour's segment; what comes for a
    sealed window is late."""
    packets, answers = bench.packets, {}
    far = (START + 400 * 86400 * SECOND, packets[0][1])
    plain, _ = bench.feed(bench.write("clock/last.pcap", packets + [far]), name="a far-future packet at the end")
    first, answers["first"] = bench.feed(bench.write("clock/first.pcap", [far] + packets), name="a far-future packet first")
    bench.same(first, plain, "a far-future packet first")
    later = [(ns + 2 * 86400 * SECOND, packet) for ns, packet in packets]
    for at in (0, 500, 999, 1000, 3000):
        path = bench.write("clock/gap.pcap", packets[:10] + later[:at] + [far] + later[at:])
        _, answers[f"gap, {at}"] = bench.feed(path, name=f"a gap of days, a far-future packet {at} behind it")
    # Each second packet is an hour behind, and no window is over for a day: slots run out. The far one is first in the feed.
    pairs = [packet for i in range(0, 2000, 2) for packet in (packets[i + 2000], packets[i])]
    out, answer = bench.feed("--lateness", "1d", bench.write("clock/slots.pcap", [far] + pairs), name="slots run out")
    parts = [window for window in feed.windows(out) if window.part]
    late = sum(window.ledger.late for window in feed.windows(out))
    bench.verdict.check(parts and all(window.ledger.late == window.ledger.observed for window in parts),
                        f"slots run out: {len(parts)} further parts, or packets of one that are not late")
    bench.verdict.equal(answer["ledger"]["late"], late, "slots run out: late")
    for name, answer in answers.items():
        bench.verdict.equal((answer["ledger"]["late"], answer["packets"] > 6000), (0, True), f"broken clock, {name}: late")
    for name in (out, first):
        own_time(bench, name)


def own_time(bench, out):
    """A segment of windows holds those of its first one's hour and of the day before, one of days what is of the date in its name."""
    windows, days = 0, 0
    for path, records in feed.read(out).items():
        name, bodies = os.path.basename(path), [record.WhichOneof("body") for record in records]
        hours = {r.window.start_ns // 3600 // SECOND for r, body in zip(records, bodies) if body == "window"}
        dates = {r.source_day.date for r, body in zip(records, bodies) if body == "source_day"}
        dates |= {r.day_begin.facts.date for r, body in zip(records, bodies) if body == "day_begin"}
        dates |= {r.day.facts.date for r, body in zip(records, bodies) if body == "day"}
        if name[8] == "T":
            hour = records[1].window.start_ns // 3600 // SECOND
            is_own = hours and hour - 24 <= min(hours) <= max(hours) == hour and not dates
            windows += 1
        else:
            is_own = not hours and [f"{date.fromordinal(719163 + day):%Y%m%d}" for day in dates] == [name[:8]]
            days += 1
        bench.verdict.check(is_own, f"{name}: holds windows of the hours {hours}, days of {dates}")
    bench.verdict.check(windows > 1 and days > 1, f"{windows} segments of windows, {days} of days")


def sums(bench, out, answer):
    """The feed's windows add up to what --json says."""
    total = {}
    for counts, *_ in feed.merged(out).values():
        for key, n in counts.items():
            total[key] = total.get(key, 0) + n
    get = lambda *key: total.get(key, 0)
    equal = bench.verdict.equal
    for name in ("packets", "bytes", "ip4", "ip6", "tcp", "udp", "icmp", "tcp_syn", "tcp_synack", "tcp_rst"):
        equal(get("totals", name), answer[name], f"sum of {name}")
    for kind, n in answer["kinds"].items():
        equal(get("kind", kind, "packets"), n, f"sum of kind {kind}")
    for tool, n in answer["tools"].items():
        equal(get("mark", tool), n, f"sum of tool {tool}")
    for row in answer["ports"]:
        found = tuple(get("port", row["proto"], row["port"], name) for name in ("packets", "syn"))
        equal(found, (row["packets"], row["syn"]), f"sum of {row['proto']}/{row['port']}")
    for numerator, denominators in answer["shares"].items():
        for denominator, share in denominators.items():
            if denominator.endswith("_ex_survey"):  # test_provisional.py
                continue
            found = {"num": get("mark", numerator), "den": get("mark", denominator)}
            equal(found, {part: share["packets"][part] for part in found}, f"share {numerator}/{denominator}")


def drops(bench):
    """What --filter takes out stands in the ledger; what is outside the telescope is a kind."""
    expected = sum(packet[14:15] == b"\x45" and packet[23] == 6 for _, packet in bench.packets)
    _, answer = bench.feed("--filter", "tcp", bench.whole)
    ledger = answer["ledger"]
    bench.verdict.equal((ledger["offered"], ledger["observed"], ledger["dropped"]["filtered"]),
                        (len(bench.packets), expected, len(bench.packets) - expected), "--filter tcp")
    inside = sum(packet[14:15] == b"\x45" and packet[33] < 128 for _, packet in bench.packets)
    _, answer = bench.feed("--telescope", "203.0.113.0/25", bench.whole)
    outside = len(bench.packets) - inside - answer["kinds"].get("malformed", 0) - answer["kinds"].get("non_ip", 0)
    bench.verdict.equal(answer["kinds"].get("outside", 0), outside, "--telescope 203.0.113.0/25: outside")


def filters(bench):
    """What does not compile at all is wrong usage, before anything is made or read; what does not compile for the link
    type of an input leaves out that input, which is named."""
    out = bench.path("no-feed")
    rc, _, err = run("replay", "-o", out, "--filter", "tcp dst prot 23", bench.whole)
    bench.verdict.check(rc == 2 and "tcp dst prot 23" in err and not os.path.exists(out), f"a filter that does not compile: exit {rc}: {err}")
    raw = [(ns, packet[14:]) for ns, packet in bench.packets[1000:2000]]
    pcap.write(bench.path("links-raw.pcap"), raw, link=101)
    inputs = [bench.write("links/0.pcap", bench.packets[:1000]), bench.path("links-raw.pcap"),
              bench.write("links/2.pcap", bench.packets[2000:3000])]
    _, answer = bench.feed("--filter", "ether dst 2:0:0:0:0:1", *inputs, status=3)
    ledger, damaged = answer["ledger"], answer["damaged"]
    bench.verdict.equal((ledger["offered"], ledger["observed"]), (2000, 2000), "a filter of Ethernet's words: packets")
    bench.verdict.check([row["file"] for row in damaged] == [inputs[1]] and damaged[0]["kind"] == "unread" and
                        "does not compile for link type RAW" in damaged[0]["what"], f"a filter of Ethernet's words: {damaged}")
    rc, out, _ = run("explain", "--filter", "ether dst 2:0:0:0:0:1", *inputs)
    bench.verdict.equal((rc, out.count(b"\n")), (3, 2000), "explain with a filter of Ethernet's words: exit, lines")


def stays_dark(bench):
    """The text of a filter can hold the telescope's addresses: it stands in no feed but an exposed one."""
    words = ["--telescope", "203.0.113.0/25", "--filter", "dst net 203.0.113.0/25", bench.whole]
    secrets = [b"203.0.113", b"dst net", bytes([203, 0, 113]), bytes([113, 0, 203])]
    hidden, answer = bench.feed(*words)
    whole = b"".join(contents(hidden).values())
    bench.verdict.check(not any(secret in whole for secret in secrets), "the feed holds addresses of the telescope")
    headers = [rows[0].header for rows in feed.read(hidden).values()]
    bench.verdict.check(all(h.filtered and not h.filter and h.telescope_configured for h in headers), "headers of a filtered feed")
    bench.verdict.check(answer["ledger"]["dropped"]["filtered"] > 0, "the filter took out nothing")
    bench.same(bench.feed("--filter", "dst net 203.0.113.0/25 or dst host 203.0.113.5", *words[:2], bench.whole)[0], hidden,
               "another filter that leaves the same packets")
    exposed, _ = bench.feed("--expose-telescope", *words)
    texts = {rows[0].header.filter for rows in feed.read(exposed).values()}
    bench.verdict.equal(texts, {words[3]}, "--expose-telescope: the header's filter")
    plain = [rows[0].header for rows in feed.read(bench.feed(*words[:2], bench.whole)[0]).values()]
    bench.verdict.check(not any(h.filtered for h in plain), "a header knows of a filter where there was none")


def tampered(bench, reference):
    """verify finds every altered byte, and every altered count under a checksum that fits."""
    copy = bench.path("tampered")

    def again():
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(reference, copy)

    again()
    feed.write(feed.read(copy))
    bench.same(copy, reference, "a feed read and written again by python3-protobuf")
    dice = random.Random(4)
    for path in feed.segments(reference):
        for _ in range(8):
            again()
            at = dice.randrange(os.path.getsize(path))
            with open(os.path.join(copy, os.path.basename(path)), "r+b") as f:
                f.seek(at)
                byte = f.read(1)[0]
                f.seek(at)
                f.write(bytes([byte ^ 1 << dice.randrange(8)]))
            bench.verified(copy, 1, f"byte {at} of {os.path.basename(path)} altered")
    for name, alter in alterations().items():
        again()
        records = feed.read(copy)
        alter(next(r.window for rows in records.values() for r in rows[2:] if r.WhichOneof("body") == "window"))
        feed.write(records)
        bench.verified(copy, 1, f"{name} altered")


def alterations():
    """{name: what it does to a Window}, one count each."""
    def add(*path, field, by=1):
        def alter(window):
            at = window
            for step in path:
                at = at[step] if isinstance(step, int) else getattr(at, step)
            setattr(at, field, getattr(at, field) + by)
        return alter

    def column(name):
        def alter(window):
            getattr(window.ports[0], name)[0] += 1
        return alter

    return {
        "offered": add("ledger", field="offered"), "observed": add("ledger", field="observed"),
        "late": add("ledger", field="late", by=10**6), "kind": add("kinds", 0, field="packets"),
        "bytes of a kind": add("kinds", 0, field="bytes"), "total": add("totals", field="packets"),
        "bytes": add("totals", field="bytes"), "tcp": add("totals", field="tcp"), "mark total": add("marks", 0, field="packets"),
        "mark scan": add("marks", 1, field="packets"), "last time": add("totals", field="last_ns", by=60 * SECOND),
        "port packets": column("packets"), "port scan": column("scan"), "start": add(field="start_ns", by=60 * SECOND),
        "rule": add("rules", 0, field="packets", by=10**6),
    }


def whole_before(raw):
    """Packets that lie whole in the beginning of a plain capture."""
    return sum(at + length <= len(raw) for at, length in pcap.records(raw))


def partial(name, data):
    """What an independent decompressor gets out of a stream that ends too early."""
    if name == "gz":
        return zlib.decompressobj(31).decompress(data)
    if name == "xz":
        return lzma.LZMADecompressor().decompress(data)
    if name == "bz2":
        return bz2.BZ2Decompressor().decompress(data)
    return subprocess.run([{"zst": "zstd", "lz4": "lz4"}[name], "-dc"], input=data, capture_output=True, check=False).stdout


def damages(bench):
    """Truncated and broken inputs, alone and between sound ones."""
    with open(bench.whole, "rb") as f:
        raw = f.read()
    for size in (0, 3, 23, 24, 30, 40, 24 + 16 + 5, 1000, len(raw) // 2, len(raw) - 1):
        complete = size == 24
        answer = broken(bench, "cut.pcap", raw[:size], f"plain, cut at {size}", 0 if complete else 3)
        bench.verdict.equal(answer.get("packets"), whole_before(raw[:size]), f"plain, cut at {size}: packets")
    at, _ = pcap.records(raw)[2000]
    answer = broken(bench, "length.pcap", raw[:at + 8] + b"\xff" * 4 + raw[at + 12:], "record length 4294967295")
    bench.verdict.equal(answer.get("packets"), 2000, "record length 4294967295: packets")
    for name in ("gz", "zst", "xz", "bz2", "lz4"):
        with open(bench.path("whole.pcap." + name), "rb") as f:
            data = f.read()
        for size in (10, len(data) // 3, len(data) - 3):
            cut = data[:size]
            answer = broken(bench, "cut.pcap." + name, cut, f"{name}, cut at {size} of {len(data)}")
            least, found = whole_before(partial(name, cut)), answer.get("packets", -1)
            is_exact = name not in ("zst", "lz4")  # these tools keep back the last of what they could tell
            bench.verdict.check(least == found if is_exact else least <= found,
                                f"{name}, cut at {size}: {found} packets, not {least}")
        middle = len(data) // 2
        flipped = data[:middle] + bytes(byte ^ 0x55 for byte in data[middle:middle + 64]) + data[middle + 64:]
        answer = broken(bench, "flipped.pcap." + name, flipped, f"{name}, 64 bytes flipped")
        # All of them may be there: what only the checksum tells at the end is in their bytes.
        bench.verdict.check(0 <= answer.get("packets", -1) <= len(bench.packets), f"{name}, 64 bytes flipped: too many packets")
    gap(bench, raw)


def broken(bench, name, data, text, status=3):
    path = bench.path(name)
    with open(path, "wb") as f:
        f.write(data)
    _, answer = bench.feed(path, status=status, name=text)
    damaged = answer.get("damaged", [])
    named = [row for row in damaged if row["file"] == path and row["what"] and isinstance(row["offset"], int)]
    bench.verdict.check(len(damaged) == len(named) == (1 if status == 3 else 0), f"{text}: damaged {damaged}")
    return answer


def gap(bench, raw):
    """The inputs around a damaged one are read, and nothing stands for it."""
    cut = bench.path("gap/1.pcap.gz")
    for i in (0, 2):
        bench.write(f"gap/{i}.pcap", bench.packets[i * 1000:i * 1000 + 1000])
    with open(cut, "wb") as f:
        f.write(gzip.compress(raw)[:-2000])
    for words in ([bench.path("gap")], [bench.path("gap/0.pcap"), bench.path("missing.pcap"), bench.path("gap/2.pcap")]):
        _, answer = bench.feed(*words, status=3)
        bench.verdict.check(answer.get("packets", 0) >= 2000, f"around a damaged input: {answer.get('packets')} packets")
        bench.verdict.equal(len(answer.get("damaged", [])), 1, "around a damaged input: inputs named")


def fifos(bench):
    """One writer fills a pipe and then another: the second is not waited for while the first has to be read."""
    path, ends = bench.path("fifo.pcap"), [bench.path("fifo.a"), bench.path("fifo.b")]
    run("synth", "-o", path, "--no-answers", "--packets", "300k", "--sources", "1k")
    for end in ends:
        os.mkfifo(end)
    with subprocess.Popen(["sh", "-c", 'cat "$0" > "$1"; cat "$0" > "$2"', path, *ends]) as writer:
        try:
            done = subprocess.run([PROGRAM, "replay", "--json", *ends], capture_output=True, text=True, check=False, timeout=300)
            bench.verdict.check(json.loads(done.stdout)["packets"] == 600000, "two pipes of one writer")
        except subprocess.TimeoutExpired:
            bench.verdict.check(False, "two pipes of one writer: nobody reads the first")
        finally:
            writer.kill()
    rc, _, err = run("verify", ends[0])
    bench.verdict.check(rc == 1 and "is no file" in err, f"verify of a pipe: {rc} {err}")
    for name in (path, *ends):
        os.unlink(name)


def memory_ends(bench):
    """Where memory ends, the program says so and leaves a feed that does not pass for a whole one."""
    def limited(limit, *words):
        done = subprocess.run(["prlimit", f"--as={limit << 20}", PROGRAM, *words], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr

    if limited(100, "--version")[0] != 0:
        print("not run: the end of memory, which a sanitizer has for itself")
        return
    path, ended = bench.path("many.pcap"), 0
    run("synth", "-o", path, "--no-answers", "--packets", "500k", "--sources", "500k", "--profile", "uniform")
    for limit in range(100, 400, 20):
        out = bench.path(f"memory{limit}")
        rc, text, err = limited(limit, "replay", "--json", "-j", "1", "-o", out, path)
        is_end = rc == 1 and not text and err.startswith("yamiscope: ") and err.count("\n") == 1
        if not bench.verdict.check(rc == 0 or is_end, f"{limit} MiB of memory: exit {rc}: {err[:200]}"):
            continue
        ended += err == "yamiscope: memory has ended\n"
        if any(name.endswith(".yami") for name in (os.listdir(out) if os.path.isdir(out) else [])):
            bench.verified(out, 1 if rc else 0, f"a feed written with {limit} MiB of memory")
    bench.verdict.check(ended, "memory never ended")
    os.unlink(path)


def main():
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(folder)
        reference, answer = bench.feed("-j", 2, bench.whole, name="the whole capture")
        if not bench.verdict.check(contents(reference), "no feed was written"):
            return bench.verdict.finish()
        bench.verdict.equal(answer.get("packets"), len(bench.packets), "packets of the whole capture")
        sums(bench, reference, answer)
        carriers(bench, reference)
        large(bench)
        second_worker(bench)
        orders(bench, reference)
        clocks(bench)
        drops(bench)
        filters(bench)
        stays_dark(bench)
        tampered(bench, reference)
        damages(bench)
        fifos(bench)
        memory_ends(bench)
        return bench.verdict.finish()


if __name__ == "__main__":
    sys.exit(main())
