#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# IPv6 on a TAP device, beside IPv4 on the same port: neighbours find each other, echo is answered
# at every size the MTU allows, files go both ways, and an address of ours is defended.
. "$(dirname "$0")/lib.sh"

ours6=fd00:198::2 kernels6=fd00:198::1 local6=fe80::2

begin curl ping nginx sha256sum
net_for tap || give_up "a namespace"

# The namespace came without IPv6; what is switched on now holds for the TAP that comes later, too.
v6_on() {
	in_peer sysctl -qw net.ipv6.conf.all.disable_ipv6=0 net.ipv6.conf.default.disable_ipv6=0 \
		net.ipv6.conf.lo.disable_ipv6=0
}
v6_on || skip "the kernel has no IPv6"

kernel_has6() {
	in_peer sysctl -qw net.ipv6.conf.mtcp0.disable_ipv6=0 &&
		in_peer ip -6 address add $kernels6/64 dev mtcp0 nodad
}
all_answered() { # address, pings, bytes
	in_peer ping -6 -q -c "$2" -i 0.01 -W 1 -s "$3" -M do "$1" | grep -q " $2 received"
}
fetch6() { # title, address, file
	same "$1 fetches /$3" "$(sum_of "$work/www/$3")" \
		"$(in_peer curl -gsS --fail --max-time 60 "http://$2/$3" | sha256sum | cut -d ' ' -f 1)"
}
neighbour() { in_peer ip -6 neigh show "$1" dev mtcp0; }
server_start tap "address = $ours6/64 $local6/64" || give_up "epserver on a TAP"
kernel_has6 || give_up "an address for the kernel"

for size in 0 1 56 1451 1452; do
	check "20 pings over IPv6 with $size bytes" all_answered $ours6 20 $size
done
same "the kernel learnt our address by neighbour discovery" 1 "$(neighbour $ours6 | grep -c lladdr)"
check "a ping to our link-local address" all_answered $local6%mtcp0 1 56
in_peer ip -6 neigh flush dev mtcp0
check "a ping after the kernel forgot our address" all_answered $ours6 1 56

for file in 1 64k big; do
	fetch6 "curl over IPv6" "[$ours6]" $file
done
fetch6 "curl to our link-local address" "[$local6%25mtcp0]" 64k
fetch6 "curl over IPv4, from the same listener," $ours 64k
if command -v ab >/dev/null; then
	in_peer ab -q -n 2000 -c 50 -s 20 "http://[$ours6]/1" >"$work/ab.log" 2>&1
	same "2,000 short connections over IPv6, none failed" "2000 0" \
		"$(awk '/^Complete requests/ { c = $3 } /^Failed requests/ { f = $3 } END { print c, f }' "$work/ab.log")"
fi
same "nobody listens on another port: refused" 7 \
	"$(in_peer curl -gs -o /dev/null --max-time 5 "http://[$ours6]:81/"; echo $?)"

same "nobody is there for a datagram: told so" "Connection refused" \
	"$(in_peer "$python3" -c "
import socket
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
s.settimeout(3)
s.connect(('$ours6', 9))
s.send(b'anybody?')
try:
    s.recv(1)
except OSError as e:
    print(e.strerror)")"

# RFC 4862 5.4: the kernel asks whether the address is free, and we say it is not.
in_peer ip -6 address add $ours6/64 dev mtcp0
dad_failed() { in_peer ip -6 address show dev mtcp0 | grep -q dadfailed; }
check "we defend our address" wait_for 5 dad_failed
in_peer ip -6 address del $ours6/64 dev mtcp0
check "SIGTERM ends epserver with status 0" stop server TERM 5

# A port with nothing but IPv6.
nginx_start $peer || give_up "nginx in the peer's namespace"
conf_write tap client "address = $ours6/64"
client6() { # path
	start client a "$epwget" "[$kernels6]/$1" 1 -o "$work/out" -f "$work/client.conf"
	tap_up client && kernel_has6 || return 1
	finished client 60
}
for file in 1 64k big; do
	rm -f "$work/out"
	client6 $file
	same "epwget over IPv6 fetches /$file" "$(sum_of "$work/www/$file")" "$(sum_of "$work/out")"
done
finish
