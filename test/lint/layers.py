#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Layers only look down: each #include obeys the table of mtcp/README.md."""

import os
import re

import tree

PUBLIC = {os.path.basename(p) for p in tree.files(["mtcp/include"], [".h"])}

# layer: (folders it may include, single headers besides)
MAY = {
    "base": ({"base"}, set()),
    "wire": ({"base", "wire"}, set()),
    "tcp": ({"base", "wire", "tcp"}, set()),
    "core": ({"base", "wire", "tcp", "core"}, {"io_engine/io.h"}),
    "api": ({"base", "wire", "tcp", "core", "api", "io_engine"}, PUBLIC),
    "posix": ({"base", "posix"}, PUBLIC),
    "io_engine": ({"base", "wire", "io_engine"}, set()),
    "include": (set(), PUBLIC),
    "apps": ({"apps"}, PUBLIC),
    "nginx": ({"posix"}, PUBLIC | {"ngx_mtcp.h", "ngx_mtcp_relay.h", "ngx_mtcp_rights.h"}),
}

# Below api nobody knows threads, files or sleeping.
SYSTEM = re.compile(r"(pthread|threads|unistd|fcntl|signal|time|sys/time|sys/mman|sys/epoll|"
                    r"sys/eventfd|sys/stat|sys/socket|sched|linux/.*)\.h$")
PURE = {"base", "wire", "tcp", "core"}
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+([<"])([^>"]+)[>"]', re.M)


def layer_of(path):
    parts = path.split("/")
    return parts[2] if parts[:2] == ["mtcp", "src"] else \
        "nginx" if parts[:2] == ["apps", "nginx"] else \
        "include" if parts[:2] == ["mtcp", "include"] else parts[0]


def judge_quoted(layer, path, name):
    folders, single = MAY[layer]
    if name in single:
        return None
    if "/" not in name:
        return "\"%s\" is written without its folder" % name
    if name.split("/")[0] not in folders:
        return "layer %s may not include \"%s\"" % (layer, name)
    return None


def judge_system(layer, path, name):
    base = os.path.basename(path)
    if name in PUBLIC:
        return None if name in MAY[layer][1] else "layer %s may not include <%s>" % (layer, name)
    if name.startswith("rte_"):
        if layer == "api" or (layer == "io_engine" and base.startswith("io_dpdk")):
            return None
        return "<%s>: DPDK's headers are for io_engine/io_dpdk* and api" % name
    if name.startswith("numa") and layer not in ("api", "io_engine"):
        return "<%s>: libnuma is for api and io_engine" % name
    if name == "pthread.h" and layer != "apps" and path != "mtcp/src/api/runtime.c":
        return "<pthread.h> is for mtcp/src/api/runtime.c alone"
    if layer in PURE and SYSTEM.match(name):
        return "layer %s may not include <%s>" % (layer, name)
    return None


v = tree.Verdict("layers")
for p in tree.files(["mtcp", "io_engine", "apps"], [".c", ".h"]):
    layer = layer_of(p)
    v.look(p)
    if layer not in MAY:
        v.wrong(p, 0, "stands in no layer of the table")
        continue
    text = tree.read(p)
    for m in INCLUDE.finditer(text):
        judge = judge_quoted if m.group(1) == '"' else judge_system
        why = judge(layer, p, m.group(2))
        if why:
            v.wrong(p, text.count("\n", 0, m.start()) + 1, why)
v.close()
