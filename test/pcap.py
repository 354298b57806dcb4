"""Captures for the judges: a writer and readers of classic pcap and of pcapng's interfaces, and
packets to put in. Nothing but struct."""
import bz2
import gzip
import ipaddress
import lzma
import struct
import subprocess

SYN, ACK, RST, PSH = 2, 16, 4, 8
OURS = {0, 1, 12, 14, 101, 108, 113, 228, 229, 276}  # link types that the program reads
NOT_DLT = {100: 11, 104: 104, 106: 19}  # LINKTYPE_ numbers that libpcap knows by another DLT_


def ip4(src, dst, proto, body, ident=1, ttl=64):
    quads = bytes(int(n) for n in f"{src}.{dst}".split("."))
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(body), ident, 0, ttl, proto, 0)
    return head + quads + body


def ip6(src, dst, proto, body):
    addresses = b"".join(ipaddress.ip_address(a).packed for a in (src, dst))
    return struct.pack(">IHBB", 6 << 28, len(body), proto, 64) + addresses + body


def tcp(sport, dport, flags=SYN, seq=7, window=64240, options=b"", body=b""):
    offset = (20 + len(options)) // 4 << 4
    return struct.pack(">HHIIBBHHH", sport, dport, seq, 0, offset, flags, window, 0, 0) + options + body


def udp(sport, dport, body=b""):
    return struct.pack(">HHHH", sport, dport, 8 + len(body), 0) + body


def icmp(kind, code=0, body=b"\0" * 12):
    return struct.pack(">BBHI", kind, code, 0, 0) + body


def ether(body, ethertype=0x0800):
    return b"\2\0\0\0\0\1\2\0\0\0\0\2" + struct.pack(">H", ethertype) + body


def header(link=1, is_nano=True):
    return struct.pack("<IHHiIII", 0xa1b23c4d if is_nano else 0xa1b2c3d4, 2, 4, 0, 0, 65535, link)


def record(ns, frame, wire=None, is_nano=True):
    part = ns % 10**9 // (1 if is_nano else 1000)
    return struct.pack("<IIII", ns // 10**9, part, len(frame), wire or len(frame)) + frame


def write(path, packets, link=1):
    """packets: [(ns, frame)]; nanosecond pcap, little-endian."""
    with open(path, "wb") as f:
        f.write(header(link) + b"".join(record(ns, frame) for ns, frame in packets))
    return path


def stored(path):
    """The bytes of a file, decompressed."""
    with open(path, "rb") as f:
        raw = f.read()
    if raw[:2] == b"\x1f\x8b":
        return gzip.decompress(raw)
    if raw[:6] == b"\xfd7zXZ\0":
        return lzma.decompress(raw)
    if raw[:3] == b"BZh":
        return bz2.decompress(raw)
    tool = {b"\x28\xb5\x2f\xfd": "zstd", b"\x04\x22\x4d\x18": "lz4"}.get(raw[:4])
    return subprocess.run([tool, "-dc", path], capture_output=True, check=True).stdout if tool else raw


def records(raw):
    """[(offset, length)] of the records of a little-endian classic pcap, record header included."""
    found, at = [], 24
    while at + 16 <= len(raw):
        size = 16 + struct.unpack_from("<I", raw, at + 8)[0]
        found.append((at, size))
        at += size
    return found


def link_types(raw):
    """Link types of a pcap or pcapng in order; None: neither."""
    for order in "<>":
        if raw[:4] in (struct.pack(order + "I", n) for n in (0xa1b2c3d4, 0xa1b23c4d, 0xa1b2cd34)):
            return [struct.unpack_from(order + "I", raw, 20)[0] & 0x03ffffff]
    return interfaces(raw) if raw[:4] == b"\x0a\x0d\x0d\x0a" else None


def interfaces(raw):
    found, at, order = [], 0, "<"
    while at + 12 <= len(raw):
        if raw[at:at + 4] == b"\x0a\x0d\x0d\x0a":
            order = "<" if raw[at + 8:at + 12] == b"\x4d\x3c\x2b\x1a" else ">"
        kind, size = struct.unpack_from(order + "II", raw, at)
        if kind == 1:
            found.append(struct.unpack_from(order + "H", raw, at + 8)[0])
        at += max(size, 12)
    return found
