#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Minutes of mixed load with clients that break off: every request is answered, memory
# stays flat after the first rounds, and no connection is left in the end.
#
#   MTCP_SOAK_SECONDS   how long (default 240)
. "$(dirname "$0")/lib.sh"

begin curl wrk "$python3"
seconds=${MTCP_SOAK_SECONDS:-240}
rounds=$((seconds / 12))
[ $rounds -ge 4 ] || rounds=4

rss_kb() { awk '/^VmRSS/ { print $2 }' "/proc/${pids[server]}/status"; }

# Threads of load beside each other for ten seconds.
round() {
	start wrk_kept a wrk -t 1 -c 50 -d 10 --timeout 10 "http://$ours/64k"
	start wrk_close a wrk -t 1 -c 200 -d 10 --timeout 10 -H 'Connection: close' "http://$ours/1"
	start abuse a "$python3" "$src/test/interop/peer.py" abuse $ours 10
	fetch_quietly || failed_here+=" curl"
	finished abuse 30 || failed_here+=" abuse"
	finished wrk_kept 30 || failed_here+=" wrk"
	finished wrk_close 30 || failed_here+=" wrk"
	! grep -hE 'Socket errors|Non-2xx' "$work"/wrk_*.log || failed_here+=" requests"
	served=$((served + $(awk '/requests in/ { n += $1 } END { print n }' "$work"/wrk_*.log)))
}

fetch_quietly() {
	[ "$(in_peer curl -sS --fail --max-time 60 "http://$ours/big" | sha256sum | cut -d ' ' -f 1)" = "$big_sum" ]
}

flows() { grep 'ALL' "$work/server.log" | tail -n 1 | sed -n 's/.*flows: *\([0-9]*\),.*/\1/p'; }
no_flows() { [ "$(flows)" = 0 ]; }

net_for tap || give_up "a namespace"
server_start tap "max_concurrency = 20000" "stat_print = on" "tcp_timewait = 1s" || give_up "epserver on a TAP"
big_sum=$(sum_of "$work/www/big")
served=0 failed_here= sizes=()
for ((i = 1; i <= rounds; i++)); do
	round
	sizes+=("$(rss_kb)")
	echo "      round $i of $rounds: RSS ${sizes[-1]} KB, $served requests so far${failed_here:+, failed:$failed_here}"
	alive server || give_up "epserver is gone after round $i"
done
same "no request failed in $rounds rounds, $served requests" "" "$failed_here"
half=${sizes[rounds / 2]}
check "memory is flat: $half KB at half time, ${sizes[-1]} KB at the end" \
	test "${sizes[-1]}" -le $((half + half / 20 + 2048))
check "no connection is left" wait_for 70 no_flows
check "SIGTERM ends epserver with status 0" stop server TERM 5
finish
