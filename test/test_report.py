"""test_report.py: `report` of days and windows, against sums and sets made by python3-protobuf from the feed; its rows read by
Python's csv; its page looked at in a browser (screenshots: REPORT_SHOTS, else a folder that goes)."""
import csv
import datetime
import io
import json
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
from collections import defaultdict

import yaml

import days
import feed
import reference
from devtools import Browser, Page, browser_path
from judge import PROGRAM, Verdict, run

MAKER = os.environ.get("MAKE_DAYS", "")
FIRST = 20454 + 20  # 2026-01-21
MONTHS = {"2026-01": range(0, 11), "2026-02": range(11, 31)}


def make(folder, *words, first=FIRST, count=31, seed=1):
    subprocess.run([MAKER, folder, str(first), str(count), str(seed), *words], check=True)
    return folder


def payload_rules():
    """{id: (category, breadth, is_exploit)} of every rule file."""
    found = {}
    for name in os.listdir(reference.RULES):
        with open(os.path.join(reference.RULES, name), encoding="utf-8") as f:
            text = yaml.safe_load(f)
        for rule in text.get("rules", []):
            known = rule.get("exploit", False)
            breadth = rule.get("breadth", "strict")
            found[rule["id"]] = (text["category"], breadth, breadth == "strict" and known)
    return found


def rules_of():
    rules = reference.Rules(reference.RULES)
    return days.Rules(rules.iot, rules.service, payload_rules())


def report(*words):
    rc, out, err = run("report", *words)
    return rc, out.decode(), err


def report_json(verdict, *words, rc=0):
    got, out, err = report("--json", *words)
    verdict.equal(got, rc, f"report --json {words[0]}: exit ({err.strip()})")
    return json.loads(out)


# ---- what the spans must be

class Span:
    """Sets in place of counters, over the dates of a span."""

    def __init__(self, dates, rules):
        self.packets, self.sources = defaultdict(lambda: [0, 0]), defaultdict(lambda: [set(), set()])
        self.classes = defaultdict(lambda: [0, 0])
        for begin, sources, _ in dates:
            counts, by_class = days.counted(begin, sources, rules)
            for key, count in counts.items():
                for i, (n, who) in enumerate(((count.packets, count.sources), (count.packets_ex, count.sources_ex))):
                    self.packets[key][i] += n
                    self.sources[key][i] |= who
            for name, (packets, scan, _) in by_class.items():
                self.classes[name][0] += packets
                self.classes[name][1] += scan

    def row(self, key):
        return (*self.packets[key], *(len(s) for s in self.sources[key]))


def row_of(count):
    return (count["packets"], count["packets_ex_survey"], count["sources"], count["sources_ex_survey"])


def rows_of(span):
    rows = {("kind", k): row_of(c) for k, c in span["kinds"].items()}
    rows.update({("mark", k): row_of(c) for k, c in span["marks"].items()})
    rows.update({("note", k): row_of(c) for k, c in span["notes"].items()})
    rows.update({("tool", k): row_of(c["matched"]) for k, c in span["tools"].items()})
    rows.update({("category", c["category"]): row_of(c) for c in span["categories"]})
    rows.update({("rule", c["rule"], c["evidence"]): row_of(c) for c in span["rules_by_evidence"]})
    rows.update({("port", c["proto"], c["port"]): row_of(c) for c in span["ports"]})
    for table, name, list_ in (("country", "country", span["countries"]), ("as", "asn", span["ases"])):
        for place in list_:
            rows.update({(table, place[name], mark): row_of(place[mark])
                         for mark in ("total", "scan", "iot_strict", "iot_broad", "iot_bot")})
    return {key: row for key, row in rows.items() if row[0]}


def text_of(name):
    """A name that JSON can't hold as it is: bytes that are no UTF-8 became U+FFFD."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace") if isinstance(name, str) else name


def span_is(verdict, span, expected, name):
    found = rows_of(span)
    wanted = {tuple(text_of(k) for k in key): expected.row(key) for key in list(expected.packets) if expected.packets[key][0]}
    for key in sorted(set(found) | set(wanted), key=str):
        verdict.equal(found.get(key), wanted.get(key), f"{name}: {key}")
    pie = [sum(c[n] for c in span["categories"]) for n in ("packets", "packets_ex_survey")]
    scan = span["marks"]["scan"]
    verdict.equal(pie, [scan["packets"], scan["packets_ex_survey"]], f"{name}: the slices sum to scan")
    for mark, by_den in span["shares"].items():
        for den, share in by_den.items():
            ex = den.endswith("_ex_survey")
            num, over = expected.row(("mark", mark)), expected.row(("mark", den.removesuffix("_ex_survey")))
            verdict.equal((share["packets"], share["sources"]), ({"num": num[ex], "den": over[ex]},
                          {"num": num[2 + ex], "den": over[2 + ex]}), f"{name}: {mark} of {den}")
    for name_, key in (("survey", "survey"), ("survey_conflict", "conflict"), ("acknowledged", "acknowledged"), ("bogon", "bogon")):
        c = span["classes"][name_]
        verdict.equal([c["packets"], c["scan_packets"]], expected.classes[key], f"{name}: {key}")


def coverage_is(verdict, span, dates, name):
    c = span["coverage"]
    seconds = [days.observed(t) for begin, _, _ in dates for t in begin.facts.telescopes]
    verdict.equal(c["seconds"], 86400 * len(dates), f"{name}: seconds of the days")
    verdict.equal(c["packets_per_address"]["address_seconds"], str(4096 * sum(seconds)), f"{name}: address-seconds")
    verdict.equal(c["packets_per_address"]["packets"], sum(s.packets for _, sources, _ in dates for s in sources if len(s.address) == 4),
                  f"{name}: IPv4 packets")
    verdict.check("late" not in span["ledger"], f"{name}: days know no order of arrival")
    verdict.equal((c["offered"], c["lost"]), tuple(sum(getattr(b.facts.ledger, n) for b, _, _ in dates) for n in ("offered", "ring_full")),
                  f"{name}: loss")


def spans(verdict, folder):
    rules, all_dates = rules_of(), days.dates(folder)
    whole = report_json(verdict, folder)
    verdict.equal((whole["state"], len(whole["spans"]), whole["spans"][0]["calendar_days"]), ("final", 1, 31), "the whole")
    span_is(verdict, whole["spans"][0], Span(all_dates, rules), "whole")
    coverage_is(verdict, whole["spans"][0], all_dates, "whole")
    verdict.equal([f["date"] for f in whole["spans"][0]["incomplete"]], ["2026-01-23", "2026-01-25"], "incomplete days are listed")
    verdict.equal((whole["spans"][0]["days"], whole["spans"][0]["complete"]), (30, False), "a missing day is said")
    months = report_json(verdict, folder, "--per", "month")
    verdict.equal([s["label"] for s in months["spans"]], list(MONTHS), "labels of months")
    for span in months["spans"]:
        dates = [d for d in all_dates if d[0].facts.date - FIRST in MONTHS[span["label"]]]
        span_is(verdict, span, Span(dates, rules), span["label"])
        coverage_is(verdict, span, dates, span["label"])
    by_day = report_json(verdict, folder, "--per", "day")
    verdict.equal(len(by_day["spans"]), 30, "days")
    for span, (begin, sources, day) in list(zip(by_day["spans"], all_dates))[:3]:
        span_is(verdict, span, Span([(begin, sources, day)], rules), span["label"])
    for unit, labels in (("year", ["2026"]), ("fiscal-year", ["FY2025"])):
        verdict.equal([s["label"] for s in report_json(verdict, folder, "--per", unit)["spans"]], labels, unit)
    return whole


def rows_agree(verdict, folder, whole):
    rc, out, _ = report("--csv", folder)
    verdict.equal(rc, 0, "csv: exit")
    rows = list(csv.DictReader(io.StringIO(out, newline="")))
    verdict.check(out.endswith("\r\n") and "\n" not in out.replace("\r\n", "").replace("\r\n", ""), "csv: lines end as RFC 4180 says")
    verdict.check(all(row["over"] and None not in row and None not in row.values() for row in rows), "csv: every row has its denominator")
    found = {(r["quantity"], r["name"], r["by"], r["over"]): (int(r["num"]), int(r["den"])) for r in rows}
    verdict.equal(len(found), len(rows), "csv: rows are distinct")
    span = whole["spans"][0]
    for mark, by_den in span["shares"].items():
        for den, share in by_den.items():
            for by in ("packets", "sources"):
                verdict.equal(found.get(("share", mark, by, den)), (share[by]["num"], share[by]["den"]), f"csv: {mark} {by} of {den}")
    for port in span["ports"]:
        verdict.equal(found.get(("port", f"{port['proto']}/{port['port']}", "packets", "scan"), (0,))[0], port["packets"], "csv: a port")
    for kind, count in span["kinds"].items():
        verdict.equal(found[("kind", kind, "packets", "total")], (count["packets"], span["marks"]["total"]["packets"]), f"csv: {kind}")
    for quantity, name in (("organisation", "organisations"), ("bogon_block", "bogon_blocks")):
        verdict.equal({key[1]: counts[0] for key, counts in found.items() if key[0] == quantity and key[2:] == ("packets", "total")},
                      {member["name"]: member["packets"] for member in span[name]}, f"csv: {name}")
    for name in ("observed", "filtered", "ring_full"):
        verdict.equal(found[("ledger", name, "packets", "offered")], (span["ledger"][name], span["ledger"]["offered"]), f"csv: ledger, {name}")
    why = span["ex_survey_absent"]
    verdict.equal({key[1] for key in found if key[0] == "absent"}, {why} - {None}, "csv: why rows are absent")


# ---- the page

def page_is(verdict, folder, whole, shots):
    path = os.path.join(shots, "report.html")
    rc, out, err = report(folder, "--html", path)
    verdict.equal((rc, out, err), (0, "", ""), "html: exit")
    verdict.equal([n for n in os.listdir(shots) if n.startswith("report.html.")], [], "html: no other name is left")
    if not browser_path():
        print("not run: the page in a browser, since there is no chromium")
        return
    browser = Browser()
    try:
        looks = {"light": {}, "dark": {"dark": True}, "phone": {"width": 390, "height": 844, "phone": True},
                 "print": {"width": 900, "media": "print"}, "noscript": {"script": False}}
        for name, how in looks.items():
            page = Page(browser, path, **how)
            page.settle()
            page.photograph(os.path.join(shots, f"report-{name}.png"))
            verdict.equal(page.requests(), [], f"html {name}: requests")
            verdict.equal(page.complaints(), [], f"html {name}: console")
            if name == "light":
                page_holds(verdict, page, whole)
                page.eval("document.getElementById('say-ja').click()")
                page.settle()
                page.photograph(os.path.join(shots, "report-ja.png"))
                verdict.equal(page.eval("[...document.querySelectorAll('h2')].filter(h => /[a-z]{4}/.test(h.innerText)).length"), 0, "html ja: headings")
                verdict.equal(page.complaints(), [], "html ja: console")
            if name == "noscript":
                text = page.eval("document.querySelector('noscript pre').innerText")
                verdict.check("scan_ex_survey" in text and f"{whole['spans'][0]['marks']['total']['packets']:,}" in text, "html noscript: the text is there")
            if name == "phone":
                verdict.equal(page.eval("document.documentElement.scrollWidth"), 390, "html phone: nothing is wider")
            page.close()
    finally:
        browser.close()


def page_holds(verdict, page, whole):
    span = whole["spans"][0]
    shown = page.eval("Object.fromEntries([...document.querySelectorAll('tr[data-share]')].map(r => [r.dataset.share, r.innerText]))")
    for mark, by_den in span["shares"].items():
        for den, share in by_den.items():
            text = shown.get(f"{mark}/{den}", "")
            verdict.check(den in text and f"{share['packets']['num']:,} / {share['packets']['den']:,}" in text
                          and f"{share['sources']['num']:,} / {share['sources']['den']:,}" in text, f"html: {mark} of {den}: {text}")
    for name in ("shares", "categories", "series", "ports", "evidence", "kinds", "tools", "survey", "places", "coverage", "basis", "definitions"):
        verdict.check(page.eval(f"!!document.getElementById('{name}') && document.getElementById('{name}').innerText.length > 40"), f"html: section {name}")
    verdict.equal(page.eval("document.documentElement.dataset.charts"), "7", "html: charts")
    blank = "(c => { const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data; return d.every(b => b === 0); })"
    verdict.equal(page.eval(f"[...document.querySelectorAll('canvas')].filter({blank}).map(c => c.id)"), [], "html: a chart is blank")
    verdict.equal(page.eval("[document.images.length, document.scripts.length, document.querySelectorAll('[onerror],[onclick],[style]').length]"),
                  [0, 4, page.eval("document.querySelectorAll('canvas[style], div[style]').length")], "html: names of strangers are text")
    verdict.check(page.eval("document.body.innerText").count("</script><img src=x") >= 2, "html: they are shown")
    pie = page.eval("JSON.parse(document.getElementById('data').textContent).span.categories.reduce((s, c) => s + c.packets_ex_survey, 0)")
    drawn = page.eval("Chart.getChart('chart-pie').data.datasets[0].data.reduce((s, n) => s + n, 0)")
    verdict.equal((pie, drawn), (span["marks"]["scan"]["packets_ex_survey"],) * 2, "html: the pie sums to its denominator")
    # A percentage stands with its denominator: in its cell, in its row or in its column's head.
    bare = """[...document.querySelectorAll('td.p')].filter(td => {
        const row = td.parentElement.textContent, at = [...td.parentElement.cells].slice(0, td.cellIndex).reduce((n, c) => n + c.colSpan, 0),
        head = td.closest('table').tHead.rows[0].cells[at];
        return !/scan|total/.test(row) && !(head && /scan|total|row|offered|lost/.test(head.textContent)); }).map(td => td.parentElement.textContent)"""
    verdict.equal(page.eval(bare), [], "html: a share without its denominator's name")
    says = "getComputedStyle(document.querySelector('.card .tip .says')).display"
    verdict.equal(page.eval(says), "none", "html: a definition is away at first")
    for _ in range(6):  # to the page, languages, then the first card's terms
        page.key("Tab", 9)
        if page.eval("!!document.activeElement.closest('.tip')"):
            break
    verdict.check(page.eval("!!document.activeElement.closest('.card .tip')"), "html: the keyboard reaches a term")
    page.eval("document.querySelector('.card .tip').focus()")
    verdict.equal(page.eval(says), "block", "html: and shows its definition")


def page_whole_or_none(verdict, folder):
    with tempfile.TemporaryDirectory() as scratch:
        path = os.path.join(scratch, "page.html")

        def small():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (100000, 100000))

        done = subprocess.run([PROGRAM, "report", folder, "--html", path], preexec_fn=small, capture_output=True, check=False)
        verdict.check(done.returncode == 1 and b"page.html" in done.stderr, f"html, full disk: {done.returncode} {done.stderr}")
        verdict.equal(os.listdir(scratch), [], "html, full disk: nothing is left")
        verdict.equal(report(folder, "--html", scratch + "/none/page.html")[0], 1, "html, no folder: exit")


# ---- what is not as it should be

def oddities(verdict, folder, scratch):
    rules, bare = rules_of(), make(scratch + "/bare", "no-sources")
    whole = report_json(verdict, bare)
    span, expected = whole["spans"][0], Span(days.dates(folder), rules)
    total = span["marks"]["total"]
    verdict.check(total["sources"] is None and total["sources_low"] <= expected.row(("mark", "total"))[2] <= total["sources_high"],
                  f"without source days: bounds {total}")
    verdict.check(any("bounds" in note for note in whole["notes"]), "without source days: said")
    verdict.equal(span["shares"]["iot_strict"]["scan"]["packets"]["num"], expected.row(("mark", "iot_strict"))[0], "without source days: packets")
    rc, out, _ = report("--csv", bare)
    verdict.check(rc == 0 and ",sources_low," in out and ",share,iot_strict,sources,total," not in out, "csv: bounds are called bounds")

    verdict.equal(report(scratch + "/none")[0], 2, "no feed: exit")
    verdict.equal(report()[0], 2, "no argument: exit")
    verdict.equal(report(folder, "--per", "week")[0], 2, "no such span: exit")
    verdict.equal(report(folder, "--json", "--csv")[0], 2, "json and csv: exit")
    rc, _, err = report(folder, bare)
    verdict.check(rc == 2 and "merge" in err and "2026-01-21" in err, f"a date twice: {rc} {err}")
    other = make(scratch + "/other", first=FIRST + 31, count=2, seed=9)
    both = report_json(verdict, folder, other)
    dates = days.dates(folder) + days.dates(other)
    span_is(verdict, both["spans"][0], Span(dates, rules), "two feeds beside each other")

    damaged = make(scratch + "/damaged", count=3)
    with open(os.path.join(damaged, sorted(os.listdir(damaged))[2]), "r+b") as f:
        f.seek(5000)
        byte = f.read(1)
        f.seek(5000)
        f.write(bytes([byte[0] ^ 1]))
    rc, out, err = report("--json", damaged)
    answer = json.loads(out)
    verdict.check(rc == 3 and answer["damaged"] and "damaged" in err or "byte" in err, f"damage: {rc} {err}")
    verdict.check(answer["spans"][0]["days"] >= 2, "damage: what could be read is there")


def restated(verdict, folder, scratch):
    """Other rules: port 23 is IoT no more, 445 is; payload evidence stays."""
    own = scratch + "/rules"
    os.mkdir(own)
    with open(own + "/set.yaml", "w", encoding="utf-8") as f:
        f.write("name: other\nversion: '9'\n")
    with open(own + "/iot.yaml", "w", encoding="utf-8") as f:
        f.write("category: iot\nrules:\n  - id: iot-other\n    breadth: strict\n    device: {en: Odd, ja: 別}\n    ports: [tcp/445]\n"
                "    basis: {strength: documented, source: test}\n")
    answer = report_json(verdict, folder, "--rules", own)
    span = answer["spans"][0]
    rules = days.Rules({("tcp", 445): ("iot-other", "iot", "strict")}, {}, rules_of().by_id)
    span_is(verdict, span, Span(days.dates(folder), rules), "restated")
    verdict.equal((span["restated_days"], span["mixed"]), (30, True), "restated: days")
    verdict.equal([b["name"] for b in span["basis"]["computed"]], ["other"], "restated: ports' rule set")
    verdict.check([b["name"] for b in span["basis"]["labelled"]] != ["other"], "restated: payloads keep theirs")
    verdict.check(any("restated" in note and "keep" in note for note in answer["notes"]), "restated: said")
    bare = report_json(verdict, scratch + "/bare", "--rules", own)
    verdict.check(any("could not be restated" in note for note in bare["notes"]), "not restated: said")
    verdict.equal(bare["spans"][0]["restated_days"], 0, "not restated: days")


def answers(verdict, scratch):
    """The first days of a year made after NICTER's figures: the answers beside it hold every share of all days together, and
    the report prints the published figures back."""
    path, telescope = scratch + "/year.pcap", ["--telescope", "198.51.100.0/30"]
    for words in (["synth", "-o", path, "--profile", "nicter-2018", "--days", "10", *telescope],
                  ["replay", path, "-o", scratch + "/year", "--window", "1h", *telescope]):
        rc, _, err = run(*words)
        verdict.equal(rc, 0, f"{words[0]} of a year: {err}")
    with open(path + ".answers.json", encoding="utf-8") as f:
        total = json.load(f)["total"]
    span = report_json(verdict, scratch + "/year")["spans"][0]
    for mark, by_den in total["shares"].items():
        for den, share in by_den.items():
            for by in ("packets", "sources"):
                verdict.equal(span["shares"][mark][den][by], share[by], f"year: {mark} of {den} by {by}")
    verdict.equal(span["survey_share"]["total"], total["survey_share"], "year: survey share")
    per = span["coverage"]["packets_per_address"]
    num, den = total["packets_per_address"]["num"], total["packets_per_address"]["den"]
    verdict.equal((per["packets"], per["address_days"]), (num, den * per["days"]), "year: packets per address")
    verdict.equal((span["coverage"]["milli"], span["incomplete"]), (100000, []), "year: coverage")
    verdict.check(f"{int(num / den + 0.5):,} = {num:,} IPv4 packets / {den} addresses" in report(scratch + "/year")[1], "year: per address is printed")
    rows = [row for row in csv.DictReader(io.StringIO(report("--csv", scratch + "/year")[1])) if row["quantity"] == "packets_per_address"]
    verdict.equal([(row["name"], row["num"], row["den"]) for row in rows if row["over"] == "addresses"][:1], [("ipv4", str(num), str(den))],
                  "year: per address in CSV")
    text = report(scratch + "/year")[1]
    for figure in ("35.0 %", "36.0 %", "50.0 %"):  # survey scanners of total; IoT in the narrow and the wide sense
        verdict.check(figure in text, f"year: {figure} is printed")


def windows(verdict, scratch):
    subprocess.run([PROGRAM, "synth", "-o", scratch + "/w.pcap", "--packets", "60k", "--sources", "3k", "--span", "150m", "--disorder", "10m", "--no-answers"], check=True,
                   capture_output=True)
    subprocess.run([PROGRAM, "replay", scratch + "/w.pcap", "-o", scratch + "/w"], check=True, capture_output=True)
    answer = report_json(verdict, scratch + "/w", "--per", "hour")
    verdict.equal((answer["state"], [s["label"][11:16] for s in answer["spans"]]), ("provisional", ["00:00", "01:00", "02:00"]), "hours")
    sums, late = defaultdict(int), defaultdict(int)
    for window in feed.windows(scratch + "/w"):
        late[window.start_ns // 3600 // 10**9] += window.ledger.late
        for mark in window.marks:
            sums[window.start_ns // 3600 // 10**9, mark.mark] += mark.packets
    verdict.check(sum(late.values()) > 0, "hours: nothing came late")
    for span in answer["spans"]:
        hour = int(float(span["start_ts"])) // 3600
        verdict.equal(span["ledger"]["late"], late[hour], f"hour {hour}: late")
        for mark, count in span["marks"].items():
            verdict.equal(count["packets"], sums[hour, mark], f"hour {hour}: {mark}")
        verdict.check("size is not known" in span["shares"]["iot_strict"]["scan_ex_survey"]["absent"] and span["survey_basis"] is None,
                      "hour: no ex_survey, and why")


class Hour:
    """What the windows of an hour say, added up."""

    def __init__(self):
        self.packets, self.out, self.bases, self.windows = defaultdict(int), defaultdict(int), [], 0

    def add(self, window):
        self.windows += 1
        if window.HasField("survey_basis"):
            self.bases.append(window.survey_basis)
        for mark in window.marks:
            self.packets[mark.mark] += mark.packets
            self.out[mark.mark] += mark.packets_out

    @property
    def basis(self):
        dates = [date for b in self.bases if b.some for date in (b.first, b.last)]
        first, last = ((str(datetime.date(1970, 1, 1) + datetime.timedelta(n)) for n in (min(dates), max(dates))) if dates else (None, None))
        return {"first": first, "last": last, "without": any(b.without for b in self.bases)}


def hours_of(folder):
    found = defaultdict(Hour)
    for window in feed.windows(folder):
        found[window.start_ns // 3600 // 10**9].add(window)
    return found


def hours_ex(verdict, scratch, shots):
    """Hours have _ex_survey of their windows: what these say that they take out, on which days, and that it is provisional. Where
    a window does not say it, there is none."""
    path, telescope = scratch + "/h.pcap", ["--telescope", "198.18.0.0/22,2001:db8::/48"]
    run("synth", "-o", path, "--profile", "days", "--days", "3", "--start", "2026-03-07", *telescope)
    run("replay", path, "-o", scratch + "/h", "--window", "20m", *telescope)
    text = run("report", scratch + "/h")[1].decode()
    verdict.check(re.search(r"offered ([\d,]+) = observed \1 \+ dropped 0 \(filter 0, full ring 0\)", text), f"report: its ledger has no sum: {text}")
    verdict.check(re.search(r"days +3 of 3\n", text), f"report: how many of the days: {text}")
    hours = hours_of(scratch + "/h")
    answer = report_json(verdict, scratch + "/h", "--per", "hour")
    verdict.equal((len(answer["spans"]), answer["state"]), (72, "provisional"), "hours with ex_survey")
    for span in answer["spans"]:
        hour = hours[int(float(span["start_ts"])) // 3600]
        name = "hour " + span["label"]
        verdict.equal((span["state"], span["survey_basis"], span["ex_survey_absent"]), ("provisional", hour.basis, None), f"{name}: basis")
        for mark, by_den in span["shares"].items():
            for over, share in by_den.items():
                den, is_ex = over.removesuffix("_ex_survey"), over.endswith("_ex_survey")
                expected = {"num": hour.packets[mark] - hour.out[mark] * is_ex, "den": hour.packets[den] - hour.out[den] * is_ex}
                verdict.equal(share["packets"], expected, f"{name}: {mark} of {over}")
        verdict.equal((span["notes"], span["survey_share"]["total"], span["kinds"]["udp"]["packets_ex_survey"]), (None, None, None),
                      f"{name}: what windows do not say")
    bases = [span["survey_basis"] for span in answer["spans"]]
    verdict.equal((bases[0]["first"], bases[30]["first"], bases[60]["last"]), (None, "2026-03-07", "2026-03-08"), "hours stand on the day before")
    hours_csv(verdict, scratch, hours)
    hours_text(verdict, scratch, shots, answer["spans"])
    hours_mixed(verdict, scratch)


def hours_csv(verdict, scratch, hours):
    rows = list(csv.DictReader(io.StringIO(report("--csv", "--per", "hour", scratch + "/h")[1], newline="")))
    verdict.check(all(row["over"] and row["state"] == "provisional" for row in rows), "csv of hours: a denominator and a state in each row")
    found = {(int(float(r["start"])) // 3600, r["quantity"], r["name"], r["by"], r["over"]): (int(r["num"]), int(r["den"])) for r in rows}
    for number, hour in hours.items():
        verdict.equal(found[number, "share", "iot_broad", "packets", "scan_ex_survey"],
                      tuple(hour.packets[m] - hour.out[m] for m in ("iot_broad", "scan")), f"csv: hour {number}")
        basis, without = hour.basis, sum(b.without for b in hour.bases)
        dates = "/".join(sorted({basis["first"], basis["last"]})) if basis["first"] else None
        said = {key[2]: counts for key, counts in found.items() if key[:2] == (number, "survey_basis")}
        expected = {name: (count, hour.windows) for name, count in (("without", without), (dates, hour.windows - without)) if count}
        verdict.equal(said, expected, f"csv: hour {number}: basis")


def hours_text(verdict, scratch, shots, spans_):
    env = {**os.environ, "LC_ALL": "C.UTF-8", "COLUMNS": "100"}
    for words, says in (([], ["provisional; iot_strict and iot_broad of scan_ex_survey", "2026-03-07 to 2026-03-08", "before the first day was over"]),
                        (["--lang", "ja"], ["暫定; iot_strict, iot_broad の分母 scan_ex_survey", "2026-03-07～2026-03-08"])):
        done = subprocess.run([PROGRAM, "report", scratch + "/h", "--per", "hour", *words], env=env, capture_output=True, check=False)
        text = done.stdout.decode()
        verdict.check(done.returncode == 0 and all(word in text for word in says), f"text of hours {words}")
        for span in spans_[24:72:12]:
            share = span["shares"]["iot_strict"]["scan_ex_survey"]["packets"]
            line = next(line for line in text.splitlines() if span["label"] in line)
            verdict.check(f" {share['num'] / share['den']:.1%} ".replace("%", " %") in line and span["survey_basis"]["last"] in line, f"text: {line}")
    for name in os.listdir(scratch + "/h"):  # as if no day were over; that they are missed is damage
        if "-day-" in name or "-sources-" in name:
            os.remove(os.path.join(scratch, "h", name))
    page, (whole,) = os.path.join(shots, "hours.html"), report_json(verdict, scratch + "/h", rc=3)["spans"]
    verdict.equal((whole["state"], whole["survey_basis"]["last"]), ("provisional", "2026-03-08"), "the whole of windows")
    verdict.equal(report(scratch + "/h", "--html", page, "--lang", "ja")[0], 3, "html of hours: exit")
    if browser_path():
        hours_page(verdict, page, shots, spans_, whole)


def hours_page(verdict, path, shots, spans_, whole):
    browser = Browser()
    try:
        page = Page(browser, path)
        page.settle()
        page.photograph(os.path.join(shots, "hours-ja.png"))
        verdict.equal((page.requests(), page.complaints()), ([], []), "html of hours: requests, console")
        data = page.eval("JSON.parse(document.getElementById('data').textContent)")
        share = whole["shares"]["iot_strict"]["scan_ex_survey"]["packets"]
        verdict.equal((data["span"]["ex_survey_absent"], data["points"]["over"], data["span"]["days"]), (None, "scan_ex_survey", 0), "html of hours: denominators")
        verdict.equal(page.eval("document.querySelector('#table-categories .tip').innerText"), "scan", "html of hours: categories are over scan")
        verdict.equal(data["span"]["shares"]["iot_strict"]["scan_ex_survey"]["packets"], share, "html of hours: the whole")
        verdict.equal([p["marks_ex"][1] for p in data["points"]["at"]], [s["marks"]["scan"]["packets_ex_survey"] for s in spans_], "html of hours: points")
        rows = page.eval("[...document.querySelectorAll('#table-series tbody tr')].map(r => r.textContent)")
        verdict.check(len(rows) == 72 and "2026-03-08" in rows[60] and "なし" in rows[0], "html of hours: the days that rows stand on")
        card = page.eval("document.querySelector('.card.iot').innerText")
        verdict.check("scan_ex_survey" in card and f"{share['num']:,} / {share['den']:,}" in card, f"html of hours: {card}")
        english = "[...document.querySelectorAll('.notes li, .note, .card p')].map(e => e.innerText).filter(t => /[a-z]{3,} [a-z]{2,} [a-z]/.test(t))"
        verdict.equal(page.eval(english), [], "html ja: English in what is to be read")
        verdict.check(page.eval("document.getElementById('notes').innerText").startswith("日次集計がない"), "html ja: notes")
        verdict.equal(page.eval("[...document.querySelectorAll('canvas')].map(c => c.getAttribute('aria-label')).filter(t => t && !/[぀-鿿]/.test(t))"), [],
                      "html ja: what charts are called")
    finally:
        browser.close()


def hours_mixed(verdict, scratch):
    """A feed without days, whose telescope has no size, beside one that has: of their common hours nothing is known."""
    path = scratch + "/part.pcap"
    run("synth", "-o", path, "--packets", "2000", "--sources", "100", "--span", "90m", "--start", "2026-03-08", "--no-answers")
    run("replay", path, "-o", scratch + "/part", "--window", "20m", "--no-sources")
    spans_ = report_json(verdict, scratch + "/h", scratch + "/part", "--per", "hour", rc=3)["spans"]
    absent = {span["label"][:13]: span["ex_survey_absent"] for span in spans_ if span["ex_survey_absent"]}
    verdict.equal(sorted(absent), ["2026-03-08T00", "2026-03-08T01"], "hours of both: absent")
    verdict.check(all("some of the windows" in why for why in absent.values()), f"hours of both: why {absent}")


def texts(verdict, folder, scratch):
    env = {**os.environ, "LC_ALL": "C.UTF-8", "COLUMNS": "100"}
    for words in ([], ["--lang", "ja"], ["--per", "month"], ["--top", "3"], ["--color", "always"]):
        done = subprocess.run([PROGRAM, "report", folder, *words], env=env, capture_output=True, check=False)
        text = done.stdout.decode()
        verdict.check(done.returncode == 0 and "scan_ex_survey" in text and "\x07" not in text, f"text {words}: {done.returncode}")
        verdict.check("--color" in words or "\x1b" not in text, f"text {words}: a name's escape sequence")
    verdict.check("確定" in subprocess.run([PROGRAM, "report", folder, "--lang", "ja"], env=env, capture_output=True, check=False).stdout.decode(), "text in Japanese")
    for name in os.listdir(scratch + "/w"):  # as if the day were not over
        if "-day-" in name or "-sources-" in name:
            os.remove(os.path.join(scratch, "w", name))
    rc, out, _ = report(scratch + "/w")
    verdict.check(rc == 3 and "no days" in out and "provisional" in out, f"text: a feed without days says so: {rc}")
    verdict.equal(report(scratch + "/w", "--html", scratch + "/w.html")[0], 3, "html: a feed without days")
    verdict.check(os.path.exists(scratch + "/w.html"), "html: what could be read is there")


def main():
    verdict = Verdict()
    shots = os.environ.get("REPORT_SHOTS")
    with tempfile.TemporaryDirectory() as scratch:
        if shots:
            os.makedirs(shots, exist_ok=True)
        folder = make(scratch + "/feed")
        whole = spans(verdict, folder)
        rows_agree(verdict, folder, whole)
        page_is(verdict, folder, whole, shots or scratch)
        page_whole_or_none(verdict, folder)
        oddities(verdict, folder, scratch)
        restated(verdict, folder, scratch)
        answers(verdict, scratch)
        windows(verdict, scratch)
        hours_ex(verdict, scratch, shots or scratch)
        texts(verdict, folder, scratch)
    return verdict.finish()


if __name__ == "__main__":
    sys.exit(main())
