#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The shared library offers every function that mtcp/include declares, and nothing that it
does not."""

import os
import re
import subprocess
import sys

import tree

LIBRARY = os.path.join(tree.BUILDDIR, ".libs", "libmtcp.so")
NM = (os.environ.get("NM") or "nm").split()
DECLARED = re.compile(r"\b(\w+)\s*\((?:[^(){};]|\([^()]*\))*\)\s*(?:__attribute__\s*\(\(.*?\)\)\s*)?;",
                      re.S)


def declared():
    """Function name -> header; preprocessor lines, inline bodies and typedefs are no promises."""
    found = {}
    for path in tree.files(["mtcp/include"], [".h"]):
        text = re.sub(r"^[ \t]*#(?:.*\\\n)*.*$", "", tree.code(tree.read(path)), flags=re.M)
        text = re.sub(r'extern\s+""\s*\{', "", text)
        while re.search(r"\{[^{}]*\}", text):
            text = re.sub(r"\{[^{}]*\}", " ", text)
        text = re.sub(r"\btypedef\b[^;]*;", "", text)
        for name in DECLARED.findall(text):
            found[name] = path
    return found


def exported():
    out = subprocess.run(NM + ["-D", "--defined-only", LIBRARY], check=True,
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                         universal_newlines=True).stdout
    symbols = (line.split() for line in out.splitlines())
    # An absolute symbol is the version's own name.
    return {s[-1].split("@")[0] for s in symbols if len(s) == 3 and s[1] != "A"}


if not os.path.exists(LIBRARY):
    print("skipped: no shared library was built")
    sys.exit(77)
v = tree.Verdict("exports")
promised, offered = declared(), exported()
for name in sorted(promised):
    v.look(name)
    if name not in offered:
        v.wrong(promised[name], 0, "declares %s, which the library does not offer" % name)
for name in sorted(offered - set(promised)):
    v.wrong("libmtcp.so", 0, "offers %s, which no public header declares" % name)
v.close()
