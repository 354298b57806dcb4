#!/usr/bin/env bash
# deb.sh [BARE-ROOT]: judges the Debian package of HEAD from outside, in some minutes; as root, with a network.
#
# - It is built twice: of a clone in one place, and of an archive that no git knows in another, deeper one, at another
#   time of the clock's zone and without a compiler cache. Program and package must be the same, byte for byte.
# - lintian finds nothing but what core/debian/ gives a reason for.
# - In a bare Debian 12 (BARE-ROOT, of which a copy is used, or one that debootstrap makes) apt installs it. There the
#   program makes a capture, replays it, and verifies what it wrote; the service is neither enabled nor running; a
#   config that somebody changed outlives the package's next version; a purge leaves feeds.
#
# Ends with "N passed, N failed"; 0 only where nothing failed.
set -uo pipefail
cd "$(dirname "$0")/.."
export LC_ALL=C.UTF-8 CCACHE_DISABLE=1
. core/packages.sh

passed=0 failed=0
check() # check TEXT COMMAND...
{
  local text=$1; shift
  if "$@" >"$work/said" 2>&1; then
    passed=$((passed + 1)); echo "ok: $text"
  else
    failed=$((failed + 1)); echo "failed: $text"; tail -20 "$work/said" | sed 's/^/    /'
  fi
}
finish() { echo "$passed passed, $failed failed"; [[ $failed -eq 0 && $passed -gt 0 ]]; exit; }

[[ $(id -u) -eq 0 ]] || { echo "not run: needs root for a bare Debian 12"; exit 77; }
packages_install "${packages_to_build[@]}" "${packages_to_package[@]}" "${packages_to_judge_package[@]}" || exit 1
work=$(mktemp -d)
trap 'rm -rf --one-file-system "$work"' EXIT

# Two trees of the same commit: with git and without, where there is git.
mkdir -p "$work/one" "$work/two/much deeper/and elsewhere"
elsewhere="$work/two/much deeper/and elsewhere"
if git rev-parse --verify -q HEAD >/dev/null 2>&1; then
  git clone -q . "$work/one/tree" && git archive HEAD | tar -x -C "$elsewhere"
else
  mkdir "$work/one/tree"
  tar -c --exclude='./build*' . | tee >(tar -x -C "$work/one/tree") | tar -x -C "$elsewhere"
fi

check "builds" "$work/one/tree/core/package.sh" "$work/first"
mkdir -p "$work/two/another/temporary/folder"
check "builds elsewhere" env TZ=Asia/Tokyo TMPDIR="$work/two/another/temporary/folder" \
  bash -c 'umask 027; exec "$0" "$1"' "$elsewhere/core/package.sh" "$work/second"
deb=$(ls "$work"/first/yamiscope_*.deb)
again=$(ls "$work"/second/yamiscope_*.deb)
dpkg-deb -x "$deb" "$work/first/files"
dpkg-deb -x "$again" "$work/second/files"
sha256sum "$deb" "$again" "$work"/{first,second}/files/usr/bin/yamiscope | sed "s|$work/||"
check "the program is the same" cmp "$work"/{first,second}/files/usr/bin/yamiscope
check "the package is the same" cmp "$deb" "$again"
check "the debug package is the same" cmp "$work"/{first,second}/yamiscope-dbgsym_*.deb
check "lintian" lintian --fail-on error,warning --suppress-tags bogus-mail-host --allow-root "$work"/first/*.changes

# A bare root, and the package in it.
root=$work/bare
if [[ -n ${1:-} ]]; then
  cp -a "$1" "$root"
else
  mirror=$(apt-get indextargets --format '$(CODENAME) $(REPO_URI)' 'Created-By: Packages' | awk '$1 == "bookworm" { print $2; exit }')
  check "debootstrap" debootstrap --variant=minbase --include=ca-certificates bookworm "$root" "${mirror:-http://deb.debian.org/debian}"
  cp -a /etc/apt/. "$root/etc/apt/"
  cp -a /usr/share/keyrings/. "$root/usr/share/keyrings/"
  cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
fi
cp "$deb" "$root/yamiscope.deb"

# bare COMMAND: in the root, with mounts that end with it.
bare()
{
  unshare --mount --pid --fork --propagation private bash -c '
    mount --rbind /dev "$0/dev" && mount -t proc proc "$0/proc" && mount --rbind /sys "$0/sys" &&
    exec env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin TERM=dumb DEBIAN_FRONTEND=noninteractive chroot "$0" sh -ec "$1"' "$root" "$1" </dev/null
}

check "apt installs it" bare 'apt-get update && apt-get install -y --no-install-recommends /yamiscope.deb'
check "nothing of it is broken" bare 'test -z "$(dpkg --audit)" && test "$(dpkg-query -W -f "\${db:Status-Status}" yamiscope)" = installed'
check "its version is the package's" bare 'yamiscope --version | grep -qxF "yamiscope $(dpkg-query -W -f "\${Version}" yamiscope | tr "~" -)"'
check "synth, replay" bare 'cd /tmp && yamiscope synth -o darknet.pcap --packets 1M --sources 50k && yamiscope replay darknet.pcap -o feed --json | grep -q "\"packets\": 1000000,"'
check "verify, report" bare 'cd /tmp && yamiscope verify feed && yamiscope report feed'
check "the service is not enabled" bare '! systemctl is-enabled yamiscope && ! ls /etc/systemd/system/*.wants/yamiscope.service'
check "the unit is one" bare '! systemd-analyze verify --man=no yamiscope.service 2>&1 | grep yamiscope'
modes='755 root:root /etc/yamiscope
600 yamiscope:yamiscope /etc/yamiscope/live.yaml
750 yamiscope:yamiscope /var/lib/yamiscope
700 yamiscope:yamiscope /var/lib/yamiscope/recordings
700 yamiscope:yamiscope /var/cache/yamiscope'
check "its folders" bare "test \"\$(stat -c '%a %U:%G %n' /etc/yamiscope /etc/yamiscope/live.yaml /var/lib/yamiscope /var/lib/yamiscope/recordings /var/cache/yamiscope)\" = '$modes'"
check "its user reads its config" bare 'printf "from: [pcap:lo]\nout: /var/lib/yamiscope/feed\n" >/etc/yamiscope/live.yaml && setpriv --reuid yamiscope --regid yamiscope --clear-groups yamiscope check /etc/yamiscope/live.yaml'
check "a changed config outlives an update" bare 'apt-get install -y --reinstall /yamiscope.deb && grep -q pcap:lo /etc/yamiscope/live.yaml && test "$(stat -c %a:%U /etc/yamiscope/live.yaml)" = 600:yamiscope'
check "a purge leaves feeds" bare 'cp -r /tmp/feed /var/lib/yamiscope/ && apt-get purge -y yamiscope && test -d /var/lib/yamiscope/feed && test ! -e /var/cache/yamiscope && test ! -e /etc/yamiscope/live.yaml && ! command -v yamiscope'
finish
