#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Datagrams between udp_echo on a TAP device and the kernel: every length both ways, nc, pings in
# fragments, refusals both ways, broadcasts, and a question to a name server.
. "$(dirname "$0")/lib.sh"

echoes=$build/apps/udp_echo
ours6=fd00:198::2 kernels6=fd00:198::1

begin ping nc "$python3"
net_for tap || give_up "a namespace"
conf_write tap server "address = $ours6/64"
start server a "$echoes" -p 7 -f "$work/server.conf"
{ tap_up server && server_ready says server echoing; } || give_up "udp_echo on a TAP"

# ---- the kernel asks --------------------------------------------------------

by_kernel() { in_peer "$python3" "$(dirname "$0")/udp_peer.py" "$@"; }

check "the kernel's datagrams of 0 to 65507 bytes come back" by_kernel lengths $ours 7
check "300 of them at once come back" by_kernel many $ours 7 300
check "a port that nobody has is refused" by_kernel refused $ours 9
check "a broadcast is answered" by_kernel broadcast 198.18.0.255 7 $ours
same "nc -u" "hello" "$(printf hello | in_peer timeout 2 nc -u -w 1 $ours 7)"
check "pings of 65000 bytes" eval 'in_peer ping -q -c 5 -i 0.01 -W 1 -s 65000 $ours >/dev/null'
# The namespace came without IPv6.
kernel_has6() {
	in_peer sysctl -qw net.ipv6.conf.all.disable_ipv6=0 net.ipv6.conf.mtcp0.disable_ipv6=0 &&
		in_peer ip -6 address add $kernels6/64 dev mtcp0 nodad
}
if kernel_has6; then
	check "the kernel's datagrams over IPv6 come back" by_kernel lengths $ours6 7
	check "a port that nobody has is refused over IPv6" by_kernel refused $ours6 9
	check "pings of 65000 bytes over IPv6" eval 'in_peer ping -6 -q -c 5 -i 0.01 -W 1 -s 65000 $ours6 >/dev/null'
else
	echo "      the kernel has no IPv6"
fi
check "SIGTERM ends udp_echo with status 0" stop server TERM 5

# ---- we ask -----------------------------------------------------------------

# A TAP of our own is there when the port is open: the kernel's side comes up meanwhile.
client() { # arguments...
	conf_write tap client
	start client a "$echoes" "$@" -f "$work/client.conf" --wait 3
	tap_up client || return 1
	finished client 15
}

start kernels a "$python3" "$(dirname "$0")/udp_peer.py" echo 0.0.0.0 7
wait_for 5 says kernels echoing || give_up "the kernel's echo"
for length in 0 1472 1473 65507; do
	check "the kernel echoes our datagrams of $length bytes" client -c $kernels -n 10 -l $length
	says client "10 of 10" || tail -n 3 "$work/client.log"
done
stop kernels KILL
check "a refusal reaches us" eval '! client -c $kernels --port 9 && says client refused'
if command -v dnsmasq >/dev/null; then
	start dns a dnsmasq --keep-in-foreground --no-resolv --no-hosts --conf-file=/dev/null \
		--pid-file= --user=root --address=/example.org/192.0.2.77
	check "a name server answers" client -c $kernels --ask www.example.org
	same "... what it knows" 192.0.2.77 "$(cat "$work/client.log")"
else
	echo "      no dnsmasq here"
fi
finish
