"""Events of `live` on their way to webhooks, a command and a file, while the receivers are down, slow, talk nonsense or are killed, and `live` itself
is stopped and killed: each gets every event at least once, in order, none is lost, and what comes twice bears the same key and bytes."""
import json
import os
import signal
import sys
import tempfile
import time
import urllib.request

import live_net
from judge import SKIP, Verdict, run
from live_net import SENSOR, ip
from test_courier import Receiver, script
from test_deliveries import line_names, once
from test_live_command import Live, held
from test_live_events import LONG, NETWORKS, OPTIONS, SHORT, Traffic, told


class Where:
    """What test_courier's script asks of its bench."""

    def __init__(self, folder):
        self.folder, self.count = folder, 0

    def path(self, name):
        self.count += 1
        return os.path.join(self.folder, f"{name}{self.count}")


class Bench:
    def __init__(self, folder):
        self.folder, self.verdict, self.said = folder, Verdict(), ""
        self.out, self.networks, self.file = (os.path.join(folder, n) for n in ("feed", "networks.yaml", "all.jsonl"))
        with open(self.networks, "w", encoding="ascii") as f:
            f.write(NETWORKS)
        self.traffic = Traffic(self.verdict)
        self.receivers = {"good": Receiver(), "refuses": Receiver(lambda n: 503 if n % 4 == 1 else None),
                          "nonsense": Receiver(lambda n: {1: "garbage", 3: "cut", 5: "endless", 7: 302}.get(n % 23)),
                          "slow": Receiver(lambda n: "hang" if n % 40 == 2 else time.sleep(0.05)), "killed": Receiver(lambda n: time.sleep(0.7))}
        self.ports = {name: r.port for name, r in self.receivers.items()}
        self.past = {name: [] for name in self.receivers}  # those that are no more
        self.script = script(Where(folder), "[ $((n % 7)) != 3 ] || exit 9; [ $((n % 31)) != 5 ] || kill -9 $$")

    def start(self, idle=LONG):
        words = [f"webhook:http://127.0.0.1:{port}/{name}#timeout=1s" for name, port in self.ports.items()]
        words += [f"command:{self.script}#tries=50&timeout=20s", f"file:{self.file}", f"webhook:http://127.0.0.1:{self.ports['good']}/ends#phases=end"]
        live = Live("--from", f"pcap:{SENSOR}", "-o", self.out, *OPTIONS, *idle, "--events.watched", self.networks, "--listen", "127.0.0.1:0",
                    *[word for spec in words for word in ("--to", spec)])
        windows = held(self.out).get("windows", 0)
        self.verdict.check(live.until(lambda: held(self.out).get("windows", 0) > windows), f"it runs: {live.said()}")
        return live

    def receiver_end(self, name):
        """It takes no more connections; one that it has may still bring an event."""
        self.receivers[name].close()
        self.past[name].append(self.receivers[name])

    def receiver_begin(self, name, mood=lambda n: None):
        self.receivers[name] = Receiver(mood, self.ports[name])

    def all_of(self, name):
        """What came, over all receivers of the name."""
        return [one for r in [*self.past[name], self.receivers[name]] for one in r.got]


def judge(b):
    live = b.start()
    b.traffic.go_on(live, b.out, 2)
    b.receiver_end("killed")
    b.traffic.go_on(live, b.out, 2)
    b.verdict.equal(live.stop(signal.SIGTERM)[0], 0, f"exit status with receivers that are down and slow: {live.said()}")
    live = b.start()
    b.traffic.go_on(live, b.out, 2)
    b.receiver_begin("killed", lambda n: "hang" if n == 1 else None)
    live.stop(signal.SIGKILL)
    live = b.start()
    b.traffic.go_on(live, b.out, 1.5)
    live.stop(signal.SIGKILL)
    live = b.start()
    b.traffic.go_on(live, b.out, 1.5)
    while len(told(b.out)) < 40 and live.child.poll() is None:
        b.traffic.go_on(live, b.out, 1.5)
    live.stop(signal.SIGKILL)
    live = b.start(SHORT)
    b.verdict.check(live.until(lambda: sum(e["phase"] == "end" for e in told(b.out)) >= 4), f"all ends: {live.said()}")
    wanted = [(e["id"], e["update"]) for e in told(b.out)]
    b.verdict.check(len(wanted) > 30, f"few events: {len(wanted)}")
    ends = [(e["id"], e["update"]) for e in told(b.out) if e["phase"] == "end"]
    for name in b.receivers:
        # The good one gets the ends once more, by another way: they have a cursor of their own.
        extra = len(ends) if name == "good" else 0
        have = lambda: len(set(keys(b, name))) >= len(wanted) and len(keys(b, name)) >= len(wanted) + extra
        b.verdict.check(live.until(have), f"{name}: {len(set(keys(b, name)))} of {len(wanted)}: {live.said()[-800:]}")
        found = once(keys(b, name))
        if name != "good":
            b.verdict.equal(found, wanted, f"{name}: all, in order")
        same_bytes(b, name)
    b.verdict.check(live.until(lambda: len(set(line_names(b.script + ".log"))) >= len(wanted)), f"the command gets all: {live.said()[-800:]}")
    b.verdict.equal(once(line_names(b.script + ".log")), wanted, "command: all, in order")
    b.verdict.check(live.until(lambda: len(set(line_names(b.file))) >= len(wanted)), "the file gets all")
    b.verdict.equal(once(line_names(b.file)), wanted, "file: all, in order")
    url = next(word for word in live.said().split() if word.startswith("http://127"))
    metrics = urllib.request.urlopen(url + "metrics", timeout=180).read().decode()
    b.verdict.check("webhook:http://127.0.0.1" in metrics and "/refuses" not in metrics, "sinks are in the metrics, their paths are not")
    b.verdict.equal(live.stop()[0], 0, f"exit status: {live.said()}")
    status, said, err = run("verify", b.out)
    b.verdict.equal(status, 0, f"the feed holds: {said}{err}")


def keys(b, name):
    return [(e["id"], e["update"]) for e in (json.loads(body) for body, _ in b.all_of(name))]


def same_bytes(b, name):
    """The idempotency key is what its header says, and names the same bytes each time."""
    seen = {}
    for body, headers in b.all_of(name):
        e = json.loads(body)
        key = headers["X-Yamiscope-Delivery"]
        b.verdict.check(key == f"{e['id']}-{e['update']}" and seen.setdefault(key, body) == body, f"{name}: {key}: other bytes")


def main():
    if not live_net.enter():
        return SKIP
    live_net.quiet()
    live_net.make_pair()
    ip("link", "set", "lo", "up")
    with tempfile.TemporaryDirectory() as folder:
        b = Bench(folder)
        judge(b)
        return b.verdict.finish()


if __name__ == "__main__":
    sys.exit(main())
