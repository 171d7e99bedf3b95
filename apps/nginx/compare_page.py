# SPDX-License-Identifier: BSD-3-Clause
"""compare.json as a table in Markdown, between two marks of README.md, and as a picture of bars."""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(HERE)), "test", "bench"))

# pylint: disable=wrong-import-position
from bench_table import number, percent, table                              # noqa: E402

BEGIN, END = "<!-- compare.py: begin -->", "<!-- compare.py: end -->"
SIZES = {64: "64 B", 1024: "1 KB", 65536: "64 KB"}
KINDS = {"kept": "kept", "close": "`Connection: close`"}


def parts(cell):
    """WORKERS/SCHEME/KIND/BYTES."""
    workers, scheme, kind, size = cell.split("/")
    return int(workers), scheme, kind, int(size)


def of(c, system, figure, digits=0):
    return number(c.get(system, {}).get(figure), digits)


def both(c, figure):
    """Of the kernel and of mtcp, in milliseconds."""
    return " : ".join(number(v / 1e3, 2) if v is not None else "–" for v in
                      (c.get(s, {}).get(figure) for s in ("kernel", "mtcp")))


def failures(c):
    return sum(int(c.get(s, {}).get("failed", 0)) for s in c if isinstance(c[s], dict))


# ---- Markdown -------------------------------------------------------------------

def rates(cells):
    head = ["requests", "kernel, /s", "mtcp, /s", "mtcp : kernel", "p50, ms", "p99, ms",
            "CPUs of server and client, %", "failed"]
    rows = []
    for c in cells:
        workers, scheme, kind, size = parts(c["cell"])
        rows.append(["%s, %s, %s, %s" % (scheme.upper(), KINDS[kind], SIZES[size],
                                        "1 worker" if workers == 1 else "%d workers" % workers),
                     of(c, "kernel", "per_s"), of(c, "mtcp", "per_s"), number(c.get("mtcp_to_kernel"), 2),
                     both(c, "p50_us"), both(c, "p99_us"),
                     " : ".join("%s, %s" % tuple(percent(c.get(s, {}).get(x))
                                                 for x in ("server_load", "client_load"))
                                for s in ("kernel", "mtcp")),
                     number(failures(c))])
    return table(head, rows)


def shares_of(profile):
    """In words, the largest first."""
    words = {"nginx": "nginx's own code with the libraries it calls", "mtcp calls": "mtcp's calls in nginx's thread",
             "nginx's kernel": "the kernel for nginx's thread", "stack": "mtcp's stack",
             "stack's kernel": "the kernel for the stack"}
    shares = sorted((profile.get("shares") or {}).items(), key=lambda x: -x[1])
    return ", ".join("%s %% %s" % (percent(v), words[k]) for k, v in shares)


def memif(c):
    """The line about a client that is mtcp's, too."""
    if not c.get("mtcp") or not c.get("kernel"):
        return []
    out = ["One worker on one CPU, the load on the next, HTTP, `Connection: close`, 64 B: nginx on mtcp, asked by "
           "`epwget` over memif, **%s/s**; nginx on the kernel, asked by wrk over veth, %s/s, and %s/s with "
           "the offloads that veth has by itself: **%s times**, by the faster of both." % (
               of(c, "mtcp", "per_s"), of(c, "kernel", "per_s"), of(c, "kernel, offloads", "per_s"),
               number(c.get("mtcp_to_kernel"), 2))]
    profile = c.get("profile", {}).get("mtcp")
    if profile and profile.get("shares"):
        own = profile["shares"].get("nginx", 0) + profile["shares"].get("nginx's kernel", 0)
        out[0] += (" Where the worker's time goes: %s. A stack that costs nothing would serve %s/s."
                   % (shares_of(profile), number(c["mtcp"]["per_s"] / own) if own else "–"))
    return out


def slower(cells):
    """What the profile says of cells that fall short."""
    out = []
    for c in cells:
        if c.get("mtcp_to_kernel", 1) < 1 and c.get("profile", {}).get("mtcp"):
            top = c["profile"]["mtcp"]["top"][:5]
            out.append("- `%s`: %s; first of all %s." % (
                c["cell"], shares_of(c["profile"]["mtcp"]),
                ", ".join("`%s` %s %%" % (symbol, percent(share)) for _, symbol, share in top)))
    return ["Slower than the kernel, with the share of the worker's CPU time:", ""] + out if out else []


def caption(d):
    m = d["machine"]
    out = ("%s, commit %s; nginx %s; %s, %d CPUs, Linux %s; mtcp on %s; medians of %d rounds of %d s, "
           "%d connections." % (d["date"][:10], d["commit"], d["nginx"], m["cpu"], m["cpus"],
                                m["kernel"], {"af_xdp": "AF_XDP over veth", "tap": "TAP"}[d["device"]],
                                d["rounds"], d["seconds"], d["connections"]))
    if d.get("checks"):
        out += " **Built with --enable-checks: rates mean nothing.**"
    return out


def split(d):
    """The cells of the table, and the one of memif."""
    cells = [c for c in d["cells"] if c["cell"] != "memif"]
    return cells, [c for c in d["cells"] if c["cell"] == "memif"]


def text(d, picture=None):
    cells, near = split(d)
    blocks = [[caption(d)]]
    if picture:
        blocks.append(["![Requests a second of nginx on the kernel and on mtcp](%s)" % picture])
    blocks += [memif(c) for c in near]
    if cells:
        blocks += [rates(cells), slower(cells)]
    blocks += [["%s failed: %s" % (name, why)] for name, why in sorted(d.get("errors", {}).items())]
    return "\n\n".join("\n".join(b) for b in blocks if b)


def write(readme, d):
    """The section of README.md, and compare.svg beside it; nothing for /dev/null."""
    if readme == os.devnull:
        return
    with open(readme, encoding="utf-8") as f:
        old = f.read()
    before, begin, rest = old.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit("compare: %s has no %s ... %s" % (readme, BEGIN, END))
    with open(os.path.join(os.path.dirname(os.path.abspath(readme)), "compare.svg"), "w",
              encoding="utf-8") as f:
        f.write(svg(d))
    with open(readme, "w", encoding="utf-8") as f:
        f.write("%s%s\n%s\n%s%s" % (before, begin, text(d, "compare.svg"), end, after))


# ---- the picture ------------------------------------------------------------------

# The colours are those of epwget's report.
STYLE = """<style>
svg{--card:#fff;--ink:#1c1b19;--soft:#62605a;--rule:#e3e1db;--k:#a5a29a;--m:#2a78d6;--n:#c8501c}
@media(prefers-color-scheme:dark){svg{--card:#20201e;--ink:#f0efea;--soft:#a9a79f;--rule:#3a3935;--k:#77756e;--m:#5b9ff0;--n:#f08a57}}
.card{fill:var(--card);stroke:var(--rule)}text{font:13px system-ui,sans-serif;fill:var(--ink)}
.soft{fill:var(--soft)}.head{font-weight:600;font-size:14px}.axis{stroke:var(--soft)}
.k{fill:var(--k)}.m{fill:var(--m)}.n{fill:var(--n)}
</style>
"""
WIDTH, MARGIN, BAR, GAP, LABEL, VALUE = 900, 20, 13, 12, 92, 96
HALF = (WIDTH - 3 * MARGIN) // 2


def short(n):
    """Three digits."""
    return "%.3gM" % (n / 1e6) if n >= 999500 else "%.3gk" % (n / 1e3) if n >= 999.5 else "%.3g" % n


def words(x, y, said, css="", anchor="start"):
    return '<text x="%.1f" y="%.1f" text-anchor="%s"%s>%s</text>' % (
        x, y, anchor, ' class="%s"' % css if css else "", said)


def bar(x, y, width, css, title):
    return '<rect class="%s" x="%.1f" y="%.1f" width="%.1f" height="%d" rx="2"><title>%s</title></rect>' % (
        css, x, y, max(width, 1), BAR, title)


def group(x, y, width, label, bars, most):
    """One label, a bar for each of (css, per_s, what stands beside it, title)."""
    room = width - LABEL - VALUE
    out = [words(x + LABEL - 8, y + (BAR * len(bars) + 9) / 2, label, "soft", "end")]
    for i, (css, per_s, beside, title) in enumerate(bars):
        long = room * per_s / most if most else 0
        top = y + i * (BAR + 1)
        out += [bar(x + LABEL, top, long, css, title),
                words(x + LABEL + long + 5, top + 11, beside)]
    return out


def per_s(c, system):
    return c.get(system, {}).get("per_s", 0)


def panel(x, y, title, cells):
    """Cells of one scheme and number of workers; and their height.  Short connections are too few
    to be seen beside kept ones: either has a scale of its own."""
    most = {}
    for c in cells:
        kind = parts(c["cell"])[2]
        most[kind] = max([most.get(kind, 1)] + [per_s(c, s) for s in ("kernel", "mtcp")])
    out, at = [words(x, y + 14, title, "head")], y + 28
    for c in cells:
        _, _, kind, size = parts(c["cell"])
        ratio = c.get("mtcp_to_kernel")
        out += group(x, at, HALF, "%s, %s" % (kind, SIZES[size]), [
            ("k", per_s(c, "kernel"), short(per_s(c, "kernel")), "kernel: %s/s" % of(c, "kernel", "per_s")),
            ("m", per_s(c, "mtcp"), "%s%s" % (short(per_s(c, "mtcp")), ", %.2f×" % ratio if ratio else ""),
             "mtcp: %s/s" % of(c, "mtcp", "per_s"))], most[kind])
        at += 2 * BAR + GAP
    out.append('<path class="axis" d="M%.1f %.1fV%.1f"/>' % (x + LABEL - 0.5, y + 24, at - GAP + 4))
    return out, at - y


def strip(y, c):
    """The line about memif, over the whole width."""
    bars = [("k", per_s(c, "kernel"), short(per_s(c, "kernel")) + ", kernel, wrk over veth", "offloads off"),
            ("k", per_s(c, "kernel, offloads"), short(per_s(c, "kernel, offloads")) + ", kernel, veth with its offloads",
             "veth as it is"),
            ("n", per_s(c, "mtcp"), "%s, mtcp, epwget over memif: %s×" % (short(per_s(c, "mtcp")),
                                                                      number(c.get("mtcp_to_kernel"), 2)), "mtcp")]
    out = [words(MARGIN, y + 14, "HTTP, 1 worker, a client without a kernel", "head")]
    out += group(MARGIN, y + 28, WIDTH - 2 * MARGIN - 170, "close, 64 B", bars, max(b[1] for b in bars))
    return out, 28 + 3 * (BAR + 1) + GAP


def legend(y):
    out, x = [words(MARGIN, y + 14, "Requests/s of nginx", "head")], MARGIN + 170
    for css, said in (("k", "on the kernel"), ("m", "on mtcp, the same wrk"), ("n", "on mtcp, epwget over memif")):
        out += [bar(x, y + 3, BAR, css, said), words(x + BAR + 6, y + 14, said, "soft")]
        x += 42 + 7 * len(said)
    return out


def svg(d):
    cells, near = split(d)
    body, y = legend(MARGIN), MARGIN + 34
    for c in near:
        drawn, height = strip(y, c)
        body += drawn
        y += height + GAP
    for workers in (1, 2):
        heights = [0]
        for i, scheme in enumerate(("http", "https")):
            some = [c for c in cells if parts(c["cell"])[:2] == (workers, scheme)]
            if some:
                drawn, height = panel(MARGIN + i * (HALF + MARGIN), y, "%s, %d worker%s" % (
                    scheme.upper(), workers, "s" if workers > 1 else ""), some)
                body += drawn
                heights.append(height)
        y += max(heights) + GAP
    body.append(words(MARGIN, y + 8, "%s, %s, Linux %s; kept and close each on a scale of its own" % (d["date"][:10], d["machine"]["cpu"].replace("&", "&amp;"),
                                                          d["machine"]["kernel"]), "soft"))
    y += 24
    return ('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" '
            'aria-label="Requests a second of nginx on the kernel and on mtcp">\n%s'
            '<rect class="card" x="0.5" y="0.5" width="%d" height="%d" rx="8"/>\n%s\n</svg>\n' % (
                WIDTH, y, WIDTH, y, STYLE, WIDTH - 1, y - 1, "\n".join(body)))
