#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Every call of the public headers has a manual page that shows it as it is declared, every
socket option stands in mtcp_getsockopt.3, every page is installed, refers to pages that
exist and is clean mdoc, and the program in mtcp.3 compiles."""

import os
import re
import shutil
import subprocess
import tempfile

import tree

FOLDER = "doc/man/"
CC = os.environ.get("CC", "cc").split()
# A call: type, name, arguments.
PROTOTYPE = re.compile(r"^((?:\w+[ *]+)+)(\w+)\(([^()]*)\);", re.M)


def words(text):
    """Without differences of layout: 'char  *x' and 'char *x' are the same."""
    return re.sub(r"\s*\*\s*", " *", " ".join(text.split())).strip()


def declared(header):
    text = re.sub(r"^\s*#.*$", "", tree.code(tree.read(header)), flags=re.M)
    for m in PROTOTYPE.finditer(text):
        if not m.group(1).startswith("typedef"):
            yield m.group(2), words(m.group(1)), [words(a) for a in m.group(3).split(",")]


def shown(text):
    """name -> (type, arguments) of each .Fn in the SYNOPSIS."""
    calls = {}
    kind = ""
    for line in text.split(".Sh SYNOPSIS", 1)[-1].split(".Sh ")[0].split("\n"):
        if line.startswith(".Ft "):
            kind = words(line[4:].strip('"'))
        if line.startswith(".Fn "):
            name, _, rest = line[4:].partition(" ")
            calls[name] = (kind, [words(a) for a in re.findall(r'"([^"]*)"', rest)])
    return calls


def page_of(v, name):
    """The page that explains `name`, by way of the page that points to it."""
    path = FOLDER + name + ".3"
    if not os.path.exists(os.path.join(tree.SRCDIR, path)):
        v.wrong(path, 0, "%s has no manual page" % name)
        return None, ""
    text = tree.read(path)
    m = re.match(r"\.so man3/(\S+)\n\Z", text)
    if not m:
        return path, text
    path = FOLDER + m.group(1)
    if not os.path.exists(os.path.join(tree.SRCDIR, path)):
        v.wrong(FOLDER + name + ".3", 1, "points to %s, which does not exist" % path)
        return None, ""
    return path, tree.read(path)


def check_calls(v):
    for header in tree.files(["mtcp/include"], [".h"]):
        v.look(header)
        for name, kind, args in declared(header):
            path, text = page_of(v, name)
            if path is None:
                continue
            if not re.search(r"^\.Nm %s( ,)?$" % name, text, re.M):
                v.wrong(path, 0, "NAME lacks %s" % name)
            if shown(text).get(name) != (kind, args):
                v.wrong(path, 0, "SYNOPSIS shows %s otherwise than %s" % (name, header))
            if ".In %s\n" % os.path.basename(header) not in text:
                v.wrong(path, 0, "SYNOPSIS lacks %s" % header)


def check_options(v):
    source, page = "mtcp/src/api/api_sockopt.c", FOLDER + "mtcp_getsockopt.3"
    if not os.path.exists(os.path.join(tree.SRCDIR, source)):
        return
    v.look(source)
    listed = set()
    for line in re.findall(r"^\.It Dv (.*)$", tree.read(page), re.M):
        listed |= set(re.findall(r"\b(?:SO|TCP|IP|IPV6)_\w+", line))
    known = set(re.findall(r"^\t\{ \w+, ((?:SO|TCP|IP|IPV6)_\w+), KIND_", tree.read(source), re.M))
    for name in sorted(known - listed):
        v.wrong(page, 0, "option %s is missing" % name)
    for name in sorted(listed - known):
        v.wrong(page, 0, "option %s does not exist" % name)


def check_references(v, pages):
    """Pages of ours that are referred to exist; the system's are its own business."""
    for p in pages:
        for n, line in enumerate(tree.read(p).split("\n"), 1):
            m = re.match(r"\.Xr ((?:mtcp|GetRSS|GetNum|Fetch|EventTo|epserver|epwget)[\w.]*) (\d)", line)
            if m and FOLDER + ".".join(m.groups()) not in pages:
                v.wrong(p, n, "refers to %s(%s), which does not exist" % m.groups())


def check_mdoc(v, pages):
    mandoc = shutil.which("mandoc")
    for p in pages:
        v.look(p)
        text = tree.read(p)
        if text.startswith(".so "):
            continue
        for section in ("NAME", "DESCRIPTION", "SEE ALSO"):
            if ".Sh %s\n" % section not in text:
                v.wrong(p, 0, "lacks the section " + section)
        if p.endswith(".3") and ".Sh ERRORS\n" not in text:
            v.wrong(p, 0, "lacks the section ERRORS")
        if not mandoc:
            continue
        out = subprocess.run([mandoc, "-Tlint", "-Wwarning", os.path.join(tree.SRCDIR, p)],
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, universal_newlines=True).stdout
        for line in out.split("\n"):
            if re.search(r"(WARNING|ERROR|UNSUPP):", line):
                v.wrong(p, 0, line)


def check_installed(v, pages):
    fragment = tree.read(FOLDER + "Makefile.inc")
    for p in pages:
        if not re.search(r"(^|\s)%s(\s|$)" % re.escape(p), fragment):
            v.wrong(p, 0, "doc/man/Makefile.inc does not install it")


def check_program(v):
    """The first example of mtcp.3 is whole."""
    path = FOLDER + "mtcp.3"
    text = tree.read(path).split(".Bd -literal -offset indent\n", 1)[-1].split("\n.Ed")[0]
    with tempfile.TemporaryDirectory() as folder:
        source = os.path.join(folder, "x.c")
        with open(source, "w", encoding="utf-8") as f:
            f.write(text.replace("\\e", "\\") + "\n")
        out = subprocess.run(CC + ["-std=c99", "-Wall", "-Wextra", "-Werror", "-fsyntax-only",
                                   "-I" + os.path.join(tree.SRCDIR, "mtcp/include"), source],
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, universal_newlines=True)
        if out.returncode:
            v.wrong(path, 0, "the program does not compile: " + out.stdout.split("\n")[0])


v = tree.Verdict("man")
PAGES = tree.files(["doc/man"], [".1", ".3", ".5"])
check_calls(v)
check_options(v)
check_references(v, PAGES)
check_mdoc(v, PAGES)
check_installed(v, PAGES)
check_program(v)
v.close()
