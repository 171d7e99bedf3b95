#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# An idle epserver costs next to nothing, and yet answers at once: the CPU time of ten
# idle seconds, then the first request on a connection that slept for as long.  The port
# decides the price: TAP interrupts, the others have to be looked at.
. "$(dirname "$0")/lib.sh"

[ -z "${MTCP_SANITIZE:-}" ] || skip "an instrumented program has another price"
begin curl "$python3"
hz=$(getconf CLK_TCK)

ticks() { awk '{ sub(/^.*\) /, ""); print $12 + $13 }' "/proc/${pids[server]}/stat"; }

idle_on() { # kind, percent allowed
	local kind=$1 before used
	net_for "$kind" || give_up "a network for $kind"
	server_start "$kind" || give_up "epserver on $kind"
	start idle $peer "$python3" "$src/test/interop/peer.py" idle $ours 6 0.5 0.5 0.5 0.5
	sleep 0.8
	before=$(ticks)
	sleep 5
	used=$((($(ticks) - before) * 1000 / hz))
	echo "      $kind: $used ms of CPU time in 10 s ($((used / 100)).$((used / 10 % 10)) %)"
	check "epserver idle on $kind takes less than $2 % of a CPU" test $used -lt $((10000 * $2 / 100))
	finished idle 10
	same "the client's status" 0 $?
	answered "$kind"
	stop server
	net_clear
}

# The first answer comes after the long sleep; the machine may have been busy just then,
# so the middle of five, all after sleep, is judged.
answered() { # kind
	local us=() middle
	mapfile -t us <"$work/idle.log"
	middle=$(printf '%s\n' "${us[@]}" | sort -n | sed -n 3p)
	echo "      $1: first answer after ${us[0]} us; all: ${us[*]} us"
	check "a request on an idle connection is answered within 2 ms" test "${middle:-9999}" -lt 2000
}

idle_on tap 1
idle_on af_packet 3
idle_on af_xdp 3
finish
