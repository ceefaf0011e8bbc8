#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# deps.sh PACKAGE...: see that these Debian packages are installed.  As root,
# installs what is missing, with services kept from starting; otherwise names
# it in one line with the command to run.  PACKAGE/COMMAND is not missing where
# the command comes from elsewhere.
set -eu

missing=
for word in "$@"; do
    package=${word%%/*}
    if [ "$package" != "$word" ] && command -v "${word#*/}" >/dev/null; then
        continue
    fi
    case $(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null) in
    ii*) ;;
    *) missing="$missing $package" ;;
    esac
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null; then
    echo "needed, by Debian's names:$missing" >&2
    exit 1
fi
if [ "$(id -u)" != 0 ]; then
    echo "missing packages; as root: apt-get install --no-install-recommends$missing" >&2
    exit 1
fi

echo "installing:$missing"
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' > "$policy"
    chmod +x "$policy"
    trap 'rm -f "$policy"' EXIT
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -q >/dev/null
# shellcheck disable=SC2086 # a list of words
apt-get install -y -q --no-install-recommends $missing >/dev/null
