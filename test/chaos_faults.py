"""What chaos does: one function per fault, which gets the stage with a running `live`, and leaves it running or not. Each adds to
stage.did what chance made of it."""
import ctypes
import errno
import os
import shutil
import signal
import subprocess
import sys
import time

import chaos_checks
import feed as feeds
from judge import run

SEIZE, INTERRUPT, DETACH, WALL = 0x4206, 0x4207, 17, 0x40000000
PAGE = 4096
GONE = 3  # what the tracer ends with where the thread has


def chance(stage, say):
    stage.did.append(say)


def send_while(stage, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        stage.send(1, 0.2)


def maybe_kill(stage):
    """Now and then it is killed in the middle of it."""
    if stage.rng.random() < 0.3:
        stage.did.append("kill -9 meanwhile")
        stage.kill()


# ---- the process

def kill(stage):
    stage.kill()


def kill_starting(stage):
    """Again and again, while it opens what the one before left."""
    stage.kill()
    for _ in range(4):
        stage.start_only()
        time.sleep(stage.rng.random() * 0.6)
        stage.live.child.kill()
        stage.is_exact = False
        stage.ended(-9, "kill -9 while it starts")


def terminate(stage):
    stage.end()


def interrupt_twice(stage):
    """The second one ends it at once."""
    stage.note_known()
    stage.is_exact = False
    stage.live.child.send_signal(signal.SIGINT)
    time.sleep(stage.rng.random() * 0.05)
    stage.live.child.send_signal(signal.SIGINT)
    status, _ = stage.live.stop(0)
    if status == 0:  # it was over before the second one came
        stage.did.append("the first one was enough")
    stage.verdict.check(status != 0 or chaos_checks.held(stage.feed).get("closed"), "SIGINT twice: ended well, and not closed")
    stage.log.write(f"--- SIGINT twice: exit {status}\n{stage.live.said()}")
    stage.packets += stage.sent
    stage.live = None
    stage.down_from()


def stop_process(stage):
    stage.live.child.send_signal(signal.SIGSTOP)
    seconds = stage.rng.choice((1, 2, 4, 6))
    chance(stage, f"{seconds} s")
    try:
        send_while(stage, seconds)
    finally:
        stage.live.child.send_signal(signal.SIGCONT)
    maybe_kill(stage)


def stop_thread(stage):
    """One thread alone, by a tracer, which nothing in the program can tell from a processor that is away."""
    folder = f"/proc/{stage.live.child.pid}/task"
    threads = {}
    for tid in os.listdir(folder):
        with open(f"{folder}/{tid}/comm", encoding="ascii") as f:
            threads.setdefault(f.read().strip(), int(tid))
    name = stage.rng.choice(sorted(threads))
    seconds = stage.rng.choice((1, 2, 4, 6))
    chance(stage, f"{name}, {seconds} s")
    tracer = subprocess.Popen([sys.executable, __file__, str(threads[name]), str(seconds)])
    send_while(stage, seconds)
    status = tracer.wait(60)
    if status == GONE and not os.path.exists(f"{folder}/{threads[name]}"):  # a connection's, say, which lives as long as that
        chance(stage, "it had ended")
        stop_thread(stage)
        return
    stage.verdict.equal(status, 0, "the tracer")


def hold(tid, seconds):
    """Stops a thread for so long."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    libc.ptrace.restype = ctypes.c_long
    for what in (SEIZE, INTERRUPT):
        if libc.ptrace(what, tid, None, None) < 0:
            err = ctypes.get_errno()
            print(f"thread {tid}: {os.strerror(err)}")
            return GONE if err == errno.ESRCH else 1
    os.waitpid(tid, WALL)
    time.sleep(seconds)
    libc.ptrace(DETACH, tid, None, None)
    return 0


# ---- the disk

def fill(stage):
    """A file that takes all there is."""
    filler = os.open(os.path.join(stage.disk, "filler"), os.O_WRONLY | os.O_CREAT)
    try:
        while True:
            os.write(filler, b"\0" * PAGE)
    except OSError:
        os.close(filler)


def empty(stage):
    os.remove(os.path.join(stage.disk, "filler"))


def full_disk(stage):
    fill(stage)
    send_while(stage, stage.rng.choice((2, 4, 8)))
    empty(stage)
    maybe_kill(stage)


def almost_full_disk(stage):
    """Some pages come free, again and again: writes succeed in part."""
    fill(stage)
    path = os.path.join(stage.disk, "filler")
    for _ in range(6):
        size = os.path.getsize(path)
        os.truncate(path, max(0, size - PAGE * stage.rng.randrange(1, 12)))
        send_while(stage, 1)
    if stage.rng.random() < 0.3:
        chance(stage, "kill -9 while it is full")
        stage.kill()
    empty(stage)


def killed_on_full_disk(stage):
    fill(stage)
    send_while(stage, 3)
    stage.kill()
    stage.start_only()
    time.sleep(1.5)
    if stage.live.child.poll() is None:
        stage.live.child.kill()
    status, _ = stage.live.stop(0)
    stage.log.write(f"--- started on a full disk: exit {status}\n{stage.live.said()}")
    stage.live = None
    empty(stage)


def stopped_on_full_disk(stage):
    """It can't write what it holds, and says so by its exit status. What was sent since is in no window."""
    stage.settle("before the disk is full")
    fill(stage)
    send_while(stage, 2)
    stage.note_known()
    stage.live.child.terminate()
    status, _ = stage.live.stop(0)
    stage.verdict.check(status in (0, 1), f"SIGTERM on a full disk: exit {status}: {stage.live.said()[-800:]}")
    stage.log.write(f"--- SIGTERM on a full disk: exit {status}\n{stage.live.said()}")
    stage.is_exact = False
    stage.packets += stage.sent
    stage.live = None
    stage.down_from()
    empty(stage)


# ---- Redis

def redis_killed(stage):
    stage.redis.kill()
    send_while(stage, 2)
    maybe_kill(stage)
    stage.redis.start()


def redis_emptied(stage):
    stage.redis.client().flushall()
    send_while(stage, 1)


def redis_stalled(stage):
    stage.redis.pause()
    send_while(stage, stage.rng.choice((1, 3, 6)))
    maybe_kill(stage)
    stage.redis.resume()


def redis_full(stage):
    stage.redis.client().config_set("maxmemory", 1)
    send_while(stage, 3)
    maybe_kill(stage)
    stage.redis.client().config_set("maxmemory", 0)


def redis_slow(stage):
    for _ in range(4):
        stage.redis.client().execute_command("CLIENT", "PAUSE", 1200, "ALL")
        send_while(stage, 0.5)


def redis_killed_often(stage):
    for _ in range(4):
        stage.redis.kill()
        send_while(stage, 0.3)
        stage.redis.start()
        send_while(stage, 0.3)


# ---- the clock

def clock_forward(stage):
    seconds = stage.rng.choice((0.05, 0.5, 3, 20, 70, 600))
    chance(stage, f"{seconds} s")
    stage.clock.step(seconds)
    send_while(stage, 2)
    maybe_kill(stage)


def clock_far(stage):
    """As where a machine began without knowing the time."""
    days = stage.rng.choice((1, 3, 20, 400, 7000))
    chance(stage, f"{days} days")
    stage.settle("before the clock is set")
    stage.clock.step(days * 86400)
    send_while(stage, 3)


def clock_back(stage):
    """It slows down until it is right again; or, started anew, lives through that time once more."""
    seconds = stage.rng.choice((0.05, 0.5, 3, 30, 3600))
    chance(stage, f"{seconds} s")
    stage.clock.step(-seconds)
    send_while(stage, 2)
    if seconds > 30 or stage.rng.random() < 0.5:
        chance(stage, "started anew")
        stage.end()


def clock_midnight(stage):
    """Started anew just before midnight; then midnight comes."""
    stage.end()
    now = stage.clock.now()
    stage.clock.step(86400 - now % 86400 - stage.rng.uniform(3, 6))
    if not stage.start():
        return
    send_while(stage, 6)
    maybe_kill(stage)


def clock_midnight_again(stage):
    """Back over midnight: the day before gets further windows, and a further revision."""
    clock_midnight(stage)
    if stage.is_running():
        stage.settle("past midnight")
    stage.end()
    back = stage.clock.now() % 86400 + stage.rng.uniform(2, 5)
    stage.clock.step(-back)
    if not stage.start():
        return
    send_while(stage, back + 2)


# ---- files

def last_segment(stage):
    return feeds.segments(stage.feed)[-1]


def tail_garbage(stage):
    """What a power cut leaves behind the last record that was synced."""
    stage.kill()
    path, rng = last_segment(stage), stage.rng
    what = rng.choice(("zeros", "noise", "a torn record", "one byte"))
    chance(stage, what)
    tail = {"zeros": bytes(rng.randrange(1, 5000)), "noise": rng.randbytes(rng.randrange(1, 5000)), "one byte": b"\x80"}
    raw = b""
    for _, _, body in chaos_checks.whole_records(stage.feed)[-1:]:
        raw = feeds.varint_bytes(len(body)) + body
    with open(path, "ab") as f:
        f.write(tail.get(what) or raw[:rng.randrange(1, len(raw))])


def tail_cut(stage):
    """The last record's end is gone, though it was synced: a disk that lied. What was before it stays."""
    stage.settle("before the cut")
    stage.kill()
    path = last_segment(stage)
    before = chaos_checks.whole_records(stage.feed)
    kind, window, body = before[-1]
    size = os.path.getsize(path)
    cut = stage.rng.randrange(1, len(body))
    chance(stage, f"{cut} bytes of a {kind}")
    of_kind = sum(found == kind for found, _, _ in before)
    os.truncate(path, size - cut)
    after = chaos_checks.whole_records(stage.feed)
    stage.known = after
    if kind == "window":
        stage.spoiled.add(stage.date_of(window.start_ns))
    elif kind == "day":
        stage.spoiled.add(window.facts.date)
    stream = chaos_checks.KEY.replace("window", kind)
    is_ahead = kind in ("window", "day") and stage.redis.client().xlen(stream) == of_kind
    journal_away_if_refused(stage)
    if is_ahead and kind == "day" and of_kind == 1:  # a feed that has no Day may as well be a new one beside that Redis
        stage.redis.client().flushall()
    elif is_ahead:
        if stage.is_running() or stage.start():
            words = "none of this feed's" if kind == "window" else "is ahead of the last"
            stage.verdict.check(stage.live.until(lambda: words in stage.live.said(), 30), f"{', '.join(stage.did)}: a Redis that has more than "
                                f"the feed is not named: {stage.live.said()[-800:]}")
        stage.redis.client().flushall()


def journal_cut(stage):
    """A file of the journal is damaged: it is named, and the feed stays whole; once it is taken away all goes on."""
    stage.kill()
    folder = os.path.join(stage.feed, "journal")
    names = sorted(n for n in os.listdir(folder) if n.endswith(".part")) if os.path.isdir(folder) else []
    if not names:
        chance(stage, "none there")
        return
    name = stage.rng.choice(names)
    path, size = os.path.join(folder, name), os.path.getsize(os.path.join(folder, name))
    how = stage.rng.choice(("cut", "bytes", "empty"))
    chance(stage, f"{how} {name}")
    if how == "bytes":
        with open(path, "r+b") as f:
            f.seek(stage.rng.randrange(size))
            f.write(stage.rng.randbytes(8))
    else:
        os.truncate(path, 0 if how == "empty" else stage.rng.randrange(size))
    stage.spoiled.update(stage.date_of(w.start_ns) for w in stage.windows_quick())
    journal_away_if_refused(stage, name)


def journal_away_if_refused(stage, name=""):
    """Where it will not start since journal and feed do not belong together, an operator takes the journal away."""
    if stage.start(may_fail=True):
        return
    said = stage.live.said()
    status, _ = stage.live.stop(0)
    stage.log.write(f"--- refused: exit {status}\n{said}")
    stage.live = None
    stage.verdict.check(status == 1 and "journal" in said and name in said, f"{', '.join(stage.did)}: exit {status}, the journal is not named: {said[-800:]}")
    chance(stage, "the journal was taken away")
    shutil.move(os.path.join(stage.feed, "journal"), os.path.join(stage.folder, f"journal-{len(os.listdir(stage.folder))}"))


def index_gone(stage):
    """An index is made anew, whatever became of it."""
    if not any("-sources-" in path for path in feeds.segments(stage.feed)):
        chance(stage, "none there")
        return
    words = ("source", "198.51.100.0/24", stage.feed, "--json")
    status, answer, said = run(*words)
    stage.verdict.check(status == 0 and b'"packets"' in answer, f"source: exit {status}: {said}")
    dates = len([1 for kind, _, _ in chaos_checks.whole_records(stage.feed) if kind == "day"])
    for name in os.listdir(stage.feed):
        path = os.path.join(stage.feed, name)
        if name.endswith(".index"):
            how = stage.rng.choice(("deleted", "cut", "noise", "kept"))
            chance(stage, f"{how} {name}")
            if how == "deleted":
                os.remove(path)
            elif how == "cut":
                os.truncate(path, stage.rng.randrange(os.path.getsize(path)))
            elif how == "noise":
                with open(path, "r+b") as f:
                    f.seek(stage.rng.randrange(os.path.getsize(path)))
                    f.write(stage.rng.randbytes(8))
    for about, more in (("an index", ()), ("no index", ("--no-index",))):
        again = run(*words, *more)
        now = len([1 for kind, _, _ in chaos_checks.whole_records(stage.feed) if kind == "day"])
        if now == dates:
            stage.verdict.equal((again[0], again[1] == answer), (0, True), f"{', '.join(stage.did)}: the answer with {about}: {again[2][-400:]}")


FILES = (tail_garbage, tail_cut, journal_cut, index_gone)
CLOCK = (clock_forward, clock_far, clock_back, clock_midnight, clock_midnight_again)
FAULTS = (kill, kill_starting, terminate, interrupt_twice, stop_process, stop_thread, full_disk, almost_full_disk, killed_on_full_disk,
          stopped_on_full_disk, redis_killed, redis_emptied, redis_stalled, redis_full, redis_slow, redis_killed_often, *CLOCK, *FILES)

if __name__ == "__main__":
    sys.exit(hold(int(sys.argv[1]), int(sys.argv[2])))
