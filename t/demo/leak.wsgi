# SPDX-License-Identifier: Apache-2.0
"""A leaking application: for the tests, and for `make run` to show.

    /leak?mb=N    takes, touches and keeps N megabytes more
    /big?mb=N     takes and touches N megabytes and gives them back
    /sleep?s=N    answers after N seconds; leak and big know s as well
    /spin?s=N     the same, busy
    /body?n=N     a body of N bytes, its end after s seconds; chunked=1 without
                  naming its length; mb as in leak
    /pid          the process
    anything else a small text

Every other answer names the process and the megabytes it keeps: "pid=123
kept=50".  A request with "X-Serial: N" is answered with "X-Check: N BYTES CRC",
which tells a client what it must have received; and a line "N URI" is added to
the file that LEAK_NOTES names in the environment, which tells what ran twice.
"""

import mmap
import os
import time
import zlib
from urllib.parse import parse_qs

MEGABYTE = 1024 * 1024
LARGEST = 1024
LONGEST = 600
PIECES = 8

kept = []
notes = None
if "LEAK_NOTES" in os.environ:
    notes = os.open(os.environ["LEAK_NOTES"], os.O_WRONLY | os.O_APPEND)


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
    # All at once where it can be had so, which is much faster.
    block = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
                      | getattr(mmap, "MAP_POPULATE", 0))
    for offset in range(0, size, mmap.PAGESIZE):
        block[offset] = 1
    return block


def begin(environ, start_response, pieces, chunked=False):
    """The head of an answer of these pieces."""
    size = sum(len(piece) for piece in pieces)
    headers = [("Content-Type", "text/plain; charset=utf-8"),
               ("Cache-Control", "no-store")]
    if not chunked:
        headers.append(("Content-Length", str(size)))
    serial = environ.get("HTTP_X_SERIAL", "")
    if serial.isdigit():
        crc = 0
        for piece in pieces:
            crc = zlib.crc32(piece, crc)
        headers.append(("X-Check", "%s %d %08x" % (serial, size, crc)))
    start_response("200 OK", headers)


def slow_body(environ, start_response, query):
    """Known bytes in some pieces, with a pause before each but the first."""
    size = int(number(query, "n", LARGEST * MEGABYTE))
    line = ("%s\n" % environ.get("HTTP_X_SERIAL", "body")).encode("latin-1")
    body = (line * (size // len(line) + 1))[:size]
    step = size // PIECES + 1
    pieces = [body[at:at + step] for at in range(0, size, step)]
    begin(environ, start_response, pieces, query.get("chunked") == ["1"])
    pause = number(query, "s", LONGEST) / PIECES
    for count, piece in enumerate(pieces):
        if count:
            time.sleep(pause)
        yield piece


def note(environ):
    serial = environ.get("HTTP_X_SERIAL", "")
    if notes is not None and serial.isdigit():
        line = "%s %s\n" % (serial, environ.get("REQUEST_URI", ""))
        os.write(notes, line.encode("utf-8", "replace"))


def application(environ, start_response):
    note(environ)
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
    elif path.endswith("/body"):
        block = take(number(query, "mb", LARGEST))
        if block is not None:
            kept.append(block)
        return slow_body(environ, start_response, query)
    total = sum(len(block) for block in kept) // MEGABYTE
    body = ("pid=%d kept=%d\n" % (os.getpid(), total)).encode("ascii")
    begin(environ, start_response, [body])
    return [body]
