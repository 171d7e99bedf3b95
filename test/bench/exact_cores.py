#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Instructions per operation of a server with 1, 2, 4, 8, 16 and 32 cores that are all as
busy, counted as exact.py counts.  Cores share nothing, so they must be the same, within
1 %, however many there are.  Shown beside them: a request that arrives on the wrong core, and
a step that finds nothing."""

import sys

import exact

TOLERANCE = 0.01
# A core among others looks at one word more; who is handed a request sees it a turn later,
# and which of the counted ones that is depends on who comes after whom.
SHOWN = ("idle_step", "kept_request_handed")


def judge(rows):
    """rows: {operation: {cores: instructions}}"""
    passed = failed = 0
    for name, row in rows.items():
        base = row[min(row)]
        worst = max(row.values(), key=lambda n: abs(n - base))
        off = 100 * (worst / base - 1)
        print("%-24s %s" % (name, "".join("%10.1f" % row[c] if c in row else " " * 10
                                          for c in (1, 2, 4, 8, 16, 32))))
        if name in SHOWN:
            continue
        if abs(off) <= 100 * TOLERANCE:
            passed += 1
        else:
            failed += 1
            print("FAIL  %s: %+.1f %%" % (name, off))
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed or not passed else 0


def main():
    exact.need()
    rows = {}
    for key, parts in exact.count(shown="--functions" in sys.argv, argument="--cores").items():
        name, cores = key.split("/")
        rows.setdefault(name, {})[int(cores)] = parts["stack"]
    print("%-24s %s" % ("instructions, cores:", "".join("%10d" % c for c in (1, 2, 4, 8, 16, 32))))
    return judge(rows)


sys.exit(main())
