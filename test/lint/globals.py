#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""No mutable variable lives outside a function's frame or a structure, except the one in
api/instance.c.  Reads the objects' symbol tables, so that function statics count too;
.data.rel.ro holds constants with addresses in them."""

import os
import re
import subprocess

import tree

ALLOWED = {"mtcp/src/api/instance.c"}
MUTABLE = re.compile(r"^(\.data|\.bss|\.tdata|\.tbss|\.sdata|\.sbss|\*COM\*)(?!\.rel\.ro)")
# What sanitizers and coverage add to every object.
COMPILER = re.compile(r"^(__?odr_asan|__asan|__tsan|__ubsan|__sanc|__sancov|__profc|__llvm|\.L|"
                      r"asan\.|___asan)")
# SYMBOL TABLE line of objdump -t: address, 7 flag letters, section, size, name.
SYMBOL = re.compile(r"^[0-9a-f]+ (.{7}) (\S+)\t[0-9a-f]+\s+(?:\.hidden )?(.*)$")

OBJDUMP = os.environ.get("OBJDUMP", "objdump")


def objects_of(source):
    """Every object that this build made from source."""
    folder, name = os.path.split(source)
    stem = name[:-2]
    where = os.path.join(tree.BUILDDIR, folder)
    found = []
    for d in (where, os.path.join(where, ".libs")):
        for n in sorted(os.listdir(d)) if os.path.isdir(d) else []:
            if n == stem + ".o" or re.fullmatch(r"lib\w+_la-%s\.o" % re.escape(stem), n):
                found.append(os.path.join(d, n))
    return found


def mutable_in(obj):
    out = subprocess.run([OBJDUMP, "-t", obj], check=True, stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, universal_newlines=True).stdout
    for line in out.split("\n"):
        m = SYMBOL.match(line)
        if not m or "d" in m.group(1) and "O" not in m.group(1):
            continue                    # section symbols
        if MUTABLE.match(m.group(2)) and not COMPILER.match(m.group(3)):
            yield m.group(3), m.group(2)


v = tree.Verdict("globals")
for p in tree.files(["mtcp/src", "io_engine"], [".c"]):
    if p in ALLOWED:
        continue
    for obj in objects_of(p):
        v.look(p)
        for name, section in mutable_in(obj):
            v.wrong(p, 0, "%s is a mutable variable in %s" % (name, section))
v.close()
