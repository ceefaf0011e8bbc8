# SPDX-License-Identifier: Apache-2.0
"""The backend of the demonstration, which httpd runs beside itself.

    backend.py PORT       a web server on 127.0.0.1

/ready answers 503 for two seconds after the start, /fail ends it with 1.
"""

import http.server
import os
import sys
import threading
import time

READY_SECONDS = 2
PAGE = """<!doctype html><html lang="en"><title>backend</title>
<p>Process {pid}, for {seconds:.0f} seconds.
<p><a href="fail">Let it fail</a>, and see on
<a href="/manager-status#managed">its page</a> how it is started again.
"""

BEGAN = time.monotonic()


class Handler(http.server.BaseHTTPRequestHandler):
    """A page, its readiness, and its end."""

    def do_GET(self):
        """What the last word of the path asks for."""
        word = self.path.rpartition("/")[2]
        code, text = 200, "ready\n"
        if word == "ready" and time.monotonic() - BEGAN < READY_SECONDS:
            code, text = 503, "not yet\n"
        elif word == "fail":
            text = "it ends\n"
            threading.Timer(0.1, os._exit, [1]).start()
        elif word != "ready":
            text = PAGE.format(pid=os.getpid(),
                               seconds=time.monotonic() - BEGAN)
        self.send_response(code)
        self.send_header("Content-Type",
                         "text/html" if text[0] == "<" else "text/plain")
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_):
        """Nothing: httpd has an access log."""


http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])),
                                Handler).serve_forever()
