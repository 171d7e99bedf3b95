#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# A kernel beside us on one address, by AF_XDP on a veth pair: what is nobody's here is its, and
# what it sends leaves by the port.  Epserver listens on port 80, the kernel's nginx on another.
. "$(dirname "$0")/lib.sh"

begin curl nginx ping nc tcpdump
tap=mtcpk0

# The same files, on ports 8080 and 22.
kernel_serves() { # namespace
	local dir=$work/beside
	mkdir -p "$dir"
	sed "s,$work/nginx,$dir,; s/listen 80 /listen 8080 /" "$work/nginx/nginx.conf" >"$dir/nginx.conf" || return 1
	start beside "$1" nginx -p "$dir" -c "$dir/nginx.conf" -e stderr
	wait_for 10 in_ns "$1" curl -s -o /dev/null --max-time 1 http://127.0.0.1:8080/
}

by_curl() { # title, address and file, namespace
	same "$1" "$(sum_of "$work/www/${2##*/}")" \
		"$(in_ns "$3" curl -sS --fail --max-time 20 "http://$2" | sha256sum | cut -d ' ' -f 1)"
}

fetch_both() { # when
	by_curl "$1: port 80 is ours" $ours:80/64k b
	by_curl "$1: port 8080 is the kernel's" $ours:8080/64k b
}

net_for af_xdp || give_up "a network for AF_XDP"
nginx_start b || give_up "nginx in the peer's namespace"
server_start af_xdp "exception = tap:$tap" || give_up "epserver with a kernel beside it"
check "the interface is there" has_link a $tap
same "it has the port's link address" "$(in_ns a cat /sys/class/net/mtcp0/address)" \
	"$(in_ns a cat /sys/class/net/$tap/address)"
check "and the port's address" eval "in_ns a ip -4 address show $tap | grep -q 'inet $ours/24'"
kernel_serves a || give_up "nginx beside epserver"
fetch_both "from the peer"
by_curl "the kernel beside us opens connections" $kernels:80/64k a
start tcpdump a tcpdump --immediate-mode -U -n -i $tap -Z root -c 1000 -w "$work/tap.pcap"
wait_for 5 says tcpdump listening
same "20 pings are answered, none twice" "20 packets transmitted, 20 received, 0% packet loss" \
	"$(in_peer ping -q -c 20 -i 0.01 -W 1 $ours | grep -o '.*packet loss')"
check "pings of 20,000 bytes are answered" eval "in_peer ping -q -c 3 -i 0.01 -W 1 -s 20000 $ours >/dev/null"
check "the kernel's pings are, too" eval "in_ns a ping -q -c 5 -i 0.01 -W 1 $kernels >/dev/null"
in_peer ip neigh flush dev peer0
same "one host answers ARP" 1 "$(in_peer arping -c 1 -w 2 -I peer0 $ours 2>/dev/null | grep -ci 'reply from\|bytes from')"
in_peer curl -s -o /dev/null --max-time 5 "http://$ours/1"
sleep 0.3
stop tcpdump TERM 5
check "tcpdump sees the pings" eval "tcpdump -n -r $work/tap.pcap icmp 2>/dev/null | grep -q 'echo request'"
same "what is ours it does not see" 0 "$(tcpdump -n -r "$work/tap.pcap" tcp port 80 2>/dev/null | wc -l)"
in_peer timeout 3 nc -z -w 2 $ours 4444
same "a port that nobody has is closed" 1 $?
in_peer ping -q -f -c 20000 -W 1 $ours >"$work/flood.log" 2>&1
fetch_both "after a flood of pings"
stop server TERM 5
same "SIGTERM ends epserver with status 0" 0 $?
check "and the interface goes with it" eval "! has_link a $tap"
server_start af_xdp "exception = tap:lo" >/dev/null 2>&1
check "what is no TAP is refused, and why is said" says server "exception = tap:lo: "
stop server TERM 5
finish
