#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# The bench works: each of its systems serves, and bench.json has what README.md says.
# How fast is no matter here.
. "$(dirname "$0")/lib.sh"

[ -z "${MTCP_SANITIZE:-}" ] || skip "an instrumented program has another price"
begin nginx wrk taskset sysctl "$python3"

if "$python3" "$src/test/bench/bench.py" --quick --only rates,fairness --conns 8 --sizes 64 \
	--json "$work/bench.json" >"$work/bench.log" 2>&1; then
	ok "every part was measured"
else
	fail "every part was measured" "$(tail -n 8 "$work/bench.log")"
fi

# A line for whatever is missing.
missing() {
	"$python3" - "$work/bench.json" <<-'PYTHON'
		import json, sys
		d = json.load(open(sys.argv[1], encoding="utf-8"))
		def want(what, good):
		    if not good:
		        print(what)
		want("schema", (d["schema"], d["version"]) == ("mtcp-bench", 1))
		want("what the host took", 0 <= d["machine"]["stolen"] <= 1)
		want("two rows of rates", len(d["rates"]) == 2)
		for r in d["rates"]:
		    for system in ("ours", "kernel", "nginx"):
		        f = r[system]
		        want("%s %s: %s" % (r["kind"], system, f), f.get("per_s", 0) > 0 and f.get("failed") == 0
		             and 0 <= f.get("stolen", -1) <= 1)
		    want("busy cycles: %s" % r["ours"], r["ours"].get("busy_cycles", 0) > 0)
		for system in ("ours", "kernel"):
		    want("fairness " + system, 0 < d["fairness"][system]["jain"] <= 1.00001)
	PYTHON
}
same "bench.json is complete, and nobody failed a request" "" "$(missing 2>&1)"
again() { "$python3" "$src/test/bench/bench.py" --table "$work/bench.json" | grep -q "^| kept requests/s"; }
check "its tables can be printed again" again
finish
