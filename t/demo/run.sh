#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The demonstration: a private httpd on 127.0.0.1 with limits set, a leaking
# application in it, a small client that makes it leak, and a backend beside it
# that httpd runs.  Runs until Ctrl-C; with CHECK=1 until it has seen the backend
# restarted and a leaking worker retired, or not.
#
#   t/demo/run.sh              PORT=8380 MPM=prefork by default
#   CHECK=1 t/demo/run.sh      exit status 0: it works
#
# Nothing of the system is touched, and everything started here ends with it.
set -u
cd "$(dirname "$0")/../.." || exit 2

build=${BUILD:-build}
module=$(readlink -f "${AMGR_MODULE:-$build/mod_apache_manager.so}")
mpm=${MPM:-prefork}
first_port=${PORT:-8380}
check=${CHECK:-}
user=www-data

httpd_pid=
client_pid=
web=
board_stayed=

say() { printf '%s\n' "$*"; }
die() { printf 'demo: %s\n' "$*" >&2; exit 1; }

is_live() { [ -n "$1" ] && [ -d "/proc/$1" ]; }

children_of() { cat "/proc/$1/task/$1/children" 2>/dev/null; }

# By pid, politely first; the children only when their parent left them.
end_all() {
    local rest pid i
    trap - EXIT INT TERM HUP
    is_live "$client_pid" && kill "$client_pid" && wait "$client_pid"
    if is_live "$httpd_pid"; then
        rest=$(children_of "$httpd_pid")
        kill -TERM "$httpd_pid"
        for ((i = 0; i < 150; i++)); do
            is_live "$httpd_pid" || break
            sleep 0.1
        done
        if is_live "$httpd_pid"; then
            say "demo: $httpd_pid does not end, killing it" >&2
            rest=$(children_of "$httpd_pid")
            kill -KILL "$httpd_pid"
            for pid in $rest; do
                kill -KILL "$pid"
            done
        fi
        wait "$httpd_pid"
    fi
    [ -e "$web/run/apache-manager.board" ] && board_stayed=1
    [ -n "$web" ] && rm -rf "$web"
} 2>/dev/null

finish() { end_all; exit "$1"; }

trap 'end_all' EXIT
trap 'say; say "ended"; finish 0' INT TERM
trap 'finish 0' HUP

# ---- what is needed --------------------------------------------------------

[ -e "$module" ] || die "$module is not built: run make first"
httpd=${HTTPD:-$(command -v apache2 httpd /usr/sbin/apache2 2>/dev/null |
                 head -n 1)}
[ -x "$httpd" ] || die "httpd is missing (Debian: apt-get install apache2-bin)"
modules=$("${APXS:-apxs}" -q LIBEXECDIR 2>/dev/null)
[ -e "$modules/mod_mpm_$mpm.so" ] || modules=/usr/lib/apache2/modules
[ -e "$modules/mod_mpm_$mpm.so" ] || die "there is no mod_mpm_$mpm.so"
[ -e "$modules/mod_wsgi.so" ] ||
    die "mod_wsgi is missing (Debian: apt-get install libapache2-mod-wsgi-py3)"
python=/usr/bin/python3 # one that other users may run
[ -x "$python" ] || die "$python is missing (Debian: apt-get install python3)"

# ---- files -----------------------------------------------------------------

# What workers read, and the socket that they send orders to, must be within
# their user's reach; a checkout under /root is not.
web=$(mktemp -d "${TMPDIR:-/tmp}/amgr-demo-XXXXXX") || die "no temporary directory"
chmod 755 "$web"
mkdir -m 755 "$web/htdocs" "$web/run"
cp t/demo/leak.wsgi t/demo/backend.py "$web"
cat > "$web/htdocs/index.html" <<'END'
<!doctype html><html lang="en"><title>mod_apache_manager</title>
<p><a href="/manager-status?refresh=1">Manager status</a>
<p>Leak by hand: <a href="/app/leak?mb=20">20 MB</a>,
sleep: <a href="/app/sleep?s=60">60 s</a>
<p><a href="/backend/">The backend</a>
END
chmod 644 "$web"/*.* "$web"/htdocs/*

write_config() {
    local root=$1 port=$2 backend=$3
    mkdir -p "$root/run" "$root/logs"
    : > "$root/logs/error.log"
    {
        cat <<END
LoadModule mpm_${mpm}_module $modules/mod_mpm_$mpm.so
LoadModule authz_core_module $modules/mod_authz_core.so
LoadModule authz_host_module $modules/mod_authz_host.so
LoadModule dir_module $modules/mod_dir.so
LoadModule wsgi_module $modules/mod_wsgi.so
LoadModule proxy_module $modules/mod_proxy.so
LoadModule proxy_http_module $modules/mod_proxy_http.so
LoadModule slotmem_shm_module $modules/mod_slotmem_shm.so
LoadModule proxy_balancer_module $modules/mod_proxy_balancer.so
LoadModule lbmethod_byrequests_module $modules/mod_lbmethod_byrequests.so
LoadModule apache_manager_module $module
END
        [ "$(id -u)" = 0 ] && printf 'User %s\nGroup %s\n' "$user" "$user"
        cat <<END
ServerRoot "$root"
DefaultRuntimeDir "$web/run"
PidFile "$root/run/httpd.pid"
ServerName 127.0.0.1
Listen 127.0.0.1:$port
DocumentRoot "$web/htdocs"
ErrorLog "$root/logs/error.log"
LogLevel notice
WSGISocketPrefix "$root/run/wsgi"
WSGIApplicationGroup %{GLOBAL}
WSGIDestroyInterpreter Off
<Directory "$web">
    Require local
</Directory>
WSGIScriptAlias /app "$web/leak.wsgi"
<Location "/manager-status">
    SetHandler manager-status
    ManagerControl On
    Require local
</Location>

# What stands beside the server, and gets requests while it is ready.
<ManagedProcess backend>
    Command $python $web/backend.py $backend
    RequireFree tcp://127.0.0.1:$backend
    Verify http http://127.0.0.1:$backend/ready interval=200ms
    Liveness http http://127.0.0.1:$backend/ready interval=2s
    MaxMemory 200M
    Gate balancer://backend http://127.0.0.1:$backend
</ManagedProcess>
<Proxy balancer://backend>
    BalancerMember http://127.0.0.1:$backend
</Proxy>
ProxyPass /backend/ balancer://backend/

# Small enough to be seen at work within a minute.
ManagerInterval 1s
ManagerMaxMemoryIdle 100M
ManagerMaxMemoryActive 200M
ManagerMaxTime 30s
ManagerMinAge 5s
END
        if [ "$mpm" = prefork ]; then
            printf '%s\n' 'StartServers 4' 'MinSpareServers 3' \
                'MaxSpareServers 6' 'ServerLimit 10' 'MaxRequestWorkers 8'
        else
            printf '%s\n' 'StartServers 2' 'ThreadsPerChild 4' \
                'MinSpareThreads 4' 'MaxSpareThreads 12' 'ServerLimit 6' \
                'MaxRequestWorkers 16'
        fi
    } > "$root/httpd.conf"
}

# ---- asking ----------------------------------------------------------------

port_is_taken() { (exec 3<> "/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# The whole answer to METHOD PATH, with a HEADER if there is a third word.
ask() {
    local line
    exec 3<> "/dev/tcp/127.0.0.1/$port" || return 1
    printf '%s %s HTTP/1.0\r\nHost: 127.0.0.1\r\n%s\r\n' "$1" "$2" \
        "${3:+$3$'\r\n'}" >&3
    while IFS= read -r -t 10 line <&3 || [ -n "$line" ]; do
        printf '%s\n' "$line"
        line=
    done
    exec 3>&-
} 2>/dev/null

fetch() { ask GET "$1"; }

# One request a second, for an hour at most.
leak() {
    local i
    trap 'exit 0' TERM INT
    for ((i = 0; i < 3600; i++)); do
        is_live "$httpd_pid" || exit 0
        fetch '/app/leak?mb=12' > /dev/null
        sleep 1 &
        wait $!
    done
}

# ---- starting --------------------------------------------------------------

start() {
    local root i
    for ((port = first_port; port < first_port + 50; port++)); do
        port_is_taken "$port" && continue
        port_is_taken "$((port + 100))" && continue
        root=$(readlink -f "$build")/demo/$port
        write_config "$root" "$port" "$((port + 100))"
        log=$root/logs/error.log
        setsid setpriv --pdeathsig TERM "$httpd" -DFOREGROUND -d "$root" \
            -f "$root/httpd.conf" > "$root/logs/output.log" 2>&1 &
        httpd_pid=$!
        for ((i = 0; i < 200; i++)); do
            is_live "$httpd_pid" || break
            grep -q 'resuming normal operations' "$log" && return 0
            sleep 0.1
        done
        grep -q 'Address already in use' "$log" "$root/logs/output.log" ||
            { cat "$root/logs/output.log" "$log" >&2; return 1; }
    done
    return 1
}

mkdir -p "$build/demo" || exit 1
start || die "httpd did not start"
url=http://127.0.0.1:$port/manager-status
say "mod_apache_manager runs in a private server ($mpm, pid $httpd_pid):"
say
say "    $url"
say "    $url/status.json"
say
say "An idle worker may use 100M, an active one 200M, a request take 30s."
say "A client makes them leak; the log is $log"
say "Beside it httpd runs a backend: http://127.0.0.1:$port/backend/"
[ -n "$check" ] || say "Ctrl-C ends everything."
say

leak &
client_pid=$!

# ---- until the end ---------------------------------------------------------

# The pid of the backend once it is ready and gets requests.
backend_pid() {
    local json
    json=$(fetch /manager-status/processes)
    grep -q '"name":"backend".*"state":"READY"' <<< "$json" &&
        fetch /backend/ | head -n 1 | grep -q ' 200 ' &&
        fetch /manager-status | grep -q '<tr id="managed-backend">' &&
        grep -o '"pid":[0-9]*' <<< "$json" | grep -o '[0-9]*$'
}

# It is ready, and another one is after an order to restart it.
backend_is_proven() {
    local token
    [ -n "$first_pid" ] || first_pid=$(backend_pid) || return 1
    if [ -z "$is_ordered" ]; then
        token=$(fetch /manager-status/processes |
                grep -o '"token":"[0-9a-f]*' | grep -o '[0-9a-f]*$')
        ask POST '/manager-status/processes/backend/restart?wait=9' \
            "X-Manager-Token: $token" | head -n 1 | grep -q ' 200 ' || return 1
        is_ordered=1
    fi
    second_pid=$(backend_pid) && [ "$second_pid" != "$first_pid" ] &&
        ! is_live "$first_pid"
}

# A worker was killed by a memory limit, is gone, and all say so.
worker_is_proven() {
    local json pid
    json=$(fetch /manager-status/status.json)
    pid=$(grep -o 'Killing native worker [0-9]*' "$log" | head -n 1 |
          grep -o '[0-9]*$')
    [ -n "$pid" ] && ! is_live "$pid" &&
        grep -qE '"reason": ?"memory_(idle|active)"' <<< "$json" &&
        grep -qE '"outcome": ?"gone"' <<< "$json" &&
        fetch /manager-status | head -n 1 | grep -q ' 200 ' &&
        fetch /manager-status/metrics.txt |
            grep -qE '^workers-killed-(idle|active).[1-9]'
}

first_pid=
second_pid=
is_ordered=
is_backend_proven=
shown=0
for ((second = 0; ; second++)); do
    is_live "$httpd_pid" || { cat "$log" >&2; die "httpd has ended"; }
    size=$(stat -c %s "$log")
    if [ "$size" -gt "$shown" ]; then
        tail -c "+$((shown + 1))" "$log" |
            sed -nE 's/^\[[A-Za-z]+ [A-Za-z]+ +[0-9]+ ([0-9:]+).*(Killing|process backend:)/\1 \2/p'
        shown=$size
    fi
    if [ -n "$check" ]; then
        [ -n "$is_backend_proven" ] ||
            { backend_is_proven && is_backend_proven=1; }
        if [ -n "$is_backend_proven" ] && worker_is_proven; then
            say "check: a leaking worker was killed and recorded, the page answers"
            say "check: the backend was ready, and again after an order"
            end_all
            is_live "$second_pid" &&
                { say "check: the backend stayed" >&2; exit 1; }
            [ -n "$board_stayed" ] &&
                { say "check: the board file stayed" >&2; exit 1; }
            exit 0
        fi
        if [ "$second" -ge 60 ]; then
            tail -n 30 "$log" >&2
            fetch /manager-status/status.json | tail -n 1 | head -c 4000 >&2
            [ -n "$is_backend_proven" ] ||
                die "the backend was not ready, and again after an order"
            die "no leaking worker was killed and recorded within a minute"
        fi
    fi
    sleep 1 &
    wait $!
done
