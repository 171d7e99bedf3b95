#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# One request at a time over AF_XDP on a veth pair, beside the kernel's nginx on a veth
# pair of the same make: each server with all its threads on CPU 0, the client on CPU 1.
# Rounds alternate, and what counts is the ratio of medians.
#
#   test/bench/latency.sh [ROUNDS [REQUESTS]]      in a build: MTCP_BUILDDIR=build/quickstart
. "$(dirname "${BASH_SOURCE[0]}")/../interop/lib.sh"

begin curl nginx taskset "$python3"
rounds=${1:-9} requests=${2:-3000}
[ "$cpus" -gt 1 ] || skip "needs two CPUs"

# Namespaces a and b as always; c and d with the kernel at both ends.
net_for af_xdp || give_up "a veth pair"
ns_add c d
veth_add c d || give_up "a second veth pair"
in_ns c ip address add $ours/24 dev mtcp0
in_ns c ethtool -K mtcp0 tx off >/dev/null
server_start af_xdp "core_mask = 1" || give_up "epserver on AF_XDP"
nginx_start c taskset -c 0 || give_up nginx

median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
round() { # the client's namespace
	in_ns "$1" taskset -c 1 "$python3" "$src/test/interop/peer.py" latency $ours "$requests" | median
}

for ((i = 1; i <= rounds; i++)); do
	a=$(round b) b=$(round d)
	echo "round $i: epserver $a us, nginx $b us"
	ours_us+=("$a") kernels_us+=("$b")
	ratios+=("$(awk "BEGIN { print $a / $b }")")
done
printf 'median: epserver %s us, nginx %s us, ratio of pairs %.3f\n' \
	"$(printf '%s\n' "${ours_us[@]}" | median)" "$(printf '%s\n' "${kernels_us[@]}" | median)" \
	"$(printf '%s\n' "${ratios[@]}" | median)"
finish
