"""test_mutation.py: the other judges are shown to judge. One rule changed, and the reference disagrees with the
program; one byte of a capture changed, and the answer is no longer the expected one."""
import os
import re
import shutil
import sys
import tempfile

import pcap
import reference
import test_data
from judge import DATA, Verdict, data_is_here, expected_of, replay
from test_feeds import sample

CAPTURE = "scan/initconf_scan-NG__Traces__test-for-accurate-scan-summary.pcap"
# One change of a rule each: file, what it says, what it says instead.
RULE_CHANGES = {
    "a port moved": ("iot.yaml", r"tcp/23, tcp/2323", "tcp/24, tcp/2323"),
    "a port taken out": ("iot.yaml", r"tcp/23, tcp/2323", "tcp/23"),
    "a breadth changed": ("iot.yaml", r"(id: iot-telnet\n +breadth: )strict", r"\1shared"),
    "an id changed": ("iot.yaml", r"id: iot-telnet\n", "id: iot-telnets\n"),
    "a service's port moved": ("ssh.yaml", r"tcp/22\b", "tcp/21022"),
    "a protocol changed": ("iot.yaml", r"udp/53413", "tcp/53413"),
}
# One byte of a SYN each, as an offset in its Ethernet frame.
BYTES = {"source address": 29, "destination address": 33, "identification": 19, "protocol": 23, "IP version": 14,
         "destination port": 37, "sequence number": 41, "flags": 47, "fragment offset": 21, "ethertype": 13, "IP length": 16}


def rules_changed(verdict, folder):
    path = pcap.write(os.path.join(folder, "sample.pcap"), sample(2000, 300))
    found = replay(path)[1]
    unchanged = reference.Rules(reference.RULES)
    odd = list(reference.differences(found, reference.reference(path, unchanged)))
    verdict.check(not odd, f"the sample with unchanged rules: {odd}")
    for name, (file, pattern, instead) in RULE_CHANGES.items():
        copy = os.path.join(folder, re.sub(r"\W", "-", name))
        shutil.copytree(reference.RULES, copy)
        with open(os.path.join(copy, file), "r+", encoding="utf-8") as f:
            text = f.read()
            changed = re.sub(pattern, instead, text, count=1)
            f.seek(0)
            f.truncate()
            f.write(changed)
        verdict.check(changed != text, f"{name}: {file} has no {pattern} to change")
        theirs = reference.reference(path, reference.Rules(copy))
        verdict.check(list(reference.differences(found, theirs)), f"{name}: the reference still agrees with the program")
        rc, ours, err = replay("--rules", copy, path)
        odd = list(reference.differences(ours, theirs))
        verdict.check(not odd, f"{name}: with the same rules they disagree: exit {rc} {err.strip()} {odd}")


def byte_changed(raw, at):
    return raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1:]


def changes_of(raw, skipped):
    """{name: offsets in the file to change, one at a time}: of the first SYNs, since not every field of each matters."""
    records = pcap.records(raw)
    syns = [at + 16 for at, _ in records if raw[at + 28:at + 30] == b"\x08\0" and raw[at + 39] == 6 and raw[at + 63] == pcap.SYN]
    changes = {name: [at + offset for at in syns[:60]] for name, offset in BYTES.items() if name not in skipped}
    return {**changes, "timestamp of the first packet": [records[0][0]], "length on the wire": [records[0][0] + 13]}


def noticed(verdict, folder, raw, judged, skipped=()):
    """Changes one byte at a time; `judged` says what differs from the expected answer."""
    path = os.path.join(folder, "changed.pcap")

    def is_noticed(at):
        with open(path, "wb") as f:
            f.write(byte_changed(raw, at))
        return bool(judged(replay(path)[1]))

    for name, offsets in changes_of(raw, skipped).items():
        verdict.check(any(map(is_noticed, offsets)), f"{name} changed, and nothing differs")


def main():
    verdict = Verdict()
    with tempfile.TemporaryDirectory() as folder:
        rules_changed(verdict, folder)
        path = pcap.write(os.path.join(folder, "whole.pcap"), sample(500, 300))
        theirs = reference.reference(path, reference.Rules(reference.RULES))
        noticed(verdict, folder, pcap.stored(path), lambda found: list(reference.differences(found, theirs)))
        path = os.path.join(DATA, CAPTURE)
        if data_is_here():
            answer = test_data.answer_of(expected_of(path))
            differing = lambda found: test_data.differing(test_data.flat(found), answer)
            verdict.check(not differing(replay(path)[1]), f"{CAPTURE}: unchanged, and it differs")
            noticed(verdict, folder, pcap.stored(path), differing, ["IP length"])  # no field of that answer tells
    return verdict.finish()


if __name__ == "__main__":
    sys.exit(main())
