#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# What we send on a good line, as tshark's experts see it: no malformed packet, no bad
# checksum, no retransmission that was not needed.  Captured by the peer, whose own
# checksums are complete too.
. "$(dirname "$0")/lib.sh"

begin curl tcpdump tshark nginx ab
net_for af_packet || give_up "a veth pair"
head -c $((8 << 20)) /dev/urandom >"$work/www/8m"

capture() {
	start tcpdump b tcpdump -i peer0 -U -B 65536 -w "$work/all.pcap" ip or arp
	wait_for 5 says tcpdump "listening on"
}

server_start af_packet || give_up "epserver on AF_PACKET"
capture || give_up "tcpdump"
fetch_ours 8m 30
in_peer ab -q -n 200 -c 10 "http://$ours/64k" >"$work/ab.log" 2>&1
same "200 short connections, status of ab" 0 $?
stop server
nginx_start b || give_up nginx
conf_write af_packet client
fetch_by_us af_packet 8m 30 $kernels
sleep 0.3
stop tcpdump INT
same "the capture is complete" 0 "$(sed -n 's/ packets dropped by kernel//p' "$work/tcpdump.log")"

none() { # title, filter
	local found
	found=$(tshark -r "$work/all.pcap" -o tcp.check_checksum:TRUE -o ip.check_checksum:TRUE \
		-Y "$2" 2>/dev/null | head -n 5)
	same "no $1" "" "$found"
}

packets=$(tshark -r "$work/all.pcap" -T fields -e frame.number 2>/dev/null | tail -n 1)
check "tshark reads the capture ($packets packets)" test "${packets:-0}" -gt 5000
none "malformed packet" "_ws.malformed"
# Of ours only: a kernel writes 0xffff for a sum of zero, which tshark holds against it.
none "bad checksum" "ip.src == $ours && (ip.checksum.status == Bad || tcp.checksum.status == Bad)"
none "spurious retransmission" "tcp.analysis.spurious_retransmission"
finish
