#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Two processes with one address, on queues of one TAP and of one veth pair under AF_XDP, each
# with devices of its own, and as DPDK's primary and secondary that share those of a TAP: no
# connection fails, whoever opens it; what one process has handed over the other has got; one
# that is killed and started again breaks no connection of the other.
#
#   MTCP_PROCESSES_CONNS   how many connections each way (default 2000)
. "$(dirname "$0")/lib.sh"

begin ab nginx sha256sum "$python3"
want=$((${MTCP_PROCESSES_CONNS:-2000} / share))
# The key of rss.bpf.c.
key=6d5a56da255b0ec24167253d43a38fb0d0ca2bcbae7b30b477cb2da38030f20c6a42b73bbeac01fa
for i in 0 1; do
	cp -r "$work/www" "$work/www$i"
	echo $i >"$work/www$i/who"
done

conf() { # kind, role, lines...
	case $1 in
	tap) echo "eal_args = --vdev=net_tap%q,iface=mtcp0,mac=fixed
			port = net_tap%q" ;;
	shared) echo "eal_args = --vdev=net_tap0,iface=mtcp0 --huge-dir=$work/huge
			port = net_tap0
			memory = 256M" ;;
	af_xdp) echo "eal_args = --vdev=net_af_xdp%q,iface=mtcp0,start_queue=%q,busy_budget=0
			port = net_af_xdp%q" ;;
	esac | sed 's/^[[:blank:]]*//' >"$work/$2.conf"
	printf '%s\n' "address = $ours/24" "num_cores = 1" "multiprocess = 2" \
		"multiprocess_name = test-$$" "stat_print = on" "${@:3}" >>"$work/$2.conf"
}

net() { # kind
	case $1 in
	tap | shared) ns_add a && peer=a ;;
	af_xdp) ns_add a b && peer=b && veth_add a b 2 ;;
	esac || give_up "a network for $1"
}

is_tap() { [ "$kind" != af_xdp ]; }

# Hugepages that several processes can map, and back to how it was.
huge_was=
huge_begin() {
	local more=300
	huge_was=$(cat /proc/sys/vm/nr_hugepages)
	echo $((huge_was + more)) >/proc/sys/vm/nr_hugepages
	mkdir "$work/huge"
	[ "$(cat /proc/sys/vm/nr_hugepages)" -ge $((huge_was + more)) ] && mount -t hugetlbfs none "$work/huge"
}

huge_end() {
	[ -n "$huge_was" ] || return 0
	umount "$work/huge" 2>/dev/null
	echo "$huge_was" >/proc/sys/vm/nr_hugepages
	huge_was=
}

trap 'net_clear; huge_end; conclude' EXIT

steer() {
	in_peer tc qdisc add dev peer0 clsact &&
		in_peer tc filter add dev peer0 egress bpf direct-action object-file "$work/rss.o" section tc
}

serve() { # number
	start "server$1" a "$epserver" -p "$work/www$1" -f "$work/server.conf"
	! is_tap || tap_up "server$1" 2>/dev/null || in_ns a ip link show mtcp0 >/dev/null
	wait_for 15 says "server$1" serving || give_up "epserver, process $1, on $kind"
}

# The lines that cores say when they end: out, in, dropped of all.
accounted() { # title, logs...
	local out in dropped title=$1
	shift
	read -r out in dropped < <(awk '/handed over:/ { gsub(",", ""); o += $(NF - 4); i += $(NF - 2); d += $NF }
		END { printf "%d %d %d\n", o, i, d }' "$@")
	same "$title: $out packets went from process to process, $in arrived, $dropped lost" "$out 0" "$in $dropped"
}

by_ab() { # title
	in_peer ab -q -n $want -c 100 -s 20 "http://$ours/1" >"$work/ab.log" 2>&1
	same "$kind: ab, $want connections ($(sed -n 's/^Requests per second: *\([0-9]*\).*/\1/p' "$work/ab.log")/s), none failed$1" \
		"$want 0" "$(awk '/^Complete requests/ { c = $3 } /^Failed requests/ { f = $3 } END { print c, f }' "$work/ab.log")"
}

served() { sed -n 's/^epserver: \([0-9]*\) connections.*/\1/p' "$work/server$1.log"; }

as_server() {
	conf "$kind" server
	serve 0
	serve 1
	sleep 0.5 # each has been told of the other
	by_ab ""
	stop server1 TERM 10
	same "$kind: SIGTERM ends one of them with status 0" 0 $?
	check "$kind: and it has served its share ($(served 1))" test "$(served 1)" -gt $((want / 10))
	! is_tap || by_ab " by the other alone"
	check "$kind: and the other" stop server0 TERM 10
	accounted "$kind, as servers" "$work"/server[01].log
}

stays() { sed -n "s/^process $1: [0-9]* connections, [0-9]* requests, \([0-9]*\) broke/\1/p" "$work/stay.log"; }

killed() {
	serve 0
	serve 1
	sleep 0.5
	start stay "$peer" "$python3" "$src/test/interop/peer.py" stay $ours 40 "$work/end"
	wait_for 20 says stay ready || give_up "40 connections that stay"
	sleep 0.5
	local pid=${pids[server1]}
	stop server1 KILL
	rm -rf "$RUNTIME_DIRECTORY/dpdk/mtcp-$pid" # it cannot
	sleep 1
	! is_tap || by_ab " while the other is dead"
	serve 1
	sleep 0.5
	by_ab " after it was started again"
	touch "$work/end"
	finished stay 20
	rm -f "$work/end"
	sed 's/^/      /' "$work/stay.log"
	same "$kind: kill -9 of one process has broken no connection of the other" 0 "$(stays 0)"
	check "$kind: and they were there" grep -q "process 0: [1-9]" "$work/stay.log"
	[ "$kind" != shared ] || first_killed
	check "$kind: SIGTERM ends the second" stop server1 TERM 10
	check "$kind: it has served its share ($(served 1))" test "$(served 1)" -gt $((want / 10))
	[ "$kind" = shared ] || check "$kind: SIGTERM ends the first" stop server0 TERM 10
}

# Who has made the devices may go, too, but can come again only when all have gone.
first_killed() {
	stop server0 KILL
	sleep 0.5
	by_ab " by the secondary alone, the primary killed"
	start server0 a "$epserver" -p "$work/www0" -f "$work/server.conf"
	finished server0 10
	check "$kind: a primary cannot come again beside it, and says so" says server0 "all others must end"
}

client() { # number, seconds
	start "client$1" a "$epwget" $kernels/1 -d "$2" --rate $((want / 2)) -c 100 \
		--expect-sha256 "$(sum_of "$work/www/1")" -f "$work/client.conf"
}

made() { sed -n 's/^epwget: \([0-9]*\) of .*/\1/p' "$work/client$1.log"; }

# The first is there before the second comes and after it has gone: a primary has to be, and
# a queue of the interface that nobody reads may be where the answer to an ARP request goes.
as_clients() { # rss_key
	local i status
	nginx_start $peer || give_up "nginx in the peer's namespace"
	conf "$kind" client "tcp_timewait = 1s" "rss_key = $1"
	! is_tap || { in_ns a ip tuntap add dev mtcp0 mode tap multi_queue pi &&
		in_ns a ip address add $kernels/24 dev mtcp0 && in_ns a ip link set mtcp0 up; } ||
		give_up "a TAP that stays"
	client 0 6
	wait_for 15 says client0 flows: || give_up "epwget, process 0, on $kind"
	client 1 2
	for i in 1 0; do
		finished client$i 60
		status=$?
		same "$kind: epwget, process $i, $(made $i) connections, none failed" 0 $status
		check "$kind: and they were many" test "$(made $i)" -ge $want
	done
	accounted "$kind, as clients" "$work"/client[01].log
}

kind=tap
net tap
as_server
killed
as_clients auto
net_clear
kind=shared
if [ -z "${MTCP_SANITIZE:-}" ] && huge_begin; then
	net shared
	as_server
	killed
	as_clients auto
	net_clear
else
	echo "      no hugepages, or checkers that need the addresses: primary and secondary were not tried"
fi
huge_end
kind=af_xdp
net af_xdp
as_server
killed
if command -v clang >/dev/null && clang -O2 -g -target bpf -DQUEUES=2 "-I/usr/include/$(uname -m)-linux-gnu" \
	-c "$src/test/interop/rss.bpf.c" -o "$work/rss.o" 2>"$work/clang.log"; then
	steer || give_up "a program on the peer's side"
	as_clients $key
else
	echo "      no clang for BPF: epwget on AF_XDP was not tried"
fi
check "nobody is left in the folder that they shared" test ! -e "/dev/shm/mtcp-$(id -u)-test-$$"
finish
