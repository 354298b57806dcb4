#!/usr/bin/env bash
# Builds and judges everything, on a machine where nothing need be there but Debian 12: installs
# what is missing (as root), then a normal build (gcc) with all tests, and one of clang with address+undefined checks: all unit
# tests, judges that read captures (`test/run.sh long`: nearly all judges), and some seconds of every fuzz target. Ends with one line,
# "N passed, N failed[, N skipped]"; 0 only when nothing failed.
set -uo pipefail
cd "$(dirname "$0")/.."
export LC_ALL=C.UTF-8
. core/packages.sh

step() { printf '\n== %s\n' "$*"; }

give_up() { printf '\nfailed: %s\n0 passed, 1 failed\n' "$*"; exit 1; }

# build_made DIR TARGET MESON-OPTIONS...: configured (again: what was missing before may be there now) and built.
build_made()
{
  local dir=$1 log=$1.log target=$2 again=(); shift 2
  [[ ! -f $dir/build.ninja ]] || again=(--reconfigure)
  meson setup "${again[@]}" "$dir" "$@" >"$log" 2>&1 || { tail -30 "$log"; give_up "meson setup $dir"; }
  rm -f "$log" "$dir"/meson-logs/*.json
  if ! ninja -C "$dir" "$target" >"$dir/build.log" 2>&1; then
    grep -E -A8 "FAILED|error:" "$dir/build.log" | head -60
    give_up "ninja -C $dir"
  fi
  grep -E 'warning:' "$dir/build.log" | sort -u | head -20
}

# build_begun DIR ...: the same beside tests, many of which wait, with what they leave of the processors. In a session of its own: by
# that it is ended, and where the kernel shares processors out by session (sched_autogroup), the session has to be nice.
declare -A begun
trap 'for session in "${begun[@]}"; do kill -- "-$session" 2>/dev/null; done' EXIT
export -f build_made give_up
build_begun()
{
  mkdir -p "$1"
  nice -n 19 setsid bash -c '{ echo 19 >/proc/self/autogroup; } 2>/dev/null; build_made "$@"; true' begun "$@" >"$1/said" 2>&1 </dev/null &
  begun[$1]=$!
}

# build_ended DIR: waits for it, and says what it said.
build_ended()
{
  local status=0
  wait "${begun[$1]}" || status=1
  unset "begun[$1]"
  cat "$1/said"
  [[ $status = 0 ]] || exit 1
}

# tests_run DIR LOG PROCESSES MESON-TEST-OPTIONS...: results are read by summary.py from the logs, DIR/meson-logs/LOG.json.
tests_run()
{
  local dir=$1 log=$2 processes=$3; shift 3
  meson test -C "$dir" --no-rebuild --logbase "$log" --num-processes "$processes" "$@" </dev/null 2>&1 |
    grep --line-buffered -E '^ *[0-9]+/[0-9]+ '
  [[ -f $dir/meson-logs/$log.json ]] || give_up "no test of $dir ran ($log)"
}

step "Packages"
first=("${packages_to_build[@]}" "${packages_to_build_tests[@]}")
[[ $(id -u) = 0 ]] || first+=("${packages_to_test[@]}") # who has to install them by hand is told of all at once
packages_install "${first[@]}" || give_up "packages are missing"
others=$(mktemp)
packages_install "${packages_to_test[@]}" >"$others" 2>&1 & # beside the build, which needs none of them
installing=$!

# CI alone turns warnings into errors: another compiler's new warning must not stop a user. (And not
# under the sanitizers, whose checks mislead gcc's warnings.)
warnings=(); [[ ${CI:-} != true ]] || warnings=(--werror)

step "Normal build"
build_made build all "${warnings[@]}"
wait "$installing" || { cat "$others"; give_up "packages are missing"; }
cat "$others"; rm -f "$others"
# One build for the sanitizers and the fuzzers. -O2 -g: twice as long.
CC=clang build_begun build-checks all -Dfuzz=true -Doptimization=1 -Ddebug=false -Db_sanitize=address,undefined -Db_lundef=false \
  -Dc_args='-g1 -fsanitize=fuzzer-no-link'
tests_run build units 4 --suite unit # most of their time they wait
tests_run build judges 3 --no-suite unit --no-suite fuzz # many wait, too

step "Address and undefined sanitizers"
build_ended build-checks
export ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
long=(); [[ ${1:-} != long ]] || long=(--suite long)
tests_run build-checks units 4 --suite unit
tests_run build-checks judges 3 --suite sanitize "${long[@]}"

step "Fuzz targets, some seconds each (test/fuzz.sh MINUTES runs them longer)"
tests_run build-checks targets 2 --suite fuzz

step "Summary"
exec /usr/bin/python3 test/summary.py build build-checks
