#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Goodput on impaired paths, this stack beside the kernel: one connection in bulk from the
# left to the right end of a bad cable (test/interop/wire), four ways: kernel to kernel,
# ours to kernel, kernel to ours, ours to ours.  Rounds are interleaved and the dice of the
# cable are the same for all four of a round.  What counts is the ratio of medians.
#
# The kernel's TCP runs in softirq context, which waits for no program, here in that of
# the cable, a real-time thread.  So that a busy machine is not taken for a slow stack,
# the ends' programs, the kernel's too, are real-time processes one step below it
# (--fifo no: as the shell is).
#
#   test/bench/impaired.sh [options]           in a build: MTCP_BUILDDIR=build/quickstart
#
#   --pairs N           rounds of each cell (5)
#   --seconds N         of each transfer (10)
#   --ways LIST         of kk ok ko oo (kk oo)
#   --cc LIST           congestion controls (what both have)
#   --rtt LIST          milliseconds, half of it each way (20 100)
#   --faults LIST       words of the cable ("loss=0 loss=0.1% loss=1% loss=5% reorder=1% reorder=5%")
#   --cable WORDS       further words ("rate=100Mbit queue=256KB reorder_delay=2ms")
#   --kernel LIST       name=value of net.ipv4 in the kernel's namespaces, a cell each; "-" is
#                       as it comes (-).  All: - tcp_sack=0 tcp_timestamps=0
#                       tcp_window_scaling=0 tcp_ecn=1
#   --ours LINES        lines of configuration of our ends, separated by ;
#   --out FILE          where the table goes besides (impaired.txt)
#   --fifo yes|no       the ends are real-time processes (yes)
#   --keep FOLDER       every transfer's output and the cable's account go there
. "$(dirname "${BASH_SOURCE[0]}")/../interop/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/../interop/wirelib.sh"

pairs=5 seconds=10 ways="kk oo" ccs='' rtts="20 100" kernels_own=-
faults="loss=0 loss=0.1% loss=1% loss=5% reorder=1% reorder=5%"
cable="rate=100Mbit queue=256KB reorder_delay=2ms"
out=impaired.txt keep='' fifo=yes

while [ $# -gt 1 ]; do
	case $1 in
	--pairs) pairs=$2 ;;
	--seconds) seconds=$2 ;;
	--ways) ways=$2 ;;
	--cc) ccs=$2 ;;
	--rtt) rtts=$2 ;;
	--faults) faults=$2 ;;
	--cable) cable=$2 ;;
	--kernel) kernels_own=$2 ;;
	--ours) IFS=';' read -ra ours_lines <<<"$2" ;;
	--out) out=$2 ;;
	--keep) keep=$2 ;;
	--fifo) fifo=$2 ;;
	*) break ;;
	esac
	shift 2
done
[ $# = 0 ] || {
	sed -n 's/^# \{0,1\}//; 3,/--keep/p' "$0" >&2
	exit 2
}

begin ss chrt "$python3"
[ $fifo != yes ] || ! chrt -f 1 true 2>/dev/null || ends_by=(chrt -f 1)
[ -x "$wire" ] || skip "no $wire: run make check first"
[ -z "$keep" ] || mkdir -p "$keep"
wire_net || give_up "two veth pairs and three namespaces"

# Those that the kernel has and our configuration takes.
common_ccs() {
	local cc
	for cc in $(in_ns l sysctl -n net.ipv4.tcp_available_congestion_control); do
		end_conf l "cc = $cc"
		! "$perf" --check-config "$work/l.conf" >/dev/null 2>&1 || echo "$cc"
	done
}

median() { sort -n | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }
tell() { printf '%s\n' "$*" | tee -a "$out"; }

save() { # name
	[ -n "$keep" ] || return
	local f
	for f in source sink wire; do
		cp "$work/$f.log" "$keep/$1-$f.log"
	done
}

# One transfer; its figure joins those of its way.
transfer() { # way, cc, rtt, fault, round, name
	# shellcheck disable=SC2086
	wire_start $cable "$4" "delay=$(($3 * 500))us" "seed=$5" || give_up "the cable"
	bulk "${1:0:1}" "${1:1:1}" "$2" "$seconds"
	wire_stop || fail "$6 $1: the cable" "$(grep WRONG "$work/wire.log")"
	save "$6-$1-$5"
	[ -n "$goodput" ] || fail "$6 $1 round $5" "$(tail -n 2 "$work/source.log" "$work/sink.log")"
	echo "${goodput:-0}" >>"$work/figures.$1"
}

cell() { # cc, rtt, fault, kernel's setting
	local way round name="$1-$2ms-$3" text kk m
	[ "$4" = - ] || name+="-$4"
	rm -f "$work"/figures.*
	for ((round = 1; round <= pairs; round++)); do
		for way in $ways; do
			transfer "$way" "$1" "$2" "$3" "$round" "$name"
		done
	done
	text=$(printf '%-8s %4s ms  %-12s %-22s' "$1" "$2" "$3" "$4")
	kk=
	for way in $ways; do
		m=$(median <"$work/figures.$way")
		[ "$way" != kk ] || kk=$m
		text+=$(printf ' %s %7.2f' "$way" "$m")
		[ "$way" = kk ] || [ -z "$kk" ] || text+=$(awk "BEGIN { printf \" (%.2f)\", ($kk > 0 ? $m / $kk : 0) }")
	done
	tell "$text"
	ok "$name"
}

[ -n "$ccs" ] || ccs=$(common_ccs)
tell "Mbit/s, median of $pairs; cable: $cable; $seconds s each; in brackets: by kernel to kernel"
for set_to in $kernels_own; do
	if [ "$set_to" != - ]; then
		before=$(in_ns l sysctl -n "net.ipv4.${set_to%=*}")
		kernel_set "$set_to" || give_up "$set_to"
	fi
	for cc in $ccs; do
		for rtt in $rtts; do
			for fault in $faults; do
				cell "$cc" "$rtt" "$fault" "$set_to"
			done
		done
	done
	[ "$set_to" = - ] || kernel_set "${set_to%=*}=$before"
done
finish
