# SPDX-License-Identifier: BSD-3-Clause
"""What the lints share: the files of the tree, C without comments, one closing line."""

import os
import re
import sys

SRCDIR = os.environ.get("MTCP_SRCDIR") or os.path.dirname(
    os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILDDIR = os.environ.get("MTCP_BUILDDIR") or SRCDIR

# Only folders that hold sources: a build folder may lie inside the tree.
FOLDERS = ("mtcp", "io_engine", "apps", "test", "m4", "config", "doc", "debian", ".ci")


def files(folders=FOLDERS, suffixes=None):
    """Paths from the top, sorted, of files below folders with one of the suffixes."""
    found = []
    for folder in folders:
        for where, dirs, names in os.walk(os.path.join(SRCDIR, folder)):
            dirs[:] = [d for d in dirs if d not in (".libs", ".deps", "__pycache__")]
            for name in names:
                if suffixes is None or name.endswith(tuple(suffixes)):
                    found.append(os.path.relpath(os.path.join(where, name), SRCDIR))
    return sorted(found)


def top_files():
    """Names of the files that stand at the top of the tree and are sources."""
    made = {"configure", "config.status", "config.log", "Makefile", "Makefile.in", "libtool",
            "aclocal.m4", "build_config.h", "build_config.h.in", "libmtcp.pc", "stamp-h1"}
    return sorted(n for n in os.listdir(SRCDIR)
                  if os.path.isfile(os.path.join(SRCDIR, n)) and n not in made
                  and not n.endswith((".la", ".lo", ".o", "~", ".log", ".trs", ".lock", ".xz")))


def read(path):
    with open(os.path.join(SRCDIR, path), encoding="utf-8", errors="replace") as f:
        return f.read()


_TOKEN = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def code(text):
    """C source with comments and the insides of literals blanked, line for line."""
    def blank(m):
        t = m.group(0)
        if t[0] in "\"'":
            return t[0] + t[0]
        return "\n" * t.count("\n") + " "
    return _TOKEN.sub(blank, text)


class Verdict:
    """Counts what was looked at and what was wrong; a lint that saw nothing fails."""

    def __init__(self, what):
        self.what = what
        self.seen = set()
        self.bad = set()

    def look(self, path):
        self.seen.add(path)

    def wrong(self, path, line, why):
        self.seen.add(path)
        self.bad.add(path)
        print("%s%s: %s" % (path, ":%d" % line if line else "", why))

    def close(self):
        if not self.seen:
            print("%s: found nothing to look at" % self.what)
            print("0 passed, 1 failed")
            sys.exit(1)
        print("%s: %d looked at, %d wrong" % (self.what, len(self.seen), len(self.bad)))
        print("%d passed, %d failed" % (0 if self.bad else 1, 1 if self.bad else 0))
        sys.exit(1 if self.bad else 0)
