"""test_text.py: what a person reads. The text of `replay` fits its width in both languages, says no share without
its denominator, agrees with --json; `explain` shows nothing of a telescope; help texts are whole."""
import json
import os
import subprocess
import sys
import tempfile
import unicodedata

from judge import PROGRAM, Verdict

COMMANDS = ["replay", "explain", "verify", "synth", "rules"]
DARK = "198.18.0.0/16,2001:db8::/32"  # where synth sends its packets


def run(*args):
    done = subprocess.run([PROGRAM, *args], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout, done.stderr


def width(line):
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 0 if unicodedata.combining(c) else 1 for c in line)


def summary(verdict, capture):
    found = json.loads(run("replay", "--json", capture)[1])
    for lang in ("en", "ja"):
        code, text, _ = run("replay", "--lang", lang, "--color", "never", capture)
        verdict.equal(code, 0, f"replay --lang {lang}")
        for line in text.splitlines():
            verdict.check(width(line) <= 100, f"--lang {lang}: wider than 100 columns: {line}")
        for kind, packets in found["kinds"].items():
            if packets:
                rows = [line for line in text.splitlines() if line.split()[:1] == [kind]]
                verdict.check(any(f"{packets:,}" in row for row in rows), f"--lang {lang}: {kind} {packets} is not there")
        for numerator, over in found["shares"].items():
            verdict.check(numerator in text, f"--lang {lang}: {numerator} is not there")
            for denominator, share in over.items():
                for by in ("packets", "sources"):
                    want = f"{share[by]['num']:,} / {share[by]['den']:,}"
                    rows = [line for line in text.splitlines() if want in line]
                    verdict.check(rows and all(f"of {denominator}" in row for row in rows),
                                  f"--lang {lang}: {numerator} {want} without 'of {denominator}'")


def telescope_stays_dark(verdict, capture):
    for form in ([], ["--json"]):
        hidden = run("explain", "--telescope", DARK, *form, capture)[1]
        shown = run("explain", "--telescope", DARK, "--expose-telescope", *form, capture)[1]
        for word in ("198.18.", "2001:db8"):
            verdict.check(word not in hidden, f"explain {form}: shows {word} of the telescope")
            verdict.check(word in shown, f"explain {form} --expose-telescope: hides {word}")
        for word in (" seq ", "tcp_seq", " id ", "ip_id"):
            verdict.check(word not in hidden, f"explain {form}: shows '{word.strip()}'")
        verdict.equal(hidden.count("\n"), shown.count("\n"), f"lines of explain {form}")
        verdict.check("dark+" in hidden, f"explain {form}: no pseudonym")
    for line in run("explain", "--json", capture)[1].splitlines()[:200]:
        json.loads(line)


def helps(verdict):
    for command in COMMANDS:
        code, text, _ = run(command, "--help")
        verdict.equal(code, 0, f"{command} --help")
        verdict.check("usage: yamiscope " + command in text, f"{command} --help: no usage line")
        for line in text.splitlines():
            verdict.check(len(line) <= 100, f"{command} --help: wider than 100 columns: {line}")
    verdict.equal(run("--help")[0], 0, "--help")
    verdict.check(all(c in run("--help")[1] for c in COMMANDS), "--help names every command")
    for wrong in ([], ["nonsense"], ["replay"], ["replay", "--nonsense"], ["synth"], ["verify"], ["rules"],
                  ["replay", "--lang", "fr", "x"], ["replay", "--timezone", "Mars/Base", "x"], ["replay", "--timezone", "", "x"],
                  ["replay", "--decap", "x", "x"], ["replay", "--sensor", "", "x"], ["replay", "--sensor", "a{b}", "x"],
                  ["replay", "--sensor", "a\nb", "x"], ["replay", "--telescope-id", "a b", "x"],
                  ["replay", "--telescope", "/", "x"], ["replay", "--telescope", "/dev/null", "x"]):
        code, out, err = run(*wrong)
        verdict.check(code == 2 and not out and err.strip(), f"{wrong}: exit {code}, stdout {out[:60]!r}, stderr {err[:60]!r}")


def messages(verdict, capture, folder):
    """Control characters of a file's name reach no terminal; a feed is verified with the rules that made it."""
    evil = os.path.join(folder, "a\nb\x1b[31m.pcap")
    with open(capture, "rb") as whole, open(evil, "wb") as cut:
        cut.write(whole.read(1000))
    code, _, err = run("replay", evil)
    verdict.equal(code, 3, "replay of a cut file")
    verdict.check("\x1b" not in err and err.count("\n") == 1, f"control characters on stderr: {err!r}")
    verdict.check("a\\x0ab\\x1b[31m.pcap: byte " in err, f"the damaged file is not named: {err!r}")
    feed, rules = os.path.join(folder, "feed"), os.path.join(folder, "rules")
    os.mkdir(rules)
    with open(os.path.join(rules, "set.yaml"), "w") as f:
        f.write("name: other\nversion: '1'\n")
    verdict.equal(run("replay", "-o", feed, capture)[0], 0, "replay -o")
    verdict.equal(json.loads(run("verify", "--json", feed)[1])["rules_checked"], True, "rules_checked")
    verdict.equal(json.loads(run("verify", "--json", "--rules", rules, feed)[1])["rules_checked"], False,
                  "rules_checked with other rules")


def main():
    verdict = Verdict()
    with tempfile.TemporaryDirectory() as folder:
        capture = os.path.join(folder, "sample.pcap")
        verdict.equal(run("synth", "-o", capture, "--packets", "5000", "--sources", "700")[0], 0, "synth")
        summary(verdict, capture)
        telescope_stays_dark(verdict, capture)
        messages(verdict, capture, folder)
    helps(verdict)
    return verdict.finish()


sys.exit(main())
