# The Debian packages that yamiscope needs, and how to get the missing ones. Sourced by
# core/quickstart.sh (what builds it), core/package.sh (what makes a package of it) and test/run.sh (what judges it, too).

packages_to_build=(
  gcc libc6-dev pkg-config meson ninja-build python3
  libdpdk-dev libpcap-dev libjemalloc-dev
  libisal-dev libzstd-dev liblzma-dev libbz2-dev liblz4-dev
  libyaml-dev libmd-dev libmaxminddb-dev nettle-dev libjansson-dev libprotobuf-c-dev protobuf-c-compiler
  libhiredis-dev
  libmicrohttpd-dev zlib1g-dev libcurl4-openssl-dev
  libjs-chart.js
)

# Hyperscan is for x86; elsewhere Vectorscan takes its place, where there is one.
[[ $(uname -m) != x86_64 ]] || packages_to_build+=(libhyperscan-dev)

# What core/package.sh makes a Debian package with.
packages_to_package=(build-essential dpkg-dev debhelper)

# What test/deb.sh judges that package with.
packages_to_judge_package=(lintian debootstrap util-linux)

# What test/run.sh builds the tests with, too, and what it judges with.
packages_to_build_tests=(libcmocka-dev)
packages_to_test=(
  clang libclang-rt-14-dev clang-format
  libreoffice-calc-nogui
  python3-yaml python3-cryptography python3-protobuf python3-maxminddb mmdb-bin protobuf-compiler
  chromium fonts-ipafont-gothic
  redis-server python3-redis
  prometheus openssl curl
  tshark xz-utils bzip2 zstd lz4 gzip
  iproute2 tcpreplay util-linux procps dpdk-dev systemd
  mandoc groff-base man-db zsh fish git
)

# What bench/run.sh measures beside, and with.
packages_to_bench=(
  libcmocka-dev python3-yaml tcpdump tshark wireshark-common nfdump argus-server softflowd
  isal zstd redis-server redis-tools curl
)

# packages_install NAME...: installs those that are not there. Says what to do where it may not.
packages_install()
{
  command -v dpkg-query >/dev/null || { echo "not a Debian system: these must be there: $*" >&2; return 0; }
  local name missing=()
  for name in "$@"; do
    # A line for each architecture; of a package that is only known: not-installed.
    dpkg-query -W -f '${db:Status-Status}\n' "$name" 2>/dev/null | grep -qx installed || missing+=("$name")
  done
  [[ ${#missing[@]} -gt 0 ]] || return 0
  if [[ $(id -u) -ne 0 ]]; then
    echo "Some packages are missing. Install them and start again:" >&2
    echo "  sudo apt-get install --no-install-recommends ${missing[*]}" >&2
    return 1
  fi
  echo "Installing ${#missing[@]} packages: ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  local log; log=$(mktemp)
  if ! { apt-get update && apt-get install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1 </dev/null; then
    tail -20 "$log" >&2; rm -f "$log"; return 1
  fi
  rm -f "$log"
}
