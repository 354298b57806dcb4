"""test_events_http.py: events as `serve` gives them, asked by http.client: analysts and operators get all that the feed holds, as JSON and protobuf, public
readers counts of what is old enough and of enough sources, without addresses; server-sent events; metrics; what is no question.
"""
import datetime
import http.client
import ipaddress
import json
import os
import sys
import tempfile

from event_lines import MINUTE, START, Event, last_of, lines, make, sample
from judge import Verdict
from serving import Server, delimited
from test_events_feed import brief, events_of, rfc3339

TOKENS = {"public": "public-0123456789abcdef", "analyst": "analyst-0123456789abcdef", "operator": "operator-0123456789abcdef"}
ALL = "/api/v1/events?since=0"


class Bench:
    def __init__(self, folder):
        self.folder, self.verdict = folder, Verdict()
        self.told = sample()
        self.feed = make(os.path.join(folder, "feed"), lines(self.told, 12))
        self.tokens = os.path.join(folder, "tokens")
        with open(self.tokens, "w", encoding="ascii") as f:
            f.writelines(f"{name} {token}\n" for name, token in TOKENS.items())
        os.chmod(self.tokens, 0o600)

    def ask(self, server, path, who, code=200, **headers):
        status, _, body = server.get(path, Authorization=f"Bearer {TOKENS[who]}", **headers)
        self.verdict.equal(status, code, f"{who}: {path}: status ({body[:100]})")
        return body

    def json(self, server, path, who):
        return json.loads(self.ask(server, path, who))


def whole(b, server):
    v = b.verdict
    messages = events_of(b.feed)
    for who in ("analyst", "operator"):
        answer = b.json(server, ALL, who)
        expected = sorted((e.type, rfc3339(e.first_ns), e.phase, e.packets, e.address and str(ipaddress.ip_address(e.address)) or None) for e in last_of(b.told))
        v.equal(sorted((e["type"], e["first"], e["phase"], e["packets"], e["address"]) for e in answer["events"]), expected, f"{who}: events")
        v.equal((answer["sensor"], answer["timezone"], answer["next"]), ("dark1", "UTC", None), f"{who}: head")
        every = b.json(server, ALL + "&updates=1", who)["events"]
        v.equal([e["id"] for e in every], [m.id.hex() for m in messages], f"{who}: every record")
        body = b.ask(server, ALL + "&updates=1", who, Accept="application/x-protobuf")
        v.equal([brief(r.event) for _, r, _ in delimited(body)], [brief(m) for m in messages], f"{who}: protobuf")
    paged, after = [], 0
    for _ in range(100):
        answer = b.json(server, f"/api/v1/events?updates=1&limit=3&after={after}", "analyst")
        paged += [e["id"] for e in answer["events"]]
        after = answer["next"]
        if after is None:
            break
    v.equal(paged, [m.id.hex() for m in messages], "page by page")
    for words in ("", "&updates=1"):
        every = [e["id"] for e in b.json(server, ALL + words, "analyst")["events"]]
        for limit in (1, 3, len(every) - 1, len(every), len(every) + 1):
            answer = b.json(server, f"{ALL}{words}&newest=1&limit={limit}", "analyst")
            v.equal(([e["id"] for e in answer["events"]], answer["earlier"], answer["next"]), (every[-limit:], max(0, len(every) - limit), None),
                    f"the newest {limit}{words}")


def filters(b, server):
    last = last_of(b.told)
    for query, takes in (("type=scan", lambda e: e.type == "scan"), ("type=dos,infected", lambda e: e.type in ("dos", "infected")),
                         ("phase=open", lambda e: e.phase != "end"), ("network=198.51.100.0/24", lambda e: e.address.startswith("198.51.100.")),
                         ("port=tcp/2323", lambda e: e.port == "2323"), ("min-rate=1000", lambda e: e.rate == "40000"),
                         ("until=2026-01-01T12:02:00Z", lambda e: e.first < 2)):
        found = b.json(server, f"{ALL}&{query}", "analyst")["events"]
        b.verdict.equal(sorted((e["type"], e["first"], e["packets"]) for e in found),
                        sorted((e.type, rfc3339(e.first_ns), e.packets) for e in last if takes(e)), query)
    since = b.json(server, "/api/v1/events?since=2026-01-01T12:08:00Z", "analyst")["events"]
    b.verdict.equal(len(since), sum(e.last_ns >= (START + 8) * MINUTE for e in last), "since")
    b.verdict.equal(len(b.json(server, "/api/v1/events", "analyst")["events"]), len(last), "without since: the newest day")
    for query in ("type=x", "phase=x", "network=x", "port=x", "min-rate=x", "since=x", "until=x", "limit=0", "limit=x", "after=x", "updates=2", "newest=2", "newest=1&newest=1", "min-rate=1&newest=1&min-rate=1", "type=%00%0a"):
        b.ask(server, f"/api/v1/events?{query}", "analyst", 400)
    b.ask(server, "/api/v1/events/1", "analyst", 404)
    status, _, _ = server.get(ALL)
    b.verdict.equal(status, 401, "without a token")


def public(b):
    """Two ports of four hosts, one of one; others of too few: counts by hour, folded, late."""
    v = b.verdict
    told = {1: [], 70: []}
    for n in range(4):
        told[1].append(Event(first=0, told=1, phase="end", address=f"198.51.100.{n}", port="2323", packets=50 + n))
        told[1].append(Event(first=0, told=1, address="198.51.100.77", port="5555", text=str(n)) if n == 0 else
                       Event("dos", first=0, told=1, address=f"192.0.2.{n}", port="-", kind="-", rate="-"))
    told[1].append(Event("watched", first=0, told=1, phase="end", address="203.0.113.66", port="-", kind="-", rate="-", text="Secret Org"))
    told[1].append(Event("indicator", first=0, told=1, phase="end", address="", port="-", kind="-", rate="-", country="-", asn="-", text="hxxp://x"))
    told[1].append(Event("new_activity", first=0, told=1, phase="end", address="", port="9000", kind="-", rate="-", country="-", asn="-", text="x"))
    for n in range(2):
        told[70].append(Event(first=65, told=70, phase="end", address=f"198.51.100.{n}", port="81"))
        told[70].append(Event(first=65, told=70, phase="end", address=f"198.51.100.{n + 2}", port="82"))
    out = make(os.path.join(b.folder, "public"), lines(told, 72, packets=5))
    server = Server(out, "--tokens", b.tokens, "--publish-delay", "1h")
    try:
        body = b.ask(server, ALL, "public")
        answer = json.loads(body)
        rows = {(r["hour"][11:13], r["type"], r["proto"], r["port"]): (r["events"], r["open"]) for r in answer["events"]}
        # dos names no port of its own: one row of three victims
        v.equal(rows, {("12", "scan", "tcp", 2323): (4, 0), ("12", "dos", "tcp", None): (3, 3), ("12", "new_activity", "tcp", 9000): (1, 0)}, "public: rows")
        # tcp/5555 of one host at noon is nobody's; of tcp/81 and /82, of two each, is told together
        v.equal([(r["hour"][11:13], r["type"], r["events"]) for r in answer["other"]], [("13", "scan", 4)], "public: other")
        for secret in (b"198.51", b"192.0.2", b"203.0.113", b"Secret", b"hxxp", b'"id"', b"packets", b"5555", b"JP", b"watched", b"indicator"):
            v.check(secret not in body, f"public: {secret}")
        for query in ("network=198.51.100.0/24", "min-rate=1", "port=5555", "updates=1", "newest=1", "after=1"):
            b.ask(server, f"{ALL}&{query}", "public", 403)
        b.ask(server, ALL, "public", 403, Accept="application/x-protobuf")
        v.equal([r["type"] for r in b.json(server, ALL + "&type=dos", "public")["events"]], ["dos"], "public: type")
        b.ask(server, "/metrics", "public", 403)
    finally:
        server.stop()
    now = int(datetime.datetime.now(datetime.timezone.utc).timestamp()) // 60
    fresh = [Event(first=now - START - 5, told=now - START - 4, phase="end", address=f"198.51.100.{n}", port="7777") for n in range(5)]
    out = make(os.path.join(b.folder, "fresh"), [f"w {now - 5} 9"] + [e.line() for e in fresh] + [f"w {now - 4} 9"])
    server = Server(out, "--tokens", b.tokens, "--publish-delay", "1h")
    try:
        v.equal(len(b.json(server, ALL, "analyst")["events"]), 5, "fresh: analysts see them")
        answer = b.json(server, ALL, "public")
        v.equal((answer["events"], answer["other"]), ([], []), "fresh: public readers don't yet")
    finally:
        server.stop()


def stream_take(answer, count):
    """Lists of events of a stream until it gave so many of them, and the ids behind the lists."""
    lists, ids, event = [], [], None
    while sum(map(len, lists)) < count or len(ids) < len(lists):
        line = answer.readline().decode().rstrip("\n")
        if line.startswith("event: "):
            event = line[7:]
        elif line.startswith("data: ") and event == "events":
            lists.append(json.loads(line[6:]))
        elif line.startswith("id: ") and event == "events":
            ids.append(int(line[4:]))
        elif not line:
            event = None
    return lists, ids


def live(b):
    """A feed that grows: its events come in lists, each once; a public reader's stream has none."""
    v, told = b.verdict, sample()
    out = make(os.path.join(b.folder, "live"), lines(told, 2))
    server = Server(out, "--tokens", b.tokens, "--public", "--publish-delay", "0")
    try:
        c = http.client.HTTPConnection(server.host, server.port, timeout=60)
        c.request("GET", "/api/v1/live", headers={"Authorization": f"Bearer {TOKENS['analyst']}"})
        stream = c.getresponse()
        make(out, lines(told, 12, first=2), append=True)
        wanted = [e for m in sorted(told) if m > 2 for e in told[m]]
        lists, ids = stream_take(stream, len(wanted))
        found = [e for some in lists for e in some]
        v.equal(sorted((e["type"], e["time"], e["packets"]) for e in found), sorted((e.type, rfc3339(e.time_ns), e.packets) for e in wanted), "live: events")
        v.equal([e["seq"] for e in found], sorted({e["seq"] for e in found}), "live: in order, each once")
        v.equal(ids, [found[-1]["seq"] for found in lists], "live: ids")
        c.close()
        c = http.client.HTTPConnection(server.host, server.port, timeout=60)
        c.request("GET", "/api/v1/live", headers={"Authorization": f"Bearer {TOKENS['operator']}", "Last-Event-ID": str(ids[1])})
        rest = [e for e in found if e["seq"] > ids[1]]
        again, _ = stream_take(c.getresponse(), len(rest))
        v.equal([e for some in again for e in some], rest, "live: goes on behind an id")
        c.close()
        status, _, body = server.get("/metrics", Authorization=f"Bearer {TOKENS['operator']}")
        text = body.decode()
        for kind in ("scan", "dos", "indicator"):
            for phase in ("begin", "goes_on", "end"):
                count = sum(e.type == kind and e.phase == phase for g in told.values() for e in g)
                v.check(f'yamiscope_events_total{{type="{kind}",phase="{phase}"}} {count}\n' in text, f"metrics: {kind} {phase} {count}")
        c = http.client.HTTPConnection(server.host, server.port, timeout=60)
        c.request("GET", "/api/v1/live?after=0", headers={"Authorization": f"Bearer {TOKENS['public']}"})
        stream, seen = c.getresponse(), []
        while len(seen) < 12:
            line = stream.readline().decode()
            if line.startswith("event: ") and "health" not in line:
                seen.append(line[7:].strip())
        v.equal(set(seen), {"window"}, "live: nothing of events for public readers")
        c.close()
    finally:
        server.stop()


def main():
    with tempfile.TemporaryDirectory() as folder:
        b = Bench(folder)
        server = Server(b.feed, "--tokens", b.tokens)
        try:
            whole(b, server)
            filters(b, server)
        finally:
            server.stop()
        public(b)
        live(b)
        return b.verdict.finish()


if __name__ == "__main__":
    sys.exit(main())
