#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Each header compiles alone, and twice in one file; those that programs include do so as
strict C99 and as C++, and bring nothing of DPDK."""

import os
import re
import subprocess
import sys
import tempfile

import tree

CC = os.environ.get("CC", "cc").split()
CXX = os.environ.get("CXX", "").split()
DPDK = os.environ.get("MTCP_DPDK_CFLAGS", "").split()
MARCH = os.environ.get("MTCP_MARCH_CFLAGS", "").split()
WITH_DPDK = os.environ.get("MTCP_WITH_DPDK", "no") == "yes"
WARN = ["-Wall", "-Wextra", "-Werror", "-fsyntax-only"]
ROOTS = ["-I" + os.path.join(tree.SRCDIR, d) for d in ("mtcp/src", "mtcp/include", "")]
PUBLIC_ROOT = ["-I" + os.path.join(tree.SRCDIR, "mtcp/include")]


def inner_ways(path):
    flags = ["-std=gnu11", "-D_GNU_SOURCE", "-DNDEBUG"] + MARCH + ROOTS
    if os.path.basename(path).startswith("io_dpdk"):
        flags += DPDK
    return [("C11", CC, "x.c", flags)]


def public_ways(path):
    ways = [("C99", CC, "x.c", ["-std=c99", "-pedantic"] + PUBLIC_ROOT),
            ("C11", CC, "x.c", ["-std=c11", "-pedantic"] + PUBLIC_ROOT)]
    if CXX:
        ways.append(("C++", CXX, "x.cc", ["-std=c++11", "-pedantic"] + PUBLIC_ROOT))
    return ways


def compiles(way, include):
    _, compiler, name, flags = way
    with tempfile.TemporaryDirectory() as d:
        source = os.path.join(d, name)
        with open(source, "w") as f:
            # Twice: a header must guard itself.
            f.write("#include \"%s\"\n#include \"%s\"\nextern int header_probe;\n"
                    % (include, include))
        run = subprocess.run(compiler + flags + WARN + [source], stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             universal_newlines=True)
        return run.returncode == 0, run.stdout


def include_name(path):
    return re.sub(r"^mtcp/(src|include)/", "", path)


v = tree.Verdict("headers")
# Lists meant to be included several times with another meaning have no guard.
for p in tree.files(["mtcp", "io_engine", "test", "apps"], [".h"]):
    # Those of apps/nginx include nginx's.
    if p == "test/suites.h" or p.startswith("apps/nginx/"):
        continue
    if os.path.basename(p).startswith("io_dpdk") and not WITH_DPDK:
        continue
    public = p.startswith("mtcp/include/")
    for way in public_ways(p) if public else inner_ways(p):
        v.look(p)
        ok, said = compiles(way, include_name(p))
        if not ok:
            v.wrong(p, 0, "does not compile alone as %s\n%s" % (way[0], said))
    if public and re.search(r"#\s*include\s*[<\"]rte_", tree.read(p)):
        v.wrong(p, 0, "brings DPDK to programs")
if not CXX:
    print("no C++ compiler: the public headers were not tried as C++")
    sys.exit(1)
v.close()
