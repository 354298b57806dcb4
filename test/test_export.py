"""test_export.py: `export --anonymise` against Crypto-PAn written from its paper with python3-cryptography's AES: addresses, sorting, that all
else stays, that merging and anonymising commute; keys; refusals.
"""
import filecmp
import ipaddress
import json
import os
import shutil
import stat
import sys
import tempfile

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

import feed
import test_report
from judge import Verdict, run

# Key and addresses of the sample that Crypto-PAn is published with.
SAMPLE_KEY = bytes([21, 34, 23, 141, 51, 164, 207, 128, 19, 10, 91, 22, 73, 144, 125, 16,
                    216, 152, 143, 131, 121, 121, 101, 39, 98, 87, 76, 45, 42, 132, 34, 2])
SAMPLE = {"128.11.68.132": "135.242.180.132", "129.118.74.4": "134.136.186.123", "130.132.252.244": "133.68.164.234",
          "141.223.7.43": "141.167.8.160", "141.233.145.108": "141.129.237.235", "152.163.225.39": "151.140.114.167",
          "156.29.3.236": "147.225.12.42"}


class CryptoPan:
    def __init__(self, key):
        self.cipher = Cipher(algorithms.AES(key[:16]), modes.ECB()).encryptor()
        self.pad = int.from_bytes(self.cipher.update(key[16:]), "big")

    def address(self, packed):
        bits, own, flips = len(packed) * 8, int.from_bytes(packed, "big") << (128 - len(packed) * 8), 0
        for n in range(bits):
            kept = ((1 << n) - 1) << (128 - n)
            block = (own & kept) | (self.pad & ~kept & ((1 << 128) - 1))
            flips = flips << 1 | self.cipher.update(block.to_bytes(16, "big"))[0] >> 7
        return (int.from_bytes(packed, "big") ^ flips).to_bytes(len(packed), "big")


def records(folder, body):
    return [getattr(r, body) for rs in feed.read(folder).values() for r in rs if r.WhichOneof("body") == body]


class Bench:
    def __init__(self, folder):
        self.folder, self.verdict = folder, Verdict()
        self.key, self.other = os.path.join(folder, "key"), os.path.join(folder, "other-key")
        for path in (self.key, self.other):
            rc, _, err = run("export", "--new-key", path)
            self.verdict.equal(rc, 0, f"--new-key: {err}")
        with open(self.key, encoding="ascii") as f:
            self.pan = CryptoPan(bytes.fromhex(f.read()))

    def path(self, name):
        return os.path.join(self.folder, name)

    def export(self, name, *feeds, key=None, status=0):
        rc, out, err = run("export", *feeds, "-o", self.path(name), "--anonymise", key or self.key, "--json")
        self.verdict.equal(rc, status, f"export {name}: {err[:300]}: exit")
        return self.path(name)

    def merge(self, name, *feeds, status=0):
        rc, out, err = run("merge", *feeds, "-o", self.path(name))
        self.verdict.equal(rc, status, f"merge {name}: {err[:300]}: exit")
        return self.path(name), err

    def same(self, a, b, text):
        names = sorted(os.listdir(a))
        self.verdict.check(names == sorted(os.listdir(b)) and
                           filecmp.cmpfiles(a, b, names, shallow=False)[0] == names, f"{text}: {names} {sorted(os.listdir(b))}")


def feeds_make(bench):
    """Two sensors of the same days, made and replayed, as far as merge has put them in its form."""
    made = [test_report.make(bench.path(f"made{seed}"), "plain", count=3, seed=seed) for seed in (1, 2)]
    replayed = []
    for seed in (1, 2):
        capture, out = bench.path(f"c{seed}.pcap"), bench.path(f"replayed{seed}")
        run("synth", "-o", capture, "--no-answers", "--packets", "60k", "--sources", "5k", "--seed", str(seed), "--span", "3h",
            "--disorder", "200s")
        rc, _, err = run("replay", capture, "-o", out, "--sensor", f"s{seed}", "--lateness", "0")
        bench.verdict.equal(rc, 0, f"replay: {err}")
        replayed.append(out)
    return made, replayed


def anonymised(bench, source):
    """A SourceDay as it must be."""
    expected = feed.proto.SourceDay()
    expected.CopyFrom(source)
    expected.address = bench.pan.address(source.address)
    return expected


def feed_check(bench, path):
    name, verdict = os.path.basename(path), bench.verdict
    merged, _ = bench.merge(f"{name}-merged", path)
    out = bench.export(f"{name}-anonymous", path)
    rc, _, err = run("verify", out)
    verdict.equal(rc, 0, f"verify of {name}: {err}")
    expected = [anonymised(bench, s) for s in records(path, "source_day")]
    expected.sort(key=lambda s: (s.date, len(s.address), s.address))
    verdict.check(records(out, "source_day") == expected and len(expected) > 100, f"{name}: source days")
    verdict.equal(len({s.address for s in expected}), len({s.address for s in records(path, "source_day")}), f"{name}: one to one")
    for body in ("day", "day_begin"):
        verdict.check([m.SerializeToString() for m in records(out, body)] ==
                      [m.SerializeToString() for m in records(path, body)] != [], f"{name}: {body}")
    windows = records(merged, "window")
    for window in windows:
        window.without_sketches = True
        for mark in window.marks:
            mark.sources.ClearField("hll")
    verdict.check(records(out, "window") == windows, f"{name}: windows")
    headers, plain = records(out, "header"), records(merged, "header")
    verdict.check(all(len(h.anonymised) == 16 for h in headers) and not any(h.anonymised for h in plain), f"{name}: header")
    verdict.equal(len({h.anonymised for h in headers}), 1, f"{name}: one key")
    for a, b in zip(headers, plain):
        a.ClearField("anonymised")
        verdict.check(a == b, f"{name}: header but for the key")
    # Reports of both say the same.
    said = [json.loads(run("report", "--json", p)[1]) for p in (path, out)]
    verdict.check(said[0]["spans"] == said[1]["spans"], f"{name}: report")
    source = max(records(path, "source_day"), key=lambda s: sum(s.kind_packets)).address
    mapped = ipaddress.ip_address(bench.pan.address(source))
    asked = [json.loads(run("source", a, "--json", p)[1]) for a, p in ((ipaddress.ip_address(source), path), (mapped, out))]
    for key in ("packets", "bytes", "days", "kinds", "ports", "rules", "countries", "ases", "classes"):
        verdict.equal(asked[1][key], asked[0][key], f"{name}: look-up of {mapped}: {key}")
    verdict.check("anonymised" in " ".join(asked[1]["notes"]), f"{name}: look-up says so")
    return merged, out


def commute_check(bench, feeds):
    """export(merge(a, b)) = merge(export(a), export(b)) = export(a, b)."""
    out = [feed_check(bench, path) for path in feeds]
    stem = os.path.basename(feeds[0])
    merged, _ = bench.merge(f"{stem}-both", *feeds)
    after = bench.export(f"{stem}-both-anonymous", merged)
    before, _ = bench.merge(f"{stem}-anonymous-both", *(anonymous for _, anonymous in out))
    bench.same(after, before, f"{stem}: merged, then anonymised; and the other way")
    bench.same(after, bench.export(f"{stem}-at-once", *feeds), f"{stem}: both at once")
    rc, _, err = run("verify", after)
    bench.verdict.equal(rc, 0, f"verify of {after}: {err}")
    _, err = bench.merge(f"{stem}-mixed", feeds[0], out[1][1], status=2)
    bench.verdict.check("source addresses are their own in" in err and "anonymised under key" in err, f"mixed: {err}")
    other = bench.export(f"{stem}-other-key", feeds[1], key=bench.other)
    _, err = bench.merge(f"{stem}-two-keys", out[0][1], other, status=2)
    bench.verdict.check(err.count("anonymised under key") == 2, f"two keys: {err}")
    bench.export(f"{stem}-twice", out[0][1], status=2)


def sample_check(bench):
    """The published addresses, by ours in Python, and by the program over a feed that has them."""
    pan = CryptoPan(SAMPLE_KEY)
    for plain, result in SAMPLE.items():
        bench.verdict.equal(str(ipaddress.ip_address(pan.address(ipaddress.ip_address(plain).packed))), result, f"sample {plain}")
    path = test_report.make(bench.path("sampled"), "plain", count=1, seed=5)
    raw, text, upper = (bench.path(n) for n in ("raw-key", "hex-key", "upper-key"))
    for name, content in ((raw, SAMPLE_KEY), (text, SAMPLE_KEY.hex().encode()), (upper, SAMPLE_KEY.hex().upper().encode() + b"\r\n")):
        with open(name, "wb") as f:
            f.write(content)
        os.chmod(name, 0o600)
    outs = [bench.export(f"sampled-{i}", path, key=key) for i, key in enumerate((raw, text, upper))]
    bench.same(outs[0], outs[1], "key as bytes and as digits")
    bench.same(outs[0], outs[2], "key in capital digits")
    bench.verdict.equal({s.address for s in records(outs[0], "source_day")},
                        {pan.address(s.address) for s in records(path, "source_day")}, "addresses under the published key")


def words_check(bench, path):
    verdict, bad = bench.verdict, bench.path("bad-key")
    verdict.equal(stat.S_IMODE(os.stat(bench.key).st_mode), 0o600, "mode of a new key")
    rc, _, err = run("export", "--new-key", bench.key)
    verdict.check(rc == 2 and "exists" in err, f"a key is never overwritten: {rc} {err}")
    for content, mode, says in ((b"", 0o600, "is no key"), (b"x" * 31, 0o600, "is no key"), (b"g" * 64, 0o600, "is no key"),
                                (b"a" * 66, 0o600, "is no key"), (bytes(32), 0o600, "all its bytes are alike"),
                                (os.urandom(32), 0o640, "its owner alone"), (os.urandom(32), 0o604, "its owner alone"),
                                (os.urandom(3000), 0o600, "is no key")):
        with open(bad, "wb") as f:
            f.write(content)
        os.chmod(bad, mode)
        rc, out, err = run("export", path, "-o", bench.path("never"), "--anonymise", bad)
        verdict.check(rc == 2 and not out and says in err and "bad-key" in err, f"key of {len(content)} bytes, {mode:o}: {rc} {err}")
    for words, says in ((("-o", bench.path("never")), "--new-key"), (("--anonymise", bench.key), "--out"),
                        (("-o", bench.path("never"), "--anonymise", bench.path("nowhere")), "No such file"),
                        (("-o", bench.path("never"), "--anonymise", bench.folder), "file that its owner"),
                        (("-o", path, "--anonymise", bench.key), "holds a feed already"),
                        (("-o", os.path.join(path, "in"), "--anonymise", bench.key), "would lie in"),
                        (("--new-key", bench.path("k2")), "stands alone")):
        rc, out, err = run("export", path, *words)
        verdict.check(rc == 2 and says in err, f"export {words}: {rc} {err}")
    verdict.check(not os.path.exists(bench.path("never")), "nothing is written")
    # Damage is named, as by merge.
    copy = bench.path("hurt")
    shutil.copytree(path, copy)
    victim = sorted(n for n in os.listdir(copy) if "-sources-" in n)[0]
    with open(os.path.join(copy, victim), "r+b") as f:
        f.seek(2000)
        f.write(b"\0\0\0")
    rc, _, err = run("export", copy, "-o", bench.path("hurt-out"), "--anonymise", bench.key)
    verdict.check(rc == 3 and victim in err, f"damage: {rc} {err}")
    rc, _, err = run("verify", bench.path("hurt-out"))
    verdict.equal(rc, 0, f"verify of what was whole: {err}")


def main():
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(folder)
        made, replayed = feeds_make(bench)
        commute_check(bench, made)
        commute_check(bench, replayed)
        sample_check(bench)
        words_check(bench, made[0])
        return bench.verdict.finish()


if __name__ == "__main__":
    sys.exit(main())
