#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Tests mirror files: each x.c of the library has test_x.c in the same layer, built into the
runner and named in suites.h, or stands in untested.txt with the reason.  Every source is in
some Makefile.inc, or no build and no tarball would have it."""

import os
import re

import tree

EXCEPTIONS = "test/lint/untested.txt"


def exceptions(v):
    """path -> line of the exception list; complains about lines without a reason."""
    listed = {}
    for n, line in enumerate(tree.read(EXCEPTIONS).split("\n"), 1):
        if not line.strip() or line.startswith("#"):
            continue
        path, _, reason = line.partition(":")
        if len(reason.split()) < 3:
            v.wrong(EXCEPTIONS, n, "%s stands here without a reason" % path)
        listed[path.strip()] = n
    return listed


def test_of(path):
    layer = re.sub(r"^mtcp/src/", "", os.path.dirname(path))
    return "test/%s/test_%s" % (layer, os.path.basename(path))


v = tree.Verdict("mirror")
excused = exceptions(v)
sources = tree.files(["mtcp/src", "io_engine"], [".c"])
fragments = "".join(tree.read(p) for p in tree.files(suffixes=["Makefile.inc"]))
suites = set(re.findall(r"^\s*SUITE\((\w+)\)", tree.read("test/suites.h"), re.M))

for p in sources:
    v.look(p)
    test = test_of(p)
    stands = os.path.exists(os.path.join(tree.SRCDIR, test))
    if p in excused and stands:
        v.wrong(EXCEPTIONS, excused[p], "%s has %s now; strike it from the list" % (p, test))
    elif p not in excused and not stands:
        v.wrong(p, 0, "%s is missing" % test)
for p in excused:
    if p not in sources:
        v.wrong(EXCEPTIONS, excused[p], "%s does not exist" % p)

for p in tree.files(["mtcp", "io_engine", "apps", "test"],
                    [".c", ".h", ".def", ".sh", ".py"]):
    v.look(p)
    if not re.search(r"(^|\s)%s(\s|$)" % re.escape(p), fragments):
        v.wrong(p, 0, "no Makefile.inc names it")

# A suite that no run calls tests nothing.
for p in tree.files(["test"], [".c"]):
    text = tree.read(p)
    for name in re.findall(r"^(?:void\s+)?suite_(\w+)\(void\)\s*(?:\{|$)", text, re.M):
        if name not in suites:
            v.wrong(p, 0, "suite_%s is not in test/suites.h" % name)
v.close()
