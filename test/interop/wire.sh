#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Files and bytes over a cable that loses, repeats, reorders, damages and delays, between
# this stack and the kernel both ways, and between two of ours.  Judged by digests; how
# fast it was is printed and not judged: that is test/bench/impaired.sh.
#
#   test/interop/wire.sh [quick|full]      full: every fault, kernel setting and algorithm apart
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/wirelib.sh"

begin curl nginx sha256sum socat ss "$python3"
[ -x "$wire" ] || skip "no $wire: run make check first"
wire_net || give_up "two veth pairs and three namespaces"
head -c 3000000 "$work/www/big" >"$work/www/3M"

both_ways() { # bytes, what the title ends with
	local ends
	for ends in "o k" "k o" "o o"; do
		# shellcheck disable=SC2086
		bytes_carry $ends "$1" 60 "$2"
	done
}

# The cable's own account: nothing was lost that was not to be.
cable_is_sound() {
	check "the cable did what it was told" wire_stop
}

quick() {
	local ends
	wire_start rate=100Mbit queue=128KB delay=5ms loss=1% reorder=1% duplicate=0.5% corrupt=0.1% \
		seed=3 || give_up "the cable"
	for ends in "o k" "k o" "o o"; do
		# shellcheck disable=SC2086
		web_carries $ends 3M 60
	done
	both_ways 2000000
	cable_is_sound
}

with_cable() { # name, words for the cable...
	local name=$1
	shift
	wire_start rate=100Mbit queue=256KB seed=5 "$@" || give_up "the cable"
	both_ways 2000000 ", $name"
	cable_is_sound
}

with_kernel() { # name=value: the sysctl of both namespaces, put back afterwards
	local before
	before=$(in_ns l sysctl -n "net.ipv4.${1%=*}") || return
	kernel_set "$1"
	both_ways 1000000 ", kernel's $1"
	kernel_set "${1%=*}=$before"
}

full() {
	local delay word
	for delay in 10ms 50ms; do
		for word in loss=0 loss=0.1% loss=1% loss=5% reorder=1% reorder=5% duplicate=5% corrupt=1%; do
			with_cable "$word, $delay each way" delay=$delay "$word"
		done
	done
	wire_start rate=100Mbit queue=64KB mark=32KB delay=5ms loss=1% reorder=1% seed=7 ||
		give_up "the cable"
	for word in tcp_sack=0 tcp_timestamps=0 tcp_window_scaling=0 tcp_ecn=1 tcp_ecn=0 tcp_recovery=0; do
		with_kernel "$word"
	done
	for kernel_cc in $(in_ns l sysctl -n net.ipv4.tcp_available_congestion_control); do
		bytes_carry k o 1000000 60 ", $kernel_cc"
	done
	cable_is_sound
}

quick
[ "${1:-quick}" = quick ] || full
finish
