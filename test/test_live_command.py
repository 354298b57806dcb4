"""`live`, from outside: what vdevs and interfaces give is what `replay` says of the same capture; nothing is lost by
SIGTERM, kill -9, a full disk or midnight. The feed is read by python3-protobuf and held by `verify`."""
import collections
import ctypes
import fcntl
import glob
import json
import os
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

import live_net
import pcap
from judge import DATA, PROGRAM, SKIP, Verdict, captures, data_is_here, expected_of, replay, run
from live_net import SENSOR, Sender, ip

import feed as feeds

LARGEST = 300000  # bytes of captures that go through a vdev


class Live:
    """A running `live`."""

    def __init__(self, *words, env=None, wrap=()):
        self.errors = tempfile.TemporaryFile()
        self.child = subprocess.Popen([*wrap, PROGRAM, "live", "--eal", "--log-level=error", *map(str, words)],
                                      stdout=subprocess.PIPE, stderr=self.errors, env={**os.environ, **(env or {})})

    def said(self):
        """Read by place: the child writes where the file's own position is, which is one for both."""
        file = self.errors.fileno()
        return os.pread(file, os.fstat(file).st_size, 0).decode(errors="replace")

    def until(self, holds, seconds=180):
        """Whether `holds` became true while it ran."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.child.poll() is None:
            if holds():
                return True
            time.sleep(0.05)
        return holds()

    def stop(self, how=signal.SIGTERM):
        """(exit status, stdout text)."""
        if self.child.poll() is None:
            self.child.send_signal(how)
        try:
            out = self.child.communicate(timeout=300)[0].decode()
        except subprocess.TimeoutExpired:
            self.child.kill()
            out = "does not end"
        return self.child.returncode, out


def held(folder):
    """`verify --json`; {} where there is no feed yet."""
    if not os.path.isdir(folder) or not any(n.endswith(".yami") for n in os.listdir(folder)):
        return {}
    out = run("verify", "--json", folder)[1]
    return json.loads(out or b"{}")


def counted(folder):
    return held(folder).get("packets", 0)


def is_ethernet(path):
    with open(path, "rb") as f:
        head = f.read(24)
    return head[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") and int.from_bytes(head[20:22], "little") == 1


def is_whole(path):
    """No frame was cut: what is captured is all that a vdev can give."""
    raw = pcap.stored(path)
    return all(raw[at + 8:at + 12] == raw[at + 12:at + 16] for at, _ in pcap.records(raw))


def vdev(*paths):
    return "dpdk:vdev=net_pcap0," + ",".join(f"rx_pcap={path}" for path in paths)


def chosen():
    """Captures that net_pcap can give whole: their frames fit its buffers, and replay finds no damage."""
    found = []
    for path in captures():
        if path.endswith((".pcap", ".cap")) and os.path.getsize(path) < LARGEST and is_ethernet(path) and "," not in path \
                and expected_of(path)["packets"] > 20 and is_whole(path):
            status, answer, _ = replay(path)
            if status == 0 and answer["packets"] > 20:
                found.append((path, answer))
    return found


def judge_vdev(verdict, folder, files):
    """One queue for each file; the sums are those of all."""
    out = os.path.join(folder, "feed")
    packets = sum(answer["packets"] for _, answer in files)
    kinds = collections.Counter()
    for _, answer in files:
        kinds.update(answer["kinds"])
    name = f"{len(files)} queues of {os.path.basename(files[0][0])}"
    live = Live("--from", vdev(*(path for path, _ in files)), "-o", out, "--window", "1s", "--stage-table")
    verdict.check(live.until(lambda: counted(out) >= packets), f"{name}: {counted(out)} packets of {packets}: {live.said()}")
    report = run("report", out, "--json")
    verdict.equal((report[0], len(json.loads(report[1])["being_written"])), (0, 1), f"{name}: a report meanwhile: {report[2]}")
    verdict.equal(held(out).get("ok"), True, f"{name}: the feed holds so far")
    status, said = live.stop()
    verdict.equal(status, 0, f"{name}: exit status ({live.said()})")
    found = held(out)
    verdict.check(found.get("ok") and found.get("closed"), f"{name}: the feed holds: {found}")
    verdict.equal((found.get("offered"), found.get("observed"), found.get("dropped")), (packets, packets, 0), f"{name}: ledger")
    for kind, count in kinds.items():
        line = next((line.split() for line in said.splitlines() if line.split()[:1] == [kind]), [kind, "0"])
        verdict.equal(int(line[-1]), count, f"{name}: {kind}")
    verdict.check("receive" in said, f"{name}: the table of stages")
    shutil.rmtree(out)


def judge_interface(verdict, folder):
    """Through libpcap, on a pair of interfaces."""
    out = os.path.join(folder, "feed")
    frames = [pcap.ether(pcap.ip4(f"198.51.100.{i % 250 + 1}", f"192.0.2.{i % 200 + 1}", 6, pcap.tcp(40000 + i, 23 + i % 7)))
              for i in range(3000)]
    live = Live("--from", f"pcap:{SENSOR}", "-o", out, "--window", "1s", "--telescope", "198.51.100.0/30,192.0.2.0/24", "--record",
                os.path.join(folder, "record"), "--record-zstd", "1", "--listen", "127.0.0.1:0")
    verdict.check(live.until(lambda: held(out)), f"capture begins: {live.said()}")
    sent = Sender().send(frames)
    verdict.check(live.until(lambda: counted(out) >= sent), f"{SENSOR}: {counted(out)} packets of {sent}")
    judge_metrics(verdict, live, sent)
    status, said = live.stop(signal.SIGINT)
    verdict.equal(status, 0, f"{SENSOR}: exit status: {live.said()}")
    found = held(out)
    verdict.equal((found["ok"], found["offered"], found["observed"]), (True, sent, sent), f"{SENSOR}: ledger")
    verdict.check(found["partial"] > 0, "what was sealed early says so")
    _, answer, _ = replay(os.path.join(folder, "record"), "--telescope", "198.51.100.0/30,192.0.2.0/24")
    verdict.equal(answer.get("packets"), sent, "a recording has all packets")
    verdict.check(f"{answer['kinds']['tcp_syn']}" in said, "kinds are those of the recording")
    for name in os.listdir(out):
        path = os.path.join(out, name)
        if os.path.isfile(path):
            with open(path, "rb") as f:
                data = f.read()
            verdict.check(b"\xc0\x00\x02" not in data and b"192.0.2." not in data, f"{name}: the telescope stays dark")
    shutil.rmtree(out)


def judge_metrics(verdict, live, sent):
    """What Prometheus is told while it captures; prefixes by their number alone."""
    ip("link", "set", "lo", "up", may_fail=True)
    url = next(word for word in live.said().split() if word.startswith("http://"))
    text = ""

    def has_all():
        nonlocal text
        text = urllib.request.urlopen(url + "metrics", timeout=180).read().decode()
        return all(line in text for line in lines)
    lines = (f'yamiscope_prefix_packets_total{{prefix="1"}} {sent}', 'yamiscope_prefix_packets_total{prefix="0"} 0',
             'yamiscope_prefix_addresses_hit{prefix="1"} 200', f'yamiscope_live_received_packets_total {sent}',
             'yamiscope_live_receiver_silent{receiver="yami1"} 0', 'yamiscope_clock_steps_total 0')
    verdict.check(live.until(has_all), f"/metrics without {[line for line in lines if line not in text]}: {text[-2000:]}")
    verdict.check("192.0.2" not in text and "198.51.100" not in text, "/metrics: no address")
    checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    verdict.equal((checked.returncode, checked.stderr), (0, ""), "promtool")
    verdict.check(live.until(lambda: is_well(url)), "/healthz")


def is_well(url):
    """Not while a receiver has said nothing for a second."""
    try:
        return urllib.request.urlopen(url + "healthz", timeout=180).status == 200
    except urllib.error.HTTPError:
        return False


def soon(folder, seconds):
    """A zone whose midnight comes so soon: (environment, name, when it comes)."""
    now = int(time.time())
    offset = 86400 - (now + seconds) % 86400
    text = f"Zone Test/Soon {'-' if offset > 43200 else ''}{hms(86400 - offset if offset > 43200 else offset)} - SOON\n"
    with open(os.path.join(folder, "soon"), "w", encoding="ascii") as f:
        f.write(text)
    subprocess.run(["zic", "-b", "fat", "-d", os.path.join(folder, "zones"), os.path.join(folder, "soon")], check=True)
    return {"TZDIR": os.path.join(folder, "zones")}, "Test/Soon", now + seconds


def before_midnight(part):
    """Calls `part` with the seconds that it has until midnight, with more of them where it says by False that they were too few."""
    seconds = 25
    while part(seconds) is False:
        print(f"midnight came sooner than in {seconds} s all was done that belongs before it: once more")
        seconds *= 2


def hms(seconds):
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def days_of(folder):
    """{date: Day}, the last revision."""
    return {record.day.facts.date if hasattr(record.day, "facts") else record.day.date: record.day
            for records in feeds.read(folder).values() for record in records if record.WhichOneof("body") == "day"}


def judge_days(verdict, folder, seconds):
    """kill -9 in the middle of a day, a new start, midnight: the Day is the sum of its windows. False: midnight came too soon."""
    out = os.path.join(folder, "feed")
    env, zone, midnight = soon(folder, seconds)
    words = ["--from", f"pcap:{SENSOR}", "-o", out, "--window", "1s", "--timezone", zone, "--telescope", "192.0.2.0/24"]
    sender, sent = Sender(), 0

    def send(count, base):
        return sender.send([pcap.ether(pcap.ip4(f"198.51.{base}.{i % 250 + 1}", "192.0.2.9", 6, pcap.tcp(40000, 23 + i % 40)))
                            for i in range(count)])

    live = Live(*words, env=env)
    verdict.check(live.until(lambda: held(out)), f"capture begins: {live.said()}")
    sent += send(2000, 1)
    verdict.check(live.until(lambda: counted(out) >= sent), "first packets are in the feed")
    live.stop(signal.SIGKILL)
    before = held(out)
    verdict.equal(before.get("packets"), sent, "kill -9 lost nothing that was sealed")
    live = Live(*words, env=env)
    verdict.check(live.until(lambda: held(out).get("windows", 0) > before["windows"]), f"goes on: {live.said()}")
    sent += send(1500, 1)
    sent += send(500, 2)
    if time.time() >= midnight:
        live.stop()
        shutil.rmtree(out)
        return False
    verdict.check(live.until(lambda: counted(out) >= sent), "packets behind the new start are in the feed")
    verdict.check(live.until(lambda: days_of(out)), f"midnight makes a Day: {live.said()}")
    verdict.check(live.until(lambda: glob.glob(os.path.join(out, "*-sources-*.index"))), "the index of the day's sources is made before somebody asks")
    sent += send(100, 3)
    verdict.check(live.until(lambda: counted(out) >= sent), "packets of the next day are in the feed")
    status, _ = live.stop()
    verdict.equal(status, 0, f"exit status: {live.said()}")
    found = held(out)
    verdict.check(found.get("ok"), f"the feed holds: {found}")
    verdict.equal((found.get("observed"), found.get("days"), found.get("days_computed")), (sent, 1, 1), "packets, days")
    verdict.check(found.get("gaps", 0) >= 1, "the time between both runs is said")
    verdict.equal(found.get("source_days"), 500, "source days")
    out2 = json.loads(run("report", "--json", out, "--per", "day")[1] or b"{}")
    verdict.check("4000" in json.dumps(out2) or "4,000" in json.dumps(out2), "the Day has all packets of both runs")
    shutil.rmtree(out)


def judge_full_disk(verdict, folder):
    """Windows are held while the disk is full, and written when there is room again."""
    disk = os.path.join(folder, "disk")
    os.makedirs(disk)
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "none", disk], capture_output=True, text=True, check=False)
    if made.returncode:
        print(f"not run: the full disk, since no tmpfs can be mounted: {made.stderr.strip()}")
        return
    try:
        out = os.path.join(disk, "feed")
        live = Live("--from", f"pcap:{SENSOR}", "-o", out, "--window", "1s")
        verdict.check(live.until(lambda: held(out)), f"capture begins: {live.said()}")
        filler = os.open(os.path.join(disk, "filler"), os.O_WRONLY | os.O_CREAT)
        try:
            while True:
                os.write(filler, b"\0" * 4096)
        except OSError:
            os.close(filler)
        sent = Sender().send([pcap.ether(pcap.ip4(f"198.51.{i // 250}.{i % 250 + 1}", "192.0.2.9", 6, pcap.tcp(40000, i)))
                              for i in range(5000)])
        verdict.check(live.until(lambda: "held" in live.said()), f"a full disk is said: {live.said()}")
        os.remove(os.path.join(disk, "filler"))
        verdict.check(live.until(lambda: counted(out) >= sent), f"written when there is room: {held(out)} of {sent}")
        verdict.equal(live.stop()[0], 0, f"exit status: {live.said()}")
        found = held(out)
        verdict.equal((found["ok"], found["offered"], found["observed"], found["windows_given_up"]), (True, sent, sent, 0), "ledger")
    finally:
        subprocess.run(["umount", disk], check=False)


def merge(name):
    """The kernel puts packets of this interface together (ETHTOOL_SGRO)."""
    value = ctypes.create_string_buffer(struct.pack("=II", 0x2c, 1))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        fcntl.ioctl(s, 0x8946, struct.pack("16sP16x", name.encode(), ctypes.addressof(value)))


def judge_links(verdict, folder):
    """What is captured from goes away: that is said, shown, told to who asks for health, and windows of that time are not taken for silence.
    DPDK's own word for an interface of the kernel is that it is up, whatever becomes of it."""
    out = os.path.join(folder, "feed")
    for first, second in (("a0", "a1"), ("b0", "b1")):
        ip("link", "add", first, "type", "veth", "peer", "name", second)
        for name in (first, second):
            ip("link", "set", name, "arp", "off", "up")
    ip("link", "set", "lo", "up", may_fail=True)
    merge("a1")
    live = Live("--from", "pcap:a1", "--from", "dpdk:vdev=net_af_packet0,iface=b1", "-o", out, "--window", "1s", "--listen", "127.0.0.1:0",
                "--status-every", "1s", "--workers", "1")
    verdict.check(live.until(lambda: held(out)), f"links: capture begins: {live.said()}")
    url = next((word for word in live.said().split() if word.startswith("http://")), "")

    def says(text, how_often=1):
        verdict.check(live.until(lambda: live.said().count(text) >= how_often), f"links: it does not say '{text}': {live.said()}")

    def is_metric(line):
        return line in urllib.request.urlopen(url + "metrics", timeout=180).read().decode()

    def windows(whole):
        found = held(out)
        return found.get("windows", 0) - found.get("partial", 0) if whole else found.get("partial", 0)
    verdict.check(live.until(lambda: is_metric('link_up{receiver="a1"} 1') and is_well(url)), "links: all is up at first")
    says("a1: GRO or LRO puts packets together")
    ip("link", "set", "a1", "down")
    says("a1: it is down: nothing is captured from it until it is up")
    says("1 without a link")
    verdict.check(live.until(lambda: is_metric('link_up{receiver="a1"} 0') and not is_well(url)), "links: a metric and /healthz say that it is down")
    before = windows(False)
    verdict.check(live.until(lambda: windows(False) >= before + 3), "links: windows of that time are partial")
    ip("link", "set", "a1", "up")
    says("a1: it is up: packets are captured again")
    verdict.check(live.until(lambda: is_well(url)), "links: it is well again")
    before = windows(True)
    verdict.check(live.until(lambda: windows(True) >= before + 3), "links: windows are whole again")
    ip("link", "del", "a0")
    says("a1: the interface is gone: nothing is captured from it until there is one")
    ip("link", "add", "a0", "type", "veth", "peer", "name", "a1")
    for name in ("a0", "a1"):
        ip("link", "set", name, "arp", "off", "up")
    says("a1: it is up: packets are captured again", 2)
    ip("link", "set", "b1", "down")
    says("net_af_packet0 queue 0: it is down")
    ip("link", "set", "b1", "up")
    says("net_af_packet0 queue 0: it is up")
    ip("link", "del", "b0")
    says("net_af_packet0 queue 0: the interface is gone: nothing is captured from it until yamiscope is started again")
    verdict.equal(live.stop()[0], 0, f"links: exit status: {live.said()}")
    verdict.equal(held(out).get("ok"), True, "links: the feed holds")
    ip("link", "del", "a0")
    shutil.rmtree(out)


def fill(pipe):
    """Until it takes nothing more."""
    os.set_blocking(pipe, False)
    for size in (4096, 1):
        try:
            while True:
                os.write(pipe, b"#" * size)
        except BlockingIOError:
            pass
    os.set_blocking(pipe, True)


def drained(pipe, held_up_to):
    """What comes out of it until it says so, or for too long."""
    found, end = b"", time.monotonic() + 180
    while held_up_to not in found and time.monotonic() < end:
        if select.select([pipe], [], [], 1)[0]:
            found += os.read(pipe, 65536)
    return found.replace(b"#", b"").decode()


def judge_deaf(verdict, folder):
    """A stderr whose reader sleeps holds up neither windows nor a reload nor the end; what it missed comes when it wakes up."""
    out = os.path.join(folder, "feed")
    reader, writer = os.pipe()
    child = subprocess.Popen([PROGRAM, "live", "--from", f"pcap:{SENSOR}", "-o", out, "--window", "1s", "--status-every", "0"],
                             stdout=subprocess.PIPE, stderr=writer)

    def goes_on():
        end, least = time.monotonic() + 180, held(out).get("windows", 0) + 3
        while held(out).get("windows", 0) < least and time.monotonic() < end:
            time.sleep(0.1)
        return held(out).get("windows", 0) >= least
    verdict.check(goes_on(), "a deaf stderr: capture begins")
    fill(writer)
    child.send_signal(signal.SIGHUP)
    verdict.check(goes_on(), "a deaf stderr: windows go on")
    said = drained(reader, b"as they were")
    verdict.check("yamiscope: rules and lists are read again: they are as they were\n" in said, f"a deaf stderr: what it missed comes: {said}")
    fill(writer)
    child.send_signal(signal.SIGHUP)
    verdict.check(goes_on(), "a deaf stderr: windows go on again")
    child.terminate()
    try:
        child.communicate(timeout=180)
    except subprocess.TimeoutExpired:
        child.kill()
        child.communicate()
    verdict.equal(child.returncode, 0, "a deaf stderr: it ends")
    verdict.check(held(out).get("closed"), "a deaf stderr: the feed is closed")
    os.close(reader)
    os.close(writer)
    shutil.rmtree(out)


def judge_refusals(verdict, folder):
    cases = [
        (["live"], 2, "--from"),
        (["live", "--from", "pcap:nosuch0"], 1, "nosuch0"),
        (["live", "--from", "dpdk:vdev=net_nosuch0"], 1, "net_nosuch0"),
        (["live", "--from", "ip:eth0"], 2, "ip:eth0"),
        (["live", "--from", f"pcap:{SENSOR}", "--window", "30m"], 2, "15m"),
        (["live", "--from", f"pcap:{SENSOR}", "file.pcap"], 2, "file.pcap"),
        (["live", "--from", f"pcap:{SENSOR}", "--worker-cores", "4000"], 2, "4000"),
    ]
    for words, status, named in cases:
        found, _, said = run(*words)
        verdict.check(found in (status, 1, 2) and found != 0 and named in said, f"{' '.join(words)}: {found}, {said}")


def main():
    if not live_net.enter():
        return SKIP
    live_net.quiet()
    live_net.make_pair()
    verdict = Verdict()
    with tempfile.TemporaryDirectory() as folder:
        made = os.path.join(folder, "made.pcap")
        verdict.equal(run("synth", "-o", made, "--packets", "4000", "--sources", "300", "--no-answers")[0], 0, "synth")
        judge_vdev(verdict, folder, [(made, replay(made)[1])] * 2)
        if data_is_here():
            files = chosen()
            for file in files[::max(1, len(files) // 6)]:
                judge_vdev(verdict, folder, [file])
            judge_vdev(verdict, folder, files[1:5])
        judge_interface(verdict, folder)
        before_midnight(lambda seconds: judge_days(verdict, folder, seconds))
        judge_full_disk(verdict, folder)
        judge_links(verdict, folder)
        judge_deaf(verdict, folder)
        judge_refusals(verdict, folder)
    return verdict.finish()


if __name__ == "__main__":
    sys.exit(main())
