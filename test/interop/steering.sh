#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Four pairs on ports that put packets on any queue (TAP, AF_PACKET's fan-out), or have
# fewer queues than there are cores (AF_XDP): no connection fails, whoever opens it, and
# what one core has handed over another has got.  Where the peer spreads them as a card would
# (AF_XDP with four queues, a program that hashes on the peer's side) nothing is handed over.
#
#   MTCP_STEERING_CONNS   how many connections each way (default 2000)
. "$(dirname "$0")/lib.sh"

begin ab nginx sha256sum
want=$((${MTCP_STEERING_CONNS:-2000} / share))

accounted() { # title, name of the program
	local out in dropped
	read -r out in dropped < <(handed "$2")
	same "$1: $out packets handed over, $in arrived, $dropped lost" "$out 0" "$in $dropped"
	[ $rss = auto ] || same "$1: the peer steers, and so none is handed over" 0 "$out"
}

by_epwget() { # kind
	conf_write "$1" client "cores 4" "stat_print = on" "tcp_timewait = 1s" "rss_key = $rss"
	client_run "$1" 60 "$kernels/1" $want -N 4 -c 200 --expect-sha256 "$(sum_of "$work/www/1")"
	same "$1: epwget, $want connections from four cores, none failed" 0 $?
	accounted "$1, as a client" client
}

# The key of rss.bpf.c.
key=6d5a56da255b0ec24167253d43a38fb0d0ca2bcbae7b30b477cb2da38030f20c6a42b73bbeac01fa
steered=no

# The peer hashes, and our side knows how.
steer() {
	in_peer tc qdisc add dev peer0 clsact &&
		in_peer tc filter add dev peer0 egress bpf direct-action object-file "$work/rss.o" section tc
}

try() { # kind
	rss=auto
	net_for "$1" || give_up "a network for $1"
	if [ $steered = yes ]; then
		steer || give_up "a program on the peer's side"
		rss=$key
	fi
	server_start "$1" "cores 4" "stat_print = on" "rss_key = $rss" || give_up "epserver with four cores on $1"
	ab_ours "$1" $want 200
	check "$1: SIGTERM ends epserver with status 0" stop server TERM 10
	accounted "$1, as a server" server
	nginx_start $peer || give_up "nginx in the peer's namespace"
	by_epwget "$1"
	net_clear
}

for kind in tap af_packet af_xdp af_xdp4; do
	try $kind
done
if command -v clang >/dev/null && clang -O2 -g -target bpf -DQUEUES=4 "-I/usr/include/$(uname -m)-linux-gnu" \
	-c "$src/test/interop/rss.bpf.c" -o "$work/rss.o" 2>"$work/clang.log"; then
	steered=yes
	try af_xdp4
else
	echo "      no clang for BPF: a peer that steers was not tried"
fi
finish
