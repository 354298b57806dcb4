"""chaos.py [ROUNDS|MINUTESm] [SEED]: a `live` that captures, records, tells a Redis and readers over HTTP, while in each round one
thing that it stands on breaks (chaos_faults.py). After each round what it left is held to what was sent (chaos_checks.py). What fails is
said with round, seed and what was done, and the folder is kept.

Rounds come in stages, each with a feed of its own, one of three clocks, and every fault before any comes again: the machine's clock in a
zone whose midnight comes soon; a clock that chaos sets (set_clock.c), which is ahead by days; the machine's, in UTC.
"""
import collections
import json
import os
import random
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request

import chaos_checks
import chaos_faults
import feed as feeds
import live_net
import pcap
from judge import SKIP, Verdict, replay, run
from live_net import SENSOR, Sender, frames
from redis_servers import Server
from test_live_command import Live, hms

ROUNDS = 20    # unless told
STAGE = 10     # rounds of one feed
DISK = "48m"   # of the feed's disk; a stage fills a tenth
TELESCOPE = "192.0.2.0/24"
NAME = "chaos"
DAY = 86400
KEEP = ("--keep-windows", "60d", "--keep-sources", "60d", "--record-keep-age", "60d")  # no step ahead deletes what was written a moment ago
KEPT = 5       # folders of failures, at most


class Clock:
    """What the program takes for the time."""

    def __init__(self, folder, library):
        self.path, self.ns = os.path.join(folder, "ahead"), 0
        self.library = library
        self.env = {"LD_PRELOAD": library, "SET_CLOCK": self.path} if library else {}
        self.set(0)

    def set(self, ns):
        """It is ahead of the machine's by so much."""
        self.ns = ns
        with open(self.path, "r+b" if os.path.exists(self.path) else "wb") as f:
            f.write(struct.pack("=q", ns))

    def step(self, seconds):
        self.set(self.ns + int(seconds * 1e9))

    def now(self):
        return time.time() + self.ns / 1e9


class Stage:
    """A feed, what writes it, and what is known of it."""

    def __init__(self, verdict, folder, rng, sort):
        self.verdict, self.folder, self.rng, self.sort = verdict, folder, rng, sort
        self.disk = os.path.join(folder, "disk")
        self.feed, self.record = os.path.join(self.disk, "feed"), os.path.join(folder, "record")
        os.makedirs(self.disk)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "chaos", self.disk], check=True)
        self.clock = Clock(folder, os.environ.get("SET_CLOCK_LIBRARY") if sort == "set" else None)
        self.env, self.zone = dict(self.clock.env), "UTC"
        if sort == "zone":
            self.zone_make(rng.randrange(30, 60))
        elif sort == "set":  # further ahead than the age at which the kernel's stamps are believed
            self.clock.set((DAY * rng.randrange(2, 40) + DAY - int(time.time()) % DAY - rng.randrange(20, 50)) * 10**9)
        self.workers, self.zstd = rng.choice((1, 1, 2)), rng.choice((0, 1))
        self.redis = Server(os.path.join(folder, "redis"))
        self.frames, self.sender = frames(), Sender()
        self.live, self.log = None, open(os.path.join(folder, "live.log"), "a", encoding="utf-8")
        self.sent = 0             # while this `live` runs
        self.base = 0             # packets that the feed had when it began
        self.is_exact = True      # all that was sent in this run is to be in the feed
        self.packets = 0          # that all runs got
        self.kinds = collections.Counter()  # that the feed had when this `live` began
        self.known = []           # records of the feed, as they were when it was last looked at
        self.spoiled = set()      # dates whose journal chaos damaged, or whose Day, behind which no journal is kept
        self.down = []            # [from, to] by the program's clock
        self.recorded = 0         # packets of runs that ended well
        self.did = []
        self.kinds_sent = None

    def zone_make(self, seconds):
        """A zone whose midnight comes so soon."""
        offset = DAY - (int(time.time()) + seconds) % DAY
        text = "-" + hms(DAY - offset) if offset > DAY // 2 else hms(offset)
        with open(os.path.join(self.folder, "soon"), "w", encoding="ascii") as f:
            f.write(f"Zone Test/Soon {text} - SOON\n")
        subprocess.run(["zic", "-b", "fat", "-d", os.path.join(self.folder, "zones"), os.path.join(self.folder, "soon")], check=True)
        self.env["TZDIR"], self.zone = os.path.join(self.folder, "zones"), "Test/Soon"
        self.offset = offset if offset <= DAY // 2 else offset - DAY

    def date_of(self, start_ns):
        return (start_ns // 10**9 + (self.offset if self.sort == "zone" else 0)) // DAY

    # ---- the program

    def start_only(self):
        if self.down and not self.down[-1][1]:
            self.down[-1][1] = int(self.clock.now() * 1e9)
        self.live = Live("--from", f"pcap:{SENSOR}", "-o", self.feed, "--window", "1s", "--telescope", TELESCOPE, "--sensor", NAME, "--timezone",
                         self.zone, "--workers", self.workers, "--record", self.record, "--record-zstd", self.zstd, "--listen", "127.0.0.1:0",
                         "--to", self.redis.url + "?timeout=1s&keep_windows=30000d&keep_days=30000d&keep_hours=60d", "--status-every", "0", *KEEP, env=self.env)
        self.sent = 0

    def start(self, may_fail=False):
        """False where it did not come up, which is a failure unless it may."""
        before = len(self.windows_quick())
        self.start_only()
        live = self.live
        is_up = live.until(lambda: self.url() and len(self.windows_quick()) > before and live.child.poll() is None)
        if not is_up and not may_fail:
            self.verdict.check(False, f"live does not come up: exit {live.child.poll()}: {live.said()[-800:]}")
        found = chaos_checks.held(self.feed)
        self.base, self.sent, self.is_exact = found.get("packets", 0), 0, is_up
        self.kinds = chaos_checks.kinds_of(self.windows_quick())
        return is_up

    def url(self):
        found = re.search(r"http://\S+", self.live.said())
        return found.group(0) if found else None

    def windows_quick(self):
        return chaos_checks.windows_of(chaos_checks.whole_records(self.feed))

    def is_running(self):
        return self.live is not None and self.live.child.poll() is None

    def ended(self, expected, about):
        """The program has been told to end, or was killed."""
        status, _ = self.live.stop(0)
        self.log.write(f"--- {about}: exit {status}\n{self.live.said()}")
        self.log.flush()
        self.verdict.equal(status, expected, f"{about}: exit status: {self.live.said()[-800:]}")
        self.packets += self.sent
        self.live = None
        self.down_from()

    def down_from(self):
        """Nothing runs from now on, by its clock."""
        if not self.down or self.down[-1][1]:
            self.down.append([int(self.clock.now() * 1e9), 0])

    def kill(self, about="kill -9"):
        if self.is_running():
            self.note_known()
            self.is_exact = False
            self.live.child.kill()
            self.ended(-9, about)

    def end(self, about="SIGTERM"):
        if self.is_running():
            self.recorded += self.sent
            self.live.child.terminate()
            self.ended(0, about)

    # ---- traffic

    def send(self, bursts, pause=0.05):
        """Sends for a while; all that goes out is counted as sent."""
        for _ in range(bursts):
            sent = self.sender.send(self.frames)
            self.verdict.equal(sent, len(self.frames), "frames that went out")
            self.sent += sent
            time.sleep(pause)

    def settle(self, about, seconds=180):
        """Until all that was sent is in the feed, or dropped by it."""
        wanted = self.base + self.sent

        def is_there():
            found = chaos_checks.held(self.feed)
            return found.get("offered", 0) >= wanted
        if self.is_running() and not self.live.until(is_there, seconds):
            found = chaos_checks.held(self.feed)
            self.verdict.check(False, f"{about}: {found.get('offered')} of {wanted} packets are in the feed: {found}; live: {self.live.child.poll()} "
                               f"{self.live.said()[-800:]}")

    def note_known(self):
        """What is in the feed now stays there."""
        self.known = chaos_checks.whole_records(self.feed)

    def health(self):
        return json.loads(urllib.request.urlopen(self.url() + "api/v1/health", timeout=180).read())

    # ---- ends

    def expected_kinds(self):
        """What another reader says of a burst."""
        if self.kinds_sent is None:
            path = pcap.write(os.path.join(self.folder, "sent.pcap"), [(i * 1000, frame) for i, frame in enumerate(self.frames)])
            self.kinds_sent = {kind: n for kind, n in replay(path, "--telescope", TELESCOPE)[1]["kinds"].items() if n}
        return self.kinds_sent

    def close(self):
        if self.is_running():
            self.live.child.kill()
            self.live.stop(0)
        self.log.close()
        self.sender.close()
        self.redis.resume()
        self.redis.kill()

    def unmount(self):
        subprocess.run(["umount", self.disk], check=False)


def keep(stage, number, seed):
    """Where the folder of a failure stays; its disk is copied, being in memory."""
    place = os.environ.get("CHAOS_FOUND") or os.path.join(tempfile.gettempdir(), "chaos-found")
    target = os.path.join(place, f"round-{number}-seed-{seed}")
    if os.path.isdir(place) and len(os.listdir(place)) >= KEPT:
        return f"not kept: {place} holds {KEPT} already"
    shutil.rmtree(target, ignore_errors=True)
    if stage.is_running():
        with open(os.path.join(stage.folder, "running.log"), "w", encoding="utf-8") as f:
            f.write(stage.live.said())
    shutil.copytree(stage.folder, target, ignore=lambda folder, names: [n for n in names if n == "filler"])
    return target


def round_run(stage, fault):
    stage.did = [fault.__name__]
    if not stage.is_running() and not stage.start():
        return
    stage.send(stage.rng.randrange(1, 6))
    fault(stage)
    if not stage.is_running() and not stage.start():
        return
    stage.send(stage.rng.randrange(1, 6))
    stage.settle("after " + ", ".join(stage.did))
    if stage.rng.random() < 0.25:
        stage.did.append("SIGTERM")
        stage.end()
    chaos_checks.check_all(stage)


def deck(rng, sort):
    """All faults of such a stage, in any order."""
    found = [f for f in chaos_faults.FAULTS if sort == "set" or f not in chaos_faults.CLOCK]
    rng.shuffle(found)
    return found


def rounds_run(verdict, is_over, seed):
    """Number of rounds."""
    rng, number, stage, counts = random.Random(seed), 0, None, collections.Counter()
    only = os.environ.get("CHAOS_ONLY", "").split()  # names of faults: to find one again
    sorts = ["zone", "set", "plain"] if os.path.exists(os.environ.get("SET_CLOCK_LIBRARY", "")) else ["zone", "plain"]
    if "set" not in sorts:
        print("not run: steps of the clock, since there is no libset_clock.so (SET_CLOCK_LIBRARY)")
    decks = {}
    while not is_over(number):
        sort = sorts[number // STAGE % len(sorts)] if not only else "set" if "set" in sorts else "plain"
        with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
            stage = Stage(verdict, folder, rng, sort)
            try:
                for _ in range(STAGE):
                    if is_over(number):
                        break
                    if not decks.get(sort):
                        decks[sort] = [f for f in deck(rng, sort) if not only or f.__name__ in only] or deck(rng, sort)
                    fault, failed = decks[sort].pop(), verdict.failed
                    number += 1
                    round_run(stage, fault)
                    counts[fault.__name__] += 1
                    print(f"round {number}, {sort}: {', '.join(stage.did)}: {'holds' if verdict.failed == failed else 'FAILED'}", flush=True)
                    if verdict.failed > failed:
                        print(f"round {number}, seed {seed}, clock {sort}: {', '.join(stage.did)}: kept: {keep(stage, number, seed)}", flush=True)
                        break
                else:
                    chaos_checks.check_recording(stage)
            finally:
                stage.close()
                stage.unmount()
    print(f"{number} rounds, seed {seed}: " + ", ".join(f"{n} {name}" for name, n in sorted(counts.items())))


def main():
    words = sys.argv[1:]
    if len(words) > 2 or words and not re.fullmatch(r"[1-9]\d*m?", words[0]) or len(words) == 2 and not words[1].isdigit():
        print(__doc__.splitlines()[0])
        return 2
    if not live_net.enter(mounts=True):
        return SKIP
    seed = int(words[1]) if len(words) > 1 else int.from_bytes(os.urandom(3), "little")
    sys.argv = [sys.argv[0], *(words or [str(ROUNDS)])[:1], str(seed)]
    limit = (words or [str(ROUNDS)])[0]
    end = time.monotonic() + int(limit[:-1]) * 60 if limit.endswith("m") else None
    live_net.quiet()
    live_net.make_pair()
    live_net.ip("link", "set", "lo", "up", may_fail=True)
    tried = subprocess.run(["mount", "-t", "tmpfs", "chaos", "/mnt"], capture_output=True, text=True, check=False)
    if tried.returncode:
        print(f"not run: chaos, since no tmpfs can be mounted: {tried.stderr.strip()}")
        return SKIP
    subprocess.run(["umount", "/mnt"], check=False)
    verdict = Verdict()
    rounds_run(verdict, (lambda number: time.monotonic() > end) if end else (lambda number: number >= int(limit)), seed)
    return verdict.finish()


if __name__ == "__main__":
    sys.exit(main())
