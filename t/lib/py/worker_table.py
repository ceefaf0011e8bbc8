# SPDX-License-Identifier: Apache-2.0
"""The rows of a status page's table of workers, by the rules of scripts that
know mod_status's: of all tables the first that has a whole row; columns by
their headings, in any case and whatever stands around the letters, more of
them allowed; a heading is any th of the table, in order, a cell any td of a
row.  Reads the page from standard input, writes the rows as JSON."""
import html.parser
import json
import re
import sys

REQUIRED = ("srv", "pid", "acc", "m", "cpu", "ss", "req", "conn", "child",
            "slot", "client", "vhost", "request")


class Tables(html.parser.HTMLParser):
    """Headings and rows of each table."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.tables = []
        self.text = None

    def handle_starttag(self, tag, attrs):
        if tag == "table":
            self.tables.append(([], []))
        elif tag == "tr" and self.tables:
            self.tables[-1][1].append([])
        elif tag in ("th", "td") and self.tables:
            self.text = []

    def handle_data(self, data):
        if self.text is not None:
            self.text.append(data)

    def handle_endtag(self, tag):
        if tag not in ("th", "td") or self.text is None:
            return
        text = "".join(self.text).strip()
        self.text = None
        headings, rows = self.tables[-1]
        if tag == "th":
            headings.append(re.sub("[^a-z0-9]+", "-", text.lower()).strip("-"))
        elif rows:
            rows[-1].append(text)


def find_rows(page):
    parser = Tables()
    parser.feed(page)
    parser.close()
    for headings, rows in parser.tables:
        whole = []
        for cells in rows:
            row = dict(zip(headings, cells))
            if len(cells) <= len(headings) and all(k in row for k in REQUIRED):
                whole.append(row)
        if whole:
            return whole
    return []


json.dump(find_rows(sys.stdin.buffer.read().decode("utf-8", "replace")),
          sys.stdout)
