#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Each source opens with its licence, holds no mark of unfinished work and no
trailing blanks."""

import re

import tree

# Written apart so that this file does not find itself.
UNFINISHED = re.compile("TO" + "DO|FIX" + r"ME|(?<!X)XX" + r"X(?!X)|#\s*if\s+" + "0\\b")
LICENCE = "SPDX-License-Identifier: BSD-3-Clause"
CODE = (".c", ".h", ".def", ".sh", ".py", ".m4", ".inc", ".am", ".ac", ".map")

v = tree.Verdict("tidy")
for p in tree.files(suffixes=CODE) + [n for n in tree.top_files() if n.endswith(CODE)]:
    if re.match(r"m4/(libtool|lt.*|pkg)\.m4$", p):
        continue                        # put there by libtoolize
    v.look(p)
    lines = tree.read(p).split("\n")
    first = lines[1] if lines[0].startswith("#!") and len(lines) > 1 else lines[0]
    if LICENCE not in first:
        v.wrong(p, 1, "does not open with " + LICENCE)
    for n, line in enumerate(lines, 1):
        if UNFINISHED.search(line):
            v.wrong(p, n, "mark of unfinished work")
        if line != line.rstrip():
            v.wrong(p, n, "trailing blanks")
v.close()
