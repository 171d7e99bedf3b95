#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# 20,000 connections of one request each, 1,000 at a time, by wrk and by ab: none fails.
. "$(dirname "$0")/lib.sh"

begin curl wrk ab
want=$((20000 / share))
net_for tap || give_up "a namespace"
server_start tap "max_concurrency = 20000" || give_up "epserver on a TAP"

# wrk counts time, not requests: in rounds until there were enough.  It does not
# understand the header without the blank.
by_wrk() {
	local done=0 round=0
	while [ $done -lt $want ] && [ $round -lt 10 ]; do
		round=$((round + 1))
		in_peer wrk -t 2 -c 1000 -d 3 --timeout 10 -H 'Connection: close' "http://$ours/1" \
			>"$work/wrk.log" 2>&1 || return 1
		! grep -E 'Socket errors|Non-2xx' "$work/wrk.log" || return 1
		done=$((done + $(awk '/requests in/ { print $1 }' "$work/wrk.log")))
	done
	echo "      wrk: $done connections, $(grep Requests/sec "$work/wrk.log")"
	[ $done -ge $want ]
}

by_ab() {
	in_peer ab -q -n $want -c 1000 -s 20 "http://$ours/1" >"$work/ab.log" 2>&1 || return 1
	echo "      ab: $(grep 'Requests per second' "$work/ab.log")"
	grep -q "^Complete requests: *$want$" "$work/ab.log" &&
		grep -q '^Failed requests: *0$' "$work/ab.log" &&
		! grep -q 'Non-2xx' "$work/ab.log"
}

check "wrk: $want connections, 1,000 at a time" by_wrk
check "ab: $want connections, 1,000 at a time" by_ab
check "SIGTERM ends epserver with status 0" stop server TERM 10
finish
