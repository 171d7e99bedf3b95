#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Cards that DPDK drives by PCI and vfio, inside an emulated machine: no hardware is needed,
# and nothing here says how fast anything is.  Two cores, two queues each:
#
#   rss     hashes by itself, with a key and a table that are read from the card.  Who comes
#           is served where the card has put him, and those whom we go to answer to the core
#           that asked: no packet is handed over, ever
#   plain   the same card without RSS puts flows on any queue: what one core hands over
#           another gets, and no connection fails
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/guest.sh"

big_mb=1
begin ab curl nginx sha256sum
guest_need
want=$((2000 / share))

declare -A pci=([rss]=3 [plain]=4) net=([rss]=198.18.0 [plain]=198.18.1)

# A card on a TAP of two queues, QEMU's words for it.
card() { # name, properties
	echo "-netdev tap,id=$1,ifname=mtcp-$1,script=no,downscript=no,queues=2,vhost=off
		-device virtio-net-pci,netdev=$1,addr=${pci[$1]},mq=on,vectors=6,$2,disable-legacy=on,iommu_platform=on,romfile="
}

tap() { # name
	in_ns a ip tuntap add dev "mtcp-$1" mode tap multi_queue vnet_hdr &&
		in_ns a ip address add "${net[$1]}.1/24" dev "mtcp-$1" && in_ns a ip link set "mtcp-$1" up
}

boot() {
	local from
	from=$(now_ms)
	ns_add a && tap rss && tap plain || give_up "two TAPs"
	nginx_start a || give_up "nginx in the peer's namespace"
	guest_root net_virtio || give_up "a root for the emulated machine"
	# shellcheck disable=SC2046 # several words
	guest_boot 90 a $(card rss rss=on,hash=on) $(card plain rss=off,hash=off) ||
		give_up "the emulated machine does not boot"
	ok "the emulated machine boots ($(($(now_ms) - from)) ms)"
}

conf() { # name of the program, lines...
	local to=$work/$1.conf
	shift
	printf '%s\n' "eal_args = -a 0000:00:0${pci[$card]}.0" "port = dpdk0" "address = $ours/24" "num_cores = 2" \
		"stat_print = on" "$@" >"$to" && guest_put "$to" || give_up "a file in the emulated machine"
}

# Packets that a core has received, of the lines printed every second.
received() { # core
	awk -v cpu="[CPU $1]" 'index($0, cpu) == 1 && /flows:/ { sub(/.*RX: */, ""); n += $1 } END { print n + 0 }' \
		"$work/server.log"
}

steered() { # title, name of the program
	local out in dropped
	read -r out in dropped < <(handed "$2")
	if [ "$card" = rss ]; then
		same "$1: no packet came to the wrong core" "0 0 0" "$out $in $dropped"
	else
		check "$1: packets came to the wrong core" test "$out" -gt 0
		same "$1: $out packets handed over, $in arrived, $dropped lost" "$out 0" "$in $dropped"
	fi
}

as_server() {
	conf server
	# Before all cores listen, one that does gets the connections of the others.
	guest 40 "epserver -p /www -f $work/server.conf >/tmp/server.log 2>&1 & pid=\$!
		until grep -q serving /tmp/server.log || ! kill -0 \$pid; do usleep 100000; done" || give_up "a process there"
	wait_for 10 answers "$ours" || { guest_get server; give_up "$card: epserver"; }
	fetch_ours 64k 30
	fetch_ours big 30
	ab_ours "$card" $want 50
	sleep 1
	guest 10 "kill -TERM \$pid; wait \$pid"
	same "$card: SIGTERM ends epserver with status 0" 0 $?
	guest_get server || give_up "what epserver said"
	local a b
	a=$(received 0) b=$(received 1)
	check "$card: both queues give packets ($a and $b)" test "$a" -gt $((want / 2)) -a "$b" -gt $((want / 2))
	steered "$card, as a server" server
}

as_client() {
	conf client "tcp_timewait = 1s"
	guest 40 "epwget $kernels/1 $want -N 2 -c 50 -f $work/client.conf --expect-sha256 $(sum_of "$work/www/1") >/tmp/client.log 2>&1"
	same "$card: epwget, $want connections from two cores, none failed" 0 $?
	guest_get client || give_up "what epwget said"
	same "$card: half of them by each core" "$((want / 2)) $((want / 2))" \
		"$(awk '/Completed/ { printf "%s%d", n++ ? " " : "", $4 }' "$work/client.log")"
	steered "$card, as a client" client
}

boot
for card in rss plain; do
	ours=${net[$card]}.2 kernels=${net[$card]}.1
	as_server
	as_client
done
check "the emulated machine ends" guest_off 10
finish
