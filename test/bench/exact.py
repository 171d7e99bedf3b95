#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Instructions per operation on the server's side, stack and application apart, counted
by callgrind and compared with exact.txt.

A figure that has grown by more than 1 % fails until the file is changed in the same
commit; one that has fallen by more asks for the same, or the next growth would hide
behind it.

    test/bench/exact.py            compares (also: make check TESTS=test/bench/exact.py)
    test/bench/exact.py --write    counts anew and writes exact.txt
    test/bench/exact.py --json     prints what was counted
    test/bench/exact.py --functions  and which functions each figure is made of"""

import collections
import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SRCDIR = os.environ.get("MTCP_SRCDIR") or os.path.dirname(os.path.dirname(HERE))
BUILDDIR = os.environ.get("MTCP_BUILDDIR") or os.path.join(SRCDIR, "build", "check")
EXACT = os.path.join(BUILDDIR, "test", "bench", "exact")
GOLDEN = os.path.join(SRCDIR, "test", "bench", "exact.txt")
TOLERANCE = 0.01
HEAD = "# built by: "

# The C library chooses its memcpy by the CPU; all of them can do the simplest.
TUNABLES = "glibc.cpu.hwcaps=" + ",".join(
    "-" + f for f in "AVX512F_Usable AVX512VL_Usable AVX2_Usable AVX_Fast_Unaligned_Load "
    "AVX2 AVX AVX512F AVX512VL ERMS FSRM".split())


def skip(why):
    print("skipped: " + why)
    sys.exit(77)


def need():
    if os.environ.get("MTCP_SANITIZE"):
        skip("an instrumented program has another price")
    if not shutil.which("valgrind"):
        skip("needs valgrind")
    if not os.access(EXACT, os.X_OK):
        skip("no %s: valgrind's header was not there when it was built" % EXACT)


def built_by():
    return subprocess.run([EXACT, "--built"], check=True, stdout=subprocess.PIPE,
                          universal_newlines=True).stdout.strip()


def run(work, argument):
    """callgrind's files, one a measurement, below work."""
    with open(os.path.join(work, "64"), "w", encoding="ascii") as f:
        f.write("x" * 64)
    env = dict(os.environ, GLIBC_TUNABLES=TUNABLES)
    command = ["valgrind", "--tool=callgrind", "--collect-atstart=no", "-q",
               "--compress-strings=no", "--compress-pos=no",
               "--callgrind-out-file=" + os.path.join(work, "out"), EXACT, argument or work]
    done = subprocess.run(command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, universal_newlines=True)
    if done.returncode != 0:
        print(done.stdout)
        print("FAILED: status %d of %s" % (done.returncode, " ".join(command)))
        print("0 passed, 1 failed")
        sys.exit(1)


def read_one(path):
    """What "desc: Trigger: Client Request: NAME PART N" says, and how many instructions
    each function has had; None for a file of something else."""
    what, function, called = None, "", False
    cost = collections.Counter()
    with open(path, encoding="utf-8", errors="replace") as f:
        for line in f:
            if line.startswith("desc: Trigger: Client Request: "):
                what = line.rsplit(": ", 1)[1].split()
            elif line.startswith("fn="):
                function = line[3:].strip()
            elif line.startswith("calls="):
                called = True           # the next line is the callee's
            elif line[:1].isdigit():
                if not called:
                    cost[function] += int(line.split()[1])
                called = False
    return (what[0], what[1], int(what[2]), cost) if what else None


def show(name, part, n, cost):
    print("%s, %s: %.1f" % (name, part, sum(cost.values()) / n))
    for function, instructions in cost.most_common(25):
        print("%10.1f  %s" % (instructions / n, function))


def count(shown=False, argument=None):
    """{operation: {"stack": instructions, "app": instructions}}"""
    counted = {}
    with tempfile.TemporaryDirectory(prefix="mtcp-exact-") as work:
        run(work, argument)
        for path in sorted(glob.glob(os.path.join(work, "out.*")),
                           key=lambda p: int(p.rsplit(".", 1)[1])):
            one = read_one(path)
            if not one:
                continue
            name, part, n, cost = one
            counted.setdefault(name, {})[part] = round(sum(cost.values()) / n, 1)
            if shown:
                show(*one)
    return counted


def text_of(counted, by):
    lines = [HEAD + by,
             "# Instructions per operation, server's side; - where no application runs.",
             "# Made by test/bench/exact.py --write.",
             "# %-26s %10s %12s" % ("operation", "stack", "application")]
    for name, parts in counted.items():
        lines.append("%-28s %10.1f %12s" % (
            name, parts["stack"], "%.1f" % parts["app"] if "app" in parts else "-"))
    return "\n".join(lines) + "\n"


def read_golden():
    by, golden = None, {}
    with open(GOLDEN, encoding="utf-8") as f:
        for line in f:
            if line.startswith(HEAD):
                by = line[len(HEAD):].strip()
            elif line.strip() and not line.startswith("#"):
                name, stack, app = line.split()
                golden[name] = {"stack": float(stack)}
                if app != "-":
                    golden[name]["app"] = float(app)
    return by, golden


def judge(golden, counted):
    passed = failed = 0
    for name in sorted(set(golden) | set(counted)):
        for part in ("stack", "app"):
            was, now = golden.get(name, {}).get(part), counted.get(name, {}).get(part)
            if was is None and now is None:
                continue
            if was is None or now is None:
                verdict = "is not in exact.txt" if was is None else "was not counted"
            elif now > was * (1 + TOLERANCE):
                verdict = "has grown by %.1f %%" % (100 * (now / was - 1))
            elif now < was * (1 - TOLERANCE):
                verdict = "has fallen by %.1f %%: write that down" % (100 * (1 - now / was))
            else:
                passed += 1
                print("ok    %-28s %-5s %10.1f" % (name, part, now))
                continue
            failed += 1
            print("FAIL  %-28s %-5s %s -> %s: %s" % (name, part, was, now, verdict))
    if failed:
        print("If this is meant: test/bench/exact.py --write, and commit exact.txt with the change.")
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed or not passed else 0


def main():
    need()
    by = built_by()
    if "--functions" in sys.argv:
        count(shown=True)
        return 0
    if "--json" in sys.argv:
        json.dump({"built_by": by, "instructions": count()}, sys.stdout, indent=1)
        print()
        return 0
    if "--write" in sys.argv:
        with open(GOLDEN, "w", encoding="utf-8") as f:
            f.write(text_of(count(), by))
        return 0
    golden_by, golden = read_golden()
    if golden_by != by:
        skip("exact.txt was counted with another build (%s, here %s)" % (golden_by, by))
    return judge(golden, count())


if __name__ == "__main__":
    sys.exit(main())
