"""test_check.py: `yamiscope check`: everything that a config names, found wrong or right."""
import json
import os
import pwd
import sys
import tempfile

from judge import Verdict, run

verdict = Verdict()

# A config, and what of it is found: FILE stands for the config's own path, DIR for the folder it lies in. Where it says no `from`, it gets one
# as its last line.
CASES = [
    ("", []),
    ("sensor: tokyo\nout: DIR/feed\nrecord: DIR/recordings\ntelescope: [192.0.2.0/24]\nfrom: pcap:lo\nfilter: tcp\n", []),
    ("telescope: DIR/dark.yaml\n", []),
    ("telescope: DIR/dark.txt\n", []),
    ("from: [pcap:lo, \"dpdk:vdev=net_null0,size=64,queues=2\"]\neal: [--no-huge, -m, \"512\"]\nreceiver-cores: 0\n", []),
    ("packets: 3\nlang: ja\n", []),  # one file serves all commands
    ("record-size: 1M\nrecord-span: 10m\nrecord-keep-age: 7d\nrecord-keep-bytes: 1G\nrecord-zstd: 0\nkeep-windows: 400d\n"
     "keep-days: 3650d\nkeep-sources: 90d\nsnaplen: 256\npcap-buffer: 16M\nno-promiscuous: true\n"
     "status-every: 10s\nstage-table: true\nworker-cores: 0\n", []),
    ("out: DIR/feed\nlisten: 127.0.0.1:0\nto: [\"redis://localhost\", \"command:/bin/true#types=scan\", \"file:DIR/events\"]\n"
     "events: scan\nevents.watched: DIR/networks.yaml\n", []),
    ("out: DIR/feed\nlisten: 0.0.0.0:8470\ntokens: DIR/tokens\n", []),
    ("nonsense: 1\n", ["FILE:1:1: unknown key 'nonsense'"]),
    ("record: {dir: x}\n", ["FILE:1:1: record: must be a single value"]),
    ("out: DIR/no/feed\n", ["FILE:1:1: out: DIR/no/feed: No such file or directory"]),
    ("out: DIR/dark.txt\n", ["FILE:1:1: out: DIR/dark.txt: Not a directory"]),
    ("out: DIR/feed\nrecord: DIR/feed\n",
     ["FILE:2:1: record: the feed's folder: recordings need one of their own"]),
    ("record: DIR\n", ["FILE:1:1: record: DIR: holds "]),
    ("record: DIR/open\n", ["FILE:1:1: record: DIR/open: mode 0755; a recording is nobody else's"]),
    ("out: DIR/kept\n", []),
    ("sensor: other\nout: DIR/kept\n", ["FILE:2:1: out: DIR/kept: holds a feed of another sensor: \"yamiscope\" there, \"other\" now"]),
    ("telescope:\n- prefix: 192.0.2.0/24\n  excpet: 192.0.2.1\n", ["FILE:3:3: unknown key 'excpet'"]),
    ("json: true\ntelescope:\n  - {prefix: 192.0.2.0/24, from: 2026-01-02, until: 2026-01-01}\n",
     ["FILE:3:53: until lies before from"]),
    ("telescope: DIR/wrong.yaml\n", ["FILE:1:1: telescope: DIR/wrong.yaml:2:11: the exception lies in no prefix of its entry"]),
    ("telescope:\n- {prefix: 192.0.2.0/33}\ntimezone: Mars/Phobos\nrules: DIR/none\n",
     ["FILE:2:12: prefix length is not 0 to 32",
      "FILE:3:1: timezone: 'Mars/Phobos' is no zone of /usr/share/zoneinfo",
      "FILE:4:1: rules: DIR/none: No such file or directory"]),
    ("timezone: Asia/Kathmandu\nwindow: 5m\n", []),
    ("timezone: Asia/Kathmandu\nwindow: 10m\n", ["FILE:2:1: window: days of Asia/Kathmandu begin inside a window of 600s ("]),
    ("window: 10m\ntimezone: Asia/Kathmandu\nlists: DIR/none.yaml\n",
     ["FILE:1:1: window: days of Asia/Kathmandu begin inside a window of 600s (",
      "FILE:3:1: lists: DIR/none.yaml: No such file or directory"]),
    ("window: 30m\n", ["FILE:1:1: window: live windows are at most 15m long, so that none lies in two days"]),
    ("from: [eth0, pcap:lo, \"dpdk:\", \"dpdk:vdev=net_null0,mtu=x\"]\n",
     ["FILE:1:1: from: 'eth0': expected pcap:IFACE or dpdk:PORT[,queues=N]", "FILE:1:1: from: 'dpdk:': names no port",
      "FILE:1:1: from: "]),
    ("user: no-such-user-here\nworker-cores: 1-0\nsensor: a b\ndecap: [gre, pppoe]\n", [
        "FILE:1:1: user: 'no-such-user-here' is no user of this system",
        "FILE:2:1: worker-cores: '1-0': expected processors below 1024, such as 2,4-7",
        "FILE:3:1: sensor: 'a b' is no name: 1 to 64 letters, digits, dots, underscores or hyphens",
        "FILE:4:1: decap: "]),
    ("workers: 0\nfrom: [pcap:lo, pcap:any]\n", ["FILE:1:1: workers: 0: a source may send to several"]),
    ("from: [pcap:lo, pcap:lo]\n", ["FILE:1:1: from: pcap:lo and pcap:lo: one interface: its packets would be counted twice"]),
    ("record: DIR/r\nrecord-size: 2000000\n", ["FILE:1:1: record: size of a recording's file: 2000000 bytes; at least 2097152"]),
    ("record: DIR/r\nrecord-size: 3M\nrecord-keep-bytes: 5M\n", ["FILE:1:1: record: size of a recording: 5000000 bytes; at least twice"]),
    ("record-size: 2000000\n", []),
    ("from: [pcap:lo, pcap:any]\n", ["FILE:1:1: from: pcap:lo and pcap:any: one interface"]),
    ("from: [\"dpdk:vdev=net_af_packet0,iface=lo\", \"dpdk:vdev=net_null0\", pcap:lo]\n",
     ["FILE:1:1: from: dpdk:vdev=net_af_packet0,iface=lo and pcap:lo: one interface"]),
    ("from: [\"dpdk:vdev=net_null0\", \"dpdk:vdev=net_null1\", pcap:lo]\n", []),
    ("eal: --nonsense\n", ["FILE:1:1: eal: --nonsense: no argument"]),
    ("lists: DIR/none.yaml\n", ["FILE:1:1: lists: DIR/none.yaml: No such file or directory"]),
    ("sensor: a\nas: DIR/none.mmdb\n", ["FILE:2:1: as: DIR/none.mmdb: No such file or directory"]),
    ("country: DIR/dark.txt\n", ["FILE:1:1: country: DIR/dark.txt"]),
    ("out: DIR/feed\nevents.watched: DIR/none.yaml\n",
     ["FILE:2:1: events.watched: DIR/none.yaml: No such file or directory"]),
    ("out: DIR/feed\nevents: [scan, storms]\n", ["FILE:2:1: events: "]),
    ("events: scan\n", ["FILE:1:1: events: there is no feed to write them to: --out names one"]),
    ("listen: 127.0.0.1:0\n", ["FILE:1:1: listen: what is told is read from the feed: --out names it"]),
    ("out: DIR/feed\nlisten: 0.0.0.0:8470\n",
     ["FILE:2:1: listen: 0.0.0.0:8470: not the loopback: say who may read: --tokens "]),
    ("out: DIR/feed\nlisten: 0.0.0.0:8470\npublic: true\n", []),
    ("out: DIR/feed\nlisten: nowhere\n", ["FILE:2:1: listen: nowhere: is no address and port"]),
    ("out: DIR/feed\nlisten: 0.0.0.0:8470\ntokens: DIR/none\n", ["FILE:3:1: tokens: DIR/none: No such file or directory"]),
    ("out: DIR/feed\ntokens: DIR/loose\nlisten: 127.0.0.1:0\n", ["FILE:2:1: tokens: DIR/loose: others may write it: chmod 600"]),
    ("out: DIR/feed\ntokens: DIR/read\nlisten: 127.0.0.1:0\n", ["FILE:2:1: tokens: DIR/read: others may read it: chmod 600"]),
    ("out: DIR/feed\ntokens: DIR/group\nlisten: 127.0.0.1:0\n", []),
    ("out: DIR/feed\nlisten: 127.0.0.1:0\ntls-cert: DIR/none\ntls-key: DIR/none\n",
     ["FILE:3:1: tls-cert: DIR/none: No such file or directory"]),
    ("out: DIR/feed\nto: nowhere\n", ["FILE:2:1: to: 'nowhere' names no sink: "]),
    ("out: DIR/feed\nto: [\"redis://localhost\", \"redis://localhost\"]\n", ["FILE:2:1: to: the same one twice"]),
    ("out: DIR/feed\nto: redis://localhost:port\n", ["FILE:2:1: to: port 'port' is none"]),
    ("out: DIR/feed\nto: webhook:https://h#secret_file=DIR/none\n", ["FILE:2:1: to: DIR/none: No such file or directory"]),
    ("out: DIR/feed\nto: command:mail\n", ["FILE:2:1: to: command:mail: name it by its whole path"]),
    ("a: [\n", ["FILE:"]),
]


def config_write(folder, text):
    path = os.path.join(folder, "live.yaml")
    with open(path, "w", encoding="utf-8") as f:
        f.write(text.replace("DIR", folder))
    return path


def check_json(path, expected, lines):
    """An object for each line of the text, whose parts make that line again."""
    answer = json.loads(run("check", path, "--json")[1])
    verdict.equal((answer["config"], answer["ok"], len(answer["findings"])), (path, not expected, len(expected)), f"{lines}: --json")
    for finding, line in zip(answer["findings"], lines):
        place = f":{finding['line']}:{finding['column']}" if finding["line"] else ""
        key = f"{finding['key']}: " if finding["key"] else ""
        text = f"{finding['file']}{place}: {key}{finding['message']}"
        bare = f"{finding['file']}{place}: {finding['message']}"
        note = " (now, on this machine)" if finding["of_machine"] else ""
        verdict.check(line in (text + note, bare + note), f"--json: {finding}, text: {line}")
        verdict.equal(finding["file"], path, f"{line}: its file")
    places = [finding["line"] or 1 << 30 for finding in answer["findings"]]
    verdict.equal(places, sorted(places), f"{lines}: by line")
    return answer["findings"]


def check_case(folder, text, expected, code=2):
    path = config_write(folder, text if "from:" in text.replace(", from:", "") or "[\n" in text else text + "from: pcap:lo\n")
    expected = [line.replace("FILE", path).replace("DIR", folder) for line in expected]
    rc, out, err = run("check", path)
    lines = out.decode().splitlines()
    verdict.equal((rc, err), (code if expected else 0, ""), f"{text!r}: exit {lines}")
    verdict.check(len(lines) == len(expected) + 1 and all(a.startswith(b) for a, b in zip(lines, expected)),
                  f"{text!r}: {lines}, expected {expected}")
    count = "1 finding" if len(expected) == 1 else f"{len(expected)} findings"
    verdict.check(lines[-1].startswith(f"{path}: {count if expected else 'ok: rules default '}"), f"{text!r}: {lines[-1]}")
    return check_json(path, expected, lines[:-1])


def check_parts(folder):
    """What stands in which part of a finding."""
    found = check_case(folder, "sensor: a b\nnonsense: 1\nlists: DIR/none.yaml\n", ["FILE:1:1: sensor: 'a b'", "FILE:2:1: unknown", "FILE:3:1: lists: "])
    parts = [(f["line"], f["column"], f["key"], f["of_machine"]) for f in found]
    verdict.equal(parts, [(1, 1, "sensor", False), (2, 1, "nonsense", False), (3, 1, "lists", False)], "parts of findings")
    verdict.equal(found[2]["message"], f"{folder}/none.yaml: No such file or directory", "message of a finding")


def check_sources(folder):
    """No source at all, and one that is not there: the config may be right on another day, so live is tried again."""
    path = config_write(folder, "sensor: a\n")
    rc, out, _ = run("check", path)
    verdict.equal((rc, out.decode().splitlines()[0]), (2, f"{path}: nothing to capture from: --from (in a config `from`) names "
                                                          "pcap:IFACE or dpdk:PORT"), "no source")
    found = check_case(folder, "sensor: a\nfrom: pcap:nosuch0\n", ["FILE:2:1: from: nosuch0: there is no such interface; there are: "], code=1)
    verdict.equal([(f["key"], f["of_machine"]) for f in found], [("from", True)], "an interface that is not there")
    check_case(folder, "from: pcap:nosuch0\nsensor: a b\n", ["FILE:1:1: from: nosuch0: ", "FILE:2:1: sensor: "])


def check_live_agrees(folder):
    """What check names first of a kind live refuses, in the same words."""
    for text in ("sensor: a b\n", "from: pcap:nosuch0\n", "out: DIR/feed\nlisten: 0.0.0.0:0\n", "out: DIR/feed\nto: nowhere\n", "sensor: a\n",
                 "out: DIR/feed\nlisten: 127.0.0.1:0\ntokens: DIR/loose\n", "lists: DIR/none.yaml\n", "out: DIR/feed\nevents.watched: DIR/none\n"):
        path = config_write(folder, text if "from" in text or text == "sensor: a\n" else text + "from: pcap:nosuch1\n")
        lines = [line.replace(" (now, on this machine)", "") for line in run("check", path)[1].decode().splitlines()]
        rc, _, err = run("live", "--config", path)
        said = err.strip().replace("yamiscope: ", "", 1)
        verdict.check(rc in (1, 2) and (said in lines or f"{path}: {said}" in lines), f"{text!r}: live ({rc}) says {said}, check {lines}")


def check_user(folder):
    """Folders are looked at as the user that live becomes."""
    if os.geteuid() != 0:
        print("not run: folders as another user sees them: it needs root")
        return
    nobody = pwd.getpwnam("nobody").pw_uid
    os.chmod(folder, 0o755)
    check_case(folder, "user: nobody\nout: DIR/feed\n",
               [f"FILE:2:1: out: DIR/feed: user {nobody}: Permission denied"])
    theirs = os.path.join(folder, "theirs")
    os.mkdir(theirs)
    os.chown(theirs, nobody, -1)
    check_case(folder, "user: nobody\nout: DIR/theirs/feed\nrecord: DIR/theirs/recordings\n", [])


TOKENS = {"tokens": 0o600, "group": 0o640, "loose": 0o666, "read": 0o644}


def main():
    with tempfile.TemporaryDirectory() as folder:
        for name, text in (("dark.txt", "192.0.2.0/24\n# more\n2001:db8::/32\n"),
                           ("dark.yaml", "- 192.0.2.0/24\n- {prefix: 198.51.100.0/24, from: 2026-01-01}\n"),
                           ("wrong.yaml", "- prefix: 192.0.2.0/24\n  except: 192.0.3.1\n"),
                           ("networks.yaml", "- name: A\n  prefixes: [192.0.2.0/24]\n"),
                           *((name, "analyst 0123456789abcdef\n") for name in TOKENS)):
            with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
                f.write(text)
        for name, mode in TOKENS.items():
            os.chmod(os.path.join(folder, name), mode)
        os.mkdir(os.path.join(folder, "open"))
        os.chmod(os.path.join(folder, "open"), 0o755)
        run("synth", "-o", os.path.join(folder, "s.pcap"), "--packets", "100", "--sources", "9")
        run("replay", os.path.join(folder, "s.pcap"), "-o", os.path.join(folder, "kept"))
        for text, expected in CASES:
            check_case(folder, text, expected)
        check_parts(folder)
        check_sources(folder)
        check_live_agrees(folder)
        check_user(folder)
        rc, out, _ = run("check", os.path.join(folder, "none.yaml"))
        verdict.equal((rc, out.decode().splitlines()[0]), (2, f"{folder}/none.yaml: No such file or directory"), "no config")
        verdict.equal(run("check")[0], 2, "check without a config")
    return verdict.finish()


if __name__ == "__main__":
    sys.exit(main())
