#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Each DPDK device of io_engine/README.md, without a stack: test/tools/io_echo
# answers, the kernel's ping or another io_echo asks.  Then what stayed behind.

tool=${MTCP_BUILDDIR:-.}/test/tools/io_echo
work=$(mktemp -d)
near=mtcpio-a$$ # where the engine is
far=mtcpio-b$$  # where a kernel peer is
passed=0
failed=0

[ "$MTCP_WITH_DPDK" = no ] && { echo "skipped: this build has no DPDK"; exit 77; }
[ "$(id -u)" = 0 ] || { echo "skipped: needs root: makes network namespaces"; exit 77; }
[ -x "$tool" ] || { echo "FAILED: $tool is not built"; exit 1; }

# libxdp keeps 80 bytes a socket; what DPDK's threads say to each other, a checker that
# has not seen them compiled cannot follow.
echo "leak:xsk_umem__create" >"$work/lsan"
printf 'race:librte_%s\n' '*' >"$work/tsan"
export LSAN_OPTIONS=suppressions=$work/lsan:print_suppressions=0
export TSAN_OPTIONS=suppressions=$work/tsan:print_suppressions=0

clean() {
	# shellcheck disable=SC2046 # a list of process numbers
	kill $(jobs -p) 2>/dev/null
	wait
	ip netns del "$near" 2>/dev/null
	ip netns del "$far" 2>/dev/null
	rm -rf "$work"
}
trap clean EXIT
trap 'exit 1' INT TERM

judge() { # title, status
	if [ "$2" = 0 ]; then
		passed=$((passed + 1))
		echo "ok      $1"
	else
		failed=$((failed + 1))
		echo "FAILED  $1"
		sed 's/^/        /' "$work"/*.log
	fi
	rm -f "$work"/*.log
}

near() { ip netns exec "$near" "$@"; }
far() { ip netns exec "$far" "$@"; }

# Waits, 5 s at most, until the engine in the log has introduced itself.
ready() {
	for _ in $(seq 100); do
		grep -qs ' mac ' "$work/echo.log" && return 0
		sleep 0.05
	done
	return 1
}

# Every ping answered: a burst of small ones, and some that fill the MTU.
pings() { # bytes of the large ones, command that runs ping
	local large=$1
	shift
	"$@" ping -c 20 -i 0.01 -w 5 -q 10.9.0.1 &&
		"$@" ping -M "do" -c 3 -i 0.01 -w 5 -q -s "$large" 10.9.0.1
}

answerer() { # arguments of io_echo
	# Not by near(): the process to be ended is the tool, not a shell around it.
	ip netns exec "$near" "$tool" -a 10.9.0.1 -t 30 "$@" >"$work/echo.log" 2>&1 &
	echo_pid=$!
}

# The answerer ends by SIGTERM with status 0.
answerer_ends() {
	kill -TERM "$echo_pid" && wait "$echo_pid"
}

kernel_asks() { # title, bytes, arguments of io_echo
	local title=$1 bytes=$2 status=1
	shift 2
	answerer "$@"
	ready && pings "$bytes" far >"$work/ping.log" 2>&1 && status=0
	answerer_ends || status=1
	judge "$title" $status
}

on_tap() { # title, queues
	local status=1
	answerer -e '--vdev=net_tap0,iface=mtap0' -p net_tap0 -c "$2"
	if ready; then
		near ip addr add 10.9.0.2/24 dev mtap0
		pings 1472 near >"$work/ping.log" 2>&1 && status=0
	fi
	answerer_ends || status=1
	near ip link show mtap0 >"$work/left.log" 2>&1 && status=1
	judge "$1" $status
}

engine_asks() { # title, answerer's eal_args, asker's, further arguments of both
	local title=$1 one=$2 two=$3 status=1
	shift 3
	answerer -e "$one" "$@"
	if ready; then
		near "$tool" -e "$two" -a 10.9.0.2 -q 10.9.0.1 -n 100 -t 5 "$@" -w 1 \
			>"$work/ask.log" 2>&1 && status=0
		# A peer that comes again is served again.
		[ $status = 0 ] && ! near "$tool" -e "$two" -a 10.9.0.2 -q 10.9.0.1 -n 100 -t 5 \
			"$@" -w 1 >"$work/ask2.log" 2>&1 && status=1
	fi
	answerer_ends || status=1
	judge "$title" $status
}

veth() { # queues, mtu
	near ip link del ve0 2>/dev/null
	near ip link add ve0 numrxqueues "$1" numtxqueues "$1" mtu "$2" type veth \
		peer name ve1 netns "$far" numrxqueues "$1" numtxqueues "$1" mtu "$2"
	near ip link set ve0 up
	far ip link set ve1 up
	far ip addr add 10.9.0.2/24 dev ve1
	far ethtool -K ve1 tx off >/dev/null 2>&1
}

ip netns add "$near" && ip netns add "$far" || exit 1

on_tap "TAP, 1 queue" 1
on_tap "TAP, 4 queues, again" 4

veth 1 1500
kernel_asks "AF_PACKET" 1472 -e '--vdev=net_af_packet0,iface=ve0'
kernel_asks "AF_PACKET, 2 queues" 1472 -e '--vdev=net_af_packet0,iface=ve0,qpairs=2' -c 2
kernel_asks "AF_XDP" 1472 -e '--vdev=net_af_xdp0,iface=ve0'
veth 1 9000
kernel_asks "AF_PACKET, MTU 9000" 8972 -m 9000 \
	-e '--vdev=net_af_packet0,iface=ve0,framesz=16384,blocksz=65536'
veth 1 3506
kernel_asks "AF_XDP, MTU 3506" 3478 -m 3506 -e '--vdev=net_af_xdp0,iface=ve0'
veth 2 1500
kernel_asks "AF_XDP, 2 queues" 1472 -c 2 -p net_af_xdp0,net_af_xdp1 \
	-e '--vdev=net_af_xdp0,iface=ve0,start_queue=0 --vdev=net_af_xdp1,iface=ve0,start_queue=1'

engine_asks "memif, 1 queue" "--vdev=net_memif0,role=server,socket=$work/m" \
	"--vdev=net_memif0,role=client,socket=$work/m"
engine_asks "memif, 4 queues" "--vdev=net_memif0,role=server,socket=$work/m" \
	"--vdev=net_memif0,role=client,socket=$work/m" -c 4
engine_asks "vhost-user and virtio-user, asleep between packets" \
	"--vdev=net_vhost0,iface=$work/v" "--vdev=net_virtio_user0,path=$work/v" -w 20000
engine_asks "vhost-user and virtio-user, 4 queues, MTU 9000" \
	"--vdev=net_vhost0,iface=$work/v,queues=4" \
	"--vdev=net_virtio_user0,path=$work/v,queues=4" -c 4 -m 9000 -s 8900

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
