#!/usr/bin/env python3
"""version.py TEMPLATE OUT RELEASE DATE: what the program calls itself, from the tag that git knows.

On a tag v1.2.0: 1.2.0. Three commits behind it: 1.2.0+3.g<commit>. Without any tag: RELEASE+<date of the commit>.g<commit>.
A tree whose files differ from its commit's adds .changed. An archive that git made (`git archive`, a package's sources)
has the same in core/version.txt; where there is neither: RELEASE, of DATE. The date is the commit's, in UTC, or
SOURCE_DATE_EPOCH's: no clock is read.

`version.py --line` prints what core/version.txt holds in an archive; `--release RELEASE DATE` the version, and its date
in seconds since 1970."""
import datetime
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
# As in core/version.txt: commit, seconds since 1970, and `git describe`'s words where there is a tag.
LINE = "%H %ct %(describe:tags=true,match=v[0-9]*)"


def git(*words):
    """What git says of this tree; None where it isn't git's, or there is no git."""
    try:
        done = subprocess.run(["git", "-C", HERE, *words], capture_output=True, text=True, check=False,
                              env=os.environ | {"GIT_OPTIONAL_LOCKS": "0"})
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def line():
    """As core/version.txt has it in an archive, of git, or None; " changed" behind it where files were since."""
    with open(os.path.join(HERE, "version.txt"), encoding="ascii") as file:
        archived = file.read().strip()
    if not archived.startswith("$"):
        return archived
    # A tree within another's repository is not of that one.
    if git("ls-files", "--error-unmatch", "version.txt") is None:
        return None
    found = git("log", "-1", "--format=" + LINE)
    if found and git("status", "--porcelain", "--untracked-files=no", "--", ".."):
        found += " changed"
    return found


def version(release, date):
    """(what it is called, seconds since 1970)"""
    seconds = int(datetime.datetime.fromisoformat(date + "T00:00:00+00:00").timestamp())
    found = re.fullmatch(r"([0-9a-f]{40}) (\d+)(?: v(\d\S*?)(?:-(\d+)-g[0-9a-f]+)?)?( changed)?", line() or "")
    if found:
        commit, at, tag, count, changed = found.groups()
        seconds = int(at)
        behind = count or (None if tag else day(seconds).replace("-", ""))
        release = (tag or release) + (f"+{behind}.g{commit[:10]}" if behind else "")
        if changed:
            release += ".changed" if behind else "+changed"
    return release, int(os.environ.get("SOURCE_DATE_EPOCH") or seconds)


def day(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%d")


def main(template, out, release, date):
    name, seconds = version(release, date)
    with open(template, encoding="ascii") as file:
        text = file.read().replace("@VERSION@", name).replace("@VERSION_DATE@", day(seconds))
    if os.path.exists(out):
        with open(out, encoding="ascii") as file:
            if file.read() == text:
                return  # what was built from it stays
    with open(out, "w", encoding="ascii") as file:
        file.write(text)


if __name__ == "__main__":
    if sys.argv[1:] == ["--line"]:
        print(line() or "")
    elif sys.argv[1:2] == ["--release"]:
        print(*version(*sys.argv[2:]))
    else:
        main(*sys.argv[1:])
