#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# source.sh DIRECTORY VERSION: copy the sources there, with debian/ in place,
# for dpkg-buildpackage.  What git knows, or all but what is built where there is
# no git.  All files have the date of the changelog: SOURCE_DATE_EPOCH, else that
# of the last commit, else that of the newest file.
set -eu

directory=$1
version=$2
cd "$(dirname "$0")/../.."

# What is built, here or by dpkg-buildpackage, is no source.
find_files() {
    find . \( -path ./build -o -path ./.git -o -path ./debian \) -prune -o \
        ! -type d -printf "$1"
}

if git rev-parse --show-prefix 2>/dev/null | grep -qx ''; then
    list_files() { git ls-files -z; }
    last_second() { git log -1 --format=%ct; }
else
    list_files() { find_files '%P\0'; }
    last_second() { find_files '%Ts\n' | sort -n | tail -n 1; }
fi
second=${SOURCE_DATE_EPOCH:-$(last_second)}

rm -rf "$directory"
mkdir -p "$directory"
list_files | tar --null --no-recursion --mtime="@$second" -cf - -T - |
    tar -xf - -C "$directory"
cp -R "$directory/conf/debian" "$directory/debian"
sed -e "s/@VERSION@/$version/" \
    -e "s/@DATE@/$(LC_ALL=C date -u -R -d "@$second")/" \
    "$directory/debian/changelog.in" > "$directory/debian/changelog"
rm "$directory/debian/changelog.in" "$directory/debian/source.sh"
