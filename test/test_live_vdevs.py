"""`live` on DPDK ports that are fed from outside while it captures: net_ring, and net_af_packet and net_af_xdp over a
pair of interfaces with tcpreplay. What it counts is what `replay` says of the same capture, and what it was offered is what was
sent. Where a kernel drops some (a busy machine), they stand in the ledger."""
import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile

import live_net
import pcap
from judge import PROGRAM, SKIP, Verdict, data_is_here, replay, run
from test_live_command import Live, chosen, counted, held

RING_FEED = os.environ.get("RING_FEED") or os.path.join(os.path.dirname(PROGRAM), "test", "ring_feed.so")
LONGEST = 1514  # of a frame: what a device of af_packet has room for


def wires():
    """(spec, what it needs)."""
    return (("vdev=net_af_packet0,iface=v1", 1), ("vdev=net_af_packet0,iface=v1,queues=2", 3),
            ("vdev=net_af_packet0,iface=v1", 0), ("vdev=net_af_xdp0,iface=v1", 1))


def longest(path):
    raw = pcap.stored(path)
    return max((int.from_bytes(raw[at + 12:at + 16], "little") for at, _ in pcap.records(raw)), default=0)


def sent_by_tcpreplay(path, interface):
    done = subprocess.run(["tcpreplay", "--pps=4000", "-i", interface, path], capture_output=True, text=True, check=False)
    found = re.search(r"Successful packets:\s+(\d+)", done.stdout)
    return int(found.group(1)) if found else 0


def judge(verdict, folder, name, spec, workers, answer, send, env=None, eal=()):
    """One run: `send` returns how many went. False where the port can't be had."""
    out = os.path.join(folder, "feed")
    words = [word for more in eal for word in ("--eal", more)]
    live = Live("--from", f"dpdk:{spec}", "-o", out, "--window", "1s", "--workers", workers, *words, env=env)
    if not live.until(lambda: held(out).get("windows", 0) > 0):
        live.stop()
        if "af_xdp" in spec:
            print(f"not run: {spec}: {live.said().strip()}")
        else:
            verdict.check(False, f"{name}: it does not begin: {live.said()}")
        shutil.rmtree(out, ignore_errors=True)
        return False
    sent = send()
    live.until(lambda: held(out).get("offered", 0) >= sent)
    status, said = live.stop()
    found = held(out)
    verdict.equal((status, found.get("ok"), found.get("closed")), (0, True, True), f"{name}: it ends: {live.said()}")
    verdict.equal((sent, found.get("offered")), (answer["packets"], sent), f"{name}: offered is what was sent")
    verdict.equal(found.get("observed", 0) + found.get("dropped", 0), sent, f"{name}: ledger")
    if found.get("dropped", 0) > 0:
        print(f"{name}: {found['dropped']} packets dropped, in the ledger")
    else:
        kinds = {line.split()[0]: int(line.split()[1]) for line in said.splitlines()
                 if line.startswith("  ") and len(line.split()) == 2 and line.split()[1].isdigit()}
        expected = {kind: count for kind, count in answer["kinds"].items() if count}
        verdict.equal({kind: count for kind, count in kinds.items() if kind in answer["kinds"]}, expected, f"{name}: kinds")
    shutil.rmtree(out)
    return True


def safe_folder():
    """Where EAL loads plugins from: nobody else may write anywhere above it. None: there is no such place."""
    for place in (os.environ.get("XDG_RUNTIME_DIR"), "/run", os.environ.get("HOME")):
        if not place or not os.access(place, os.W_OK):
            continue
        above = os.path.realpath(place)
        while os.stat(above).st_mode & 0o002 == 0 and above != "/":
            above = os.path.dirname(above)
        if above == "/":
            return tempfile.TemporaryDirectory(dir=place)
    return None


def judge_rings(verdict, folder, files):
    safe = safe_folder()
    if not safe:
        print("not run: net_ring, since there is no folder that EAL would load a plugin from")
        return
    with safe as plugins:
        judge_rings_by(verdict, folder, files, shutil.copy(RING_FEED, plugins))


def judge_rings_by(verdict, folder, files, plugin):
    for queues, (path, answer) in zip((1, 3, 2, 1), files):
        go = os.path.join(folder, "go")
        env = {"RING_FEED_PORT": "net_ring0", "RING_FEED_QUEUES": str(queues), "RING_FEED_PCAP": path, "RING_FEED_GO": go}

        def send(go=go, answer=answer):
            with open(go, "w", encoding="ascii"):
                return answer["packets"]
        judge(verdict, folder, f"net_ring, {queues} queues, {os.path.basename(path)}", f"vdev=net_ring0,queues={queues}",
              0 if queues == 1 else 2, answer,
              send, env, (f"-d {plugin}",))
        if os.path.exists(go):
            os.remove(go)


@contextlib.contextmanager
def veth():
    """A pair of interfaces, v0 and v1: a new one each time, since the kernel takes its time to free a socket of af_xdp."""
    live_net.ip("link", "add", "v0", "type", "veth", "peer", "name", "v1")
    try:
        for name in ("v0", "v1"):
            live_net.ip("link", "set", name, "up")
        yield
    finally:
        live_net.ip("link", "del", "v0", may_fail=True)


def judge_wires(verdict, folder, files):
    live_net.quiet()
    for spec, workers in wires():
        for path, answer in files:
            with veth():
                if not judge(verdict, folder, f"{spec}, {workers} workers, {os.path.basename(path)}", spec, workers, answer,
                             lambda path=path: sent_by_tcpreplay(path, "v0")):
                    break


def judge_refusals(verdict, made):
    """Receivers count by themselves only where a source's packets all come to one."""
    cases = ((["--from", f"dpdk:vdev=net_pcap0,rx_pcap={made},rx_pcap={made}"], "by the source address"),
             (["--from", f"dpdk:vdev=net_pcap0,rx_pcap={made}", "--from", f"dpdk:vdev=net_pcap1,rx_pcap={made}"], "twice"))
    for words, said in cases:
        status, out, err = run("live", "--eal", "--log-level=error", *words, "--workers", "0")
        verdict.check(status in (1, 2) and not out and "--workers" in err and said in err, f"{words}: {status}, {err}")


def main():
    has_net = live_net.enter()
    verdict = Verdict()
    with tempfile.TemporaryDirectory() as folder:
        made = os.path.join(folder, "made.pcap")
        verdict.equal(run("synth", "-o", made, "--packets", "4000", "--sources", "300", "--no-answers")[0], 0, "synth")
        files = [(made, replay(made)[1])]
        if data_is_here():
            fit = [(path, answer) for path, answer in chosen() if longest(path) <= LONGEST]
            files += fit[::max(1, len(fit) // 3)][:3]
        judge_refusals(verdict, made)
        judge_rings(verdict, folder, files)
        if not has_net:
            return SKIP if not verdict.failed else verdict.finish()
        if not shutil.which("tcpreplay"):
            print("not run: net_af_packet and net_af_xdp, since there is no tcpreplay")
        else:
            judge_wires(verdict, folder, files[:3])
    return verdict.finish()


if __name__ == "__main__":
    sys.exit(main())
