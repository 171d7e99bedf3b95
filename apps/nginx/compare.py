#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""nginx on the kernel beside nginx on mtcp: one binary, one configuration, one kind of veth pair.

    apps/nginx/compare.py                             all cells; writes README.md, compare.svg, compare.json
    apps/nginx/compare.py --seconds 1 --rounds 1 --readme /dev/null --only '1/http/*/64,memif'
    apps/nginx/compare.py --from compare.json         renders a run again

A cell is WORKERS/SCHEME/KIND/BYTES, such as 1/http/close/64.  Both systems answer wrk on the kernel
over a veth pair whose offloads are off at both ends, one after the other, the first in turn; each
has a pair, a server and namespaces of its own that nobody has used before.  `memif' is another: nginx
on mtcp, asked by epwget without a kernel between, beside nginx on the kernel asked by wrk.

compare.json: date, commit, machine, nginx, device, seconds, rounds, connections, errors {WHAT: why}, and
cells [{cell, kernel: F, mtcp: F, mtcp_to_kernel: median of ratios, profile: {SYSTEM: {shares, top}}}], where
F has medians of per_s, p50_us, p99_us, failed, dropped (frames that found the kernel's backlog full), server_load,
client_load (of their CPUs), and rounds_per_s; `memif' has "kernel, offloads", too.

Needs root, a build without --enable-checks, and nginx built for it: build.sh --no-install."""

import argparse
import collections
import fnmatch
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(HERE)), "test", "bench"))

# pylint: disable=wrong-import-position
import bench                                                                # noqa: E402
import compare_page                                                         # noqa: E402
from bench_net import (BUILDDIR, KERNELS, KERNELS_CLIENT, OURS, Failed, Net, Process,   # noqa: E402
                       program)

SCHEMA, VERSION = "mtcp-nginx-compare", 1
SIZES = (64, 1024, 65536)
NGINX = """user root;
worker_processes {workers};
daemon off;
pid {dir}/pid;
error_log {dir}/error.log notice;
worker_rlimit_nofile 65536;
env RUNTIME_DIRECTORY;
{affinity}
events {{
	{events}
	worker_connections 16384;
	multi_accept on;
}}
http {{
	access_log off;
	sendfile on;
	tcp_nopush on;
	open_file_cache max=64 inactive=1h;
	keepalive_requests 1000000000;
	keepalive_time 10h;
	client_body_temp_path {dir}/body;
	proxy_temp_path {dir}/proxy;
	fastcgi_temp_path {dir}/fastcgi;
	uwsgi_temp_path {dir}/uwsgi;
	scgi_temp_path {dir}/scgi;
	server {{
		listen 80 backlog=16384 reuseport;
		listen 443 backlog=16384 reuseport ssl;
		ssl_certificate {dir}/cert.pem;
		ssl_certificate_key {dir}/key.pem;
		ssl_session_cache shared:s:1m;
		root {www};
	}}
}}
"""
PORTS = {
    "af_xdp": ("net_af_xdp%q", "iface=b0,start_queue=%q,busy_budget=0"),
    "tap": ("net_tap%q", "iface=b0,mac=fixed"),
    "memif": ("net_memif0", "role=server,socket={work}/memif.sock,socket-abstract=no"),
}
Cell = collections.namedtuple("Cell", "workers scheme kind bytes")


def cells(only, workers):
    """All of them, or those that a pattern of the list names."""
    every = [Cell(w, s, k, n) for w in workers for s in ("http", "https")
             for k in ("kept", "close") for n in SIZES]
    return [c for c in every if wanted("%d/%s/%s/%d" % c, only)]


def wanted(name, only):
    return not only or any(fnmatch.fnmatch(name, pattern) for pattern in only.split(","))


# ---- the two systems ----------------------------------------------------------

class World(Net):
    """Namespaces, a link and a server, anew for each measurement."""

    def __init__(self, args):
        super().__init__()
        self.nginx = args.nginx
        self.cpus = sorted(os.sched_getaffinity(0))
        self.folder = os.path.join(self.work, "nginx")
        self.env["LD_LIBRARY_PATH"] = os.path.join(BUILDDIR, ".libs")
        for size in SIZES:
            self.file(str(size), size)
        self.run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                 "-nodes", "-days", "30", "-subj", "/CN=mtcp.test", "-keyout", self.folder + "/key.pem",
                 "-out", self.folder + "/cert.pem")

    def __exit__(self, *_):
        for sig in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(sig, signal.SIG_IGN)      # once is enough
        super().__exit__()

    def server_cpus(self, workers):
        return self.cpus[:workers]

    def client_cpus(self, workers):
        """Those that no worker has, or all."""
        return self.cpus[workers:] or self.cpus

    # -- links -------------------------------------------------------------------

    def link(self, port, workers, offloads=False):
        """For a system: kernel, af_xdp, tap or memif."""
        self.clear()
        time.sleep(0.2)     # the kernel clears namespaces up behind our back
        if port == "tap":
            self.tap()
        else:
            self.veth(queues=workers, addressed="sc" if port == "kernel" else "c")
        if not offloads:
            for letter in sorted(set(self.spaces)) if port != "tap" else "c":
                self.no_offloads(letter)

    def tap(self):
        name = "mtcp-%d-t" % os.getpid()
        self.run("ip", "netns", "add", name)
        self.spaces["s"] = self.spaces["c"] = name
        for command in (("sysctl", "-qw", "net.ipv4.ip_local_port_range=1024 65000"),
                        ("ip", "tuntap", "add", "dev", "b0", "mode", "tap", "multi_queue", "pi"),
                        ("ip", "address", "add", KERNELS_CLIENT + "/24", "dev", "b0"),
                        ("ip", "link", "set", "b0", "up"), ("ip", "link", "set", "lo", "up")):
            self.run(*self.inside("s", *command))

    def no_offloads(self, letter):
        """A device may know only some of them."""
        for what in ("gro", "gso", "tso", "tx", "rx"):
            subprocess.run(self.inside(letter, "ethtool", "-K", "b0", what, "off"), check=False,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        shown = subprocess.run(self.inside(letter, "ethtool", "-k", "b0"), check=False,
                               stdout=subprocess.PIPE, universal_newlines=True).stdout
        left = re.findall(r"^(generic-receive-offload|generic-segmentation-offload|"
                          r"tcp-segmentation-offload|tx-checksumming): on", shown, re.M)
        if left:
            raise Failed("ethtool leaves on: " + " ".join(left))

    # -- nginx -------------------------------------------------------------------

    def server(self, port, workers):
        """nginx on the kernel or on a port of mtcp's; all its workers listen."""
        masks = " ".join(format(1 << c, "b") for c in self.server_cpus(workers))
        events, affinity = "", "worker_cpu_affinity %s;" % masks
        if port != "kernel":
            self.mtcp_conf(port, workers)
            # A worker stays on the CPU of its core, which its place tells.
            events, affinity = "use mtcp; mtcp_conf %s/mtcp.conf;" % self.work, ""
        with open(os.path.join(self.folder, "nginx.conf"), "w", encoding="ascii") as f:
            f.write(NGINX.format(dir=self.folder, www=self.www, workers=workers, events=events,
                                 affinity=affinity))
        log = os.path.join(self.folder, "error.log")
        with open(log, "w", encoding="ascii"):
            pass
        return Server(self, port, workers, log)

    def mtcp_conf(self, port, workers):
        device, args = PORTS[port]
        lines = ["multiprocess = %d" % workers, "multiprocess_name = compare-%d" % os.getpid()]
        mask = sum(1 << c for c in self.server_cpus(workers))
        self.conf("mtcp", "eal_args = --vdev=%s,%s" % (device, args.replace("{work}", self.work)),
                  "port = " + device,
                  "address = %s/24" % (OURS if port == "memif" else KERNELS), "num_cores = 1",
                  "core_mask = %#x" % mask, *(lines if workers > 1 else []))


class Server(Process):
    """nginx and its workers."""

    def __init__(self, world, port, workers, log):
        self.world, self.port, self.count, self.error_log = world, port, workers, log
        conf = os.path.join(world.folder, "nginx.conf")
        super().__init__(world, "server", world.inside("s", world.nginx, "-p", world.folder, "-c", conf,
                                                       "-e", log))
        try:
            self.wait_for(20, self.is_ready)
        except Failed:
            self.stop()
            raise Failed("nginx on %s did not start: %s" % (port, self.complaint())) from None

    def is_ready(self):
        if self.port == "kernel":
            return len(self.workers()) == self.count and self.answers()
        with open(self.error_log, encoding="utf-8", errors="replace") as f:
            started = f.read().count("has started")
        return started >= self.count and (self.port == "memif" or self.answers())

    def answers(self):
        return subprocess.run(self.world.inside("c", "curl", "-s", "-o", "/dev/null", "--max-time", "1",
                                                "http://%s/64" % KERNELS), check=False).returncode == 0

    def complaint(self):
        with open(self.error_log, encoding="utf-8", errors="replace") as f:
            bad = [line for line in f if re.search(r"\[(error|alert|crit|emerg)\]", line)]
        return bad[0].strip() if bad else self.last_line()

    def workers(self):
        with open("/proc/%d/task/%d/children" % (self.popen.pid, self.popen.pid), encoding="ascii") as f:
            return [int(pid) for pid in f.read().split()]


# ---- one measurement ------------------------------------------------------------

def busy(cpus):
    """Clock ticks that each has not been idle, and all."""
    with open("/proc/stat", encoding="ascii") as f:
        for line in f:
            name, *ticks = line.split()
            if name[:3] == "cpu" and name[3:].isdigit() and int(name[3:]) in cpus:
                ticks = [int(t) for t in ticks[:8]]
                yield sum(ticks) - ticks[3] - ticks[4], sum(ticks)


def load(before, after):
    used = sum(a[0] - b[0] for a, b in zip(after, before))
    return round(used / max(sum(a[1] - b[1] for a, b in zip(after, before)), 1), 3)


def backlog_drops():
    """Frames that found the kernel's queue between devices and TCP full, on any CPU."""
    with open("/proc/net/softnet_stat", encoding="ascii") as f:
        return sum(int(line.split()[1], 16) for line in f)


def by_wrk(b, cell, port):
    """wrk's figures, and how busy the CPUs of either side were."""
    w = b.net
    cpus = w.client_cpus(cell.workers)
    close = ["-H", "Connection: close"] if cell.kind == "close" else []
    watched = [w.server_cpus(cell.workers), cpus]
    w.link(port.split("+")[0], cell.workers, offloads=port.endswith("+offloads"))
    with w.server(port.split("+")[0], cell.workers) as server:
        before, drops = [list(busy(c)) for c in watched], backlog_drops()
        with Process(w, "client", w.inside("c", "taskset", "-c", ",".join(str(c) for c in cpus), "wrk",
                                           "-t%d" % min(len(cpus), cell.workers), "-c%d" % b.conns,
                                           "-d%ds" % b.seconds, "--latency", "--timeout", "10s", *close,
                                           "%s://%s/%d" % (cell.scheme, KERNELS, cell.bytes))) as client:
            shares = b.perf.during(server) if b.perf else None
            text = client.finish(b.seconds + 30)
        after = [list(busy(c)) for c in watched]
    f = bench.wrk_figures(text, client.last_line())
    f["dropped"] = backlog_drops() - drops
    f["server_load"], f["client_load"] = (load(*x) for x in zip(before, after))
    return dict(f, shares=shares) if shares else f


def by_memif(b, cell, _):
    """epwget on the next CPU, and no kernel between."""
    w = b.net
    w.link("memif", cell.workers)
    socket = os.path.join(w.work, "memif.sock")
    if os.path.exists(socket):
        os.unlink(socket)
    with w.server("memif", cell.workers) as server:
        server.wait_for(5, lambda: os.path.exists(socket))
        with w.our_client(program("apps", "epwget"),
                          *bench.fetch_args(b, OURS, str(cell.bytes), b.conns,
                                            cell.kind == "kept")) as client:
            if b.perf:
                time.sleep(b.warm_up + 0.5)
            shares = b.perf.during(server) if b.perf else None
            result = bench.result_of(b, client)
    f = bench.figures(result, {}, cell.kind == "kept")
    return dict(f, shares=shares) if shares else f


# ---- whose cycles ----------------------------------------------------------------

class Perf:
    """Whose CPU time the workers' is, by samples of the clock."""

    def __init__(self, work, nginx, seconds):
        self.data = os.path.join(work, "perf.data")
        self.seconds = max(seconds - 1, 0.5)
        self.ours = names_of(nginx)
        self.top = None

    def during(self, server):
        """Samples them for as long as it is told; {whose: share}."""
        pids = server.workers()
        if os.path.exists(self.data):
            os.unlink(self.data)
        subprocess.run(["perf", "record", "-q", "-e", "cpu-clock", "-F", "5000", "-o", self.data, "-p",
                        ",".join(str(p) for p in pids), "--", "sleep", str(self.seconds)],
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, check=False)
        said = subprocess.run(["perf", "script", "-i", self.data, "-F", "tid,ip,sym,dso"],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False,
                              universal_newlines=True, errors="replace").stdout
        found = re.findall(r"^ *(\d+) +[0-9a-f]+ (.*?)(?:\+0x[0-9a-f]+)? \((.*)\)$", said, re.M)
        whose = collections.Counter()
        self.top = collections.Counter()
        for tid, symbol, dso in found:
            name = self.whose(int(tid) in pids, symbol, dso)
            whose[name] += 1
            self.top[name, symbol] += 1
        total = sum(whose.values())
        return {k: round(n / total, 4) for k, n in whose.items()} if total else {}

    def whose(self, is_main, symbol, dso):
        """nginx's thread runs nginx, what it calls of mtcp, and the kernel for both."""
        in_kernel = dso.startswith("[") and dso != "[vdso]" or dso.endswith(".ko")
        if not is_main:
            return "stack's kernel" if in_kernel else "stack"
        if in_kernel:
            return "nginx's kernel"
        base = os.path.basename(dso)
        if base.startswith(("libmtcp", "librte")) or base == "nginx" and symbol in self.ours:
            return "mtcp calls"
        return "nginx"

    def first(self, n):
        """What took most, as [whose, symbol, share]."""
        total = sum(self.top.values())
        return [[who, symbol, round(k / total, 4)] for (who, symbol), k in self.top.most_common(n)]


def names_of(nginx):
    """Functions of ours that are linked into nginx itself."""
    addon = os.path.join(os.path.dirname(nginx), "addon", "nginx")
    files = [os.path.join(BUILDDIR, ".libs", "libmtcp_posix.a")]
    if os.path.isdir(addon):
        files += [os.path.join(addon, f) for f in os.listdir(addon) if f.endswith(".o")]
    said = subprocess.run(["nm", "--defined-only"] + files, stdout=subprocess.PIPE, check=False,
                          stderr=subprocess.DEVNULL, universal_newlines=True).stdout
    return set(re.findall(r"^[0-9a-f]+ [tT] (\S+)$", said, re.M))


# ---- the run ---------------------------------------------------------------------

class Compare:
    """What measurements share; bench.py's functions want some of it."""

    def __init__(self, net, args):
        self.net = net
        self.seconds, self.rounds, self.conns = args.seconds, args.rounds, args.conns
        self.warm_up = 1
        self.perf = None
        self.device = args.device
        self.errors = {}

    def take(self, row, name, measure, *args):
        """Appends a round to the row of a system, or says why not."""
        try:
            figures = measure(self, *args)
            row.setdefault(name, []).append(figures)
            self.say("    %-16s %s/s%s" % (name, format(round(figures["per_s"]), ","),
                                           "".join(", %d %s" % (figures[x], x) for x in ("failed", "dropped")
                                                   if figures.get(x))))
        except (Failed, OSError) as why:
            row.setdefault(name, []).append(None)
            self.errors.setdefault(row["cell"] + " " + name, str(why))
            self.say("    %-16s %s" % (name, why))

    def say(self, what):
        print("compare: " + what, file=sys.stderr, flush=True)


def systems_of(b, cell, row):
    """Whom a cell compares, and how each is measured."""
    if row["cell"] == "memif":
        return [("kernel", by_wrk, cell, "kernel"),
                ("kernel, offloads", by_wrk, cell, "kernel+offloads"), ("mtcp", by_memif, cell, "memif")]
    return [("kernel", by_wrk, cell, "kernel"), ("mtcp", by_wrk, cell, b.device)]


def digest(row):
    """Medians of a row's rounds, and of the ratios of each round; failures of all of them."""
    out = {"cell": row["cell"]}
    kernels = [name for name in row if name.startswith("kernel")]
    for name in kernels + ["mtcp"]:
        rounds = [f for f in row.get(name, []) if f]
        if rounds:
            out[name] = bench.medians(rounds)
            out[name]["rounds_per_s"] = [f["per_s"] for f in rounds]
            for what in ("failed", "dropped"):
                if what in out[name]:
                    out[name][what] = sum(f.get(what, 0) for f in rounds)
    if row.get("mtcp") and kernels:
        ratios = [a["per_s"] / max(k["per_s"] for k in them)
                  for a, *them in zip(row["mtcp"], *(row[k] for k in kernels))
                  if a and all(k and k["per_s"] for k in them)]
        if ratios:
            out["mtcp_to_kernel"] = round(statistics.median(ratios), 3)
            out["ratios"] = [round(r, 3) for r in ratios]
    return out


def all_rounds(b, plan):
    """The cells again and again; who comes first in a cell changes."""
    for i in range(b.rounds):
        for n, (cell, row) in enumerate(plan):
            b.say("round %d of %d, %s" % (i + 1, b.rounds, row["cell"]))
            systems = systems_of(b, cell, row)
            for name, *how in systems if (i + n) % 2 == 0 else systems[::-1]:
                b.take(row, name, *how)


def profiles(b, plan, args):
    """Another run, whose rate is not used, of mtcp's side of memif and of the cells that fell short."""
    if args.no_profile or not shutil.which("perf"):
        return
    b.perf = Perf(b.net.work, args.nginx, b.seconds)
    for cell, row in plan:
        d = digest(row)
        if row["cell"] != "memif" and d.get("mtcp_to_kernel", 1) >= 1:
            continue
        for name, measure, *how in systems_of(b, cell, row):
            if name not in row or name.endswith("offloads"):
                continue
            b.say("profile of %s, %s" % (row["cell"], name))
            try:
                shares = measure(b, *how).get("shares")
                row.setdefault("profile", {})[name] = {"shares": shares, "top": b.perf.first(25)}
            except (Failed, OSError) as why:
                b.errors["profile of %s" % row["cell"]] = str(why)
    b.perf = None


def measure_all(args):
    plan = [(cell, {"cell": "%d/%s/%s/%d" % cell}) for cell in cells(args.only, args.workers)]
    if wanted("memif", args.only):
        plan.append((Cell(1, "http", "close", 64), {"cell": "memif"}))
    with World(args) as world:
        b = Compare(world, args)
        out = dict(head(args), cells=[])
        b.say("%d cells, %d rounds of %d s: about %d min" % (
            len(plan), args.rounds, args.seconds, 1 + len(plan) * args.rounds * 2 * (args.seconds + 2) // 60))
        try:
            all_rounds(b, plan)
            profiles(b, plan, args)
        except KeyboardInterrupt:
            b.say("interrupted")
            out["interrupted"] = True
        for _, row in plan:
            d = digest(row)
            if "profile" in row:
                d["profile"] = row["profile"]
            out["cells"].append(d)
        if b.errors:
            out["errors"] = b.errors
    return out


def head(args):
    m = bench.head(argparse.Namespace(quick=False, seconds=args.seconds, repeat=args.rounds))
    said = subprocess.run([args.nginx, "-v"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                          env=dict(os.environ, LD_LIBRARY_PATH=os.path.join(BUILDDIR, ".libs")),
                          universal_newlines=True).stdout
    return {"schema": SCHEMA, "version": VERSION, "date": m["date"], "commit": m["commit"],
            "machine": m["machine"], "nginx": said.strip().rpartition("/")[2], "checks": has_checks(),
            "device": args.device, "seconds": args.seconds, "rounds": args.rounds,
            "connections": args.conns}


def has_checks():
    """Whether the build checks itself, which costs more than what it checks."""
    try:
        with open(os.path.join(BUILDDIR, "build_config.h"), encoding="utf-8") as f:
            return bool(re.search(r"^#define MTCP_CHECKS 1", f.read(), re.M))
    except OSError:
        return False


def why_not(args):
    if os.geteuid() != 0:
        return "needs root: makes network namespaces"
    for command in ("ip", "ethtool", "taskset", "sysctl", "wrk", "curl", "openssl", "nm"):
        if not shutil.which(command):
            return "needs " + command
    if not os.access(args.nginx, os.X_OK):
        return "no %s: run apps/nginx/build.sh --mtcp %s --no-install" % (args.nginx, BUILDDIR)
    if len(os.sched_getaffinity(0)) < 2:
        return "needs two CPUs"
    return None


def read_arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--seconds", type=int, default=3, help="of each measurement, 1 to 60 (3)")
    p.add_argument("--rounds", type=int, default=3, help="medians count, 1 to 20 (3)")
    p.add_argument("--only", metavar="CELLS", help="patterns, with commas: 1/http/*/64,2/*,memif")
    p.add_argument("--workers", default="1,2", help="1, 2 or both (1,2)")
    p.add_argument("--conns", type=int, default=64, help="open at a time (64)")
    p.add_argument("--device", choices=("af_xdp", "tap"), default="af_xdp", help="mtcp's (af_xdp)")
    p.add_argument("--no-profile", action="store_true", help="do not look where cycles went")
    p.add_argument("--nginx", default=os.path.join(BUILDDIR, "nginx", "nginx", "objs", "nginx"),
                   help="built by build.sh (nginx/ in the build folder)")
    p.add_argument("--json", default="compare.json", help="where the result goes (compare.json)")
    p.add_argument("--readme", default=os.path.join(HERE, "README.md"),
                   help="whose section is written anew, compare.svg beside it (README.md here)")
    p.add_argument("--from", dest="again", metavar="FILE", help="render a result, and exit")
    args = p.parse_args()
    if not 1 <= args.seconds <= 60 or not 1 <= args.rounds <= 20 or not 2 <= args.conns <= 16384:
        p.error("--seconds, --rounds or --conns out of range")
    try:
        args.workers = sorted({int(w) for w in args.workers.split(",")})
    except ValueError:
        p.error("--workers wants numbers")
    if not set(args.workers) <= {1, 2}:
        p.error("--workers wants 1, 2 or 1,2")
    return args


def main():
    args = read_arguments()
    if args.again:
        with open(args.again, encoding="utf-8") as f:
            out = json.load(f)
    else:
        why = why_not(args)
        if why:
            print("compare: " + why, file=sys.stderr)
            return 1
        for sig in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(sig, lambda *_: sys.exit(143))        # what was made is removed
        out = measure_all(args)
        with open(args.json, "w", encoding="utf-8") as f:
            json.dump(out, f, indent=1)
            f.write("\n")
    print(compare_page.text(out))
    if not out.get("interrupted"):
        compare_page.write(args.readme, out)
    return 1 if out.get("errors") or out.get("interrupted") else 0


if __name__ == "__main__":
    sys.exit(main())
