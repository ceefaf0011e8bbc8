#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# run.sh BUILD [FILE...]: `make analyze` from within.  gcc -fanalyzer, clang-tidy
# and cppcheck over every source file of the module, the tool and its helper, or
# over these; with the commands of BUILD/compile_commands.json.  Each tool's
# findings, a line that sums them up, and exit status 1 when there is one.
#
# What is disabled, and why: .clang-tidy here and in folders of src/,
# t/analyze/cppcheck.txt, and the flags below.
set -u
cd "$(dirname "$0")/../.." || exit 2

build=$1
shift
files=("$@")
if [ ${#files[@]} = 0 ]; then
    mapfile -t files < <(sed -n 's/.*"file": "\([^"]*\)".*/\1/p' \
        "$build/compile_commands.json")
fi
if [ ${#files[@]} = 0 ]; then
    echo "$build/compile_commands.json names no file" >&2
    exit 2
fi
jobs=${JOBS:-$(nproc)}
out=$(mktemp -d) || exit 2
trap 'rm -rf "$out"' EXIT
status=0

# -Wnull-dereference is not in the build for the unit tests' sake, which look at
# what they have just put somewhere.
gcc_flags=(-O2 -fanalyzer -Wnull-dereference)

run_gcc() {
    python3 - "$build/compile_commands.json" "${files[@]}" <<'PYTHON' |
import json, shlex, sys
wanted = set(sys.argv[2:])
for entry in json.load(open(sys.argv[1])):
    if entry['file'] in wanted:
        words = shlex.split(entry['command'])[1:]
        print(' '.join(shlex.quote(w) for w in words))
PYTHON
        xargs -d '\n' -P "$jobs" -I{} sh -c "gcc ${gcc_flags[*]} {} -o /dev/null"
}

# One process for each: clang 14 carries what it knows of a va_list over.
run_tidy() {
    printf '%s\n' "${files[@]}" |
        xargs -P "$jobs" -n 1 clang-tidy --quiet -p "$build"
}

run_cppcheck() {
    cppcheck --enable=warning,style,performance,portability --quiet \
        --std=c11 --library=posix,gnu --library=t/analyze/cppcheck.cfg \
        --suppressions-list=t/analyze/cppcheck.txt -j "$jobs" -Isrc \
        -DLINUX -D_GNU_SOURCE -DAMGR_FETCH_DIR='"/"' --error-exitcode=1 \
        --template='{file}:{line}: warning: {message} [{id}]' "${files[@]}"
}

# tool NAME FUNCTION: whatever fails without a finding is one, too.
tool() {
    local name=$1 failed=0 found
    "$2" > "$out/$name.txt" 2>&1 || failed=1
    found=$(grep -cE ': (warning|error): ' "$out/$name.txt")
    if [ "$failed" = 1 ] || [ "$found" != 0 ]; then
        grep -vE '^[0-9]+ warnings? (generated|treated)' "$out/$name.txt"
        status=1
    fi
    summary+=$(printf '%-16s %4d files, %d findings%s' "$name" \
        "${#files[@]}" "$found" \
        "$([ "$failed" = 0 ] || [ "$found" != 0 ] || echo ', and it failed')")
    summary+=$'\n'
}

summary=
tool gcc-analyzer run_gcc
tool clang-tidy run_tidy
tool cppcheck run_cppcheck
printf '%s' "$summary"
exit "$status"
