"""test_origins.py: who a source is, held against answers that are not ours.

Databases: every network of MaxMind's test sources, and mmdblookup on a real database at seeded addresses;
corrupt ones must be refused by name. Lists: every published one is imported, and its addresses counted by
Python's ipaddress. Bogons: IANA's registries, typed in here again.
"""
import hashlib
import ipaddress
import json
import os
import random
import struct
import subprocess
import sys
import tempfile

import feed
import pcap
from judge import DATA, SKIP, Verdict, data_is_here, parallel, run

REFDATA = os.path.join(DATA, "refdata")

# iana.org/assignments/iana-ipv4-special-registry and iana-ipv6-special-registry (2025): the column Globally Reachable.
# Beside them what no registry of special addresses lists: multicast, and IPv6 outside 2000::/3 (ipv6-address-space).
FALSE = """0.0.0.0/8 0.0.0.0/32 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.0.0/29
192.0.0.8/32 192.0.0.170/32 192.0.0.171/32 192.0.2.0/24 192.88.99.2/32 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24
203.0.113.0/24 240.0.0.0/4 255.255.255.255/32 ::1/128 ::/128 ::ffff:0:0/96 64:ff9b:1::/48 100::/64 100:0:0:1::/64
2001::/23 2001:2::/48 2001:db8::/32 3fff::/20 5f00::/16 fc00::/7 fe80::/10
224.0.0.0/4 ff00::/8 ::/3 4000::/2 8000::/1
2001:10::/28"""  # the last is N/A, its term is over: as 2001::/23 around it
TRUE = """192.0.0.9/32 192.0.0.10/32 192.31.196.0/24 192.52.193.0/24 192.175.48.0/24 64:ff9b::/96 2001:1::1/128
2001:1::2/128 2001:1::3/128 2001:3::/32 2001:4:112::/48 2001:20::/28 2001:30::/28 2620:4f:8000::/48"""
NEITHER = "192.88.99.0/24 2001::/32 2002::/16"
# Private for Python 3.11, and N/A in the registry: 2002::/16 itself, and the block at the begin of 2001::/23.
PYTHON_DIFFERS = {"2001::/23", "2002::/16"}

BLOCKS = {ipaddress.ip_network(word): reach for words, reach in ((FALSE, False), (TRUE, True), (NEITHER, None))
          for word in words.split()}


def by_length(networks):
    """For longest(): (IP version, bits behind the prefix, the prefix, the network), the most specific first."""
    return [(net.version, net.max_prefixlen - net.prefixlen, int(net.network_address) >> (net.max_prefixlen - net.prefixlen), net)
            for net in sorted(networks, key=lambda net: -net.prefixlen)]


def longest(rows, address):
    """The most specific of the networks that holds the address."""
    version, number = address.version, int(address)
    return next((net for family, bits, prefix, net in rows if family == version and number >> bits == prefix), None)


BLOCKS_BY_LENGTH = by_length(BLOCKS)


def is_bogon(address, extra=False):
    net = longest(BLOCKS_BY_LENGTH, address)
    return net is not None and (BLOCKS[net] is False or (extra and BLOCKS[net] is None))


def explained(addresses, *words):
    """The origin that `explain --json` says of packets from these addresses."""
    packets = []
    for address in addresses:
        body = pcap.udp(1000, 2000)
        if address.version == 4:
            packets.append(pcap.ip4(str(address), "198.51.100.1", 17, body))
        else:
            packets.append(struct.pack(">IHBB", 6 << 28, len(body), 17, 64) + address.packed +
                           ipaddress.ip_address("2600::9").packed + body)
    with tempfile.NamedTemporaryFile(suffix=".pcap") as file:
        file.write(pcap.header(link=101))
        for i, packet in enumerate(packets):
            file.write(struct.pack("<IIII", 1700000000, i, len(packet), len(packet)) + packet)
        file.flush()
        rc, out, err = run("explain", "--json", *words, file.name)
    if rc:
        return [f"exit {rc}: {err}"] * len(addresses)
    return [json.loads(line)["origin"] for line in out.splitlines()]


# ---- databases ----

def source_networks(name):
    with open(os.path.join(REFDATA, "mmdb-test", name + ".source.json"), encoding="utf-8") as file:
        return {ipaddress.ip_network(net): entry for row in json.load(file) for net, entry in row.items()}


def country_of(entry):
    for key in ("country", "registered_country"):
        if entry.get(key, {}).get("iso_code"):
            return entry[key]["iso_code"]
    return None


def as_of(entry):
    number = entry.get("autonomous_system_number")
    return {"number": number, "name": entry.get("autonomous_system_organization")} if number else None


def check_database(verdict, name, option, field, answer_of):
    networks = source_networks(name)
    rows = by_length(networks)
    addresses = sorted({net.network_address for net in networks}, key=lambda a: (a.version, a))
    found = explained(addresses, option, os.path.join(REFDATA, "mmdb-test", name + ".mmdb"))
    for address, origin in zip(addresses, found):
        expected = None if is_bogon(address) else answer_of(networks[longest(rows, address)])
        said = origin.get(field) if isinstance(origin, dict) else origin
        verdict.equal(said, expected, f"{name} {address}")


def looked_up(address):
    """mmdblookup's country of an address of the real database."""
    path = os.path.join(REFDATA, "mmdb-real", "GeoLite2-Country-20190402.mmdb")
    for key in ("country", "registered_country"):
        done = subprocess.run(["mmdblookup", "--file", path, "--ip", str(address), key, "iso_code"],
                              capture_output=True, text=True, check=False)
        if '"' in done.stdout:
            return done.stdout.split('"')[1]
    return None


def check_real(verdict):
    seeded = random.Random(20190402)
    addresses = [ipaddress.IPv4Address(seeded.getrandbits(32)) for _ in range(250)]
    addresses += [ipaddress.IPv6Address(seeded.choice((0x2001, 0x2400, 0x2600, 0x2a00, 0x2c0f)) << 112 |
                                        seeded.getrandbits(16) << 96 | seeded.getrandbits(96)) for _ in range(150)]
    path = os.path.join(REFDATA, "mmdb-real", "GeoLite2-Country-20190402.mmdb")
    known = 0
    for address, origin, expected in zip(addresses, explained(addresses, "--country", path),
                                         parallel(looked_up, addresses)):
        expected = None if is_bogon(address) else expected
        known += expected is not None
        said = origin.get("country") if isinstance(origin, dict) else origin
        verdict.equal(said, expected, f"GeoLite2-Country-20190402 {address}")
    verdict.check(known > 200, f"only {known} of the seeded addresses have a country")


def check_corrupt(verdict):
    folder = os.path.join(REFDATA, "mmdb-bad")
    with tempfile.NamedTemporaryFile(suffix=".pcap") as file:
        file.write(pcap.header())
        file.flush()
        for name in sorted(os.listdir(folder)):
            for option in ("--country", "--as"):
                rc, _, err = run("explain", option, os.path.join(folder, name), file.name)
                verdict.check(rc == 2 and name in err, f"{option} {name}: exit {rc}, {err.strip()}")


# ---- lists ----

def entries(path):
    """A published list's prefixes, by Python's own reading. Bits behind the length are cut off, as import says."""
    with open(path, encoding="utf-8") as file:
        words = json.load(file)["list"] if path.endswith(".json") else file.read().split()
    return [ipaddress.ip_network(word, strict=False) for word in words]


def addresses_of(networks, version):
    ours = [net for net in networks if net.version == version]
    return sum(net.num_addresses for net in ipaddress.collapse_addresses(ours))


def published():
    for folder in ("openfilters-cidr", "misp"):
        top = os.path.join(REFDATA, "scanners", folder)
        for name in sorted(os.listdir(top)):
            if name.endswith((".txt", ".json")):
                yield os.path.join(top, name)


def check_list(path, out):
    """What is wrong with the import of one list."""
    rc, _, err = run("lists", "import", path, "-o", out)
    if rc:
        return f"exit {rc}: {err}"
    rc, shown, err = run("lists", "show", "--json", out)
    if rc:
        return f"exit {rc}: {err}"
    shown = json.loads(shown)["lists"][0]
    with open(out, "rb") as file:
        if shown["sha256"] != hashlib.sha256(file.read()).hexdigest():
            return f"sha256 {shown['sha256']}"
    organisation = shown["organisations"][0]
    found = [int(organisation[key]) for key in ("ipv4_addresses", "ipv6_addresses")]
    expected = [addresses_of(entries(path), version) for version in (4, 6)]
    return "" if found == expected else f"{found} addresses, expected {expected}"


def owner(organisations, address):
    """By the longest prefix, then the first name in bytes."""
    best = [(-net.prefixlen, name.encode(), name) for name, rows in organisations.items()
            if (net := longest(rows, address))]
    return min(best)[2] if best else None


def check_all(verdict, folder):
    """All lists in one: each address asked belongs to whom Python says."""
    paths, out = list(published()), os.path.join(folder, "all.yaml")
    rc, _, err = run("lists", "import", os.path.dirname(paths[0]), os.path.dirname(paths[-1]), "-o", out)
    verdict.check(rc == 0 and "mandiantasm_v4.txt:100: 34.19.127.176/27: taken as 34.19.127.160/27" in err,
                  f"all lists: exit {rc}: {err}")
    organisations = {}
    for path in paths:
        name = os.path.basename(path).removesuffix(".txt").removesuffix("_v4").removesuffix("_v6")
        if path.endswith(".json"):
            with open(path, encoding="utf-8") as file:
                name = json.load(file)["name"]
        organisations.setdefault(name, set()).update(entries(path))
    seeded = random.Random(7)
    nets = sorted({net for nets in organisations.values() for net in nets}, key=lambda n: (n.version, n))
    wide = [net for net in nets if net.num_addresses > 1]
    asked = [net.network_address + seeded.randrange(min(net.num_addresses, 1 << 60))
             for net in seeded.sample(nets, 100) + seeded.sample(wide, 100)]
    asked += [net.broadcast_address + 1 for net in seeded.sample(wide, 50)]
    rc, shown, err = run("lists", "show", "--json", out, *asked)
    answer = json.loads(shown) if rc == 0 else {"addresses": []}
    verdict.equal(len(answer["addresses"]), len(asked), f"lists show: {err}")
    by_name = {name: by_length(nets) for name, nets in organisations.items()}
    for address, row in zip(asked, answer["addresses"]):
        expected = None if is_bogon(address) else owner(by_name, address)
        verdict.equal(row["organisation"], expected, f"all lists {address}")
    every = os.path.join(folder, "every.txt")
    with open(every, "w", encoding="utf-8") as f:
        f.write("0.0.0.0/0\n::/0\n")
    run("lists", "import", every, "-o", every + ".yaml")
    row = json.loads(run("lists", "show", "--json", every + ".yaml")[1])["lists"][0]["organisations"][0]
    verdict.equal((row["ipv4_addresses"], row["ipv6_addresses"]), (str(2**32), str(2**128)), "every address there is")
    found = [origin["organisation"] for origin in explained(asked, "--lists", out)]
    verdict.equal(found, [row["organisation"] for row in answer["addresses"]], "explain --lists and lists show")
    again = os.path.join(folder, "again", "all.yaml")
    os.mkdir(os.path.dirname(again))
    run("lists", "import", *reversed(paths), "-o", again)
    with open(out, "rb") as a, open(again, "rb") as b:
        verdict.check(a.read() == b.read(), "import in another order gives another list")


IMPORTS = [  # file, its content, options, exit status, what is said
    ("a.txt", b"192.0.2.0/24\nexample.org\n", [], 1, "a.txt:2: example.org: not an IPv4 or IPv6 prefix"),
    ("a.txt", b"192.0.2.0/24\nexample.org\n", ["--skip-damaged"], 3, "a.txt:2: example.org: left out"),
    ("a.txt", b"192.0.2.0\0/24\n", [], 1, "a.txt:1: 192.0.2.0?/24: not"),
    ("a.txt", b"", [], 1, "a.txt: holds no prefix"),
    ("a.json", b'{"type": "hostname", "name": "h", "list": ["a.example"]}', [], 1, "of type hostname with 1 entries"),
    ("a.json", b'{"type": "cidr", "name": "h", "list": ["a.example"]}', [], 1, "a.json: list[0]: a.example: not"),
    ("a.json", b'{"type": "cidr"', [], 1, "a.json:1:15: "),
    ("a.json", b'{"type": "cidr", "name": "\xe9", "list": ["192.0.2.1"]}', [], 1, "a.json:1:"),
    ("a.json", b'{"type": "cidr", "name": "\\u202e", "list": ["192.0.2.1"]}', [], 1, "a.json: no name for the organisation"),
    ("a.txt", b"192.0.2.0/24 # caf\xe9\n", [], 0, ""),
    ("a.txt", b"192.0.2.0/24\n192.0.2.1\xe9\n", [], 1, "a.txt:2: 192.0.2.1?: not"),
    ("caf\udce9.txt", b"192.0.2.0/24\n", [], 1, "no name for the organisation"),
    ("caf\udce9.txt", b"192.0.2.0/24\n", ["--name", "Caf\u00e9"], 0, ""),
    ("a.txt", b"192.0.2.0/24\n", ["--name", "Caf\udce9"], 2, "--name: not a name"),
    ("a.txt", b"192.0.2.0/24\n", ["--date", "2026-02-30"], 2, "--date: '2026-02-30' is no day"),
    ("a.txt", b"192.0.2.0/24\n", ["--homepage", "x"], 2, "--homepage: 'x' begins with neither"),
    ("a.txt", b"192.0.2.0/24\n", ["--name", "\x1b[1m"], 2, "--name: not a name"),
    ("a.txt", b"192.0.2.0/24\n", ["--name", "N", "--date", "2026-02-28", "--homepage", "https://n.org"], 0, "1 organisation with 1 prefix from 1 file"),
]


def check_imports(verdict, folder):
    """Damaged lists are refused with their place, and leave no file."""
    out = os.path.join(folder, "small.yaml")
    for name, content, options, status, said in IMPORTS:
        path = os.path.join(folder, name)
        with open(path, "wb") as file:
            file.write(content)
        rc, _, err = run("lists", "import", path, *options, "-o", out)
        verdict.check(rc == status and said in err, f"{content} {options}: exit {rc}, {err.strip()}")
        verdict.equal(os.path.exists(out), status in (0, 3), f"{content} {options}: a list is written")
        if os.path.exists(out):
            os.remove(out)
        verdict.check(not os.path.exists(out + ".part"), f"{content} {options}: a part is left")


def check_options(verdict, folder):
    """Lists by name, folder, or from a config file; what is no list is refused."""
    for name, prefix in (("a", "8.8.8.0/24"), ("b", "2600::/16")):
        with open(os.path.join(folder, name + ".yaml"), "w", encoding="utf-8") as file:
            file.write(f'list: {name}\norganisations: [{{name: {name.upper()}, cidrs: ["{prefix}"]}}]\n')
    asked = [ipaddress.ip_address(word) for word in ("8.8.8.8", "2600::1", "8.8.9.1")]
    paths = [os.path.join(folder, name) for name in ("a.yaml", "b.yaml")]
    config = os.path.join(folder, "config")
    with open(config, "w", encoding="utf-8") as file:
        file.write(f"lists: [{paths[0]}, {paths[1]}]\n")
    for words in (["--lists", ",".join(paths)], ["--lists", folder], ["--config", config]):
        names = [origin["organisation"] for origin in explained(asked, *words)]
        verdict.equal(names, ["A", "B", None], f"explain {words[0]}")
    for words, said in ((["--lists", ""], "--lists: names no list"), (["--lists", config], "config:1:1: unknown key 'lists'"),
                        (["--as", paths[0]], "a.yaml: not a MaxMind DB file")):
        rc, _, err = run("explain", *words, "-")
        verdict.check(rc == 2 and said in err, f"explain {words}: exit {rc}, {err.strip()}")


def mmdb_value(value):
    """MaxMind DB 2.0: maps, texts (as bytes, which may be no text), arrays, numbers below 2^32 (of type 6 unless said)."""
    def head(kind, size):
        more = b"" if size < 29 else bytes([size - 29])
        first = (kind << 5 if kind < 8 else 0) | min(size, 29)
        return bytes([first]) + (bytes([kind - 7]) if kind > 7 else b"") + more
    if isinstance(value, dict):
        return head(7, len(value)) + b"".join(mmdb_value(key) + mmdb_value(item) for key, item in value.items())
    if isinstance(value, list):
        return head(11, len(value)) + b"".join(map(mmdb_value, value))
    if isinstance(value, (int, tuple)):
        kind, number = value if isinstance(value, tuple) else (6, value)
        size = 2 if kind == 5 else 4
        return head(kind, size) + number.to_bytes(size, "big")
    value = value.encode() if isinstance(value, str) else value
    return head(2, len(value)) + value


def write_database(path, kind, value):
    """A database of IPv4 in which every address has this value."""
    nodes = 1
    meta = {"binary_format_major_version": (5, 2), "binary_format_minor_version": (5, 0), "build_epoch": (9, 1700000000),
            "database_type": kind, "description": {"en": "made for a test"}, "ip_version": (5, 4), "languages": [],
            "node_count": nodes, "record_size": (5, 24)}
    with open(path, "wb") as file:
        file.write(struct.pack(">I", nodes + 16)[1:] * 2 + bytes(16) + mmdb_value(value) + b"\xab\xcd\xefMaxMind.com" + mmdb_value(meta))


def check_names(verdict, folder):
    """What is no UTF-8 is nowhere in a feed: a name of a database is mended, a list refused with its place. The
    feed is read by python3-protobuf, which takes UTF-8 alone."""
    database, country = os.path.join(folder, "as.mmdb"), os.path.join(folder, "country.mmdb")
    write_database(database, "GeoLite2-ASN", {"autonomous_system_number": 7, "autonomous_system_organization": b"Caf\xe9 \x1b \xc3\xa9"})
    write_database(country, "GeoLite2-Country", {"country": {"iso_code": b"\xff\xfe"}})
    scanners = os.path.join(folder, "scanners.yaml")
    with open(scanners, "w", encoding="utf-8") as file:
        file.write('list: x\norganisations: [{name: "日本 é", cidrs: ["9.0.0.0/8"]}]\n')
    capture = pcap.write(os.path.join(folder, "x.pcap"),
                         [(1700000000 * 10**9, pcap.ip4(source, "198.51.100.1", 17, pcap.udp(1, 2))) for source in ("8.8.8.8", "9.9.9.9")],
                         link=101)
    out = os.path.join(folder, "feed")
    code, _, err = run("replay", "-o", out, "--telescope", "198.51.100.0/24", "--as", database, "--country", country,
                       "--lists", scanners, capture)
    verdict.equal(code, 0, f"replay: {err}")
    origins = [record.source_day.origin for records in feed.read(out).values() for record in records if record.HasField("source_day")]
    verdict.equal([(o.asn, o.as_name, o.country, o.acknowledged) for o in origins],
                  [(7, "Caf\ufffd \ufffd é", "", ""), (7, "Caf\ufffd \ufffd é", "", "日本 é")], "names in the feed")
    verdict.equal([record.day.ases[0].name for records in feed.read(out).values() for record in records if record.HasField("day")],
                  ["Caf\ufffd \ufffd é"], "the AS of the day")
    for name, content, said in (("x.yaml", b"list: x\norganisations:\n  - name: \xe9\n    cidrs: [9.0.0.0/8]\n", "x.yaml:3:12: invalid"),
                                ("x.yaml", b'list: x\norganisations:\n  - name: "a\\e"\n    cidrs: [9.0.0.0/8]\n', "x.yaml:3:11: expected a name")):
        with open(os.path.join(folder, name), "wb") as file:
            file.write(content)
        code, _, err = run("replay", "--lists", os.path.join(folder, name), capture)
        verdict.check(code == 2 and said in err, f"{content}: exit {code}, {err.strip()}")


def check_telescope(verdict):
    """Law 6: of an address of the telescope nothing is said but that it can't be one: a bogon, whichever it is."""
    inside = [ipaddress.ip_address(word) for word in ("10.1.2.3", "2001:db8::1")]
    dark = ["--telescope", "10.0.0.0/8,2001:db8::/32"]
    for words in ([], ["--expose-telescope"]):
        found = [(o["class"], o["bogon"]["prefix"], o["country"], o["as"]) for o in explained(inside, *dark, *words)]
        verdict.equal(found, [("bogon", "0.0.0.0/32", None, None), ("bogon", "::/128", None, None)], f"origins of the telescope {words}")
    outside = [ipaddress.ip_address("192.168.1.1")]
    verdict.equal([o["bogon"]["rfc"] for o in explained(outside, *dark)], ["RFC 1918"], "origins beside the telescope")


# ---- bogons ----

def check_bogons(verdict):
    asked = set()
    for net in BLOCKS:
        for number in (int(net[0]) - 1, int(net[0]), int(net[-1]), int(net[-1]) + 1):
            if 0 <= number < 1 << net.max_prefixlen:
                asked.add(type(net[0])(number))
    seeded = random.Random(4)
    asked |= {ipaddress.IPv4Address(seeded.getrandbits(32)) for _ in range(300)}
    asked |= {ipaddress.IPv6Address(seeded.getrandbits(128)) for _ in range(100)}
    asked = sorted(asked, key=lambda a: (a.version, a))
    for extra, words in ((False, ()), (True, ("--extra-bogons",))):
        for address, origin in zip(asked, explained(asked, *words)):
            expected = "bogon" if is_bogon(address, extra) else "ordinary"
            said = origin.get("class") if isinstance(origin, dict) else origin
            verdict.equal(said, expected, f"{address} {' '.join(words)}")
    for version in (ipaddress._IPv4Constants, ipaddress._IPv6Constants):  # pylint: disable=protected-access
        for net in version._private_networks:
            if str(net) not in PYTHON_DIFFERS:
                verdict.check(is_bogon(net[0]), f"{net} is private for Python and no bogon here")


def main():
    verdict = Verdict()
    check_bogons(verdict)
    check_telescope(verdict)
    with tempfile.TemporaryDirectory() as folder:
        check_imports(verdict, folder)
    with tempfile.TemporaryDirectory() as folder:
        check_options(verdict, folder)
    with tempfile.TemporaryDirectory() as folder:
        check_names(verdict, folder)
    if not data_is_here():
        verdict.finish()
        return 1 if verdict.failed else SKIP
    check_database(verdict, "GeoLite2-ASN-Test", "--as", "as", as_of)
    check_database(verdict, "GeoLite2-Country-Test", "--country", "country", country_of)
    check_real(verdict)
    check_corrupt(verdict)
    with tempfile.TemporaryDirectory() as folder:
        for number, path in enumerate(published()):
            fault = check_list(path, os.path.join(folder, f"{number}.yaml"))
            verdict.check(not fault, f"{os.path.basename(path)}: {fault}")
        check_all(verdict, folder)
    return verdict.finish()


if __name__ == "__main__":
    sys.exit(main())
