#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# run.sh BUILD TESTS: `make coverage` from within.  Builds everything with
# clang's counters below BUILD, runs TESTS, and reports which lines ran.
#
# Half of the module's processes end by _exit() or by a signal, so nothing can
# be written at their end.  The counters are a shared mapping of their file
# instead: whatever ran is counted the moment it does, in every fork.
set -u

build=$1 tests=$2
make=${MAKE:-make}

# Where servers and ordinary users can write to, wherever the checkout is; the
# name is built into the programs, which often have no environment.
raw=/tmp/amgr-coverage-$(id -u)-$(pwd -P | cksum | cut -d ' ' -f 1)
if [ -L "$raw" ] || { [ -e "$raw" ] && [ ! -O "$raw" ]; }; then
    echo "$raw is not ours" >&2
    exit 1
fi
rm -rf "$raw"
mkdir -m 0700 "$raw" || exit 1
trap 'rm -rf "$raw"' EXIT
chmod 0777 "$raw"

# Tests of what fails know places by the names of their functions.
flags=(BUILD="$build" CC=clang WARN=-w
       CFLAGS="-O1 -g -fno-inline -fcoverage-mapping -mllvm -runtime-counter-relocation"
       SANITIZE="-fprofile-instr-generate=$raw/%c%m.profraw")
"$make" -j "$(nproc)" "${flags[@]}" tested || exit 1

# Whose tests come first must not own the files.
"$build/apache-manager" --version >/dev/null || exit 1
"$build/apache-manager-fetch" </dev/null >/dev/null 2>&1
"${HTTPD:?}" -d / -f /dev/null -t >/dev/null 2>&1 \
    -C "LoadModule mpm_event_module ${LIBEXECDIR:?}/mod_mpm_event.so" \
    -C "LoadModule apache_manager_module $PWD/$build/mod_apache_manager.so"
chmod 0666 "$raw"/*.profraw || exit 1

AMGR_COVERAGE=1 "$make" "${flags[@]}" TESTS="$tests" check
tested=$?

objects=("$build/mod_apache_manager.so")
for program in "$build"/{apache-manager,apache-manager-fetch} \
    "$build"/{unit,fuzz}/*; do
    [ ! -x "$program" ] || objects+=(-object "$program")
done
llvm-profdata merge -sparse -o "$build/coverage.profdata" "$raw"/*.profraw ||
    exit 1
llvm-cov export -format=lcov -instr-profile="$build/coverage.profdata" \
    "${objects[@]}" src mod_apache_manager.c > "$build/coverage.lcov" ||
    exit 1
perl t/coverage/report.pl "$build/coverage.lcov" "$build/uncovered.txt"
covered=$?
[ "$tested" = 0 ] || echo "some tests failed" >&2
[ "$tested" = 0 ] && [ "$covered" = 0 ]
