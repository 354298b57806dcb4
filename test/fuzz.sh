#!/usr/bin/env bash
# test/fuzz.sh MINUTES [TARGET...]: builds the fuzz targets (clang, address+undefined), seeds them out of what `synth` makes, and runs
# all, or those named, for MINUTES in total, one after the other. What they learn is kept in build-fuzz/corpus/TARGET, an input
# that breaks one in build-fuzz/found/. Says of each how many inputs it ran and how many places of code it reached; ends at the
# first failure.
set -euo pipefail
cd "$(dirname "$0")/.."
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
[[ ${1:-} =~ ^[1-9][0-9]*$ ]] || { sed -n 2,5p "$0"; exit 2; }
minutes=$1; shift
[[ -f build-fuzz/build.ninja ]] || CC=clang meson setup build-fuzz -Dfuzz=true \
  --buildtype=debugoptimized -Db_sanitize=address,undefined -Db_lundef=false -Dc_args=-fsanitize=fuzzer-no-link
ninja -C build-fuzz yamiscope $(cd test && ls fuzz_*.c | sed 's|\(.*\).c$|test/\1|')
mkdir -p build-fuzz/found
ASAN_OPTIONS=detect_leaks=0 /usr/bin/python3 test/fuzz_seeds.py "$PWD/build-fuzz/yamiscope" build-fuzz/corpus
[[ $# -gt 0 ]] || set -- $(cd test && ls fuzz_*.c | sed 's/\.c$//')
seconds=$((minutes * 60 / $#)); [[ $seconds -gt 0 ]] || seconds=1
total=0
for target in "$@"; do
  corpus=build-fuzz/corpus/$target log=build-fuzz/$target.log; mkdir -p "$corpus"
  if ! "build-fuzz/test/$target" -max_total_time="$seconds" -timeout=60 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix=build-fuzz/found/ "$corpus" >"$log" 2>&1; then
    tail -60 "$log"; echo "$target: FAILED"; exit 1
  fi
  runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  cover=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -1)
  echo "$target: $runs inputs in $seconds s, $cover places, $(ls "$corpus" | wc -l) kept"
  total=$((total + runs))
done
echo "$# targets, $total inputs, nothing found"
