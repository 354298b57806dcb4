#!/usr/bin/env python3
"""dashboard_embed.py OUT.c PAGE.html WORDS.js SCRIPT.js CHART.js STYLE.css...: the files of the dashboard as C, scripts and styles behind each other.
Output depends on their bytes only."""
import re
import sys


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def array(name, paths):
    text = "".join(read(path) for path in paths)
    # A browser with its tools open would ask for the map.
    data = re.sub(r"^//# sourceMappingURL=.*$", "", text, flags=re.M).encode()
    yield f"const unsigned char dashboard_{name}[] = {{"
    for at in range(0, len(data), 24):
        yield "    " + "".join(f"{byte}," for byte in data[at:at + 24])
    yield "    0};"
    yield f"const size_t dashboard_{name}_len = {len(data)};"


lines = ['#include "export/dashboard_embedded.h"', ""]
page, words, script, chart, *styles = sys.argv[2:]
for part, sources in (("page", [page]), ("style", styles), ("script", [words, script]), ("chart", [chart])):
    lines += array(part, sources)
with open(sys.argv[1], "w", encoding="ascii") as out:
    out.write("\n".join(lines) + "\n")
