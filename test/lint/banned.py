#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Below api nothing reads a clock, takes system memory, prints, ends the program or knows
threads: time, randomness and memory arrive as arguments."""

import re

import tree

CALLS = ("time gettimeofday clock_gettime nanosleep usleep sleep rand srand random getrandom "
         "malloc calloc realloc free aligned_alloc posix_memalign strdup alloca mmap "
         "exit _exit abort printf fprintf puts perror getenv open fopen read write "
         "socket sched_yield signal raise").split()
# A member named like a call (ops->free(x)) is somebody else's.
BANNED = re.compile(r"(?<![\w.>])(%s)\s*\(|\b(pthread_\w*|errno)\b" % "|".join(CALLS))

v = tree.Verdict("banned")
for p in tree.files(["mtcp/src/" + d for d in ("base", "wire", "tcp", "core")], [".c", ".h"]):
    v.look(p)
    for n, line in enumerate(tree.code(tree.read(p)).split("\n"), 1):
        if line.lstrip().startswith("#"):
            continue
        for m in BANNED.finditer(line):
            v.wrong(p, n, "%s belongs to api or above" % (m.group(1) or m.group(2)))
v.close()
