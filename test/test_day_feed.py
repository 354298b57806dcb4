"""test_day_feed.py: days in a feed, read by python3-protobuf and computed again.

SAMPLE (the program of days_sample.c) writes feeds; every number of their Days is computed in Python from the source
days and the rule files. The bytes of each record are those that python3-protobuf writes of it.
"""
import os
import subprocess
import sys
import tempfile

import days
import feed
import reference
from judge import Verdict

SAMPLE = os.environ.get("DAYS_SAMPLE", "")


def same_bytes(verdict, folder):
    """Our hand-written records against the library's: the same fields give the same bytes."""
    for path in feed.segments(folder):
        with open(path, "rb") as f:
            data = f.read()
        at, odd = 0, 0
        while at < len(data):
            size, at = feed.varint(data, at)
            record = feed.proto.Record.FromString(data[at:at + size])
            odd += record.SerializeToString(deterministic=True) != data[at:at + size]
            at += size
        verdict.equal(odd, 0, f"{os.path.basename(path)}: records that python3-protobuf writes otherwise")


def coverage(verdict, day, name):
    c, begin = day.coverage, day.facts
    watched = {t.id: days.observed(t) for t in begin.telescopes}
    verdict.equal({w.id: w.seconds for w in c.watches}, watched, f"{name}: seconds observed")
    area = sum(t.ipv4 * watched[t.id] for t in begin.telescopes)
    size = sum(t.ipv4 for t in begin.telescopes)
    verdict.equal((c.ipv4, c.address_seconds), (size, area), f"{name}: address-seconds")
    verdict.equal(c.coverage_milli, area * 100000 // (size * 86400), f"{name}: coverage")
    verdict.equal((c.offered, c.lost), (begin.ledger.offered, begin.ledger.ring_full), f"{name}: loss")
    verdict.equal(day.complete, False, f"{name}: complete")


def main():
    verdict = Verdict()
    rules = days.load(reference.RULES)
    for seed in ("1", "2"):
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run([SAMPLE, folder + "/feed", seed], check=False)
            verdict.equal(done.returncode, 0, "the sample is written")
            same_bytes(verdict, folder + "/feed")
            for begin, sources, day in days.dates(folder + "/feed"):
                name = f"seed {seed}, date {day.facts.date}"
                verdict.equal(day.facts, begin.facts, f"{name}: facts")
                (rows, classes), (found, found_classes) = days.compute(begin, sources, rules), days.said(day)
                verdict.check({"survey", "conflict", "acknowledged", "bogon"} <= set(classes), f"{name}: a class is empty")
                verdict.equal(found_classes, classes, f"{name}: classes")
                for key in sorted(set(rows) | set(found), key=str):
                    verdict.equal(found.get(key), rows.get(key), f"{name}: {key}")
                verdict.equal(*days.shares(day), f"{name}: shares")
                ip4 = [s for s in sources if len(s.address) == 4]
                verdict.equal(day.coverage.ip4_packets, sum(s.packets for s in ip4), f"{name}: IPv4 packets")
                coverage(verdict, day, name)
    return verdict.finish()


if __name__ == "__main__":
    sys.exit(main())
