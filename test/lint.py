"""lint.py [BUILD]: what the compiler does not hold us to. One line per finding."""
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from judge import ROOT, Verdict

FLOORS = ["capture", "classify", "export", "core"]
HOUSE = FLOORS + ["test", "bench"]
FILE_LINES, FUNCTION_LINES = 600, 80
TEXT = (".c", ".h", ".py", ".sh", ".proto", ".yaml", ".md", ".build", ".txt", "run")


def files(*endings):
    """Files of the house with one of the endings, as paths from the root."""
    found = [name for name in os.listdir(ROOT) if os.path.isfile(os.path.join(ROOT, name))]
    for top in HOUSE + [".ci"]:
        for folder, _, names in os.walk(os.path.join(ROOT, top)):
            found += [os.path.relpath(os.path.join(folder, name), ROOT) for name in names]
    return sorted(f for f in found if f.endswith(endings) and "__pycache__" not in f)


def text_of(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        return f.read()


def floors():
    """A folder includes only folders below it, and itself; core only from test and bench."""
    for path in files(".c", ".h"):
        top = path.split("/")[0]
        if top not in FLOORS:
            continue
        allowed = FLOORS[:FLOORS.index(top) + 1]
        for line, name in enumerate(text_of(path).splitlines(), 1):
            hit = re.match(r'\s*#\s*include\s+"([^"]+)"', name)
            if hit and hit[1].split("/")[0] not in allowed and not hit[1].endswith(".pb-c.h"):
                yield f"{path}:{line}: includes {hit[1]}; {top} may include {', '.join(allowed)}"


def lengths():
    for path in files(".c", ".h"):
        lines = text_of(path).splitlines()
        if len(lines) > FILE_LINES:
            yield f"{path}: {len(lines)} lines; at most {FILE_LINES}"
        begin = None
        for number, line in enumerate(lines, 1):
            if line == "{":
                begin = number
            elif line == "}" and begin:
                if number - begin + 1 > FUNCTION_LINES:
                    yield f"{path}:{begin}: function of {number - begin + 1} lines; at most {FUNCTION_LINES}"
                begin = None


def seen_alone():
    """Headers that some source includes before all else: that it compiles says that they do."""
    found = (re.search(r'^\s*#\s*include\s+"([^"]+)"', text_of(path), re.M) for path in files(".c"))
    sources = {path[:-2] for path in files(".c")}
    return {hit[1] for hit in found if hit and hit[1][:-2] in sources}


def headers(build):
    """Every header compiles alone."""
    seen = seen_alone()
    packages = subprocess.run(["pkg-config", "--cflags", "libdpdk", "jemalloc", "libprotobuf-c", "nettle"],
                              capture_output=True, text=True, check=False).stdout.split()
    flags = ["-std=gnu17", "-D_GNU_SOURCE", "-DRTE_USE_C11_MEM_MODEL=1", "-Wall", "-Wextra", "-Werror",
             "-Wno-unused-parameter", "-Wno-missing-field-initializers", "-I", ROOT, "-I", build,
             "-I", os.path.join(build, "export"), *packages]

    def one(path):
        done = subprocess.run(["cc", "-fsyntax-only", *flags, "-include", path, "-x", "c", "/dev/null"],
                              cwd=ROOT, capture_output=True, text=True, check=False)
        return f"{path}: does not compile alone: {done.stderr.splitlines()[:2]}" if done.returncode else None

    with ThreadPoolExecutor(2) as pool:
        yield from filter(None, pool.map(one, [path for path in files(".h") if path not in seen]))


def form():
    """The sources as .clang-format has them. Long tables that are left as they are written go unread: they take it longest."""
    table = re.compile(r"(?<=clang-format off \*/\n)(?:(?!.*clang-format on).*\n){100,}")
    said = "warning: code should be"
    texts = {path: text_of(path) for path in files(".c", ".h")}
    tables = {path for path, text in texts.items() if table.search(text)}
    done = subprocess.run(["clang-format", "--dry-run", *(path for path in texts if path not in tables)], cwd=ROOT,
                          capture_output=True, text=True, check=False)
    seen = set(re.findall(rf"^([^:\n]+):\d+:\d+: {said}", done.stderr, re.M))
    for path in tables:
        done = subprocess.run(["clang-format", "--dry-run", "--assume-filename", path], cwd=ROOT, text=True,
                              input=table.sub("", texts[path]), capture_output=True, check=False)
        seen |= {path} if said in done.stderr else set()
    for path in sorted(seen):
        yield f"{path}: not as .clang-format has it (clang-format -i {path})"


def machine():
    """No path of anybody's machine, no trailing space, no tab."""
    places = re.compile(r"(?<![\w.~-])/(?:work|home|root|Users)/\w")
    for path in files(*TEXT):
        for number, line in enumerate(text_of(path).splitlines(), 1):
            if places.search(line):
                yield f"{path}:{number}: a path of one machine: {line.strip()[:60]}"
            # What git writes into an archive's version ends so where there is no tag.
            if (line != line.rstrip() and path != "core/version.txt") or "\t" in line:
                yield f"{path}:{number}: trailing space or tab"


def registered():
    """Every test and fuzz target has its row in test/meson.build."""
    listed = text_of("test/meson.build")
    for table, prefix in (("unit_tests", "test"), ("fuzz_targets", "fuzz")):
        block = re.search(table + r" = \{(.*?)\n\}", listed, re.S)
        for path in files(".c"):
            name = re.fullmatch(rf"test/{prefix}_(\w+)\.c", path)
            if name and not (block and f"'{name[1]}'" in block[1]):
                yield f"{path}: not in {table} of test/meson.build"


def fields():
    """Every field of the feed's form says what it is."""
    for number, line in enumerate(text_of("export/yamiscope.proto").splitlines(), 1):
        if re.match(r"\s+(repeated |fixed32 )?[\w.]+ \w+ = \d+;$", line) and not before.strip().startswith("//"):
            yield f"export/yamiscope.proto:{number}: a field without a word: {line.strip()}"
        before = line


def main():
    build = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else os.path.join(ROOT, "build")
    verdict = Verdict()
    for name, findings in (("floors", floors()), ("lengths", lengths()), ("headers", headers(build)),
                           ("format", form()), ("machine", machine()), ("registered", registered()), ("fields", fields())):
        found = list(findings)
        verdict.check(not found, "\n".join(found) or name)
    return verdict.finish()


if __name__ == "__main__":
    sys.exit(main())
