"""test_outages.py: times that were not watched, windows watched in part and packets that were not recorded: told by /api/v1, the page, the
report's text, its JSON and its page, in both languages. The feed is one of `replay` into which python3-protobuf puts them."""
import json
import os
import shutil
import sys
import tempfile

import feed
from devtools import Browser, Page, browser_path
from judge import Verdict, run
from serving import Server
from test_http import sample
from test_page import opened

MINUTE = 60 * 10**9
AWAY, CLOCK = (30, 60), (90, 90.5)  # minutes of the last day; both at windows' ends
RECORDER = 4321
WORDS = {"en": ("did not run", "the clock was set", "30 min 0 s", "partly watched windows", "{} of {:,}"),
         "ja": ("停止中", "時計の変更", "30分0秒", "一部観測のウィンドウ", "{} / {:,}")}


def altered(source, target):
    """A copy whose last day lacks half an hour, says so, and has a clock that was set, half a window, and a recorder that was slow. Start of
    that day."""
    shutil.copytree(source, target)
    records = feed.read(target)
    midnight = max(w.start_ns for w in feed.windows(target)) // (1440 * MINUTE) * 1440 * MINUTE
    away, seq = [midnight + m * MINUTE for m in AWAY], 0
    for path, all_ in records.items():
        kept = []
        for record in all_:
            window = record.window if record.WhichOneof("body") == "window" else None
            if window and away[0] <= window.start_ns < away[1]:
                continue
            if window and window.start_ns == away[1]:
                window.partial = True
                window.given_up.recorder_packets = RECORDER
                for (begin, end), reason in ((AWAY, feed.proto.GAP_RESTART), (CLOCK, feed.proto.GAP_CLOCK)):
                    gap = feed.proto.Record()
                    gap.gap.from_ns, gap.gap.to_ns, gap.gap.reason = midnight + int(begin * MINUTE), midnight + int(end * MINUTE), reason
                    kept.append(gap)
            kept.append(record)
        for record in kept:
            seq += 1
            record.seq = seq
            if record.WhichOneof("body") == "close":
                record.close.records = len(kept)
        records[path] = kept
    feed.write(records)
    return midnight // 10**9


def holds(verdict, outages, midnight, windows, about):
    gaps = [(g["start"] - midnight, g["end"] - midnight, g["reason"]) for g in outages["gaps"]]
    verdict.equal(gaps, [(AWAY[0] * 60, AWAY[1] * 60, "restart"), (CLOCK[0] * 60, CLOCK[1] * 60, "clock")], f"{about}: gaps")
    verdict.equal((outages["missing_s"], outages["partial"], outages["windows"], outages["given_up"]["recorder_packets"], outages["gaps_more"]),
                  (1830, 1, windows, RECORDER, 0), f"{about}: sums")


def shows(verdict, page, lang, windows, about):
    """The page: a badge, the table of gaps, the counts, shaded columns."""
    restart, clock, length, *_ = WORDS[lang]
    rows = page.eval("[...document.querySelectorAll('#table-gaps tbody tr')].map(r => r.innerText)")
    verdict.check(len(rows) == 2 and restart in rows[0] and length in rows[0] and "00:30:00" in rows[0] and "01:00:00" in rows[0] and clock in rows[1], f"{about}: {rows}")
    facts = page.eval("document.getElementById('coverage-facts').innerText")
    verdict.check(f"1 / {windows}" in facts and f"{RECORDER:,}" in facts, f"{about}: {facts}")
    verdict.check("30" in page.eval("document.getElementById('badges').innerText"), f"{about}: a badge")
    labels = page.eval("[...document.querySelectorAll('canvas')].map(c => c.getAttribute('aria-label') || '').filter(t => t)")
    verdict.check(labels and all(any(0x3000 < ord(c) < 0xa000 for c in t) == (lang == "ja") for t in labels), f"{about}: what charts are called: {labels}")
    verdict.equal(page.complaints(), [], f"{about}: console")


def served(verdict, browser, folder, midnight, day_windows):
    server = Server(folder)
    try:
        day = json.loads(server.get("/api/v1/days/today")[2])
        holds(verdict, day["outages"], midnight, day_windows, "/api/v1/days/today")
        before = json.loads(server.get(f"/api/v1/days/{day['previous']}")[2])["outages"]
        verdict.equal((before["gaps"], before["partial"], before["missing_s"]), ([], 0, 0), "the day before")
        if browser:
            for lang in WORDS:
                page = opened(browser, server.url + "?lang=" + lang, width=1280)
                shows(verdict, page, lang, day_windows, f"served {lang}")
                starts = [p["start"] for p in day["points"]["at"]]
                verdict.check(midnight + 1800 not in starts, "nothing is at the gap")
                verdict.equal(page.eval("Chart.getChart('chart-kinds').data.labels.length"), (starts[-1] - starts[0]) // 900 + 1, "the gap takes its place in charts")
                shaded = page.eval("(c => c.data.labels.filter((_, i) => c.config.options.plugins.shade.shaded(i)))(Chart.getChart('chart-kinds'))")
                verdict.equal(shaded, ["00:30", "00:45"], "shaded columns")
                page.close()
    finally:
        server.stop()


def reported(verdict, browser, folder, midnight, windows, scratch):
    rc, out, err = run("report", "--json", folder)
    holds(verdict, json.loads(out)["outages"], midnight, windows, "report --json")
    verdict.equal(rc, 0, f"report: exit ({err})")
    for lang, words in WORDS.items():
        text = run("report", folder, "--lang", lang)[1].decode()
        verdict.check(all(w in text for w in (words[0], words[1], words[3], words[4].format(1, windows), f"{RECORDER:,}", "00:30:00")), f"text {lang}: {text[-3000:]}")
        path = os.path.join(scratch, f"{lang}.html")
        verdict.equal(run("report", folder, "--html", path, "--lang", lang)[0], 0, f"html {lang}: exit")
        if browser:
            page = Page(browser, path, width=1280)
            page.settle()
            shows(verdict, page, lang, f"{windows:,}", f"html {lang}")
            verdict.equal(page.requests(), [], f"html {lang}: requests")
            page.close()


def main():
    verdict = Verdict()
    browser = Browser() if browser_path() else None
    if not browser:
        print("not run: gaps on the page, since there is no chromium")
    try:
        with tempfile.TemporaryDirectory() as scratch:
            folder = os.path.join(scratch, "gaps")
            midnight = altered(sample(scratch), folder)
            rc, _, err = run("verify", folder)
            verdict.equal(rc, 0, f"verify: {err}")
            found = [w for w in feed.windows(folder) if w.part == 0]
            served(verdict, browser, folder, midnight, len([w for w in found if w.start_ns >= midnight * 10**9]))
            reported(verdict, browser, folder, midnight, len(found), scratch)
    finally:
        if browser:
            browser.close()
    return verdict.finish()


if __name__ == "__main__":
    sys.exit(main())
