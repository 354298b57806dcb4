#!/usr/bin/env bash
# bench/run.sh [table.py's options and groups]: installs what it compares with, builds, and prints one table (bench/table.py).
# The whole of it takes an hour on two cores, 12 GB of disk and 12 GB of memory; `bench/run.sh --packets 5M --runs 3 replay field`
# some minutes. Nothing else should run beside it.
set -euo pipefail
cd "$(dirname "$0")/.."
export LC_ALL=C.UTF-8
. core/packages.sh
packages_install "${packages_to_build[@]}" "${packages_to_bench[@]}"
[[ -f build/build.ninja ]] || meson setup build >/dev/null
ninja -C build >/dev/null
exec /usr/bin/python3 bench/table.py "$@"
