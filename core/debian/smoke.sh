#!/bin/sh
# smoke.sh PROGRAM: it makes a capture, replays it, and what it wrote holds.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"$1" synth -o "$dir/darknet.pcap" --packets 100k --sources 5k
"$1" replay "$dir/darknet.pcap" -o "$dir/feed" --top 3
"$1" verify "$dir/feed"
