#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# run.sh DIRECTORY: prove the Debian packages that `make deb` has built there.
# A second build elsewhere, out of a tree without git, has to give the same
# packages; lintian has to accept them and their sources; and on a bare system
# with Debian's own apache2 they are installed, upgraded, removed and purged
# (inside.pl).  That system is of this machine's release, has processes, mounts
# and a network of its own, in which there is nobody else, and is removed.
#
#   make deb CHECK=1           MIRROR=http://... for another than deb.debian.org
set -eu
cd "$(dirname "$0")/../.."

die() { printf 'deb: %s\n' "$*" >&2; exit 1; }
say() { printf '== %s\n' "$*"; }

[ "$(id -u)" = 0 ] || die "a bare system is made by root alone"
directory=$(readlink -f "$1")
source=$(echo "$directory"/mod-apache-manager-*/)
source=${source%/}
version=${source##*/mod-apache-manager-}
next_version=$version+next
suite=$(. /etc/os-release && echo "$VERSION_CODENAME")

work=$(mktemp -d /var/tmp/amgr-deb-XXXXXX)
trap 'umount -l "$work/root/proc" 2>/dev/null || :
      rm -rf --one-file-system "$work"' EXIT
trap 'exit 1' INT TERM HUP

# build TREE [DPKG-BUILDPACKAGE'S OPTIONS]: the unit tests have run in the first.
build() {
    (cd "$1" && shift &&
     env -i PATH="$PATH" HOME=/nonexistent LC_ALL=C.UTF-8 TZ=Asia/Kolkata \
         DEB_BUILD_OPTIONS=nocheck dpkg-buildpackage -us -uc "$@") \
        > "$work/log" 2>&1 || { tail -n 40 "$work/log" >&2; exit 1; }
}

say "the same packages from another place, at another time, without git"
again=$work/elsewhere/mod-apache-manager-$version
SOURCE_DATE_EPOCH=$(dpkg-parsechangelog -l "$source/debian/changelog" \
                        -S Timestamp)
export SOURCE_DATE_EPOCH
"$source/conf/debian/source.sh" "$again" "$version"
(umask 027; build "$again")
for package in "$directory"/*.deb; do
    cmp "$package" "${again%/*}/${package##*/}" ||
        die "${package##*/} is another when it is built again"
    sha256sum "${again%/*}/${package##*/}" | sed "s|$work/elsewhere/||"
done

say "hardening"
AMGR_BUILD=$source/build AMGR_FORTIFIED=yes prove t/lint/hardening.t \
    t/lint/exports.t
say "lintian"
lintian --allow-root --fail-on error,warning -I --pedantic \
    "${again%/*}"/*.changes

# files_of PACKAGE...: what is in them but documents, as make install has it.
files_of() {
    local package
    for package in "$@"; do
        dpkg-deb -c "$package"
    done | sed -n 's|^-.* \./|/|p' | grep -v '^/usr/share/doc/' |
        sed 's|\(/man/.*\)\.gz$|\1|' | sort
}

say "make install, and where it looks for its parts"
for prefix in /usr /usr/local; do
    installed=$work/installed$prefix/of
    env -i PATH="$PATH" LC_ALL=C.UTF-8 make -s -C "$again" install \
        PREFIX="$prefix" DESTDIR="$installed" > "$work/log"
    place=$prefix/libexec/apache-manager
    [ -x "$installed$place/apache-manager-fetch" ] || die "no $place"
    for file in "$prefix/bin/apache-manager" \
        /usr/lib/apache2/modules/mod_apache_manager.so; do
        found=$(grep -ao '/usr/\([a-z]*/\)*libexec/apache-manager' \
                    "$installed$file" | sort -u)
        [ "$found" = "$place" ] || die "$file looks in '$found', not in $place"
    done
done
diff <(files_of "$directory"/apache-manager_*.deb "$directory"/lib*-manager_*.deb) \
    <(cd "$work/installed/usr/of" && find . -type f ! -path './usr/share/doc/*' |
      sed 's|^\.||' | sort) || die "the packages have other files"

say "the next version"
conf/debian/source.sh "$work/next/mod-apache-manager" "$next_version"
sed -i "s/^\(#define AMGR_VERSION \).*/\1\"$next_version\"/" \
    "$work/next/mod-apache-manager/src/base/base.h"
for file in load conf; do
    echo '# next' >> "$work/next/mod-apache-manager/conf/apache_manager.$file"
done
build "$work/next/mod-apache-manager" -b

say "a bare system: $suite with apache2"
root=$work/root
depends=$(dpkg-deb -f "$directory/apache-manager_$version"_*.deb Depends |
          sed 's/ *([^)]*)//g; s/ //g')
mmdebstrap --quiet --variant=apt \
    --include="apache2,curl,iproute2,util-linux,$depends" \
    "$suite" "$root" ${MIRROR:+"$MIRROR"}
chmod 755 "$work" "$root"
mkdir "$root/packages" "$root/packages/first" "$root/packages/next"
cp t/deb/inside.pl conf/debian/tests/serves "$root/packages"
cp "$directory"/apache-manager_*.deb "$directory"/libapache2-mod-*r_*.deb \
    "$root/packages/first"
cp "$work/next"/apache-manager_*.deb "$work/next"/libapache2-mod-*r_*.deb \
    "$root/packages/next"

say "the life of the packages in it"
# Within another chroot mounts cannot be made private.  The shell stays, to reap
# what loses its parent.
mount=
unshare --mount true 2>/dev/null && mount=--mount
unshare $mount --pid --net --uts --ipc --fork --kill-child sh -eu -c '
    mount -t proc proc "$0/proc"
    env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
        DEBIAN_FRONTEND=noninteractive AMGR_BARE_SYSTEM=yes \
        chroot "$0" "$@"
    exit' "$root" \
    prove -v --exec perl \
        /packages/inside.pl :: /packages/first /packages/next \
        "$version" "$next_version"
say "check: built twice alike, accepted by lintian, installed, upgraded, purged"
