#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# ARP and ICMP echo are answered on a TAP device, at every size that IP allows.
. "$(dirname "$0")/lib.sh"

begin ping curl
net_for tap || give_up "a namespace"
server_start tap || give_up "epserver on a TAP"

all_answered() { in_peer ping -q -c "$1" -i 0.01 -W 1 -s "$2" -M do $ours | grep -q " $1 received"; }

some_answered() { in_peer ping -q -c "$1" -i 0.01 -W 1 -s "$2" $ours | grep -q " $1 received"; }

for size in 0 1 56 1471 1472; do
	check "20 pings with $size bytes" all_answered 20 $size
done

for size in 1473 4000 65000 65507; do
	check "10 pings with $size bytes, in fragments" some_answered 10 $size
done

if command -v arping >/dev/null; then
	check "arping" in_peer arping -q -c 3 -w 5 -I mtcp0 $ours
else
	echo "      no arping here"
fi
in_peer ip neigh flush dev mtcp0
check "a ping after the kernel forgot our address" all_answered 1 56
same "the kernel learnt our address by ARP" 1 \
	"$(in_peer ip neigh show $ours | grep -c lladdr)"
finish
