"""summary.py BUILD...: adds up the test logs of the builds (meson-logs/*.json), names what failed and why what was
skipped was skipped, and ends with "N passed, N failed[, N skipped]". Exit 1 where anything failed.

A test that reports its cases (cmocka, our judges) counts as its cases, any other as one."""
import glob
import json
import os
import re
import sys


def cases(entry):
    """(passed, failed) of one test program; a program that failed counts at least one failure."""
    text = (entry.get("stdout") or "") + "\n" + (entry.get("stderr") or "")
    judged = re.findall(r"^(\d+) passed, (\d+) failed$", text, re.M)
    cmocka = [int(n) for n in re.findall(r"^\[  PASSED  \] (\d+) test", text, re.M)]
    if judged:
        passed, failed = (int(n) for n in judged[-1])
    elif cmocka:
        passed, failed = sum(cmocka), sum(
            int(n) for n in re.findall(r"^\[  FAILED  \] +(\d+) test", text, re.M)[:1])
    else:
        passed, failed = (1, 0) if entry["result"] == "OK" else (0, 1)
    return passed, failed if entry["result"] == "OK" else max(failed, 1)


def last_lines(entry, count):
    text = (entry.get("stdout") or "") + (entry.get("stderr") or "")
    return text.strip().splitlines()[-count:]


def faults(entry):
    """What tells why it failed: the end of its output, and both ends of its errors (cmocka says the fault first, a
    sanitizer's report of what was left behind it can be hundreds of lines)."""
    out = (entry.get("stdout") or "").strip().splitlines()[-30:]
    err = (entry.get("stderr") or "").strip().splitlines()
    return out + (err if len(err) <= 50 else err[:30] + ["..."] + err[-20:])


def main(builds):
    passed = failed = skipped = 0
    for build in builds:
        entries = []
        for path in sorted(glob.glob(os.path.join(build, "meson-logs", "*.json"))):
            with open(path, encoding="utf-8") as log:
                entries += [json.loads(line) for line in log]
        for entry in entries:
            name = f"{build}: {entry['name']}"
            if entry["result"] == "SKIP":
                skipped += 1
                print(f"skipped: {name}: {' '.join(last_lines(entry, 1))}")
                continue
            for line in re.findall(r"^not run: .*$", entry.get("stdout") or "", re.M):
                print(f"{name}: {line}")
            good, bad = cases(entry)
            passed += good
            failed += bad
            if bad:
                print(f"failed: {name} ({entry['result']})")
                print("\n".join("    " + line for line in faults(entry)))
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed or not passed else 0


sys.exit(main(sys.argv[1:]))
