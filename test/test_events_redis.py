"""test_events_redis.py: the stream of events that `publish` writes into a real redis-server, held by python3-redis to the feed as python3-protobuf
reads it: ids, contents, exactly once, trimming, expiry, who may have it.
"""
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import replace

import redis

import redis_servers
from event_lines import Event, lines, make, sample
from judge import PROGRAM, Verdict
from redis_servers import Server, next_id, publish
from test_events_feed import events_of

KEY = "yamiscope-sources:{dark1}:events"


def expected(folder):
    """[(id, message)]: ids are a function of the feed."""
    last, found = (0, 0), []
    for m in events_of(folder):
        last = next_id(last, m.time_ns)
        found.append((f"{last[0]}-{last[1]}", m))
    return found


def held(verdict, r, folder, what, first=0):
    wanted = expected(folder)[first:]
    entries = r.xrange(KEY)
    if not verdict.equal([i.decode() for i, _ in entries], [i for i, _ in wanted], f"{what}: ids"):
        return
    for (_, fields), (_, m) in zip(entries, wanted):
        f = {k.decode(): v for k, v in fields.items()}
        verdict.check(f["pb"] == m.SerializeToString(), f"{what}: pb of {m.id.hex()}")
        verdict.equal((f["id"].decode(), int(f["packets"]), int(f["update"]), int(f["time"])),
                      (m.id.hex(), m.packets, m.update, m.time_ns // 10**9), f"{what}: fields")
        verdict.equal("EVENT_" + f["type"].decode().upper(), m.DESCRIPTOR.fields_by_name["type"].enum_type.values_by_number[m.type].name, f"{what}: type")
        verdict.equal("address" in f, bool(m.address), f"{what}: address")
        verdict.equal(f.get("port"), str(m.port).encode() if m.has_port else None, f"{what}: port")


def contents(verdict, folder, server):
    out = make(os.path.join(folder, "feed"), lines(sample(), 12))
    r = server.client()
    rc, text, err = publish(out, server.url)
    verdict.equal((rc, err), (0, ""), "publish")
    verdict.check("records of events told" in text if isinstance(text, str) else b"records of events told" in text, f"said: {text}")
    held(verdict, r, out, "published")
    verdict.check(0 < r.ttl(KEY) <= 31 * 86400, f"expiry: {r.ttl(KEY)}")
    before = {key: r.dump(key) for key in r.keys("*")}
    verdict.equal(publish(out, server.url)[0], 0, "publish again")
    verdict.check(before == {key: r.dump(key) for key in r.keys("*")}, "published twice: something changed")
    r.delete(KEY)
    verdict.equal(publish(out, server.url)[0], 0, "publish to a deleted stream")
    held(verdict, r, out, "deleted, told again")
    last = expected(out)[-3][0]
    for i, _ in expected(out)[-2:]:  # the server died before the last two: an older copy
        r.xdel(KEY, i)
    r.execute_command("XSETID", KEY, last)
    verdict.equal(publish(out, server.url)[0], 0, "publish to an older copy")
    held(verdict, r, out, "an older copy goes on")
    for key in r.keys("yamiscope:*"):
        value = r.dump(key)
        verdict.check(b"203.0.113.7" not in value and bytes([203, 0, 113, 7]) not in value, f"an address in {key}")
    r.flushall()
    return out


def growing(verdict, folder, server):
    """A feed that grows, a publisher that is killed and starts again: each event once, in order."""
    told = sample()
    out = make(os.path.join(folder, "growing"), lines(told, 3))
    r = server.client()
    at = 3
    for turn in range(4):
        p = subprocess.Popen([PROGRAM, "publish", out, "--to", server.url, "--follow"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        make(out, lines(told, at + 3, first=at), append=True)
        at += 3
        wanted = expected(out)
        for _ in range(300):
            if wanted and r.exists(KEY) and r.xinfo_stream(KEY)["last-generated-id"].decode() == wanted[-1][0]:
                break
            if turn % 2 and r.exists(KEY):
                break  # killed in the middle
            time.sleep(0.05)
        p.send_signal(signal.SIGKILL if turn % 2 else signal.SIGTERM)
        p.wait()
    verdict.equal(publish(out, server.url)[0], 0, "publish the rest")
    held(verdict, r, out, "grown")
    r.flushall()


def kept(verdict, folder, server):
    """Trimmed by time; keep_events=0: none is told."""
    told = {m: [replace(Event(phase="end"), first=m - 1, told=m, address=f"203.0.113.{m % 250}")] for m in range(1, 120)}
    out = make(os.path.join(folder, "kept"), lines(told, 120, packets=3))
    r = server.client()
    verdict.equal(publish(out, server.url + "?keep_events=30m")[0], 0, "keep_events")
    entries = [i.decode() for i, _ in r.xrange(KEY)]
    wanted = [i for i, _ in expected(out)]
    verdict.equal(entries, wanted[-len(entries):], "the newest are kept")
    verdict.check(30 <= len(entries) <= 60, f"{len(entries)} of {len(wanted)} are kept: half an hour, 16 windows more")
    verdict.check(0 < r.ttl(KEY) <= 1800, f"expiry: {r.ttl(KEY)}")
    r.flushall()
    rc, _, err = publish(out, server.url + "?keep_events=0")
    verdict.equal((rc, err), (0, ""), "keep_events=0")
    verdict.check(not r.exists(KEY) and r.exists("yamiscope:{dark1}:windows"), "keep_events=0: windows alone")
    verdict.equal(publish(out, server.url)[0], 0, "and then all")
    held(verdict, r, out, "told later")
    r.flushall()


def rights(verdict, folder, server, out):
    """A user without the keys of sources is told all else, and it says so."""
    r = server.client()
    commands = ["+ping", "+select", "+xadd", "+xtrim", "+xinfo|stream", "+xrevrange", "+zadd", "+set", "+hset", "+hdel", "+expire", "+publish"]
    r.execute_command("ACL", "SETUSER", "some", "on", ">pass", "~yamiscope:{dark1}:*", "&yamiscope:{dark1}:*", *commands)
    r.execute_command("ACL", "SETUSER", "all", "on", ">pass", "~yamiscope:{dark1}:*", "~yamiscope-sources:{dark1}:*", "&yamiscope:{dark1}:*", *commands)
    url = server.url.replace("redis://", "redis://some:pass@")
    rc, text, err = publish(out, url, "--json")
    verdict.equal(rc, 0, f"without the keys of sources: {err}")
    verdict.check("events are not told" in str(text) + err, f"it is said: {text} {err}")
    verdict.check(not r.exists(KEY) and r.xlen("yamiscope:{dark1}:windows") == 12, "windows alone")
    try:
        r.execute_command("ACL", "DRYRUN", "some", "XRANGE", KEY, "-", "+")
    except redis.exceptions.ResponseError:
        pass
    rc, _, err = publish(out, server.url.replace("redis://", "redis://all:pass@"))
    verdict.equal((rc, err.count("events are not told")), (0, 0), f"with them: {err}")
    held(verdict, r, out, "with the keys of sources")
    r.flushall()


def main():
    verdict = Verdict()
    with tempfile.TemporaryDirectory() as folder, Server(os.path.join(folder, "redis")) as server:
        out = contents(verdict, folder, server)
        growing(verdict, folder, server)
        kept(verdict, folder, server)
        rights(verdict, folder, server, out)
    return verdict.finish()


if __name__ == "__main__":
    sys.exit(main())
