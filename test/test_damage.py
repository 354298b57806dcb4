"""test_damage.py: one byte of a feed is altered, in each kind of record: `verify` names the place; every command that reads the record names it,
too, answers from the rest, and ends with 3. What a command does not read, it does not name: the table below has it.
"""
import os
import shutil
import subprocess
import sys
import tempfile

import feed
from judge import PROGRAM, Verdict, run

KEY = "0123456789abcdef" * 4
# Parts of a feed: segments of windows; source days of a date; its Day.
ALL = {"windows", "sources", "day"}
# The command, and what it reads whole; `port` where there is no index.
COMMANDS = (
    (("report", "FEED"), ALL),
    (("report", "FEED", "--json"), ALL),
    (("report", "FEED", "--csv"), ALL),
    (("report", "FEED", "--per", "day", "--csv"), ALL),
    (("report", "FEED", "--per", "hour", "--json"), ALL),
    (("report", "FEED", "--html", "-"), ALL),
    (("merge", "FEED", "-o", "OUT"), ALL),
    (("export", "FEED", "-o", "OUT", "--anonymise", "KEY"), ALL),
    (("events", "FEED"), {"windows"}),
    (("events", "FEED", "--json", "--updates"), {"windows"}),
    (("infected", "FEED"), {"sources"}),
    (("infected", "FEED", "--format", "json"), {"sources"}),
    (("port", "tcp/23", "FEED"), ALL),
)
OF_SEVERAL = ("report", "events", "infected")  # also asked of several days


def places(path):
    """[(name of the record, its begin, its end)]"""
    with open(path, "rb") as f:
        data, at = f.read(), 0
    while at < len(data):
        size, body = feed.varint(data, at)
        yield feed.proto.Record.FromString(data[body:body + size]).WhichOneof("body"), body, body + size
        at = body + size


def part_of(path):
    return next((part for part in ("sources", "day") if f"-{part}-" in path), "windows")


def chosen(folder):
    """[(segment, part, name, byte)]: of the last date's segments, and of the last of windows, each kind of record, the first and the last of it."""
    found = []
    for part in sorted(ALL):
        path = [p for p in feed.segments(folder) if part_of(p) == part][-1]
        kinds = {}
        for name, begin, end in places(path):
            kinds.setdefault(name, []).append((begin, end))
        for name, rows in kinds.items():
            for which in sorted({0, len(rows) - 1}):
                begin, end = rows[which]
                found.append((path, part, f"{name} {which}", (begin + end) // 2))
    return found


def alter(path, at):
    with open(path, "r+b") as f:
        f.seek(at)
        byte = f.read(1)[0]
        f.seek(at)
        f.write(bytes([byte ^ 0x10]))


def asked(words, folder, where):
    out = os.path.join(where, "out")
    shutil.rmtree(out, ignore_errors=True)
    names = {"FEED": folder, "OUT": out, "KEY": os.path.join(where, "key")}
    return run(*[names.get(word, word) for word in words])


def judge(verdict, whole, where, days):
    commands = [row for row in COMMANDS if days == 1 or row[0][0] in OF_SEVERAL]
    for words, _ in commands:
        rc, _, err = asked(words, whole, where)
        verdict.equal(rc, 0, f"{days} days, whole: {words}: {err[:200]}")
    for path, part, name, at in chosen(whole):
        broken = os.path.join(where, "broken")
        shutil.rmtree(broken, ignore_errors=True)
        shutil.copytree(whole, broken, ignore=shutil.ignore_patterns("*.index"))
        file = os.path.basename(path)
        alter(os.path.join(broken, file), at)
        rc, out, err = run("verify", broken)
        verdict.check(rc == 1 and file in err + out.decode(), f"{days} days, {part}: {name}: verify: {rc} {err[:200]}")
        for words, reads in commands:
            rc, out, err = asked(words, broken, where)
            said = (rc, file in err)
            verdict.equal(said, (3, True) if part in reads else (0, False), f"{days} days, {part}: {name}: {words[0]} {' '.join(words[2:])}: {err[:300]}")
            if part in reads and words[-1] == "--json":
                verdict.check(b"damaged" in out or words[0] == "events", f"{words}: in its answer, too")


def growing(verdict, whole, where):
    """A feed that is still being written is not damaged by that."""
    part = os.path.join(where, "growing")
    os.makedirs(part)
    paths = [p for p in feed.segments(whole) if part_of(p) == "windows"][:3]
    for path in paths:
        shutil.copy(path, part)
    last = os.path.join(part, os.path.basename(paths[-1]))
    begin = max(at for name, at, _ in places(last) if name == "close")
    os.truncate(last, begin - 1)  # a byte of length stands in front of it
    rc, _, err = run("events", part)
    verdict.equal((rc, err), (0, ""), "events of a feed without its last Close")


def main():
    verdict = Verdict()
    with tempfile.TemporaryDirectory() as where:
        with open(os.path.join(where, "key"), "w", encoding="ascii") as f:
            f.write(KEY)
        os.chmod(os.path.join(where, "key"), 0o600)
        for days in (1, 3):
            capture, whole = os.path.join(where, f"{days}.pcap"), os.path.join(where, f"whole{days}")
            subprocess.run([PROGRAM, "synth", "-o", capture, "--no-answers", "--profile", "days", "--days", str(days), "--start", "2026-03-07"], check=True,
                           stdout=subprocess.DEVNULL)
            rc, _, err = run("replay", capture, "-o", whole, "--events", "all", "--telescope", "203.0.113.0/24", "--window", "10m")
            verdict.equal(rc, 0, f"replay: {err}")
            judge(verdict, whole, where, days)
        growing(verdict, whole, where)
    return verdict.finish()


if __name__ == "__main__":
    sys.exit(main())
