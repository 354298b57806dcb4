#!/usr/bin/env python3
"""page_embed.py OUT.c PAGE.html CHART.js STYLE.css SCRIPT.js...: the parts of the page as C, with what its Content-Security-Policy
says of them where they stand in it. The scripts become one, whose names are its own. Output depends on the bytes only."""
import base64
import hashlib
import re
import sys


def read(path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    # A browser with its tools open would ask for the map.
    return re.sub(r"^//# sourceMappingURL=.*$", "", text, flags=re.M).strip() + "\n"


def part(text, path):
    if re.search(r"</(script|style)|<!--", text, re.I):
        sys.exit(f"{path}: holds what ends a script or style in a page")
    return text


def policy(text):
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def array(name, text):
    data = text.encode()
    yield f"const unsigned char {name}[] = {{"
    for at in range(0, len(data), 24):
        yield "    " + "".join(f"{byte}," for byte in data[at:at + 24])
    yield "    0};"
    yield f"const size_t {name}_len = {len(data)};"


out, page, chart, style, *scripts = sys.argv[1:]
html, chart, style = read(page), part(read(chart), chart), part(read(style), style)
script = part('(() => {\n"use strict";\n' + "".join(read(path) for path in scripts) + "})();\n", "scripts")
lines = ['#include "export/page_embedded.h"', "", *array("page_html", html), *array("page_style", style), *array("page_script", script),
         *array("page_chart", chart), f'const char page_style_policy[] = "{policy(style)}";',
         f'const char page_script_policy[] = "{policy(script)}";', f'const char page_chart_policy[] = "{policy(chart)}";', ""]
with open(out, "w", encoding="ascii") as file:
    file.write("\n".join(lines))
