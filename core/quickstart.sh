#!/usr/bin/env bash
# From a fresh checkout to a first result: installs what is missing (as root), builds into build/,
# makes a sample capture of darknet traffic and replays it. Needs no server and no configuration.
set -euo pipefail
cd "$(dirname "$0")/.."
export LC_ALL=C.UTF-8
. core/packages.sh

step() { printf '\n== %s\n' "$*"; }

step "1/4  What yamiscope stands on"
packages_install "${packages_to_build[@]}"
echo "All there."

step "2/4  Build"
[[ -f build/build.ninja ]] || meson setup build >build.log || { tail -20 build.log >&2; exit 1; }
rm -f build.log
ninja -C build --quiet 2>/dev/null || ninja -C build
build/yamiscope --version

step "3/4  A sample: one hour of darknet traffic, made up but believable"
sample=build/sample
rm -rf "$sample"; mkdir -p "$sample"
build/yamiscope synth -o "$sample/darknet.pcap" --packets 1M --sources 50k --span 1h

step "4/4  Replay it"
build/yamiscope replay "$sample/darknet.pcap" -o "$sample/feed"
build/yamiscope verify "$sample/feed"

cat <<EOF

Done. Where to go on:
  build/yamiscope replay YOUR.pcap.gz            your own capture: pcap or pcapng, plain or compressed
  build/yamiscope replay --json YOUR.pcap.gz     the same for programs
  build/yamiscope explain $sample/darknet.pcap   why each packet counts as what it counts
  build/yamiscope --help                         all commands
  README.md                                      what the numbers mean
EOF
