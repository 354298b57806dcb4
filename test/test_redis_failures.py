"""test_redis_failures.py: what becomes of a `publish` whose redis-server is stopped, killed, restarted empty, full, slow or refusing,
that is killed itself, or whose cluster moves the slot under it. In the end every stream holds every window exactly once.

The feed is written slowly beside it (redis_servers.Drip), records in two halves among them.
"""
import os
import signal
import sys
import tempfile
import threading
import time

import redis

import redis_servers
from judge import Verdict, replay
from redis_servers import Drip, Publisher, Server, check, cluster, ends_at, publish, wait_until
from test_redis import late_capture

SENSOR = "s1"
KEY = "yamiscope:{s1}:windows"


class Bench:
    def __init__(self, folder):
        self.folder, self.verdict, self.count, self.is_settled = folder, Verdict(), 0, True
        self.feed = os.path.join(folder, "feed")
        rc, _, err = replay("-o", self.feed, "--sensor", SENSOR, "--timezone", "Asia/Tokyo", late_capture(os.path.join(folder, "late.pcap")))
        self.verdict.equal(rc, 0, f"replay: {err}")

    def path(self):
        self.count += 1
        return os.path.join(self.folder, f"at{self.count}")

    def drip(self):
        return Drip(self.feed, self.path())

    def settled(self, client, about, **more):
        """Waits for the end of the feed, then holds everything to it."""
        self.is_settled = wait_until(ends_at(client, SENSOR, self.feed))
        if self.verdict.check(self.is_settled, f"{about}: the end does not arrive"):
            check(self.verdict, client(), SENSOR, self.feed, about, is_deep=False, **more)

    def ended(self, publisher, about, words=()):
        rc, err = publisher.stop()
        self.verdict.check(self.is_settled and rc == 0 and all(word in err for word in words), f"{about}: exit {rc}: {err}")


def length(client):
    return client().xlen(KEY)


def follows(bench):
    """All of it, while the feed grows; the publisher killed with -9 again and again."""
    with Server(bench.path()) as server:
        drip = bench.drip()
        drip.some(5)
        publishers = 0
        while drip.steps:
            with Publisher(drip.target, server.url) as publisher:
                publishers += 1
                for _ in range(4):
                    drip.some(9)
                    time.sleep(0.03)
                publisher.stop(signal.SIGKILL)
        with Publisher(drip.target, server.url) as publisher:
            bench.settled(server.client, f"killed {publishers} times")
            bench.ended(publisher, "killed")


def killed_mid_write(bench):
    """Redis is killed with -9 while it is written to; what it had synced comes back, the rest is told again."""
    with Server(bench.path(), "--appendonly", "yes", "--appendfsync", "everysec") as server:
        drip = bench.drip()
        drip.some(20)
        with Publisher(drip.target, server.url) as publisher:
            bench.verdict.check(wait_until(lambda: length(server.client) > 0), "nothing arrives")
            for _ in range(6):
                drip.some(30)
                time.sleep(0.05)
                server.kill()
                drip.some(10)
                server.start()
            drip.rest()
            bench.settled(server.client, "redis killed mid-write")
            bench.ended(publisher, "redis killed mid-write", ["delivering again"])


def restarted_empty(bench):
    with Server(bench.path()) as server:
        drip = bench.drip()
        drip.some(60)
        with Publisher(drip.target, server.url) as publisher:
            bench.verdict.check(wait_until(lambda: length(server.client) > 20), "nothing arrives")
            server.kill()
            time.sleep(0.5)
            server.start()
            drip.rest()
            bench.settled(server.client, "restarted empty")
            server.client().flushall()  # no connection breaks
            bench.ended(publisher, "restarted empty")
        verdict_of_rest(bench, server)


def verdict_of_rest(bench, server):
    """A stream that was deleted while the publisher runs is told again with the next window."""
    drip = bench.drip()
    drip.some(60)
    with Publisher(drip.target, server.url) as publisher:
        bench.verdict.check(wait_until(lambda: length(server.client) > 20), "nothing arrives")
        server.client().flushall()
        drip.rest()
        bench.settled(server.client, "emptied under it")
        bench.ended(publisher, "emptied under it")


def older_copy(bench):
    """Redis comes back from an older copy."""
    with Server(bench.path()) as server:
        drip = bench.drip()
        drip.some(60)
        with Publisher(drip.target, server.url) as publisher:
            bench.verdict.check(wait_until(lambda: length(server.client) > 20), "nothing arrives")
            server.client().save()
            drip.some(60)
            bench.verdict.check(wait_until(lambda: length(server.client) > 60), "nothing more arrives")
            publisher.pause()
            server.kill()
            server.start()
            bench.verdict.check(0 < length(server.client) < 70, "the older copy is not older")
            publisher.resume()
            drip.rest()
            bench.settled(server.client, "an older copy")
            bench.ended(publisher, "an older copy")


def full(bench):
    with Server(bench.path()) as server:
        r = server.client()
        drip = bench.drip()
        drip.some(40)
        with Publisher(drip.target, server.url) as publisher:
            bench.verdict.check(wait_until(lambda: length(server.client) > 20), "nothing arrives")
            r.config_set("maxmemory", r.info("memory")["used_memory"] + 60_000)
            drip.rest()
            bench.verdict.check(publisher.says("OOM"), "no word on the full memory")
            bench.verdict.check(not ends_at(server.client, SENSOR, bench.feed)(), "the memory was not full")
            r.config_set("maxmemory", 0)
            bench.settled(server.client, "a full memory")
            bench.ended(publisher, "a full memory", ["OOM"])


def slow_or_refusing(bench):
    with Server(bench.path()) as server:
        r = server.client()
        drip = bench.drip()
        drip.some(40)
        with Publisher(drip.target, server.url + "?timeout=1s") as publisher:
            bench.verdict.check(wait_until(lambda: length(server.client) > 20), "nothing arrives")
            server.pause()
            drip.some(20)
            bench.verdict.check(publisher.says("no answer in time"), "no word on a server that does not answer")
            time.sleep(2)
            server.resume()
            drip.some(20)
            for _ in range(3):
                r.execute_command("CLIENT", "PAUSE", 700, "ALL")
                drip.some(5)
                time.sleep(0.75)
            r.execute_command("REPLICAOF", "127.0.0.1", "1")
            before = length(server.client)
            drip.some(20)
            bench.verdict.check(publisher.says("READONLY"), "no word on a server that may only be read")
            r.execute_command("REPLICAOF", "NO", "ONE")
            r.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
            drip.some(20)
            bench.verdict.check(wait_until(lambda: length(server.client) > before + 20), "it does not recover from read-only")
            r.config_set("requirepass", "x")
            r = redis.Redis("127.0.0.1", server.port, password="x")
            r.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
            drip.some(5)
            bench.verdict.check(publisher.says("NOAUTH"), "no word on a password that is wanted")
            r.config_set("requirepass", "")
            drip.rest()
            bench.settled(server.client, "slow, read-only, refusing")
            bench.ended(publisher, "slow, read-only, refusing", ["no answer in time", "READONLY", "NOAUTH"])


def deleted(bench):
    """Segments that were deleted before they were told: what is kept arrives, and that something is missing is said."""
    with Server(bench.path()) as server:
        drip = bench.drip()
        drip.some(30)
        bench.verdict.equal(publish(drip.target, server.url)[0], 0, "publish")
        first = [body for kind, _, body in redis_servers.records(drip.target) if kind == "window"]
        drip.rest()
        paths = redis_servers.feed.segments(drip.target)
        for path in paths[:len(paths) // 2]:
            os.unlink(path)
        kept = [body for kind, _, body in redis_servers.records(drip.target) if kind == "window"]
        rc, _, err = publish(drip.target, server.url)
        bench.verdict.check(rc == 0 and "was between" in err and err.count("\n") == 1, f"deleted segments: exit {rc}: {err}")
        found = [fields[b"pb"] for _, fields in server.client().xrange(KEY)]
        bench.verdict.check(found == first + kept, f"deleted segments: {len(found)} entries of {len(first)} + {len(kept)}")


def day_down(bench):
    """A sink that was not there from the start catches up, and `publish` without --follow waits for it."""
    port = redis_servers.free_port()
    drip = bench.drip()
    with Publisher(drip.target_with(3), f"redis://127.0.0.1:{port}") as publisher:
        drip.rest()
        bench.verdict.check(publisher.says("refused"), "no word on a server that is not there")
        with Server(bench.path(), port=port) as server:
            bench.settled(server.client, "came late")
            bench.ended(publisher, "came late", ["refused"])


def loading(bench):
    """LOADING: a server that reads its data back."""
    with Server(bench.path()) as server:
        r = server.client()
        pipe = r.pipeline()
        for i in range(20000):
            pipe.set(f"x{i}", "y" * 100)
        pipe.execute()
        r.execute_command("CONFIG", "SET", "save", "")
        r.save()
        server.kill()
        server.options += ("--key-load-delay", "10000", "--loading-process-events-interval-bytes", "1024")  # more than 3 minutes
        starting = threading.Thread(target=server.start)
        starting.start()
        with Publisher(bench.feed, server.url, follow=False) as publisher:
            bench.verdict.check(publisher.says("LOADING"), "no word on a server that reads its data")
            bench.verdict.check(wait_until(lambda: server.client().config_set("key-load-delay", 0)), "it takes no settings while it reads")
            starting.join()
            rc, err = publisher.end()
        bench.verdict.check(rc == 0, f"loading: exit {rc}: {err}")
        r = server.client()
        check(bench.verdict, r, SENSOR, bench.feed, "loading", is_deep=False)


def asked(nodes):
    """Commands that came with ASKING."""
    return sum(node.client().info("commandstats").get("cmdstat_asking", {}).get("calls", 0) for node in nodes)


def slot_moves(bench):
    """Three nodes; the slot moves from one to another and on, key by key, while the feed grows."""
    nodes = cluster(bench.path())
    try:
        ids = [node.client().execute_command("CLUSTER", "MYID").decode() for node in nodes]
        slot = nodes[0].client().execute_command("CLUSTER", "KEYSLOT", KEY)
        owner = min(slot // 5461, 2)
        clustered = redis.RedisCluster("127.0.0.1", nodes[0].port)
        drip = bench.drip()
        drip.some(30)
        with Publisher(drip.target, ",".join([nodes[(owner + 1) % 3].url, nodes[owner].url[len("redis://"):]])) as publisher:
            bench.verdict.check(wait_until(lambda: clustered.xlen(KEY) > 10), "nothing arrives in the cluster")
            for step in (1, 2):
                source, target = (owner + step - 1) % 3, (owner + step) % 3
                a, b = nodes[source].client(), nodes[target].client()
                b.execute_command("CLUSTER", "SETSLOT", slot, "IMPORTING", ids[source])
                a.execute_command("CLUSTER", "SETSLOT", slot, "MIGRATING", ids[target])
                drip.some(20)
                time.sleep(0.3)
                while keys := a.execute_command("CLUSTER", "GETKEYSINSLOT", slot, 1):
                    a.execute_command("MIGRATE", "127.0.0.1", nodes[target].port, keys[0], 0, 60000)
                    drip.some(1)
                    time.sleep(0.01)
                before = asked(nodes)
                drip.some(10)
                bench.verdict.check(wait_until(lambda: asked(nodes) > before), "nothing had to be asked aside")
                for node in (b, a, nodes[3 - source - target].client()):
                    node.execute_command("CLUSTER", "SETSLOT", slot, "NODE", ids[target])
                drip.some(10)
            drip.rest()
            client = lambda: redis.RedisCluster("127.0.0.1", nodes[0].port)
            holder = nodes[(owner + 2) % 3].client()
            bench.settled(client, "the slot moved twice", keys=holder.keys)
            bench.ended(publisher, "the slot moved twice")
        for node in nodes:
            slots = {node.client().execute_command("CLUSTER", "KEYSLOT", key) for key in node.client().keys("*")}
            bench.verdict.check(slots <= {slot}, f"keys in slots {slots}, not all in {slot}")
    finally:
        for node in nodes:
            node.kill()


def main():
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(folder)
        for case in (follows, killed_mid_write, restarted_empty, older_copy, full, slow_or_refusing, deleted, day_down, loading, slot_moves):
            before = bench.verdict.failed
            case(bench)
            if bench.verdict.failed > before:
                print(f"{case.__name__}: {bench.verdict.failed - before} failed", flush=True)
        return bench.verdict.finish()


if __name__ == "__main__":
    sys.exit(main())
