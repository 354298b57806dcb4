#!/usr/bin/env python3
"""rules_embed.py OUT.c FILE.yaml...: rule files as C. Output depends on names and bytes only."""
import os
import sys

out, paths = sys.argv[1], sorted(sys.argv[2:], key=lambda p: os.path.basename(p).encode())
lines = ['#include "classify/rules_embedded.h"', ""]
rows = []
for number, path in enumerate(paths):
    with open(path, "rb") as file:
        data = file.read()
    lines.append(f"static const unsigned char file_{number}[] = {{")
    for at in range(0, len(data), 24):
        lines.append("    " + "".join(f"{byte}," for byte in data[at : at + 24]))
    lines += ["    0};", ""]
    rows.append(f'    {{"{os.path.basename(path)}", file_{number}, {len(data)}}},')
lines += ["const struct rule_source rules_embedded[] = {", *rows, "};"]
lines += [f"const size_t rules_embedded_count = {len(rows)};", ""]
with open(out, "w", encoding="ascii") as file:
    file.write("\n".join(lines))
