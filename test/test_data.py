"""test_data.py: every capture of the data folder that has an independent answer gives that answer.

No decap: the outermost IP header. Where there are no tunnels but such as we unwrap, a second run with --decap
all is held to the innermost one. What may differ is listed in data_differences.txt, and must
differ. Link types that we don't read are refused by name; of damaged files all before the damage is counted.
"""
import ctypes
import os
import re
import sys

import pcap
from judge import DATA, SKIP, Verdict, captures, data_is_here, expected_of, ledger_faults, listed, parallel, replay
from reference import nanoseconds, seconds

# Tunnels that tshark walks through and --decap does not.
FOREIGN = {"ah", "ayiya", "etherip", "geneve", "gtp", "ieee8021ah", "ipcomp", "l2tp", "lisp-data", "nsh", "ppp", "pppoes",
           "pwethheuristic", "pwethcw", "pwethnocw", "teredo", "vxlan_gpe"}
# Fields that only test_reference.py looks at.
REFERENCE = {"kinds", "kind_sources", "tool_sources", "ports", "by_rule", "shares", "day"}


def by_header(layer):
    """What `replay --json` says of one layer's headers, from the expected answer's object."""
    both = lambda name: layer[f"{name}_ipv4"] + layer[f"{name}_ipv6"]
    return {
        "ip4": layer["ipv4"], "ip6": layer["ipv6"], "tcp": layer["tcp"], "udp": layer["udp"],
        "icmp": layer["icmp"] + layer["icmpv6"], "tcp_syn": layer["tcp_syn_only"],
        "tcp_synack": layer["tcp_syn_ack"], "tcp_rst": layer["tcp_rst"],
        "sources": both("distinct_src"), "destinations": both("distinct_dst"),
        "mirai": layer["fp_mirai_syn_seq_eq_dst"], "zmap": layer["fp_zmap_ipid_54321_ipv4"],
        "masscan": layer["fp_masscan_syn_trunc16_not_mirai"],
        "tcp_ports": layer["top_tcp_dst_ports"], "udp_ports": layer["top_udp_dst_ports"],
        "syn_ports": layer["top_tcp_syn_dst_ports"],
    }


def time_of(text):
    return seconds(nanoseconds(text)) if text else None


def answer_of(expected):
    answer = {"packets": expected["packets"], "bytes": expected["bytes_on_wire"], "first_ts": time_of(expected["min_time"]),
              "last_ts": time_of(expected["max_time"]), **by_header(expected["outermost"])}
    if expected.get("note", "").startswith("tshark shows non-packet"):
        answer["packets"] = int(expected["capinfos"]["Number of packets"])
        del answer["bytes"]
    return answer


def top(rows, count):
    return [[row["port"], row[count]] for row in sorted(rows, key=lambda row: (-row[count], row["port"]))
            if row[count]][:20]


def flat(answer):
    """A replay's answer, in the same words."""
    ports = {proto: [row for row in answer["ports"] if row["proto"] == proto] for proto in ("tcp", "udp")}
    tools = {name: answer["tools"].get(name, 0) for name in ("mirai", "zmap", "masscan")}
    return {**answer, **tools, "tcp_ports": top(ports["tcp"], "packets"), "udp_ports": top(ports["udp"], "packets"),
            "syn_ports": top(ports["tcp"], "syn")}


def is_unwrapped(expected):
    """Whether all its tunnels are such as --decap takes off; of those over UDP only VXLAN is."""
    return not any(FOREIGN & set(stack.split(":")) or re.search(r"udp:(?!vxlan)(gre|mpls|ip|eth)\b", stack)
                   for stack in expected["tunnel_stacks"])


def link_name(number):
    """As libpcap names it; ours to say where that has none."""
    libpcap = ctypes.CDLL("libpcap.so.0.8")
    libpcap.pcap_datalink_val_to_name.restype = ctypes.c_char_p
    name = libpcap.pcap_datalink_val_to_name(pcap.NOT_DLT.get(number, number))
    return name.decode() if name else str(number)


def refusal(path, raw):
    """None where we read all of the file's link types, else what the refusal must name."""
    links = pcap.link_types(raw)
    if links is None:
        return "" if raw[:4] != b"\x0a\x0d\x0d\x0a" else None
    foreign = [link for link in links if link not in pcap.OURS]
    return (link_name(foreign[0]) if foreign[0] < 65536 else "0x") if foreign else None


def refused_faults(name, rc, found):
    what = " ".join(row["what"] for row in found.get("damaged", []))
    if rc != 3 or not what:
        yield f"exit {rc}, damaged {found.get('damaged')}: expected 3 and a reason"
    if name not in what:
        yield f"refused with '{what}', which does not name {name}"
    if not name and found.get("packets"):
        yield f"{found['packets']} packets of a foreign file"


def status_fault(expected, rc, found):
    is_damaged = expected["tshark_rc"] != 0
    if rc != (3 if is_damaged else 0) or bool(found.get("damaged")) != is_damaged:
        yield f"exit {rc}, damaged {found.get('damaged')}; tshark: {expected['tshark_stderr'] or 'fine'}"


def differing(found, expected):
    return {key: (found.get(key), value) for key, value in expected.items() if found.get(key) != value}


def judge(path):
    """({field: (found, expected)}, [faults]) of one capture."""
    expected = expected_of(path)
    rc, found, err = replay(path)
    if not found:
        return {}, [f"exit {rc}: {err.strip()}"]
    faults = ledger_faults(found)
    name = refusal(path, pcap.stored(path))
    if name is not None:
        return {}, faults + list(refused_faults(name, rc, found))
    differences = differing(flat(found), answer_of(expected))
    status = list(status_fault(expected, rc, found))
    if status:
        differences["status"] = (status[0], "")
    if is_unwrapped(expected):
        rc, found, err = replay("--decap", "all", path)
        faults += ledger_faults(found) if found else [f"--decap all: exit {rc}: {err.strip()}"]
        inner = differing(flat(found), by_header(expected.get("innermost", expected["outermost"]))) if found else {}
        differences.update({"inner." + key: pair for key, pair in inner.items()})
    return differences, faults


def main():
    if not data_is_here():
        return SKIP
    verdict = Verdict()
    allowed, paths = listed(), captures()
    for path, (differences, faults) in zip(paths, parallel(judge, paths)):
        name = os.path.relpath(path, DATA)
        bad = [f"{name}: {fault}" for fault in faults]
        bad += [f"{name}: {key}: {found}, expected {value}" for key, (found, value) in differences.items()
                if (name, key) not in allowed and (name, key.removeprefix("inner.")) not in allowed]
        bad += [f"{name}: {key} is listed in data_differences.txt and does not differ"
                for file, key in allowed if file == name and key not in differences and key not in REFERENCE]
        verdict.check(not bad, "\n".join(bad))
    return verdict.finish()


if __name__ == "__main__":
    sys.exit(main())
