#!/usr/bin/env bash
# package.sh [DIR]: the Debian package of this tree, into DIR (build-package). Installs what building it takes (as root).
# It builds in a copy: Debian's files lie in core/debian/, its control and changelog are made here, and the packages that
# the build needs stand in core/packages.sh. The same commit gives the same package, wherever and whenever it is built.
#
# MAINTAINER="Name <mail>" says who answers for the package.
set -euo pipefail
cd "$(dirname "$0")/.."
export LC_ALL=C.UTF-8
umask 022
. core/packages.sh

out=${1:-build-package}
maintainer=${MAINTAINER:-The yamiscope authors <authors@yamiscope.invalid>}
packages_install "${packages_to_build[@]}" "${packages_to_package[@]}"

release=$(sed -n "s/^  version: '\(.*\)',/\1/p" meson.build)
date=$(sed -n "s/^release_date = '\(.*\)'.*/\1/p" meson.build)
read -r version seconds < <(python3 core/version.py --release "$release" "$date")

temporary=$(mktemp -d)
trap 'rm -rf "$temporary"' EXIT
tree=$temporary/yamiscope
mkdir "$tree"

# What git knows, as it is now; of an archive everything but what was built.
if git ls-files --error-unmatch core/package.sh >/dev/null 2>&1; then
  git ls-files -z | while IFS= read -r -d '' name; do [[ ! -e $name ]] || printf '%s\0' "$name"; done
else
  find . -path './build*' -prune -o -type f -print0
fi | tar -c --null -T - | tar -x -C "$tree"
line=$(python3 core/version.py --line)
[[ -z $line ]] || echo "$line" >"$tree/core/version.txt"

# Packages that are in every build environment are not named.
needs=()
for name in "${packages_to_build[@]}"; do
  [[ $name == @(gcc|libc6-dev) ]] || needs+=("$name")
done
cp -r core/debian "$tree/debian"
needs=$(IFS=,; echo "${needs[*]}")
sed "s/@BUILD_DEPENDS@/${needs//,/, }/; s/@MAINTAINER@/$maintainer/" core/debian/control.in >"$tree/debian/control"
rm "$tree/debian/control.in"
# v1.0-rc1 comes before 1.0.
cat >"$tree/debian/changelog" <<END
yamiscope (${version//-/\~}) stable; urgency=medium

  * Built from its sources: README.md says what changed.

 -- $maintainer  $(LC_ALL=C date -u -R -d "@$seconds")
END

# Nothing of the caller's settings but these.
(cd "$tree" && env -i HOME="$temporary" PATH="$PATH" LC_ALL="$LC_ALL" ${CCACHE_DISABLE+CCACHE_DISABLE=1} \
  DEB_BUILD_OPTIONS="${DEB_BUILD_OPTIONS-}" dpkg-buildpackage -b -us -uc) >"$temporary/log" 2>&1 ||
  { tail -40 "$temporary/log" >&2; exit 1; }
mkdir -p "$out"
cp "$temporary"/*.deb "$temporary"/*.changes "$temporary"/*.buildinfo "$out"
ls "$out"/yamiscope_"${version//-/\~}"_*.deb
