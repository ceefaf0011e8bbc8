# SPDX-License-Identifier: Apache-2.0
"""A leaking application: for the tests, and for `make run` to show.

    /leak?mb=N    takes, touches and keeps N megabytes more
    /big?mb=N     takes and touches N megabytes and gives them back
    /sleep?s=N    answers after N seconds; leak and big know s as well
    /spin?s=N     the same, busy
    /pid          the process
    anything else a small text

Every answer names the process and the megabytes it keeps: "pid=123 kept=50".
"""

import mmap
import os
import time
from urllib.parse import parse_qs

MEGABYTE = 1024 * 1024
LARGEST = 1024
LONGEST = 600

kept = []


def number(query, name, largest):
    """A whole or fractional number of the query, 0 to largest."""
    try:
        value = float(query.get(name, ["0"])[0])
    except ValueError:
        return 0
    return min(max(value, 0), largest)


def take(megabytes):
    """Memory of its own mapping, each page touched: all of it counts, and
    all of it goes back when it is dropped."""
    size = int(megabytes * MEGABYTE)
    if size < 1:
        return None
    block = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    for offset in range(0, size, mmap.PAGESIZE):
        block[offset] = 1
    return block


def application(environ, start_response):
    path = environ.get("PATH_INFO", "")
    query = parse_qs(environ.get("QUERY_STRING", ""))
    if path.endswith("/leak"):
        block = take(number(query, "mb", LARGEST))
        if block is not None:
            kept.append(block)
        time.sleep(number(query, "s", LONGEST))
    elif path.endswith("/big"):
        block = take(number(query, "mb", LARGEST))
        time.sleep(number(query, "s", LONGEST))
        del block
    elif path.endswith("/sleep"):
        time.sleep(number(query, "s", LONGEST))
    elif path.endswith("/spin"):
        end = time.monotonic() + number(query, "s", LONGEST)
        while time.monotonic() < end:
            pass
    total = sum(len(block) for block in kept) // MEGABYTE
    body = ("pid=%d kept=%d\n" % (os.getpid(), total)).encode("ascii")
    start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8"),
                              ("Cache-Control", "no-store"),
                              ("Content-Length", str(len(body)))])
    return [body]
