#!/usr/bin/env python3
"""Whole-replay bench: processes in turn, page cache warm, medians and their ratio.

    bench/replay.py [--build DIR] [--dir DIR] [--packets N] [--sources N] [--runs N] [what...]

what: pcap       replay with a feed against a bare pcap_next_ex counting loop on the same file
      rules      the same replay against one under the same rules without their payload sections
      days       the same replay with calendar days (source days and Days in the feed) against without
      events     the same replay with all types of events against --events none
      gz, zstd   replay against `igzip -dc` / `zstd -dc` alone on the same file
      sources    10 million sources with two ports each: peak of anonymous memory, and what a packet
                 costs once all sources exist, against 10 thousand sources
Default: all. Needs about 6 GB of disk in --dir for each of pcap and sources.
"""
import argparse, os, shutil, statistics, subprocess, sys, time


def run(command, stdout=subprocess.DEVNULL):
    start = time.monotonic()
    subprocess.run(command, stdout=stdout, check=True)
    return time.monotonic() - start


def in_turn(first, second, runs, prepare=lambda: None):
    """Seconds of both commands, run alternately; one round of warm-up."""
    seconds = ([], [])
    for i in range(runs + 1):
        for k, command in enumerate((first, second)):
            prepare()
            took = run(command)
            if i:
                seconds[k].append(took)
    return seconds


def report(name, packets, seconds, names):
    rates = [packets / statistics.median(s) / 1e6 for s in seconds]
    ratio = statistics.median(b / a for a, b in zip(*seconds))
    print(f"{name}: {names[0]} {rates[0]:.1f} M packets/s, {names[1]} {rates[1]:.1f} M packets/s, "
          f"ratio {ratio:.2f} (median of {len(seconds[0])} pairs, "
          f"{min(b / a for a, b in zip(*seconds)):.2f} to {max(b / a for a, b in zip(*seconds)):.2f})", flush=True)


class Bench:
    def __init__(self, args):
        self.args = args
        self.program = os.path.join(args.build, "yamiscope")
        self.bare = os.path.join(args.build, "bench", "bench_libpcap")
        self.feed = os.path.join(args.dir, "feed")
        self.pcap = os.path.join(args.dir, f"bench-{args.packets}-{args.sources}.pcap")

    def synth(self, path, *options):
        if not os.path.exists(path):
            run([self.program, "synth", "--no-answers", "-o", path + ".part", *options])
            os.rename(path + ".part", path)
        with open(path, "rb") as f:  # into the page cache
            while f.read(1 << 24):
                pass

    def bench_capture(self):
        self.synth(self.pcap, "--packets", self.args.packets, "--sources", self.args.sources, "--span", "1h")
        return self.count(self.args.packets)

    @staticmethod
    def count(text):
        return int(text.rstrip("kMG")) * {"k": 1000, "M": 1000000, "G": 1000000000}.get(text[-1], 1)

    def no_feed(self):
        shutil.rmtree(self.feed, ignore_errors=True)

    def replay(self, path):
        return [self.program, "replay", "--no-sources", "-o", self.feed, path]

    def pcap_(self):
        packets = self.bench_capture()
        seconds = in_turn(self.replay(self.pcap), [self.bare, self.pcap], self.args.runs, self.no_feed)
        report("pcap", packets, seconds, ("replay with feed", "bare pcap_next_ex loop"))

    def rules(self):
        """Without payload sections a rule set knows ports alone."""
        import yaml
        packets = self.bench_capture()
        ports = os.path.join(self.args.dir, "port-rules")
        shutil.rmtree(ports, ignore_errors=True)
        os.makedirs(ports)
        folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "classify", "rules")
        for name in os.listdir(folder):
            with open(os.path.join(folder, name), encoding="utf-8") as f:
                content = yaml.load(f, yaml.BaseLoader)
            content["rules"] = [{k: v for k, v in rule.items() if k not in ("payload", "exploit")}
                                for rule in content.get("rules", []) if "ports" in rule]
            if not content["rules"]:
                del content["rules"]
            if name == "set.yaml" or "rules" in content:
                with open(os.path.join(ports, name), "w", encoding="utf-8") as f:
                    yaml.dump(content, f, allow_unicode=True, sort_keys=False)
        full = self.replay(self.pcap)
        seconds = in_turn(full + ["--rules", ports], full, self.args.runs, self.no_feed)
        report("rules", packets, seconds, ("port rules", "all rules"))

    def days(self):
        packets = self.bench_capture()
        without = self.replay(self.pcap)
        whole = [word for word in without if word != "--no-sources"]
        seconds = in_turn(without, whole, self.args.runs, self.no_feed)
        report("days", packets, seconds, ("--no-sources", "with days"))

    def events(self):
        packets = self.bench_capture()
        whole = self.replay(self.pcap)
        seconds = in_turn(whole, whole + ["--events", "all"], self.args.runs, self.no_feed)
        report("events", packets, seconds, ("--events none", "all events"))

    def compressed(self, name, pack, unpack, suffix):
        packets = self.bench_capture()
        path = self.pcap + suffix
        if not os.path.exists(path):
            run(pack + [self.pcap, "-o", path])
        seconds = in_turn(self.replay(path), unpack + [path], self.args.runs, self.no_feed)
        report(name, packets, seconds, ("replay with feed", " ".join(unpack)))

    def gz(self):
        self.compressed("gz", ["igzip", "-k", "-1"], ["igzip", "-dc"], ".gz")

    def zstd(self):
        self.compressed("zstd", ["zstd", "-q", "-3", "-T0"], ["zstd", "-dcq"], ".zst")

    def peak(self, path):
        """Greatest RssAnon in MB while the replay runs, and its seconds."""
        self.no_feed()
        peak = 0
        start = time.monotonic()
        with subprocess.Popen(self.replay(path), stdout=subprocess.DEVNULL) as process:
            while process.poll() is None:
                try:
                    with open(f"/proc/{process.pid}/status") as f:
                        for line in f:
                            if line.startswith("RssAnon:"):
                                peak = max(peak, int(line.split()[1]))
                except OSError:
                    pass
                time.sleep(0.01)
        return peak / 1000, time.monotonic() - start

    def marginal(self, sources, packets):
        """ns per packet beyond the first 3 of each source: two captures, the longer begins as the other."""
        seconds = []
        for n in packets:
            path = os.path.join(self.args.dir, f"uniform-{sources}-{n}.pcap")
            self.synth(path, "--packets", n, "--sources", sources, "--ports-per-source", "2",
                       "--profile", "uniform", "--span", "10m")
            takes = [self.peak(path) for _ in range(3)]
            print(f"  {sources} sources, {n} packets: {statistics.median(t[1] for t in takes):.2f} s, "
                  f"at most {max(t[0] for t in takes):.0f} MB anonymous", flush=True)
            seconds.append(statistics.median(t[1] for t in takes))
            os.unlink(path)
        return (seconds[1] - seconds[0]) / (self.count(packets[1]) - self.count(packets[0])) * 1e9

    def sources(self):
        few = self.marginal("10k", ("25M", "65M"))
        many = self.marginal("10M", ("25M", "65M"))
        print(f"sources: a packet costs {many:.1f} ns at 10 million sources, {few:.1f} ns at 10 thousand: "
              f"{many / few:.2f} times", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build")
    parser.add_argument("--dir", default="build/bench-data")
    parser.add_argument("--packets", default="60M")
    parser.add_argument("--sources", default="400k")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("what", nargs="*", default=["pcap", "rules", "days", "events", "gz", "zstd", "sources"])
    args = parser.parse_args()
    os.makedirs(args.dir, exist_ok=True)
    bench = Bench(args)
    benches = {"pcap": bench.pcap_, "rules": bench.rules, "days": bench.days, "events": bench.events, "gz": bench.gz, "zstd": bench.zstd, "sources": bench.sources}
    for what in args.what:
        if what not in benches:
            sys.exit(f"bench/replay.py: '{what}' is none of {', '.join(benches)}")
        benches[what]()
    bench.no_feed()


main()
