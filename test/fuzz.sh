#!/usr/bin/env bash
# test/fuzz.sh MINUTES [TARGET...]: builds the fuzz targets (clang, address+undefined) and runs each
# for MINUTES, one after the other. What they learn is kept in build-fuzz/corpus/TARGET, an input that
# breaks one in build-fuzz/found/. Ends at the first failure.
set -euo pipefail
cd "$(dirname "$0")/.."
[[ ${1:-} =~ ^[0-9]+$ ]] || { sed -n 2,4p "$0"; exit 2; }
seconds=$(($1 * 60)); shift
[[ -f build-fuzz/build.ninja ]] || CC=clang meson setup build-fuzz -Dfuzz=true \
  --buildtype=debugoptimized -Db_sanitize=address,undefined -Db_lundef=false -Dc_args=-fsanitize=fuzzer-no-link
ninja -C build-fuzz
mkdir -p build-fuzz/found
[[ $# -gt 0 ]] || set -- $(cd test && ls fuzz_*.c | sed 's/\.c$//')
for target in "$@"; do
  corpus=build-fuzz/corpus/$target; mkdir -p "$corpus"
  echo "== $target, $seconds s"
  "build-fuzz/test/$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
    -print_final_stats=1 -verbosity=0 -artifact_prefix=build-fuzz/found/ "$corpus"
done
