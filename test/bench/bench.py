#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What the stack costs and how fast it is, beside the kernel in the same run.

    make bench                    minutes; writes bench.json and prints tables
    make bench BENCH=--quick      half a minute
    test/bench/bench.py --table bench.json        prints the tables of a run again
    test/bench/bench.py --only rates,limit ...    some parts only

Nothing is judged here: rates belong to a machine and its mood.  README.md beside this
file tells what each figure is, and the members of bench.json."""

import argparse
import datetime
import json
import os
import platform
import re
import shutil
import signal
import statistics
import subprocess
import sys
import time

import bench_table
from bench_net import BUILDDIR, KERNELS, OURS, SRCDIR, Failed, Net, Process, program, usage_of

SCHEMA, VERSION = "mtcp-bench", 1
FOREVER = "--keep-alive=1000000000"
BIG = 16 << 20
CALM = 0.01        # of the CPUs a host may take


# ---- one measurement ---------------------------------------------------------

def fetch_args(b, address, path, conns, kept, rate=0):
    out = os.path.join(b.net.work, "result.json")
    if os.path.exists(out):
        os.unlink(out)
    args = ["http://%s/%s" % (address, path), "-d", str(b.seconds), "--warm-up", str(b.warm_up),
            "-c", str(conns), "--json", out, "--no-progress", "--usage"]
    return args + ([FOREVER] if kept else []) + (["--rate", str(rate)] if rate else [])


def result_of(b, client):
    """What epwget has measured: its JSON."""
    text = client.finish(b.seconds + b.warm_up + 40)
    try:
        with open(os.path.join(b.net.work, "result.json"), encoding="utf-8") as f:
            return json.load(f)
    except (OSError, ValueError):
        raise Failed("epwget: " + (text.strip().split("\n")[-1] or "nothing said")) from None


def per_operation(usage, kept):
    """Cycles of the server for each of all that it has done since it was started."""
    ops = usage.get("requests" if kept else "connections", 0)
    if not ops:
        return {}
    hz = usage["cycles_per_s"]
    if not hz:          # the kernel's: only its thread's time is known
        return {"thread_ns": round(usage["app_ns"] / ops, 1)}
    app = usage["app_ns"] * hz / 1e9
    return {
        "busy_cycles": round((usage["busy_cycles"] + app) / ops),
        "stack_cycles": round(usage["busy_cycles"] / ops),
        "app_cycles": round(app / ops),
        "all_cycles": round((usage["stack_ns"] + usage["app_ns"]) * hz / 1e9 / ops),
    }


def figures(result, usage, kept):
    counts, s = result["counts"], max(result["elapsed_ns"], 1) / 1e9
    ops = counts["requests_completed" if kept else "connections_good"]
    response = result["latency"]["response"]
    f = {
        "per_s": round(ops / s, 1),
        "gbit_per_s": round(counts["bytes_read"] * 8e-9 / s, 3),
        "failed": counts["requests_failed"] + counts["connections_failed"],
        "p50_us": response["p50_ns"] / 1e3,
        "p99_us": response["p99_ns"] / 1e3,
        "p99.9_us": response["p99.9_ns"] / 1e3,
        "max_us": response["max_ns"] / 1e3,
    }
    f.update(per_operation(usage, kept))
    if "busy_cycles" in f:
        f["load"] = round(f["per_s"] * f["busy_cycles"] / usage["cycles_per_s"], 3)
    return f


def by_ours(b, path, conns, kept, rate=0):
    with b.net.our_server() as server:
        with b.net.our_client(program("apps", "epwget"),
                              *fetch_args(b, OURS, path, conns, kept, rate)) as client:
            result = result_of(b, client)
        return figures(result, usage_of(server.stop()), kept)


def by_kernel(b, path, conns, kept, rate=0):
    with b.net.kernel_server() as server:
        with b.net.kernel_client(program("test", "bench", "epwget-kernel"),
                                 *fetch_args(b, KERNELS, path, conns, kept, rate)) as client:
            result = result_of(b, client)
        return figures(result, usage_of(server.stop()), kept)


def wrk_figures(text, last):
    """Of what wrk printed; latencies too where it was run with --latency."""
    rate = re.search(r"Requests/sec:\s+([0-9.]+)", text)
    if not rate:
        raise Failed("wrk: " + last)
    errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", text)
    other = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    figures_ = {"per_s": float(rate.group(1)),
                "failed": (sum(int(n) for n in errors.groups()) if errors else 0)
                          + (int(other.group(1)) if other else 0)}
    for percent, n, unit in re.findall(r"^ +(50|99)% +([0-9.]+)(us|ms|s|m)$", text, re.M):
        figures_["p%s_us" % percent] = float(n) * {"us": 1, "ms": 1e3, "s": 1e6, "m": 6e7}[unit]
    return figures_


def by_nginx(b, path, conns, kept):
    close = [] if kept else ["-H", "Connection: close"]
    with b.net.nginx():
        with b.net.kernel("client", "wrk", "-t1", "-c%d" % conns, "-d%ds" % b.seconds, *close,
                          "http://%s/%s" % (KERNELS, path)) as client:
            text = client.finish(b.seconds + 30)
    return wrk_figures(text, client.last_line())


def cpu_ticks():
    """(what a host has kept for others, all) of the CPU time since the machine started."""
    with open("/proc/stat", encoding="ascii") as f:
        ticks = [int(n) for n in f.readline().split()[1:9]]
    return ticks[7], sum(ticks)


def calmest(b, measure, *args):
    """The figures of a measurement that the host of a virtual machine let alone: one from which it took more than
    CALM of the CPUs is repeated while patience lasts, and that from which it took least counts."""
    best = None
    while True:
        begun, before = time.monotonic(), cpu_ticks()
        found = measure(b, *args)
        taken, everything = (after - was for after, was in zip(cpu_ticks(), before))
        found["stolen"] = round(taken / max(everything, 1), 3)
        if best is None or found["stolen"] < best["stolen"]:
            best = found
        if best["stolen"] <= CALM or b.patience_s <= 0:
            return best
        b.patience_s -= time.monotonic() - begun


def medians(runs):
    """Of each figure; how many runs there were."""
    names = sorted({k for r in runs for k in r})
    return dict({k: statistics.median(r[k] for r in runs if k in r) for k in names},
                runs=len(runs))


def side_by_side(b, systems, *args):
    """{name: figures}, the systems in turn; one that fails is there with why."""
    runs = {name: [] for name, _ in systems}
    errors = {}
    for _ in range(b.repeat):
        for name, measure in systems:
            try:
                runs[name].append(calmest(b, measure, *args))
            except Failed as why:
                errors[name] = str(why)
    row = {name: medians(r) for name, r in runs.items() if r}
    row.update({name: {"error": why} for name, why in errors.items() if name not in row})
    return row


def ratio(row, figure, of, to):
    a, c = row.get(of, {}).get(figure), row.get(to, {}).get(figure)
    return round(a / c, 2) if a and c else None


# ---- the parts ----------------------------------------------------------------

def part_exact(b):
    done = subprocess.run([sys.executable, os.path.join(SRCDIR, "test", "bench", "exact.py"),
                           "--json"], stdout=subprocess.PIPE, universal_newlines=True,
                          stdin=subprocess.DEVNULL, check=False, env=b.net.env)
    if done.returncode != 0:
        raise Failed(done.stdout.strip())
    return json.loads(done.stdout)


def part_rates(b):
    """Short connections and kept requests."""
    rows = []
    systems = [("ours", by_ours), ("kernel", by_kernel), ("nginx", by_nginx)]
    for kind in ("short", "kept"):
        for size in b.sizes:
            for conns in b.conns:
                b.say("%s, %d B, %d connections" % (kind, size, conns))
                row = {"kind": kind, "bytes": size, "connections": conns}
                row.update(side_by_side(b, systems, str(size), conns, kind == "kept"))
                row["ours_to_kernel"] = ratio(row, "per_s", "ours", "kernel")
                row["ours_to_nginx"] = ratio(row, "per_s", "ours", "nginx")
                rows.append(row)
    return rows


def part_bulk(b):
    rows = []
    for conns in (1, 64):
        b.say("bulk, %d connections" % conns)
        row = {"connections": conns}
        row.update(side_by_side(b, [("ours", by_ours), ("kernel", by_kernel)], "big", conns, True))
        row["ours_to_kernel"] = ratio(row, "gbit_per_s", "ours", "kernel")
        rows.append(row)
    return rows


def peak(b, name, measure):
    """Requests a second with 64 connections, from the rates if they were taken."""
    for row in b.done.get("rates") or []:
        if (row["kind"], row["bytes"], row["connections"]) == ("kept", 64, 64):
            found = row.get(name, {}).get("per_s")
            if found:
                return found
    return measure(b, "64", 64, True)["per_s"]


def part_latency(b):
    """Open loop: every request is due at its time, whatever the server does."""
    rows = []
    for name, measure in (("ours", by_ours), ("kernel", by_kernel)):
        top = peak(b, name, measure)
        for percent in (10, 50, 90):
            b.say("latency, %s at %d %% of peak" % (name, percent))
            rate = max(int(top * percent / 100), 1)
            row = {"system": name, "percent": percent, "rate_per_s": rate}
            row.update(calmest(b, measure, "64", 64, True, rate))
            rows.append(row)
    return rows


def crowd_of(text):
    m = re.search(r"connections=(\d+) per_s=(\d+) least=(\d+) most=(\d+) jain=([0-9.]+)", text)
    if not m:
        raise Failed("crowd: " + text.strip().split("\n")[-1])
    return {"connections": int(m.group(1)), "per_s": int(m.group(2)), "least": int(m.group(3)),
            "most": int(m.group(4)), "jain": float(m.group(5))}


def part_fairness(b):
    conns, seconds = str(b.crowd), str(b.seconds)
    row = {}
    b.say("fairness, %s connections" % conns)
    with b.net.our_server():
        with b.net.our_client(program("test", "bench", "crowd"), OURS, "64", conns,
                              seconds) as client:
            row["ours"] = crowd_of(client.finish(b.seconds + 60))
    with b.net.kernel_server():
        with b.net.kernel_client(program("test", "bench", "crowd-kernel"), KERNELS, "64", conns,
                                 seconds) as client:
            row["kernel"] = crowd_of(client.finish(b.seconds + 60))
    return row


def limit_end(b, role, what, size):
    cpu = b.net.cpu[role]
    return Process(b.net, role, [
        program("test", "bench", "limit"), "--no-huge", "-m", "512", "--no-pci",
        "--iova-mode=va", "--log-level=1", "--file-prefix=limit-%s" % role, "-l", str(cpu),
        "--vdev=net_memif0,role=%s,socket=%s/limit.sock,socket-abstract=no" % (role, b.net.work),
        "--", what, str(size), str(b.seconds)])


def limit_of(text):
    m = re.search(r"received_per_s=(\d+) sent_per_s=(\d+)", text)
    if not m:
        raise Failed("limit: " + text.strip().split("\n")[-1])
    return int(m.group(1))


def limit_run(b, what, size):
    b.say("limit, %s, %d B" % (what, size))
    socket = os.path.join(b.net.work, "limit.sock")
    with limit_end(b, "server", what, size) as server:
        server.wait_for(20, lambda: os.path.exists(socket))
        with limit_end(b, "client", "send", size) as client:
            rate = limit_of(server.finish(b.seconds + 40))
            client.stop()
    return {"does": what, "bytes": size, "packets_per_s": rate}


def best(b, kind, figure):
    found = [r["ours"][figure] for r in b.done.get(kind) or [] if figure in r.get("ours", {})
             and r.get("bytes", 64) == 64 and r.get("kind", "kept") == "kept"]
    return max(found) if found else None


def part_limit(b):
    rows = [limit_run(b, "echo", 64), limit_run(b, "drop", 64), limit_run(b, "drop", 1514)]
    requests, gbits = best(b, "rates", "per_s"), best(b, "bulk", "gbit_per_s")
    out = {"runs": rows}
    # A request and its reply are a packet each: as many as the echo's.
    if requests:
        out["kept_share"] = round(requests / rows[0]["packets_per_s"], 3)
    if gbits:
        out["bulk_share"] = round(gbits * 1e9 / (rows[2]["packets_per_s"] * 1514 * 8), 3)
    return out


def idle_kernel_ports(b):
    """tap, af_packet, af_xdp: what test/interop/idle.sh tells."""
    done = subprocess.run(["bash", os.path.join(SRCDIR, "test", "interop", "idle.sh")],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                          stdin=subprocess.DEVNULL, universal_newlines=True, env=b.net.env)
    rows = {}
    for kind, ms, s in re.findall(r"(\w+): (\d+) ms of CPU time in (\d+) s", done.stdout):
        rows[kind] = {"port": kind, "cpu_percent": round(int(ms) / 10 / int(s), 2)}
    for kind, us in re.findall(r"(\w+): first answer after \d+ us; all: ([\d ]+) us", done.stdout):
        if kind in rows:
            rows[kind]["wake_us"] = statistics.median(int(n) for n in us.split())
    return list(rows.values())


def idle_pair(b, kind):
    """Two processes of ours: the server sleeps, then is asked twice a second by a client
    that has slept as well."""
    with b.net.our_server(kind) as server:
        with b.net.our_client(program("apps", "epwget"),
                              *fetch_args(b, OURS, "64", 1, True, 2), kind=kind) as client:
            result = result_of(b, client)
        before = server.cpu_s()
        time.sleep(b.idle_s)
        used = server.cpu_s() - before
    return {"port": kind, "cpu_percent": round(100 * used / b.idle_s, 2),
            "wake_us": result["latency"]["response"]["p50_ns"] / 1e3}


def part_idle(b):
    rows = [] if b.quick else idle_kernel_ports(b)
    for kind in ("memif", "vhost"):
        b.say("idle, " + kind)
        rows.append(idle_pair(b, kind))
    return rows


def held(b, conns):
    """Memory of server and client with so many idle connections."""
    room = "max_concurrency = %d" % (conns + 1000)
    ports = "ip_local_port_range = 1024 65535"
    with b.net.our_server("memif", room) as server:
        with b.net.our_client(program("test", "bench", "crowd"), OURS, "64", str(conns), "30",
                              "--idle", lines=(room, ports)) as client:
            client.says("held", 60)
            time.sleep(1)
            return server.memory(), client.memory()


def part_memory(b):
    """The slope between few and many, since a process costs something without any."""
    few, many = b.held
    b.say("memory, %d idle connections" % many)
    s0, c0 = held(b, few)
    s1, c1 = held(b, many)
    return {"connections": many,
            "server_bytes": round((s1 - s0) / (many - few), 1),
            "client_bytes": round((c1 - c0) / (many - few), 1)}


def part_million(b):
    """So many kept between two processes, from many addresses, and a request on each when
    all are open; room for ten million costs nothing before."""
    room, sources = "max_concurrency = 10000000", "198.18.0.10-198.18.0.73"
    b.say("million, %d connections" % b.million)
    with b.net.our_server("memif", room, args=("--timeout", "86400")) as server:
        time.sleep(0.5)
        empty = server.memory("Anonymous:")
        with b.net.our_client(program("test", "bench", "crowd"), OURS, "64", str(b.million),
                              "600", "--idle", "--source", sources, lines=(room,),
                              address=sources) as client:
            client.says("held", 600)
            time.sleep(1)
            full = server.memory("Anonymous:"), client.memory("Anonymous:")
            text = client.text()
    opened = re.search(r"opened connections=(\d+) in ([0-9.]+) s", text)
    asked = re.search(r"held connections=(\d+) answered=(\d+) in ([0-9.]+) s", text)
    return {"connections": int(asked.group(1)), "answered": int(asked.group(2)),
            "open_s": float(opened.group(2)), "ask_s": float(asked.group(3)),
            "empty_bytes": empty,
            "server_bytes": round((full[0] - empty) / b.million, 1),
            "client_bytes": round((full[1] - empty) / b.million, 1)}


def part_idlers(b):
    """So many in one process, whose clients are no stacks."""
    b.say("idlers, %d connections" % b.idlers)
    done = subprocess.run([program("test", "bench", "idlers"), str(b.idlers)],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False,
                          stderr=subprocess.STDOUT, universal_newlines=True, env=b.net.env)
    rows = [{"connections": int(n), "seconds": float(s), "bytes": float(each)} for n, s, each in
            re.findall(r"connections=(\d+) seconds=([0-9.]+) bytes=([0-9.]+)", done.stdout)]
    asked = re.search(r"asked=(\d+) answered=(\d+)", done.stdout)
    if done.returncode != 0 or not rows or not asked:
        raise Failed("idlers: " + (done.stdout.strip().split("\n")[-1] or "nothing said"))
    return {"connections": rows[-1]["connections"], "bytes": rows[-1]["bytes"],
            "seconds": round(sum(r["seconds"] for r in rows), 2), "millions": rows,
            "asked": int(asked.group(1)), "answered": int(asked.group(2)),
            "empty_bytes": int(re.search(r"empty_bytes=(\d+)", done.stdout).group(1))}


PARTS = [("exact", part_exact), ("rates", part_rates), ("bulk", part_bulk),
         ("latency", part_latency), ("fairness", part_fairness), ("limit", part_limit),
         ("idle", part_idle), ("memory", part_memory), ("million", part_million),
         ("idlers", part_idlers)]


# ---- the run ------------------------------------------------------------------

def numbers(text):
    return [int(n) for n in text.split(",")] if text else None


class Bench:
    """What the parts share."""

    def __init__(self, net, args):
        self.net = net
        self.quick = args.quick
        self.repeat = args.repeat
        self.seconds = args.seconds or (1 if args.quick else 2)
        self.warm_up = 0 if args.quick else 1
        self.conns = numbers(args.conns) or ([64, 512] if args.quick else [1, 8, 64, 512, 4096])
        self.sizes = numbers(args.sizes) or ([64] if args.quick else [64, 1024, 8192])
        self.crowd = 512 if args.quick else 4096
        self.held = (5000, 15000) if args.quick else (5000, 50000)
        self.million = args.million or (100000 if args.quick else 1000000)
        self.idlers = 500000 if args.quick else 10000000
        self.idle_s = 2 if args.quick else 5
        self.patience_s = args.patience    # left for repeating what the host disturbed
        self.done = {}

    def say(self, what):
        print("bench: " + what, file=sys.stderr, flush=True)


def cpu_model():
    with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as f:
        for line in f:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.machine()


def commit():
    done = subprocess.run(["git", "-C", SRCDIR, "describe", "--always", "--dirty"],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False,
                          universal_newlines=True)
    return done.stdout.strip() or None


def head(b):
    return {
        "schema": SCHEMA, "version": VERSION,
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "commit": commit(),
        "machine": {"cpu": cpu_model(), "cpus": os.cpu_count(), "kernel": platform.release(),
                    "load": os.getloadavg()[0]},
        "build": os.environ.get("MTCP_BUILD_FLAGS"),
        "quick": b.quick, "seconds": b.seconds, "repeat": b.repeat,
    }


def take(b, only):
    """Every part; one that fails leaves its reason."""
    out, before = head(b), cpu_ticks()
    for name, part in PARTS:
        if only and name not in only:
            continue
        b.say(name)
        try:
            out[name] = b.done[name] = part(b)
        except (Failed, OSError) as why:
            b.say("%s: %s" % (name, why))
            out.setdefault("errors", {})[name] = str(why)
    taken, everything = (after - was for after, was in zip(cpu_ticks(), before))
    out["machine"]["stolen"] = round(taken / max(everything, 1), 3)
    return out


def needs():
    if os.geteuid() != 0:
        return "needs root: makes network namespaces"
    for command in ("ip", "taskset", "sysctl", "nginx", "wrk"):
        if not shutil.which(command):
            return "needs " + command
    if not os.access(program("test", "bench", "epserver-kernel"), os.X_OK):
        return "nothing is built in %s: run make bench there" % BUILDDIR
    return None


def read_arguments():
    p = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    p.add_argument("--quick", action="store_true", help="few cells, a second each")
    p.add_argument("--seconds", type=int, help="for each measurement")
    p.add_argument("--repeat", type=int, default=1, help="take each so often; medians count")
    p.add_argument("--conns", help="open at a time in rates, for example 8,512")
    p.add_argument("--patience", type=float, default=0, metavar="SECONDS",
                   help="for repeating what a virtual machine's host disturbed")
    p.add_argument("--million", type=int, metavar="N", help="connections of that part")
    p.add_argument("--sizes", help="bytes of a file in rates, for example 64,1024")
    p.add_argument("--only", help="some parts: " + ",".join(n for n, _ in PARTS))
    p.add_argument("--json", default="bench.json", help="where the result goes")
    p.add_argument("--table", metavar="FILE", help="print the tables of a result, and exit")
    return p.parse_args()


def main():
    args = read_arguments()
    if args.table:
        with open(args.table, encoding="utf-8") as f:
            print(bench_table.text(json.load(f)))
        return 0
    why = needs()
    if why:
        print("bench: " + why, file=sys.stderr)
        return 1
    if "MTCP_CHECKS" in os.environ.get("MTCP_BUILD_FLAGS", ""):
        print("bench: this build checks itself (--enable-checks): rates mean nothing",
              file=sys.stderr)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))    # what was made is removed
    with Net() as net:
        b = Bench(net, args)
        for size in b.sizes + [64]:
            net.file(str(size), size)
        net.file("big", BIG)
        net.veth()
        out = take(b, args.only.split(",") if args.only else None)
    with open(args.json, "w", encoding="utf-8") as f:
        json.dump(out, f, indent=1)
        f.write("\n")
    print(bench_table.text(out))
    return 1 if out.get("errors") else 0


if __name__ == "__main__":
    sys.exit(main())
