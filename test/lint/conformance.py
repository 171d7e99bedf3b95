#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Conformance is generated: test/script/clauses lists what the RFCs, Linux and attackers ask for;
tests name the clauses they show in their CUnit names.  This joins the list with the tests and
their results into CONFORMANCE.md, and complains when a kept clause has no test, a test names a
clause that is not listed, a place in the source is gone, a test failed, or CONFORMANCE.md is
not what would be written now.

  conformance.py           judge (make check)
  conformance.py --write   write CONFORMANCE.md (make conformance)"""

import os
import re
import subprocess
import sys
import tempfile

import tree

LIST = "test/script/clauses"
TABLE = "CONFORMANCE.md"
UNIT = os.path.join(tree.BUILDDIR, "test/unit")
STATUS = {"kept": "kept", "different": "different", "n/a": "not applicable", "open": "**open**"}
ITEM = r"(?:(?:MUST|SHLD|MAY|REC)-\d+|(?:[A-Z]|\d+)(?:\.\d+)*(?:/[\w-]+)?)(?![\w-])"
CITED = re.compile(r"RFC (\d+) (%s(?:, (?!RFC )%s)*)|((?:Linux|BBR|attack|option): [^;,):]+)"
                   % (ITEM, ITEM))


class Clause:
    def __init__(self, line, section, fields):
        self.line, self.section = line, section
        self.id, self.status, self.asks, self.where, self.why = fields
        self.places = [] if self.where == "-" else self.where.split(", ")
        self.tests = []


def clauses(v):
    """The list in its order; complains about lines that say too little."""
    found, known, section = [], set(), ""
    for n, line in enumerate(tree.read(LIST).split("\n"), 1):
        if line.startswith("== "):
            section = line[3:].strip()
        if not line.strip() or line.startswith(("#", "==")):
            continue
        fields = [f.strip() for f in line.split("|")]
        if len(fields) == 4:
            fields.append("")
        if len(fields) != 5 or fields[1] not in STATUS:
            v.wrong(LIST, n, "want: clause | status | what it asks | where | why")
            continue
        c = Clause(n, section, fields)
        if c.id in known:
            v.wrong(LIST, n, "%s stands here twice" % c.id)
        if c.status != "kept" and not c.why:
            v.wrong(LIST, n, "%s is %s: say why" % (c.id, STATUS[c.status]))
        if c.status == "kept" and not c.places:
            v.wrong(LIST, n, "%s is kept: say where" % c.id)
        known.add(c.id)
        found.append(c)
    return found


def defines(text, what):
    """A function, macro, type or table; a fate; a member."""
    return re.search(r"^(?![/* ]).*\b{0}\b|^\tX\({0},|^\t[\w\s*]+\b{0}(?:\[.*\])?;"
                     .format(re.escape(what)), text, re.M)


def check_places(v, listed):
    sources = {os.path.basename(p): tree.read(p)
               for p in tree.files(["mtcp", "io_engine"], [".c", ".h", ".def"])}
    for c in listed:
        for place in c.places:
            name, _, what = place.partition(":")
            if name not in sources:
                v.wrong(LIST, c.line, "%s: there is no %s" % (c.id, name))
            elif not defines(sources[name], what):
                v.wrong(LIST, c.line, "%s: %s has no %s" % (c.id, name, what))


def cited(name):
    """The clauses that a test's name speaks of."""
    for m in CITED.finditer(name):
        if m.group(3):
            yield m.group(3).strip()
            continue
        for item in m.group(2).split(", "):
            yield "RFC %s %s" % (m.group(1), item)


def ancestors(clause):
    """RFC 8985 7.2/a shows also RFC 8985 7.2, and RFC 8985 7."""
    yield clause
    m = re.match(r"(RFC \d+ [A-Z]?\d*(?:\.\d+)*)(/.*)?$", clause)
    if not m:
        return
    at = m.group(1)
    while True:
        yield at
        if "." not in at:
            return
        at = at.rpartition(".")[0]


def results(v):
    """(suite, test, result) of every unit test."""
    env = dict(os.environ, MTCP_SRCDIR=tree.SRCDIR)
    with tempfile.NamedTemporaryFile("r") as f:
        try:
            run = subprocess.run([UNIT, "--results=" + f.name], stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, env=env, check=False, text=True)
            said = run.stdout
        except OSError as e:
            said = str(e)
        rows = [line.split("\t") for line in f.read().splitlines()]
    if not rows:
        v.wrong("test/unit", 0, "left no results: %s" % said[-500:])
        v.close()
    return rows


def join(v, listed, rows):
    known = {c.id: c for c in listed}
    for suite, test, result in rows:
        for clause in cited(test):
            lines = [known[a] for a in ancestors(clause) if a in known]
            if not lines and not any(k.startswith((clause + "/", clause + ".")) for k in known):
                v.wrong(LIST, 0, "%s, \"%s\" names %s, which is not listed"
                        % (suite, test, clause))
            for c in lines:
                if (suite, test, result) not in c.tests:
                    c.tests.append((suite, test, result))
            if result != "passed":
                v.wrong(LIST, 0, "%s: %s, \"%s\" %s" % (clause, suite, test, result))
    for c in listed:
        v.look(c.id)
        if c.status == "kept" and not c.tests:
            v.wrong(LIST, c.line, "%s is kept, but no test shows it" % c.id)


def sentence(name):
    """A test's name without the clauses before or behind it."""
    name = re.sub(r" \((?:RFC|Linux|attack|option).*\)$", "", name)
    return re.sub(r"^(?:RFC|Linux|attack|option)[^:]*: (?=.*\S)", "", name)


def row(c):
    tests = "<br>".join("`%s`: %s" % (s, sentence(t)) for s, t, _ in c.tests)
    bad = sum(r != "passed" for _, _, r in c.tests)
    result = "" if not c.tests else "FAILED" if bad else "passed"
    what = c.asks + (". *%s*" % c.why if c.why else "")
    where = "<br>".join("`%s`" % p for p in c.places)
    return "| %s | %s | %s | %s | %s | %s |" % (c.id, STATUS[c.status], what, where, tests, result)


def table(listed):
    count = {s: sum(c.status == s for c in listed) for s in STATUS}
    out = ["# Conformance", "",
           "Written by `make conformance` from `test/script/clauses` and the unit tests; change those,",
           "not this. Clauses of RFC 9293 carry the numbers of its Appendix B, others their section.",
           "A place is file and function; a test is its suite and its name. `make check` fails when a",
           "kept clause has no test, when one fails, or when this file is not up to date.", "",
           "%d clauses: %d kept, %d deliberately different, %d not applicable, %d open."
           % (len(listed), count["kept"], count["different"], count["n/a"], count["open"]),
           "A clause is open when it is not kept yet, or when no test shows it."]
    section = None
    for c in listed:
        if c.section != section:
            section = c.section
            out += ["", "## " + section, "",
                    "| clause | status | what it asks, and *why not* | where | tests | result |",
                    "|---|---|---|---|---|---|"]
        out.append(row(c))
    return "\n".join(out) + "\n"


if "thread" in os.environ.get("MTCP_SANITIZE", ""):
    print("skipped: ThreadSanitizer has watched the unit tests once already")
    sys.exit(77)
v = tree.Verdict("conformance")
listed = clauses(v)
check_places(v, listed)
join(v, listed, results(v))
text = table(listed)
if "--write" in sys.argv[1:]:
    with open(os.path.join(tree.SRCDIR, TABLE), "w", encoding="utf-8") as f:
        f.write(text)
elif not os.path.exists(os.path.join(tree.SRCDIR, TABLE)) or tree.read(TABLE) != text:
    v.wrong(TABLE, 0, "is not up to date: make conformance")
v.close()
