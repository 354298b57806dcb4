#!/usr/bin/env python3
"""The table of bench/run.sh: whole processes on one capture, in turn, page cache warm.

    bench/table.py [--build DIR] [--dir DIR] [--packets N] [--sources N] [--few N] [--many N,...] [--runs N] [group...]

groups: replay     every form of file; without and with source days; one worker and two; port rules alone
        field      what people use today on the same file; a program that is slow gets its first packets (--few)
        outlets    what Redis and HTTP take of the replay's feed
        sources    10 thousand to 30 million sources (--many), 20 packets each, at least 20 million: rate, also up to the last packet,
                   bytes a source, source days written a second
        stages     ns per packet of each stage
        live       a vdev's receive loop, bare and with all of `live` behind it; start and idle
Default: all. Each row says packets a second (median, least, most), its ratio to a bare libpcap loop (the median of what each round
gave), CPU seconds per million packets and the peak of memory.
"""
import argparse
import glob
import os
import platform
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))


def count(text):
    return int(float(text.rstrip("kMG")) * {"k": 1000, "M": 1000000, "G": 1000000000}.get(text[-1], 1))


def left_to_read(process, path):
    """Bytes of a file that a process has open and has not read yet; None: it does not have it open."""
    folder = f"/proc/{process.pid}"
    for fd in range(3, 64):
        try:
            if os.readlink(f"{folder}/fd/{fd}") == os.path.abspath(path):
                with open(f"{folder}/fdinfo/{fd}") as f:
                    return os.path.getsize(path) - int(f.readline().split()[1])
        except OSError:
            pass  # not open
    return None


class Took:
    """One run of a command: wall and CPU seconds, peak of resident memory in MB, and seconds until it had read `path`."""

    def __init__(self, command, stdout=subprocess.DEVNULL, path=None):
        start = time.monotonic()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE)
        self.read, is_open = None, False
        while path and self.read is None and os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            time.sleep(0.005)
            left = left_to_read(process, path)
            if left == 0 or (is_open and left is None):
                self.read = time.monotonic() - start
            is_open |= left is not None
        said = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        self.wall = time.monotonic() - start
        if path and self.read is None:
            self.read = self.wall
        self.cpu = usage.ru_utime + usage.ru_stime
        self.peak = usage.ru_maxrss / 1000
        if process.returncode != 0:
            sys.exit(f"bench/table.py: {' '.join(command)}: exit {process.returncode}: {said.decode(errors='replace')[-400:]}")


def days_took(feed):
    """Seconds from the begin of a feed's first segment of source days to the last byte of the last one; its file system tells when a file was made."""
    segments = glob.glob(os.path.join(feed, "*-sources-*"))
    times = subprocess.run(["stat", "-c", "%.W %.Y", *segments], check=True, capture_output=True, text=True).stdout.split()
    return max(map(float, times[1::2])) - min(map(float, times[::2]))


class Row:
    """`look`: what is asked after each run, and kept of it."""

    def __init__(self, name, command, packets, prepare=None, path=None, look=lambda: None):
        self.name, self.command, self.packets, self.prepare, self.path, self.look = name, command, packets, prepare, path, look
        self.runs = []

    def run(self):
        if self.prepare:
            self.prepare()
        self.runs.append(Took(self.command, path=self.path))
        self.runs[-1].seen = self.look()

    def rate(self, took):
        return self.packets / took.wall / 1e6


def in_turn(rows, runs):
    """One round of warm-up, then `runs` rounds, each in the other order."""
    for i in range(runs + 1):
        for row in rows if i % 2 else rows[::-1]:
            row.run()
            if i == 0:
                row.runs.clear()


def show(title, rows, bare):
    print(f"\n{title}\n{'':46}{'M packets/s':>12}{'least':>8}{'most':>8}{'ratio':>8}{'CPU us':>8}{'MB':>8}")
    for row in rows:
        rates = [row.rate(t) for t in row.runs]
        ratio = statistics.median(row.rate(a) / bare.rate(b) for a, b in zip(row.runs, bare.runs))
        cpu = statistics.median(t.cpu for t in row.runs) / row.packets * 1e6
        print(f"{row.name:46}{statistics.median(rates):12.2f}{min(rates):8.2f}{max(rates):8.2f}{ratio:8.2f}{cpu:8.3f}"
              f"{max(t.peak for t in row.runs):8.0f}", flush=True)


class Table:
    def __init__(self, args):
        self.args = args
        self.program = os.path.join(args.build, "yamiscope")
        self.bench = lambda name: os.path.join(args.build, "bench", "bench_" + name)
        self.feed = os.path.join(args.dir, "feed")
        self.scratch = os.path.join(args.dir, "scratch")
        self.packets = count(args.packets)
        self.pcap = os.path.join(args.dir, f"bench-{args.packets}-{args.sources}.pcap")

    # ---- files ----

    def make(self, path, command):
        if not os.path.exists(path):
            Took([part.replace("OUT", path + ".part") for part in command])
            os.rename(path + ".part", path)
        with open(path, "rb") as f:  # into the page cache
            while f.read(1 << 24):
                pass
        return path

    def capture(self):
        return self.make(self.pcap, [self.program, "synth", "--no-answers", "-o", "OUT", "--packets", self.args.packets,
                                     "--sources", self.args.sources, "--span", "1h"])

    def first(self):
        """The first packets of the same file."""
        few = count(self.args.few)
        return self.make(f"{self.pcap}.first-{few}", ["tcpdump", "-n", "-r", self.capture(), "-c", str(few), "-w", "OUT"])

    def clear(self):
        for path in (self.feed, self.scratch):
            shutil.rmtree(path, ignore_errors=True)
        os.makedirs(self.scratch)

    def replay(self, path, *options):
        return [self.program, "replay", *options, "-o", self.feed, path]

    def row(self, name, path, *options, packets=None):
        return Row(name, self.replay(path, *options), packets or self.packets, self.clear, path)

    def bare(self, path=None, packets=None):
        return Row("bare pcap_next_ex loop (libpcap)", [self.bench("libpcap"), path or self.capture()], packets or self.packets)

    # ---- groups ----

    def replay_(self):
        path, runs = self.capture(), self.args.runs
        bare = self.bare()
        limit = Row("limit: one core, mmap, ports, source entries", [self.bench("limit"), path], self.packets)
        ports = os.path.join(self.args.dir, "port-rules")
        port_rules(os.path.join(HERE, "..", "classify", "rules"), ports)
        rows = [bare, limit,
                Row("limit: the same with an entry for each pair", limit.command + ["pairs"], self.packets),
                Row("limit: that on two cores, half the file each", limit.command + ["pairs", "halves"], self.packets),
                self.row("replay --no-sources", path, "--no-sources"),
                self.row("replay --no-sources, port rules alone", path, "--no-sources", "--rules", ports),
                self.row("replay (everything on)", path),
                self.row("replay -j 1", path, "-j", "1"),
                self.row("replay -j 2", path, "-j", "2")]
        in_turn(rows, runs)
        show("Classic pcap", rows, bare)
        pcapng = self.make(self.pcap + "ng", ["editcap", "-F", "pcapng", path, "OUT"])
        gz = self.make(self.pcap + ".gz", ["igzip", "-k", "-1", path, "-o", "OUT"])
        zst = self.make(self.pcap + ".zst", ["zstd", "-q", "-3", "-T0", path, "-o", "OUT"])
        for title, file, alone in (("pcapng", pcapng, None), ("gz", gz, ["igzip", "-dc", gz]), ("zstd", zst, ["zstd", "-dcq", zst])):
            yard = Row("decompressing alone: " + " ".join(alone[:2]), alone, self.packets) if alone else self.bare(file)
            rows = [yard, self.row("replay --no-sources", file, "--no-sources"), self.row("replay (everything on)", file)]
            in_turn(rows, runs)
            show(f"{title} (ratio: to the first row)", rows, yard)

    def field(self):
        path = self.capture()
        bare = self.bare()
        rows = [bare,
                Row("tcpdump -n -w /dev/null", ["tcpdump", "-n", "-r", path, "-w", "/dev/null"], self.packets),
                Row("capinfos -c", ["capinfos", "-c", path], self.packets),
                self.row("yamiscope replay --no-sources", path, "--no-sources"),
                self.row("yamiscope replay (everything on)", path)]
        in_turn(rows, self.args.runs)
        show("The field, the whole file", rows, bare)
        few, packets = self.first(), count(self.args.few)
        bare = self.bare(few, packets)
        rows = [bare,
                Row("softflowd", ["softflowd", "-r", few, "-n", "127.0.0.1:65000"], packets, self.clear),
                Row("nfpcapd", ["nfpcapd", "-r", few, "-w", self.scratch], packets, self.clear),
                Row("argus -w /dev/null", ["argus", "-r", few, "-w", "/dev/null"], packets),
                Row("tshark -n -q -z io,phs", ["tshark", "-n", "-q", "-r", few, "-z", "io,phs"], packets),
                self.row("yamiscope replay (everything on)", few, packets=packets)]
        in_turn(rows, min(self.args.runs, 3))
        show(f"The field, its first {packets} packets (each process starts anew)", rows, bare)

    def sources(self):
        bare = None
        rows = []
        for sources in self.args.many.split(","):
            packets = max(20 * count(sources), 20000000)
            path = os.path.join(self.args.dir, f"uniform-{sources}.pcap")
            self.make(path, [self.program, "synth", "--no-answers", "-o", "OUT", "--packets", str(packets), "--sources", sources,
                             "--ports-per-source", "2", "--profile", "uniform", "--span", "10m"])
            here = [self.bare(path, packets),
                    Row("limit: two cores, half the file each, with pairs", [self.bench("limit"), path, "pairs", "halves"], packets),
                    self.row(f"{sources} sources, {packets // 1000000} M packets", path, "--no-sources", packets=packets),
                    self.row(f"{sources} sources, source days written", path, packets=packets)]
            here[3].look = lambda: days_took(self.feed)
            in_turn(here, min(self.args.runs, 3))
            show(f"{sources} sources, {packets // 1000000} M packets", here, here[0])
            per_source = max(t.peak for t in here[2].runs) * 1e6 / count(sources)
            reads = [statistics.median(packets / t.read for t in row.runs) / 1e6 for row in here[2:]]
            ended, written = (statistics.median(count(sources) / max(seconds, 1e-3) for seconds in (of(t) for t in here[3].runs)) / 1e6
                              for of in (lambda t: t.wall - t.read, lambda t: t.seen))
            print(f"  resident memory per source: {per_source:.0f} bytes without days; up to the last packet {reads[0]:.2f} M packets/s, "
                  f"{reads[1]:.2f} with days; then {ended:.2f} M source days a second, packed and written; {written:.2f} M while they are written")
            os.unlink(path)

    def stages(self):
        print("\nns per packet, stage by stage")
        few = str(min(self.packets, 12000000))
        sys.stdout.flush()
        subprocess.run([self.bench("stages"), self.capture(), few], check=True)

    def live(self):
        print("\nLive, a net_pcap vdev that begins again at its end: a bare receive loop in turn with `live`")
        sys.stdout.flush()
        few = self.make(os.path.join(self.args.dir, "live-200k.pcap"),
                        [self.program, "synth", "--no-answers", "-o", "OUT", "--packets", "200k", "--sources", "100k", "--span", "1m"])
        self.clear()
        subprocess.run([self.bench("live"), "unpaced", "10", "3", "--from",
                        f"dpdk:vdev=net_pcap0,rx_pcap={few},infinite_rx=1,mbufs=262144", "-o", self.feed + "-live"], check=True)
        shutil.rmtree(self.feed + "-live", ignore_errors=True)
        start = [Row("start to result: replay of 1,000 packets", self.replay(self.make(
            os.path.join(self.args.dir, "thousand.pcap"),
            [self.program, "synth", "--no-answers", "-o", "OUT", "--packets", "1000", "--sources", "100", "--span", "1m"])), 1000, self.clear)]
        in_turn(start, self.args.runs)
        print(f"start to first result with all rules: {statistics.median(t.wall for t in start[0].runs):.3f} s")

    def outlets(self):
        """A finished feed with source days, to a Redis of our own and over HTTP."""
        self.clear()
        Took(self.replay(self.capture()))
        folder = tempfile.mkdtemp()
        socket = os.path.join(folder, "redis")
        redis = subprocess.Popen(["redis-server", "--port", "0", "--unixsocket", socket, "--save", "", "--appendonly", "no"],
                                 stdout=subprocess.DEVNULL)
        server = subprocess.Popen([self.program, "serve", self.feed, "--listen", "127.0.0.1:18080"], stderr=subprocess.DEVNULL)
        try:
            wait_for(lambda: os.path.exists(socket))
            wait_for(lambda: subprocess.run(["curl", "-fs", "-o", "/dev/null", "http://127.0.0.1:18080/healthz"]).returncode == 0)
            rows = [Row("publish to Redis (empty before each)", [self.program, "publish", self.feed, "--to", "unix://" + socket], self.packets,
                        lambda: subprocess.run(["redis-cli", "-s", socket, "flushall"], stdout=subprocess.DEVNULL, check=True)),
                    Row("GET /api/v1/windows, JSON", ["curl", "-fs", "-o", "/dev/null", "http://127.0.0.1:18080/api/v1/windows"], self.packets)]
            in_turn(rows, min(self.args.runs, 3))
            show("Readers of the replay's feed (packets that it stands for; ratio: to the first row)", rows, rows[0])
        finally:
            for process in (server, redis):
                process.terminate()
                process.wait()
            shutil.rmtree(folder, ignore_errors=True)


def wait_for(holds):
    for _ in range(200):
        if holds():
            return
        time.sleep(0.05)
    sys.exit("bench/table.py: a server does not come up")


def port_rules(folder, out):
    """The rule set without its payload sections."""
    import yaml
    shutil.rmtree(out, ignore_errors=True)
    os.makedirs(out)
    for name in os.listdir(folder):
        with open(os.path.join(folder, name), encoding="utf-8") as f:
            content = yaml.load(f, yaml.BaseLoader)
        content["rules"] = [{k: v for k, v in rule.items() if k not in ("payload", "exploit")}
                            for rule in content.get("rules", []) if "ports" in rule]
        if not content["rules"]:
            del content["rules"]
        if name == "set.yaml" or "rules" in content:
            with open(os.path.join(out, name), "w", encoding="utf-8") as f:
                yaml.dump(content, f, allow_unicode=True, sort_keys=False)


def machine(build):
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as f:
        model = re.search(r"model name\s*: (.*)", f.read())
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=HERE, capture_output=True, text=True).stdout.strip()
    version = subprocess.run([os.path.join(build, "yamiscope"), "--version"], capture_output=True, text=True).stdout.strip()
    print(f"{version}, commit {commit or 'unknown'}; {model.group(1) if model else platform.machine()}, "
          f"{len(os.sched_getaffinity(0))} cores, Linux {platform.release()}")


def main():
    groups = ["replay", "field", "outlets", "sources", "stages", "live"]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build")
    parser.add_argument("--dir", default="build/bench-data")
    parser.add_argument("--packets", default="60M")
    parser.add_argument("--sources", default="400k")
    parser.add_argument("--few", default="1M")
    parser.add_argument("--many", default="10k,100k,1M,10M,30M")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("group", nargs="*", default=groups)
    args = parser.parse_args()
    os.makedirs(args.dir, exist_ok=True)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    unknown = [g for g in args.group if g not in groups]
    if unknown:
        sys.exit(f"bench/table.py: '{unknown[0]}' is none of {', '.join(groups)}")
    machine(args.build)
    table = Table(args)
    for group in args.group:
        getattr(table, group + "_" if group == "replay" else group)()
    table.clear()


main()
