# SPDX-License-Identifier: Apache-2.0
"""The processes that tests have managed: an application, its migration, one
that says how it is, and one that writes lines.

    managed_app.py web PORT REDIS_PORT DIR    a web server with one page
    managed_app.py migrate REDIS_PORT DIR     writes what that page says
    managed_app.py beat DIR                   READY=1, STATUS=, WATCHDOG=1
    managed_app.py lines DIR NAME             "line 1", "line 2", ...

DIR has files that stand for what happens to them, and those in which they note
what they have seen.  Each begins with NAME.begin: what it was started with.
"""

import http.server
import json
import os
import signal
import socket
import sys
import threading
import time

READY_SECONDS = 1.0  # the server answers before it is ready
END_SECONDS = 0.3
BEAT_SECONDS = 0.1
LINE_SECONDS = 0.01


def note(directory, name, text):
    """One line more, whole."""
    path = os.path.join(directory, name)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    os.write(handle, (text + "\n").encode())
    os.close(handle)


def descriptors():
    """All that are open, but the one that finds them."""
    found = {}
    for name in os.listdir("/proc/self/fd"):
        try:
            found[name] = os.readlink("/proc/self/fd/" + name)
        except FileNotFoundError:
            pass
    return found


def status(name):
    """A line of /proc/self/status."""
    with open("/proc/self/status", encoding="ascii") as lines:
        for line in lines:
            if line.startswith(name + ":"):
                return line.split(":", 1)[1].strip()
    return None


def begin(directory, name):
    """Note what the process has got."""
    open_now = descriptors()
    umask = os.umask(0)
    os.umask(umask)
    note(directory, name + ".begin", json.dumps({
        "pid": os.getpid(), "session": os.getsid(0), "group": os.getpgrp(),
        "directory": os.getcwd(), "umask": umask, "descriptors": open_now,
        "blocked": status("SigBlk"), "ignored": status("SigIgn")}))


def redis(port, *words):
    """One command of redis, and its answer; None for nothing."""
    command = b"*%d\r\n" % len(words)
    for word in words:
        command += b"$%d\r\n%s\r\n" % (len(word), word.encode())
    with socket.create_connection(("127.0.0.1", port), 10) as peer:
        peer.sendall(command)
        answer = peer.makefile("rb")
        line = answer.readline().rstrip()
        if line[:1] == b"-":
            raise RuntimeError(line.decode())
        if line[:1] != b"$":
            return line[1:].decode()
        length = int(line[1:])
        return None if length < 0 else answer.read(length).decode()


def web(port, redis_port, directory):
    """Ready after a while, and not while there is a file web.hold."""
    begin(directory, "web")
    began = time.monotonic()
    key = os.environ["GREETING_KEY"]
    hold = os.path.join(directory, "web.hold")

    class Handler(http.server.BaseHTTPRequestHandler):
        """/ready, and else the page."""

        def do_GET(self):
            """What the name asks for."""
            code, text = 200, "ready"
            if self.path != "/ready":
                text = redis(redis_port, "GET", key) or "nothing"
            elif (time.monotonic() - began < READY_SECONDS
                  or os.path.exists(hold)):
                code, text = 503, "not yet"
            self.send_response(code)
            self.send_header("Content-Type", "text/plain")
            self.end_headers()
            self.wfile.write((text + "\n").encode())

    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    threading.Thread(target=server.serve_forever, daemon=True).start()
    while not ended.wait(3600):
        pass
    # What it needs is there until its end.
    time.sleep(END_SECONDS)
    note(directory, "web.end", redis(redis_port, "GET", key) or "nothing")


def migrate(redis_port, directory):
    """How often it was done is in the page."""
    begin(directory, "migrate")
    count = redis(redis_port, "INCR", "migrations")
    redis(redis_port, "SET", "greeting", "hello " + count)
    print("migrated", count)


def beat(directory):
    """Until there is a file beat.freeze; then it goes on without a word."""
    begin(directory, "beat")
    freeze = os.path.join(directory, "beat.freeze")
    if os.path.exists(freeze):
        os.unlink(freeze)
    address = os.environ["NOTIFY_SOCKET"]
    if address.startswith("@"):
        address = "\0" + address[1:]
    peer = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    peer.connect(address)
    peer.send(b"READY=1\nSTATUS=at work <b>")
    while True:
        if not os.path.exists(freeze):
            peer.send(b"WATCHDOG=1")
        time.sleep(BEAT_SECONDS)


def lines(directory, name):
    """The last is "end COUNT"."""
    begin(directory, name)
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    count = 0
    while not ended.wait(LINE_SECONDS):
        count += 1
        print("line", count, flush=True)
    print("end", count, flush=True)


def main(mode, *words):
    """As the arguments say."""
    if mode == "web":
        web(int(words[0]), int(words[1]), words[2])
    elif mode == "migrate":
        migrate(int(words[0]), words[1])
    else:
        {"beat": beat, "lines": lines}[mode](*words)


if __name__ == "__main__":
    main(*sys.argv[1:])
