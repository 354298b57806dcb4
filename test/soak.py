#!/usr/bin/env python3
"""A soak of live capture: memory stays flat, and what the ledger says agrees with the devices' own counters.

    test/soak.py MINUTES [--only rate|wire] [--build DIR] [--packets N] [--sources N]

Two halves. rate: a DPDK vdev that repeats a capture as fast as it is taken (net_pcap, infinite_rx). wire: a DPDK port on an
interface (net_af_packet), which tcpreplay sends to as fast as it can; the kernel's counters of the interface are what the ledger is
held to. Needs root, iproute2 and tcpreplay; traffic stays in a network namespace of its own. Prints a line for each sample and one for
each half; exit 1 where something does not hold. Memory is taken for flat where a line through its samples, but for the first third, rises
by less than 2 % of their mean; a soak of less than 10 minutes does not tell.
"""
import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

EVERY_S = 5
RISE = 0.02
SETTLED_S = 300  # of a half: in less, what is touched for the first time still shows


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("minutes", type=float)
    parser.add_argument("--build", default=os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "build"))
    parser.add_argument("--only", choices=("rate", "wire"), help="one of the two, for all the minutes")
    parser.add_argument("--packets", type=int, default=400000)
    parser.add_argument("--sources", type=int, default=100000)
    return parser.parse_args()


args = options()
os.environ["YAMISCOPE"] = os.path.join(os.path.abspath(args.build), "yamiscope")

import live_net  # noqa: E402  (they read the environment)
import pcap  # noqa: E402
from judge import Verdict, run  # noqa: E402
from test_live_command import Live, held  # noqa: E402


def memory_mb(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return sum(int(line.split()[1]) for line in f if line.startswith("RssAnon:")) / 1000


def rise_of(samples):
    """How much the line through the samples rises over all of them, and their mean."""
    count = len(samples)
    mean_x, mean_y = (count - 1) / 2, sum(samples) / count
    spread = sum((x - mean_x) ** 2 for x in range(count))
    slope = sum((x - mean_x) * (y - mean_y) for x, y in enumerate(samples)) / spread
    return slope * (count - 1), mean_y


def kernel_counts(name):
    shown = subprocess.run(["ip", "-s", "-j", "link", "show", "dev", name], capture_output=True, text=True, check=True).stdout
    return json.loads(shown)[0]["stats64"]["rx"]


def without_fragments(path):
    """net_af_packet has the kernel put IPv4 fragments together: those that never become whole do not come, and nobody counts them."""
    raw, kept = pcap.stored(path), bytearray()
    kept += raw[:24]
    for at, size in pcap.records(raw):
        frame = at + 16
        is_fragment = raw[frame + 12:frame + 14] == b"\x08\x00" and int.from_bytes(raw[frame + 20:frame + 22], "big") & 0x3fff
        if not is_fragment:
            kept += raw[at:at + size]
    with open(path, "wb") as f:
        f.write(kept)


def watch(verdict, name, live, out, seconds):
    samples, end = [], time.monotonic() + seconds
    while time.monotonic() < end and live.child.poll() is None:
        time.sleep(min(EVERY_S, max(0.1, end - time.monotonic())))
        samples.append(memory_mb(live.child.pid))
        print(f"{name}: {samples[-1]:.0f} MB, {held(out).get('observed', 0)} packets in the feed", flush=True)
    verdict.check(live.child.poll() is None, f"{name}: it ended by itself: {live.said()}")
    late = samples[len(samples) // 3:]
    if len(late) < 4:
        return
    rise, mean = rise_of(late)
    if seconds >= SETTLED_S:
        verdict.check(rise < RISE * mean, f"{name}: memory rises by {rise:.1f} MB at {mean:.0f} MB")
    print(f"{name}: memory {mean:.0f} MB, {rise:+.1f} MB from a third on to the end")


def stages(said):
    """{stage: [in, queued, out, dropped]}."""
    rows = (line.split() for line in said.splitlines())
    return {row[0]: [int(word) for word in row[1:5]] for row in rows if row and row[0] in ("receive", "count", "write")}


def finish(verdict, name, live, out, seconds):
    """The feed's ledger; None where it does not hold."""
    status, said = live.stop()
    found, rows = held(out), stages(said)
    verdict.equal((status, found.get("ok"), found.get("closed")), (0, True, True), f"{name}: it ends: {live.said()[-400:]}")
    verdict.equal(found.get("windows_given_up", 0), 0, f"{name}: windows given up")
    verdict.equal(found.get("offered"), found.get("observed", 0) + found.get("dropped", 0), f"{name}: ledger")
    taken, counted = rows.get("receive", [0] * 4), rows.get("count", [0] * 4)
    verdict.equal((taken[0], counted[2]), (taken[2] + taken[3], found.get("observed")), f"{name}: stages")
    print(f"{name}: {found.get('offered')} offered, {found.get('dropped')} dropped, {found.get('observed', 0) / seconds / 1e6:.2f} M "
          f"packets/s counted")
    return found, taken


def soak_rate(verdict, folder, capture, seconds):
    out = os.path.join(folder, "rate")
    spec = f"dpdk:vdev=net_pcap0,rx_pcap={capture},infinite_rx=1,mbufs={args.packets + 40000}"
    live = Live("--from", spec, "-o", out, "--window", "10s", "--stage-table")
    verdict.check(live.until(lambda: held(out), 120), f"rate: begins: {live.said()}")
    try:
        watch(verdict, "rate", live, out, seconds)
        found, taken = finish(verdict, "rate", live, out, seconds)
    finally:
        live.child.kill()
    verdict.equal(found.get("offered"), taken[0], "rate: offered is what the vdev gave")
    shutil.rmtree(out)


def soak_wire(verdict, folder, capture, seconds):
    out = os.path.join(folder, "wire")
    live_net.make_pair()
    live = Live("--from", f"dpdk:vdev=net_af_packet0,iface={live_net.SENSOR},framecnt=4096", "-o", out, "--window", "10s", "--stage-table")
    verdict.check(live.until(lambda: held(out), 120), f"wire: begins: {live.said()}")
    try:
        wire_run(verdict, live, out, capture, seconds)
    finally:
        live.child.kill()
    shutil.rmtree(out)


def wire_run(verdict, live, out, capture, seconds):
    before = kernel_counts(live_net.SENSOR)
    words = ["tcpreplay", "-q", "--topspeed", "--preload-pcap", "--loop=0", "-i", live_net.SENDER, capture]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as sender:
        watch(verdict, "wire", live, out, seconds)
        sender.send_signal(signal.SIGINT)
    after = kernel_counts(live_net.SENSOR)
    came = after["packets"] - before["packets"]
    live.until(lambda: held(out).get("offered", 0) >= came, 60)
    found, _ = finish(verdict, "wire", live, out, seconds)
    verdict.check(came > 0, "wire: nothing was sent")
    verdict.equal(found.get("offered"), came, "wire: offered is what the interface received")


def main():
    if os.geteuid() != 0 or not shutil.which("tcpreplay"):
        sys.exit("soak.py: needs root and tcpreplay")
    if not live_net.enter():
        return 1
    live_net.quiet()
    verdict = Verdict()
    with tempfile.TemporaryDirectory() as folder:
        capture = os.path.join(folder, "soak.pcap")
        made = run("synth", "-o", capture, "--packets", str(args.packets), "--sources", str(args.sources), "--no-answers")
        verdict.equal(made[0], 0, f"synth: {made[2]}")
        without_fragments(capture)
        for half, soak in (("rate", soak_rate), ("wire", soak_wire)):
            if args.only in (None, half):
                soak(verdict, folder, capture, args.minutes * (60 if args.only else 30))
    return verdict.finish()


if __name__ == "__main__":
    sys.exit(main())
