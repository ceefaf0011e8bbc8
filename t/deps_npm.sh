#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# deps_npm.sh DIRECTORY: see that the npm packages of t/package-lock.json are in
# DIRECTORY/node_modules, at those versions and with those contents.  Fetches
# what is missing; where it cannot, says so in one line.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
cd "$1"

# Copied last, so that it vouches for the rest.
if cmp -s "$here/package-lock.json" have.json; then
    exit 0
fi
echo "fetching from npm: what t/package.json names"
rm -f have.json
cp "$here/package.json" "$here/package-lock.json" .
if ! npm ci --ignore-scripts --no-audit --no-fund >npm.log 2>&1; then
    echo "missing, and npm could not fetch it: what t/package.json names; see $(pwd)/npm.log" >&2
    exit 1
fi
cp package-lock.json have.json
