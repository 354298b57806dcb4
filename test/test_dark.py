"""test_dark.py: sources that are the telescope's own (law 6): land attacks, floods from the destination's prefix, IPv6 addresses with a
dark IPv4 address in them.

No record of a feed holds such an address in any form; the days are those of reference_day.py; workers, batches and pieces change
nothing; explain shows pseudonyms, and says nothing of how an address ends.
"""
import collections
import ipaddress
import json
import os
import re
import struct
import sys
import tempfile

import feed
import pcap
import reference
import reference_feed
from judge import Verdict, replay, run
from reference_day import Setting, days_of
from reference_origin import Origins
from test_reference_day import RULES, bodies, same_files

DARK, DARK6 = "45.77.1.", "2a0e:1:2:3::"
TELESCOPE = ["--telescope", DARK + "0/24," + DARK6 + "/64"]
T = 1780000000 * 10**9


def ip6(src, dst, proto, body):
    addresses = ipaddress.ip_address(src).packed + ipaddress.ip_address(dst).packed
    return pcap.ether(struct.pack(">IHBB", 6 << 28, len(body), proto, 64) + addresses + body, 0x86dd)


def ip4(src, dst, proto, body, **more):
    return pcap.ether(pcap.ip4(src, dst, proto, body, **more))


def embedding(n):
    """IPv6 addresses with the telescope's address of this number in them, in every form."""
    address = ipaddress.ip_address(DARK + str(n))
    high, low = (f"{half:x}" for half in divmod(int(address), 1 << 16))
    not_high, not_low = (f"{half ^ 0xffff:x}" for half in divmod(int(address), 1 << 16))
    return [f"::{address}", f"::ffff:{address}", f"::ffff:0:{address}", f"64:ff9b::{address}", f"2002:{high}:{low}::1",
            f"2001:0:{high}:{low}::1", f"2001:0:808:808::{not_high}:{not_low}", f"2620:9:9:9:0:5efe:{address}",
            f"2620:9:9:9:200:5efe:{address}"]


def frames():
    """Each source that is dark comes with a number of its own; some of others between them."""
    dark, dark6 = (DARK + str(n) for n in range(256)), (DARK6 + f"{n:x}" for n in range(1, 1000))
    take = lambda: next(dark)
    for port in (23, 80, 8080, 5555):
        own = take()
        yield ip4(own, own, 6, pcap.tcp(port, port))  # land attack
        yield ip4(take(), take(), 6, pcap.tcp(40000, port))
        yield ip4("9.9.9.9", take(), 6, pcap.tcp(40000, port))
        yield ip4("9.9.9.10", "9.9.9.10", 6, pcap.tcp(port, port))  # outside, to itself
        yield ip4(take(), "9.9.9.11", 6, pcap.tcp(40000, port))  # outside
        own = next(dark6)
        yield ip6(own, own, 6, pcap.tcp(port, port))
        yield ip6(next(dark6), next(dark6), 6, pcap.tcp(40000, port))
        yield ip6("2a00::1", next(dark6), 6, pcap.tcp(40000, port))
    for flags in (pcap.SYN | pcap.ACK, pcap.RST, 0, pcap.ACK):
        yield ip4(take(), take(), 6, pcap.tcp(80, 40000, flags, body=b"x" * (flags == pcap.ACK)))
    for port, body in ((53, b""), (0, b"x"), (123, b"\x17\0\3\x2a\0\0\0\0"), (1900, b"M-SEARCH * HTTP/1.1\r\n")):
        yield ip4(take(), take(), 17, pcap.udp(4000, port, body))
        yield ip6(next(dark6), next(dark6), 17, pcap.udp(4000, port, body))
    yield ip6(next(dark6), next(dark6), 17, pcap.udp(4000, 53413, b"AA\0\0AAAA"))  # an exploit: this source is never taken out
    yield ip4(take(), DARK + "255", 17, pcap.udp(137, 137, b"x" * 50))
    yield ip4("9.9.9.12", DARK + "255", 17, pcap.udp(138, 138, b"x" * 50))
    yield ip4(take(), take(), 1, pcap.icmp(8))
    yield ip4(take(), take(), 47, b"\0" * 20)
    yield ip4(DARK + "0", take(), 6, pcap.tcp(40000, 23))
    yield ip4(DARK + "255", take(), 6, pcap.tcp(40000, 23))
    yield ip4("0.0.0.0", take(), 6, pcap.tcp(40000, 23))  # who really has no address is told from none of them
    yield pcap.ether(pcap.ip4(take(), take(), 6, pcap.tcp(40000, 23)[:12]))  # malformed
    for number in (98, 99):
        for source in embedding(number):
            yield ip6(source, next(dark6), 6, pcap.tcp(40000, 23))
            yield ip6(source, "2a00::5", 17, pcap.udp(40000, 53))
            yield ip6("2a00::2", source, 6, pcap.tcp(40000, 23))
    for near in ("45.77.2.98", "46.77.1.98"):  # not of the telescope
        yield ip6(f"::ffff:{near}", next(dark6), 6, pcap.tcp(40000, 23))
        yield ip4(near, take(), 6, pcap.tcp(40000, 23))


def packets():
    return [(T + i * 10**9, frame) for i, frame in enumerate(list(frames()) * 2)]


def secrets():
    """Every IPv4 address of the telescope and its IPv6 prefix, in every form that a feed could have it in."""
    for n in range(256):
        address = ipaddress.ip_address(DARK + str(n))
        inverted = bytes(byte ^ 255 for byte in address.packed)
        yield from (address.packed, address.packed[::-1], inverted, str(address).encode(), address.packed.hex().encode())
    yield ipaddress.ip_address(DARK6).packed[:8]
    yield from (DARK6[:-2].encode(), ipaddress.ip_address(DARK6).packed[:8].hex().encode())


def contents(folder):
    for path in feed.segments(folder):
        with open(path, "rb") as f:
            yield f.read()


def feeds(verdict, path, folder):
    out = lambda name: os.path.join(folder, name)
    rc, found, err = replay("-o", out("feed"), *TELESCOPE, path)
    if not verdict.equal(rc, 0, f"replay: {err}"):
        return
    whole = b"".join(contents(out("feed")))
    verdict.equal([secret for secret in secrets() if secret in whole], [], "what the feed holds of the telescope")
    _, sources = reference_feed.feed_days(out("feed"))
    addresses = {str(address) for day in sources.values() for address in day}
    verdict.check({"0.0.0.0", "::"} <= addresses and "45.77.2.98" in addresses, f"source days: {sorted(addresses)}")
    verdict.equal(found["sources"], len(addresses), "sources")
    setting = Setting(RULES, reference.RULES, Origins(), telescope=TELESCOPE[1])
    expected = days_of(reference.packets_of(path), setting)
    roles = {str(address): role for address, role in next(iter(expected.values())).roles.items() if address == address.__class__(0)}
    verdict.equal(roles, {"0.0.0.0": "bogon", "::": "conflict"}, "what the hidden sources are")
    odd = [line for _, line in reference_feed.differences(out("feed"), expected)]
    verdict.check(not odd, "\n".join(odd[:12]))
    for workers, batch in ((1, 1), (3, 77)):
        replay("-o", out(f"feed-{workers}"), *TELESCOPE, "-j", workers, "--batch", batch, path)
        verdict.check(same_files(out("feed"), out(f"feed-{workers}")), f"{workers} workers, batches of {batch}: other bytes")
    pieces = []
    for i in range(4):
        part = pcap.write(out(f"piece{i}.pcap"), packets()[i::4])
        pieces.append(out(f"part{i}"))
        replay("-o", pieces[-1], *TELESCOPE, part)
    verdict.equal(run("merge", *pieces, "-o", out("merged"))[0], 0, "merge")
    verdict.check(list(bodies(out("merged"))) == list(bodies(out("feed"))), "merged pieces have other SourceDays or Days")
    verdict.equal(run("verify", out("feed"))[0], 0, "verify")
    for tests in ("none", "all"):
        replay("-o", out(tests), *TELESCOPE, "--spoof-tests", tests, path)
        whole = b"".join(contents(out(tests)))
        verdict.equal([secret for secret in secrets() if secret in whole], [], f"--spoof-tests {tests}: what the feed holds of the telescope")
        hidden = reference_feed.feed_days(out(tests))[1]
        verdict.equal({day: set(rows) for day, rows in hidden.items()}, {day: set(rows) for day, rows in sources.items()},
                      f"--spoof-tests {tests}: sources")
    replay("-o", out("exposed"), *TELESCOPE, "--expose-telescope", path)
    verdict.check(same_files(out("feed"), out("exposed")), "--expose-telescope: other bytes")


def explain(*words):
    return [json.loads(row) for row in run("explain", *words)[1].splitlines()]


def explains(verdict, path):
    plain = explain("--json", path)
    for words in ([], ["--json"]):
        text = run("explain", *TELESCOPE, *words, path)[1].decode()
        verdict.equal(text.count("\n"), len(plain), f"explain {words}: lines")
        for secret in (DARK, DARK6[:-2], "2d4d:1", "d2b2:fe", ".255"):
            verdict.check(secret not in text, f"explain {words} shows {secret}")
    masked, exposed = explain("--json", *TELESCOPE, path), explain("--json", *TELESCOPE, "--expose-telescope", path)
    verdict.check(not any("offsets" in rule for row in masked for rule in row["rules"]), "explain: where a match begins tells what stands before it")
    setting = Setting(RULES, reference.RULES, Origins(), telescope=TELESCOPE[1])
    names, kinds = collections.defaultdict(set), collections.Counter()
    for was, row, shown in zip(plain, masked, exposed):
        about = f"{was['src']} > {was['dst']}"
        is_dark = setting.is_dark(was["src"])
        kinds[is_dark, row["kind"]] += 1
        verdict.equal((row["src"].startswith("dark+"), row["kind"], shown["src"]), (is_dark, shown["kind"], was["src"]), about)
        tests = re.findall(r"likely_spoofed \((.*?)\)", row["reason"])
        expected = (["same_address"] if was["src"] == was["dst"] else []) + (["telescope_source"] if is_dark else [])
        verdict.equal((tests, row["likely_spoofed"]), ([", ".join(expected)] if expected else [], bool(expected)), about)
        bogon = row["origin"]["bogon"]["prefix"] if row["origin"]["bogon"] else None
        verdict.check(not is_dark or bogon == ("::/128" if ":" in was["src"] else "0.0.0.0/32"), f"{about}: origin {bogon}")
        names[was["src"]].add(row["src"])
        is_broadcast = was["kind"] == "stray" and was["dst"].endswith(".255")
        verdict.equal(row["dst"] == "dark", is_broadcast, f"{about}: a broadcast's destination")
        if not is_broadcast:
            names[was["dst"]].add(row["dst"])
    verdict.check(all(len(name) == 1 for name in names.values()) and len(set().union(*names.values())) == len(names),
                  "an address has two pseudonyms, or two have one")
    verdict.check({kind for dark, kind in kinds if dark} >= {"tcp_syn", "tcp_data", "udp", "stray", "outside", "malformed",
                                                             "backscatter_tcp", "icmp", "other_ip"}, f"kinds: {kinds}")
    every = explain("--json", *TELESCOPE, "--spoof-tests", "all", path)
    ends = [(was["src"], row["reason"]) for was, row in zip(plain, every) if "source_ends_" in row["reason"] and setting.is_dark(was["src"])]
    verdict.check(not ends and any("source_ends_0" in row["reason"] for row in every), f"explain tells how sources end: {ends[:3]}")


def main():
    verdict = Verdict()
    with tempfile.TemporaryDirectory() as folder:
        path = pcap.write(os.path.join(folder, "dark.pcap"), packets())
        feeds(verdict, path, folder)
        explains(verdict, path)
    return verdict.finish()


if __name__ == "__main__":
    sys.exit(main())
