"""test_check.py: `yamiscope check`: everything that a config names, found wrong or right."""
import json
import os
import pwd
import sys
import tempfile

from judge import Verdict, run

verdict = Verdict()

# A config, and what of it is found: FILE stands for the config's own path, DIR for the folder it lies in.
CASES = [
    ("", []),
    ("sensor: tokyo\nout: DIR/feed\nrecord: DIR\ntelescope: [192.0.2.0/24]\nfrom: pcap:lo\nfilter: tcp\n", []),
    ("telescope: DIR/dark.yaml\n", []),
    ("telescope: DIR/dark.txt\n", []),
    ("from: [pcap:lo, \"dpdk:vdev=net_null0,size=64,queues=2\"]\neal: [--no-huge, -m, \"512\"]\nreceiver-cores: 0\n", []),
    ("packets: 3\nlang: ja\n", []),  # one file serves all commands
    ("record-size: 1M\nrecord-span: 10m\nrecord-keep-age: 7d\nrecord-keep-bytes: 1G\nrecord-zstd: 0\nkeep-windows: 400d\n"
     "keep-days: 3650d\nkeep-sources: 90d\nsnaplen: 256\npcap-buffer: 16M\nno-promiscuous: true\n"
     "status-every: 10s\nstage-table: true\nworker-cores: 0\n", []),
    ("nonsense: 1\n", ["FILE:1:1: unknown key 'nonsense'"]),
    ("record: {dir: x}\n", ["FILE:1:1: record: must be a single value"]),
    ("out: DIR/no/feed\n", ["FILE:1:1: out: DIR/no/feed: No such file or directory"]),
    ("out: DIR/dark.txt\n", ["FILE:1:1: out: DIR/dark.txt: Not a directory"]),
    ("out: DIR/feed\nrecord: DIR/feed\n",
     ["FILE:2:1: record: the feed's folder: recordings need one of their own"]),
    ("telescope:\n- prefix: 192.0.2.0/24\n  excpet: 192.0.2.1\n", ["FILE:3:3: unknown key 'excpet'"]),
    ("json: true\ntelescope:\n  - {prefix: 192.0.2.0/24, from: 2026-01-02, until: 2026-01-01}\n",
     ["FILE:3:53: until lies before from"]),
    ("telescope: DIR/wrong.yaml\n", ["FILE:1:1: telescope: DIR/wrong.yaml:2:11: the exception lies in no prefix of its entry"]),
    ("telescope:\n- {prefix: 192.0.2.0/33}\ntimezone: Mars/Phobos\nrules: DIR/none\n",
     ["FILE:3:1: timezone: 'Mars/Phobos' is no zone of /usr/share/zoneinfo",
      "FILE:2:12: prefix length is not 0 to 32",
      "FILE:4:1: rules: DIR/none: No such file or directory"]),
    ("timezone: Asia/Kathmandu\nwindow: 5m\n", []),
    ("timezone: Asia/Kathmandu\nwindow: 10m\n", ["FILE:2:1: window: days of Asia/Kathmandu begin inside a window of 600s ("]),
    ("window: 10m\ntimezone: Asia/Kathmandu\nlists: DIR/none.yaml\n",
     ["FILE:1:1: window: days of Asia/Kathmandu begin inside a window of 600s (", "DIR/none.yaml: No such file or directory"]),
    ("from: [eth0, pcap:lo, \"dpdk:\"]\n", ["FILE:1:1: from: 'eth0': expected pcap:IFACE or dpdk:PORT[,queues=N]",
                                           "FILE:1:1: from: 'dpdk:': names no port"]),
    ("user: no-such-user-here\nworker-cores: 1-0\nsensor: a b\ndecap: [gre, pppoe]\n", [
        "FILE:3:1: sensor: 'a b' is no name: 1 to 64 letters, digits, dots, underscores or hyphens",
        "FILE:4:1: decap: ",
        "FILE:1:1: user: 'no-such-user-here' is no user of this system",
        "FILE:2:1: worker-cores: '1-0': expected processors below 1024, such as 2,4-7"]),
    ("lists: DIR/none.yaml\n", ["DIR/none.yaml: No such file or directory"]),
    ("country: DIR/dark.txt\n", ["DIR/dark.txt"]),
    ("a: [\n", ["FILE:"]),
]


def check_case(folder, text, expected):
    path = os.path.join(folder, "live.yaml")
    with open(path, "w", encoding="utf-8") as f:
        f.write(text.replace("DIR", folder))
    expected = [line.replace("FILE", path).replace("DIR", folder) for line in expected]
    rc, out, err = run("check", path)
    lines = out.decode().splitlines()
    verdict.equal((rc, err), (2 if expected else 0, ""), f"{text!r}: exit {lines}")
    verdict.check(len(lines) == len(expected) + 1 and all(a.startswith(b) for a, b in zip(lines, expected)),
                  f"{text!r}: {lines}, expected {expected}")
    count = "1 finding" if len(expected) == 1 else f"{len(expected)} findings"
    verdict.check(lines[-1].startswith(f"{path}: {count if expected else 'ok: rules default '}"), f"{text!r}: {lines[-1]}")
    rc, out, err = run("check", path, "--json")
    answer = json.loads(out)
    verdict.equal((answer["config"], answer["ok"], answer["findings"]), (path, not expected, lines[:-1]), f"{text!r}: --json")


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
    check_case(folder, "user: nobody\nout: DIR/theirs/feed\nrecord: DIR/theirs\n", [])


def main():
    with tempfile.TemporaryDirectory() as folder:
        for name, text in (("dark.txt", "192.0.2.0/24\n# more\n2001:db8::/32\n"),
                           ("dark.yaml", "- 192.0.2.0/24\n- {prefix: 198.51.100.0/24, from: 2026-01-01}\n"),
                           ("wrong.yaml", "- prefix: 192.0.2.0/24\n  except: 192.0.3.1\n")):
            with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
                f.write(text)
        for text, expected in CASES:
            check_case(folder, text, expected)
        check_user(folder)
        rc, out, _ = run("check", os.path.join(folder, "none.yaml"))
        verdict.equal((rc, out.decode().splitlines()[0]), (2, f"{folder}/none.yaml: No such file or directory"), "no config")
        verdict.equal(run("check")[0], 2, "check without a config")
    return verdict.finish()


if __name__ == "__main__":
    sys.exit(main())
