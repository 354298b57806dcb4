"""test_package.py: what an installation holds. Where `meson install` puts things; man pages against mandoc, groff and --help;
completions by bash, zsh and fish themselves; the examples of the pages, run; the service's user, folders and config by
systemd's own programs; the version by git. (test/deb.sh judges the Debian package.)"""
import glob
import json
import os
import re
import subprocess
import sys
import tempfile

import shells
from judge import PROGRAM, ROOT, Verdict, run

BUILD = os.path.dirname(PROGRAM)
verdict = Verdict()
ENDLESS = ("live", "serve", "publish")  # their examples need an interface, a Redis, and somebody who ends them


def output(*words, **options):
    """(exit status, stdout and stderr) of any program."""
    done = subprocess.run([str(w) for w in words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=120, check=False, **options)
    return done.returncode, done.stdout


def commands():
    """Those that --help lists."""
    return re.findall(r"^  ([a-z]+) +\S", run("--help")[1].decode(), re.M)


def options(command):
    """[(-o or None, --out)...] of a command's help."""
    return re.findall(r"^  (?:(-\w), |    )(--[a-z0-9.-]+)", run(command, "--help")[1].decode(), re.M)


def check_installed(folder):
    """Where everything goes, for the prefix of the build and for another."""
    pages = {"yamiscope.1", "yamiscope-config.5"} | {f"yamiscope-{name}.1" for name in commands()}
    expected = {f"share/man/man{page[-1]}/{page}" for page in pages} | {
        "bin/yamiscope", "lib/systemd/system/yamiscope.service", "lib/sysusers.d/yamiscope.conf", "lib/tmpfiles.d/yamiscope.conf",
        "share/bash-completion/completions/yamiscope", "share/fish/vendor_completions.d/yamiscope.fish",
        "share/zsh/site-functions/_yamiscope", "share/yamiscope/yamiscope.proto", "share/yamiscope/alerts.yaml",
        "share/yamiscope/grafana.json", "share/doc/yamiscope/README.md", "share/doc/yamiscope/LICENSE",
        "share/doc/yamiscope/examples/live.yaml"}
    status, text = output("meson", "install", "--no-rebuild", "-C", BUILD, "--destdir", folder)
    verdict.equal(status, 0, f"meson install: {text[-300:]}")
    _, built = output("meson", "introspect", "--buildoptions", BUILD)
    prefix = next(o["value"] for o in json.loads(built) if o["name"] == "prefix")
    found = {os.path.relpath(os.path.join(where, name), folder + prefix) for where, _, names in os.walk(folder) for name in names}
    verdict.equal(found, expected, "files that are installed")

    with tempfile.TemporaryDirectory() as other:
        status, text = output("meson", "setup", "--prefix=/opt/other", "-Dtests=false", other, ROOT)
        verdict.equal(status, 0, f"meson setup --prefix: {text[-300:]}")
        _, planned = output("meson", "introspect", "--installed", other)
        targets = set(json.loads(planned).values()) if planned.startswith("{") else set()
        verdict.equal({os.path.relpath(name, "/opt/other") for name in targets}, expected, "files of another prefix")
        for name in glob.glob(os.path.join(other, "core/install/yamiscope.service")):
            with open(name, encoding="ascii") as unit:
                verdict.check("ExecStart=/opt/other/bin/yamiscope live" in unit.read(), "the unit does not start what is installed")
    return folder + prefix


def check_pages(root):
    """Pages are clean, are of this version and day, and lack no option."""
    _, text = output(PROGRAM, "--version")
    version = text.split()[-1]
    for path in sorted(glob.glob(root + "/share/man/man*/*")):
        page, _, section = os.path.basename(path).rpartition(".")
        with open(path, encoding="ascii") as file:
            source = file.read()
        head = re.match(r'\.TH "([A-Z-]+)" (\d) (\d{4}-\d\d-\d\d) "yamiscope (\S+)" "yamiscope manual"\n', source)
        if verdict.check(head, f"{page}: begins with {source[:80]}"):
            verdict.equal((head[1], head[2], head[4]), (page.upper(), section, version), f"{page}: its title")
        verdict.equal(output("mandoc", "-T", "lint", path)[1], "", f"{page}: mandoc")
        verdict.equal(output("groff", "-man", "-Tutf8", "-ww", "-z", path)[1], "", f"{page}: groff")
        _, shown = output("man", "--warnings", path, env=os.environ | {"MANWIDTH": "100", "LC_ALL": "C.UTF-8", "MAN_KEEP_FORMATTING": ""})
        verdict.check("EXAMPLES" in shown and "SEE ALSO" in shown and "warning" not in shown.lower().replace("warning lists", ""),
                      f"{page}: man shows {shown[:200]}")
        _, named = output("lexgrog", path)
        verdict.check(f'"{page} - ' in named, f"{page}: lexgrog says {named}")
        for letter, name in options(page.partition("-")[2]) if page not in ("yamiscope", "yamiscope-config") else []:
            row = (f"{letter}, " if letter else "") + name
            verdict.check(re.search(rf"^ +{re.escape(row)}\b", shown, re.M), f"{page}: lacks {row}")
    with open(root + "/share/man/man5/yamiscope-config.5", encoding="ascii") as file:
        keys = set(re.findall(r"^\.TP\n\\fB([a-z0-9.\\-]+)\\fR: ", file.read(), re.M))
    known = {name[2:] for command in commands() for _, name in options(command)} - {"help", "config"}
    verdict.equal({key.replace("\\-", "-") for key in keys}, known, "keys of the config page")
    for bad in (["--man", "nothing"], ["--completion", "csh"], ["--nonsense", "bash"], ["--man", "yamiscope-"]):
        verdict.equal(run("help", *bad)[0], 2, f"help {bad}")


def check_examples(root, folder):
    """What the pages tell to type, typed; where one stands on another's result, in the pages' order."""
    with open(os.path.join(folder, "censys.txt"), "w", encoding="ascii") as f:
        f.write("198.51.100.0/24\n")
    with open(os.path.join(folder, "live.yaml"), "w", encoding="ascii") as f:
        f.write("from: [pcap:lo]\nout: feed-live\ntelescope: [192.0.2.0/24]\n")
    os.symlink(os.path.join(ROOT, "classify", "rules"), os.path.join(folder, "rules"))
    os.makedirs(os.path.join(folder, "bin"))
    os.symlink(PROGRAM, os.path.join(folder, "bin", "yamiscope"))
    env = os.environ | {"PATH": os.path.join(folder, "bin") + ":" + os.environ["PATH"]}
    output(PROGRAM, "synth", "-o", "other.pcap", "--packets", "1000", "--seed", "2", cwd=folder)
    verdict.equal(output(PROGRAM, "replay", "other.pcap", "-o", "other", cwd=folder)[0], 0, "another feed")
    ran = 0
    for name in ["synth", "replay"] + [c for c in commands() if c not in ("synth", "replay")]:
        with open(f"{root}/share/man/man1/yamiscope-{name}.1", encoding="ascii") as file:
            lines = re.findall(r"^\.EX\n(.*)\n\.EE$", file.read(), re.M)
        verdict.check(lines, f"yamiscope-{name}: no example")
        for line in (re.sub(r"\\&", "", line).replace("\\-", "-") for line in lines):
            if name in ENDLESS:
                verdict.check(line.startswith(f"yamiscope {name} "), f"example: {line}")
                continue
            status, text = output("bash", "-c", line, cwd=folder, env=env)
            ran += verdict.equal(status, 0, f"example: {line}: {text[-300:]}")
    verdict.check(ran >= 18, f"{ran} examples ran")


# Line: what the shells offer. In the folder: captures/, config.yaml, "a b.pcap".
COMPLETED = {
    "yamiscope re": ["replay", "report"],
    "yamiscope replay --la": ["--lang", "--lateness"],
    "yamiscope replay --lang ": ["en", "ja"],
    "yamiscope replay --lang=": ["en", "ja"],
    "yamiscope replay --json --color a": ["always", "auto"],
    "yamiscope explain --decap gre,er": ["erspan"],
    "yamiscope report --per fis": ["fiscal-year"],
    "yamiscope replay -o c": ["captures/"],
    "yamiscope replay --rules c": ["captures/"],
    "yamiscope synth -o c": ["captures/", "config.yaml"],
    "yamiscope replay --config c": ["captures/", "config.yaml"],
    "yamiscope merge c": ["captures/", "config.yaml"],
    "yamiscope live --from ": ["dpdk:", "pcap:"],
    "yamiscope rules ": ["check", "list"],
    "yamiscope rules check c": ["captures/", "config.yaml"],
    "yamiscope lists s": ["show"],
    "yamiscope synth --profile nicter-201": ["nicter-2017", "nicter-2018", "nicter-2019"],
    "yamiscope replay --top ": [],
    "yamiscope help --completion ": ["bash", "fish", "zsh"],
    "yamiscope help --man yamiscope-s": ["yamiscope-serve", "yamiscope-source", "yamiscope-synth"],
}

TYPED = {
    "yamiscope rep": "yamiscope rep|",
    "yamiscope repl": "yamiscope replay |",
    "yamiscope replay --lang j": "yamiscope replay --lang ja |",
    "yamiscope replay --lang=j": "yamiscope replay --lang=ja |",
    "yamiscope live --from pc": "yamiscope live --from pcap:|",
    "yamiscope replay --decap gre,ers": "yamiscope replay --decap gre,erspan |",
    "yamiscope replay a": "yamiscope replay a\\ b.pcap |",
    "yamiscope replay -o cap": "yamiscope replay -o captures/|",
}


def check_completion(root, folder):
    os.makedirs(os.path.join(folder, "captures"))
    for name in ("config.yaml", "a b.pcap"):
        with open(os.path.join(folder, name), "w", encoding="ascii"):
            pass
    places = {"bash": (shells.bash_lists, "share/bash-completion/completions/yamiscope"),
              "zsh": (shells.zsh_lists, "share/zsh/site-functions/_yamiscope"),
              "fish": (shells.fish_lists, "share/fish/vendor_completions.d/yamiscope.fish")}
    all_options = {f"yamiscope {command} --": sorted({name for _, name in options(command)}) for command in commands()}
    for shell, (lists, place) in places.items():
        script = os.path.join(root, place)
        found = lists(script, folder, [*COMPLETED, *all_options])
        for line, expected in (COMPLETED | all_options).items():
            words = [re.sub(r"^(--\w+=|gre,)", "", word) for word in found[line]]
            # fish offers files where nothing else fits a word: never of a number's.
            verdict.equal(words, expected, f"{shell}: {line!r}")
    for line, typed in shells.bash_types(os.path.join(root, places["bash"][1]), folder, TYPED).items():
        verdict.equal(typed.replace("\a", ""), TYPED[line], f"bash types: {line!r}")


def check_words(root, folder):
    """Each word that is offered is one that the program takes, and it takes no other."""
    capture, feed = os.path.join(folder, "words.pcap"), os.path.join(folder, "words")
    run("synth", "-o", capture, "--packets", 100)
    run("replay", capture, "-o", feed)
    with open(os.path.join(root, "share/bash-completion/completions/yamiscope"), encoding="utf-8") as file:
        offered = dict(re.findall(r"^    ([a-z]+--[a-z-]+)(?:\|\S+)?\) _yamiscope_(?:words|list) '(.*)' ;;$", file.read(), re.M))
    arguments = {"replay": [capture], "explain": [capture], "report": [feed], "source": ["AS64500", feed], "port": ["tcp/23", feed],
                 "synth": ["-o", "-", "--packets", "100"], "infected": [feed], "watch": ["--once", feed]}
    verdict.check(len(offered) >= 15, f"options with words: {sorted(offered)}")
    for key, words in sorted(offered.items()):
        command, _, option = key.partition("--")
        if command not in arguments:  # `live` has those of `replay`; --from and --to offer beginnings
            verdict.check(command in ("live", "publish"), f"{key}: not judged")
            continue
        for word in words.split():
            rest = ["-o", "-", "--days", 1] if word.startswith("nicter") or word == "days" else arguments[command]
            status, _, text = run(command, *rest, f"--{option}", word)
            verdict.equal(status, 0, f"{command} --{option} {word}: {text[:200]}")
        verdict.equal(run(command, *arguments[command], f"--{option}", "nonsense")[0], 2, f"{command} --{option} nonsense")


def check_service(root, folder):
    """The user and the folders, made by systemd's programs in a root of their own; the config's suggestions."""
    with open(root + "/share/doc/yamiscope/examples/live.yaml", encoding="ascii") as file:
        text = re.sub(r"^#(\S)", r"\1", file.read(), flags=re.M)
    text = text.replace("pcap:eth1", "pcap:lo").replace("/var/lib/yamiscope", folder)
    config = os.path.join(folder, "suggested.yaml")
    with open(config, "w", encoding="ascii") as file:
        file.write(text)
    status, out, err = run("check", config)
    verdict.equal(status, 0, f"what the config suggests: {out.decode()}{err}")
    verdict.check("1 source" in out.decode(), f"the suggestions were not read: {out.decode()}")
    if os.getuid() != 0:
        print("not run: the service's user and folders, which root alone can make")
        return
    fake = os.path.join(folder, "root")
    os.makedirs(os.path.join(fake, "etc/yamiscope"))
    for name, line in (("passwd", "root:x:0:0:root:/root:/bin/sh\n"), ("group", "root:x:0:\n"), ("yamiscope/live.yaml", "")):
        with open(os.path.join(fake, "etc", name), "w", encoding="ascii") as file:
            file.write(line)
    for program, place in (("systemd-sysusers", "sysusers.d"), ("systemd-tmpfiles", "tmpfiles.d")):
        words = [program, f"--root={fake}", *(["--create"] if "tmp" in program else []), f"{root}/lib/{place}/yamiscope.conf"]
        status, said = output(*words)
        verdict.equal(status, 0, f"{program}: {said}")
    with open(os.path.join(fake, "etc/passwd"), encoding="ascii") as file:
        user = re.search(r"^yamiscope:[^:]*:(\d+):(\d+):[^:]*:/var/lib/yamiscope:/usr/sbin/nologin$", file.read(), re.M)
    if not verdict.check(user, "no user yamiscope was made"):
        return
    uid, gid = int(user[1]), int(user[2])
    for place, mode, owner in (("var/lib/yamiscope", 0o750, (uid, gid)), ("var/lib/yamiscope/recordings", 0o700, (uid, gid)),
                               ("var/cache/yamiscope", 0o700, (uid, gid)), ("etc/yamiscope/live.yaml", 0o600, (uid, gid))):
        at = os.stat(os.path.join(fake, place))
        verdict.equal((oct(at.st_mode & 0o7777), (at.st_uid, at.st_gid)), (oct(mode), owner), place)


def check_version(folder):
    """What core/version.py makes of a tag, of commits behind it, of changes, of an archive, of nothing."""
    tree = os.path.join(folder, "tree")
    os.makedirs(tree + "/core")
    for name in ("core/version.py", "core/version.txt", ".gitattributes"):
        with open(os.path.join(ROOT, name), "rb") as source, open(os.path.join(tree, name), "wb") as copy:
            copy.write(source.read())
    with open(tree + "/core/version.txt", "w", encoding="ascii") as file:  # here it may be an archive's
        file.write("$Format:%H %ct %(describe:tags=true,match=v[0-9]*)$\n")
    env = {name: value for name, value in os.environ.items() if name not in ("SOURCE_DATE_EPOCH",) and not name.startswith("GIT_")}
    env |= {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null", "GIT_CEILING_DIRECTORIES": folder}
    stamp = "1600000000 +0900"  # 2020-09-13 in UTC

    def git(*words):
        return output("git", "-c", "user.name=a", "-c", "user.email=a@example.org", *words, cwd=tree,
                      env=env | {"GIT_AUTHOR_DATE": stamp, "GIT_COMMITTER_DATE": stamp})

    def named(where=tree, **more):
        return output("python3", where + "/core/version.py", "--release", "7.8.9", "2001-02-03", env=env | more)[1].strip()

    verdict.equal(named(), "7.8.9 981158400", "a tree that git does not know")
    git("init", "-q", ".")
    git("add", ".")
    git("commit", "-q", "-m", "one")
    commit = git("rev-parse", "HEAD")[1][:10]
    verdict.equal(named(), f"7.8.9+20200913.g{commit} 1600000000", "no tag")
    verdict.equal(named(SOURCE_DATE_EPOCH="1500000000"), f"7.8.9+20200913.g{commit} 1500000000", "SOURCE_DATE_EPOCH")
    git("tag", "v1.2.0")
    verdict.equal(named(), "1.2.0 1600000000", "on a tag")
    git("commit", "-q", "--allow-empty", "-m", "two")
    commit = git("rev-parse", "HEAD")[1][:10]
    verdict.equal(named(), f"1.2.0+1.g{commit} 1600000000", "behind a tag")
    archive = os.path.join(folder, "archive")
    os.makedirs(archive)
    output("bash", "-c", f"git -C '{tree}' archive HEAD | tar -x -C '{archive}'", env=env)
    verdict.equal(named(archive), f"1.2.0+1.g{commit} 1600000000", "an archive")
    verdict.equal(named(archive, PATH="/nowhere:" + os.path.dirname(sys.executable)), f"1.2.0+1.g{commit} 1600000000", "an archive, on the path of this Python")
    with open(tree + "/core/version.py", "a", encoding="ascii") as file:
        file.write("# changed\n")
    verdict.equal(named(), f"1.2.0+1.g{commit}.changed 1600000000", "with changes")
    git("stash")
    git("tag", "v2.0-rc1")
    verdict.equal(named(), "2.0-rc1 1600000000", "a tag with a hyphen")
    header = os.path.join(folder, "version.h")
    status, _ = output("python3", tree + "/core/version.py", os.path.join(ROOT, "core/version.h.in"), header, "7.8.9", "2001-02-03", env=env)
    with open(header, encoding="ascii") as file:
        text = file.read()
    verdict.check(status == 0 and '"2.0-rc1"' in text and '"2020-09-13"' in text, f"header: {text}")


def check_paths():
    """Where it was built does not stand in the program."""
    with open(PROGRAM, "rb") as file:
        data = file.read()
    for place in {ROOT, BUILD, os.path.realpath(ROOT)}:
        verdict.check(place.encode() not in data, f"the program names {place}")
    verdict.check(b"../core/" not in data, "the program names files by where it was built from")


def main():
    with tempfile.TemporaryDirectory() as top:
        places = {name: os.path.join(top, name) for name in ("installed", "examples", "shells", "words", "service", "version")}
        for place in places.values():
            os.makedirs(place)
        root = check_installed(places["installed"])
        check_pages(root)
        check_examples(root, places["examples"])
        check_completion(root, places["shells"])
        check_words(root, places["words"])
        check_service(root, places["service"])
        check_version(places["version"])
        check_paths()
    return verdict.finish()


if __name__ == "__main__":
    sys.exit(main())
