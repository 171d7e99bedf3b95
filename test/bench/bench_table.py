# SPDX-License-Identifier: BSD-3-Clause
"""bench.json as tables, in Markdown."""


def table(head, rows):
    out = ["| " + " | ".join(head) + " |",
           "|" + "|".join("---:" if i else "---" for i in range(len(head))) + "|"]
    return out + ["| " + " | ".join(r) + " |" for r in rows]


def number(n, digits=0):
    if n is None:
        return "–"
    return "{:,.{d}f}".format(n, d=digits)


def percent(share):
    return "–" if share is None else number(100 * share)


def of(row, system, figure, digits=0):
    f = row.get(system, {})
    return "failed" if "error" in f else number(f.get(figure), digits)


def stolen(row):
    """The most that a host took of the CPUs during a measurement of this row."""
    return max((f["stolen"] for f in row.values() if isinstance(f, dict) and "stolen" in f), default=None)


def exact(d):
    return table(["instructions of the server", "stack", "application"],
                 [[name, number(p.get("stack"), 1), number(p.get("app"), 1)]
                  for name, p in d["instructions"].items()])


def rates(rows):
    kinds = {"short": "short connections/s", "kept": "kept requests/s"}
    return table(
        ["", "ours", "kernel", "nginx", "ours : kernel", "ours : nginx", "busy cycles each",
         "server's load, %", "stolen, %"],
        [["%s, %s B, %s open" % (kinds[r["kind"]], number(r["bytes"]), number(r["connections"])),
          of(r, "ours", "per_s"), of(r, "kernel", "per_s"), of(r, "nginx", "per_s"),
          number(r.get("ours_to_kernel"), 1), number(r.get("ours_to_nginx"), 1),
          of(r, "ours", "busy_cycles"), percent(r["ours"].get("load")), percent(stolen(r))] for r in rows])


def bulk(rows):
    return table(["bulk, Gbit/s", "ours", "kernel", "ours : kernel"],
                 [["%s connections" % r["connections"] if r["connections"] > 1 else "1 connection",
                   of(r, "ours", "gbit_per_s", 1), of(r, "kernel", "gbit_per_s", 1),
                   number(r.get("ours_to_kernel"), 1)] for r in rows])


def latency(rows):
    return table(["open loop, µs", "requests/s", "p50", "p99", "p99.9"],
                 [["%s at %d %% of its peak" % (r["system"], r["percent"]),
                   number(r["rate_per_s"]), number(r["p50_us"], 1), number(r["p99_us"], 1),
                   number(r["p99.9_us"], 1)] for r in rows])


def fairness(d):
    return table(["fairness", "Jain's index", "requests/s", "least", "most"],
                 [["%s, %s connections" % (name, number(r["connections"])),
                   number(r["jain"], 4), number(r["per_s"]), number(r["least"]),
                   number(r["most"])] for name, r in d.items()])


def limit(d):
    rows = [["%s, %s B" % ({"echo": "received and sent", "drop": "received"}[r["does"]],
                           number(r["bytes"])), number(r["packets_per_s"])] for r in d["runs"]]
    if "kept_share" in d:
        rows.append(["kept requests reach", "%s %%" % number(100 * d["kept_share"], 1)])
    if "bulk_share" in d:
        rows.append(["bulk reaches", "%s %%" % number(100 * d["bulk_share"], 1)])
    return table(["memif without a stack", "packets/s"], rows)


def idle(rows):
    return table(["idle", "% of a CPU", "wake-up, µs"],
                 [[r["port"], number(r["cpu_percent"], 2), number(r.get("wake_us"))]
                  for r in rows])


def memory(d):
    return table(["idle connections", "server, bytes each", "client, bytes each"],
                 [[number(d["connections"]), number(d["server_bytes"]),
                   number(d["client_bytes"])]])


def million(d):
    return table(["connections kept", "answered", "opened in, s", "asked in, s",
                  "server, bytes each", "client, bytes each", "MB before"],
                 [[number(d["connections"]), number(d["answered"]), "%.1f" % d["open_s"],
                   "%.1f" % d["ask_s"], number(d["server_bytes"]), number(d["client_bytes"]),
                   "%.1f" % (d["empty_bytes"] / 1e6)]])


def idlers(d):
    return table(["idle in one process", "bytes each", "opened in, s", "slowest million, s",
                  "MB before"],
                 [[number(d["connections"]), number(d["bytes"]), "%.1f" % d["seconds"],
                   "%.1f" % max(r["seconds"] for r in d["millions"]),
                   "%.1f" % (d["empty_bytes"] / 1e6)]])


PARTS = [("exact", exact), ("rates", rates), ("bulk", bulk), ("latency", latency),
         ("fairness", fairness), ("limit", limit), ("idle", idle), ("memory", memory),
         ("million", million), ("idlers", idlers)]


def text(d):
    m = d["machine"]
    out = ["%s, commit %s; %s, %d CPUs, Linux %s; %d s each%s" % (
        d["date"], d["commit"], m["cpu"], m["cpus"], m["kernel"], d["seconds"],
        ", quick" if d["quick"] else "")]
    if m.get("stolen", 0) > 0.01:
        out.append("The host took %s %% of the CPUs: figures are lower than the machine's." % percent(m["stolen"]))
    if "MTCP_CHECKS" in (d.get("build") or ""):
        out.append("Built with --enable-checks: rates mean nothing.")
    for name, part in PARTS:
        if d.get(name):
            out += [""] + part(d[name])
    for name, why in d.get("errors", {}).items():
        out += ["", "%s failed: %s" % (name, why)]
    return "\n".join(out)
