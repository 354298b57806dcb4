#!/usr/bin/env bash
# test/chaos.sh [ROUNDS|MINUTESm] [SEED]: breaks what a running `live` stands on, in as many rounds (20), or for as many minutes
# (15m), and says after each what no longer holds. The same seed does the same things in the same order; CHAOS_ONLY="clock_far kill" does
# those alone. BUILD names the build folder (build). Needs root or user namespaces; nothing outside its own network namespace hears of it. Exit 1: something was lost.
set -euo pipefail
cd "$(dirname "$0")"
build=$(realpath -m "${BUILD:-../build}")
[[ -x $build/yamiscope ]] || { echo "no $build/yamiscope: meson setup build && ninja -C build" >&2; exit 2; }
export YAMISCOPE=$build/yamiscope SET_CLOCK_LIBRARY=$build/test/libset_clock.so CHAOS_FOUND=$build/chaos-found
exec /usr/bin/python3 chaos.py "$@"
