"""test_text.py: what a person reads. The text of `replay` fits its width in both languages, says no share without
its denominator, agrees with --json; `explain` shows nothing of a telescope; help texts are whole."""
import gzip
import json
import os
import re
import subprocess
import sys
import tempfile
import unicodedata

from judge import PROGRAM, ROOT, Verdict

COMMANDS = ["replay", "explain", "verify", "synth", "rules", "lists", "watch"]
DARK = "198.18.0.0/16,2001:db8::/32"  # where synth sends its packets


def run(*args, columns=None):
    env = {name: value for name, value in os.environ.items() if name != "COLUMNS"} | ({"COLUMNS": columns} if columns else {})
    done = subprocess.run([PROGRAM, *args], capture_output=True, text=True, stdin=subprocess.DEVNULL, env=env)
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
                if denominator.endswith("_ex_survey"):
                    continue
                for by in ("packets", "sources"):
                    want = f"{share[by]['num']:,} / {share[by]['den']:,}"
                    rows = [line for line in text.splitlines() if want in line]
                    verdict.check(rows and all(f"of {denominator}" in row for row in rows),
                                  f"--lang {lang}: {numerator} {want} without 'of {denominator}'")


def section(text, heading):
    """The lines below a heading, up to the next blank line."""
    rest = text.split("\n" + heading, 1)[-1].split("\n\n", 1)[0]
    return [line for line in rest.splitlines()[1:] if line]


def tables(verdict, capture):
    """Ports are ordered by scan packets, rules by theirs; --top is the rows of both, and what is left out is counted."""
    found = json.loads(run("replay", "--json", "--top", "3", capture)[1])
    scanned = sorted((row for row in found["ports"] if row["scan"]), key=lambda row: -row["scan"])
    unscanned = len(found["ports"]) - len(scanned)
    verdict.check(len(scanned) > 20 and unscanned > 1, "the sample has too few ports to judge by")
    for top in (1, 3, 20):
        text = run("replay", "--top", str(top), capture)[1]
        rows = section(text, "Ports")[1:]
        verdict.check(f" and {len(scanned) - top} further ports with {sum(row['scan'] for row in scanned[top:]):,} scan packets"
                      in rows[top][1:], f"--top {top}: {rows[top:]}")
        verdict.check(rows[top + 1].startswith(f"  {unscanned} ports got no scan packet, "), f"--top {top}: {rows[top + 1:]}")
        for line, row in zip(rows[:top], scanned):
            verdict.check(f" {row['scan']:,} " in line, f"--top {top}: {line}, expected {row['scan']} scan packets")
        rules = section(text, "Rules")[1:]
        verdict.check(rules[min(top, len(found["by_rule"]))].strip().startswith("and " if top < len(found["by_rule"]) else "a port"),
                      f"--top {top}: rules {rules}")
    for columns, limit in (("80", 80), ("140", 140), ("nonsense", 100), ("5000", 100)):
        widths = [width(line) for line in run("replay", capture, columns=columns)[1].splitlines()]
        verdict.equal(max(widths), limit, f"COLUMNS={columns}: widest line")
    text = run("replay", capture, columns="140")[1]
    verdict.check("…" not in text, "names are cut where there is room")


def basis(verdict, capture):
    """What the numbers depend on stands beside them, in JSON and in words."""
    options = ["--filter", "tcp or ip6", "--decap", "gre,ipip", "--window", "5m", "--lateness", "1500ms", "--sensor", "s-1",
               "--timezone", "Asia/Tokyo", "--telescope", DARK, "--telescope-id", "dark-1", "--top", "7"]
    hidden = json.loads(run("replay", "--json", *options, capture)[1])["settings"]
    verdict.equal((hidden["filter"], hidden.get("filter_hidden")), (None, True), "a filter beside a telescope")
    verdict.check("tcp or ip6" not in run("replay", *options, capture)[1], "a filter beside a telescope: its text")
    options.append("--expose-telescope")
    found = json.loads(run("replay", "--json", *options, capture, capture)[1])
    verdict.equal(found["settings"], {
        "filter": "tcp or ip6", "decap": ["gre", "ipip"], "window_s": 300, "lateness_s": 1.5, "timezone": "Asia/Tokyo",
        "sensor": "s-1", "telescope_id": "dark-1", "top": 7, "paths": [capture, capture]}, "settings")
    verdict.equal(found["telescope"], {"configured": True, "ipv4": 65536, "ipv6_prefixes": 1, "changes_by_date": False}, "telescope")
    plain = json.loads(run("replay", "--json", capture)[1])
    verdict.equal((plain["settings"]["filter"], plain["settings"]["decap"], plain["settings"]["telescope_id"]),
                  (None, [], None), "settings not given")
    text = run("replay", *options, capture, capture)[1]
    for words in ("  time        2026-01-01 09:00:0", " JST (UTC+09:00), ", "  filter      tcp or ip6\n",
                  "  unwrapped   gre, ipip\n", "timezone Asia/Tokyo, sensor s-1, telescope id dark-1\n",
                  "  telescope   65,536 IPv4 addresses, 1 IPv6 prefix\n", "  inputs      2 files, none damaged"):
        verdict.check(words in text, f"the text does not say {words!r}")
    verdict.equal(text.count(f"              {capture}\n"), 2, "inputs named in the text")
    verdict.check(" of 300 s in " in text and " further part" in text and "nothing is lost" in " ".join(text.split()),
                  "parts of windows are not told in words")


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
        for address, digits in ((r"198\.18\.[0-9.]+", 8), ("2001:db8:[0-9a-f:]+", 16)):
            names = {}
            for line, masked in zip(shown.splitlines(), hidden.splitlines()):
                found = re.search(rf'> \[?({address})[\]: ]|"dst":"({address})"', line)
                if found:
                    name = re.search(r'(?:> \[?|"dst":")dark\+([0-9a-f]+)', masked)
                    names.setdefault(found[1] or found[2], set()).add(name[1] if name else masked)
            same = [name for several in names.values() for name in several]
            verdict.check(len(names) > 10 and len({*same}) == len(same) == len(names) and {len(n) for n in same} == {digits},
                          f"explain {form}: pseudonyms of {address}: {len(names)} addresses, {len({*same})} names")
    for line in run("explain", "--json", capture)[1].splitlines()[:200]:
        for rule in json.loads(line)["rules"]:
            verdict.check((rule["breadth"] in ("strict", "shared")) == (rule["category"] == "iot"), f"breadth of {rule}")


def tags(verdict, folder):
    """Where tags keep a filter from matching anything, who wonders is told."""
    tagged = os.path.join(folder, "tagged.pcap")
    verdict.equal(run("synth", "-o", tagged, "--packets", "1000", "--sources", "10", "--vlan", "5")[0], 0, "synth --vlan")
    said = " ".join(run("replay", "--filter", "tcp", tagged)[1].split())
    verdict.check("`vlan and tcp`" in said, f"replay: no hint at tags: {said[:300]}")
    code, out, err = run("explain", "--filter", "tcp", tagged)
    verdict.check((code, out) == (0, "") and "`vlan and tcp`" in err, f"explain: no hint at tags: {err!r}")
    code, out, err = run("explain", "--filter", "vlan and tcp", tagged)
    verdict.check(code == 0 and out and not err, f"explain --filter 'vlan and tcp': {err!r}")
    for command in ("replay", "explain"):
        verdict.check("outermost" in run(command, "--help")[1], f"{command} --help: does not say what a filter sees")


def numbers(verdict, capture, folder):
    """explain numbers frames as tshark does, in each file anew, whatever a filter takes out."""
    other = os.path.join(folder, "o\nther.pcap")
    verdict.equal(run("synth", "-o", other, "--packets", "500", "--sources", "50", "--seed", "9")[0], 0, "synth")
    expected = []
    for path in (capture, other):
        done = subprocess.run(["tshark", "-r", path, "-Y", "tcp.dstport == 23 and not icmp", "-T", "fields", "-e", "frame.number"], capture_output=True, text=True)
        expected += [(path, int(n)) for n in done.stdout.split()]
    rows = [json.loads(line) for line in run("explain", "--json", "--filter", "tcp dst port 23", capture, other)[1].splitlines()]
    verdict.check(len(expected) > 100, f"tshark sees {len(expected)} packets to port 23")
    verdict.check([(row["file"], row["frame"]) for row in rows] == expected, "explain --json: not tshark's files and frames")
    lines = run("explain", "--filter", "tcp dst port 23", capture, other)[1].splitlines()
    shown = [f"{path}:{n}".replace("\n", "\\x0a") for path, n in expected]
    verdict.check([line.split(" 20", 1)[0] for line in lines] == shown, "explain: not tshark's files and frames")
    alone = run("explain", "--filter", "tcp dst port 23", capture)[1].splitlines()
    verdict.check([line.split()[0] for line in alone] == [str(n) for path, n in expected if path == capture],
                  "explain of one file: not tshark's frames")


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
                  ["replay", "--sensor", "a\nb", "x"], ["replay", "--telescope", DARK, "--telescope-id", "a b", "x"],
                  ["replay", "--telescope-id", "a", "x"], ["replay", "--timezone", "zone.tab", "x"],
                  ["replay", "--timezone", "Europe", "x"], ["replay", "-", "-"], ["explain", "-", "x", "-"],
                  ["replay", "--telescope", "", "x"], ["replay", "--telescope", "no.txt", "x"],
                  ["synth", "-o", "/dev/null", "--packets", "10", "--sources", "11"], ["synth", "-o", "/dev/null", "--span", "0"],
                  ["synth", "-o", "/dev/null", "--start", "2026-02-31"], ["synth", "-o", "/dev/null", "--start", "1969-12-31"],
                  ["synth", "-o", "/dev/null", "--telescope", "no.txt"], ["synth", "-o", "/dev/null", "--days", "3"],
                  ["synth", "-o", "/dev/null", "--profile", "days", "--packets", "1000"],
                  ["synth", "-o", "/dev/null", "--profile", "days", "--scale", "2"],
                  ["synth", "-o", "/dev/null", "--profile", "days", "--start", "2026-02-30"],
                  ["synth", "-o", "/dev/null", "--profile", "days", "--start", "2026-03-01T00:00:00Z"],
                  ["synth", "-o", "/dev/null", "--profile", "days", "--timezone", "Mars/Base"],
                  ["synth", "-o", "/dev/null", "--profile", "nicter-2016"], ["synth", "-o", "/dev/null", "--profile", "nicter-02024"],
                  ["synth", "-o", "/dev/null", "--profile", "nicter-2023", "--days", "366"],
                  ["synth", "-o", "/dev/null", "--profile", "nicter-2024", "--start", "2024-01-01"],
                  ["synth", "-o", "/dev/null", "--profile", "nicter-2017", "--telescope", "198.18.0.0/30"],
                  ["replay", "--telescope", "/", "x"], ["replay", "--telescope", "/dev/null", "x"]):
        code, out, err = run(*wrong)
        verdict.check(code == 2 and not out and err.strip(), f"{wrong}: exit {code}, stdout {out[:60]!r}, stderr {err[:60]!r}")
    for says, *wrong in (("--telescope-id: ", "--telescope-id", "a", "x"), ("--timezone: ", "--timezone", "zone.tab", "x"),
                         ("-: stdin", "-", "-")):
        err = run("replay", *wrong)[2]
        verdict.check(err.startswith("yamiscope: " + says), f"{wrong}: stderr {err[:60]!r}")


def settings(verdict, capture):
    """Zones of the system by their names, and a label beside the prefixes that it is for."""
    for zone in ("UTC", "Asia/Tokyo", "Europe/Berlin"):
        if zone == "UTC" or os.path.exists("/usr/share/zoneinfo/" + zone):
            verdict.equal(run("replay", "--json", "--timezone", zone, capture)[0], 0, f"--timezone {zone}")
    labelled = ["--telescope", DARK, "--telescope-id", "dark"]
    verdict.equal(run("replay", "--json", *labelled, capture)[0], 0, "--telescope with --telescope-id")


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


def subjects(verdict, capture, folder):
    """A message says where the refused value came from: the option, or the config file's line."""
    config = os.path.join(folder, "config.yaml")
    cases = {"telescope": ("no.txt", "no.txt: neither an IPv4 or IPv6 prefix nor a file"), "decap": ("x", "'x' is not one of gre, "),
             "filter": ("foo bar", '"foo bar": '), "rules": ("/nonexistent", "/nonexistent: No such file"), "lang": ("fr", "'fr' is "),
             "timezone": ("Mars/Base", "'Mars/Base' is no zone"), "sensor": ("a b", "'a b' is no name"), "color": ("x", "'x' is none of"),
             "telescope-id": ("a b", "'a b' is no name"), "window": ("2h", "'2h' is not a span from 1s to 1h, such as 60s")}
    for key, (value, says) in cases.items():
        code, _, err = run("replay", f"--{key}", value, capture)
        verdict.check(code == 2 and err.startswith(f"yamiscope: --{key}: {says}"), f"--{key} {value}: exit {code}, {err!r}")
        with open(config, "w") as f:
            f.write(f"top: 3\n{key}: {json.dumps(value)}\n")
        code, _, err = run("replay", "--config", config, capture)
        verdict.check(code == 2 and err.startswith(f"yamiscope: {config}:2:1: {key}: {says}"), f"{key}: {value}: exit {code}, {err!r}")
    synths = {"--span": ("0", "'0' is not a span from 1ns to 3660d, such as 1h"), "--telescope": ("no.txt", "'no.txt' is neither a"),
              "--start": ("2026-02-31", "'2026-02-31' is no time"), "--profile": ("x", "'x' is neither"),
              "--sources": ("1000001", "1000001 sources take as many packets, not 1000000")}
    for option, (value, says) in synths.items():
        err = run("synth", "-o", "/dev/null", option, value)[2]
        verdict.check(err.startswith(f"yamiscope: {option}: {says}"), f"synth {option} {value}: {err!r}")
    code, _, err = run("replay", os.path.join(folder, "missing.pcap"))
    verdict.equal((code, err.endswith("missing.pcap: No such file or directory\n")), (2, True), "a missing file alone")
    empty = os.path.join(folder, "empty")
    os.makedirs(os.path.join(empty, "within"))
    for command in ("replay", "explain"):
        code, out, err = run(command, empty)
        verdict.equal((code, out, err), (2, "", f"yamiscope: {empty}: holds no files: there is no capture in it\n"), f"{command} of an empty folder alone")
    code, _, err = run("replay", empty, capture)
    verdict.check(code == 3 and "there is no capture in it" in err, f"an empty folder among others: {code} {err}")
    loop = os.path.join(folder, "loop")
    os.symlink("loop", loop)
    code, out, _ = run("replay", loop)
    verdict.check(code == 3 and f"No packet could be read: {loop}: " in " ".join(out.split()), f"what can't be opened is not named: {code} {out}")
    code, _, err = run("replay", os.path.join(folder, "missing.pcap"), capture)
    verdict.equal((code, err), (3, f"yamiscope: {folder}/missing.pcap: No such file or directory\n"), "a missing file among others")


def overwritten(verdict, capture, folder):
    """No capture is written over; a capture given as a feed is called one, whatever compressed it."""
    with open(capture, "rb") as file:
        before = file.read()
    code, out, err = run("synth", "-o", capture, "--packets", "10", "--sources", "10")
    verdict.equal((code, out, err), (2, "", f"yamiscope: --out: {capture}: is there already: name another file, or remove it\n"), "synth over a capture")
    with open(capture, "rb") as file:
        verdict.check(file.read() == before, "synth wrote over a capture")
    path = os.path.join(folder, "new.pcap")
    with open(path, "wb"):
        pass
    verdict.equal(run("synth", "-o", path, "--packets", "10", "--sources", "10")[0], 0, "synth into an empty file")
    packed = os.path.join(folder, "new.pcap.gz")
    with gzip.open(packed, "wb") as file:
        file.write(before)
    for words in (["verify", capture], ["verify", packed], ["report", capture], ["events", packed], ["source", "1.2.3.4", capture], ["merge", capture, "-o", folder + "/none"]):
        code, _, err = run(*words)
        verdict.check(code == 2 and "is a capture, no feed: `replay` reads captures" in err, f"{words}: exit {code}, {err}")


def synth_telescope(verdict, folder):
    """Where synthetic packets go is said in the answers, as --telescope takes it."""
    for profile, more, expected in (("nicter-2018", ["--days", "1"], "198.18.0.0/29"), ("days", ["--days", "1"], "198.18.0.0/22,2001:db8::/48"),
                                    ("darknet", ["--packets", "10", "--sources", "10"], "198.18.0.0/16,2001:db8::/32")):
        path = os.path.join(folder, f"to-{profile}.pcap")
        verdict.equal(run("synth", "-o", path, "--profile", profile, *more)[0], 0, f"synth {profile}")
        with open(path + ".answers.json", encoding="utf-8") as file:
            answers = json.load(file)
        verdict.equal(answers.get("telescope") or answers["synth"]["telescope"], expected, f"{profile}: its telescope")
        kinds = json.loads(run("replay", "--json", "--telescope", expected, path)[1])["kinds"]
        verdict.check(kinds.get("outside", 0) == 0, f"{profile}: packets to elsewhere: {kinds}")
        verdict.check(expected.split(",")[0] in " ".join(run("synth", "--help")[1].split()) or profile == "nicter-2018", f"synth --help does not say {expected}")


def days(verdict, folder):
    path = os.path.join(folder, "leap.pcap")
    verdict.equal(run("synth", "-o", path, "--packets", "10", "--sources", "10", "--start", "2024-02-29")[0], 0, "--start of a day")
    first = float(json.loads(run("replay", "--json", path)[1])["first_ts"])
    verdict.check(0 <= first - 1709164800 < 3600, f"--start 2024-02-29: the first packet is at {first}")


def feeds(verdict, capture, folder):
    """verify judges every feed that is named; a folder that holds one is refused with what to do."""
    good, bad, none = (os.path.join(folder, name) for name in ("good", "bad", "none"))
    for feed in (good, bad):
        verdict.equal(run("replay", "-o", feed, capture)[0], 0, "replay -o")
    code, _, err = run("replay", "-o", good, capture)
    verdict.check(code == 1 and err.endswith("): name another folder, or remove this one\n"), f"-o a second time: exit {code}, {err!r}")
    segment = os.path.join(bad, sorted(os.listdir(bad))[0])
    with open(segment, "r+b") as f:
        f.seek(200)
        f.write(b"\xff\xff")
    os.mkdir(none)
    size = sum(os.path.getsize(os.path.join(good, name)) for name in os.listdir(good))
    code, out, err = run("verify", "--json", bad, none, good)
    rows = [json.loads(line) for line in out.splitlines()]
    verdict.equal((code, [(row["feed"], row["ok"]) for row in rows]), (1, [(bad, False), (none, False), (good, True)]), "verify --json")
    verdict.check(rows[2]["reason"] is None and segment in rows[0]["reason"] and none in rows[1]["reason"],
                  f"reasons: {[row['reason'] for row in rows]}")
    verdict.equal(err.count("\n"), 2, "verify: messages")
    code, out, _ = run("verify", bad, good)
    verdict.check(code == 1 and out.startswith(f"{good}: holds\n  3 segments, {size:,} bytes, "), f"verify of two feeds: exit {code}, {out!r}")
    totals, counts = json.loads(run("replay", "--json", capture)[1]), rows[2]
    verdict.equal((counts["feed_bytes"], counts["bytes"]), (size, totals["bytes"]), "bytes of the feed and of its packets")
    verdict.equal((run("verify", none)[0], run("verify", folder + "/missing")[0]), (2, 2), "verify of what is not there")
    verdict.equal((counts["windows"], counts["parts"]), (totals["windows"], totals["window_parts"]), "windows and parts")
    verdict.check(f"{counts['records']:,} records: {counts['windows']} windows, {counts['parts']} further parts" in out
                  and f"offered {totals['packets']:,} = " in out, f"verify: {out}")


def rule_checks(verdict, folder):
    code, out, _ = run("rules", "check", "--json")
    found = json.loads(out)
    verdict.check(code == 0 and found["ok"] and found["dir"] is None and found["rules"] > 100, f"rules check --json: {out}")
    broken = os.path.join(folder, "broken")
    os.mkdir(broken)
    with open(os.path.join(broken, "set.yaml"), "w") as f:
        f.write("name: [x\n")
    code, out, err = run("rules", "check", "--json", broken)
    found = json.loads(out)
    verdict.check(code == 1 and found["ok"] is False and found["reason"].startswith(f"{broken}/set.yaml:2:1: ")
                  and found["reason"] in err, f"rules check --json of a broken set: exit {code}, {out} {err}")


def closed_pipe(verdict, capture):
    """Who reads only the beginning hears nothing more: the end by SIGPIPE, as of other tools."""
    for words in (["explain", capture], ["explain", "--json", capture], ["synth", "-o", "-", "--packets", "100k"]):
        with subprocess.Popen([PROGRAM, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
            child.stdout.read(10)
            child.stdout.close()
            err = child.stderr.read()
            verdict.equal((child.wait(), err), (-13, b""), f"{words[0]} into a closed pipe")


def readme(verdict, capture, folder):
    """README's examples are what they say: a config file, a rule file, a reader of feeds."""
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as f:
        blocks = [text for _, text in re.findall(r"^```(\w+)\n(.*?)^```$", f.read(), re.M | re.S)]
    config, rules, scanners, reader = (next((text for text in blocks if word in text), word)
                                       for word in ("decap:", "category:", "organisations:", "yamiscope_pb2"))
    path = os.path.join(folder, "readme.yaml")
    with open(path, "w", encoding="utf-8") as f:
        f.write(config)
    found = json.loads(run("replay", "--config", path, capture)[1])
    verdict.equal((found["settings"]["sensor"], found["settings"]["decap"], found["telescope"]["ipv4"]),
                  ("tokyo-1", ["gre", "ipip"], 256), "README's config file")
    own = os.path.join(folder, "own")
    os.mkdir(own)
    for name, text in (("set.yaml", "name: own\nversion: 1\n"), ("iot.yaml", rules)):
        with open(os.path.join(own, name), "w", encoding="utf-8") as f:
            f.write(text)
    verdict.equal(run("rules", "check", own)[0], 0, "README's rule file")
    path = os.path.join(folder, "scanners.yaml")
    with open(path, "w", encoding="utf-8") as f:
        f.write(scanners)
    shown = json.loads(run("lists", "show", "--json", path, "192.0.2.9")[1])
    verdict.equal((shown["lists"][0]["organisations"][0]["ipv4_addresses"], shown["addresses"][0]["class"]),
                  ("256", "bogon"), "README's list")
    with open(os.path.join(folder, "reader.py"), "w", encoding="utf-8") as f:
        f.write(reader)
    verdict.equal(run("replay", "-o", os.path.join(folder, "reader", "feed"), capture)[0], 0, "replay -o")
    subprocess.run(["protoc", f"--python_out={folder}", f"--proto_path={ROOT}/export", "yamiscope.proto"], check=True)
    done = subprocess.run([sys.executable, os.path.join(folder, "reader.py")], cwd=os.path.join(folder, "reader"),
                          capture_output=True, text=True, check=False)
    packets = sum(int(line.split()[1]) for line in done.stdout.splitlines())
    verdict.equal((packets, done.stderr), (found["packets"], ""), "README's reader of feeds")


def main():
    verdict = Verdict()
    with tempfile.TemporaryDirectory() as folder:
        capture = os.path.join(folder, "sample.pcap")
        verdict.equal(run("synth", "-o", capture, "--packets", "5000", "--sources", "700")[0], 0, "synth")
        mixed = os.path.join(folder, "mixed.pcap")
        verdict.equal(run("synth", "-o", mixed, "--packets", "5000", "--sources", "700", "--disorder", "10m")[0], 0, "synth")
        summary(verdict, capture)
        tables(verdict, capture)
        basis(verdict, mixed)
        subjects(verdict, capture, folder)
        overwritten(verdict, capture, folder)
        synth_telescope(verdict, folder)
        days(verdict, folder)
        feeds(verdict, mixed, folder)
        rule_checks(verdict, folder)
        closed_pipe(verdict, capture)
        readme(verdict, capture, folder)
        telescope_stays_dark(verdict, capture)
        messages(verdict, capture, folder)
        tags(verdict, folder)
        numbers(verdict, capture, folder)
        settings(verdict, capture)
    helps(verdict)
    return verdict.finish()


sys.exit(main())
