#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The file map of mtcp/README.md names every source; `pool.[ch]' names two.  Basenames are
unique, so that a name is enough to find a file."""

import collections
import os
import re

import tree

MAP = "mtcp/README.md"


def names_in(text):
    """Every file name the map mentions, with x.[ch] and x.{c,h} spelled out."""
    names = set(re.findall(r"[\w.-]+\.(?:c|h|def|S)\b", text))
    for stem, ends in re.findall(r"([\w-]+)\.[\[{]([a-z,]+)[\]}]", text):
        names.update("%s.%s" % (stem, e) for e in ends.replace(",", ""))
    return names


v = tree.Verdict("filemap")
sources = tree.files(["mtcp", "io_engine", "apps"], [".c", ".h", ".def"])
if os.path.exists(os.path.join(tree.SRCDIR, MAP)):
    named = names_in(tree.read(MAP))
    for p in sources:
        v.look(p)
        if os.path.basename(p) not in named:
            v.wrong(p, 0, "does not stand on the map in %s" % MAP)
    standing = {os.path.basename(p) for p in tree.files(suffixes=[".c", ".h", ".def"])}
    for name in sorted(named - standing):
        v.wrong(MAP, 0, "names %s, which does not exist" % name)
else:
    v.wrong(MAP, 0, "is missing")

where = collections.defaultdict(list)
for p in tree.files(suffixes=[".c", ".h", ".def"]):
    where[os.path.basename(p)].append(p)
for name, paths in sorted(where.items()):
    if len(paths) > 1:
        v.wrong(paths[1], 0, "%s also stands in %s" % (name, os.path.dirname(paths[0])))
v.close()
