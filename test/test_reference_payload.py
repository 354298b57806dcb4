"""test_reference_payload.py [SEED...]: payloads changed at random, held against reference_day.py: which rule Hyperscan and Python's `re`
find in them, which UDP form and which scanner's probe they are.

The payloads begin as those of the unit tests' tables (payload_rows_*.h, udp_form_rows.h) and of the probes that reference.py knows;
each is sent as it is and with bytes changed, cut, put in or put behind, to ports of its own and others; and cut by the snap
length.
"""
import glob
import json
import os
import random
import re
import sys
import tempfile

import forms
import pcap
import reference
import reference_feed
from judge import ROOT, SKIP, Verdict, parallel, replay, run
from reference_day import Setting, days_of
from reference_origin import Origins

VARIANTS = 12
SNAPS = (42, 43, 46, 58, 62)  # bytes of a frame that are kept: none, 1, 4, 16, 20 of a UDP payload
BEGIN = 1772841600  # 2026-03-07
TEXTS = r'((?:\s*(?:"(?:[^"\\]|\\.)*"|NAME32))+)'
NAMED = {"n": b"\n", "r": b"\r", "t": b"\t", '"': b'"', "\\": b"\\"}
PORTS = {"tcp": (22, 23, 80, 445, 5555, 7547, 8080, 37215, 60001, 65000),
         "udp": (53, 123, 137, 161, 389, 443, 1900, 5060, 5683, 11211, 53413, 65000)}


def c_bytes(text):
    """The bytes of string literals of C."""
    text = text.replace("NAME32", '"CK' + "A" * 30 + '"')
    escape = lambda m: (NAMED[m[1]] if m[1] in NAMED else bytes([int(m[1][1:], 16) if m[1][0] == "x" else int(m[1], 8)])).decode("latin-1")
    words = re.findall(r'"((?:[^"\\]|\\.)*)"', text)
    return b"".join(re.sub(r"\\(x[0-9a-fA-F]{1,2}|[0-7]{1,3}|.)", escape, word).encode("latin-1") for word in words)


def seeds():
    """(protocol, port, is it an answer's source port, payload)"""
    for path in sorted(glob.glob(os.path.join(ROOT, "test", "payload_rows_*.h"))):
        with open(path, encoding="utf-8") as f:
            for proto, port, text in re.findall(r'PAYLOAD_ROW\("[^"]+", (TCP|UDP), (\d+), (?:true|false),' + TEXTS + r"\)", f.read()):
                yield proto.lower(), int(port), False, c_bytes(text)
    with open(os.path.join(ROOT, "test", "udp_form_rows.h"), encoding="utf-8") as f:
        for form, port, text, length in re.findall(r"\{UDP_(\w+), (\d+),\s*B\(" + TEXTS + r"\), \d+, [^,}]+(?:, (\d+))?", f.read()):
            yield "udp", int(port), form.startswith("answer"), c_bytes(text).ljust(int(length or 0), b"\0")
    for proto, port in dict.fromkeys((proto, port) for proto, port, _, _ in reference.PROBES):
        for data in (b"masscan-test", reference.NMAP_RPC.ljust(40, b"\0"), b"\x0a".ljust(18, b"\0"), b"GET / HTTP/1.0\r\nUser-Agent: masscan/1.3\r\n\r\n"):
            yield proto, port or 4000, False, data


def changed(data, number, rand):
    """The payload itself first, then one change each."""
    at, byte = rand.randrange(len(data) + 1), bytes([rand.choice((0, 10, 13, 32, 255, rand.randrange(256)))])
    return [data, data[:at] + byte + data[at + 1:], data[:at], data[:at] + byte + data[at:], byte + data, data + byte,
            data.swapcase(), data + rand.randbytes(rand.choice((1, 40, 300))), rand.randbytes(rand.choice((1, 4, 240))) + data,
            data + data, data.ljust(rand.choice((8, 48, 250, 256, 300)), b"\0"), data[at:]][number]


def packets(rand):
    """[(ns, frame)], a source each; and their payloads, for messages."""
    found, payloads = [], {}
    for proto, port, is_answer, data in seeds():
        for number in range(VARIANTS):
            body, count = changed(data, number, rand)[:1400], len(found)
            there = rand.choice((port, port, port, rand.choice(PORTS[proto])))
            other = rand.choice((40000, 40000, rand.choice(list(forms.ANSWERS)))) if not is_answer else rand.choice((port, 2222, 53))
            ports = (there, rand.choice((other, 65000))) if is_answer else (other, there)
            source = f"{60 + (count >> 16)}.{count >> 8 & 255}.{count & 255}.9"
            segment = pcap.udp(*ports, body) if proto == "udp" else pcap.tcp(*ports, pcap.ACK | pcap.PSH, body=body)
            found.append((BEGIN * 10**9 + count * 10**6, pcap.ether(pcap.ip4(source, "198.18.0.9", 17 if proto == "udp" else 6, segment))))
            payloads[source] = (proto, ports, body[:80])
    return found, payloads


def judge(case):
    """[line] of what differs; how many packets show a rule, and how many a form."""
    seed, snap = case
    with tempfile.TemporaryDirectory() as folder:
        frames, payloads = packets(random.Random(seed))
        path, out = os.path.join(folder, "payloads.pcap"), os.path.join(folder, "feed")
        with open(path, "wb") as f:
            f.write(pcap.header() + b"".join(pcap.record(ns, frame[:snap], len(frame)) for ns, frame in frames))
        rc, _, err = replay("-o", out, path)
        if rc:
            return [f"exit {rc}: {err}"], 0, 0
        days = days_of(reference.packets_of(path), Setting(reference.Rules(reference.RULES), reference.RULES, Origins()))
        odd = [line for _, line in reference_feed.differences(out, days)]
    sources = [source for day in days.values() for source in day.sources.values()]
    said = lambda line: next((f"\n  {source}: {payloads[source]}" for source in payloads if f" {source}: " in line), "")
    return ([line + said(line) for line in odd], sum(bool(s.evidence) for s in sources),
            sum(bool(set(s.kinds) - {"udp", "tcp_data"}) or s.notes["amplification_request"] > 0 for s in sources))


def main(words):
    if json.loads(run("rules", "list", "--json")[1])["payload_rules_off"]:
        print("not run: this program was built without Hyperscan")
        return SKIP
    verdict = Verdict()
    cases = [(int(seed), snap) for seed in words or ["1"] for snap in (None, *SNAPS)]
    for (seed, snap), (odd, with_rule, with_form) in zip(cases, parallel(judge, cases)):
        name = f"seed {seed}, {snap or 'all'} bytes"
        verdict.check(not odd, f"{name}: {len(odd)} differences\n" + "\n".join(odd[-8:]))
        verdict.check(snap or (with_rule > 500 and with_form > 200), f"{name}: only {with_rule} payloads show a rule, {with_form} a form")
    return verdict.finish()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
