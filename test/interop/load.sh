#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# epwget as a load tester: a duration, a fixed rate, results as files, their sum; and a
# server that stands still for a moment, which an open loop must not fail to see.
. "$(dirname "$0")/lib.sh"

begin "$python3"
server_start memif || give_up "epserver on memif"
conf_write memif client "address = 198.18.0.3/24"

# What Python thinks of a result: an expression over r, and sums over it.
holds() { # file, expression
	"$python3" - "$work/$1" "$2" <<-'PYTHON'
		import json, sys
		r = json.load(open(sys.argv[1]))
		n, ms = r["counts"], r["latency"]
		total = lambda h: sum(c for _, c in h["buckets"])
		series = r["series"]["intervals"]
		if not eval("(%s)" % sys.argv[2]):
		    print(json.dumps(n), {k: (v["count"], v["p99.9_ns"]) for k, v in ms.items()})
		    sys.exit(1)
	PYTHON
}

# What is true of every result.
consistent() { # file
	holds "$1" 'r["schema"] == "epwget-result" and r["version"] == 1
		and n["requests_started"] == n["requests_completed"] + n["requests_failed"]
		and n["connections_started"] == n["connections_good"] + n["connections_failed"]
			+ n["connections_incomplete"]
		and sum(r["errors"].values()) == n["requests_failed"]
		and all(total(h) == h["count"] for h in ms.values())
		and ms["response"]["count"] == ms["service"]["count"] == n["requests_completed"]
		and ms["connect"]["count"] == n["connections_established"]
		and sum(i["completed"] for i in series) == n["requests_completed"]
		and sum(i["failed"] for i in series) == n["requests_failed"]
		and sum(total(i["response"]) for i in series) == n["requests_completed"]'
}

load() { # name, arguments...
	local name=$1
	shift
	client_run memif 30 "$ours/1" --json "$work/$name.json" --report "$work/$name.html" "$@"
}

load closed -d 1 --warm-up 1 -c 20 --keep-alive=1000000
same "a second at full speed after one to warm up" 0 $?
check "its counts add up" consistent closed.json
check "connections of the warm-up are not counted, requests are" \
	holds closed.json 'n["connections_started"] == 0 and n["requests_completed"] > 100'

load open -d 2 --rate 300 -c 100 --source 198.18.0.1,198.18.0.3 --poisson
same "300 connections a second from two addresses" 0 $?
check "its counts add up" consistent open.json
check "none was left out, as many as chance allows were due" \
	holds open.json '400 < n["requests_started"] < 800 and n["requests_not_started"] == 0
		and n["connections_good"] == n["requests_started"]'

# 900 are due in three seconds, 90 of them while the server stands still for 0.3 s: a
# thousandth is one of them.  A first second with connections says that it has begun.
start client - "$epwget" "$ours/1" -d 3 --rate 300 -c 10 --keep-alive=1000000 \
	--json "$work/stall.json" --report "$work/stall.html" -f "$work/client.conf"
wait_for 10 says client "connect: *[1-9]"
kill -STOP "${pids[server]}"
sleep 0.3
kill -CONT "${pids[server]}"
finished client 30
same "a server that stands still for 0.3 s" 0 $?
check "its counts add up" consistent stall.json
check "nothing was left out" holds stall.json 'n["requests_completed"] == 900'
check "the stand-still shows in all that were due, though only ten connections saw it" \
	holds stall.json 'sum(c for top, c in ms["response"]["buckets"] if top > 100e6) >= 40
		and ms["response"]["p99.9_ns"] > 250e6'

client_run memif 30 "$ours:81/1" -d 1 --rate 50 -c 20 --json "$work/refused.json"
same "a closed port fails" 1 $?
check "its counts add up" consistent refused.json
check "each request failed, refused" \
	holds refused.json 'r["errors"]["refused"] == n["requests_failed"] == 50'

# ---- the sum of two --------------------------------------------------------------

merged() {
	"$epwget" --merge "$work/open.json" "$work/stall.json" --json "$work/sum.json" \
		--report "$work/sum.html" >"$work/merge.log" 2>&1 &&
		grep -q "responses" "$work/merge.log"
}

is_sum() {
	"$python3" - "$work/sum.json" "$work/open.json" "$work/stall.json" <<-'PYTHON'
		import collections, json, sys
		s, a, b = (json.load(open(p)) for p in sys.argv[1:])
		add = lambda x, y: {k: x[k] + y[k] for k in x}
		both = lambda x, y: sorted((collections.Counter(dict(map(tuple, x["buckets"])))
		    + collections.Counter(dict(map(tuple, y["buckets"])))).items())
		assert s["counts"] == add(a["counts"], b["counts"])
		assert s["errors"] == add(a["errors"], b["errors"])
		assert s["machines"] == a["machines"] + b["machines"]
		for k, h in s["latency"].items():
		    x, y = a["latency"][k], b["latency"][k]
		    assert list(map(tuple, h["buckets"])) == both(x, y)
		    assert h["sum_ns"] == x["sum_ns"] + y["sum_ns"]
		    assert h["max_ns"] == max(x["max_ns"], y["max_ns"])
	PYTHON
}

check "two results add up to a third" merged
check "it is their sum, bucket by bucket" is_sum
check "its counts add up" consistent sum.json

head -c 700 "$work/open.json" >"$work/cut.json"
printf '{"schema": "other"}\n' >"$work/other.json"
for file in cut other missing; do
	"$epwget" --merge "$work/open.json" "$work/$file.json" >"$work/merge.log" 2>&1
	status=$?
	same "$file.json is refused in a line: $(sed "s|$work/||" "$work/merge.log")" "1 1" \
		"$status $(wc -l <"$work/merge.log")"
done

# ---- the page ----------------------------------------------------------------------

page() { # file
	"$python3" - "$work/$1" <<-'PYTHON'
		import html.parser, sys
		class Page(html.parser.HTMLParser):
		    seen, stack = [], []
		    def handle_starttag(self, tag, attrs):
		        self.seen.append((tag, dict(attrs).get("class")) if tag == "svg" else tag)
		        assert not {"src", "href"} & {k for k, _ in attrs}, tag
		        if tag not in ("meta",):
		            self.stack.append(tag)
		    def handle_startendtag(self, tag, attrs):
		        self.seen.append(tag)
		    def handle_endtag(self, tag):
		        assert self.stack.pop() == tag, tag
		p = Page()
		p.feed(open(sys.argv[1]).read())
		charts = [p.seen.count(("svg", size)) for size in ("large", "small")]
		assert not p.stack and charts == [3, 3] and "script" not in p.seen
	PYTHON
}

for file in closed open stall sum; do
	check "$file.html is well-formed, has three charts in two sizes and needs no other file" page $file.html
done

check "SIGTERM ends epserver with status 0" stop server TERM 5
finish
