"""What all judges share: where things are, how the program is run, how a verdict is said."""
import json
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DATA = os.environ.get("YAMISCOPE_DATA") or os.path.join(os.path.dirname(ROOT), "shared", "data")
PROGRAM = os.environ.get("YAMISCOPE") or os.path.join(ROOT, "build", "yamiscope")
SKIP = 77  # exit status that meson takes for "could not run"


class Verdict:
    """Counts cases; says a line per failed one, and the sum at the end."""

    def __init__(self):
        self.passed = self.failed = 0

    def check(self, ok, text):
        if ok:
            self.passed += 1
        else:
            self.failed += 1
            print(text, flush=True)
        return bool(ok)

    def equal(self, found, expected, text):
        return self.check(found == expected, f"{text}: {found}, expected {expected}")

    def finish(self):
        print(f"{self.passed} passed, {self.failed} failed")
        return 1 if self.failed or not self.passed else 0


def data_is_here():
    """Whether the captures are there; says so where they are not (summary.py repeats such lines)."""
    if not os.path.isdir(DATA):
        print(f"not run: the captures, since there is no folder {DATA} (YAMISCOPE_DATA names another)")
    return os.path.isdir(DATA)


def captures():
    """Paths below the data folder of all captures that have an expected answer."""
    found = []
    for folder, _, names in os.walk(DATA):
        found += [os.path.join(folder, n[:-len(".expected.json")]) for n in names if n.endswith(".expected.json")]
    return sorted(found)


def expected_of(path):
    with open(path + ".expected.json", encoding="utf-8") as f:
        return json.load(f)


def listed():
    """{(file, field): reason} of data_differences.txt; a line is FILE | FIELD, FIELD... | REASON."""
    found = {}
    with open(os.path.join(ROOT, "test", "data_differences.txt"), encoding="utf-8") as f:
        for line in f:
            if line.strip() and not line.startswith("#"):
                name, fields, reason = (word.strip() for word in line.split("|"))
                found.update({(name, field.strip()): reason for field in fields.split(",")})
    return found


def run(*words, stdin=None):
    """Runs the program; (exit status, stdout bytes, stderr text). `stdin`: a path."""
    source = open(stdin, "rb") if stdin else subprocess.DEVNULL
    try:
        done = subprocess.run([PROGRAM, *map(str, words)], stdin=source, capture_output=True, timeout=300, check=False)
    except subprocess.TimeoutExpired:
        return 124, b"", "took longer than 300 s"
    finally:
        if stdin:
            source.close()
    return done.returncode, done.stdout, done.stderr.decode(errors="replace")


def replay(*words, stdin=None):
    """`replay --json`: (exit status, the object or {}, stderr text)."""
    rc, out, err = run("replay", "--json", *words, stdin=stdin)
    try:
        return rc, json.loads(out), err
    except ValueError:
        return rc, {}, err or f"stdout is no JSON: {out[:80]}"


def known(number):
    """A drop that the backend can't see is "unknown": it stands in no sum."""
    return number if isinstance(number, int) else 0


def ledger_faults(answer):
    """What does not hold of law 1 in a replay's answer."""
    ledger, kinds = answer.get("ledger"), answer.get("kinds")
    if not ledger or kinds is None:
        return ["no ledger or no kinds in the answer"]
    dropped = sum(known(n) for n in ledger["dropped"].values())
    faults = []
    if ledger["offered"] != ledger["observed"] + dropped:
        faults.append(f"offered {ledger['offered']} != observed {ledger['observed']} + dropped {dropped}")
    if ledger["observed"] != sum(kinds.values()):
        faults.append(f"observed {ledger['observed']} != sum of kinds {sum(kinds.values())}")
    if answer["packets"] != ledger["observed"]:
        faults.append(f"packets {answer['packets']} != observed {ledger['observed']}")
    return faults


def parallel(work, items):
    """[work(item)...] in order, two at a time: the work is in child processes."""
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(work, items))
